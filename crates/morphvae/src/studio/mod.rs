//! What a person does with images and models, as functions.
//!
//! Open a [`Model`], say which images are meant with an [`ImageRequest`], find the points of [`Keys`], flow through them
//! with a [`Morph`], draw new images with a [`Sampler`], teach a new network in a [`Run`], ask with a [`Probe`] whether its
//! classes lie apart, and by an [`Augmentation`] whether new images help where labels are few. What papers have found is a
//! [`Reproduction`]. Long work tells an [`Observer`] how far it is, and asks it whether to go on.

mod augment;
mod classify;
mod error;
mod event;
mod images;
pub mod keys;
mod model;
mod morph;
mod probe;
mod reproduction;
mod restyle;
mod run;
mod sample;
mod semi_supervised;

pub use augment::{
    AugmentError, AugmentFiles, AugmentReport, AugmentRequest, AugmentRow, Augmentation, Beginning, Generated, Mix,
    Recipe, Scores, check_record,
};
pub use classify::{Classified, MoveError};
pub use error::StudioError;
pub use event::{Event, Observer, unobserved};
pub use images::{ImageRequest, Part, Reading, STROKES, Source, Store, USUAL_SET};
pub use keys::{Amount, KeyError, Keys, Place};
pub use model::Model;
pub use morph::{LONGEST_REST, Length, Manner, MannerError, Morph, MorphError, Pace, Stop, Walk};
pub use probe::{NEIGHBOURS, Probe};
pub use reproduction::{Measure, REPRODUCTIONS, Reproduction};
pub use restyle::Restyled;
pub use run::{FinishedEpoch, Run, Standing};
pub use sample::{
    Balance, CARD, Counts, MOST_TEMPERATURE, Nearness, NearnessReport, Origin, PixelChoice, SampleCard, SampleError,
    SampleRequest, Sampler, check_place,
};
pub use semi_supervised::SemiSupervisedRun;
