//! The images of a clip on one page.

use super::super::Caption;
use super::{ClipError, Look};
use crate::data::Images;
use image::RgbImage;

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
    todo!("{} {columns} {keys:?} {look:?} {caption:?}", images.count())
}
