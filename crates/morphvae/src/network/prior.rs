//! The images whose posteriors are the prior, if it is not the standard normal distribution.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use super::NetworkConfig;
use crate::random::{Purpose, noise};

/// The name of the pseudo-inputs in a weight file.
pub(crate) const PSEUDO_INPUTS: &str = "prior.pseudo_inputs";

/// Pseudo-inputs that are enough for any prior.
pub const MOST_PSEUDO_INPUTS: usize = 10_000;

/// Mean and standard deviation of the grey values that they begin with, as published.
const FIRST: [f32; 2] = [0.05, 0.01];

/// Images that are learned like weights (Tomczak and Welling, 2018): the prior is the mixture of what the encoder says of
/// them, the VampPrior.
#[derive(Module, Debug)]
pub(super) struct PseudoInputs {
    /// `[count, channels, height, width]`
    images: Option<Param<Tensor<4>>>,
}

impl PseudoInputs {
    /// None, for the standard normal distribution.
    pub fn none() -> Self {
        Self { images: None }
    }

    /// Dark images with a little noise.
    pub fn new(config: &NetworkConfig, count: usize, seed: u64, device: &Device) -> Self {
        if count == 0 {
            return Self::none();
        }
        let shape = Self::shape(config, count);
        let [mean, deviation] = FIRST;
        let values = noise(seed, Purpose::PseudoInputs, 0, shape.iter().product());
        let values: Vec<f32> = values.into_iter().map(|value| mean + deviation * value).collect();
        let images = Tensor::from_data(TensorData::new(values, shape), device);
        Self {
            images: Some(Param::from_tensor(images)),
        }
    }

    /// So many that are about to be replaced.
    pub fn blank(config: &NetworkConfig, count: usize, device: &Device) -> Self {
        let images = (count > 0).then(|| {
            let shape = Self::shape(config, count);
            let zeros = move |device: &Device, trained| Tensor::zeros(shape, device).set_require_grad(trained);
            Param::uninitialized(ParamId::new(), zeros, device.clone(), true, shape.into())
        });
        Self { images }
    }

    fn shape(config: &NetworkConfig, count: usize) -> [usize; 4] {
        [count, config.channels, config.image_size, config.image_size]
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.images.as_ref().map_or(0, |images| images.lazy_shape().to_vec()[0])
    }

    /// They themselves, within the range of pixels, if there are any.
    pub fn images(&self) -> Option<Tensor<4>> {
        self.images.as_ref().map(|images| images.val().clamp(0.0, 1.0))
    }
}
