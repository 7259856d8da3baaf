//! What each latent dimension does: one row of images for each.

use super::axis::number;
use super::canvas::{Align, Canvas, Style};
use super::manifold::numbered;
use super::sheet::check;
use super::{Caption, FigureError, enlarged};
use crate::data::Images;
use image::RgbImage;

/// Above, below and at the right, in pixels.
const MARGIN: usize = 64;
/// How wide a row of images is, about.
const WIDTH: usize = 1400;
/// An image's pixel is at most this many pixels wide.
const MOST_SCALE: usize = 6;
/// Between two rows.
const GAP: usize = 14;
/// From a row's words to its images.
const WORDS_GAP: f64 = 28.0;
/// From the middle of a row to the middle of each of its two lines of words.
const LINE: f64 = 17.0;
/// Images lower than this leave no room for two lines.
const LOW: f64 = 60.0;
/// Between name and note on one line.
const BETWEEN: f64 = 18.0;
/// For the numbers below the last row.
const NUMBERS: usize = 44;
/// The words beside a row take no more than this.
const WIDEST_WORDS: usize = 400;

/// The words beside a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraversalRow {
    /// The dimension: `z₇`.
    pub name: String,
    /// How much it carries: `2.31 nats`.
    pub note: String,
}

/// Draws `images`, one row after the other: each row shows what one dimension does, its value under each column.
///
/// The images of a row touch, so that it reads as one change.
///
/// # Errors
/// [`FigureError`] when the number of images is not that of the rows times that of the columns, or zero, or when they
/// are neither grey nor colour.
pub fn traversals(
    images: &Images,
    rows: &[TraversalRow],
    columns: &[f64],
    caption: &Caption,
) -> Result<RgbImage, FigureError> {
    check(images)?;
    if rows.len() * columns.len() != images.count() {
        return Err(FigureError::Mismatch {
            what: "images",
            expected: rows.len() * columns.len(),
            got: images.count(),
        });
    }
    let scale = scale(columns.len(), images.width());
    let [width, height] = [images.width() * scale, images.height() * scale];
    let name = Style::NAME.align(Align::Right);
    let note = Style::NOTE.align(Align::Right);
    let widest = |style: Style, text: fn(&TraversalRow) -> &str| {
        rows.iter().map(|row| style.measure(text(row))).fold(0.0, f64::max)
    };
    let [names, notes] = [widest(name, |row| &row.name), widest(note, |row| &row.note)];
    // Beside low images there is room for one line only: where the name ends, and how far the words are above and below
    // the middle of the row.
    let (shift, apart) = if (height as f64) < LOW {
        (notes + BETWEEN, 0.0)
    } else {
        (0.0, LINE)
    };
    let words = notes.max(names + shift);
    let left = MARGIN + (words + WORDS_GAP).ceil() as usize;
    let across = columns.len() * width;
    let page = left + across + MARGIN;
    let caption_width = (page - 2 * MARGIN) as f64;
    let top = MARGIN + caption.height(caption_width) as usize;
    let bottom = top + rows.len() * (height + GAP) - GAP;
    let mut canvas = Canvas::new(page, bottom + NUMBERS + MARGIN)?;
    caption.draw(&mut canvas, [MARGIN as f64; 2], caption_width);

    for (row, words) in rows.iter().enumerate() {
        let upper = top + row * (height + GAP);
        let (right, middle) = (left as f64 - WORDS_GAP, upper as f64 + height as f64 / 2.0);
        canvas.text_middle(&words.name, [right - shift, middle - apart], name);
        canvas.text_middle(&words.note, [right, middle + apart], note);
        for column in 0..columns.len() {
            let picture = enlarged::picture(images, row * columns.len() + column, scale);
            canvas.picture(&picture, left + column * width, upper);
        }
    }
    // As few decimals as tell the values.
    let is_short = columns
        .iter()
        .all(|value| (10.0 * value - (10.0 * value).round()).abs() < 1e-6);
    let decimals = if is_short { 1 } else { 2 };
    for column in numbered(columns.len()) {
        let middle = (left + column * width) as f64 + width as f64 / 2.0;
        let place = [middle, (bottom + NUMBERS) as f64 - 10.0];
        canvas.text(&number(columns[column], decimals), place, Style::TICK);
    }
    Ok(canvas.into_image())
}

/// Makes sure that [`traversals`] can draw so many rows and columns of images with `side` x `side` pixels, for those who
/// would otherwise learn of it only when all of these are decoded.
///
/// # Errors
/// [`FigureError::TooLarge`] when it cannot.
pub fn check_traversals(rows: usize, columns: usize, side: usize) -> Result<(), FigureError> {
    let side = side.saturating_mul(scale(columns, side));
    let width = columns.saturating_mul(side).saturating_add(2 * MARGIN + WIDEST_WORDS);
    let height = rows.saturating_mul(side + GAP);
    let around = 2 * MARGIN + NUMBERS + Caption::new(" ", " ").height(width as f64) as usize;
    Canvas::check(width, height.saturating_add(around))
}

/// How many times its own size an image is drawn.
fn scale(columns: usize, width: usize) -> usize {
    (WIDTH / columns.saturating_mul(width)).clamp(1, MOST_SCALE)
}

/// The name of a latent dimension, counted from 0, as figures have it: `z₁` for the first.
#[must_use]
pub fn dimension_name(dimension: usize) -> String {
    let digits = (dimension + 1).to_string();
    let below = |digit: u8| char::from_u32(u32::from('₀') + u32::from(digit - b'0')).unwrap_or('?');
    std::iter::once('z').chain(digits.bytes().map(below)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<TraversalRow> {
        let row = |index| TraversalRow {
            name: dimension_name(index),
            note: "1.00 nats".to_owned(),
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn rows_stand_apart_and_their_images_touch() {
        let pixels = (0..6).flat_map(|index| [index * 30; 64]).collect();
        let images = Images::new(1, 8, 8, pixels).unwrap();
        let page = traversals(&images, &rows(2), &[-1.0, 0.0, 1.0], &Caption::default()).unwrap();
        // Images of 48 x 48 pixels.
        let left = page.width() - 64 - 3 * 48;
        let at = |column: u32, row: u32| page.get_pixel(left + column, 64 + row).0;
        for (index, (column, row)) in [(0, 0), (48, 0), (96, 0), (0, 62), (48, 62), (96, 62)]
            .into_iter()
            .enumerate()
        {
            let grey = [30 * index as u8; 3];
            assert_eq!([at(column, row), at(column + 47, row + 47)], [grey; 2]);
        }
        assert_eq!(at(10, 50), [255; 3]);
    }

    #[test]
    fn images_must_fill_the_rows() {
        let images = Images::new(1, 1, 1, vec![0; 5]).unwrap();
        let error = traversals(&images, &rows(2), &[-1.0, 0.0, 1.0], &Caption::default()).unwrap_err();
        assert_eq!(error.to_string(), "5 images were given where 6 are needed");
    }

    #[test]
    fn dimensions_are_counted_from_one() {
        assert_eq!(dimension_name(0), "z₁");
        assert_eq!(dimension_name(108), "z₁₀₉");
    }

    #[test]
    fn what_would_be_too_large_is_known_before_it_is_drawn() {
        assert!(check_traversals(100, 100, 64).is_ok());
        assert!(check_traversals(16, 100, 128).is_ok());
        assert!(matches!(
            check_traversals(100, 100, 128),
            Err(FigureError::TooLarge { height, .. }) if height > 100 * 128
        ));
        // No page is larger than was thought.
        let widest = |side: usize| TraversalRow {
            name: dimension_name(side),
            note: "variance 12345.67".to_owned(),
        };
        let values = [0.0; 160];
        let images = Images::new(1, 128, 128, vec![0; 128 * 128 * 160]).unwrap();
        let error = traversals(&images, &[widest(4095)], &values, &Caption::new("title", "subtitle")).unwrap_err();
        let FigureError::TooLarge { width, .. } = error else {
            panic!("{error}")
        };
        assert!(width <= 160 * 128 + 2 * MARGIN + WIDEST_WORDS);
    }
}
