//! How much more probable a latent point is for the encoder than for the prior.
//!
//! All densities leave out the constant that they share, `(2π)^(-latent/2)`.

use burn::tensor::Tensor;

use super::Posterior;

/// `log q(z|x) - log p(z)` of each point, `[points]`, in nats: what the KL divergence is the mean of.
///
/// `latents`, `[points, latent]`, are `mean + deviates · exp(log variance / 2)`. Gradients flow through `deviates`, too, if
/// they are not plain noise. The prior is the mixture of `components`, or else standard normal.
#[must_use]
pub fn log_ratio(
    latents: Tensor<2>,
    deviates: Tensor<2>,
    log_variance: Tensor<2>,
    components: Option<&Posterior>,
) -> Tensor<1> {
    let posterior = (deviates.clone() * deviates + log_variance).sum_dim(1).mul_scalar(-0.5);
    let posterior = posterior.squeeze_dim::<1>(1);
    match components {
        Some(components) => posterior - log_mixture(latents, components),
        None => {
            posterior
                + (latents.clone() * latents)
                    .sum_dim(1)
                    .mul_scalar(0.5)
                    .squeeze_dim::<1>(1)
        }
    }
}

/// The logarithm of the density of each point, `[points, latent]`, under Gaussians of equal weight: `[points]`.
fn log_mixture(latents: Tensor<2>, components: &Posterior) -> Tensor<1> {
    let Posterior { mean, log_variance } = components;
    let count = mean.dims()[0] as f64;
    // Σ (z - m)² / s² + log s², multiplied out, so that all points meet all components in two products of matrices.
    let precision = log_variance.clone().neg().exp();
    let weighted = mean.clone() * precision.clone();
    let own = (mean.clone() * weighted.clone() + log_variance.clone())
        .sum_dim(1)
        .transpose();
    let squares = (latents.clone() * latents.clone()).matmul(precision.transpose());
    let crossed = latents.matmul(weighted.transpose());
    let logs = (squares - crossed.mul_scalar(2.0) + own).mul_scalar(-0.5);
    let largest = logs.clone().detach().max_dim(1);
    let sum = (logs - largest.clone()).exp().sum_dim(1).log();
    (sum + largest).squeeze_dim::<1>(1).sub_scalar(count.ln())
}

/// The divergence of each latent's posterior from the prior's marginal, `[batch, latent]`, in nats, where that is taken for
/// a normal distribution of the mixture's mean and variance. It says which latents carry something; the whole of the
/// divergence it is not.
#[must_use]
pub fn marginal_divergence(posterior: &Posterior, components: &Posterior) -> Tensor<2> {
    let mean = components.mean.clone().mean_dim(0);
    let apart = components.mean.clone() - mean.clone();
    let variance = (components.log_variance.clone().exp() + apart.clone() * apart).mean_dim(0);
    let log_variance = posterior.log_variance.clone() - variance.clone().log();
    let distance = posterior.mean.clone() - mean;
    let squares = (posterior.log_variance.clone().exp() + distance.clone() * distance) / variance;
    (squares - log_variance).sub_scalar(1.0).mul_scalar(0.5)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use burn::tensor::Device;

    use super::*;
    use crate::network::to_values;
    use crate::probability::kl_divergence;

    fn posterior(mean: [[f32; 2]; 3], log_variance: [[f32; 2]; 3]) -> Posterior {
        let device = Device::flex();
        Posterior {
            mean: Tensor::from_floats(mean, &device),
            log_variance: Tensor::from_floats(log_variance, &device),
        }
    }

    fn normal(z: f64, mean: f64, variance: f64) -> f64 {
        (-(z - mean).powi(2) / (2.0 * variance)).exp() / (TAU * variance).sqrt()
    }

    #[test]
    fn the_mixture_is_the_mean_of_its_components_densities() {
        let (means, logs) = (
            [[0.3, -1.0], [2.5, 0.1], [-40.0, 3.0]],
            [[-4.0, 0.5], [0.2, -1.0], [0.0, 1.0]],
        );
        let points = [[0.25_f32, -0.7], [1.0, 1.0], [-38.0, 2.0]];
        let found = log_mixture(Tensor::from_floats(points, &Device::flex()), &posterior(means, logs));
        for (point, found) in points.iter().zip(to_values(found)) {
            let component = |(mean, log): (&[f32; 2], &[f32; 2])| -> f64 {
                let density = |axis: usize| {
                    let [z, mean, log] = [point[axis], mean[axis], log[axis]].map(f64::from);
                    normal(z, mean, log.exp())
                };
                density(0) * density(1)
            };
            let sum: f64 = means.iter().zip(&logs).map(component).sum();
            // With the constant that is left out.
            let truth = (sum / 3.0).ln() + TAU.ln();
            assert!((f64::from(found) - truth).abs() < 1e-3, "{point:?}: {found} {truth}");
        }
    }

    #[test]
    fn a_prior_of_standard_normals_has_the_divergence_of_one() {
        let encoded = posterior(
            [[0.3, -1.0], [2.5, 0.1], [0.0, 0.0]],
            [[-4.0, 0.5], [0.2, -1.0], [0.0, 0.0]],
        );
        let standard = posterior([[0.0; 2]; 3], [[0.0; 2]; 3]);
        let found = to_values(marginal_divergence(&encoded, &standard).flatten(0, 1));
        let truth = to_values(kl_divergence(&encoded).flatten(0, 1));
        assert!(
            found.iter().zip(&truth).all(|(a, b)| (a - b).abs() < 1e-5),
            "{found:?} {truth:?}"
        );
        let noise = Tensor::<2>::from_floats([[0.5, -1.0], [1.5, 0.1], [-0.2, 0.3]], &Device::flex());
        let latents = encoded.sample(noise.clone());
        let ratio = |components| {
            let variance = encoded.log_variance.clone();
            to_values(log_ratio(latents.clone(), noise.clone(), variance, components))
        };
        let (found, truth) = (ratio(Some(&standard)), ratio(None));
        assert!(
            found.iter().zip(&truth).all(|(a, b)| (a - b).abs() < 1e-4),
            "{found:?} {truth:?}"
        );
        // One that is the posterior itself says nothing more.
        let own = Posterior {
            mean: encoded.mean.clone().slice([0..1, 0..2]),
            log_variance: encoded.log_variance.clone().slice([0..1, 0..2]),
        };
        assert!(ratio(Some(&own))[0].abs() < 1e-4);
    }
}
