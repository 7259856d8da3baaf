//! The variational autoencoder itself.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use morphvae_kernels::{Activation, Block};

use super::layers::{BatchNorm, BatchStatistics, ConvolutionBlock, Head, Initializer, LinearBlock, Operations};
use super::pixels::Pixels;
use super::{ModelError, NetworkConfig};
use crate::objective::Likelihood;
use crate::random::{Generator, Purpose, generator};

/// A convolutional variational autoencoder of square images with pixels in [0, 1] (Kingma and Welling, 2014).
///
/// The encoder is a row of convolutions with batch norm, ReLU and pooling, and two linear layers for mean and log
/// variance; the decoder is a linear layer and a row of transposed convolutions that end in a sigmoid.
#[derive(Module, Debug)]
pub struct Vae {
    pub(super) conv: Vec<ConvolutionBlock>,
    mean: Head,
    var: Head,
    pub(super) decoder: LinearBlock,
    pub(super) conv_trans: Vec<ConvolutionBlock>,
    likelihood: Pixels,
    #[module(skip)]
    config: NetworkConfig,
    #[module(skip)]
    pub(super) operations: Operations,
}

/// The encoder's answer for a batch: a diagonal Gaussian for each image.
#[derive(Clone, Debug)]
pub struct Posterior {
    /// Means, `[batch, latent]`.
    pub mean: Tensor<2>,
    /// Logarithms of the variances, `[batch, latent]`.
    pub log_variance: Tensor<2>,
}

impl Posterior {
    /// The reparameterization: `mean + noise · exp(log variance / 2)`, with `noise` and result `[batch, latent]`.
    #[must_use]
    pub fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + noise * self.log_variance.clone().mul_scalar(0.5).exp()
    }
}

/// Everything that one training pass through the network gives.
#[derive(Clone, Debug)]
pub struct TrainingPass {
    /// The encoder's answer.
    pub posterior: Posterior,
    /// What the decoder says of a sample of it, `[batch, channels, height, width]`, in [0, 1].
    pub reconstruction: Tensor<4>,
    /// What the batch norms saw, for [`Vae::update_running_statistics`].
    pub statistics: Vec<BatchStatistics>,
}

impl Vae {
    /// A network with random weights: the same ones for the same seed, wherever it runs.
    ///
    /// # Errors
    /// [`ModelError::Configuration`] when `config` asks for the impossible.
    pub fn new(config: NetworkConfig, seed: u64, device: &Device) -> Result<Self, ModelError> {
        Self::build(config, Some(generator(seed, Purpose::Weights, 0)), device)
    }

    /// A network whose weights are all about to be replaced.
    pub(super) fn blank(config: NetworkConfig, device: &Device) -> Result<Self, ModelError> {
        Self::build(config, None, device)
    }

    fn build(config: NetworkConfig, generator: Option<Generator>, device: &Device) -> Result<Self, ModelError> {
        config.validate()?;
        let mut initializer = Initializer { generator, device };
        let stages = config.stages();
        let features = config.features();
        let widths: Vec<usize> = [config.channels].into_iter().chain(stages.iter().copied()).collect();
        let last = widths[widths.len() - 1];

        let mut conv: Vec<_> = widths
            .windows(2)
            .map(|pair| initializer.convolution(pair[0], pair[1], 3))
            .collect();
        conv.push(initializer.convolution(last, features, 4));
        let mean = initializer.head(features, config.latent);
        let var = initializer.head(features, config.latent);
        let decoder = initializer.linear_block(config.latent, features);
        let mut conv_trans = vec![initializer.transposed_convolution(features, last)];
        conv_trans.extend(
            widths
                .windows(2)
                .rev()
                .map(|pair| initializer.transposed_convolution(pair[1], pair[0])),
        );
        Ok(Self {
            conv,
            mean,
            var,
            decoder,
            conv_trans,
            likelihood: Pixels::new(Likelihood::default(), device),
            config,
            operations: Operations::of_device(device),
        })
    }

    /// The same network computed by Burn's own operations, as on a GPU, even where there are faster ones: to compare.
    #[must_use]
    pub fn with_plain_operations(mut self) -> Self {
        self.operations = Operations::Plain;
        self
    }

    /// The same network with pixels of another distribution. A scale that is learned starts anew.
    #[must_use]
    pub fn with_likelihood(mut self, likelihood: Likelihood) -> Self {
        if likelihood != self.likelihood() {
            self.likelihood = Pixels::new(likelihood, &self.device());
        }
        self
    }

    /// How images are held against what the decoder says.
    #[must_use]
    pub fn likelihood(&self) -> Likelihood {
        self.likelihood.likelihood()
    }

    /// The scale that the likelihood has learned, if it has one: a Gaussian's standard deviation, a logistic's scale.
    #[must_use]
    pub fn likelihood_scale(&self) -> Option<f32> {
        self.likelihood.scale()
    }

    /// How far images are from what the decoder says, `[batch]`, in nats. Both are `[batch, channels, height, width]`.
    #[must_use]
    pub fn reconstruction_loss(&self, images: Tensor<4>, location: Tensor<4>) -> Tensor<1> {
        self.likelihood.loss(images, location, self.operations)
    }

    /// How large the network is.
    #[must_use]
    pub fn config(&self) -> NetworkConfig {
        self.config
    }

    /// Where the weights are and the network computes.
    #[must_use]
    pub fn device(&self) -> Device {
        self.mean.layer.weight.lazy_device()
    }

    /// One pass for training: batch norms use the batch's own statistics.
    ///
    /// `images` are `[batch, channels, height, width]`; `noise`, `[batch, latent]`, is standard normal, or absent for
    /// the plain autoencoder, which decodes the means.
    #[must_use]
    pub fn train_pass(&self, images: Tensor<4>, noise: Option<Tensor<2>>) -> TrainingPass {
        let mut statistics = Vec::with_capacity(self.conv.len() + 1 + self.conv_trans.len());
        let mut x = images;
        for block in &self.conv {
            let (output, seen) = block.encode_train(x, self.operations);
            statistics.push(seen);
            x = output;
        }
        let posterior = self.posterior(x);
        let latents = match noise {
            Some(noise) => posterior.sample(noise),
            None => posterior.mean.clone(),
        };

        let (features, seen) = self.decoder.apply_train(latents, self.operations);
        statistics.push(seen);
        let mut x = features.unsqueeze_dims(&[2, 3]);
        for (stage, block) in self.conv_trans.iter().enumerate() {
            let (output, seen) = block.decode_train(x, self.activation(stage), self.operations);
            statistics.push(seen);
            x = output;
        }
        TrainingPass {
            posterior,
            reconstruction: x,
            statistics,
        }
    }

    /// The posterior of each image: `images` are `[batch, channels, height, width]` in [0, 1].
    ///
    /// This is the definition; [`Inference`](super::Inference) is faster on a CPU.
    #[must_use]
    pub fn encode(&self, images: Tensor<4>) -> Posterior {
        let features = self.conv.iter().fold(images, |x, block| block.encode(x));
        self.posterior(features)
    }

    /// The image of each latent: `[batch, latent]` to `[batch, channels, height, width]` in [0, 1]. Each pixel is the
    /// mean of its distribution.
    ///
    /// This is the definition; [`Inference`](super::Inference) is faster on a CPU.
    #[must_use]
    pub fn decode(&self, latents: Tensor<2>) -> Tensor<4> {
        self.likelihood().mean(self.locate(latents))
    }

    /// What the decoder says of each latent: the locations of the pixels' distributions, in the shape of
    /// [`Vae::decode`].
    #[must_use]
    pub fn locate(&self, latents: Tensor<2>) -> Tensor<4> {
        let features = self.decoder.apply(latents).unsqueeze_dims(&[2, 3]);
        self.conv_trans
            .iter()
            .enumerate()
            .fold(features, |x, (stage, block)| block.decode(x, self.activation(stage)))
    }

    /// The kernels that the blocks run as on a CPU, for batches of this size, by the blocks' names in a weight file: the
    /// encoder's, then the decoder's.
    ///
    /// # Panics
    /// When `batch` is zero.
    #[must_use]
    pub fn kernels(&self, batch: usize) -> Vec<(String, Block)> {
        let mut side = self.config.image_size;
        let mut kernels = Vec::with_capacity(self.conv.len() + 1 + self.conv_trans.len());
        for (index, block) in self.conv.iter().enumerate() {
            let kernel = block.encoder_kernel(batch, side);
            side = kernel.output_size().0;
            kernels.push((format!("conv{}", index + 1), kernel));
        }
        kernels.push(("decoder".to_owned(), self.decoder.kernel(batch)));
        for (stage, block) in self.conv_trans.iter().enumerate() {
            let kernel = block.decoder_kernel(batch, side, self.activation(stage));
            side = kernel.output_size().0;
            kernels.push((format!("convTrans{}", stage + 1), kernel));
        }
        kernels
    }

    /// Moves the running statistics of every batch norm towards what it saw in a training pass, all of whose `statistics`
    /// these must be.
    #[must_use]
    pub fn update_running_statistics(mut self, statistics: Vec<BatchStatistics>) -> Self {
        for (normalization, seen) in self.normalizations().zip(statistics) {
            normalization.update(seen);
        }
        self
    }

    /// The two linear layers that end the encoder: `features` are `[batch, features, 1, 1]`.
    pub(super) fn posterior(&self, features: Tensor<4>) -> Posterior {
        let features: Tensor<2> = features.flatten(1, 3);
        Posterior {
            mean: self.mean.apply(features.clone()),
            log_variance: self.var.apply(features),
        }
    }

    /// What the names of the batch norm that ends the decoder begin with: `convTrans4.1.`.
    pub(crate) fn output_name(&self) -> String {
        format!("convTrans{}.1.", self.conv_trans.len())
    }

    /// What ends a block of the decoder.
    fn activation(&self, stage: usize) -> Activation {
        if stage + 1 == self.conv_trans.len() {
            Activation::Sigmoid
        } else {
            Activation::Relu
        }
    }

    /// In the order in which a training pass meets them.
    fn normalizations(&mut self) -> impl Iterator<Item = &mut BatchNorm> {
        let encoder = self.conv.iter_mut().map(|block| &mut block.normalization);
        let decoder = self.conv_trans.iter_mut().map(|block| &mut block.normalization);
        encoder.chain([&mut self.decoder.normalization]).chain(decoder)
    }
}
