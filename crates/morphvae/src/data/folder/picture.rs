//! One image file of a person's own, made into a square of pixels.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageReader, ImageResult, Limits, Rgb, RgbImage, Rgba};
use serde::{Deserialize, Serialize};

use super::super::{DataError, Images};

/// How an image that is not square becomes square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Keeps the middle of the longer side.
    #[default]
    Crop,
    /// Keeps everything, and draws out the edges along the shorter side, so that no bar of another colour is learnt.
    Pad,
    /// Keeps everything, and changes the proportions.
    Stretch,
}

/// Rows or columns of an image file, at most. Larger ones are taken for decompression bombs.
const LONGEST_SIDE: u32 = 20_000;

/// Bytes that one image may take, as a file and decoded.
const LARGEST: u64 = 512 << 20;

/// The same for an image that comes over a connection, where many may come at once: a photograph of 40 megapixels.
const LARGEST_SENT: u64 = 128 << 20;

/// Channels that differ by no more than this are grey: JPEG does not keep greys exactly.
const GREY_TOLERANCE: u8 = 8;

/// A square image: one plane if it is grey, else three.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub coloured: bool,
    pub pixels: Vec<u8>,
}

/// Reads an image file as a square of `size` x `size`, grey if `colour` is not wanted; the error says what is wrong.
pub(super) fn read(path: &Path, size: u32, fit: Fit, colour: bool) -> Result<Picture, String> {
    let open = || -> ImageResult<_> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        decode(BufReader::new(file), length, LARGEST)
    };
    Ok(fit_square(&open().map_err(one_line)?, size, fit, colour))
}

/// Reads an image file that is in memory (PNG, JPEG, BMP, PGM or WebP by content) as one image of `size` x `size`, grey
/// or in colour as `channels` says (1 or 3).
///
/// # Errors
/// [`DataError::NoImage`] says what is wrong with the bytes; [`DataError::Shape`] for no size or no channels.
pub fn read_image(bytes: &[u8], size: u32, fit: Fit, channels: usize) -> Result<Images, DataError> {
    let image = decode(Cursor::new(bytes), bytes.len() as u64, LARGEST_SENT).map_err(|error| DataError::NoImage {
        reason: one_line(error),
    })?;
    let picture = fit_square(&image, size, fit, channels == 3);
    Images::new(channels, size as usize, size as usize, picture.planes(channels))
}

/// One line, whatever a decoder says.
fn one_line(error: image::ImageError) -> String {
    error.to_string().replace('\n', " ")
}

impl Picture {
    /// `[channels, size, size]`: a grey picture is the same in every channel.
    pub fn planes(&self, channels: usize) -> Vec<u8> {
        let repeats = if self.coloured { 1 } else { channels };
        self.pixels.repeat(repeats)
    }
}

fn fit_square(image: &DynamicImage, size: u32, fit: Fit, colour: bool) -> Picture {
    let square = make_square(&flatten(image), size, fit);
    let coloured = colour
        && square.pixels().any(|Rgb([red, green, blue])| {
            let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
            high - low > GREY_TOLERANCE
        });
    let pixels = if coloured {
        planes(&square)
    } else {
        DynamicImage::from(square).into_luma8().into_raw()
    };
    Picture { coloured, pixels }
}

/// Decodes a file by its content, not its name, and turns it as its EXIF orientation says. Neither the file nor the
/// image may take more than `largest` bytes.
fn decode<R: BufRead + Seek>(file: R, length: u64, largest: u64) -> ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(largest);
    // Some decoders take the whole file into memory first.
    limits.clone().reserve(length)?;
    let mut reader = ImageReader::new(file).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // Not every decoder asks by itself.
    let (width, height) = decoder.dimensions();
    limits.check_dimensions(width, height)?;
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Lays a transparent image on white, the paper that logos and drawings are made for.
fn flatten(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *image.get_pixel(x, y);
        let alpha = u32::from(alpha);
        let over_white = |channel: u8| ((u32::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Rgb([red, green, blue].map(over_white))
    })
}

/// Resizes bilinearly, with the filter widened when the image shrinks, so that nothing aliases.
fn make_square(image: &RgbImage, size: u32, fit: Fit) -> RgbImage {
    let (width, height) = image.dimensions();
    match fit {
        Fit::Stretch => imageops::resize(image, size, size, FilterType::Triangle),
        Fit::Crop => {
            let shorter = width.min(height);
            let middle = image.view((width - shorter) / 2, (height - shorter) / 2, shorter, shorter);
            imageops::resize(&*middle, size, size, FilterType::Triangle)
        }
        Fit::Pad => {
            let longer = u64::from(width.max(height));
            let scaled = |side: u32| ((u64::from(side) * u64::from(size) + longer / 2) / longer).max(1) as u32;
            let (scaled_width, scaled_height) = (scaled(width), scaled(height));
            let resized = imageops::resize(image, scaled_width, scaled_height, FilterType::Triangle);
            let (left, top) = ((size - scaled_width) / 2, (size - scaled_height) / 2);
            RgbImage::from_fn(size, size, |x, y| {
                let (x, y) = (x.saturating_sub(left), y.saturating_sub(top));
                *resized.get_pixel(x.min(scaled_width - 1), y.min(scaled_height - 1))
            })
        }
    }
}

/// `[height, width, 3]` as `[3, height, width]`.
fn planes(image: &RgbImage) -> Vec<u8> {
    (0..3)
        .flat_map(|channel| image.pixels().map(move |pixel| pixel[channel]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, ImageFormat, Luma, RgbaImage};
    use std::fs;

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn read_bytes(bytes: &[u8], size: u32, fit: Fit) -> Result<Picture, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.png");
        fs::write(&path, bytes).unwrap();
        read(&path, size, fit, true)
    }

    #[test]
    fn every_format_is_known_by_its_content() {
        let grey = GrayImage::from_fn(8, 8, |x, y| Luma([(x * 20 + y * 3) as u8]));
        for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Pnm] {
            let picture = read_bytes(&encoded(&grey.clone().into(), format), 8, Fit::Crop).unwrap();
            assert_eq!(
                picture,
                Picture {
                    coloured: false,
                    pixels: grey.to_vec()
                },
                "{format:?}"
            );
        }
        let colour = RgbImage::from_fn(8, 8, |x, y| Rgb([(x * 30) as u8, (y * 30) as u8, 200]));
        let webp = read_bytes(&encoded(&colour.clone().into(), ImageFormat::WebP), 8, Fit::Crop).unwrap();
        assert_eq!(
            webp,
            Picture {
                coloured: true,
                pixels: planes(&colour)
            }
        );
        assert_eq!(webp.pixels[..8], [0, 30, 60, 90, 120, 150, 180, 210]);
        let jpeg = read_bytes(&encoded(&grey.clone().into(), ImageFormat::Jpeg), 8, Fit::Crop).unwrap();
        assert!(!jpeg.coloured);
        assert!(
            jpeg.pixels
                .iter()
                .zip(grey.iter())
                .all(|(found, expected)| found.abs_diff(*expected) < 12)
        );
    }

    #[test]
    fn transparent_images_lie_on_white() {
        let image = RgbaImage::from_fn(2, 1, |x, _| Rgba([0, 0, 0, if x == 0 { 0 } else { 128 }]));
        let picture = read_bytes(&encoded(&image.into(), ImageFormat::Png), 2, Fit::Stretch).unwrap();
        assert_eq!(picture.pixels, [255, 127, 255, 127]);
    }

    #[test]
    fn a_wide_image_is_cropped_padded_or_stretched() {
        let image = GrayImage::from_fn(8, 4, |x, y| {
            Luma([if (2..6).contains(&x) { 200 } else { 100 + y as u8 }])
        });
        let bytes = encoded(&image.into(), ImageFormat::Png);
        assert_eq!(read_bytes(&bytes, 4, Fit::Crop).unwrap().pixels, [200; 16]);
        let padded = read_bytes(&bytes, 8, Fit::Pad).unwrap().pixels;
        let sides: Vec<u8> = padded.chunks(8).map(|row| row[0]).collect();
        assert_eq!(sides, [100, 100, 100, 101, 102, 103, 103, 103]);
        assert!(padded.chunks(8).all(|row| row[2..6] == [200; 4]));
        let stretched = read_bytes(&bytes, 8, Fit::Stretch).unwrap().pixels;
        assert_eq!(stretched[..8], [100, 100, 200, 200, 200, 200, 100, 100]);
        let needle = GrayImage::from_pixel(500, 1, Luma([7]));
        assert_eq!(
            read_bytes(&encoded(&needle.into(), ImageFormat::Png), 8, Fit::Pad)
                .unwrap()
                .pixels,
            [7; 64]
        );
    }

    #[test]
    fn shrinking_does_not_alias() {
        let stripes = GrayImage::from_fn(256, 256, |x, _| Luma([if x % 2 == 0 { 0 } else { 255 }]));
        let picture = read_bytes(&encoded(&stripes.into(), ImageFormat::Png), 16, Fit::Crop).unwrap();
        assert!(
            picture.pixels.iter().all(|pixel| (118..=138).contains(pixel)),
            "{:?}",
            &picture.pixels[..16]
        );
    }

    #[test]
    fn a_photograph_is_turned_as_its_camera_says() {
        let image = GrayImage::from_fn(16, 16, |_, y| Luma([if y < 8 { 0 } else { 255 }]));
        let mut jpeg = encoded(&image.into(), ImageFormat::Jpeg);
        // An APP1 segment with one EXIF entry: orientation (0x0112) 6, "turn right by 90 degrees".
        let mut exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
        exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
        jpeg.splice(2..2, exif);
        let picture = read_bytes(&jpeg, 16, Fit::Crop).unwrap();
        let row = &picture.pixels[..16];
        assert!(
            row[..7].iter().all(|pixel| *pixel > 240) && row[9..].iter().all(|pixel| *pixel < 15),
            "{row:?}"
        );
    }

    #[test]
    fn a_bomb_is_refused_before_it_takes_memory() {
        let mut png = encoded(&GrayImage::new(1, 1).into(), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let mut checksum = flate2::Crc::new();
        checksum.update(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
        let pgm = b"P5 60000 60000 255\n".to_vec();
        let within_the_sides = b"P5 20000 20000 65535\n".to_vec();
        for bomb in [png, pgm, within_the_sides] {
            let reason = read_bytes(&bomb, 8, Fit::Crop).unwrap_err();
            assert!(
                reason.to_lowercase().contains("limit") || reason.contains("imensions"),
                "{reason}"
            );
        }
    }

    #[test]
    fn an_image_in_memory_is_read_as_its_file_is() {
        let image = RgbImage::from_fn(9, 7, |x, y| Rgb([(x * 20) as u8, (y * 30) as u8, 90]));
        let bytes = encoded(&image.into(), ImageFormat::Png);
        let file = read_bytes(&bytes, 4, Fit::Pad).unwrap();
        assert_eq!(read_image(&bytes, 4, Fit::Pad, 3).unwrap().pixels(), file.pixels);
        let grey = read_image(&bytes, 4, Fit::Pad, 1).unwrap();
        assert_eq!((grey.channels(), grey.count(), grey.height()), (1, 1, 4));
        let white = encoded(&GrayImage::from_pixel(3, 3, Luma([255])).into(), ImageFormat::Png);
        assert_eq!(read_image(&white, 2, Fit::Crop, 3).unwrap().pixels(), [255; 12]);
        let error = read_image(b"hello", 4, Fit::Crop, 1).unwrap_err();
        assert!(
            error.to_string().starts_with("this is no image that can be read"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_image_is_an_error() {
        let whole = encoded(&GrayImage::new(9, 9).into(), ImageFormat::Png);
        for bytes in [&b""[..], b"hello", b"<html>", &whole[..whole.len() / 2], &whole[..20]] {
            let reason = read_bytes(bytes, 8, Fit::Crop).unwrap_err();
            assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
        }
    }
}
