//! What goes down in a training besides the plain lower bound, against naive twins in f64.

use std::f64::consts::TAU;
use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use super::linear_layers::{BATCH, Batch, LATENT, Naive, PIXELS, Tiny, divergences, sample};
use super::{Progress, Training, TrainingConfig, TrainingData};
use crate::data::{Images, Split};
use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
use crate::objective::{Loss, Objective};

/// The cross-entropies, and the divergence of each latent, both summed over a batch.
fn terms(twin: &Naive, batch: &Batch) -> (f64, [f64; LATENT]) {
    let mut sums = (0.0, [0.0; LATENT]);
    for (image, noise) in batch.images.chunks(PIXELS).zip(batch.noise.chunks(LATENT)) {
        let [mean, log_variance] = twin.encode(image);
        sums.0 += twin.cross_entropy(image, &sample(&mean, &log_variance, noise));
        for (sum, kl) in sums.1.iter_mut().zip(divergences(&mean, &log_variance)) {
            *sum += kl;
        }
    }
    sums
}

#[test]
fn free_bits_hold_up_what_a_latent_says_below_them() {
    let batch = Batch::new(1);
    let plain = Tiny::new(HiddenActivation::Tanh, TrainingConfig::default());
    let (_, found) = terms(&plain.twin(("", 0, 0.0)), &batch);
    let [one, other] = found.map(|sum| sum / BATCH as f64);
    // Between both, so that one is held up and the other is not; and above both.
    for nats in [(one + other) / 2.0, 1.0 + one.max(other)] {
        let config = TrainingConfig {
            beta: 0.7,
            free_bits: nats,
            ..TrainingConfig::default()
        };
        let loss = |twin: &Naive| {
            let (reconstruction, kl) = terms(twin, &batch);
            let held = kl.map(|sum| (sum / BATCH as f64).max(nats) * BATCH as f64);
            reconstruction + 0.7 * held.iter().sum::<f64>()
        };
        let tiny = Tiny::new(HiddenActivation::Tanh, config);
        let truth = loss(&tiny.twin(("", 0, 0.0)));
        tiny.check(&batch, truth, |tiny, name, index| tiny.derivative(name, index, loss));
    }
}

/// What is known of a sample: its latents, and the posterior that it was drawn from.
struct Sample<'a> {
    image: &'a [f64],
    latents: Vec<f64>,
    mean: Vec<f64>,
    log_variance: Vec<f64>,
}

impl Sample<'_> {
    /// `log p(x|z) + β (log p(z) - log q(z|x))`.
    fn log_weight(&self, twin: &Naive, beta: f64) -> f64 {
        beta * self.log_ratio(twin) - twin.cross_entropy(self.image, &self.latents)
    }

    /// `log p(z) - log q(z|x)`, each density written out.
    fn log_ratio(&self, twin: &Naive) -> f64 {
        let prior = match twin.components() {
            Some(components) => {
                let densities = components.iter().map(|[mean, log]| self.log_density(mean, log).exp());
                (densities.sum::<f64>() / components.len() as f64).ln()
            }
            None => self.log_density(&[0.0; LATENT], &[0.0; LATENT]),
        };
        prior - self.log_density(&self.mean, &self.log_variance)
    }

    fn log_density(&self, mean: &[f64], log_variance: &[f64]) -> f64 {
        let moments = mean.iter().zip(log_variance);
        let latents = self.latents.iter().zip(moments);
        latents
            .map(|(z, (mean, log))| -0.5 * ((z - mean).powi(2) / log.exp() + TAU.ln() + log))
            .sum()
    }
}

/// The samples of each image of a batch.
fn samples<'a>(twin: &Naive, batch: &'a Batch) -> Vec<Vec<Sample<'a>>> {
    let of = |(index, image): (usize, &'a [f64])| {
        let noise = batch.noise.chunks(LATENT).skip(index).step_by(BATCH);
        let sample = |noise: &[f64]| {
            let [mean, log_variance] = twin.encode(image);
            Sample {
                image,
                latents: sample(&mean, &log_variance, noise),
                mean,
                log_variance,
            }
        };
        noise.map(sample).collect()
    };
    batch.images.chunks(PIXELS).enumerate().map(of).collect()
}

/// The negative bound, summed over a batch.
fn bound(twin: &Naive, batch: &Batch, beta: f64) -> f64 {
    let of = |samples: &Vec<Sample>| {
        let weights = samples.iter().map(|sample| sample.log_weight(twin, beta).exp());
        -(weights.sum::<f64>() / samples.len() as f64).ln()
    };
    samples(twin, batch).iter().map(of).sum()
}

#[test]
fn the_importance_weighted_bound_and_its_gradients_are_those_of_the_naive_twin() {
    for (count, beta, pseudo_inputs) in [(1, 1.0, 0), (4, 1.0, 0), (3, 0.6, 0), (3, 1.0, 5)] {
        let config = TrainingConfig {
            objective: Objective::Iwae,
            samples: count,
            pseudo_inputs,
            beta,
            ..TrainingConfig::default()
        };
        let (tiny, batch) = (Tiny::new(HiddenActivation::Tanh, config), Batch::new(count));
        let truth = bound(&tiny.twin(("", 0, 0.0)), &batch, beta);
        tiny.check(&batch, truth, |tiny, name, index| {
            tiny.derivative(name, index, |twin| bound(twin, &batch, beta))
        });
    }
}

/// How the negative log weight of a sample changes with each of its latents, where the density that it was drawn from
/// stays as it is.
fn slope(twin: &Naive, sample: &Sample, beta: f64) -> Vec<f64> {
    let step = 1e-5;
    let moved = |latent: usize, by: f64| {
        let mut latents = sample.latents.clone();
        latents[latent] += by;
        let moved = Sample {
            latents,
            mean: sample.mean.clone(),
            log_variance: sample.log_variance.clone(),
            ..*sample
        };
        -moved.log_weight(twin, beta)
    };
    let difference = |latent| (moved(latent, step) - moved(latent, -step)) / (2.0 * step);
    (0..LATENT).map(difference).collect()
}

#[test]
fn the_doubly_reparameterized_gradient_weighs_the_way_through_a_sample_by_its_share_squared() {
    for (count, beta, pseudo_inputs) in [(1, 1.0, 0), (4, 1.0, 0), (3, 0.6, 0), (3, 1.0, 5)] {
        let config = TrainingConfig {
            objective: Objective::Dreg,
            samples: count,
            pseudo_inputs,
            beta,
            ..TrainingConfig::default()
        };
        let (tiny, batch) = (Tiny::new(HiddenActivation::Softplus, config.clone()), Batch::new(count));
        let still = tiny.twin(("", 0, 0.0));
        let truth = bound(&still, &batch, beta);
        let pulls: Vec<Vec<Vec<f64>>> = samples(&still, &batch)
            .iter()
            .map(|samples| {
                let weights: Vec<f64> = samples
                    .iter()
                    .map(|sample| sample.log_weight(&still, beta).exp())
                    .collect();
                let whole: f64 = weights.iter().sum();
                let pull = |(sample, weight): (&Sample, f64)| {
                    let share = weight / whole;
                    // The square of the share, where β is 1.
                    let part = share * (1.0 - beta) + beta * share * share;
                    let slope = slope(&still, sample, beta);
                    slope.into_iter().map(|slope| part * slope).collect()
                };
                samples.iter().zip(weights).map(pull).collect()
            })
            .collect();
        // Linear in the latents, as far as it is pulled: its derivative is the sum of the formula.
        let way = |twin: &Naive| -> f64 {
            let samples = samples(twin, &batch);
            let latents = samples.iter().flatten().flat_map(|sample| &sample.latents);
            let pulls = pulls.iter().flatten().flatten();
            latents.zip(pulls).map(|(latent, pull)| latent * pull).sum()
        };
        // What the bound depends on the weights for, where samples stay where they are and the densities that they were
        // drawn from as they are: those of the decoder, and a prior's that is made of what the encoder says.
        let drawn = samples(&still, &batch);
        let model = |twin: &Naive| -> f64 {
            let of = |samples: &Vec<Sample>| {
                let weights = samples.iter().map(|sample| sample.log_weight(twin, beta).exp());
                -(weights.sum::<f64>() / samples.len() as f64).ln()
            };
            drawn.iter().map(of).sum()
        };
        let derivatives = |tiny: &Tiny, name: &str, index: usize| {
            tiny.derivative(name, index, model) + tiny.derivative(name, index, way)
        };
        let twin = Tiny::new(HiddenActivation::Softplus, config.clone());
        twin.check(&batch, truth, derivatives);
    }
}

#[test]
fn the_divergence_from_a_learned_prior_is_that_of_the_samples() {
    for count in [1, 3] {
        let config = TrainingConfig {
            samples: count,
            pseudo_inputs: 5,
            beta: 0.8,
            ..TrainingConfig::default()
        };
        let (tiny, batch) = (Tiny::new(HiddenActivation::Tanh, config), Batch::new(count));
        let loss = |twin: &Naive| {
            let one = |sample: &Sample| {
                let error = twin.cross_entropy(sample.image, &sample.latents);
                (error - 0.8 * sample.log_ratio(twin)) / count as f64
            };
            samples(twin, &batch).iter().flatten().map(one).sum::<f64>()
        };
        let truth = loss(&tiny.twin(("", 0, 0.0)));
        tiny.check(&batch, truth, |tiny, name, index| tiny.derivative(name, index, loss));
    }
}

#[test]
fn several_samples_average_what_the_images_are_away_from_them() {
    let config = TrainingConfig {
        samples: 3,
        beta: 0.5,
        ..TrainingConfig::default()
    };
    let (tiny, batch) = (Tiny::new(HiddenActivation::Tanh, config), Batch::new(3));
    let loss = |twin: &Naive| {
        let of = |samples: &Vec<Sample>| {
            let errors = samples
                .iter()
                .map(|sample| twin.cross_entropy(sample.image, &sample.latents));
            let divergence: f64 = divergences(&samples[0].mean, &samples[0].log_variance).sum();
            errors.sum::<f64>() / 3.0 + 0.5 * divergence
        };
        samples(twin, &batch).iter().map(of).sum::<f64>()
    };
    let truth = loss(&tiny.twin(("", 0, 0.0)));
    tiny.check(&batch, truth, |tiny, name, index| tiny.derivative(name, index, loss));
}

#[test]
fn the_divergence_weighs_more_with_each_step_of_the_warm_up() {
    let network = NetworkConfig {
        image_size: 3,
        latent: 2,
        architecture: Architecture::Mlp {
            hidden: vec![4],
            activation: HiddenActivation::Tanh,
        },
        ..NetworkConfig::default()
    };
    let config = TrainingConfig {
        epochs: 4,
        // Enough steps an epoch for batch norms, if there were any.
        batch_size: 2,
        beta: 0.8,
        warm_up: 2,
        patience: Some(1),
        ..TrainingConfig::default()
    };
    let pixels = (0..50 * 9).map(|index| (index * index % 251) as u8).collect();
    let split = Arc::new(Split {
        images: Images::new(1, 3, 3, pixels).unwrap(),
        labels: None,
        sources: None,
    });
    let data = TrainingData::new(Arc::clone(&split), split);
    let mut training = Training::new(Vae::new(network, 0, &Device::flex()).unwrap(), config).unwrap();
    for epoch in 0..3 {
        let mut last = (0.0, Loss::default());
        let observe = &mut |progress| {
            if let Progress::Train { images, loss, .. } = progress {
                let images = images as f64;
                let sum = |of: fn(&Loss) -> f64| images * of(&loss) - last.0 * of(&last.1);
                let weight = (sum(|loss| loss.loss) - sum(|loss| loss.reconstruction)) / sum(|loss| loss.kl);
                // As the images that were seen before the step, of those of two epochs.
                let truth = 0.8 * ((f64::from(epoch) + last.0 / 50.0) / 2.0).min(1.0);
                assert!((weight - truth).abs() < 1e-3, "{epoch}, {images}: {weight} {truth}");
                last = (images, loss);
            }
            ControlFlow::Continue(())
        };
        training = training.epoch(&data, observe).unwrap().0;
        let metrics = training.history().last().unwrap();
        let whole = metrics.test_reconstruction + 0.8 * metrics.test_kl;
        assert!(
            (metrics.test_loss - whole).abs() < 1e-9,
            "the test loss has all of the weight"
        );
        assert!(!training.has_stalled());
    }
    assert_eq!(training.best().unwrap().epoch, 3);
}
