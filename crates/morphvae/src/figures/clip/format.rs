//! What kind of file a path asks for.

use super::{ClipError, Look, Playback, Timing};
use crate::data::Images;
use std::path::Path;

/// A kind of file that a clip is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipFormat {
    /// `.gif`: delays of whole hundredths of a second, at least two, and at most 256 colours, which grey images keep
    /// exactly.
    Gif,
    /// `.apng`: an animated PNG, exact in colour and time.
    Apng,
    /// `.mp4`: H.264, made by `ffmpeg`; it does not say that it repeats.
    Mp4,
    /// A path without an ending: a folder of PNG pictures, `00001.png` and so on. Each image is there once; how they are
    /// played is not said.
    Frames,
}

impl ClipFormat {
    /// The kind that `path` asks for, by its ending.
    ///
    /// # Errors
    /// [`ClipError::UnknownEnding`], which lists those there are; [`ClipError::NoFfmpeg`] for an MP4 where nothing can
    /// write one: so that a program can ask before it works for long.
    pub fn of(path: &Path) -> Result<Self, ClipError> {
        todo!("{}", path.display())
    }
}

/// Writes `images` as the kind of clip that `path` asks for, in one piece or not at all.
///
/// # Errors
/// As [`ClipFormat::of`] and [`Playback::schedule`]; other [`ClipError`]s when there is no image, the images cannot be
/// drawn as `look` says, they are too large, or the file cannot be written.
pub fn write_clip(path: &Path, images: &Images, playback: &Playback, look: &Look) -> Result<Timing, ClipError> {
    let format = ClipFormat::of(path)?;
    let schedule = playback.schedule(images.count())?;
    todo!("{format:?} {schedule:?} {look:?}")
}
