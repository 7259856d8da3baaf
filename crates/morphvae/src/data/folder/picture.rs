//! One image file of a person's own, made into a square of pixels.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, GenericImageView, GrayImage, ImageBuffer, Pixel, Rgb, RgbImage, Rgba};
use serde::{Deserialize, Serialize};

use super::super::{DataError, Images};
use super::decode::{LARGEST, decode};
use crate::choice::Choice;

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

impl Choice for Fit {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Crop, "crop", "Cut the longer side"),
        (Self::Pad, "pad", "Add borders to the shorter side"),
        (Self::Stretch, "stretch", "Change the proportions"),
    ];
}

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
    Ok(fit_square(decode(&contents(path)?)?, size, fit, colour))
}

/// All of an image file.
fn contents(path: &Path) -> Result<Vec<u8>, String> {
    // Asked before opening, because opening a pipe waits for its other end.
    let kind = path.metadata().map_err(|error| error.to_string())?;
    if !kind.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::with_capacity(kind.len().min(LARGEST) as usize);
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it has more than {} MB, the limit for an image", LARGEST >> 20));
    }
    Ok(bytes)
}

/// Reads an image file that is in memory (PNG, JPEG, BMP, PGM or WebP by content) as one image of `size` x `size`, grey
/// or in colour as `channels` says (1 or 3).
///
/// # Errors
/// [`DataError::NoImage`] says what is wrong with the bytes; [`DataError::Shape`] for no size or no channels.
pub fn decode_image(bytes: &[u8], size: usize, channels: usize, fit: Fit) -> Result<Images, DataError> {
    // Whether there can be such an image at all.
    Images::new(channels, size, size, Vec::new())?;
    let side = u32::try_from(size).unwrap_or(u32::MAX);
    let image = decode(bytes).map_err(|reason| DataError::NoImage { reason })?;
    let picture = fit_square(image, side, fit, channels == 3);
    Images::new(channels, size, size, picture.planes(channels))
}

impl Picture {
    /// `[channels, size, size]`: a grey picture is the same in every channel.
    pub fn planes(&self, channels: usize) -> Vec<u8> {
        let repeats = if self.coloured { 1 } else { channels };
        self.pixels.repeat(repeats)
    }
}

fn fit_square(image: DynamicImage, size: u32, fit: Fit, colour: bool) -> Picture {
    match flatten(image) {
        Flat::Grey(image) => Picture {
            coloured: false,
            pixels: make_square(&image, size, fit).into_raw(),
        },
        Flat::Colour(image) => {
            let square = make_square(&image, size, fit);
            let coloured = colour && square.pixels().any(is_coloured);
            let pixels = if coloured {
                planes(&square)
            } else {
                DynamicImage::from(square).into_luma8().into_raw()
            };
            Picture { coloured, pixels }
        }
    }
}

fn is_coloured(&Rgb([red, green, blue]): &Rgb<u8>) -> bool {
    let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
    high - low > GREY_TOLERANCE
}

/// An image that hides nothing.
enum Flat {
    Grey(GrayImage),
    Colour(RgbImage),
}

/// Lays a transparent image on white, the paper that logos and drawings are made for.
fn flatten(image: DynamicImage) -> Flat {
    let colour = image.color();
    if !colour.has_alpha() {
        return match colour.has_color() {
            false => Flat::Grey(image.into_luma8()),
            true => Flat::Colour(image.into_rgb8()),
        };
    }
    let image = image.into_rgba8();
    Flat::Colour(RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *image.get_pixel(x, y);
        let alpha = u32::from(alpha);
        let over_white = |channel: u8| ((u32::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        Rgb([red, green, blue].map(over_white))
    }))
}

/// Resizes bilinearly, with the filter widened when the image shrinks, so that nothing aliases.
fn make_square<P>(image: &ImageBuffer<P, Vec<u8>>, size: u32, fit: Fit) -> ImageBuffer<P, Vec<u8>>
where
    P: Pixel<Subpixel = u8> + 'static,
{
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
            ImageBuffer::from_fn(size, size, |x, y| {
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
    use image::{ImageFormat, Luma, RgbaImage};
    use std::fs;
    use std::io::Cursor;

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
    fn an_image_without_pixels_is_refused() {
        for empty in [
            "P5 0 0 255\n",
            "P5 0 3 255\n",
            "P6 3 0 255\n",
            "P4 0 0\n",
            "P2 0 1 255\n",
        ] {
            for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
                let reason = read_bytes(empty.as_bytes(), 8, fit).unwrap_err();
                assert!(reason.contains("it has no pixels"), "{empty:?}, {fit:?}: {reason}");
                assert!(decode_image(empty.as_bytes(), 8, 1, fit).is_err());
            }
        }
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), 8, Fit::Crop, true).unwrap_err(), "it is no file");
        if cfg!(unix) {
            assert_eq!(
                read(Path::new("/dev/zero"), 8, Fit::Crop, true).unwrap_err(),
                "it is no file"
            );
        }
    }

    /// A chunk with its checksum right behind the header of a PNG.
    fn with_chunk(png: &[u8], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut checksum = flate2::Crc::new();
        checksum.update(&[kind, content].concat());
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        let chunk = [&length, &kind[..], content, &checksum.sum().to_be_bytes()].concat();
        [&png[..33], &chunk, &png[33..]].concat()
    }

    #[test]
    fn a_palette_that_is_none_is_refused() {
        let mut png = encoded(&GrayImage::new(4, 4).into(), ImageFormat::Png);
        // Indices in place of greys.
        png[25] = 3;
        let mut checksum = flate2::Crc::new();
        checksum.update(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
        assert_eq!(
            read_bytes(&with_chunk(&png, b"PLTE", &[7; 6]), 4, Fit::Crop)
                .unwrap()
                .pixels,
            [7; 16]
        );
        for length in [0, 2, 4, 769, 771] {
            let reason = read_bytes(&with_chunk(&png, b"PLTE", &vec![7; length]), 4, Fit::Crop).unwrap_err();
            assert!(reason.contains("palette"), "{length}: {reason}");
        }
        let transparent = with_chunk(&with_chunk(&png, b"tRNS", &[0; 3]), b"PLTE", &[7; 6]);
        assert!(
            read_bytes(&transparent, 4, Fit::Crop)
                .unwrap_err()
                .contains("3 colours")
        );
    }

    /// The container of a WebP, around `chunks`.
    fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"WEBP".to_vec();
        for (kind, content) in chunks {
            bytes.extend([&kind[..], &(content.len() as u32).to_le_bytes(), content].concat());
            bytes.resize(bytes.len().next_multiple_of(2), 0);
        }
        [b"RIFF", &(bytes.len() as u32).to_le_bytes()[..], &bytes].concat()
    }

    #[test]
    fn a_webp_that_lies_about_its_parts_is_refused() {
        let colour = RgbImage::from_pixel(2, 2, Rgb([9, 90, 200]));
        let sound = encoded(&colour.into(), ImageFormat::WebP);
        assert_eq!(read_bytes(&sound, 2, Fit::Crop).unwrap().pixels[..4], [9; 4]);
        let image = (b"VP8L", &sound[20..]);
        let canvas = |flags| [flags, 0, 0, 0, 1, 0, 0, 1, 0, 0];
        // The flag says that there is EXIF metadata, whose size is a lie.
        let exif = webp(&[(b"VP8X", &canvas(8)), image, (b"EXIF", b"MM\0\x2a")]);
        assert!(read_bytes(&exif, 2, Fit::Crop).is_ok());
        let mut lying = exif.clone();
        let place = exif.len() - 8;
        lying[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let reason = read_bytes(&lying, 2, Fit::Crop).unwrap_err();
        assert_eq!(reason, "its part EXIF should hold 4294967295 bytes, but 4 follow");
        // The same within a frame of an animation.
        let nested = webp(&[(b"VP8L", &sound[20..]), (b"EXIF", b"MM\0\x2a")]);
        let mut frame = [&[0; 6], &[1, 0, 0, 1, 0, 0, 9, 0, 0, 0][..], &nested[12..]].concat();
        let place = frame.len() - 8;
        frame[place..place + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let animated = webp(&[(b"VP8X", &canvas(2 | 8)), (b"ANIM", &[0; 6]), (b"ANMF", &frame)]);
        assert!(
            read_bytes(&animated, 2, Fit::Crop)
                .unwrap_err()
                .contains("its part EXIF")
        );
        // A lossy image that says to be 16383 x 16383, on a canvas of 2 x 2.
        let large = (b"VP8 ", &b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f"[..]);
        let reason = read_bytes(&webp(&[(b"VP8X", &canvas(0)), large]), 2, Fit::Crop).unwrap_err();
        assert_eq!(reason, "it is said to be 2 x 2, but holds an image of 16383 x 16383");
        for cut in [0, 11, 13, sound.len() - 1] {
            assert!(read_bytes(&sound[..cut], 2, Fit::Crop).is_err());
        }
    }

    #[test]
    fn a_picture_takes_no_more_memory_than_its_file_allows() {
        // What 5000 x 5000 points in black and white compress to is no photograph.
        let large = RgbImage::new(5000, 5000);
        let reason = read_bytes(&encoded(&large.clone().into(), ImageFormat::Png), 8, Fit::Crop).unwrap_err();
        assert!(
            reason.contains("5000 x 5000 and would take 71 MB of memory, above the limit of 64 MB"),
            "{reason}"
        );
        let grey = encoded(&DynamicImage::from(large).into_luma8().into(), ImageFormat::Png);
        assert!(read_bytes(&grey, 8, Fit::Crop).is_ok());
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
        assert_eq!(decode_image(&bytes, 4, 3, Fit::Pad).unwrap().pixels(), file.pixels);
        let grey = decode_image(&bytes, 4, 1, Fit::Pad).unwrap();
        assert_eq!((grey.channels(), grey.count(), grey.height()), (1, 1, 4));
        let white = encoded(&GrayImage::from_pixel(3, 3, Luma([255])).into(), ImageFormat::Png);
        assert_eq!(decode_image(&white, 2, 3, Fit::Crop).unwrap().pixels(), [255; 12]);
        let error = decode_image(b"hello", 4, 1, Fit::Crop).unwrap_err();
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
