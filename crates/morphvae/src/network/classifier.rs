//! A network that tells classes apart.

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::accelerate::Operations;
use super::layers::{BatchStatistics, Initializer, StageWeights};
use super::plan::{Plan, Shape};
use super::stack::{ReadyStack, Stack};
use super::{Architecture, NetworkConfig, NetworkError, to_values};
use crate::random::{Purpose, generator};

/// A small convolutional classifier: the stages of the reference network's encoder, and a linear layer from their features
/// to a logit for each class. It knows nothing of autoencoders, and learns from images and labels alone.
#[derive(Module, Debug)]
pub struct Classifier {
    encoder: Stack,
    head: StageWeights,
    /// Its latents are the logits.
    #[module(skip)]
    config: NetworkConfig,
    #[module(skip)]
    operations: Operations,
}

impl Classifier {
    /// One with starting values, for square images of this shape: the sides that the reference network has.
    ///
    /// # Errors
    /// [`NetworkError::Configuration`] when there can be none such.
    pub fn new(
        shape: Shape,
        classes: usize,
        base_channels: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        let config = NetworkConfig {
            image_size: shape.side,
            channels: shape.channels,
            latent: classes,
            classes: 0,
            architecture: Architecture::Reference { base_channels },
        };
        config.validate()?;
        let mut initializer = Initializer {
            generator: Some(generator(seed, Purpose::Classifier, 0)),
            device,
        };
        let Plan { encoder, mean, .. } = config.plan();
        Ok(Self {
            encoder: Stack::new(encoder, &mut initializer),
            head: initializer.stage(mean),
            operations: Operations::of_device(device),
            config,
        })
    }

    /// The shape of an image.
    #[must_use]
    pub fn image_shape(&self) -> Shape {
        self.config.image_shape()
    }

    /// How many classes it tells apart, each by a logit.
    #[must_use]
    pub fn logits(&self) -> usize {
        self.config.latent
    }

    /// Where the weights are.
    #[must_use]
    pub fn device(&self) -> Device {
        self.head.device()
    }

    /// The cross-entropy of images, `[batch, channels, side, side]`, and their labels in nats, the mean over the batch, and
    /// what the batch norms saw.
    #[must_use]
    pub fn train_pass(&self, images: Tensor<4>, labels: &[u16]) -> (Tensor<1>, Vec<BatchStatistics>) {
        let mut statistics = Vec::new();
        let features = self.encoder.train_pass(images, self.operations, &mut statistics);
        let logits: Tensor<2> = self.head.apply(features).flatten(1, 3);
        let labels: Vec<i64> = labels.iter().copied().map(i64::from).collect();
        let labels = TensorData::new(labels.clone(), [labels.len(), 1]);
        let labels = Tensor::<2, Int>::from_data(labels, &logits.device());
        (log_softmax(logits, 1).gather(1, labels).mean().neg(), statistics)
    }

    /// Moves the running statistics of every batch norm towards what it saw.
    #[must_use]
    pub fn update_running_statistics(mut self, statistics: Vec<BatchStatistics>) -> Self {
        for (normalization, seen) in self.encoder.normalizations().zip(statistics) {
            normalization.update(seen);
        }
        self
    }

    /// Made ready to be used again and again, with the running statistics.
    #[must_use]
    pub fn ready(&self) -> ReadyClassifier {
        let network = self.valid();
        ReadyClassifier {
            encoder: network.encoder.ready(network.operations),
            network,
        }
    }
}

/// A [`Classifier`] at work.
#[derive(Debug)]
pub struct ReadyClassifier {
    network: Classifier,
    encoder: ReadyStack,
}

impl ReadyClassifier {
    /// What it was made of.
    #[must_use]
    pub fn network(&self) -> &Classifier {
        &self.network
    }

    /// The likeliest class of each image of `pixels`, `[count, channels, side, side]` in [0, 1]; the first of equal ones.
    #[must_use]
    pub fn classify(&self, pixels: Vec<f32>) -> Vec<u16> {
        let Shape { channels, side } = self.network.image_shape();
        let shape = [pixels.len() / (channels * side * side), channels, side, side];
        let images = Tensor::<4>::from_data(TensorData::new(pixels, shape), &self.network.device());
        let logits = to_values(self.network.head.apply(self.encoder.apply(images)).flatten(0, 3));
        let best = |logits: &[f32]| {
            let places = (0..logits.len()).rev();
            places
                .max_by(|&one, &other| logits[one].total_cmp(&logits[other]))
                .unwrap_or(0) as u16
        };
        logits.chunks_exact(self.network.logits()).map(best).collect()
    }
}
