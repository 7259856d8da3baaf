//! A network made ready to encode and decode, again and again.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use super::stack::ReadyStack;
use super::{Condition, NetworkConfig, Vae};
use crate::probability::Posterior;

/// Images a pass where there are many: enough to keep the cores busy, few enough for little memory.
pub(crate) const BATCH: usize = 100;

/// A trained network at work: batch norms use their running statistics.
///
/// On a CPU those are folded into the weights, and the weights are packed for the kernels: making one takes some
/// milliseconds, so keep it.
#[derive(Debug)]
pub struct Inference {
    network: Vae,
    encoder: ReadyStack,
    decoder: ReadyStack,
}

impl Inference {
    /// Makes a network ready. Training it further does not change what was made.
    #[must_use]
    pub fn new(network: &Vae) -> Self {
        let network = network.valid();
        Self {
            encoder: network.encoder.ready(network.operations),
            decoder: network.decoder.ready(network.operations),
            network,
        }
    }

    /// What kind of network it is and how large.
    #[must_use]
    pub fn config(&self) -> &NetworkConfig {
        self.network.config()
    }

    /// The network that this was made of, without autodiff.
    #[must_use]
    pub fn network(&self) -> &Vae {
        &self.network
    }

    /// Points of the latent space where the network computes: `[count, latent]` of as many values.
    pub(crate) fn latents(&self, values: Vec<f32>) -> Tensor<2> {
        self.rows(values, self.config().latent)
    }

    /// Points that the decoder takes, in the same way: `[count, latent + classes]`.
    pub(crate) fn points(&self, values: Vec<f32>) -> Tensor<2> {
        self.rows(values, self.config().point())
    }

    fn rows(&self, values: Vec<f32>, width: usize) -> Tensor<2> {
        let shape = [values.len() / width, width];
        Tensor::from_data(TensorData::new(values, shape), &self.network.device())
    }

    /// The posterior of each image: `images` are `[batch, channels, height, width]` in [0, 1], of which a conditional
    /// network takes the condition.
    #[must_use]
    pub fn encode(&self, images: Tensor<4>, condition: &Condition) -> Posterior {
        let features = self.encoder.apply(self.network.encoder.told(images, condition));
        self.network.posterior(features, condition, self.network.operations)
    }

    /// The components of the prior, `[count, latent]`, unless that is the standard normal distribution.
    #[must_use]
    pub fn prior(&self) -> Option<Posterior> {
        let images = self.network.pseudo_images()?;
        let encoded = images.split(BATCH, 0);
        let encoded = encoded
            .into_iter()
            .map(|images| self.encode(images, &Condition::none()));
        let (means, log_variances): (Vec<_>, Vec<_>) = encoded
            .map(|posterior| (posterior.mean, posterior.log_variance))
            .unzip();
        Some(Posterior {
            mean: Tensor::cat(means, 0),
            log_variance: Tensor::cat(log_variances, 0),
        })
    }

    /// The image of each point: `[batch, latent]`, and of a conditional network `[batch, latent + classes]`, to
    /// `[batch, channels, height, width]` in [0, 1]. Each pixel is the mean of its distribution.
    #[must_use]
    pub fn decode(&self, points: Tensor<2>) -> Tensor<4> {
        self.network.likelihood().mean(self.locate(points))
    }

    /// What the decoder says of each point: the locations of the pixels' distributions, in the shapes of
    /// [`Inference::decode`].
    #[must_use]
    pub fn locate(&self, points: Tensor<2>) -> Tensor<4> {
        self.decoder.apply(points.unsqueeze_dims(&[2, 3]))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::RngExt;

    use super::*;
    use crate::network::{Architecture, HiddenActivation, Values};
    use crate::random::{Purpose, generator};

    /// A network whose running statistics have moved away from their start.
    fn network(config: NetworkConfig) -> Vae {
        let network = Vae::new(config.clone(), 3, &Device::flex()).unwrap();
        let images = uniform([6, config.channels, config.image_size, config.image_size], 1);
        let statistics = network.train_pass(images, &Condition::none(), None).statistics;
        network.update_running_statistics(statistics)
    }

    fn uniform<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
        let mut generator = generator(seed, Purpose::Noise, 0);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| generator.random::<f32>()).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn largest_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn folded_blocks_agree_with_the_definition() {
        for (channels, image_size, base_channels, batch) in
            [(1, 32, 16, 5), (3, 32, 3, 1), (1, 64, 5, 2), (3, 128, 2, 3)]
        {
            let network = network(NetworkConfig {
                channels,
                image_size,
                architecture: Architecture::Reference { base_channels },
                latent: 3,
                classes: 0,
            });
            let inference = Inference::new(&network);
            let encode = |images: &Tensor<4>| inference.encode(images.clone(), &Condition::none());
            let images = uniform([batch, channels, image_size, image_size], 2);
            let (ours, definition) = (encode(&images), network.encode(images, &Condition::none()));
            assert!(largest_difference(ours.mean, definition.mean) < 2e-5);
            assert!(largest_difference(ours.log_variance, definition.log_variance) < 2e-5);
            let latents = uniform([batch, 3], 4);
            assert!(largest_difference(inference.decode(latents.clone()), network.decode(latents)) < 2e-5);
        }
    }

    #[test]
    fn linear_layers_agree_with_the_definition() {
        for (channels, activation, batch) in [
            (1, HiddenActivation::Relu, 5),
            (3, HiddenActivation::Tanh, 1),
            (1, HiddenActivation::Softplus, 33),
        ] {
            let config = NetworkConfig {
                channels,
                image_size: 9,
                architecture: Architecture::Mlp {
                    hidden: vec![70, 35],
                    activation,
                },
                latent: 3,
                classes: 0,
            };
            let network = Vae::new(config, 3, &Device::flex()).unwrap();
            let plain = network.clone().with_plain_operations();
            let inference = Inference::new(&network);
            let encode = |images: &Tensor<4>| inference.encode(images.clone(), &Condition::none());
            let images = uniform([batch, channels, 9, 9], 2);
            let (ours, definition) = (encode(&images), network.encode(images.clone(), &Condition::none()));
            assert!(largest_difference(ours.mean, definition.mean) < 1e-6);
            assert!(largest_difference(ours.log_variance, definition.log_variance) < 1e-6);
            let latents = uniform([batch, 3], 4);
            let location = inference.locate(latents.clone());
            assert!(largest_difference(location.clone(), network.locate(latents)) < 1e-6);
            // One image held against many.
            let image = images.narrow(0, 0, 1).expand(location.dims());
            let ours = network.reconstruction_loss(image.clone(), location.clone());
            let definition = plain.reconstruction_loss(image, location);
            assert!(largest_difference(ours, definition) < 1e-3);
        }
    }

    #[test]
    fn a_training_pass_of_the_kernels_agrees_with_the_definition() {
        for (channels, image_size, base_channels) in [(1, 32, 16), (3, 32, 3), (1, 64, 5), (3, 128, 2)] {
            let batch = 9;
            let config = NetworkConfig {
                channels,
                image_size,
                architecture: Architecture::Reference { base_channels },
                latent: 3,
                classes: 0,
            };
            let network = Vae::new(config.clone(), 3, &Device::flex()).unwrap().train();
            let device = network.device();
            let images = uniform([batch, channels, image_size, image_size], 2).to_device(&device);
            let noise = uniform([batch, 3], 4).to_device(&device);
            let pass = |network: &Vae| {
                let pass = network.train_pass(images.clone(), &Condition::none(), Some(noise.clone()));
                // Weighted so that no gradient vanishes by symmetry.
                let weighted = pass.reconstruction.clone() * images.clone();
                let mut gradients = (weighted.sum() + pass.posterior.log_variance.clone().sum()).backward();
                let gradients = std::slice::from_mut(&mut gradients);
                let mut all = Vec::new();
                let _ = network.clone().map_parameters(gradients, |name, value, gradient| {
                    all.extend(gradient.map(|gradient| (name.to_owned(), gradient)));
                    Values::Now(value)
                });
                (pass, all)
            };
            let (kernels, kernel_gradients) = pass(&network);
            let (plain, plain_gradients) = pass(&network.clone().with_plain_operations());
            // Eight batch norms in a row over few images make much of little differences.
            assert!(largest_difference(kernels.reconstruction.inner(), plain.reconstruction.inner()) < 1e-3);
            for (ours, theirs) in kernels.statistics.into_iter().zip(plain.statistics) {
                assert!(largest_difference(ours.mean, theirs.mean) < 1e-3);
                assert!(largest_difference(ours.variance, theirs.variance) < 1e-3);
            }
            assert_eq!(kernel_gradients.len(), plain_gradients.len());
            let norm = |tensor: &Tensor<1>| tensor.clone().powi_scalar(2).sum().sqrt().into_scalar::<f32>();
            let scale = plain_gradients
                .iter()
                .map(|(_, gradient)| norm(gradient))
                .fold(0.0, f32::max);
            for ((name, ours), (_, theirs)) in kernel_gradients.into_iter().zip(plain_gradients) {
                // A value that rounding moves across the corner of a ReLU moves its whole gradient, and sums that cancel
                // are noise. (That each kernel is exact is tested with the kernels, and against PyTorch.)
                let allowed = 2e-2 * norm(&theirs) + 1e-3 * scale;
                let difference = norm(&(ours - theirs));
                assert!(difference <= allowed, "{name}: {difference} > {allowed} ({config:?})");
            }
        }
    }
}
