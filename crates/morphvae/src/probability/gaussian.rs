//! The Gaussian with a learned standard deviation.

use std::f64::consts::TAU;

use burn::tensor::Tensor;

use super::bounded;

/// Negative log-likelihood of each image, `[batch]`, in nats: of a Gaussian density around each pixel of `location`,
/// all with one standard deviation σ, which is learned (Rybkin, Daniilidis and Levine, 2021):
/// `Σ (x - y)² / (2 σ²) + log σ + log(2π) / 2`.
///
/// `images` and `location` are `[batch, channels, height, width]`; `log_scale`, `[1]`, is log σ, and is used within
/// bounds: between what rounding to 256 levels makes and the whole range of a pixel.
#[must_use]
pub fn gaussian(images: Tensor<4>, location: Tensor<4>, log_scale: Tensor<1>) -> Tensor<1> {
    let [_, channels, height, width] = images.dims();
    let pixels = (channels * height * width) as f64;
    let log_scale = bounded(log_scale);
    let difference: Tensor<2> = (images - location).flatten(1, 3);
    let squares = (difference.clone() * difference).sum_dim(1).squeeze_dim::<1>(1);
    let half_precision = log_scale.clone().mul_scalar(-2.0).exp().mul_scalar(0.5);
    squares * half_precision + log_scale.add_scalar(0.5 * TAU.ln()).mul_scalar(pixels)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::network::to_values;
    use crate::probability::check::{assert_agrees, assert_close, derivatives, losses};
    use crate::probability::scale::FINEST;

    fn definition(x: f64, y: f64, log_scale: f64) -> f64 {
        let z = (x - y) / log_scale.exp();
        z * z / 2.0 + log_scale + TAU.ln() / 2.0
    }

    #[test]
    fn values_and_derivatives_are_those_of_the_definition() {
        let pixels = [0.0, 0.2, 0.5, 1.0];
        assert_agrees(gaussian, definition, &pixels, &[1e-4, 0.3, 0.999], &[-6.0, -2.3, -0.1]);
    }

    #[test]
    fn the_density_integrates_to_one() {
        // In steps of a twentieth of σ, ten σ to either side: the trapezoidal rule is exact to all digits.
        for log_scale in [-5.0_f32, -2.0] {
            let step = log_scale.exp() / 20.0;
            let pixels: Vec<f32> = (-200..=200).map(|index| 0.4 + step * index as f32).collect();
            let sum: f64 = losses(gaussian, &pixels, 0.4, log_scale)
                .into_iter()
                .map(|loss| (-loss).exp())
                .sum();
            assert_close(sum * f64::from(step), 1.0, 1e-5, "integral");
        }
    }

    #[test]
    fn pixels_of_an_image_add_up() {
        let device = Device::flex();
        let images = Tensor::<4>::from_floats([[[[0.1, 0.4]], [[0.9, 0.0]]]], &device);
        let found = gaussian(
            images,
            Tensor::full([1, 2, 1, 2], 0.3, &device),
            Tensor::full([1], -1.0, &device),
        );
        let truth: f64 = [0.1, 0.4, 0.9, 0.0].map(|x| definition(x, 0.3, -1.0)).iter().sum();
        assert_close(to_values(found)[0].into(), truth, 1e-5, "sum");
    }

    #[test]
    fn an_image_that_is_met_exactly_has_a_finite_loss() {
        let loss = losses(gaussian, &[0.5], 0.5, -50.0)[0];
        assert_close(loss, definition(0.5, 0.5, FINEST.into()), 1e-5, "the finest scale");
        assert_eq!(derivatives(gaussian, 0.5, 0.5, -50.0), [0.0, 0.0]);
    }
}
