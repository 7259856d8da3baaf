//! Clips: a row of small images as an animation, as numbered pictures or as one sheet to look at.
//!
//! [`Playback`] says when each image is shown, [`Look`] how large and in which colours, and [`ClipFormat`] what kind of
//! file a path asks for. [`write_clip`] brings the three together and answers with the [`Timing`] that the file really
//! has; [`clip_sheet`] lays the same images out on a page.
//!
//! ```
//! use morphvae::data::Images;
//! use morphvae::figures::clip::{Look, Playback, Repeat, write_clip};
//!
//! let images = Images::new(1, 2, 2, (0..48).collect())?;
//! let playback = Playback {
//!     keys: vec![0, 11],
//!     hold: 0.5,
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
mod error;
mod format;
mod look;
mod mp4;
mod playback;
mod sheet;
#[cfg(test)]
mod tests;
mod timing;

pub use colormap::Colormap;
pub use error::ClipError;
pub use format::{ClipFormat, write_clip};
pub use look::Look;
pub use playback::{Playback, Repeat, Shown};
pub use sheet::{SheetKey, clip_sheet};
pub use timing::Timing;
