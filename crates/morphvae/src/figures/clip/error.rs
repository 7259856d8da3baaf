//! What can go wrong with a clip.

use super::super::FigureError;
use std::path::PathBuf;

/// Why a clip could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClipError {
    /// The images cannot be drawn, or the file cannot be written.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A clip that would play too slowly, too fast or not at all.
    #[error("{frames_per_second} frames per second cannot be played; give 0.1 to 240")]
    FrameRate {
        /// What was asked for.
        frames_per_second: f64,
    },
    /// A rest that is too long, or none.
    #[error("key frames cannot be held for {seconds} seconds; give 0 to 600")]
    Hold {
        /// What was asked for.
        seconds: f64,
    },
    /// A key that is none of the images.
    #[error("image {key} cannot be a key: there are {images} images, counted from 0")]
    UnknownKey {
        /// The key.
        key: usize,
        /// How many images there are.
        images: usize,
    },
    /// A scale of zero.
    #[error("images cannot be drawn at 0 times their size; give 1 or more")]
    NoScale,
    /// A colormap for images that have colours of their own.
    #[error("a colormap is for grey images, and these have colours; leave it out")]
    ColoursMapped,
    /// The frames would not fit into memory, or a side not into the file.
    #[error(
        "{frames} frames of {width} x {height} pixels are too large for a clip, which holds {most} of them; give fewer or \
         a smaller scale"
    )]
    TooLarge {
        /// Images that would be drawn.
        frames: usize,
        /// Their width, in pixels.
        width: usize,
        /// Their height, in pixels.
        height: usize,
        /// As many of that size would do.
        most: usize,
    },
    /// Whoever watches the work wanted no more of it.
    #[error("stopped before the clip was written")]
    Stopped,
    /// A path that asks for no kind of clip.
    #[error(
        "{}: a clip ends in .gif, .apng or .mp4, or is a folder, without an ending, for its frames (animated WebP is not \
         written)",
        path.display()
    )]
    UnknownEnding {
        /// The path.
        path: PathBuf,
    },
    /// `ffmpeg` is not there.
    #[error("MP4 is written by ffmpeg, which is not on the PATH; install ffmpeg, or write a .gif or an .apng")]
    NoFfmpeg,
    /// `ffmpeg` is there and did not do it.
    #[error("{}: ffmpeg failed: {reason}", path.display())]
    Ffmpeg {
        /// The file that was to be written.
        path: PathBuf,
        /// The last thing it said.
        reason: String,
    },
}
