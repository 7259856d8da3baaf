//! Why recipes cannot be compared.

use std::path::PathBuf;

use thiserror::Error;

/// Why recipes cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// No labelled image, or no seed.
    #[error("no {what} was asked for: ask for one at least")]
    Nothing {
        /// What there is none of.
        what: &'static str,
    },
    /// Fewer images of a class than are to be labelled.
    #[error(
        "{class}: {asked} labelled image(s) of each class were asked for, and there are {found} of this one to learn from"
    )]
    TooFew {
        /// The class.
        class: String,
        /// Images of it, without those that are held out to choose by.
        found: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// Too few images to hold any out.
    #[error("{name}: these are too few images to hold some out to choose by")]
    TooSmall {
        /// What the images are called.
        name: String,
    },
    /// A folder that is to be gone on with, and in which nothing was begun.
    #[error("{}: no comparison of recipes was begun here", path.display())]
    NotBegun {
        /// The folder.
        path: PathBuf,
    },
    /// A file that does not say what it must.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
