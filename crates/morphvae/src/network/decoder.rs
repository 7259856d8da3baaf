//! Images at points, for whoever needs nothing else of a network.

use std::ops::ControlFlow;

use super::condition::mixed;
use super::{BATCH, Inference, Shape, to_values};

/// Draws an image for each point of a latent space.
pub trait Decoder: Sync {
    /// Dimensions of the latent space.
    fn latent(&self) -> usize;

    /// The shape of an image.
    fn image_shape(&self) -> Shape;

    /// The images at `points`, `[count, latent]`: `[count, channels, side, side]` in [0, 1], the same for the same points
    /// whatever the number of threads.
    fn decode(&self, points: &[f32]) -> Vec<f32>;

    /// Asked by long work before every decode, by several threads: it ends once this breaks.
    fn check(&self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Told, by several threads, of each segment of a geodesic that is found.
    fn found(&self) {}
}

/// The points of a conditional network have the weights of the classes after the latents, so that between two classes lie
/// their mixtures; [`Inference::given`] is a decoder for one class.
impl Decoder for Inference {
    fn latent(&self) -> usize {
        self.config().point()
    }

    fn image_shape(&self) -> Shape {
        self.config().image_shape()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let decoded = |batch: &[f32]| {
            let batch = match self.config().is_conditional() {
                true => mixed(self.config(), batch),
                false => batch.to_vec(),
            };
            to_values(Inference::decode(self, self.points(batch)).flatten(0, 3))
        };
        points.chunks(BATCH * self.config().point()).flat_map(decoded).collect()
    }
}
