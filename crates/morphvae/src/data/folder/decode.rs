//! An image file's bytes made into pixels, in memory that is bounded by the file's size.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{jpeg, png, webp};

/// Rows or columns of an image, at most. Larger ones are taken for decompression bombs.
const LONGEST_SIDE: u32 = 20_000;

/// Bytes that an image file may have, and its pixels may take.
pub(super) const LARGEST: u64 = 512 << 20;

/// Bytes that pixels may take whatever their file: 22 megapixels in colour.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// So many times their file they may always take, too: photographs of any size, since JPEG makes even soft ones no more
/// than some 25 times smaller. What is compressed further is a drawing or a bomb.
const TIMES_THE_FILE: u64 = 32;

/// Bytes that a PNG's colour profile may unfold to. What is larger than any real one is left out, as the format allows.
const LARGEST_PROFILE: u64 = 16 << 20;

/// Decodes an image by its content, not its name, and turns it as its EXIF orientation says; the error says in one line
/// what is wrong.
///
/// No size that stands in the file is believed before it was held against the file's own.
pub(super) fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let format = image::guess_format(bytes).map_err(one_line)?;
    let bytes = match format {
        ImageFormat::WebP => webp::check(bytes)?,
        ImageFormat::Png => png::check(bytes).map(|()| bytes)?,
        ImageFormat::Jpeg => jpeg::check(bytes).map(|()| bytes)?,
        _ => bytes,
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    // Asked for by the PNG decoder alone, for metadata and single rows.
    limits.max_alloc = Some(LARGEST_PROFILE + 2 * bytes.len() as u64);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(one_line)?;
    let (width, height) = decoder.dimensions();
    // Not every decoder asks by itself.
    limits.check_dimensions(width, height).map_err(one_line)?;
    check_memory(width, height, bytes_per_pixel(format, &decoder), bytes.len() as u64)?;
    let orientation = decoder.orientation().map_err(one_line)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(one_line)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// What a pixel takes in the largest of the buffers between the file and our own.
fn bytes_per_pixel(format: ImageFormat, decoder: &impl ImageDecoder) -> u64 {
    let colour = decoder.color_type();
    let needed = match format {
        // Lossless ones are decoded with a transparency that is thrown away.
        ImageFormat::WebP => 4,
        // Coefficients have 16 bits.
        ImageFormat::Jpeg => 2,
        _ if colour.has_alpha() => 4,
        _ => 1,
    };
    u64::from(colour.bytes_per_pixel()).max(needed)
}

fn check_memory(width: u32, height: u32, bytes_per_pixel: u64, file: u64) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("it has no pixels: it is {width} x {height}"));
    }
    let needed = u64::from(width) * u64::from(height) * bytes_per_pixel;
    let allowed = (TIMES_THE_FILE * file).clamp(ALWAYS_ALLOWED, LARGEST);
    if needed > allowed {
        return Err(format!(
            "it is {width} x {height} and would take {} MB of memory, above the limit of {} MB for a file of its size: \
             make it smaller",
            needed >> 20,
            allowed >> 20
        ));
    }
    Ok(())
}

/// One line, whatever a decoder says.
pub(super) fn one_line(error: ImageError) -> String {
    error.to_string().replace('\n', " ")
}
