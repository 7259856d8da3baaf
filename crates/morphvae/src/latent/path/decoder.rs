//! What a path needs to know of a network: the image at a point, and how far images are from each other.

use crate::evaluation::decoded_batches;
use crate::model::Inference;

/// Maps points of a latent space to images.
///
/// How far two images are from each other is the root of the summed squared differences of their numbers.
pub trait Decoder: Sync {
    /// Dimensions of the latent space.
    fn latent(&self) -> usize;

    /// The images at `points`, `[count, latent]`: `[count, image length]` in [0, 1], the same for the same points
    /// whatever the number of threads.
    fn decode(&self, points: &[f32]) -> Vec<f32>;
}

impl Decoder for Inference {
    fn latent(&self) -> usize {
        self.config().latent
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        decoded_batches(self, points).flatten().collect()
    }
}
