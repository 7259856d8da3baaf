//! What is minimized: the negative evidence lower bound and its relatives, in nats per image.
//!
//! [`Objective::terms`] says what a batch's loss is the sum of: how far the true images are from what the decoder says,
//! and the divergence of the encoder's answer from the prior.

mod terms;

pub use terms::Terms;

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
}

impl Choice for Objective {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Vae, "vae", "Variational autoencoder"),
        (Self::Ae, "ae", "Plain autoencoder"),
    ];
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
