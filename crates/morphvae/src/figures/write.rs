//! Pictures on disk.

use super::FigureError;
use crate::files::write_atomically;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use std::borrow::Cow;
use std::io;
use std::path::Path;

/// Writes a picture as PNG: in grey if it has no colour, else in RGB.
///
/// # Errors
/// [`FigureError::Write`] with the path and the reason.
pub fn write_png(path: &Path, picture: &RgbImage) -> Result<(), FigureError> {
    let (pixels, _) = picture.as_chunks::<3>();
    let grey = pixels.iter().all(|[red, green, blue]| red == green && green == blue);
    let (bytes, colour) = if grey {
        (
            Cow::Owned(pixels.iter().map(|[grey, ..]| *grey).collect()),
            ExtendedColorType::L8,
        )
    } else {
        (Cow::Borrowed(picture.as_raw().as_slice()), ExtendedColorType::Rgb8)
    };
    write_atomically(path, |writer| {
        // Ten times as fast as the default for a tenth more bytes.
        PngEncoder::new_with_quality(writer, CompressionType::Fast, FilterType::Adaptive)
            .write_image(&bytes, picture.width(), picture.height(), colour)
            .map_err(io::Error::other)
    })
    .map_err(|source| FigureError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_grey_picture_is_stored_in_grey() {
        let folder = tempfile::tempdir().unwrap();
        let grey = RgbImage::from_fn(5, 3, |x, y| Rgb([(50 * x + y) as u8; 3]));
        let mut colour = grey.clone();
        colour.put_pixel(4, 2, Rgb([1, 2, 3]));
        for (picture, stored) in [(grey, image::ColorType::L8), (colour, image::ColorType::Rgb8)] {
            let path = folder.path().join("picture.png");
            write_png(&path, &picture).unwrap();
            let read = image::open(&path).unwrap();
            assert_eq!(read.color(), stored);
            assert_eq!(read.to_rgb8(), picture);
        }
    }

    #[test]
    fn an_unwritable_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file/figure.png");
        std::fs::write(folder.path().join("file"), "in the way").unwrap();
        let error = write_png(&path, &RgbImage::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains("figure.png"));
    }
}
