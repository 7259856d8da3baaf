//! Why a latent space cannot be probed.

use thiserror::Error;

/// What can go wrong with a probe.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Numbers and labels that do not belong together.
    #[error("{numbers} numbers are not {labels} points of {dimensions} dimensions, one for each label")]
    Mismatch {
        /// How many numbers there are.
        numbers: usize,
        /// How many labels there are.
        labels: usize,
        /// Numbers of a point.
        dimensions: usize,
    },
    /// A point that is none.
    #[error("point {point} is not finite, so it lies nowhere")]
    NotFinite {
        /// Which, counted from zero.
        point: usize,
    },
    /// Points of another space than those that were learned from.
    #[error("these points have {found} dimensions, and those that were learned from {expected}")]
    Dimensions {
        /// Those that were learned from.
        expected: usize,
        /// Those that were given.
        found: usize,
    },
    /// No point with a class.
    #[error("none of the {what} points has a class")]
    Empty {
        /// Which points: training, test.
        what: &'static str,
    },
    /// Points of one class, where nothing is to be told apart.
    #[error("all training points are of one class, so there is nothing to tell apart")]
    OneClass,
    /// A regression whose loss still falls after so many steps.
    #[error("softmax regression has not settled after {steps} steps: the largest slope is {slope:e}")]
    Unsettled {
        /// Steps of the optimizer.
        steps: usize,
        /// The largest entry of the gradient.
        slope: f64,
    },
}
