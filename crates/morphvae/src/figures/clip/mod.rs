//! Clips: a row of small images as an animation or as numbered pictures.
//!
//! [`Playback`] says when each image is shown, [`Look`] how large and in which colours, and [`ClipFormat`] what kind of
//! file a path asks for. [`Clip`] brings the three together, one step at a time for those who watch or stop it, or
//! [`write_clip`] all at once; both answer with the [`Timing`] that the file really has.
//!
//! ```
//! use morphvae::data::Images;
//! use morphvae::figures::clip::{Look, Playback, Repeat, Rest, write_clip};
//!
//! let images = Images::new(1, 2, 2, (0..48).collect())?;
//! let playback = Playback {
//!     rests: [0, 11].map(|image| Rest { image, seconds: 0.5 }).to_vec(),
//!     repeat: Repeat::Bounce,
//!     ..Playback::default()
//! };
//! let folder = tempfile::tempdir()?;
//! let timing = write_clip(&folder.path().join("there-and-back.gif"), &images, &playback, &Look::default())?;
//! assert_eq!(timing.frames, 22);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apng;
mod colormap;
mod count;
mod error;
mod folder;
mod format;
mod look;
mod mp4;
mod playback;
#[cfg(test)]
mod tests;
mod timing;

pub use colormap::Colormap;
pub use count::Observer;
pub use error::ClipError;
pub use format::{Clip, ClipFormat, write_clip};
pub use look::Look;
pub use playback::{Playback, Repeat, Rest, Shown};
pub use timing::Timing;
