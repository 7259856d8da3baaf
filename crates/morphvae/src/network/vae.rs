//! The variational autoencoder itself.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::accelerate::Operations;
use super::layers::{BatchNorm, BatchStatistics, Initializer, StageWeights};
use super::pixels::Pixels;
use super::plan::Plan;
use super::prior::PseudoInputs;
use super::stack::Stack;
use super::{Condition, NetworkConfig, NetworkError, Values};
use crate::probability::{Likelihood, Posterior};
use crate::random::{Generator, Purpose, generator};

/// A variational autoencoder of square images with pixels in [0, 1] (Kingma and Welling, 2014).
///
/// Its [`NetworkConfig`] says of which stages encoder and decoder are made; two linear layers at the encoder's end give
/// mean and log variance, and the decoder ends in a sigmoid. A conditional one has the class of each image beside the features
/// and beside the latents.
#[derive(Module, Debug)]
pub struct Vae {
    // In the order of the plan's stages, by which weights are named.
    pub(super) encoder: Stack,
    pub(super) mean: StageWeights,
    log_variance: StageWeights,
    pub(super) decoder: Stack,
    likelihood: Pixels,
    prior: PseudoInputs,
    #[module(skip)]
    config: NetworkConfig,
    #[module(skip)]
    pub(super) operations: Operations,
}

/// Everything that one training pass through the network gives.
#[derive(Clone, Debug)]
pub struct TrainingPass {
    /// The encoder's answer.
    pub posterior: Posterior,
    /// What the decoder says of samples of it, `[samples x batch, channels, height, width]`, in [0, 1].
    pub reconstruction: Tensor<4>,
    /// Those samples, `[samples x batch, latent]`.
    pub latents: Tensor<2>,
    /// The components of the prior, unless that is the standard normal distribution: the posteriors of its pseudo-inputs,
    /// `[count, latent]`.
    pub prior: Option<Posterior>,
    /// What the batch norms saw, for [`Vae::update_running_statistics`].
    pub statistics: Vec<BatchStatistics>,
}

impl Vae {
    /// A network with random weights: the same ones for the same seed, wherever it runs.
    ///
    /// # Errors
    /// [`NetworkError::Configuration`] when `config` asks for the impossible.
    pub fn new(config: NetworkConfig, seed: u64, device: &Device) -> Result<Self, NetworkError> {
        Self::build(config, Some(generator(seed, Purpose::Weights, 0)), device)
    }

    /// A network whose weights are all about to be replaced.
    pub(super) fn blank(config: NetworkConfig, device: &Device) -> Result<Self, NetworkError> {
        Self::build(config, None, device)
    }

    fn build(config: NetworkConfig, generator: Option<Generator>, device: &Device) -> Result<Self, NetworkError> {
        config.validate()?;
        let mut initializer = Initializer { generator, device };
        let Plan {
            encoder,
            mean,
            log_variance,
            decoder,
        } = config.plan();
        Ok(Self {
            encoder: Stack::new(encoder, &mut initializer),
            mean: initializer.stage(mean),
            log_variance: initializer.stage(log_variance),
            decoder: Stack::new(decoder, &mut initializer),
            likelihood: Pixels::new(Likelihood::default(), device),
            prior: PseudoInputs::none(),
            config,
            operations: Operations::of_device(device),
        })
    }

    /// The same network computed by Burn's own operations, even where there are faster ones: to compare.
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

    /// The same network with a prior of so many pseudo-inputs, the VampPrior (Tomczak and Welling, 2018): the mixture of the
    /// posteriors of images that are learned, too. They begin anew, unless there are as many already; with none of them
    /// the prior is the standard normal distribution.
    #[must_use]
    pub fn with_pseudo_inputs(mut self, count: usize, seed: u64) -> Self {
        if count != self.pseudo_inputs() {
            self.prior = PseudoInputs::new(&self.config, count, seed, &self.device());
        }
        self
    }

    /// The same with as many that are about to be replaced.
    pub(super) fn with_blank_pseudo_inputs(mut self, count: usize) -> Self {
        self.prior = PseudoInputs::blank(&self.config, count, &self.device());
        self
    }

    /// How many pseudo-inputs its prior is made of; 0 for the standard normal distribution.
    #[must_use]
    pub fn pseudo_inputs(&self) -> usize {
        self.prior.count()
    }

    /// The pseudo-inputs, `[count, channels, height, width]` in [0, 1], if there are any.
    pub(super) fn pseudo_images(&self) -> Option<Tensor<4>> {
        self.prior.images()
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

    /// What kind of network it is and how large.
    #[must_use]
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Where the weights are and the network computes.
    #[must_use]
    pub fn device(&self) -> Device {
        self.mean.device()
    }

    /// The same network on another device, with its weights copied there; as it is, if that is where it is.
    #[must_use]
    pub fn on(self, device: &Device) -> Self {
        if self.device() == *device {
            return self;
        }
        let device = device.clone().without_autodiff();
        let moved = self.map_parameters(&mut [], |_, values, _| {
            Values::Now(Tensor::from_data(values.into_data(), &device))
        });
        Self {
            operations: Operations::of_device(&device),
            ..moved
        }
    }

    /// One pass for training: batch norms use the batch's own statistics.
    ///
    /// `images` are `[batch, channels, height, width]`, of which a conditional network takes the condition; `noise`,
    /// `[samples x batch, latent]`, is standard normal, or absent for the plain autoencoder, which decodes the means.
    #[must_use]
    pub fn train_pass(&self, images: Tensor<4>, condition: &Condition, noise: Option<Tensor<2>>) -> TrainingPass {
        self.train_pass_at(images, condition, |posterior| match noise {
            Some(noise) => posterior.sample(noise),
            None => posterior.mean.clone(),
        })
    }

    /// The same through the latents, `[samples x batch, latent]`, that are made of the posterior.
    pub(crate) fn train_pass_at(
        &self,
        images: Tensor<4>,
        condition: &Condition,
        latents: impl FnOnce(&Posterior) -> Tensor<2>,
    ) -> TrainingPass {
        let batch = images.dims()[0];
        let mut statistics = Vec::new();
        let told = self.encoder.told(images, condition);
        let features = self.encoder.train_pass(told, self.operations, &mut statistics);
        let posterior = self.posterior(features, condition, self.operations);
        let latents = latents(&posterior);
        // Pseudo-inputs are no images, and batch norms see none of them: an encoder that has such takes none, and neither
        // does a conditional one, for they have no class.
        let prior = self.pseudo_images().map(|images| {
            let features = self.encoder.train_pass(images, self.operations, &mut Vec::new());
            self.posterior(features, &Condition::none(), self.operations)
        });
        let samples = latents.dims()[0] / batch.max(1);
        let points = condition.repeat(samples).append(latents.clone());
        let reconstruction = self
            .decoder
            .train_pass(points.unsqueeze_dims(&[2, 3]), self.operations, &mut statistics);
        TrainingPass {
            posterior,
            reconstruction,
            latents,
            prior,
            statistics,
        }
    }

    /// The posterior of each image: `images` are `[batch, channels, height, width]` in [0, 1], of which a conditional
    /// network takes the condition.
    ///
    /// This is the definition; [`Inference`](super::Inference) is faster on a CPU.
    #[must_use]
    pub fn encode(&self, images: Tensor<4>, condition: &Condition) -> Posterior {
        let told = self.encoder.told(images, condition);
        self.posterior(self.encoder.apply(told), condition, Operations::Plain)
    }

    /// The image of each point: `[batch, latent]`, and of a conditional network `[batch, latent + classes]`, to
    /// `[batch, channels, height, width]` in [0, 1]. Each pixel is the mean of its distribution.
    ///
    /// This is the definition; [`Inference`](super::Inference) is faster on a CPU.
    #[must_use]
    pub fn decode(&self, points: Tensor<2>) -> Tensor<4> {
        self.likelihood().mean(self.locate(points))
    }

    /// What the decoder says of each point: the locations of the pixels' distributions, in the shapes of
    /// [`Vae::decode`].
    #[must_use]
    pub fn locate(&self, points: Tensor<2>) -> Tensor<4> {
        self.decoder.apply(points.unsqueeze_dims(&[2, 3]))
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
    pub(super) fn posterior(&self, features: Tensor<4>, condition: &Condition, operations: Operations) -> Posterior {
        let operations = self.encoder.operations_of_heads(operations);
        let head = |stage: &StageWeights, features| {
            let told = condition.join(features, &stage.stage);
            stage.train_with(operations, told).0.flatten(1, 3)
        };
        Posterior {
            mean: head(&self.mean, features.clone()),
            log_variance: head(&self.log_variance, features),
        }
    }

    /// What the names of the batch norm that ends the decoder begin with, if one does: `convTrans4.1.`.
    pub(crate) fn output_name(&self) -> Option<String> {
        let plan = self.config.plan();
        let last = plan.decoder.last().filter(|stage| stage.batch_norm)?;
        Some(format!("{}.1.", last.name))
    }

    /// The name of the bias that ends the decoder, if it is one for each pixel and no batch norm follows.
    pub(crate) fn output_bias(&self) -> Option<String> {
        self.config.plan().output_bias()
    }

    /// In the order in which a training pass meets them.
    fn normalizations(&mut self) -> impl Iterator<Item = &mut BatchNorm> {
        self.encoder.normalizations().chain(self.decoder.normalizations())
    }
}
