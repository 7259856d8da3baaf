//! The network: its configuration, its layers, and its weights under PyTorch's names.
//!
//! [`NetworkConfig`] says what kind of network it is and how large, its [`Plan`] of which stages it is made, and [`Vae`]
//! holds the weights and computes; [`Inference`] is a `Vae`
//! made ready to be used again and again. Whoever only needs images at points asks a [`Decoder`].

mod accelerate;
mod architecture;
mod decoder;
mod inference;
mod layers;
mod pixels;
mod plan;
mod prior;
mod stack;
mod state;
mod vae;

pub(crate) use accelerate::{Kernel, kernels};
pub use architecture::{
    Architecture, HiddenActivation, LARGEST_SIDE, MOST_BASE_CHANNELS, MOST_HIDDEN_LAYERS, MOST_HIDDEN_UNITS,
    MOST_LATENTS, NetworkConfig, REFERENCE_SIDES,
};
pub use decoder::Decoder;
pub(crate) use inference::BATCH;
pub use inference::Inference;
pub use layers::BatchStatistics;
pub(crate) use layers::StageWeights;
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
