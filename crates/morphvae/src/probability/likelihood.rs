//! Which distribution of its pixels an image has around what the decoder says.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{continuous_bernoulli, continuous_bernoulli_mean, cross_entropy, discretized_logistic, gaussian};
use crate::choice::Choice;

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

impl Choice for Likelihood {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (
            Self::CrossEntropy,
            "cross-entropy",
            "Grey values as probabilities of ink, which is no likelihood of grey values",
        ),
        (
            Self::ContinuousBernoulli,
            "continuous-bernoulli",
            "A density of grey values with its weight at either end",
        ),
        (
            Self::Gaussian,
            "gaussian",
            "A Gaussian density with a learned standard deviation",
        ),
        (
            Self::DiscretizedLogistic,
            "discretized-logistic",
            "256 levels around a logistic variable with a learned scale",
        ),
    ];
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

    /// What is to be known of that term's value; `scale` is the learned one, if there is one.
    #[must_use]
    pub fn remark(self, scale: Option<f32>) -> String {
        let scale = scale.unwrap_or(f32::NAN);
        match self {
            Self::CrossEntropy => "of grey pixels: not a likelihood".to_owned(),
            Self::ContinuousBernoulli => "continuous Bernoulli: a density, so it may be below zero".to_owned(),
            Self::Gaussian => {
                format!("Gaussian, standard deviation {scale:.4}: a density, so it may be below zero")
            }
            Self::DiscretizedLogistic => format!("discretized logistic, scale {scale:.4}: of 256 levels"),
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

    /// How far images are from what the decoder says, `[batch]`, in nats. Both are `[batch, channels, height, width]`;
    /// `log_scale`, `[1]`, is the logarithm of the learned scale.
    ///
    /// # Panics
    /// Without a scale where [`Likelihood::first_log_scale`] gives one.
    #[must_use]
    pub fn loss(self, images: Tensor<4>, location: Tensor<4>, log_scale: Option<Tensor<1>>) -> Tensor<1> {
        let log_scale = || log_scale.expect("a likelihood with a learned scale is given one");
        match self {
            Self::CrossEntropy => cross_entropy(images, location),
            Self::ContinuousBernoulli => continuous_bernoulli(images, location),
            Self::Gaussian => gaussian(images, location, log_scale()),
            Self::DiscretizedLogistic => discretized_logistic(images, location, log_scale()),
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
