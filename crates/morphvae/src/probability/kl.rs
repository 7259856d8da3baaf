//! The divergence from the prior.

use burn::tensor::Tensor;

use super::Posterior;

/// KL divergence of each latent's posterior from the standard normal prior, `[batch, latent]`, in nats:
/// `-1/2 (1 + log variance - mean² - variance)` (Kingma and Welling, 2014, appendix B).
#[must_use]
pub fn kl_divergence(posterior: &Posterior) -> Tensor<2> {
    let Posterior { mean, log_variance } = posterior;
    let mean_squared = mean.clone() * mean.clone();
    (log_variance.clone().add_scalar(1.0) - mean_squared - log_variance.clone().exp()).mul_scalar(-0.5)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::network::to_values;

    #[test]
    fn the_kl_divergence_is_that_of_the_closed_form() {
        let device = Device::flex();
        let posterior = Posterior {
            mean: Tensor::from_floats([[0.0, 1.5]], &device),
            log_variance: Tensor::from_floats([[0.0, -2.0]], &device),
        };
        let kl = to_values(kl_divergence(&posterior).flatten::<1>(0, 1));
        // KL(N(m, s²), N(0, 1)) = (s² + m² - 1) / 2 - ln s
        let expected = ((-2.0_f32).exp() + 1.5 * 1.5 - 1.0) / 2.0 + 1.0;
        assert!(kl[0].abs() < 1e-7, "{kl:?}");
        assert!((kl[1] - expected).abs() < 1e-6, "{kl:?} {expected}");
    }
}
