//! How much a row of frames changes from one to the next.

use super::PathError;
use super::decoder::steps;
use crate::network::Decoder;

/// The visible change between neighbouring frames: the root of the summed squared differences of pixels in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
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
    ///
    /// # Errors
    /// [`PathError::Stopped`] when the decoder wants no more.
    pub fn of(decoder: &dyn Decoder, points: &[f32], closed: bool) -> Result<Self, PathError> {
        let mut row = points.to_vec();
        if closed {
            row.extend(points.iter().take(decoder.latent()));
        }
        Ok(Self::of_steps(&steps(decoder, &row)?))
    }

    pub(super) fn of_steps(steps: &[f64]) -> Self {
        let largest = steps.iter().copied().fold(0.0, f64::max);
        let mean = steps.iter().sum::<f64>() / steps.len().max(1) as f64;
        Self {
            mean,
            largest,
            ratio: if mean > 0.0 { largest / mean } else { 1.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::surfaces::Plane;
    use super::*;

    #[test]
    fn steps_are_euclidean_and_a_closed_row_returns() {
        let open = Motion::of(&Plane, &[0.0, 0.0, 3.0, 4.0, 3.0, 5.0], false).unwrap();
        assert_eq!((open.mean, open.largest), (3.0, 5.0));
        assert!((open.ratio - 5.0 / 3.0).abs() < 1e-12);
        let closed = Motion::of(&Plane, &[0.0, 0.0, 3.0, 4.0], true).unwrap();
        assert_eq!((closed.mean, closed.ratio), (5.0, 1.0));
    }

    #[test]
    fn what_does_not_move_is_even() {
        for points in [&[][..], &[1.0, 1.0], &[1.0, 1.0, 1.0, 1.0]] {
            let still = Motion {
                mean: 0.0,
                largest: 0.0,
                ratio: 1.0,
            };
            assert_eq!(Motion::of(&Plane, points, false), Ok(still));
        }
    }
}
