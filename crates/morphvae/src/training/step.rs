//! One step: from a batch of images to weights that were moved.

use burn::tensor::{Gradients, Tensor, TensorData};
use morphvae_kernels::awake;
use morphvae_kernels::extension::runs_on;

use super::{Training, TrainingConfig, TrainingError};
use crate::data::Batch;
use crate::network::BatchStatistics;
use crate::objective::Loss;
use crate::random::{Purpose, noise};

/// Which way a batch says that the weights shall move.
pub(super) struct Slope {
    /// Of what is minimized.
    pub gradients: Gradients,
    /// The batch's loss, summed over pixels, latents and the batch.
    pub loss: Loss,
    /// What the batch norms saw.
    pub statistics: Vec<BatchStatistics>,
}

impl Training {
    /// The weight of the KL divergence in the next step, where an epoch has so many images: it rises evenly from zero
    /// while the training warms up.
    pub(super) fn beta(&self, count: usize) -> f64 {
        let TrainingConfig { beta, warm_up, .. } = self.config;
        match warm_up {
            0 => beta,
            epochs => {
                let done = self.history.len() as f64 + self.position.images as f64 / count as f64;
                beta * (done / epochs as f64).min(1.0)
            }
        }
    }

    /// One step of the optimizer, with this weight of the KL divergence.
    pub(super) fn step(mut self, batch: Batch, beta: f64) -> Result<Self, TrainingError> {
        let network = self.network.config();
        let device = self.network.device();
        let shape = [batch.count, network.channels, network.image_size, network.image_size];
        let images = Tensor::from_data(TensorData::new(batch.pixels, shape), &device);
        let noise = self.config.objective.is_variational().then(|| {
            let shape = [batch.count, network.latent];
            let step = self.optimizer.steps();
            let values = noise(self.config.seed, Purpose::Noise, step, shape[0] * shape[1]);
            Tensor::from_data(TensorData::new(values, shape), &device)
        });
        let (mut next, loss) = match runs_on(&device) {
            true => awake(|| {
                self.optimizer.hand_out();
                self.learn(images, noise, beta)
            }),
            false => self.learn(images, noise, beta),
        }?;
        next.position.add(loss, batch.count);
        Ok(next)
    }

    /// Moves the weights by one batch, and returns its loss, which is summed over pixels, latents and the batch: the
    /// optimizer and its penalty see that scale.
    pub(super) fn learn(
        mut self,
        images: Tensor<4>,
        noise: Option<Tensor<2>>,
        beta: f64,
    ) -> Result<(Self, Loss), TrainingError> {
        let Slope {
            gradients,
            loss,
            statistics,
        } = self.slope(images, noise, beta)?;
        self.network = self
            .optimizer
            .step(self.network, gradients)
            .update_running_statistics(statistics);
        Ok((self, loss))
    }

    /// What [`Training::learn`] goes down by.
    pub(super) fn slope(&self, images: Tensor<4>, noise: Option<Tensor<2>>, beta: f64) -> Result<Slope, TrainingError> {
        let TrainingConfig {
            objective, free_bits, ..
        } = self.config;
        let pass = self.network.train_pass(images.clone(), noise);
        let reconstruction = self.network.reconstruction_loss(images, pass.reconstruction);
        let terms = objective.terms(reconstruction, &pass.posterior, beta);
        let (sum, loss) = terms.with_free_bits(free_bits).sum();
        self.check_finite(loss.loss, Some(self.position.batches + 1))?;
        Ok(Slope {
            gradients: sum.backward(),
            loss,
            statistics: pass.statistics,
        })
    }
}
