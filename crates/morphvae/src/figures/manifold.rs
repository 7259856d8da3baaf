//! The images that a plane of latents decodes to, as one surface.

use super::axis::{Ticks, number};
use super::canvas::{Align, Canvas, RULE, Stroke, Style};
use super::sheet::check;
use super::{Caption, FigureError, enlarged};
use crate::data::Images;
use image::RgbImage;
use rayon::prelude::*;

/// Side of the surface, about, in pixels.
const SIDE: f64 = 1600.0;
/// Above and at the right.
const MARGIN: f64 = 64.0;
/// Left of the surface: numbers and the axis's name.
const LEFT: f64 = 170.0;
/// Below the surface.
const BOTTOM: f64 = 150.0;
/// Length of a tick.
const TICK: f64 = 9.0;
/// Numbers along an axis, at most.
const MOST_NUMBERS: usize = 14;

/// The axes of a sheet over the latent plane.
#[derive(Clone, Copy, Debug)]
pub struct ManifoldAxes<'a> {
    /// The names of the horizontal and the vertical axis.
    pub names: [&'a str; 2],
    /// The first latent of every column, from left to right.
    pub columns: &'a [f64],
    /// The second latent of every row, from top to bottom.
    pub rows: &'a [f64],
}

/// Draws `images`, row after row from the top, without gaps: a surface that changes continuously.
///
/// Images are enlarged smoothly, each by itself, so that what touches at an edge is what the decoder said.
///
/// # Errors
/// [`FigureError`] when the number of images is not that of the columns times that of the rows, or zero, or when they
/// are neither grey nor colour.
pub fn manifold(images: &Images, axes: &ManifoldAxes, caption: &Caption) -> Result<RgbImage, FigureError> {
    check(images)?;
    let (columns, rows) = (axes.columns.len(), axes.rows.len());
    if columns * rows != images.count() {
        return Err(FigureError::Mismatch {
            what: "images",
            expected: columns * rows,
            got: images.count(),
        });
    }
    let scale = scale(columns * images.width(), rows * images.height());
    let [tile_width, tile_height] = [images.width() * scale, images.height() * scale];
    let [width, height] = [(columns * tile_width) as f64, (rows * tile_height) as f64];
    let top = MARGIN + caption.height(width);
    let [page_width, page_height] = page([width, height], caption);
    let mut canvas = Canvas::new(page_width, page_height)?;
    caption.draw(&mut canvas, [LEFT, MARGIN], width);
    for row in 0..rows {
        // A row at a time, for all of them take as much memory as the page.
        let tiles = (0..columns).into_par_iter();
        let tiles: Vec<RgbImage> = tiles
            .map(|column| enlarged::picture(images, row * columns + column, scale))
            .collect();
        for (column, tile) in tiles.iter().enumerate() {
            canvas.picture(
                tile,
                LEFT as usize + column * tile_width,
                top as usize + row * tile_height,
            );
        }
    }

    let tick = Stroke::solid(RULE, 2.0);
    let (middle_x, middle_y) = (tile_width as f64 / 2.0, tile_height as f64 / 2.0);
    for (index, label) in numbers(axes.columns) {
        let x = LEFT + index * tile_width as f64 + middle_x;
        canvas.line(&[[x, top + height + 6.0], [x, top + height + 6.0 + TICK]], tick);
        canvas.text_middle(&label, [x, top + height + 38.0], Style::TICK);
    }
    for (index, label) in numbers(axes.rows) {
        let y = top + index * tile_height as f64 + middle_y;
        canvas.line(&[[LEFT - 6.0, y], [LEFT - 6.0 - TICK, y]], tick);
        canvas.text_middle(&label, [LEFT - 26.0, y], Style::TICK.align(Align::Right));
    }
    canvas.text(axes.names[0], [LEFT + width / 2.0, top + height + 106.0], Style::NAME);
    canvas.text_upwards(axes.names[1], [LEFT - 110.0, top + height / 2.0], Style::NAME);
    Ok(canvas.into_image())
}

/// Makes sure that [`manifold`] can draw so many columns and rows of images with `side` x `side` pixels, for those who
/// would otherwise learn of it only when all of these are decoded.
///
/// # Errors
/// [`FigureError::TooLarge`] when it cannot.
pub fn check_manifold(columns: usize, rows: usize, side: usize) -> Result<(), FigureError> {
    let [width, height] = [columns, rows].map(|count| count.saturating_mul(side));
    let scale = scale(width, height) as f64;
    let [width, height] = page([width as f64 * scale, height as f64 * scale], &Caption::new(" ", " "));
    Canvas::check(width, height)
}

/// How many times its own size an image is drawn, on a surface that has `width` x `height` pixels without that.
fn scale(width: usize, height: usize) -> usize {
    (SIDE / width.max(height) as f64).round().max(1.0) as usize
}

/// Width and height of the page around a surface.
fn page([width, height]: [f64; 2], caption: &Caption) -> [usize; 2] {
    let top = MARGIN + caption.height(width);
    [(LEFT + width + MARGIN) as usize, (top + height + BOTTOM) as usize]
}

/// The numbers along an axis and where they stand, counted in tiles: round ones where the values are evenly spaced, and
/// otherwise some of the values, the same from either end, with two decimals.
fn numbers(values: &[f64]) -> Vec<(f64, String)> {
    if let Some(step) = even_step(values) {
        let (first, last) = (values[0], values[values.len() - 1]);
        let ticks = Ticks::new(first.min(last), first.max(last), MOST_NUMBERS / 2);
        let numbered = |&value: &f64| ((value - first) / step, ticks.label(value));
        return ticks.values.iter().map(numbered).collect();
    }
    numbered(values.len())
        .into_iter()
        .map(|index| (index as f64, number(values[index], 2)))
        .collect()
}

/// The distance from one value to the next, where it is always the same and there are three values or more.
fn even_step(values: &[f64]) -> Option<f64> {
    let &[first, .., last] = values else { return None };
    let step = (last - first) / (values.len() - 1) as f64;
    let even = |pair: &[f64]| (pair[1] - pair[0] - step).abs() < 1e-6 * step.abs();
    (values.len() > 2 && values.windows(2).all(even)).then_some(step)
}

/// Which of `count` values have a number: the ends, and as many between them as there is room for.
pub(super) fn numbered(count: usize) -> Vec<usize> {
    let stride = count.div_ceil(MOST_NUMBERS).max(1);
    let mirrored = |index: usize| count - 1 - index;
    let mut chosen: Vec<usize> = (0..count.div_ceil(2))
        .step_by(stride)
        .filter(|&index| index == mirrored(index) || mirrored(index) - index >= stride)
        .flat_map(|index| [index, mirrored(index)])
        .collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of one pixel row and column each, in steps of grey.
    fn greys(count: u8) -> Images {
        Images::new(1, 4, 4, (0..count).flat_map(|index| [index * 20; 16]).collect()).unwrap()
    }

    #[test]
    fn images_touch_and_keep_their_order() {
        let axes = ManifoldAxes {
            names: ["z₁", "z₂"],
            columns: &[-1.0, 0.0, 1.0],
            rows: &[1.0, -1.0],
        };
        let sheet = manifold(&greys(6), &axes, &Caption::default()).unwrap();
        // Twelve pixels across make about 1600: each is 133 wide, an image 532.
        let at = |x: u32, y: u32| sheet.get_pixel(x, y).0;
        let (left, top, tile) = (LEFT as u32, MARGIN as u32, 532);
        for (index, (column, row)) in [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)].into_iter().enumerate() {
            let grey = [index as u8 * 20; 3];
            let (first_x, first_y) = (left + column * tile, top + row * tile);
            assert_eq!(at(first_x, first_y), grey);
            assert_eq!(at(first_x + tile - 1, first_y + tile - 1), grey);
        }
        assert_eq!(at(left + 3 * tile, top), [255; 3]);
    }

    #[test]
    fn the_number_of_images_must_fill_the_grid() {
        let axes = ManifoldAxes {
            names: ["z₁", "z₂"],
            columns: &[-1.0, 0.0, 1.0],
            rows: &[1.0, -1.0],
        };
        let error = manifold(&greys(5), &axes, &Caption::default()).unwrap_err();
        assert_eq!(error.to_string(), "5 images were given where 6 are needed");
    }

    #[test]
    fn evenly_spaced_values_have_round_numbers_where_they_belong() {
        let down: Vec<f64> = (0..20).map(|index| 3.0 - 6.0 * f64::from(index) / 19.0).collect();
        let numbers = numbers(&down);
        let labels: Vec<&str> = numbers.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["−3", "−2", "−1", "0", "1", "2", "3"]);
        for ((place, _), value) in numbers.iter().zip(-3..) {
            assert!((place - 19.0 * f64::from(3 - value) / 6.0).abs() < 1e-9);
        }
        let uneven = super::numbers(&[-1.96, -0.5, 0.5, 1.96]);
        assert_eq!(uneven[0], (0.0, "−1.96".to_owned()));
        assert_eq!(super::numbers(&[0.0]), [(0.0, "0.00".to_owned())]);
    }

    #[test]
    fn numbers_are_the_same_from_either_end_and_include_the_ends() {
        assert_eq!(numbered(7), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(numbered(20), [0, 2, 4, 6, 8, 11, 13, 15, 17, 19]);
        assert_eq!(numbered(1), [0]);
        for count in 1..60 {
            let chosen = numbered(count);
            assert!(chosen.len() <= MOST_NUMBERS + 1 && chosen[0] == 0 && chosen.contains(&(count - 1)));
            assert!(
                chosen
                    .iter()
                    .rev()
                    .map(|index| count - 1 - index)
                    .eq(chosen.iter().copied())
            );
        }
    }

    #[test]
    fn what_would_be_too_large_is_known_before_it_is_drawn() {
        // As wide as high, so that the page's area is what counts.
        for (side, most) in [(32, 100), (64, 100), (128, 75)] {
            assert!(check_manifold(most, most, side).is_ok());
        }
        assert!(matches!(
            check_manifold(78, 78, 128),
            Err(FigureError::TooLarge { width: 10_218, .. })
        ));
        // The page is as large as was said.
        let values = [0.0; 300];
        let axes = ManifoldAxes {
            names: ["x", "y"],
            columns: &values,
            rows: &values[..2],
        };
        let draw = |side: usize| {
            let images = Images::new(1, side, side, vec![0; side * side * 600]).unwrap();
            manifold(&images, &axes, &Caption::new("title", "subtitle"))
        };
        assert_eq!(draw(60).unwrap().width(), 18_234);
        assert!(check_manifold(300, 2, 60).is_ok());
        let said = check_manifold(300, 2, 70).unwrap_err().to_string();
        assert_eq!(draw(70).unwrap_err().to_string(), said);
    }
}
