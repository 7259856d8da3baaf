//! Which distribution of its pixels an image has around what the decoder says.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::continuous_bernoulli_mean;

/// How images are held against what the decoder says, which is the location of each pixel's distribution.
///
/// Grey values are no coin flips: the default treats them as probabilities of ink, which gives good images and a loss
/// that is no likelihood. The others are distributions of grey values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// The [cross-entropy](super::cross_entropy) of the original experiment: no likelihood of grey values.
    #[default]
    CrossEntropy,
    /// A density on [0, 1] with its weight at either end; see [`continuous_bernoulli`](super::continuous_bernoulli).
    ContinuousBernoulli,
    /// A Gaussian density with a learned standard deviation; see [`gaussian`](super::gaussian).
    Gaussian,
    /// 256 levels around a logistic variable with a learned scale; see
    /// [`discretized_logistic`](super::discretized_logistic).
    DiscretizedLogistic,
}

impl Likelihood {
    /// What the loss's first term is called.
    #[must_use]
    pub fn term(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross-entropy",
            Self::ContinuousBernoulli | Self::Gaussian | Self::DiscretizedLogistic => "negative log-likelihood",
        }
    }

    /// As on the command line and in files: `continuous-bernoulli`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross-entropy",
            Self::ContinuousBernoulli => "continuous-bernoulli",
            Self::Gaussian => "gaussian",
            Self::DiscretizedLogistic => "discretized-logistic",
        }
    }

    /// Where the logarithm of the learned scale begins, if there is one: near the errors of a network that has learned
    /// nothing. From there the way is down a gentle slope; from below, the first gradients would be so steep that Adam
    /// goes carefully long after.
    #[must_use]
    pub fn first_log_scale(self) -> Option<f32> {
        match self {
            Self::CrossEntropy | Self::ContinuousBernoulli => None,
            Self::Gaussian => Some(-1.0),
            Self::DiscretizedLogistic => Some(-1.6),
        }
    }

    /// The image that is shown of `location`, of any shape: the distribution's mean. (That of the discretized logistic
    /// is the location, but for what lies beyond the ends of the scale, which is left out here.)
    #[must_use]
    pub fn mean<const D: usize>(self, location: Tensor<D>) -> Tensor<D> {
        match self {
            Self::ContinuousBernoulli => continuous_bernoulli_mean(location),
            Self::CrossEntropy | Self::Gaussian | Self::DiscretizedLogistic => location,
        }
    }
}
