//! What whoever waits for work hears of it.

use std::ops::ControlFlow;

use super::StudioError;
use crate::data::{self, Skipped};
use crate::semi_supervised::SemiSupervisedProgress;
use crate::training;

/// Something that happens during long work.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A line for people: what was chosen where nothing was asked for, and why.
    Note(&'a str),
    /// Files of a folder that could not be read, and why; the others are used.
    Skipped(&'a Skipped),
    /// A file of a known data set comes in.
    Fetching(data::Progress<'a>),
    /// So many images are encoded.
    Encoding {
        /// Images that are encoded.
        done: usize,
        /// Images that will be.
        of: usize,
    },
    /// The neighbours of so many images are found.
    Comparing {
        /// Images whose neighbours are found.
        done: usize,
        /// Images whose neighbours will be.
        of: usize,
    },
    /// So many of a clip's keys are found.
    Locating {
        /// Keys that are found.
        done: usize,
        /// Keys of the clip.
        of: usize,
    },
    /// So many of a path's ways from key to key are found.
    Searching {
        /// Ways that are found.
        done: usize,
        /// Ways of the path.
        of: usize,
    },
    /// So many images of a clip are decoded, to be measured or to be shown.
    Decoding {
        /// Images that are decoded.
        done: usize,
        /// About how many there will be.
        of: usize,
    },
    /// So many frames of a clip are drawn.
    Drawing {
        /// Frames that are drawn.
        done: usize,
        /// Frames of the clip.
        of: usize,
    },
    /// So many frames of a clip are written.
    Writing {
        /// Frames that are written.
        done: usize,
        /// Frames of the clip.
        of: usize,
    },
    /// So many images are sampled and written.
    Sampling {
        /// Images that are written.
        done: usize,
        /// Images that will be.
        of: usize,
    },
    /// Classifiers that are compared have learned from so many images.
    Augmenting {
        /// What is under way.
        what: &'a str,
        /// Images that were learned from.
        done: usize,
        /// Images that will be.
        of: usize,
    },
    /// A network learns.
    Training(training::Progress),
    /// A classifier learns from all images and few labels.
    SemiSupervised(SemiSupervisedProgress),
}

/// Hears of work and stops it, as far as it can be stopped, by [`ControlFlow::Break`]. Several threads may call it.
pub type Observer<'a> = dyn Fn(Event<'_>) -> ControlFlow<()> + Sync + 'a;

/// Tells an observer of something, and stops where it wants no more.
pub(super) fn tell(observer: &Observer, event: Event) -> Result<(), StudioError> {
    match observer(event).is_break() {
        true => Err(StudioError::Stopped),
        false => Ok(()),
    }
}

/// An [`Observer`] for whoever just waits.
pub fn unobserved(_: Event<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
