//! Clips: a row of images that plays.
//!
//! [`Clip`] is the images enlarged and coloured ([`Look`]) and when each is shown ([`Playback`]); [`Clip::write`] puts it
//! on disk in the format that the file's name asks for.

mod animated_png;
mod film;
mod frames;
mod gif;
mod look;
mod playback;

pub use gif::write_gif;
pub(super) use look::enlarged;
pub use look::{Colormap, Look};
pub use playback::{Playback, Repeat};

use std::path::{Path, PathBuf};

use image::RgbImage;

use super::FigureError;
use crate::data::Images;
use playback::Shot;

/// Bytes that the frames of a clip may take in memory.
const LARGEST: usize = 1 << 30;

/// Frames, and when each is shown.
#[derive(Clone, Debug)]
pub struct Clip {
    /// All of one size, each once.
    frames: Vec<RgbImage>,
    shots: Vec<Shot>,
    frames_per_second: f64,
    repeats: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The file, or the folder of frames.
    pub path: PathBuf,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// How often a frame is shown in the file: each of a bounce's twice but for its ends.
    pub shots: usize,
    /// Frames a second as the format can say them.
    pub frames_per_second: f64,
    /// Seconds that one pass takes.
    pub seconds: f64,
}

impl Clip {
    /// The clip of `images`, of which `keys` are where it rests.
    ///
    /// # Errors
    /// [`FigureError`] when there is no image, they are neither grey nor colour, or they would not fit into memory.
    pub fn new(images: &Images, keys: &[usize], look: Look, playback: Playback) -> Result<Self, FigureError> {
        super::sheet::check(images)?;
        let (width, height) = look.size(images);
        if width * height * 3 * images.count() > LARGEST {
            return Err(FigureError::TooLarge { width, height });
        }
        Ok(Self {
            frames: look.draw(images),
            shots: playback.shots(images.count(), keys),
            frames_per_second: playback.frames_per_second,
            repeats: playback.repeat != Repeat::Once,
        })
    }

    /// Writes it as the name asks: `.gif`, `.apng`, `.mp4`, or a folder of PNG frames for a name without an ending.
    ///
    /// # Errors
    /// [`FigureError::Ending`] for any other name; [`FigureError::NoFfmpeg`] and [`FigureError::Ffmpeg`] for a film;
    /// [`FigureError::TooLarge`] when the format cannot hold it; [`FigureError::Write`] when it cannot be written.
    pub fn write(&self, path: &Path) -> Result<Written, FigureError> {
        Format::of(path)?.write(self, path)
    }

    fn size(&self) -> (u32, u32) {
        self.frames[0].dimensions()
    }

    /// What was written, if the format keeps every duration.
    fn written(&self, path: &Path) -> Written {
        Written {
            path: path.to_owned(),
            size: self.size(),
            shots: self.shots.len(),
            frames_per_second: self.frames_per_second,
            seconds: self.shots.iter().map(|shot| shot.seconds).sum(),
        }
    }
}

/// The kinds of clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Gif,
    AnimatedPng,
    Film,
    Frames,
}

impl Format {
    fn of(path: &Path) -> Result<Self, FigureError> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gif") => Ok(Self::Gif),
            Some("apng") => Ok(Self::AnimatedPng),
            Some("mp4") => Ok(Self::Film),
            None if path.extension().is_none() => Ok(Self::Frames),
            _ => Err(FigureError::Ending { path: path.to_owned() }),
        }
    }

    fn write(self, clip: &Clip, path: &Path) -> Result<Written, FigureError> {
        match self {
            Self::Gif => gif::write(clip, path),
            Self::AnimatedPng => animated_png::write(clip, path),
            Self::Film => film::write(clip, path),
            Self::Frames => frames::write(clip, path),
        }
    }
}

/// Makes sure that a clip can be written under such a name, before the work for it is done.
///
/// # Errors
/// [`FigureError::Ending`] when the name asks for no known format; [`FigureError::NoFfmpeg`] for a film where there is
/// none.
pub fn check_name(path: &Path) -> Result<(), FigureError> {
    match Format::of(path)? {
        Format::Film => film::check_ffmpeg(),
        _ => Ok(()),
    }
}

/// An error of the file system, with the path.
fn fail(path: &Path) -> impl FnOnce(std::io::Error) -> FigureError {
    let path = path.to_owned();
    |source| FigureError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight grey frames of 5 x 6 pixels, drawn nine times as large, of which the first, the fourth and the last are keys.
    pub(super) fn clip(repeat: Repeat, frames_per_second: f64) -> Clip {
        let pixels = (0..8 * 30).map(|index| (index % 251) as u8).collect();
        let playback = Playback {
            frames_per_second,
            hold: 0.5,
            repeat,
        };
        let look = Look {
            scale: Some(9),
            ..Look::default()
        };
        Clip::new(&Images::new(1, 6, 5, pixels).unwrap(), &[0, 3, 7], look, playback).unwrap()
    }

    #[test]
    fn the_name_decides_the_format() {
        let format = |name: &str| Format::of(Path::new(name));
        assert_eq!(format("a/clip.gif").unwrap(), Format::Gif);
        assert_eq!(format("clip.apng").unwrap(), Format::AnimatedPng);
        assert_eq!(format("clip.mp4").unwrap(), Format::Film);
        assert_eq!(format("frames").unwrap(), Format::Frames);
        let error = format("clip.mov").unwrap_err().to_string();
        assert!(
            error.contains("clip.mov") && error.contains(".gif") && error.contains(".mp4"),
            "{error}"
        );
    }

    #[test]
    fn frames_that_would_not_fit_into_memory_are_refused() {
        let images = Images::new(1, 1, 1, vec![0; 1000]).unwrap();
        let look = Look {
            scale: Some(1000),
            ..Look::default()
        };
        let clip = Clip::new(&images, &[], look, Playback::default());
        assert!(matches!(clip, Err(FigureError::TooLarge { .. })));
    }
}
