//! Clips as animated PNG: exact in colour and, as good as, in time.

use super::count::Count;
use super::look::{Frames, Pixels};
use crate::files::write_atomically;
use png::{BitDepth, ColorType, Compression, Encoder, Filter};
use std::io;
use std::path::Path;

/// Writes frames in the given order, each for so many seconds (a fraction), for ever or once.
pub(super) fn write(
    path: &Path,
    frames: &Frames,
    order: &[(usize, (u16, u16))],
    for_ever: bool,
    done: &Count,
) -> io::Result<()> {
    let count = u32::try_from(order.len()).map_err(io::Error::other)?;
    write_atomically(path, |writer| {
        let mut encoder = Encoder::new(writer, frames.width as u32, frames.height as u32);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Fast);
        encoder.set_filter(Filter::Adaptive);
        match &frames.pixels {
            Pixels::Colour(_) => encoder.set_color(ColorType::Rgb),
            Pixels::Indexed { colours, .. } if is_grey(colours) => encoder.set_color(ColorType::Grayscale),
            Pixels::Indexed { colours, .. } => {
                encoder.set_color(ColorType::Indexed);
                encoder.set_palette(colours.as_flattened());
            }
        }
        encoder.set_animated(count, u32::from(!for_ever))?;
        let mut writer = encoder.write_header()?;
        for &(index, (numerator, denominator)) in order {
            done.one().map_err(io::Error::other)?;
            writer.set_frame_delay(numerator, denominator)?;
            match &frames.pixels {
                Pixels::Colour(frames) => writer.write_image_data(frames[index].as_raw())?,
                Pixels::Indexed { frames, .. } => writer.write_image_data(&frames[index])?,
            }
        }
        writer.finish()?;
        Ok(())
    })
}

/// Whether an index is the grey itself.
fn is_grey(colours: &[[u8; 3]; 256]) -> bool {
    (0..).zip(colours).all(|(grey, colour)| *colour == [grey; 3])
}
