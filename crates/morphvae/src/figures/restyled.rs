//! Styles through all classes: a row for each style, a column for each class.

use image::RgbImage;

use super::canvas::{Align, Canvas, Style};
use super::sheet::check;
use super::{Caption, FigureError, enlarged, text};
use crate::data::Images;

/// Around the figure, in pixels.
const MARGIN: usize = 64;
/// How wide a row of images is, about.
const WIDTH: usize = 1400;
/// An image's pixel is at most this many pixels wide.
const MOST_SCALE: usize = 5;
/// Between two images.
const GAP: usize = 6;
/// From what a style was taken from to what is drawn of it.
const APART: usize = 34;
/// From a row's name to its images.
const WORDS_GAP: usize = 24;
/// A row's name takes no more than this.
const WIDEST_WORDS: f64 = 260.0;
/// For the classes' names below the last row.
const NAMES: usize = 40;

/// Draws `images`, one row after the other, each a style that is drawn as every class; `originals` are the images that
/// the styles were taken from, one for each row that comes of one, and stand before it.
///
/// # Errors
/// [`FigureError`] when the number of images is not that of the rows times that of the classes, or zero, or when they are
/// neither grey nor colour.
pub fn restyled(
    images: &Images,
    originals: &[Option<Images>],
    rows: &[String],
    classes: &[String],
    caption: &Caption,
) -> Result<RgbImage, FigureError> {
    check(images)?;
    for (what, expected, got) in [
        ("images", rows.len() * classes.len(), images.count()),
        ("originals", rows.len(), originals.len()),
    ] {
        if expected != got {
            return Err(FigureError::Mismatch { what, expected, got });
        }
    }
    let scale = scale(classes.len(), images.width());
    let [width, height] = [images.width() * scale, images.height() * scale];
    let name = Style::NAME.align(Align::Right);
    // A single row says in the title what it is of.
    let names: Vec<String> = match rows.len() {
        1 => vec![String::new()],
        _ => rows
            .iter()
            .map(|row| text::shortened(row, name.weight, name.size, WIDEST_WORDS))
            .collect(),
    };
    let words = names.iter().map(|row| name.measure(row)).fold(0.0, f64::max);
    let before = MARGIN
        + if words > 0.0 {
            words.ceil() as usize + WORDS_GAP
        } else {
            0
        };
    let left = match originals.iter().any(Option::is_some) {
        true => before + width + APART,
        false => before,
    };
    let page = left + classes.len() * (width + GAP) - GAP + MARGIN;
    let caption_width = (page - 2 * MARGIN) as f64;
    let top = MARGIN + caption.height(caption_width) as usize;
    let bottom = top + rows.len() * (height + GAP) - GAP;
    let mut canvas = Canvas::new(page, bottom + NAMES + MARGIN)?;
    caption.draw(&mut canvas, [MARGIN as f64; 2], caption_width);

    for (row, (name_of_row, original)) in names.iter().zip(originals).enumerate() {
        let upper = top + row * (height + GAP);
        let middle = upper as f64 + height as f64 / 2.0;
        canvas.text_middle(name_of_row, [(before - WORDS_GAP.min(before)) as f64, middle], name);
        if let Some(original) = original {
            canvas.picture(&enlarged::picture(original, 0, scale), before, upper);
        }
        for column in 0..classes.len() {
            let picture = enlarged::picture(images, row * classes.len() + column, scale);
            canvas.picture(&picture, left + column * (width + GAP), upper);
        }
    }
    for (column, class) in classes.iter().enumerate() {
        let middle = (left + column * (width + GAP)) as f64 + width as f64 / 2.0;
        let class = text::shortened(class, Style::TICK.weight, Style::TICK.size, width as f64);
        canvas.text(&class, [middle, (bottom + NAMES) as f64 - 10.0], Style::TICK);
    }
    Ok(canvas.into_image())
}

/// Makes sure that [`restyled`] can draw so many styles as so many classes, of `side` x `side` pixels.
///
/// # Errors
/// [`FigureError::TooLarge`] when it cannot.
pub fn check_restyled(rows: usize, classes: usize, side: usize) -> Result<(), FigureError> {
    let image = side.saturating_mul(scale(classes, side));
    let width = (classes + 1).saturating_mul(image + GAP);
    let width = width.saturating_add(2 * MARGIN + APART + WORDS_GAP + WIDEST_WORDS as usize);
    let height = rows.saturating_mul(image + GAP);
    let around = 2 * MARGIN + NAMES + Caption::new(" ", " ").height(width as f64) as usize;
    Canvas::check(width, height.saturating_add(around))
}

/// How many times its own size an image is drawn.
fn scale(columns: usize, width: usize) -> usize {
    (WIDTH / columns.saturating_mul(width).max(1)).clamp(1, MOST_SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_style_stands_beside_its_original_and_under_no_other() {
        let images = Images::new(1, 8, 8, (0..6).flat_map(|index| [index * 30; 64]).collect()).unwrap();
        let original = Images::new(1, 8, 8, vec![200; 64]).unwrap();
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (rows, classes) = (names(&["a", "b"]), names(&["0", "1", "2"]));
        let page = restyled(&images, &[Some(original), None], &rows, &classes, &Caption::default()).unwrap();
        // Images of 40 x 40 pixels, 6 apart, before the right margin.
        let left = page.width() - 64 - 3 * 40 - 2 * 6;
        let at = |column: u32, row: u32| page.get_pixel(column, 64 + row).0;
        for (index, (column, row)) in [(0, 0), (46, 0), (92, 0), (0, 46), (46, 46), (92, 46)]
            .into_iter()
            .enumerate()
        {
            assert_eq!(at(left + column + 20, row + 20), [30 * index as u8; 3]);
        }
        assert_eq!(at(left - 34 - 20, 20), [200; 3]);
        assert_eq!(at(left - 34 - 20, 66), [255; 3]);
        let error = restyled(&images, &[None], &rows, &classes, &Caption::default()).unwrap_err();
        assert_eq!(error.to_string(), "1 originals were given where 2 are needed");
        assert!(check_restyled(10, 10, 28).is_ok() && check_restyled(4000, 10, 128).is_err());
    }
}
