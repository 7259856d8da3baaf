//! What a batch's loss is the sum of.

use burn::tensor::Tensor;

use super::{Loss, Objective, negative_bound};
use crate::probability::{Posterior, kl_divergence};

/// The terms of a batch's loss, in nats.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How far each image is from what the decoder says, `[batch]`: the mean over its samples.
    pub reconstruction: Tensor<1>,
    /// The KL divergence from the prior of each image's latents, `[batch, latent]`, or of all of them at once, `[batch, 1]`;
    /// none for the plain autoencoder.
    pub kl: Option<Tensor<2>>,
    /// The weight of the KL divergence.
    pub beta: f64,
    /// Nats of each latent that cost no less than they are; see [`Terms::with_free_bits`].
    pub free_bits: f64,
    /// What is minimized of each image, `[batch]`, where it is not the sum of the terms; see [`Terms::with_weights`].
    pub bound: Option<Tensor<1>>,
}

impl Objective {
    /// The terms of a batch: `reconstruction`, `[samples, batch]`, is how far its images are from what the decoder says of
    /// each of their samples.
    #[must_use]
    pub fn terms(self, reconstruction: Tensor<2>, posterior: &Posterior, beta: f64) -> Terms {
        Terms {
            reconstruction: reconstruction.mean_dim(0).squeeze_dim(0),
            kl: self.is_variational().then(|| kl_divergence(posterior)),
            beta,
            free_bits: 0.0,
            bound: None,
        }
    }
}

impl Terms {
    /// The same with the KL divergence from another prior than the standard normal: the mean over samples of their
    /// [ratios](crate::probability::log_ratio), `[samples, batch]`.
    #[must_use]
    pub fn with_log_ratios(self, log_ratios: Tensor<2>) -> Self {
        Self {
            kl: Some(log_ratios.mean_dim(0).transpose()),
            ..self
        }
    }

    /// The same with free bits, λ: each latent's mean divergence over the batch counts as λ nats if it is less, so that
    /// nothing pulls it further down (Kingma et al., 2016, appendix C.8): `Σ_latents max(λ, mean KL)`.
    #[must_use]
    pub fn with_free_bits(self, nats: f64) -> Self {
        Self {
            free_bits: nats,
            ..self
        }
    }

    /// The same where the importance-weighted bound is minimized, of samples with these [`log_weights`](super::log_weights),
    /// `[samples, batch]`.
    #[must_use]
    pub fn with_weights(self, log_weights: Tensor<2>) -> Self {
        Self {
            bound: Some(negative_bound(log_weights)),
            ..self
        }
    }

    /// What is minimized, `[1]`, summed over pixels, latents and the batch as the optimizer and its penalty must see it;
    /// and what is to be told of it, where the divergence is as it is, without free bits.
    #[must_use]
    pub fn sum(self) -> (Tensor<1>, Sums) {
        let reconstruction = self.reconstruction.sum();
        let (sum, kl) = match self.kl {
            Some(kl) => {
                let found = kl.clone().sum();
                let counted = match self.free_bits {
                    0.0 => found.clone(),
                    nats => {
                        let least = nats * kl.dims()[0] as f64;
                        kl.sum_dim(0).clamp_min(least).sum()
                    }
                };
                (reconstruction.clone() + counted.mul_scalar(self.beta), Some(found))
            }
            None => (reconstruction.clone(), None),
        };
        let loss = self.bound.map_or(sum, Tensor::sum);
        let sums = Sums {
            loss: loss.clone().inner(),
            reconstruction: reconstruction.inner(),
            kl: kl.map(Tensor::inner),
        };
        (loss, sums)
    }
}

/// A batch's loss and its terms, summed over pixels, latents and the batch, where they were computed: reading them waits
/// until that is done.
#[derive(Clone, Debug)]
pub struct Sums {
    loss: Tensor<1>,
    reconstruction: Tensor<1>,
    kl: Option<Tensor<1>>,
}

impl Sums {
    /// The numbers of several batches, read at once.
    #[must_use]
    pub fn read(batches: Vec<Self>) -> Vec<Loss> {
        if batches.is_empty() {
            return Vec::new();
        }
        let terms = batches.into_iter().flat_map(|sums| {
            let kl = sums.kl.unwrap_or_else(|| sums.loss.zeros_like());
            [sums.loss, sums.reconstruction, kl]
        });
        let values = Tensor::cat(terms.collect(), 0).into_data();
        let values = values.try_into_vec::<f32>().expect("losses are 32-bit floats");
        let loss = |terms: &[f32]| Loss {
            loss: terms[0].into(),
            reconstruction: terms[1].into(),
            kl: terms[2].into(),
        };
        values.chunks_exact(3).map(loss).collect()
    }
}
