//! The loss of each image by itself.

use crate::objective::Loss;
use crate::tables::{Column, Numbers};

/// What each image adds to the losses, in nats; their means are those of the whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageLosses {
    /// The reconstruction term and the weighted KL divergence together, or the importance-weighted bound, `[images]`.
    pub loss: Vec<f64>,
    /// The cross-entropy or the negative log-likelihood, `[images]`.
    pub reconstruction: Vec<f64>,
    /// The KL divergence, summed over the latent dimensions, `[images]`; zeros for a plain autoencoder.
    pub kl: Vec<f64>,
}

impl ImageLosses {
    /// The losses for a [`Table`](crate::tables::Table).
    #[must_use]
    pub fn columns(&self) -> Vec<Column<'_>> {
        let Self {
            loss,
            reconstruction,
            kl,
        } = self;
        [("loss", loss), ("reconstruction", reconstruction), ("kl", kl)]
            .map(|(name, values)| Column {
                name,
                numbers: Numbers::One(values),
            })
            .into()
    }

    /// Adds a batch: the reconstruction terms, `[batch]`, the KL divergences, `[batch, latent]` or none, and the bounds,
    /// `[batch]`, where those are what is minimized.
    pub(super) fn push(&mut self, reconstruction: &[f32], divergences: &[f32], bounds: Option<&[f32]>, beta: f64) {
        let latent = divergences.len() / reconstruction.len().max(1);
        for (index, &reconstruction) in reconstruction.iter().enumerate() {
            let reconstruction = f64::from(reconstruction);
            let kl: f64 = divergences[index * latent..][..latent]
                .iter()
                .copied()
                .map(f64::from)
                .sum();
            let loss = Loss::new(reconstruction, kl, beta);
            self.loss.push(bounds.map_or(loss.loss, |bounds| bounds[index].into()));
            self.reconstruction.push(loss.reconstruction);
            self.kl.push(loss.kl);
        }
    }
}
