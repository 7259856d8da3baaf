//! Animations as GIF: one palette for all frames, so that nothing flickers.

mod palette;

use super::FigureError;
use crate::files::write_atomically;
use ::gif::{Encoder, Frame, Repeat};
use image::RgbImage;
use palette::Palette;
use rayon::prelude::*;
use std::borrow::Cow;
use std::io;
use std::path::Path;

// Bytes of a file's parts, as GIF89a has them.
const HEADER: usize = 13;
const REPETITION: usize = 19;
const FRAME_HEADER: usize = 8 + 10;

/// Frames as a GIF holds them.
pub(super) struct Animation {
    width: u16,
    height: u16,
    /// Red, green and blue of at most 256 colours.
    colours: Vec<u8>,
    /// The pixels of each frame as indices of colours, compressed.
    frames: Vec<Vec<u8>>,
}

impl Animation {
    /// Of frames that are indices of colours, `width` x `height` each. `next` is called for each of them, and ends the
    /// work by an error.
    ///
    /// # Errors
    /// [`FigureError::TooLarge`] when a side is longer than a GIF can say; those of `next`.
    pub fn new<E: From<FigureError> + Send>(
        [width, height]: [usize; 2],
        colours: Vec<u8>,
        frames: Vec<Cow<'_, [u8]>>,
        next: impl Fn() -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(FigureError::TooLarge { width, height }.into());
        };
        let compressed = |buffer| {
            next()?;
            let mut frame = Frame {
                buffer,
                ..Frame::default()
            };
            frame.make_lzw_pre_encoded();
            Ok(frame.buffer.into_owned())
        };
        Ok(Self {
            width,
            height,
            colours,
            frames: frames.into_par_iter().map(compressed).collect::<Result<_, E>>()?,
        })
    }

    /// Of pictures: with their very colours if there are at most 256, else with the 256 that stand for them best. `next`
    /// is called twice for each of them, and ends the work by an error.
    ///
    /// # Errors
    /// [`FigureError`] when there is no picture, or they differ in size or are too large for a GIF; those of `next`.
    pub fn of_pictures<E: From<FigureError> + Send>(
        pictures: &[RgbImage],
        next: impl Fn() -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let Some(first) = pictures.first() else {
            return Err(FigureError::Empty { what: "frames" }.into());
        };
        let expected = first.dimensions();
        let other_size = |(_, picture): &(usize, &RgbImage)| picture.dimensions() != expected;
        if let Some((index, picture)) = pictures.iter().enumerate().find(other_size) {
            return Err(FigureError::FrameSize {
                index,
                expected,
                got: picture.dimensions(),
            }
            .into());
        }
        let size = [expected.0 as usize, expected.1 as usize];
        let mut palette = Palette::of(pictures);
        let frames = pictures
            .iter()
            .map(|picture| next().map(|()| palette.indices(picture).into()));
        let frames = frames.collect::<Result<_, E>>()?;
        Self::new(size, palette.colours, frames, next)
    }

    /// How many bytes [`Animation::write`] will write.
    pub fn bytes<D>(&self, order: &[(usize, D)], for_ever: bool) -> usize {
        // The least power of two that holds all colours, and two at least.
        let colours = (self.colours.len() / 3).next_power_of_two().max(2);
        // A frame's first byte stands alone; the others are in blocks of 255, each after its length, and an empty one.
        let data = |buffer: &Vec<u8>| buffer.len() + buffer.len().saturating_sub(1).div_ceil(255) + 1;
        let frames = order.iter().map(|&(index, _)| FRAME_HEADER + data(&self.frames[index]));
        HEADER + 3 * colours + if for_ever { REPETITION } else { 0 } + frames.sum::<usize>() + 1
    }

    /// Writes a file that shows frames in the given order, each for so many hundredths of a second, for ever or once.
    ///
    /// # Errors
    /// [`FigureError::Write`] when the file cannot be written.
    pub fn write(&self, path: &Path, order: &[(usize, u16)], for_ever: bool) -> Result<(), FigureError> {
        write_atomically(path, |writer| {
            let mut encoder = Encoder::new(writer, self.width, self.height, &self.colours).map_err(io::Error::other)?;
            if for_ever {
                // A file that says nothing of repeating is played once.
                encoder.set_repeat(Repeat::Infinite).map_err(io::Error::other)?;
            }
            for &(index, delay) in order {
                let frame = Frame {
                    width: self.width,
                    height: self.height,
                    delay,
                    buffer: Cow::Borrowed(&self.frames[index]),
                    ..Frame::default()
                };
                encoder.write_lzw_pre_encoded_frame(&frame).map_err(io::Error::other)?;
            }
            encoder.into_inner().map_err(io::Error::other)?;
            Ok(())
        })
        .map_err(|source| FigureError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

/// Writes frames as a GIF that repeats for ever, each shown for `delay` hundredths of a second.
///
/// All frames share one palette, so that nothing flickers: their very colours if there are at most 256, else the 256
/// that stand for them best.
///
/// # Errors
/// [`FigureError`] when there is no frame, the frames differ in size or are too large for a GIF, or the file cannot be
/// written.
pub fn write_gif(path: &Path, frames: &[RgbImage], delay: u16) -> Result<(), FigureError> {
    let order: Vec<(usize, u16)> = (0..frames.len()).map(|index| (index, delay)).collect();
    Animation::of_pictures(frames, || Ok::<(), FigureError>(()))?.write(path, &order, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use std::fs::File;

    /// The frames of a GIF as RGB, their delays, and how often it repeats.
    fn read_gif(path: &Path) -> (Vec<RgbImage>, Vec<u16>, Repeat) {
        let mut options = ::gif::DecodeOptions::new();
        options.set_color_output(::gif::ColorOutput::RGBA);
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
    fn a_files_size_is_known_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("turn.gif");
        let frames: Vec<RgbImage> = (0..3u8)
            .map(|frame| RgbImage::from_fn(90, 70, |x, y| Rgb([(7 * x * y) as u8, frame, (x * x) as u8 & 0xc0])))
            .collect();
        let few: Vec<RgbImage> = (0..2u8)
            .map(|frame| RgbImage::from_pixel(3, 3, Rgb([frame; 3])))
            .collect();
        for (frames, order) in [
            (&frames, vec![(0, 4), (2, 4), (1, 9), (0, 4)]),
            (&few, vec![(1, 2), (0, 2)]),
        ] {
            for for_ever in [true, false] {
                let animation = Animation::of_pictures(frames, || Ok::<(), FigureError>(())).unwrap();
                animation.write(&path, &order, for_ever).unwrap();
                let written = std::fs::metadata(&path).unwrap().len();
                assert_eq!(animation.bytes(&order, for_ever) as u64, written);
            }
        }
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
