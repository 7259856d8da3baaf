//! What is minimized: the negative evidence lower bound and its relatives, in nats per image.
//!
//! A loss has two terms: the divergence of the encoder's answer from the prior ([`kl_divergence`]), and how far the
//! true images are from what the decoder says. What the decoder says of a pixel is the location of a distribution, and
//! [`Likelihood`] names which; there is one file for each.

mod continuous_bernoulli;
mod cross_entropy;
mod discretized_logistic;
mod gaussian;
mod kl;
mod likelihood;
mod scale;
mod terms;

#[cfg(test)]
mod check;

pub use continuous_bernoulli::{continuous_bernoulli, continuous_bernoulli_mean};
pub(crate) use cross_entropy::DELTA;
pub use cross_entropy::cross_entropy;
pub use discretized_logistic::discretized_logistic;
pub use gaussian::gaussian;
pub use kl::kl_divergence;
pub use likelihood::Likelihood;
pub(crate) use scale::bounded;
pub use terms::Terms;

use serde::{Deserialize, Serialize};

/// Which loss a network learns by. What it is the sum of, [`Objective::terms`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The variational autoencoder: `reconstruction + β · KL`, with noise in the latent space.
    #[default]
    Vae,
    /// The plain autoencoder: the reconstruction alone, without noise and without KL.
    Ae,
}

impl Objective {
    /// Whether codes are distributions, which are sampled, and held against a prior.
    #[must_use]
    pub fn is_variational(self) -> bool {
        match self {
            Self::Vae => true,
            Self::Ae => false,
        }
    }
}

/// A loss and its two terms in nats per image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What is minimized: at β = 1 the negative evidence lower bound.
    pub loss: f64,
    /// How far the images are from what the decoder says: what [`Likelihood::term`] calls it. That of a density can be
    /// below zero.
    pub reconstruction: f64,
    /// The Kullback-Leibler divergence from the prior, not weighted by β.
    pub kl: f64,
}

impl Loss {
    /// The loss that is the sum of these terms.
    #[must_use]
    pub fn new(reconstruction: f64, kl: f64, beta: f64) -> Self {
        Self {
            loss: reconstruction + beta * kl,
            reconstruction,
            kl,
        }
    }
}
