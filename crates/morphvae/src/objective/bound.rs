//! The importance-weighted bound on the log-likelihood (Burda, Grosse and Salakhutdinov, 2016).
//!
//! Of K samples of an image's posterior, `log 1/K Σ w`, where `w = p(x|z) p(z) / q(z|x)`. It is the evidence lower bound of
//! one sample for K = 1, and comes nearer to `log p(x)` with every sample.

use burn::tensor::Tensor;

/// `log w` of samples, of any shape: `log p(x|z) - β log q(z|x) / p(z)`, where β is 1 in the paper.
///
/// `reconstruction` is `-log p(x|z)`, and `log_ratio` what [`log_ratio`](crate::probability::log_ratio) gives.
#[must_use]
pub fn log_weights<const D: usize>(reconstruction: Tensor<D>, log_ratio: Tensor<D>, beta: f64) -> Tensor<D> {
    (reconstruction + log_ratio.mul_scalar(beta)).neg()
}

/// What is minimized, the negative bound of each image, `[batch]`, in nats: `-log 1/K Σ w` of `log_weights`,
/// `[samples, batch]`.
#[must_use]
pub fn negative_bound(log_weights: Tensor<2>) -> Tensor<1> {
    let samples = log_weights.dims()[0] as f64;
    let largest = log_weights.clone().detach().max_dim(0);
    let sum = (log_weights - largest.clone()).exp().sum_dim(0).log();
    (sum + largest).neg().add_scalar(samples.ln()).squeeze_dim::<1>(0)
}

/// Which part of `Σ w` each sample is, `[samples, batch]`, as numbers that no gradient flows through.
#[must_use]
pub fn shares(log_weights: Tensor<2>) -> Tensor<2> {
    let log_weights = log_weights.detach();
    let weights = (log_weights.clone() - log_weights.max_dim(0)).exp();
    weights.clone() / weights.sum_dim(0)
}

/// What the way from the bound through each sample to the encoder is multiplied by, so that the density `q(z|x)` may be
/// taken for fixed: its share, where β is 1 (Tucker et al., 2019, equation 8), and in general `1 - β + β · share`.
///
/// For what is left out, `-β share · ∂log q(z|x)/∂φ`, is in expectation `-β ∂share/∂z · ∂z/∂φ`, and `∂share/∂z` is
/// `share (1 - share) · ∂log w/∂z`.
#[must_use]
pub fn path_weights(shares: Tensor<2>, beta: f64) -> Tensor<2> {
    shares.mul_scalar(beta).add_scalar(1.0 - beta)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::network::to_values;
    use crate::probability::{Posterior, kl_divergence, log_ratio};

    #[test]
    fn the_bound_is_the_logarithm_of_the_mean_weight() {
        let device = Device::flex();
        // Weights beyond the range of 32-bit numbers.
        let logs = [[-800.0_f32, 5.0], [-801.5, 5.0], [-799.25, 5.0]];
        let weights = Tensor::<2>::from_floats(logs, &device);
        let found = to_values(negative_bound(weights.clone()));
        let relative: f64 = [0.0_f64, -1.5, 0.75].iter().map(|log| log.exp()).sum();
        let truth = 800.0 - (relative / 3.0).ln();
        assert!((f64::from(found[0]) - truth).abs() < 1e-4, "{found:?} {truth}");
        assert!((found[1] + 5.0).abs() < 1e-6, "{found:?}");
        let parts = to_values(shares(weights).flatten::<1>(0, 1));
        assert!((f64::from(parts[0]) - 1.0 / relative).abs() < 1e-6, "{parts:?}");
        assert!(parts[1..].iter().step_by(2).all(|part| (part - 1.0 / 3.0).abs() < 1e-6));
    }

    #[test]
    fn the_reparameterized_gradient_is_that_of_the_bound_in_expectation() {
        const STEP: f64 = 0.3;
        // Of two samples all pairs of noise, each with its probability: sums over such a grid are integrals.
        let grid: Vec<f64> = (-20..=20).map(|index| f64::from(index) * STEP).collect();
        let pairs = || grid.iter().flat_map(|one| grid.iter().map(move |other| [*one, *other]));
        let count = grid.len() * grid.len();
        let device = Device::flex().autodiff();
        let tensor = |values: Vec<f64>, rows: usize| {
            let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows, 1]), &device)
        };
        let [one, other] = [0, 1].map(|sample| pairs().map(|pair| pair[sample]).collect::<Vec<_>>());
        let noise = tensor([one, other].concat(), 2 * count);
        let density = |e: f64| STEP * (-e * e / 2.0).exp() / TAU.sqrt();
        let probability = tensor(
            pairs().map(|[one, other]| density(one) * density(other)).collect(),
            count,
        );
        let probability = probability.squeeze_dim::<1>(1);
        // How far an image is from what a point decodes to.
        let errors = |z: Tensor<2>| (z.clone() - 1.0).powi_scalar(2).mul_scalar(0.7) + z.sin().mul_scalar(2.0);
        // A posterior for all images, anew for every way back to it, and its gradient.
        let leaf = |value: f32| Tensor::<2>::from_floats([[value]], &device).require_grad();
        let leaves = || [leaf(0.6), leaf(-0.8)];
        let posterior = |[mean, log_variance]: &[Tensor<2>; 2]| Posterior {
            mean: mean.clone().repeat_dim(0, count),
            log_variance: log_variance.clone().repeat_dim(0, count),
        };
        let gradient = |leaves: [Tensor<2>; 2], loss: Tensor<1>| {
            let gradients = loss.backward();
            leaves.map(|leaf| to_values(leaf.grad(&gradients).unwrap().flatten(0, 1))[0])
        };
        for beta in [1.0, 0.4] {
            let weights = |z: Tensor<2>, deviates, log_variance| {
                let ratio = log_ratio(z.clone(), deviates, log_variance, None).reshape([2, count]);
                log_weights(errors(z).reshape([2, count]), ratio, beta)
            };
            let expectation = |weights| (negative_bound(weights) * probability.clone()).sum();

            let one = leaves();
            let plain = posterior(&one);
            let z = plain.sample(noise.clone());
            let plain = weights(z, noise.clone(), plain.repeat(2).log_variance);
            let truth = gradient(one, expectation(plain));

            let other = leaves();
            let drawn = posterior(&other);
            let z = drawn.sample(noise.clone()).detach().require_grad();
            let fixed = drawn.detach().repeat(2);
            let deviates = (z.clone() - fixed.mean) * fixed.log_variance.clone().mul_scalar(-0.5).exp();
            let weights = weights(z.clone(), deviates, fixed.log_variance);
            let part = path_weights(shares(weights.clone()), beta).inner().reshape([-1, 1]);
            let pull = z.grad(&expectation(weights).backward()).unwrap() * part;
            let way = drawn.sample(noise.clone()) * pull.autodiff();
            let found = gradient(other, way.sum());
            for (found, truth) in found.iter().zip(truth) {
                assert!((found - truth).abs() < 1e-3, "{beta}: {found} {truth}");
            }
        }
    }

    #[test]
    fn one_sample_is_the_evidence_lower_bound_in_expectation() {
        // The logarithm of a weight is a quadratic function of the noise, so that ±1 stand for all of it exactly.
        let device = Device::flex().autodiff();
        let leaf = |values: [[f32; 2]; 1]| Tensor::<2>::from_floats(values, &device).require_grad();
        let posterior = || Posterior {
            mean: leaf([[0.7, -1.2]]),
            log_variance: leaf([[-1.5, 0.4]]),
        };
        let (sampled, closed) = (posterior(), posterior());
        let mut sum = Tensor::<1>::zeros([1], &device);
        for signs in [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]] {
            let noise = Tensor::<2>::from_floats([signs], &device);
            let (latents, variance) = (sampled.sample(noise.clone()), sampled.log_variance.clone());
            let ratio = log_ratio(latents, noise, variance, None).unsqueeze_dim(0);
            let logs = log_weights(Tensor::<2>::zeros([1, 1], &device), ratio, 0.6);
            sum = sum + negative_bound(logs).mul_scalar(0.25);
        }
        let truth = kl_divergence(&closed).sum().mul_scalar(0.6);
        let close = |one: Vec<f32>, other: Vec<f32>| {
            let pairs = one.iter().zip(&other);
            assert!(
                pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-5),
                "{one:?} {other:?}"
            );
        };
        close(to_values(sum.clone().inner()), to_values(truth.clone().inner()));
        let (found, truth) = (sum.backward(), truth.backward());
        for (one, other) in [
            (&sampled.mean, &closed.mean),
            (&sampled.log_variance, &closed.log_variance),
        ] {
            let gradients = [one.grad(&found), other.grad(&truth)];
            let [one, other] = gradients.map(|gradient| to_values(gradient.unwrap().flatten(0, 1)));
            close(one, other);
        }
    }
}
