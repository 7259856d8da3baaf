//! Images one by one: a PNG for each, or one array for NumPy.

use std::fs;
use std::io;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::data::{DataError, Images};
use crate::files::{Unfinished, write_atomically};
use crate::tables::NpzWriter;

/// Writes one image as PNG, grey or colour as it is. Since images come by the thousand, none is forced onto the disk by
/// itself.
///
/// # Errors
/// [`DataError::Option`] for images that are neither grey nor colour, [`DataError::Io`] when the file cannot be written.
///
/// # Panics
/// When `index` is not below [`Images::count`].
pub fn write_image(images: &Images, index: usize, path: &Path) -> Result<(), DataError> {
    colour(images.channels())?;
    let encoded = png(images, index);
    let write = || -> io::Result<()> {
        let bytes = encoded?;
        let unfinished = Unfinished::beside(path)?;
        fs::write(unfinished.path(), &bytes)?;
        unfinished.finish()
    };
    write().map_err(DataError::io(path))
}

/// One image as the bytes of a PNG file.
pub(super) fn png(images: &Images, index: usize) -> io::Result<Vec<u8>> {
    let colour = colour(images.channels()).map_err(io::Error::other)?;
    let (width, height) = (images.width() as u32, images.height() as u32);
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&interleaved(images, index), width, height, colour)
        .map_err(io::Error::other)?;
    Ok(bytes)
}

/// Writes an `.npz` of the arrays `id` and `images`: bytes, `[count, height, width]` if they are grey, `[count, height,
/// width, 3]` if they have colour. Images come batch by batch, in the order of their ids, and are not kept.
///
/// # Errors
/// [`DataError::Option`] for another `shape` than `[1 or 3, height, width]`; [`DataError::Io`] when the file cannot be
/// written, or the batches do not hold as many images of that shape as there are ids.
pub fn write_images(
    path: &Path,
    ids: &[String],
    shape: [usize; 3],
    batches: impl Iterator<Item = Images>,
) -> Result<(), DataError> {
    let [channels, height, width] = shape;
    colour(channels)?;
    let sides = [ids.len(), height, width, channels];
    let sides = &sides[..if channels == 1 { 3 } else { 4 }];
    let length = sides.iter().map(|&side| side as u64).product();
    write_atomically(path, |writer| {
        let mut archive = NpzWriter::new(writer);
        archive.texts("id", ids)?;
        archive.begin("images", "|u1", sides, length)?;
        let mut left = ids.len();
        for images in batches {
            let is_right = [images.channels(), images.height(), images.width()] == shape && images.count() <= left;
            if !is_right {
                return Err(io::Error::other("images of another shape, or too many"));
            }
            left -= images.count();
            for index in 0..images.count() {
                archive.append(&interleaved(&images, index))?;
            }
        }
        if left > 0 {
            return Err(io::Error::other(format!("{left} images are missing")));
        }
        archive.finish().map(drop)
    })
    .map_err(DataError::io(path))
}

pub(super) fn colour(channels: usize) -> Result<ExtendedColorType, DataError> {
    match channels {
        1 => Ok(ExtendedColorType::L8),
        3 => Ok(ExtendedColorType::Rgb8),
        _ => Err(DataError::Option {
            name: "the number of channels",
            value: channels.to_string(),
            allowed: "1 or 3",
        }),
    }
}

/// An image's bytes with the channels of a pixel side by side, `[height, width, channels]`.
pub(super) fn interleaved(images: &Images, index: usize) -> Vec<u8> {
    let plane = images.width() * images.height();
    let bytes = images.image(index);
    let pixel = |place| (0..images.channels()).map(move |channel| bytes[channel * plane + place]);
    (0..plane).flat_map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn an_image_reads_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/image.png");
        // Grey by accident: what is colour stays colour.
        let images = Images::new(3, 1, 2, vec![9, 8, 9, 8, 9, 8, 1, 2, 3, 4, 5, 6]).unwrap();
        for (index, pixels) in [(0, [9, 9, 9, 8, 8, 8]), (1, [1, 3, 5, 2, 4, 6])] {
            write_image(&images, index, &path).unwrap();
            let read = image::open(&path).unwrap();
            assert_eq!(
                (read.width(), read.height(), read.color()),
                (2, 1, image::ColorType::Rgb8)
            );
            assert_eq!(read.as_bytes(), pixels);
        }
        let grey = Images::new(1, 2, 1, vec![7, 200]).unwrap();
        write_image(&grey, 0, &path).unwrap();
        assert_eq!(
            image::open(&path).unwrap(),
            image::DynamicImage::ImageLuma8(image::GrayImage::from_raw(1, 2, vec![7, 200]).unwrap())
        );
        let odd = Images::new(2, 1, 1, vec![0, 0]).unwrap();
        assert!(matches!(write_image(&odd, 0, &path), Err(DataError::Option { .. })));
    }

    #[test]
    fn an_archive_of_images_is_written_batch_by_batch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.npz");
        let ids: Vec<String> = ["a", "b", "c"].map(String::from).into();
        let batch = |pixels: &[u8]| Images::new(3, 1, 1, pixels.to_vec()).unwrap();
        let batches = [batch(&[1, 2, 3, 4, 5, 6]), batch(&[7, 8, 9])];
        write_images(&path, &ids, [3, 1, 1], batches.clone().into_iter()).unwrap();
        let mut archive = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
        let mut bytes = Vec::new();
        archive.by_name("images.npy").unwrap().read_to_end(&mut bytes).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("'|u1', 'fortran_order': False, 'shape': (3, 1, 1, 3)"));
        assert_eq!(bytes[bytes.len() - 9..], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // One missing, one too many, another shape: the file stays as it was.
        let before = fs::read(&path).unwrap();
        for (ids, shape) in [(&ids[..], [3, 1, 1]), (&ids[..1], [3, 1, 1]), (&ids[..2], [1, 1, 3])] {
            assert!(write_images(&path, ids, shape, batches[..1].iter().cloned()).is_err());
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
