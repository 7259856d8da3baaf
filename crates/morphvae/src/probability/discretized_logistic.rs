//! The discretized logistic distribution: pixels as what they are, one of 256 levels.

use std::f64::consts::LN_2;

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;

use super::bounded;

/// The number of the brightest level.
const BRIGHTEST: f64 = 255.0;

/// Negative log-likelihood of each image, `[batch]`, in nats: a pixel has the level that a logistic variable around
/// `location` with the learned scale `s` rounds to, and the darkest and the brightest level take all beyond them
/// (Salimans, Karpathy, Chen and Kingma, 2017, with one distribution instead of a mixture).
///
/// `images` and `location` are `[batch, channels, height, width]`, and pixels are rounded to their level; `log_scale`,
/// `[1]`, is log s, and is used within bounds: between what rounding to 256 levels makes and the whole range of a
/// pixel.
///
/// With `a` and `b` the distances from the location to the upper and the lower end of the level, in scales, a level's
/// probability `σ(a) - σ(b)` is computed as `σ(a) σ(-b) (1 - exp(b - a))`: nothing cancels, however far out it is.
#[must_use]
pub fn discretized_logistic(images: Tensor<4>, location: Tensor<4>, log_scale: Tensor<1>) -> Tensor<1> {
    let levels: Tensor<2> = images.flatten::<2>(1, 3).mul_scalar(BRIGHTEST).round();
    let [_, pixels] = levels.dims();
    let darkest = levels.clone().equal_elem(0.0);
    let brightest = levels.clone().equal_elem(BRIGHTEST);
    let ends = (darkest.clone().float() + brightest.clone().float())
        .sum_dim(1)
        .squeeze_dim::<1>(1);

    // A level's width in scales.
    let width = bounded(log_scale).neg().exp().div_scalar(BRIGHTEST);
    let scales = width.clone().unsqueeze::<2>();
    let distance = levels - location.flatten::<2>(1, 3).mul_scalar(BRIGHTEST);
    let below_upper_end = log_sigmoid(distance.clone().add_scalar(0.5) * scales.clone()).mask_fill(brightest, 0.0);
    let above_lower_end = log_sigmoid(distance.neg().add_scalar(0.5) * scales).mask_fill(darkest, 0.0);
    let inside = (below_upper_end + above_lower_end).sum_dim(1).squeeze_dim::<1>(1);
    let between = ends.neg().add_scalar(pixels as f64);
    -(inside + between * log_one_minus_exp(width))
}

/// `log(1 - exp(-x))` for `x` above zero, also for small ones: with `t = tanh(x / 2)` it is `log(2 t / (1 + t))`.
fn log_one_minus_exp(x: Tensor<1>) -> Tensor<1> {
    let tanh = x.mul_scalar(0.5).tanh();
    tanh.clone().log() - tanh.log1p().sub_scalar(LN_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probability::check::{assert_agrees, assert_close, derivatives, losses};

    const LOG_SCALES: [f32; 4] = [-6.0, -4.0, -2.0, -0.1];
    const LOCATIONS: [f32; 5] = [1e-4, 0.1, 0.5, 0.8, 0.9999];

    fn all_levels() -> Vec<f32> {
        (0..=255).map(|level| level as f32 / 255.0).collect()
    }

    /// The difference of two logistic distribution functions, as written in the paper, taken on the side where both
    /// are small.
    fn definition(x: f64, y: f64, log_scale: f64) -> f64 {
        let level = (x * 255.0).round();
        let [upper, lower] = [0.5, -0.5].map(|half| ((level + half) / 255.0 - y) / log_scale.exp());
        let below = |t: f64| 1.0 / (1.0 + (-t).exp());
        let probability = if level == 0.0 {
            below(upper)
        } else if level == 255.0 {
            below(-lower)
        } else if lower > 0.0 {
            below(-lower) - below(-upper)
        } else {
            below(upper) - below(lower)
        };
        -probability.ln()
    }

    #[test]
    fn values_and_derivatives_are_those_of_the_definition() {
        let pixels = [0.0, 0.003_9, 0.2, 0.5, 0.996, 1.0];
        assert_agrees(discretized_logistic, definition, &pixels, &LOCATIONS, &LOG_SCALES);
    }

    #[test]
    fn the_levels_share_all_probability() {
        for location in LOCATIONS {
            for log_scale in LOG_SCALES {
                let losses = losses(discretized_logistic, &all_levels(), location, log_scale);
                let sum: f64 = losses.into_iter().map(|loss| (-loss).exp()).sum();
                assert_close(sum, 1.0, 1e-5, &format!("location {location}, log scale {log_scale}"));
            }
        }
    }

    #[test]
    fn a_pixel_far_out_keeps_its_probability() {
        // Black pixels one level up, under a white and sharp decoder: exp(-800) is zero in 32 and in 64 bits.
        let (pixel, location, log_scale) = (1.0 / 255.0, 1.0, -7.0);
        let loss = losses(discretized_logistic, &[pixel], location, log_scale)[0];
        let scale = f64::from(crate::probability::scale::FINEST).exp();
        // log(σ(a) - σ(b)) tends to a + log(1 - exp(b - a)) far to the left.
        let upper = (1.5 / 255.0 - 1.0) / scale;
        let truth = -upper - (-(-1.0 / (255.0 * scale)).exp()).ln_1p();
        assert_close(loss, truth, 1e-5, "far out");
        let [by_location, _] = derivatives(discretized_logistic, pixel, location, log_scale);
        assert_close(by_location, 1.0 / scale, 1e-4, "derivative far out");
    }

    #[test]
    fn pixels_between_levels_are_rounded() {
        let losses = losses(discretized_logistic, &[100.3 / 255.0, 100.0 / 255.0], 0.4, -3.0);
        assert_eq!(losses[0], losses[1]);
    }
}
