//! The metric that a decoder pulls back from image space: `Jᵀ J`, with the decoder's Jacobian `J`.

use super::PathError;
use super::decoder::{decoded, dot};
use crate::latent::matrix::cholesky;
use crate::network::Decoder;

/// How far apart points are from which derivatives are taken, by the larger of 1 and the coordinate: far above the
/// rounding of a decoder in single precision, far below what a decoder bends over.
const DIFFERENCE: f32 = 1.0 / 256.0;
/// Points that are decoded at a time, about.
const BATCH: usize = 100;

/// How much the decoder magnifies the latent space at `points`, `[count, latent]`: `√det(Jᵀ J)`, the volume that a
/// unit of volume has among images. Where it is large, images change fast.
///
/// # Errors
/// [`PathError::Stopped`] when the decoder wants no more.
pub fn magnification(decoder: &dyn Decoder, points: &[f32]) -> Result<Vec<f32>, PathError> {
    let latent = decoder.latent();
    let volume = |jacobian: &[f32]| {
        let mut metric = products(jacobian, jacobian, latent);
        // Of the triangular factor, whose square has the metric's determinant, the diagonal alone decides.
        match cholesky(&mut metric, latent) {
            true => (0..latent).map(|row| metric[row * latent + row]).product::<f64>() as f32,
            false => 0.0,
        }
    };
    let mut volumes = Vec::with_capacity(points.len() / latent);
    for chunk in points.chunks(BATCH.div_ceil(latent + 1) * latent) {
        let jacobians = jacobians(decoder, chunk, &decoded(decoder, chunk)?)?;
        let length = jacobians.len() / (chunk.len() / latent);
        volumes.extend(jacobians.chunks_exact(length).map(volume));
    }
    Ok(volumes)
}

/// The decoder's Jacobian at each of `points`, `[count, latent]`, whose `images` are known: `[count, latent, image
/// length]`, by forward differences.
pub(super) fn jacobians(decoder: &dyn Decoder, points: &[f32], images: &[f32]) -> Result<Vec<f32>, PathError> {
    let latent = decoder.latent();
    let count = points.len() / latent;
    let moved = |value: f32| value + DIFFERENCE * value.abs().max(1.0);
    let mut shifted = Vec::with_capacity(points.len() * latent);
    for point in points.chunks_exact(latent) {
        for axis in 0..latent {
            shifted.extend_from_slice(point);
            let end = shifted.len() - latent;
            shifted[end + axis] = moved(point[axis]);
        }
    }
    let mut derivatives = decoded(decoder, &shifted)?;
    let length = images.len() / count.max(1);
    for ((row, &value), index) in derivatives.chunks_exact_mut(length).zip(points).zip(0..) {
        let image = &images[index / latent * length..][..length];
        let scale = 1.0 / (moved(value) - value);
        for (derivative, base) in row.iter_mut().zip(image) {
            *derivative = (*derivative - base) * scale;
        }
    }
    Ok(derivatives)
}

/// `Aᵀ B` of two Jacobians, both `[latent, image length]`: `[latent, latent]`.
pub(super) fn products(a: &[f32], b: &[f32], latent: usize) -> Vec<f64> {
    let length = a.len() / latent;
    let rows = a.chunks_exact(length);
    rows.flat_map(|row| b.chunks_exact(length).map(move |column| dot(row, column)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::surfaces::{Paraboloid, Sphere};
    use super::*;

    #[test]
    fn magnifications_are_the_known_elements_of_area() {
        let points = [0.0, 0.3, 1.0, -0.7, -2.0, 1.2];
        for (point, found) in points.chunks(2).zip(magnification(&Sphere, &points).unwrap()) {
            let expected = point[1].cos();
            assert!((found - expected).abs() < 5e-3, "{point:?}: {found} {expected}");
        }
        for (point, found) in points.chunks(2).zip(magnification(&Paraboloid, &points).unwrap()) {
            let expected = (1.0 + 4.0 * (point[0] * point[0] + point[1] * point[1])).sqrt();
            assert!((found / expected - 1.0).abs() < 5e-3, "{point:?}: {found} {expected}");
        }
    }
}
