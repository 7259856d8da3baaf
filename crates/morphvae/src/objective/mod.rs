//! What is minimized: the negative evidence lower bound and its relatives, in nats per image.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::model::Posterior;

/// Keeps the logarithms finite where the decoder is certain.
const DELTA: f32 = 1e-7;

/// Which loss a network learns by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The variational autoencoder: `reconstruction + β · KL`, with noise in the latent space.
    #[default]
    Vae,
    /// The plain autoencoder: the reconstruction alone, without noise and without KL.
    Ae,
}

/// A loss and its two terms in nats per image. The loss is `reconstruction + β · KL`: at β = 1 the negative evidence
/// lower bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What is minimized.
    pub loss: f64,
    /// The cross-entropy between images and reconstructions. For grey pixels this is not a likelihood.
    pub reconstruction: f64,
    /// The Kullback-Leibler divergence from the prior, not weighted by β.
    pub kl: f64,
}

/// KL divergence of each latent's posterior from the standard normal prior, `[batch, latent]`, in nats:
/// `-1/2 (1 + log variance - mean² - variance)` (Kingma and Welling, 2014, appendix B).
#[must_use]
pub fn kl_divergence(posterior: &Posterior) -> Tensor<2> {
    let Posterior { mean, log_variance } = posterior;
    let mean_squared = mean.clone() * mean.clone();
    (log_variance.clone().add_scalar(1.0) - mean_squared - log_variance.clone().exp()).mul_scalar(-0.5)
}

/// Cross-entropy of each image with its reconstruction, `[batch]`, in nats, summed over the pixels:
/// `-Σ x log(y + δ) + (1 - x) log(1 - y + δ)` with `δ` = 1e-7. Both are `[batch, channels, height, width]`.
#[must_use]
pub fn cross_entropy(images: Tensor<4>, reconstruction: Tensor<4>) -> Tensor<1> {
    let images: Tensor<2> = images.flatten(1, 3);
    let reconstruction: Tensor<2> = reconstruction.flatten(1, 3);
    let ink = reconstruction.clone().add_scalar(DELTA).log();
    let paper = (-reconstruction).add_scalar(1.0).add_scalar(DELTA).log();
    // x a + (1 - x) b, in the form that needs one product fewer.
    let terms = images * (ink - paper.clone()) + paper;
    -terms.sum_dim(1).squeeze_dim::<1>(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_kl_divergence_is_that_of_the_closed_form() {
        let device = Device::flex();
        let posterior = Posterior {
            mean: Tensor::from_floats([[0.0, 1.5]], &device),
            log_variance: Tensor::from_floats([[0.0, -2.0]], &device),
        };
        let kl = to_vec(kl_divergence(&posterior).flatten::<1>(0, 1));
        // KL(N(m, s²), N(0, 1)) = (s² + m² - 1) / 2 - ln s
        let expected = ((-2.0_f32).exp() + 1.5 * 1.5 - 1.0) / 2.0 + 1.0;
        assert!(kl[0].abs() < 1e-7, "{kl:?}");
        assert!((kl[1] - expected).abs() < 1e-6, "{kl:?} {expected}");
    }

    #[test]
    fn the_cross_entropy_is_that_of_a_sum_over_pixels_and_stays_finite() {
        let device = Device::flex();
        let images = Tensor::<4>::from_floats([[[[0.0, 0.25], [1.0, 1.0]]]], &device);
        let outputs = Tensor::<4>::from_floats([[[[0.5, 0.25], [0.9, 0.0]]]], &device);
        let entropy = to_vec(cross_entropy(images, outputs));
        let expected = -(0.5_f64.ln() + 0.25 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln() + 0.9_f64.ln() + 1e-7_f64.ln());
        assert!(
            (f64::from(entropy[0]) - expected).abs() < 1e-4,
            "{entropy:?} {expected}"
        );
    }

    fn to_vec(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }
}
