//! The learned scale of a distribution, one for all pixels, as the logarithm that is learned.

use burn::tensor::Tensor;

/// The finest scale, as a logarithm: the standard deviation that rounding to 256 levels alone makes, 1 / (255 √12).
/// Without it the density of images that can be predicted exactly would grow without end.
pub(super) const FINEST: f32 = -6.783_717;

/// The coarsest scale, as a logarithm: the whole range of a pixel.
const COARSEST: f32 = 0.0;

/// The logarithm of the scale that is used.
pub(crate) fn bounded(log_scale: Tensor<1>) -> Tensor<1> {
    log_scale.clamp(FINEST, COARSEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_scale_is_that_of_rounding() {
        assert!((f64::from(FINEST) + (255.0 * 12.0_f64.sqrt()).ln()).abs() < 1e-6);
    }
}
