//! The images of a clip on one page.

use super::super::canvas::{Align, Canvas, INK, Style};
use super::super::{Caption, FigureError, enlarged, text};
use super::{ClipError, Look};
use crate::data::Images;
use image::RgbImage;

/// Around everything, in pixels.
const MARGIN: usize = 64;
/// How wide the images of a row are together, about.
const WIDTH: usize = 1600;
/// An image's pixel is at most this many pixels wide.
const MOST_SCALE: usize = 8;
/// Between images of a row, and from one row to the next where no key has a name.
const GAP: [usize; 2] = [8, 22];
/// From an image to the line below a key, and that line's thickness.
const LINE: [f64; 2] = [5.0, 4.0];
/// For the name of a key, below its line.
const NAME: usize = 30;

/// An image that stands out on a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SheetKey<'a> {
    /// Which image.
    pub image: usize,
    /// What is written below it; may be empty.
    pub name: &'a str,
}

/// Draws `images` from left to right and from top to bottom in rows of `columns`; keys are underlined and named.
///
/// Of `look` only the colormap counts: images are as large as the page has room for.
///
/// # Errors
/// [`ClipError`] when there is no image or no column, a key is none of the images, or they cannot be drawn.
pub fn clip_sheet(
    images: &Images,
    columns: usize,
    keys: &[SheetKey],
    look: &Look,
    caption: &Caption,
) -> Result<RgbImage, ClipError> {
    look.check(images)?;
    if columns == 0 {
        return Err(FigureError::NoColumns.into());
    }
    if let Some(key) = keys.iter().find(|key| key.image >= images.count()) {
        return Err(ClipError::UnknownKey {
            key: key.image,
            images: images.count(),
        });
    }
    let columns = columns.min(images.count());
    let rows = images.count().div_ceil(columns);
    let scale = (WIDTH as f64 / columns as f64 / images.width() as f64).round() as usize;
    let scale = scale.clamp(1, MOST_SCALE);
    let [width, height] = [images.width() * scale, images.height() * scale];
    let named = keys.iter().any(|key| !key.name.is_empty());
    let [gap, row_gap] = [GAP[0], GAP[1] + if named { NAME } else { 0 }];
    let [across, down] = [columns * (width + gap) - gap, rows * (height + row_gap)];
    let top = MARGIN + caption.height() as usize;
    let mut canvas = Canvas::new(across + 2 * MARGIN, top + down - GAP[1] + MARGIN)?;
    caption.draw(&mut canvas, [MARGIN as f64; 2], across as f64);

    let corner = |index: usize| {
        let (row, column) = (index / columns, index % columns);
        [MARGIN + column * (width + gap), top + row * (height + row_gap)]
    };
    let colours = look.colormap.colours();
    for index in 0..images.count() {
        let picture = match images.channels() {
            1 => enlarged::coloured(&enlarged::grey(images, index, scale), |grey| colours[usize::from(grey)]),
            _ => enlarged::picture(images, index, scale),
        };
        let [left, top] = corner(index);
        canvas.picture(&picture, left, top);
    }
    let style = Style::TICK.align(Align::Left).colour(INK);
    for key in keys {
        let [left, top] = corner(key.image).map(|place| place as f64);
        let line = top + height as f64 + LINE[0];
        canvas.rectangle([left, line], [width as f64, LINE[1]], INK);
        // A name has the room up to the next key of its row, or to the row's end.
        let row_end = (key.image / columns + 1) * columns;
        let others = keys.iter().map(|other| other.image);
        let next = others.filter(|&image| image > key.image).fold(row_end, usize::min);
        let room = (next - key.image) * (width + gap) - gap;
        let name = text::shortened(key.name, style.weight, style.size, room as f64);
        canvas.text(&name, [left, line + LINE[1] + NAME as f64 - 4.0], style);
    }
    Ok(canvas.into_image())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::clip::Colormap;

    fn images(count: usize) -> Images {
        Images::new(
            1,
            4,
            4,
            (0..count).flat_map(|index| vec![10 * index as u8; 16]).collect(),
        )
        .unwrap()
    }

    #[test]
    fn images_read_from_left_to_right_and_keys_are_underlined() {
        let key = SheetKey { image: 4, name: "" };
        let look = Look {
            colormap: Colormap::Ink,
            ..Look::default()
        };
        let sheet = clip_sheet(&images(5), 3, &[key], &look, &Caption::default()).unwrap();
        // Pixels of 8 x 8 make images of 32 x 32.
        assert_eq!(sheet.dimensions(), (3 * 32 + 2 * 8 + 128, 2 * 32 + 22 + 128));
        let at = |column: u32, row: u32, below: u32| sheet.get_pixel(64 + 16 + column * 40, 64 + row * 54 + below).0;
        let order = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)];
        for (index, (column, row)) in order.into_iter().enumerate() {
            assert_eq!(at(column, row, 16), [255 - 10 * index as u8; 3]);
            let line = if index == 4 { INK } else { [255; 3] };
            assert_eq!(at(column, row, 32 + 7), line);
        }
        assert_eq!(at(2, 1, 16), [255; 3]);
    }

    #[test]
    fn a_sheet_of_nothing_is_an_error() {
        let sheet = |count, columns, keys: &[SheetKey]| {
            clip_sheet(&images(count), columns, keys, &Look::default(), &Caption::default()).unwrap_err()
        };
        assert!(matches!(sheet(0, 3, &[]), ClipError::Figure(FigureError::Empty { .. })));
        assert!(matches!(sheet(2, 0, &[]), ClipError::Figure(FigureError::NoColumns)));
        let key = SheetKey { image: 2, name: "two" };
        assert!(matches!(
            sheet(2, 1, &[key]),
            ClipError::UnknownKey { key: 2, images: 2 }
        ));
    }
}
