//! The continuous Bernoulli distribution, for grey values that crowd at both ends (Loaiza-Ganem and Cunningham, 2019).
//!
//! Its density on [0, 1] is `C(λ) λˣ (1 - λ)¹⁻ˣ` with `C(λ) = 2 artanh(1 - 2λ) / (1 - 2λ)`. In the logit
//! `η = log(λ / (1 - λ))` that is `C = η / tanh(η / 2)`, even and smooth, but `0 / 0` in the middle, where its
//! derivative and the mean are small differences of large numbers: there their series are used.

use std::f64::consts::LN_2;

use burn::tensor::{Bool, Tensor};

use super::cross_entropy::log_odds;

/// Logits closer to zero than this are near. From here on rounding costs what they replace less than a millionth, and
/// up to here the series, and their derivatives, are better than that.
const NEAR: f32 = 0.3;

/// Negative log-likelihood of each image, `[batch]`, in nats: of the continuous Bernoulli density with parameter λ at
/// each pixel of `location`: `-Σ x log λ + (1 - x) log(1 - λ) + log C(λ)`. It is a density, so it can be below zero.
///
/// `images` and `location` are `[batch, channels, height, width]`. As in the cross-entropy, λ keeps 1e-7 away from 0
/// and 1.
#[must_use]
pub fn continuous_bernoulli(images: Tensor<4>, location: Tensor<4>) -> Tensor<1> {
    let images: Tensor<2> = images.flatten(1, 3);
    let [ink, paper] = log_odds(location.flatten(1, 3));
    let logits = ink - paper.clone();
    let terms = images * logits.clone() + paper + log_normalizer(logits);
    -terms.sum_dim(1).squeeze_dim::<1>(1)
}

/// The mean of each pixel's distribution, of any shape: `λ / (2λ - 1) + 1 / (2 artanh(1 - 2λ))`, and 1/2 for λ = 1/2.
/// It is nearer to the middle than λ.
#[must_use]
pub fn continuous_bernoulli_mean<const D: usize>(location: Tensor<D>) -> Tensor<D> {
    let [ink, paper] = log_odds(location);
    let logits = ink - paper;
    let (near, far) = split(&logits);
    let square = logits.clone() * logits.clone();
    let series = logits * polynomial(square, [1.0 / 12.0, -1.0 / 720.0, 1.0 / 30_240.0]);
    let exact = far.clone().mul_scalar(0.5).tanh().recip().mul_scalar(0.5) - far.recip();
    exact.mask_where(near, series).add_scalar(0.5)
}

/// `log C` of logits.
fn log_normalizer(logits: Tensor<2>) -> Tensor<2> {
    let (near, far) = split(&logits);
    let square = logits.clone() * logits;
    let series = (square.clone() * polynomial(square, [1.0 / 12.0, -7.0 / 1440.0, 31.0 / 90_720.0])).add_scalar(LN_2);
    let exact = (far.clone() / far.mul_scalar(0.5).tanh()).log();
    exact.mask_where(near, series)
}

/// Which logits are near zero, and the logits with others in the place of those, so that nothing that is computed of
/// them, nor a derivative of it, is infinite.
fn split<const D: usize>(logits: &Tensor<D>) -> (Tensor<D, Bool>, Tensor<D>) {
    let near = logits.clone().abs().lower_elem(NEAR);
    let far = logits.clone().mask_fill(near.clone(), 1.0);
    (near, far)
}

/// `a + b x + c x²`
fn polynomial<const D: usize>(x: Tensor<D>, [a, b, c]: [f64; 3]) -> Tensor<D> {
    (x.clone().mul_scalar(c).add_scalar(b) * x).add_scalar(a)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::network::to_values;
    use crate::probability::check::{assert_agrees, assert_close, derivatives, integral, losses, points};

    const LOSS: fn(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<1> =
        |images, location, _| continuous_bernoulli(images, location);

    /// Both sides of the middle and of where the series end (λ = 0.4256 and 0.5744), and close to the ends.
    const LOCATIONS: [f32; 14] = [
        1e-4, 0.01, 0.3, 0.4255, 0.4256, 0.49, 0.4999, 0.5, 0.500_001, 0.503, 0.5744, 0.5745, 0.9, 0.9999,
    ];

    /// The formula as published, with λ as close to the ends as the loss lets it be.
    fn definition(x: f64, y: f64, _: f64) -> f64 {
        let lambda = (y + 1e-7) / (1.0 + 2e-7);
        let from_middle = 1.0 - 2.0 * lambda;
        let normalizer = if from_middle.abs() < 1e-4 {
            2.0 + 2.0 * from_middle * from_middle / 3.0
        } else {
            2.0 * from_middle.atanh() / from_middle
        };
        -(x * lambda.ln() + (1.0 - x) * (1.0 - lambda).ln() + normalizer.ln())
    }

    /// Densities of a thousand pixels.
    fn density(location: f32) -> (Vec<f32>, Vec<f64>) {
        let pixels = points(1001);
        let density = losses(LOSS, &pixels, location, 0.0)
            .into_iter()
            .map(|loss| (-loss).exp())
            .collect();
        (pixels, density)
    }

    fn means(locations: &[f32]) -> Vec<f64> {
        let locations = TensorData::new(locations.to_vec(), [locations.len()]);
        let means = continuous_bernoulli_mean(Tensor::<1>::from_data(locations, &Device::flex()));
        to_values(means).into_iter().map(f64::from).collect()
    }

    #[test]
    fn values_and_derivatives_are_those_of_the_definition() {
        assert_agrees(LOSS, definition, &[0.0, 0.25, 0.5, 1.0], &LOCATIONS, &[0.0]);
    }

    #[test]
    fn the_density_integrates_to_one_and_its_mean_is_the_mean() {
        for (location, mean) in LOCATIONS.into_iter().zip(means(&LOCATIONS)) {
            let (pixels, density) = density(location);
            assert_close(integral(&density), 1.0, 1e-5, &format!("integral at {location}"));
            let moments: Vec<f64> = pixels.iter().zip(density).map(|(&x, p)| f64::from(x) * p).collect();
            assert_close(mean, integral(&moments), 1e-5, &format!("mean at {location}"));
        }
    }

    #[test]
    fn the_derivative_vanishes_where_the_pixel_is_the_mean() {
        // d/dη of the loss is mean - x: a slip of either shows.
        for (location, mean) in LOCATIONS.into_iter().zip(means(&LOCATIONS)) {
            let [derivative, _] = derivatives(LOSS, mean as f32, location, 0.0);
            let by_logit = derivative * f64::from(location * (1.0 - location));
            assert!(by_logit.abs() < 1e-6, "{location}: {by_logit}");
        }
    }

    #[test]
    fn nothing_jumps_near_the_middle() {
        // A thousand neighbouring numbers about the middle, and about where the series end.
        for centre in [0.5_f32, 0.425_557_5, 0.574_442_5] {
            let locations: Vec<f32> = (-500..500)
                .map(|ulps| f32::from_bits((centre.to_bits() as i32 + ulps) as u32))
                .collect();
            let means = means(&locations);
            for (pair, place) in means.windows(2).zip(&locations) {
                assert!((pair[1] - pair[0]).abs() < 1e-6, "{place}: {pair:?}");
            }
            let truth = definition(0.3, centre.into(), 0.0);
            for location in locations {
                assert_close(losses(LOSS, &[0.3], location, 0.0)[0], truth, 1e-4, "loss");
            }
        }
    }

    #[test]
    fn a_certain_decoder_has_finite_losses_and_derivatives() {
        for (pixel, location) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 1e-30)] {
            let loss = losses(LOSS, &[pixel], location, 0.0)[0];
            let [derivative, _] = derivatives(LOSS, pixel, location, 0.0);
            assert!(
                loss.is_finite() && derivative.is_finite(),
                "{pixel} {location}: {loss} {derivative}"
            );
        }
        assert!(means(&[0.0, 1.0]).iter().all(|mean| (0.0..=1.0).contains(mean)));
    }
}
