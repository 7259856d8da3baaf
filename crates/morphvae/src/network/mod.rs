//! The network: its configuration, its layers, and its weights under PyTorch's names.
//!
//! [`NetworkConfig`] says what kind of network it is and how large, its [`Plan`] of which stages it is made, and [`Vae`]
//! holds the weights and computes; [`Inference`] is a `Vae`
//! made ready to be used again and again. Whoever only needs images at points asks a [`Decoder`]. A conditional network is told
//! the class of each image, a [`Condition`]; [`Inference::given`] is its decoder for one. A [`Classifier`] is another network of
//! the same stages, which tells classes apart, and [`M2`] one of features that knows few classes.

mod accelerate;
mod architecture;
mod classifier;
mod condition;
mod decoder;
mod folded;
mod inference;
mod layers;
mod m2;
mod pixels;
mod plan;
mod prior;
mod stack;
mod state;
mod vae;

pub(crate) use accelerate::{Kernel, kernels};
pub use architecture::{
    Architecture, HiddenActivation, LARGEST_SIDE, MOST_BASE_CHANNELS, MOST_CLASSES, MOST_HIDDEN_LAYERS,
    MOST_HIDDEN_UNITS, MOST_LATENTS, NetworkConfig, REFERENCE_SIDES,
};
pub use classifier::{Classifier, ReadyClassifier};
pub use condition::{Condition, Given};
pub use decoder::Decoder;
pub(crate) use inference::BATCH;
pub use inference::Inference;
pub use layers::BatchStatistics;
pub(crate) use layers::StageWeights;
pub(crate) use m2::M2_NAMES;
pub use m2::{M2, M2Batch, M2Config, M2Terms};
pub(crate) use pixels::LOG_SCALE;
pub use plan::{Activation, Layer, Plan, Shape, Stage};
pub use prior::MOST_PSEUDO_INPUTS;
pub(crate) use prior::PSEUDO_INPUTS;
pub(crate) use state::{Values, to_values};
pub use vae::{TrainingPass, Vae};

use thiserror::Error;

/// What can be wrong with a network's configuration or its weights.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A configuration that no network can have.
    #[error("{name} is {value}, but must be {allowed}")]
    Configuration {
        /// The setting's name.
        name: &'static str,
        /// Its value.
        value: usize,
        /// What it may be.
        allowed: &'static str,
    },
    /// Images that the network cannot take.
    #[error("the network takes images of {expected} channel(s), but these have {found}")]
    Channels {
        /// What the network was made for.
        expected: usize,
        /// What the images have.
        found: usize,
    },
    /// Numbers that are no whole points of the latent space.
    #[error("{found} numbers are no whole points of {latent} dimensions")]
    Points {
        /// Dimensions of the latent space.
        latent: usize,
        /// How many numbers there are.
        found: usize,
    },
    /// A class for a network that is not conditional.
    #[error("this network is not conditional: it takes no class")]
    Unconditional,
    /// A class that a conditional network does not know.
    #[error("there is no class {class}: this network is conditional on {classes}, counted from 0")]
    UnknownClass {
        /// The class.
        class: u16,
        /// How many there are.
        classes: usize,
    },
    /// Images of which a conditional network is to be told the class, and that have none that it knows.
    #[error(
        "{missing} of {images} images have no class that this conditional network knows, and it takes none without: \
         give images with labels"
    )]
    Unlabelled {
        /// Images without such a class.
        missing: usize,
        /// How many images there are.
        images: usize,
    },
    /// Weights from which no network of this family can be read.
    #[error("these weights are not of this network: {reason}")]
    NotThisNetwork {
        /// What is missing or has an impossible shape.
        reason: String,
    },
    /// Weights whose names or shapes do not fit.
    #[error(transparent)]
    Weights(#[from] crate::weights::WeightsError),
}
