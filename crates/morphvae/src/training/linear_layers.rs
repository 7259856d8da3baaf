//! One training pass through linear layers and its gradients, against a naive twin in f64 that knows nothing of plans.

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

use super::{Training, TrainingConfig};
use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae, Values, to_values};
use crate::random::{Purpose, generator};
use crate::weights::StateDict;

const BATCH: usize = 3;
const LATENT: usize = 2;
const HIDDEN: [usize; 2] = [7, 5];
const CHANNELS: usize = 3;
const SIDE: usize = 3;
const PIXELS: usize = CHANNELS * SIDE * SIDE;
/// Added to probabilities before their logarithm is taken.
const DELTA: f64 = 1e-7;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut generator = generator(seed, Purpose::Noise, 0);
    (0..count).map(|_| generator.random::<f32>()).collect()
}

/// The network as its definition in a paper would be written down.
struct Naive<'a> {
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

    fn loss(&self, images: &[f32], noise: &[f32]) -> f64 {
        let image = |(image, noise): (&[f32], &[f32])| {
            let image: Vec<f64> = image.iter().map(|&x| x.into()).collect();
            let features = self.hidden("encoder2", &self.hidden("encoder1", &image));
            let (mean, log_variance) = (self.linear("mean", &features), self.linear("var", &features));
            let kl: f64 = mean
                .iter()
                .zip(&log_variance)
                .map(|(m, v)| -0.5 * (1.0 + v - m * m - v.exp()))
                .sum();
            let latents = mean.iter().zip(&log_variance).zip(noise);
            let latents: Vec<f64> = latents.map(|((m, v), &e)| m + f64::from(e) * (v / 2.0).exp()).collect();
            let logits = self.linear("location", &self.hidden("decoder2", &self.hidden("decoder1", &latents)));
            let entropy = |(x, logit): (&f64, f64)| {
                let y = 1.0 / (1.0 + (-logit).exp());
                -(x * (y + DELTA).ln() + (1.0 - x) * (1.0 - y + DELTA).ln())
            };
            kl + image.iter().zip(logits).map(entropy).sum::<f64>()
        };
        images.chunks(PIXELS).zip(noise.chunks(LATENT)).map(image).sum()
    }
}

#[test]
fn loss_and_gradients_are_those_of_the_naive_twin() {
    let device = Device::flex().autodiff();
    for activation in [
        HiddenActivation::Relu,
        HiddenActivation::Tanh,
        HiddenActivation::Softplus,
    ] {
        let config = NetworkConfig {
            image_size: SIDE,
            channels: CHANNELS,
            latent: LATENT,
            architecture: Architecture::Mlp {
                hidden: HIDDEN.to_vec(),
                activation,
            },
        };
        let network = Vae::new(config, 5, &Device::flex()).unwrap();
        let state = network.state();
        let (images, noise) = (numbers(BATCH * PIXELS, 1), numbers(BATCH * LATENT, 2));
        let twin = |moved: (&str, usize, f64)| {
            let naive = Naive {
                weights: &state,
                activation,
                moved,
            };
            naive.loss(&images, &noise)
        };

        let training = Training::new(network, TrainingConfig::default()).unwrap();
        let pixels = Tensor::from_data(TensorData::new(images.clone(), [BATCH, CHANNELS, SIDE, SIDE]), &device);
        let normal = Tensor::from_data(TensorData::new(noise.clone(), [BATCH, LATENT]), &device);
        let pass = training.network.train_pass(pixels.clone(), Some(normal));
        let (loss, terms) = training.loss(pixels, &pass);
        let truth = twin(("", 0, 0.0));
        assert!(
            (terms.loss - truth).abs() < 1e-5 * truth,
            "{activation:?}: {} {truth}",
            terms.loss
        );

        let mut seen = 0;
        training
            .network
            .map_parameters(Some(&mut loss.backward()), |name, weight, gradient| {
                let gradient = to_values(gradient.expect("every weight has a gradient"));
                seen += gradient.len();
                for (index, &found) in gradient.iter().enumerate() {
                    let step = 1e-5;
                    let truth = (twin((name, index, step)) - twin((name, index, -step))) / (2.0 * step);
                    let close = (f64::from(found) - truth).abs() < 1e-4 * (1.0 + truth.abs());
                    assert!(close, "{activation:?}, {name}[{index}]: {found} {truth}");
                }
                Values::Now(weight)
            });
        assert_eq!(seen, state.values().map(|array| array.values.len()).sum::<usize>());
    }
}
