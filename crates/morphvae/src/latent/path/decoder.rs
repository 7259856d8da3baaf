//! What a path asks a decoder: the images at points, as long as anybody wants them, and how far they are from each other:
//! the root of the summed squared differences of their numbers.

use std::ops::ControlFlow;

use super::PathError;
use crate::network::Decoder;

/// Points that are decoded at a time where only the distances of their images are wanted.
const BATCH: usize = 100;
/// Partial sums of a dot product, for the processor's vectors.
const LANES: usize = 16;

/// The images at `points`, unless nobody wants them any more.
pub(super) fn decoded(decoder: &dyn Decoder, points: &[f32]) -> Result<Vec<f32>, PathError> {
    match decoder.check() {
        ControlFlow::Continue(()) => Ok(decoder.decode(points)),
        ControlFlow::Break(()) => Err(PathError::Stopped),
    }
}

/// How far each image is from the one before it: one distance fewer than `points`, `[count, latent]`.
pub(super) fn steps(decoder: &dyn Decoder, points: &[f32]) -> Result<Vec<f64>, PathError> {
    let latent = decoder.latent();
    let mut distances = Vec::with_capacity(points.len() / latent);
    let mut last: Vec<f32> = Vec::new();
    for chunk in points.chunks(BATCH * latent) {
        let decoded = decoded(decoder, chunk)?;
        let length = decoded.len() / (chunk.len() / latent);
        let mut before = &last[..];
        for image in decoded.chunks_exact(length) {
            if !before.is_empty() {
                distances.push(squared_distance(before, image).sqrt());
            }
            before = image;
        }
        last = before.to_vec();
    }
    Ok(distances)
}

/// The summed squared differences of two images.
pub(in crate::latent) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    sum_of_products(a, b, |a, b| (a - b) * (a - b))
}

/// The dot product of two images.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    sum_of_products(a, b, |a, b| a * b)
}

/// A sum over pairs, in an order that is always the same and that vector instructions can follow.
fn sum_of_products(a: &[f32], b: &[f32], product: impl Fn(f32, f32) -> f32) -> f64 {
    let mut sums = [0.0_f32; LANES];
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += product(a, b);
        }
    }
    for ((sum, &a), &b) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum += product(a, b);
    }
    sums.into_iter().map(f64::from).sum()
}
