//! What is minimized: the negative evidence lower bound and its relatives, in nats per image.
//!
//! [`Objective::terms`] says what a batch's loss is the sum of: how far the true images are from what the decoder says,
//! and the divergence of the encoder's answer from the prior. The importance-weighted bound is no such sum, but made of
//! [`log_weights`] of several samples.

mod bound;
mod terms;

pub use bound::{log_weights, negative_bound, path_weights, shares};
pub use terms::{Sums, Terms};

use serde::{Deserialize, Serialize};

use crate::choice::Choice;

/// Which loss a network learns by. What it is the sum of, [`Objective::terms`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The variational autoencoder: `reconstruction + β · KL`, with noise in the latent space.
    #[default]
    Vae,
    /// The plain autoencoder: the reconstruction alone, without noise and without KL.
    Ae,
    /// The importance-weighted autoencoder: the [bound](negative_bound) of several samples (Burda et al., 2016).
    Iwae,
    /// The same, where the encoder goes down by the doubly reparameterized gradient (Tucker et al., 2019): the same in
    /// expectation, and with less noise the more samples there are.
    Dreg,
}

/// Samples of an image's posterior that are enough for any training.
pub const MOST_SAMPLES: usize = 10_000;

impl Choice for Objective {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Vae, "vae", "Variational autoencoder"),
        (Self::Ae, "ae", "Plain autoencoder"),
        (
            Self::Iwae,
            "iwae",
            "Importance-weighted autoencoder: a tighter bound, of several samples",
        ),
        (
            Self::Dreg,
            "dreg",
            "The same with a less noisy gradient of the encoder, doubly reparameterized",
        ),
    ];
}

impl Objective {
    /// Whether codes are distributions, which are sampled, and held against a prior.
    #[must_use]
    pub fn is_variational(self) -> bool {
        match self {
            Self::Vae | Self::Iwae | Self::Dreg => true,
            Self::Ae => false,
        }
    }

    /// Whether what is minimized is the importance-weighted bound.
    #[must_use]
    pub fn is_importance_weighted(self) -> bool {
        match self {
            Self::Iwae | Self::Dreg => true,
            Self::Vae | Self::Ae => false,
        }
    }
}

/// A loss and its two terms in nats per image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What is minimized: at β = 1 the negative evidence lower bound, or the negative importance-weighted one, which is
    /// less than the sum of the terms.
    pub loss: f64,
    /// How far the images are from what the decoder says: what
    /// [`Likelihood::term`](crate::probability::Likelihood::term) calls it. That of a density can be below zero.
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
