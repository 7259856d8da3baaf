//! What can be wrong with a path.

use thiserror::Error;

/// Why there is no such path or no such frames.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// No key or a single one.
    #[error("a path goes through two keys or more, but there are {found}")]
    TooFewKeys {
        /// How many keys were given.
        found: usize,
    },
    /// A key that is no point of the latent space.
    #[error("key {key} has {found} number(s), but a point of this latent space has {expected}")]
    KeySize {
        /// Which key, counted from 1.
        key: usize,
        /// Dimensions of the latent space.
        expected: usize,
        /// Numbers in the key.
        found: usize,
    },
    /// A key with a NaN or an infinity in it.
    #[error("key {key} holds a number that is not finite")]
    NotFinite {
        /// Which key, counted from 1.
        key: usize,
    },
    /// A number of steps that cannot be taken.
    #[error("{steps} step(s) were asked for, but this path takes from {least} to {most}")]
    Steps {
        /// How many were asked for.
        steps: usize,
        /// One a segment, or what the segments ask for.
        least: usize,
        /// As many as are ever made, or as the segments ask for.
        most: usize,
    },
    /// The decoder's [`check`](super::Decoder::check) broke.
    #[error("stopped before the path was found")]
    Stopped,
    /// Gaits that do not belong to the path.
    #[error("{found} gait(s) were given, but this path has {expected} segment(s)")]
    Gaits {
        /// How many segments there are.
        expected: usize,
        /// How many gaits were given.
        found: usize,
    },
}
