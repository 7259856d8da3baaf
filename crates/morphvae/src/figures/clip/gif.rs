//! A clip as a GIF.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use color_quant::NeuQuant;
use gif::{Encoder, Frame, Repeat};
use image::RgbImage;
use rayon::prelude::*;

use super::{Clip, Written, fail};
use crate::figures::FigureError;
use crate::files::write_atomically;

/// Colours that a GIF can hold.
const MOST_COLOURS: u16 = 256;
/// Pixels from which a palette is learnt, at most.
const MOST_SAMPLES: usize = 400_000;
/// The quantizer's own setting: it learns from one sample in so many, and from all is best.
const SAMPLE_FRACTION: i32 = 1;
/// A GIF counts time in hundredths of a second.
const TICKS: f64 = 100.0;
/// Browsers take less than two hundredths for a mistake, and show a frame for ten.
const LEAST_DELAY: f64 = 2.0;

/// A rate that the format cannot say becomes the nearest that it can, the same for all frames, so that motion stays even.
pub(super) fn write(clip: &Clip, path: &Path) -> Result<Written, FigureError> {
    let frame = 1.0 / clip.frames_per_second;
    let delay = (TICKS * frame).round().max(LEAST_DELAY);
    let delays = clip.shots.iter().map(|shot| {
        let rest = (TICKS * (shot.seconds - frame)).round();
        (delay + rest).min(f64::from(u16::MAX)) as u16
    });
    let shots: Vec<Shot> = clip
        .shots
        .iter()
        .zip(delays)
        .map(|(shot, delay)| Shot {
            frame: shot.frame,
            delay,
        })
        .collect();
    encode(path, &clip.frames, &shots, clip.repeats)?;
    Ok(Written {
        frames_per_second: TICKS / delay,
        seconds: shots.iter().map(|shot| f64::from(shot.delay)).sum::<f64>() / TICKS,
        ..clip.written(path)
    })
}

/// Writes frames as a GIF that repeats for ever, each shown for `delay` hundredths of a second.
///
/// # Errors
/// [`FigureError`] when there is no frame, the frames differ in size or are too large for a GIF, or the file cannot be
/// written.
pub fn write_gif(path: &Path, frames: &[RgbImage], delay: u16) -> Result<(), FigureError> {
    let shots: Vec<Shot> = (0..frames.len()).map(|frame| Shot { frame, delay }).collect();
    encode(path, frames, &shots, true)
}

/// One frame on the screen, for so many hundredths of a second.
#[derive(Clone, Copy)]
struct Shot {
    frame: usize,
    delay: u16,
}

/// All frames share one palette, so that nothing flickers: their very colours if there are at most 256, else the 256
/// that stand for them best. A frame that is shown again is compressed once.
fn encode(path: &Path, frames: &[RgbImage], shots: &[Shot], repeats: bool) -> Result<(), FigureError> {
    let (width, height) = common_size(frames)?;
    let mut palette = Palette::of(frames);
    let indices: Vec<Vec<u8>> = frames.iter().map(|frame| palette.indices(frame)).collect();
    let compressed: Vec<Frame> = indices
        .into_par_iter()
        .map(|indices| {
            let mut frame = Frame {
                width,
                height,
                buffer: Cow::Owned(indices),
                ..Frame::default()
            };
            frame.make_lzw_pre_encoded();
            frame
        })
        .collect();
    write_atomically(path, |writer| {
        let mut encoder = Encoder::new(writer, width, height, &palette.colours).map_err(io::Error::other)?;
        // Without a word on repeating a GIF plays once.
        if repeats {
            encoder.set_repeat(Repeat::Infinite).map_err(io::Error::other)?;
        }
        for shot in shots {
            let frame = &compressed[shot.frame];
            let frame = Frame {
                width,
                height,
                delay: shot.delay,
                buffer: Cow::Borrowed(&frame.buffer),
                ..Frame::default()
            };
            encoder.write_lzw_pre_encoded_frame(&frame).map_err(io::Error::other)?;
        }
        Ok(())
    })
    .map_err(fail(path))
}

/// The size of all frames, as a GIF says it.
fn common_size(frames: &[RgbImage]) -> Result<(u16, u16), FigureError> {
    let Some(first) = frames.first() else {
        return Err(FigureError::Empty { what: "frames" });
    };
    let expected = first.dimensions();
    if let Some((index, frame)) = frames
        .iter()
        .enumerate()
        .find(|(_, frame)| frame.dimensions() != expected)
    {
        return Err(FigureError::FrameSize {
            index,
            expected,
            got: frame.dimensions(),
        });
    }
    match (u16::try_from(expected.0), u16::try_from(expected.1)) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(FigureError::TooLarge {
            width: expected.0 as usize,
            height: expected.1 as usize,
        }),
    }
}

/// At most 256 colours, and which of them stands for a pixel.
struct Palette {
    /// Red, green and blue of each.
    colours: Vec<u8>,
    /// For each of the 2²⁴ colours one more than its index, or 0 while it is unknown.
    known: Vec<u16>,
    /// Answers for unknown colours; none when the palette is exact.
    quantizer: Option<NeuQuant>,
}

impl Palette {
    fn of(frames: &[RgbImage]) -> Self {
        Self::exact(frames).unwrap_or_else(|| Self::learnt(frames))
    }

    /// The very colours of the frames, unless they are too many.
    fn exact(frames: &[RgbImage]) -> Option<Self> {
        let mut palette = Self {
            colours: Vec::new(),
            known: vec![0; 1 << 24],
            quantizer: None,
        };
        for pixel in frames.iter().flat_map(RgbImage::pixels) {
            let known = &mut palette.known[slot(pixel.0)];
            if *known == 0 {
                palette.colours.extend(pixel.0);
                *known = u16::try_from(palette.colours.len() / 3)
                    .ok()
                    .filter(|&number| number <= MOST_COLOURS)?;
            }
        }
        Some(palette)
    }

    /// Colours learnt from pixels spread evenly over all frames.
    fn learnt(frames: &[RgbImage]) -> Self {
        let pixels: usize = frames.iter().map(|frame| frame.as_raw().len() / 3).sum();
        let samples = frames
            .iter()
            .flat_map(RgbImage::pixels)
            .step_by(pixels.div_ceil(MOST_SAMPLES));
        let common: Vec<[u8; 3]> = samples.map(|pixel| pixel.0).collect();
        // Every colour once more, so that a rare one, such as that of the text, is learnt as well.
        let mut rare = common.clone();
        rare.sort_unstable();
        rare.dedup();
        let samples = common.into_iter().chain(rare);
        let samples: Vec<u8> = samples
            .flat_map(|[red, green, blue]| [red, green, blue, u8::MAX])
            .collect();
        let quantizer = NeuQuant::new(SAMPLE_FRACTION, usize::from(MOST_COLOURS), &samples);
        Self {
            colours: quantizer.color_map_rgb(),
            known: vec![0; 1 << 24],
            quantizer: Some(quantizer),
        }
    }

    fn indices(&mut self, frame: &RgbImage) -> Vec<u8> {
        frame.pixels().map(|pixel| self.index_of(pixel.0)).collect()
    }

    fn index_of(&mut self, colour: [u8; 3]) -> u8 {
        let known = &mut self.known[slot(colour)];
        if *known == 0 {
            let [red, green, blue] = colour;
            let nearest = |quantizer: &NeuQuant| quantizer.index_of(&[red, green, blue, u8::MAX]);
            *known = self.quantizer.as_ref().map_or(0, nearest) as u16 + 1;
        }
        (*known - 1) as u8
    }
}

/// A colour's place among all colours.
fn slot([red, green, blue]: [u8; 3]) -> usize {
    usize::from(red) << 16 | usize::from(green) << 8 | usize::from(blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use std::fs::File;

    /// The frames of a GIF as RGB, their delays, and how often it repeats.
    fn read_gif(path: &Path) -> (Vec<RgbImage>, Vec<u16>, Repeat) {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(File::open(path).unwrap()).unwrap();
        let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
        let (mut frames, mut delays) = (Vec::new(), Vec::new());
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            let at = |x: u32, y: u32| &frame.buffer[4 * (y * width + x) as usize..];
            frames.push(RgbImage::from_fn(width, height, |x, y| {
                Rgb([at(x, y)[0], at(x, y)[1], at(x, y)[2]])
            }));
            delays.push(frame.delay);
        }
        (frames, delays, decoder.repeat())
    }

    fn written(frames: &[RgbImage]) -> (Vec<RgbImage>, Vec<u16>, Repeat) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turn.gif");
        write_gif(&path, frames, 7).unwrap();
        read_gif(&path)
    }

    #[test]
    fn a_gif_of_few_colours_is_exact_and_repeats_for_ever() {
        let frames: Vec<RgbImage> = (0..4u8)
            .map(|frame| RgbImage::from_fn(16, 4, |x, y| Rgb([(x + 16 * y) as u8, 64 * frame / 3, 17])))
            .collect();
        assert!(Palette::exact(&frames).is_some());
        let (read, delays, repeat) = written(&frames);
        assert_eq!(read, frames);
        assert_eq!(delays, [7; 4]);
        assert_eq!(repeat, Repeat::Infinite);
    }

    #[test]
    fn a_gif_of_many_colours_comes_close() {
        let frames: Vec<RgbImage> = (0..3u8)
            .map(|frame| RgbImage::from_fn(64, 64, |x, y| Rgb([4 * x as u8, 4 * y as u8, 90 * frame])))
            .collect();
        assert!(Palette::exact(&frames).is_none());
        let (read, ..) = written(&frames);
        let difference = |a: &u8, b: &u8| u64::from(a.abs_diff(*b));
        let pairs = read
            .iter()
            .zip(&frames)
            .flat_map(|(a, b)| a.as_raw().iter().zip(b.as_raw()));
        let total: u64 = pairs.map(|(a, b)| difference(a, b)).sum();
        assert!(
            total / (3 * 3 * 64 * 64) < 12,
            "off by {} on average",
            total / (3 * 3 * 64 * 64)
        );
    }

    #[test]
    fn frames_must_be_there_and_of_one_size() {
        let path = Path::new("never-written.gif");
        assert!(matches!(write_gif(path, &[], 7), Err(FigureError::Empty { .. })));
        let error = write_gif(path, &[RgbImage::new(2, 2), RgbImage::new(2, 3)], 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "frame 1 is (2, 3) pixels and the first (2, 2); give frames of one size"
        );
        assert!(!path.exists());
    }
}
