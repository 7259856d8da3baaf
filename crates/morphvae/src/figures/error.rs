//! What can go wrong with a figure.

use crate::latent::SliceError;
use crate::network::NetworkError;
use std::io;
use std::path::PathBuf;

/// Why a figure could not be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// Nothing was given to draw.
    #[error("there are no {what} to draw; give at least one")]
    Empty {
        /// What is missing: images, points, epochs.
        what: &'static str,
    },
    /// Two inputs that belong together differ in number.
    #[error("{got} {what} were given where {expected} are needed")]
    Mismatch {
        /// What was counted.
        what: &'static str,
        /// The number that fits the other inputs.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// A label stands for no class.
    #[error("label {label} has no name: there are {classes} classes; give a name for every label")]
    UnknownClass {
        /// The label.
        label: u16,
        /// The number of names.
        classes: usize,
    },
    /// A plane that the latent space does not have.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// Points that the latent space does not have.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A sheet was asked for with no columns.
    #[error("a sheet of images needs at least one column")]
    NoColumns,
    /// Images that are neither grey nor colour.
    #[error("images of {channels} channels cannot be drawn; give grey (1) or colour (3) images")]
    Channels {
        /// The number of channels.
        channels: usize,
    },
    /// Not one number of the input is finite.
    #[error("none of the {count} {what} is finite, so there is nothing to draw")]
    NotFinite {
        /// What was to be drawn.
        what: &'static str,
        /// How many were given.
        count: usize,
    },
    /// The picture would not fit into memory.
    #[error("a picture of {width} x {height} pixels is too large; draw fewer images")]
    TooLarge {
        /// Its width, in pixels.
        width: usize,
        /// Its height, in pixels.
        height: usize,
    },
    /// The frames of an animation differ in size.
    #[error("frame {index} is {got:?} pixels and the first {expected:?}; give frames of one size")]
    FrameSize {
        /// Which frame, counted from zero.
        index: usize,
        /// Width and height of the first frame.
        expected: (u32, u32),
        /// Width and height of this one.
        got: (u32, u32),
    },
    /// The file could not be written.
    #[error("{}: {source}: check that it may be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}
