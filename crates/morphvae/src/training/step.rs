//! One step: from a batch of images to weights that were moved.

use burn::tensor::{Gradients, Tensor, TensorData};
use morphvae_kernels::awake;
use morphvae_kernels::extension::runs_on;

use super::{Training, TrainingConfig};
use crate::data::Batch;
use crate::network::{BatchStatistics, Condition};
use crate::objective::{Objective, Sums, log_weights, path_weights, shares};
use crate::probability::{Posterior, log_ratio};
use crate::random::{Purpose, noise};

/// What a network is shown in a step.
pub(super) struct Told {
    /// `[batch, channels, height, width]`
    pub images: Tensor<4>,
    /// What a conditional network is told of them.
    pub condition: Condition,
}

#[cfg(test)]
impl Told {
    /// Images for a network that is not conditional.
    pub fn images(images: Tensor<4>) -> Self {
        Self {
            images,
            condition: Condition::none(),
        }
    }
}

/// Which way a batch says that the weights shall move.
pub(super) struct Slope {
    /// Of what is minimized.
    pub gradients: Vec<Gradients>,
    /// The batch's loss.
    pub sums: Sums,
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

    /// The learning rate of the next step.
    pub(super) fn learning_rate(&self) -> f64 {
        self.config.learning_rate(self.history.len())
    }

    /// One step of the optimizer, with this weight of the KL divergence, and the loss of its batch.
    pub(super) fn step(mut self, batch: Batch, beta: f64) -> (Self, Sums) {
        let network = self.network.config();
        let device = self.network.device();
        let shape = [batch.count, network.channels, network.image_size, network.image_size];
        let images = Tensor::from_data(TensorData::new(batch.pixels, shape), &device);
        // A conditional network's images all have a class.
        let classes: Vec<u16> = batch.labels.into_iter().flatten().collect();
        let examples = Told {
            images,
            condition: Condition::of_classes(&classes, network, &device),
        };
        let noise = self.config.objective.is_variational().then(|| {
            let shape = [self.config.samples * batch.count, network.latent];
            let step = self.optimizer.steps();
            let values = noise(self.config.seed, Purpose::Noise, step, shape[0] * shape[1]);
            Tensor::from_data(TensorData::new(values, shape), &device)
        });
        match runs_on(&device) {
            true => awake(|| {
                self.optimizer.hand_out();
                self.learn(examples, noise, beta)
            }),
            false => self.learn(examples, noise, beta),
        }
    }

    /// Moves the weights by one batch, and returns its loss, which is summed over pixels, latents and the batch: the
    /// optimizer and its penalty see that scale.
    pub(super) fn learn(mut self, examples: Told, noise: Option<Tensor<2>>, beta: f64) -> (Self, Sums) {
        let Slope {
            gradients,
            sums,
            statistics,
        } = self.slope(examples, noise, beta);
        let learning_rate = self.learning_rate();
        self.network = self
            .optimizer
            .step(self.network, gradients, learning_rate)
            .update_running_statistics(statistics);
        (self, sums)
    }

    /// What [`Training::learn`] goes down by; `noise` is `[samples x batch, latent]`.
    pub(super) fn slope(&self, examples: Told, noise: Option<Tensor<2>>, beta: f64) -> Slope {
        match (self.config.objective, noise) {
            (Objective::Iwae, Some(noise)) => self.slope_of_bound(examples, noise, beta),
            (Objective::Dreg, Some(noise)) => self.reparameterized_slope(examples, noise, beta),
            (_, noise) => self.slope_of_terms(examples, noise, beta),
        }
    }

    fn slope_of_terms(&self, examples: Told, noise: Option<Tensor<2>>, beta: f64) -> Slope {
        let Told { images, condition } = examples;
        let pass = self.network.train_pass(images.clone(), &condition, noise.clone());
        let errors = self.errors(images, pass.reconstruction);
        let terms = match (noise, &pass.prior) {
            (Some(noise), Some(prior)) => {
                let log_variance = pass.posterior.repeat(errors.dims()[0]).log_variance;
                let ratios = log_ratio(pass.latents, noise, log_variance, Some(prior));
                let shape = errors.dims();
                let terms = self.config.objective.terms(errors, &pass.posterior.detach(), beta);
                terms.with_log_ratios(ratios.reshape(shape))
            }
            _ => self.config.objective.terms(errors, &pass.posterior, beta),
        };
        let (sum, sums) = terms.with_free_bits(self.config.free_bits).sum();
        Slope {
            gradients: vec![sum.backward()],
            sums,
            statistics: pass.statistics,
        }
    }

    fn slope_of_bound(&self, examples: Told, noise: Tensor<2>, beta: f64) -> Slope {
        let Told { images, condition } = examples;
        let pass = self.network.train_pass(images.clone(), &condition, Some(noise.clone()));
        let errors = self.errors(images, pass.reconstruction);
        let log_variance = pass.posterior.repeat(errors.dims()[0]).log_variance;
        let ratios = log_ratio(pass.latents, noise, log_variance, pass.prior.as_ref()).reshape(errors.dims());
        let weights = log_weights(errors.clone(), ratios.clone(), beta);
        let (sum, sums) = self.bound(errors, &pass.posterior, ratios, weights, beta);
        Slope {
            gradients: vec![sum.backward()],
            sums,
            statistics: pass.statistics,
        }
    }

    /// The doubly reparameterized gradient (Tucker et al., 2019, equation 8). The decoder's is that of the bound, and so is
    /// a learned prior's. The encoder's takes the density `q(z|x)` for fixed, and weighs the way through each sample by the
    /// square of its share instead, `Σ share² · ∂log w/∂z · ∂z/∂φ`; see [`path_weights`] for another β than 1. So there are
    /// two backward passes, from the bound to the samples, and on from there. A decoder with batch norms makes all samples
    /// of a batch depend on each other, which is left out of account.
    fn reparameterized_slope(&self, examples: Told, noise: Tensor<2>, beta: f64) -> Slope {
        let Told { images, condition } = examples;
        let pass = self.network.train_pass_at(images.clone(), &condition, |posterior| {
            posterior.sample(noise.clone()).detach().require_grad()
        });
        let (errors, latents) = (self.errors(images, pass.reconstruction), pass.latents);
        let fixed = pass.posterior.detach().repeat(errors.dims()[0]);
        let precision = fixed.log_variance.clone().mul_scalar(-0.5).exp();
        let deviates = (latents.clone() - fixed.mean) * precision;
        let ratios = log_ratio(latents.clone(), deviates, fixed.log_variance, pass.prior.as_ref());
        let ratios = ratios.reshape(errors.dims());
        let weights = log_weights(errors.clone(), ratios.clone(), beta);
        let part = path_weights(shares(weights.clone()), beta);
        let (sum, sums) = self.bound(errors, &pass.posterior, ratios, weights, beta);
        let mut first = sum.backward();
        let pull = latents
            .grad_remove(&mut first)
            .expect("the bound depends on its samples");
        let pull = pull * part.inner().reshape([-1, 1]);
        let way = pass.posterior.sample(noise) * pull.autodiff();
        Slope {
            gradients: vec![first, way.sum().backward()],
            sums,
            statistics: pass.statistics,
        }
    }

    /// How far each image is from what the decoder says of each of its samples, `[samples, batch]`.
    fn errors(&self, images: Tensor<4>, location: Tensor<4>) -> Tensor<2> {
        let batch = images.dims()[0];
        let samples = location.dims()[0] / batch.max(1);
        let images = match samples {
            1 => images,
            _ => images.repeat_dim(0, samples),
        };
        self.network
            .reconstruction_loss(images, location)
            .reshape([samples, batch])
    }

    /// The bound that samples with these weights make, and beside it the usual terms; both are `[samples, batch]`.
    fn bound(
        &self,
        errors: Tensor<2>,
        posterior: &Posterior,
        log_ratios: Tensor<2>,
        log_weights: Tensor<2>,
        beta: f64,
    ) -> (Tensor<1>, Sums) {
        let terms = self.config.objective.terms(errors.detach(), &posterior.detach(), beta);
        let terms = match self.network.pseudo_inputs() {
            0 => terms,
            _ => terms.with_log_ratios(log_ratios.detach()),
        };
        terms.with_weights(log_weights).sum()
    }
}
