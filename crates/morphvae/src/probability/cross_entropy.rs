//! The cross-entropy: the likelihood of pixels that are black or white, and of grey ones none.

use burn::tensor::Tensor;

/// Keeps the logarithms finite where the decoder is certain.
pub(crate) const DELTA: f32 = 1e-7;

/// Cross-entropy of each image with its reconstruction, `[batch]`, in nats, summed over the pixels:
/// `-Σ x log(y + δ) + (1 - x) log(1 - y + δ)` with `δ` = 1e-7. Both are `[batch, channels, height, width]`.
#[must_use]
pub fn cross_entropy(images: Tensor<4>, reconstruction: Tensor<4>) -> Tensor<1> {
    let images: Tensor<2> = images.flatten(1, 3);
    let [ink, paper] = log_odds(reconstruction.flatten(1, 3));
    // x a + (1 - x) b, in the form that needs one product fewer.
    let terms = images * (ink - paper.clone()) + paper;
    -terms.sum_dim(1).squeeze_dim::<1>(1)
}

/// The logarithms of `y + δ` and of `1 - y + δ`.
pub(super) fn log_odds<const D: usize>(location: Tensor<D>) -> [Tensor<D>; 2] {
    let ink = location.clone().add_scalar(DELTA).log();
    let paper = (-location).add_scalar(1.0).add_scalar(DELTA).log();
    [ink, paper]
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::network::to_values;

    #[test]
    fn the_cross_entropy_is_that_of_a_sum_over_pixels_and_stays_finite() {
        let device = Device::flex();
        let images = Tensor::<4>::from_floats([[[[0.0, 0.25], [1.0, 1.0]]]], &device);
        let outputs = Tensor::<4>::from_floats([[[[0.5, 0.25], [0.9, 0.0]]]], &device);
        let entropy = to_values(cross_entropy(images, outputs));
        let expected = -(0.5_f64.ln() + 0.25 * 0.25_f64.ln() + 0.75 * 0.75_f64.ln() + 0.9_f64.ln() + 1e-7_f64.ln());
        assert!(
            (f64::from(entropy[0]) - expected).abs() < 1e-4,
            "{entropy:?} {expected}"
        );
    }
}
