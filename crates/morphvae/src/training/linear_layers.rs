//! One training pass through linear layers and its gradients, against a naive twin in f64 that knows nothing of plans.

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

use super::step::Told;
use super::{Training, TrainingConfig};
use crate::network::{Architecture, Condition, HiddenActivation, NetworkConfig, Vae, Values, to_values};
use crate::objective::Sums;
use crate::random::{Purpose, generator};
use crate::weights::StateDict;

pub(super) const BATCH: usize = 3;
pub(super) const LATENT: usize = 2;
const HIDDEN: [usize; 2] = [7, 5];
const CHANNELS: usize = 3;
const SIDE: usize = 3;
pub(super) const PIXELS: usize = CHANNELS * SIDE * SIDE;
/// Added to probabilities before their logarithm is taken.
const DELTA: f64 = 1e-7;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut generator = generator(seed, Purpose::Noise, 0);
    (0..count).map(|_| generator.random::<f32>()).collect()
}

/// The network as its definition in a paper would be written down.
pub(super) struct Naive<'a> {
    weights: &'a StateDict,
    activation: HiddenActivation,
    /// The tensor and the place in it that is moved, and by how much.
    moved: (&'a str, usize, f64),
}

impl Naive<'_> {
    fn at(&self, tensor: &str, index: usize) -> f64 {
        let (name, place, by) = self.moved;
        let value = f64::from(self.weights[tensor].values[index]);
        if name == tensor && place == index {
            value + by
        } else {
            value
        }
    }

    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (format!("{name}.0.weight"), format!("{name}.0.bias"));
        let row = |row: usize| -> f64 {
            let terms = x.iter().enumerate();
            terms
                .map(|(column, value)| self.at(&weight, row * x.len() + column) * value)
                .sum()
        };
        (0..self.weights[&bias].values.len())
            .map(|index| row(index) + self.at(&bias, index))
            .collect()
    }

    fn hidden(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let activate = |x: f64| match self.activation {
            HiddenActivation::Relu => x.max(0.0),
            HiddenActivation::Tanh => x.tanh(),
            HiddenActivation::Softplus => x.exp().ln_1p(),
        };
        self.linear(name, x).into_iter().map(activate).collect()
    }

    /// Mean and log variance of an image's posterior.
    pub fn encode(&self, image: &[f64]) -> [Vec<f64>; 2] {
        self.encode_told(image, &[])
    }

    /// The same of a conditional network that is told so much of each class.
    pub fn encode_told(&self, image: &[f64], told: &[f64]) -> [Vec<f64>; 2] {
        let features = self.hidden("encoder2", &self.hidden("encoder1", &[image, told].concat()));
        ["mean", "var"].map(|name| self.linear(name, &features))
    }

    /// The prior's components, mean and log variance, if it has any.
    pub fn components(&self) -> Option<Vec<[Vec<f64>; 2]>> {
        let images = self.weights.get("prior.pseudo_inputs")?.values.len() / PIXELS;
        let pixel = |index| self.at("prior.pseudo_inputs", index).clamp(0.0, 1.0);
        let image = |image: usize| (image * PIXELS..(image + 1) * PIXELS).map(pixel).collect::<Vec<_>>();
        Some((0..images).map(|index| self.encode(&image(index))).collect())
    }

    /// The cross-entropy of an image with what the decoder says of a latent point.
    pub fn cross_entropy(&self, image: &[f64], latents: &[f64]) -> f64 {
        let logits = self.linear("location", &self.hidden("decoder2", &self.hidden("decoder1", latents)));
        let entropy = |(x, logit): (&f64, f64)| {
            let y = 1.0 / (1.0 + (-logit).exp());
            -(x * (y + DELTA).ln() + (1.0 - x) * (1.0 - y + DELTA).ln())
        };
        image.iter().zip(logits).map(entropy).sum()
    }

    /// The negative evidence lower bound of a batch.
    fn loss(&self, Batch { images, noise, .. }: &Batch) -> f64 {
        let image = |(image, noise): (&[f64], &[f64])| {
            let [mean, log_variance] = self.encode(image);
            let kl: f64 = divergences(&mean, &log_variance).sum();
            kl + self.cross_entropy(image, &sample(&mean, &log_variance, noise))
        };
        images.chunks(PIXELS).zip(noise.chunks(LATENT)).map(image).sum()
    }
}

/// The divergence of each latent from the standard normal distribution.
pub(super) fn divergences(mean: &[f64], log_variance: &[f64]) -> impl Iterator<Item = f64> {
    let latents = mean.iter().zip(log_variance);
    latents.map(|(m, v)| -0.5 * (1.0 + v - m * m - v.exp()))
}

/// The latent point that noise makes of a posterior.
pub(super) fn sample(mean: &[f64], log_variance: &[f64], noise: &[f64]) -> Vec<f64> {
    let latents = mean.iter().zip(log_variance).zip(noise);
    latents.map(|((m, v), e)| m + e * (v / 2.0).exp()).collect()
}

/// Some images, and noise for one or more samples of each: those of the first sample, then those of the next.
pub(super) struct Batch {
    pub images: Vec<f64>,
    pub noise: Vec<f64>,
    /// What a conditional network is told of the images.
    pub classes: [u16; BATCH],
}

impl Batch {
    pub fn new(samples: usize) -> Self {
        let numbers = |count, seed| numbers(count, seed).into_iter().map(f64::from).collect();
        Self {
            images: numbers(BATCH * PIXELS, 1),
            noise: numbers(samples * BATCH * LATENT, 2),
            classes: [2, 0, 1],
        }
    }
}

/// Network and training of which a [`Naive`] is the twin.
pub(super) struct Tiny {
    pub state: StateDict,
    activation: HiddenActivation,
    training: Training,
}

impl Tiny {
    pub fn new(activation: HiddenActivation, config: TrainingConfig) -> Self {
        Self::conditional(activation, config, 0)
    }

    /// The same with a network that is told of so many classes.
    pub fn conditional(activation: HiddenActivation, config: TrainingConfig, classes: usize) -> Self {
        let network = NetworkConfig {
            image_size: SIDE,
            channels: CHANNELS,
            latent: LATENT,
            classes,
            architecture: Architecture::Mlp {
                hidden: HIDDEN.to_vec(),
                activation,
            },
        };
        let network = Vae::new(network, 5, &Device::flex()).unwrap();
        let training = Training::new(network, config).unwrap();
        Self {
            state: training.network().state(),
            activation,
            training,
        }
    }

    /// Its twin, with one number of one tensor moved.
    pub fn twin<'a>(&'a self, moved: (&'a str, usize, f64)) -> Naive<'a> {
        Naive {
            weights: &self.state,
            activation: self.activation,
            moved,
        }
    }

    /// The derivative of what twins have by one number of one tensor.
    pub fn derivative(&self, name: &str, index: usize, of: impl Fn(&Naive) -> f64) -> f64 {
        let step = 1e-5;
        (of(&self.twin((name, index, step))) - of(&self.twin((name, index, -step)))) / (2.0 * step)
    }

    /// Holds the loss of a batch against `truth`, and every gradient against what `derivative` says of a tensor's name
    /// and a place in it.
    pub fn check(self, batch: &Batch, truth: f64, derivative: impl Fn(&Self, &str, usize) -> f64) {
        let device = self.training.network.device();
        let tensor = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let images = TensorData::new(tensor(&batch.images), [BATCH, CHANNELS, SIDE, SIDE]);
        let noise = TensorData::new(tensor(&batch.noise), [batch.noise.len() / LATENT, LATENT]);
        let (images, noise) = (Tensor::from_data(images, &device), Tensor::from_data(noise, &device));
        let beta = self.training.config.beta;
        let condition = Condition::of_classes(&batch.classes, self.training.network.config(), &device);
        let told = Told { images, condition };
        let mut slope = self.training.slope(told, Some(noise), beta);
        let found = Sums::read(vec![slope.sums])[0].loss;
        assert!((found - truth).abs() < 1e-5 * truth, "{found} {truth}");
        let mut seen = 0;
        let network = self.training.network.clone();
        network.map_parameters(&mut slope.gradients, |name, weight, gradient| {
            let gradient = to_values(gradient.expect("every weight has a gradient"));
            seen += gradient.len();
            for (index, &found) in gradient.iter().enumerate() {
                let truth = derivative(&self, name, index);
                let close = (f64::from(found) - truth).abs() < 1e-4 * (1.0 + truth.abs());
                assert!(close, "{:?}, {name}[{index}]: {found} {truth}", self.activation);
            }
            Values::Now(weight)
        });
        assert_eq!(seen, self.state.values().map(|array| array.values.len()).sum::<usize>());
    }
}

#[test]
fn loss_and_gradients_are_those_of_the_naive_twin() {
    for activation in [
        HiddenActivation::Relu,
        HiddenActivation::Tanh,
        HiddenActivation::Softplus,
    ] {
        let (tiny, batch) = (Tiny::new(activation, TrainingConfig::default()), Batch::new(1));
        let truth = tiny.twin(("", 0, 0.0)).loss(&batch);
        tiny.check(&batch, truth, |tiny, name, index| {
            tiny.derivative(name, index, |twin| twin.loss(&batch))
        });
    }
}
