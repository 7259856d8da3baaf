//! Sheets: many images on one page.

use super::canvas::{Align, Canvas, INK, Style};
use super::text;
use super::{Caption, FigureError, Labels, NO_LABEL, enlarged};
use crate::data::Images;
use image::{Rgb, RgbImage};

/// Around everything, in pixels.
const MARGIN: usize = 64;
/// How wide the images of a sheet are together, about.
const WIDTH: usize = 1400;
/// An image's pixel is at most this many pixels wide.
const MOST_SCALE: usize = 8;
/// Longest the name of a class or of a key may be, in pixels.
const LONGEST_NAME: f64 = 300.0;
/// The names of rows.
const ROW_NAME: Style = Style::TICK.align(Align::Right).colour(INK);
/// From a row's name to its images.
const NAME_GAP: f64 = 28.0;
/// Between the input and its reconstruction.
const GUTTER: usize = 72;
/// Images of a row from one key of a clip to the next, at most.
const ROW: usize = 13;
/// Rows of a clip on one sheet, at most: so high that it can still be looked at.
const MOST_ROWS: usize = 40;
/// For a heading over a block of images.
const HEADING: usize = 52;

/// Draws all images in rows of `columns`, each pixel as a square.
///
/// # Errors
/// [`FigureError`] when there is no image or no column, or the images are neither grey nor colour.
pub fn contact_sheet(images: &Images, columns: usize, caption: &Caption) -> Result<RgbImage, FigureError> {
    let cells = Cells::new(images, columns, WIDTH)?;
    let columns = columns.min(images.count());
    let width = 2 * MARGIN + cells.across(columns);
    let caption_width = (width - 2 * MARGIN) as f64;
    let top = MARGIN + caption.height(caption_width) as usize;
    let mut canvas = Canvas::new(width, top + cells.down(images.count().div_ceil(columns)) + MARGIN)?;
    caption.draw(&mut canvas, [MARGIN as f64; 2], caption_width);
    cells.draw_all(&mut canvas, images, columns, [MARGIN, top]);
    Ok(canvas.into_image())
}

/// Makes sure that [`contact_sheet`] can draw `count` images of `side` x `side` pixels, for those who would otherwise
/// learn of it only when all of these are decoded.
///
/// # Errors
/// [`FigureError::TooLarge`] when it cannot.
///
/// # Panics
/// When `count`, `columns` or `side` is zero.
pub(super) fn check_contact_sheet(count: usize, columns: usize, side: usize) -> Result<(), FigureError> {
    let columns = columns.min(count);
    let cells = Cells::of_size(side, side, columns, WIDTH);
    let width = cells.across(columns);
    let caption = Caption::new(" ", " ").height(width as f64) as usize;
    Canvas::check(
        2 * MARGIN + width,
        2 * MARGIN + caption + cells.down(count.div_ceil(columns)),
    )
}

/// Draws one row for each class that has images: its name and its first `columns` images; images without a class have the
/// last row.
///
/// # Errors
/// As [`contact_sheet`]; also when the labels do not fit the images.
pub fn class_sheet(
    images: &Images,
    labels: Labels,
    columns: usize,
    caption: &Caption,
) -> Result<RgbImage, FigureError> {
    labels.check(images.count())?;
    let classes = labels.classes.len();
    let mut rows = vec![Vec::new(); classes + 1];
    for (index, &label) in labels.indices.iter().enumerate() {
        rows[label.map_or(classes, usize::from)].push(index);
    }
    for row in &mut rows {
        row.truncate(columns);
    }
    let rows: Vec<(String, Vec<usize>)> = labels
        .classes
        .iter()
        .map(|class| short_name(class))
        .chain([NO_LABEL.to_owned()])
        .zip(rows)
        .filter(|(_, row)| !row.is_empty())
        .collect();
    named_rows(images, &rows, Pixels::Squares, caption)
}

/// How many sheets [`clip_sheets`] draws of a clip through so many keys.
#[must_use]
pub fn clip_sheet_count(keys: usize, closed: bool) -> usize {
    keys.saturating_sub(usize::from(!closed)).div_ceil(MOST_ROWS)
}

/// Draws the frames of a clip, a row from each key to the next: the first and the last of a row are keys. What are more
/// than 40 rows goes on on another sheet.
///
/// `keys` are the keys' places among `images` and `names` their names; a closed clip goes on from its last image to its
/// first.
///
/// # Errors
/// As [`contact_sheet`]; also when there are fewer than two keys, or names and keys do not fit.
pub fn clip_sheets(
    images: &Images,
    keys: &[usize],
    names: &[String],
    closed: bool,
    caption: &Caption,
) -> Result<Vec<RgbImage>, FigureError> {
    check(images)?;
    let mismatch = |what, expected, got| Err(FigureError::Mismatch { what, expected, got });
    let count = images.count();
    if names.len() != keys.len() {
        return mismatch("names", keys.len(), names.len());
    }
    if keys.len() < 2 || !keys.is_sorted() || keys[keys.len() - 1] >= count {
        return mismatch("ascending keys among the images", count.min(2), keys.len());
    }
    let mut ends: Vec<(usize, usize)> = keys.windows(2).map(|pair| (pair[0], pair[1])).collect();
    if closed {
        ends.push((keys[keys.len() - 1], count + keys[0]));
    }
    let names = (0..ends.len())
        .map(|row| [row, (row + 1) % names.len()].map(|key| short_name(&names[key])))
        .map(|[from, to]| format!("{from} → {to}"));
    let row = |&(from, to): &(usize, usize)| {
        let steps = (to - from).clamp(1, ROW - 1);
        (0..=steps)
            .map(|step| (from + (step * (to - from) + steps / 2) / steps) % count)
            .collect()
    };
    let rows: Vec<(String, Vec<usize>)> = names.zip(ends.iter().map(row)).collect();
    rows.chunks(MOST_ROWS)
        .map(|rows| named_rows(images, rows, Pixels::Smooth, caption))
        .collect()
}

/// A name that leaves room for the images.
fn short_name(name: &str) -> String {
    text::shortened(name, ROW_NAME.weight, ROW_NAME.size, LONGEST_NAME)
}

/// Rows of images, each with its name at the left.
fn named_rows(
    images: &Images,
    rows: &[(String, Vec<usize>)],
    pixels: Pixels,
    caption: &Caption,
) -> Result<RgbImage, FigureError> {
    let columns = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
    let cells = Cells {
        pixels,
        ..Cells::new(images, columns, WIDTH)?
    };
    let names_width = rows.iter().map(|(name, _)| ROW_NAME.measure(name)).fold(0.0, f64::max);
    let left = MARGIN + (names_width + NAME_GAP).ceil() as usize;
    let width = left + cells.across(columns) + MARGIN;
    let caption_width = (width - 2 * MARGIN) as f64;
    let top = MARGIN + caption.height(caption_width) as usize;
    let mut canvas = Canvas::new(width, top + cells.down(rows.len()) + MARGIN)?;
    caption.draw(&mut canvas, [MARGIN as f64; 2], caption_width);
    for (row, (name, indices)) in rows.iter().enumerate() {
        let upper = top + row * cells.pitch(cells.height);
        let middle = upper as f64 + (cells.height * cells.scale) as f64 / 2.0;
        canvas.text_middle(name, [left as f64 - NAME_GAP, middle], ROW_NAME);
        for (column, &index) in indices.iter().enumerate() {
            cells.draw(
                &mut canvas,
                images,
                index,
                [left + column * cells.pitch(cells.width), upper],
            );
        }
    }
    Ok(canvas.into_image())
}

/// Draws images and, at their right in the same order, what a model made of them, in rows of `columns`.
///
/// # Errors
/// As [`pairs`].
pub fn reconstruction(
    inputs: &Images,
    outputs: &Images,
    columns: usize,
    caption: &Caption,
) -> Result<RgbImage, FigureError> {
    pairs([(inputs, "input"), (outputs, "reconstruction")], columns, caption)
}

/// Draws images and, at their right in the same order, those that belong to them, in rows of `columns`, each block under its
/// name.
///
/// # Errors
/// As [`contact_sheet`]; also when there are more of one than of the other.
pub fn pairs(blocks: [(&Images, &str); 2], columns: usize, caption: &Caption) -> Result<RgbImage, FigureError> {
    let [(inputs, _), (outputs, _)] = blocks;
    if inputs.count() != outputs.count() {
        return Err(FigureError::Mismatch {
            what: "images at the right",
            expected: inputs.count(),
            got: outputs.count(),
        });
    }
    let width = (WIDTH + 400 - GUTTER) / 2;
    let cells = [
        Cells::new(inputs, columns, width)?,
        Cells::new(outputs, columns, width)?,
    ];
    let columns = columns.min(inputs.count());
    let rows = inputs.count().div_ceil(columns);
    let [left_width, right_width] = [&cells[0], &cells[1]].map(|cells| cells.across(columns));
    let width = 2 * MARGIN + left_width + GUTTER + right_width;
    let caption_width = (width - 2 * MARGIN) as f64;
    let top = MARGIN + caption.height(caption_width) as usize + HEADING;
    let height = top + cells[0].down(rows).max(cells[1].down(rows)) + MARGIN;
    let mut canvas = Canvas::new(width, height)?;
    caption.draw(&mut canvas, [MARGIN as f64; 2], caption_width);
    for ((images, name), (cells, left)) in blocks
        .into_iter()
        .zip(cells.iter().zip([MARGIN, MARGIN + left_width + GUTTER]))
    {
        canvas.text(name, [left as f64, (top - 22) as f64], Style::NAME.align(Align::Left));
        cells.draw_all(&mut canvas, images, columns, [left, top]);
    }
    Ok(canvas.into_image())
}

/// What becomes of a pixel when an image is enlarged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pixels {
    /// A square: what data are.
    Squares,
    /// A part of a surface, as in a clip.
    Smooth,
}

/// How large images are drawn and how far apart.
struct Cells {
    pixels: Pixels,
    width: usize,
    height: usize,
    scale: usize,
    gap: usize,
}

impl Cells {
    /// Cells that make rows of `columns` images about `target` pixels wide.
    fn new(images: &Images, columns: usize, target: usize) -> Result<Self, FigureError> {
        check(images)?;
        if columns == 0 {
            return Err(FigureError::NoColumns);
        }
        Ok(Self::of_size(
            images.width(),
            images.height(),
            columns.min(images.count()),
            target,
        ))
    }

    /// The same for images of `width` x `height` pixels.
    fn of_size(width: usize, height: usize, columns: usize, target: usize) -> Self {
        let scale = (target / (columns * (width + 1))).clamp(1, MOST_SCALE);
        Self {
            pixels: Pixels::Squares,
            width,
            height,
            scale,
            gap: (scale + 1).max(3),
        }
    }

    /// From one image to the next, along a side of `pixels`.
    fn pitch(&self, pixels: usize) -> usize {
        pixels * self.scale + self.gap
    }

    fn across(&self, columns: usize) -> usize {
        (columns * self.pitch(self.width)).saturating_sub(self.gap)
    }

    fn down(&self, rows: usize) -> usize {
        (rows * self.pitch(self.height)).saturating_sub(self.gap)
    }

    fn draw(&self, canvas: &mut Canvas, images: &Images, index: usize, [left, top]: [usize; 2]) {
        if self.pixels == Pixels::Smooth {
            return canvas.picture(&enlarged::picture(images, index, self.scale), left, top);
        }
        let [width, height] = [self.width, self.height].map(|side| (side * self.scale) as u32);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            Rgb(images.colour(index, x as usize / self.scale, y as usize / self.scale))
        });
        canvas.picture(&picture, left, top);
    }

    fn draw_all(&self, canvas: &mut Canvas, images: &Images, columns: usize, [left, top]: [usize; 2]) {
        for index in 0..images.count() {
            let (row, column) = (index / columns, index % columns);
            let corner = [
                left + column * self.pitch(self.width),
                top + row * self.pitch(self.height),
            ];
            self.draw(canvas, images, index, corner);
        }
    }
}

/// Makes sure that there is an image and that it has a colour.
pub(super) fn check(images: &Images) -> Result<(), FigureError> {
    match (images.count(), images.channels()) {
        (0, _) => Err(FigureError::Empty { what: "images" }),
        (_, 1 | 3) => Ok(()),
        (_, channels) => Err(FigureError::Channels { channels }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of 2 x 2 pixels, each with four greys of its own.
    fn small(count: u8) -> Images {
        let pixels = (0..count)
            .flat_map(|index| [0, 1, 2, 3].map(|pixel| 40 * index + 10 * pixel))
            .collect();
        Images::new(1, 2, 2, pixels).unwrap()
    }

    #[test]
    fn pixels_become_squares_with_thin_gaps_between_images() {
        let sheet = contact_sheet(&small(3), 2, &Caption::default()).unwrap();
        // Pixels of 8 x 8, gaps of 9, a margin of 64; two images in the first row and one in the second.
        assert_eq!(sheet.dimensions(), (128 + 16 + 9 + 16, 128 + 16 + 9 + 16));
        let at = |x: u32, y: u32| sheet.get_pixel(64 + x, 64 + y).0;
        assert_eq!(
            [at(0, 0), at(7, 7), at(8, 0), at(0, 8), at(15, 15)],
            [[0; 3], [0; 3], [10; 3], [20; 3], [30; 3]]
        );
        assert_eq!([at(16, 0), at(24, 0), at(25, 0)], [[255; 3], [255; 3], [40; 3]]);
        assert_eq!([at(0, 25), at(25, 25)], [[80; 3], [255; 3]]);
    }

    #[test]
    fn colour_images_keep_their_channels_apart() {
        let images = Images::new(3, 1, 1, vec![200, 100, 50]).unwrap();
        let sheet = contact_sheet(&images, 1, &Caption::default()).unwrap();
        assert_eq!(sheet.get_pixel(64, 64).0, [200, 100, 50]);
    }

    #[test]
    fn a_class_sheet_has_a_row_for_each_class_with_images() {
        let classes: Vec<String> = ["zero", "none", "two"].map(String::from).to_vec();
        let labels = Labels {
            indices: &[2, 0, 2, 2].map(Some),
            classes: &classes,
        };
        let sheet = class_sheet(&small(4), labels, 2, &Caption::default()).unwrap();
        assert_eq!(sheet.height(), 128 + 16 + 9 + 16);
        let from_right = |x: u32, y: u32| sheet.get_pixel(sheet.width() - 64 - x, 64 + y).0;
        // Two columns: the first row holds image 1 alone, the second images 0 and 2; image 3 is one too many.
        assert_eq!(from_right(41, 0), [40; 3]);
        assert_eq!(from_right(16, 0), [255; 3]);
        assert_eq!([from_right(41, 25), from_right(16, 25)], [[0; 3], [80; 3]]);
        // What has no class has a row below the others.
        let labels = Labels {
            indices: &[None, Some(0), None, None],
            ..labels
        };
        let sheet = class_sheet(&small(4), labels, 2, &Caption::default()).unwrap();
        assert_eq!(sheet.height(), 128 + 16 + 9 + 16);
        let lowest = |x: u32| sheet.get_pixel(sheet.width() - 64 - x, 64 + 25).0;
        assert_eq!([lowest(41), lowest(16)], [[0; 3], [80; 3]]);
    }

    #[test]
    fn a_row_of_a_clip_begins_and_ends_with_its_keys() {
        let images = Images::new(1, 1, 1, (0..30).map(|index| 8 * index).collect()).unwrap();
        let names: Vec<String> = ["a", "b"].map(String::from).to_vec();
        let caption = Caption::default();
        let sheet = clip_sheets(&images, &[0, 20], &names, true, &caption)
            .unwrap()
            .remove(0);
        // Thirteen pixels of 8 x 8 with gaps of 9.
        let at = |column: u32, row: u32| {
            let left = sheet.width() - 64 - (13 * 8 + 12 * 9) + column * 17;
            sheet.get_pixel(left, 64 + row * 17).0[0]
        };
        assert_eq!([at(0, 0), at(12, 0)], [0, 160]);
        // The second row leads from the last key on to the first.
        let last_row: Vec<u8> = (0..11).map(|column| at(column, 1)).collect();
        assert_eq!(last_row, [160, 168, 176, 184, 192, 200, 208, 216, 224, 232, 0]);
        assert!(clip_sheets(&images, &[0], &names[..1], false, &caption).is_err());
        assert!(clip_sheets(&images, &[0, 30], &names, false, &caption).is_err());
        assert!(clip_sheets(&images, &[0, 3], &names[..1], false, &caption).is_err());
    }

    #[test]
    fn a_clip_through_many_keys_has_several_sheets() {
        let images = Images::new(1, 1, 1, (0..100).collect()).unwrap();
        let keys: Vec<usize> = (0..100).collect();
        let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
        for (closed, expected) in [(false, [40, 40, 19]), (true, [40, 40, 20])] {
            let sheets = clip_sheets(&images, &keys, &names, closed, &Caption::default()).unwrap();
            assert_eq!(clip_sheet_count(100, closed), sheets.len());
            // Rows of 8 pixels with gaps of 9, and a margin of 64.
            let rows: Vec<u32> = sheets.iter().map(|sheet| (sheet.height() - 128 + 9) / 17).collect();
            assert_eq!(rows, expected);
            // The second sheet begins with the key that the first one ended with.
            let from_right = |sheet: &RgbImage, x: u32, y: u32| sheet.get_pixel(sheet.width() - 64 - x, y).0[0];
            assert_eq!(from_right(&sheets[0], 1, 64 + 39 * 17), 40);
            assert_eq!(from_right(&sheets[1], 1 + 17, 64), 40);
        }
        assert_eq!(
            [(2, false), (41, false), (41, true)].map(|(keys, closed)| clip_sheet_count(keys, closed)),
            [1, 1, 2]
        );
    }

    #[test]
    fn the_names_of_a_clip_have_as_much_room_as_they_need() {
        let images = Images::new(1, 1, 1, vec![0; 9]).unwrap();
        let left = |names: [&str; 2]| {
            let names = names.map(String::from);
            let sheets = clip_sheets(&images, &[0, 8], &names, false, &Caption::default()).unwrap();
            let sheet = &sheets[0];
            sheet.width() as usize - 2 * MARGIN - (9 * 8 + 8 * 9)
        };
        let names = ["frame-0000+smile:1.5", "frame-0001+smile:-1.5"];
        let needed = ROW_NAME.measure(&names.join(" → ")) + NAME_GAP;
        assert_eq!(left(names), needed.ceil() as usize);
        // Within reason.
        let long = "x".repeat(200);
        assert!(left([&long, &long]) < 700);
    }

    #[test]
    fn reconstructions_stand_beside_their_inputs() {
        let outputs = Images::new(1, 2, 2, vec![250; 16]).unwrap();
        let figure = reconstruction(&small(4), &outputs, 2, &Caption::default()).unwrap();
        let top = (MARGIN + HEADING) as u32;
        let second = figure.width() - 64 - (16 + 9 + 16);
        assert_eq!(figure.get_pixel(64, top).0, [0; 3]);
        assert_eq!(figure.get_pixel(second, top).0, [250; 3]);
        assert_eq!(figure.get_pixel(second - 1, top).0, [255; 3]);
        let error = reconstruction(&small(4), &small(3), 2, &Caption::default()).unwrap_err();
        assert_eq!(error.to_string(), "3 images at the right were given where 4 are needed");
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let caption = Caption::default();
        let none = Images::new(1, 2, 2, Vec::new()).unwrap();
        assert!(matches!(
            contact_sheet(&none, 2, &caption),
            Err(FigureError::Empty { .. })
        ));
        assert!(matches!(
            contact_sheet(&small(2), 0, &caption),
            Err(FigureError::NoColumns)
        ));
        let two_channels = Images::new(2, 1, 1, vec![0, 0]).unwrap();
        assert!(matches!(
            contact_sheet(&two_channels, 1, &caption),
            Err(FigureError::Channels { channels: 2 })
        ));
        let tall = Images::new(1, 1, 1, vec![0; 60_000]).unwrap();
        assert!(matches!(
            contact_sheet(&tall, 1, &caption),
            Err(FigureError::TooLarge { .. })
        ));
    }
}
