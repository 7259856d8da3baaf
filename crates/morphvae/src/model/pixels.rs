//! The distribution of the pixels around what the decoder says.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::objective::{Likelihood, bounded, continuous_bernoulli, cross_entropy, discretized_logistic, gaussian};

/// The name of the learned scale's logarithm in a weight file.
pub(crate) const LOG_SCALE: &str = "likelihood.log_scale";

/// A likelihood and the scale that it learns, if it has one.
#[derive(Module, Debug)]
pub(super) struct Pixels {
    /// `[1]`
    log_scale: Option<Param<Tensor<1>>>,
    #[module(skip)]
    likelihood: Likelihood,
}

impl Pixels {
    pub fn new(likelihood: Likelihood, device: &Device) -> Self {
        let log_scale = likelihood
            .first_log_scale()
            .map(|value| Param::from_tensor(Tensor::full([1], value, device)));
        Self { log_scale, likelihood }
    }

    pub fn likelihood(&self) -> Likelihood {
        self.likelihood
    }

    /// The learned scale, if there is one, as it is used.
    pub fn scale(&self) -> Option<f32> {
        let log_scale = self.log_scale.as_ref()?.val();
        Some(bounded(log_scale).exp().into_scalar())
    }

    /// How far images are from what the decoder says, both `[batch, channels, height, width]`: `[batch]`, in nats.
    pub fn loss(&self, images: Tensor<4>, location: Tensor<4>) -> Tensor<1> {
        match self.likelihood {
            Likelihood::CrossEntropy => cross_entropy(images, location),
            Likelihood::ContinuousBernoulli => continuous_bernoulli(images, location),
            Likelihood::Gaussian => gaussian(images, location, self.log_scale()),
            Likelihood::DiscretizedLogistic => discretized_logistic(images, location, self.log_scale()),
        }
    }

    fn log_scale(&self) -> Tensor<1> {
        let log_scale = self.log_scale.as_ref();
        log_scale.expect("a likelihood with a scale was made with one").val()
    }
}
