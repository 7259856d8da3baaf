//! What a path needs to know of a network: the image at a point, and how far images are from each other.

use std::ops::ControlFlow;

use super::PathError;
use crate::evaluation::decoded_batches;
use crate::model::Inference;

/// Points that are decoded at a time where only the distances of their images are wanted.
const BATCH: usize = 100;
/// Partial sums of a dot product, for the processor's vectors.
const LANES: usize = 16;

/// Maps points of a latent space to images.
///
/// How far two images are from each other is the root of the summed squared differences of their numbers.
pub trait Decoder: Sync {
    /// Dimensions of the latent space.
    fn latent(&self) -> usize;

    /// The images at `points`, `[count, latent]`: `[count, image length]` in [0, 1], the same for the same points
    /// whatever the number of threads.
    fn decode(&self, points: &[f32]) -> Vec<f32>;

    /// Asked before every decode, by several threads: work on a path ends with [`PathError::Stopped`] once this breaks.
    fn check(&self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Told, by several threads, of each segment of a geodesic that is found.
    fn found(&self) {}
}

/// The images at `points`, unless nobody wants them any more.
pub(super) fn decoded(decoder: &dyn Decoder, points: &[f32]) -> Result<Vec<f32>, PathError> {
    match decoder.check() {
        ControlFlow::Continue(()) => Ok(decoder.decode(points)),
        ControlFlow::Break(()) => Err(PathError::Stopped),
    }
}

impl Decoder for Inference {
    fn latent(&self) -> usize {
        self.config().latent
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        decoded_batches(self, points).flatten().collect()
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
