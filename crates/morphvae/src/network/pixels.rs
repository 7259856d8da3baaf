//! The distribution of the pixels around what the decoder says.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use morphvae_kernels::extension;

use super::accelerate::Operations;
use crate::probability::{DELTA, Likelihood, bounded};

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
    pub fn loss(&self, images: Tensor<4>, location: Tensor<4>, operations: Operations) -> Tensor<1> {
        match self.likelihood {
            Likelihood::CrossEntropy if operations == Operations::Kernels => {
                extension::cross_entropy(images, location, DELTA)
            }
            likelihood => likelihood.loss(images, location, self.log_scale.as_ref().map(Param::val)),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::network::to_values;

    #[test]
    fn the_kernel_of_the_cross_entropy_agrees_with_the_definition() {
        let device = Device::flex().autodiff();
        let shape = [2, 3, 5, 4];
        let values = |step: usize| (0..120).map(|index| ((index * step) % 121) as f32 / 120.0).collect();
        let tensor = |step| Tensor::<4>::from_data(TensorData::new(values(step), shape), &device);
        let pixels = Pixels::new(Likelihood::CrossEntropy, &device);
        let [kernel, plain] = [Operations::Kernels, Operations::Plain].map(|operations| {
            // Channels that lie last in memory, as a decoder leaves them.
            let location = tensor(53).swap_dims(1, 3).require_grad();
            let losses = pixels.loss(tensor(7), location.clone().swap_dims(1, 3), operations);
            // Weights that tell the images apart.
            let weighted = losses.clone() * Tensor::from_floats([1.0, -0.5], &device);
            let gradient = location.grad(&weighted.sum().backward()).unwrap();
            (to_values(losses.inner()), to_values(gradient.flatten::<1>(0, 3)))
        });
        let close = |ours: &f32, theirs: &f32| (ours - theirs).abs() <= 1e-5 * theirs.abs().max(1.0);
        assert!(kernel.0.iter().zip(&plain.0).all(|(ours, theirs)| close(ours, theirs)));
        assert!(kernel.1.iter().zip(&plain.1).all(|(ours, theirs)| close(ours, theirs)));
    }
}
