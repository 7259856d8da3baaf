//! A clip as an animated PNG: every colour exact, every browser plays it.

use std::io;
use std::path::Path;

use png::{BitDepth, ColorType, Compression, Encoder};

use super::{Clip, Written, fail};
use crate::figures::FigureError;
use crate::files::write_atomically;

/// Durations are told in thousandths of a second.
const TICKS: f64 = 1000.0;

pub(super) fn write(clip: &Clip, path: &Path) -> Result<Written, FigureError> {
    let (width, height) = clip.size();
    let grey = clip
        .frames
        .iter()
        .flat_map(|frame| frame.pixels())
        .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]);
    write_atomically(path, |writer| {
        let mut encoder = Encoder::new(writer, width, height);
        encoder.set_color(if grey { ColorType::Grayscale } else { ColorType::Rgb });
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Balanced);
        encoder.set_animated(clip.shots.len() as u32, u32::from(!clip.repeats))?;
        let mut writer = encoder.write_header()?;
        for shot in &clip.shots {
            writer.set_frame_delay(
                (shot.seconds * TICKS).round().min(f64::from(u16::MAX)) as u16,
                TICKS as u16,
            )?;
            let frame = &clip.frames[shot.frame];
            if grey {
                let bytes: Vec<u8> = frame.pixels().map(|pixel| pixel[0]).collect();
                writer.write_image_data(&bytes)?;
            } else {
                writer.write_image_data(frame)?;
            }
        }
        writer.finish().map_err(io::Error::from)
    })
    .map_err(fail(path))?;
    Ok(clip.written(path))
}

#[cfg(test)]
mod tests {
    use image::codecs::png::PngDecoder;
    use image::{AnimationDecoder, DynamicImage};
    use std::fs::File;
    use std::io::BufReader;

    use super::super::Repeat;
    use super::super::tests::clip;

    #[test]
    fn a_standard_reader_finds_every_frame_exact_with_its_duration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.apng");
        for (repeat, plays) in [(Repeat::Once, 1), (Repeat::Bounce, 0)] {
            let clip = clip(repeat, 30.0);
            clip.write(&path).unwrap();
            let info = png::Decoder::new(BufReader::new(File::open(&path).unwrap()));
            let control = info.read_info().unwrap().info().animation_control().copied().unwrap();
            assert_eq!(
                (control.num_frames as usize, control.num_plays),
                (clip.shots.len(), plays)
            );
            let decoder = PngDecoder::new(BufReader::new(File::open(&path).unwrap())).unwrap();
            let frames = decoder.apng().unwrap().into_frames().collect_frames().unwrap();
            assert_eq!(frames.len(), clip.shots.len());
            for (frame, shot) in frames.into_iter().zip(&clip.shots) {
                let (numerator, denominator) = frame.delay().numer_denom_ms();
                let seconds = f64::from(numerator) / f64::from(denominator) / 1000.0;
                assert!((seconds - shot.seconds).abs() < 1e-3);
                let picture = DynamicImage::from(frame.into_buffer()).to_rgb8();
                assert_eq!(picture, clip.frames[shot.frame]);
            }
        }
    }
}
