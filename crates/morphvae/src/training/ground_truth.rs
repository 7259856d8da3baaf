//! One forward pass, its gradients and three steps of Adam, against what PyTorch did with the same numbers.
//!
//! The fixture holds a network of 8 base channels and 3 latents: its weights before, its results and gradients for
//! six images and fixed noise, the loss of three steps on them, and its weights after. `on_a_gpu.rs` asks the same of
//! another device.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::step::Told;
use super::{Training, TrainingConfig};
use crate::network::{Condition, NetworkConfig, Vae, Values, to_values};
use crate::objective::Sums;
use crate::probability::Likelihood;
use crate::weights::{self, StateDict};

/// A tensor's distance from the true one, relative to the true one's length.
fn relative_error(found: &[f32], truth: &[f32]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let difference = norm(&mut found.iter().zip(truth).map(|(&a, &b)| f64::from(a) - f64::from(b)));
    difference / norm(&mut truth.iter().map(|&value| f64::from(value))).max(1e-30)
}

pub(super) fn assert_close(what: &str, found: &[f32], truth: &[f32], tolerance: f64) {
    let error = relative_error(found, truth);
    println!("{what}: relative error {error:.1e}, allowed {tolerance:.0e}");
    assert!(
        error <= tolerance,
        "{what}: relative error {error:e} is above {tolerance:e}"
    );
}

struct Fixture(StateDict);

impl Fixture {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/training-steps.safetensors");
        Self(weights::read(&path).unwrap().tensors)
    }

    fn values(&self, name: &str) -> &[f32] {
        &self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("the fixture has no {name}"))
            .values
    }

    /// The tensors under a prefix, without it.
    fn state(&self, prefix: &str) -> StateDict {
        let mut state = StateDict::new();
        for (name, array) in &self.0 {
            if let Some(name) = name.strip_prefix(prefix) {
                state.insert(name.to_owned(), array.clone());
            }
        }
        state
    }

    fn images(&self, device: &Device) -> Tensor<4> {
        Tensor::from_data(TensorData::new(self.values("images").to_vec(), [6, 1, 32, 32]), device)
    }

    fn noise(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.values("noise").to_vec(), [6, 3]), device)
    }

    fn network(&self, device: &Device) -> Vae {
        network(&self.state("initial."), device)
    }
}

fn network(state: &StateDict, device: &Device) -> Vae {
    let config = NetworkConfig::of_weights(state).unwrap();
    Vae::from_state(config, state, Likelihood::CrossEntropy, device).unwrap()
}

/// A bias in front of a batch norm has no effect, so its true gradient is zero and what is found is rounding; Adam
/// makes full steps of it all the same.
fn is_cancelled_by_batch_norm(name: &str) -> bool {
    name.ends_with(".0.bias") && !name.starts_with("mean.") && !name.starts_with("var.")
}

#[test]
fn inference_is_pytorchs() {
    check_inference(&Device::flex());
}

#[test]
fn a_training_pass_and_every_gradient_are_pytorchs() {
    check_gradients(&Device::flex());
}

#[test]
fn three_steps_of_adam_are_pytorchs() {
    check_steps(&Device::flex());
}

pub(super) fn check_inference(device: &Device) {
    let fixture = Fixture::read();
    // The fixture's evaluation was made after the three steps.
    let network = network(&fixture.state("after3."), device);
    let posterior = network.encode(fixture.images(device), &Condition::none());
    let reconstruction = network.decode(posterior.mean.clone());
    for (what, found) in [
        ("eval.mean", posterior.mean.flatten(0, 1)),
        ("eval.log_variance", posterior.log_variance.flatten(0, 1)),
        ("eval.reconstruction", reconstruction.flatten(0, 3)),
    ] {
        assert_close(what, &to_values(found), fixture.values(what), 1e-5);
    }
}

pub(super) fn check_gradients(device: &Device) {
    let fixture = Fixture::read();
    let training = Training::new(fixture.network(device), TrainingConfig::default()).unwrap();
    let device = device.clone().autodiff();
    let images = fixture.images(&device);
    let pass = training
        .network
        .train_pass(images.clone(), &Condition::none(), Some(fixture.noise(&device)));
    for (what, found) in [
        ("train.mean", pass.posterior.mean.clone().flatten(0, 1)),
        ("train.log_variance", pass.posterior.log_variance.clone().flatten(0, 1)),
        ("train.reconstruction", pass.reconstruction.clone().flatten(0, 3)),
    ] {
        assert_close(what, &to_values(found.inner()), fixture.values(what), 1e-5);
    }

    let mut gradients = training
        .slope(Told::images(images), Some(fixture.noise(&device)), 1.0)
        .gradients;
    let largest = fixture
        .state("gradient.")
        .into_values()
        .flat_map(|array| array.values)
        .fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let mut seen = 0;
    training
        .network
        .map_parameters(&mut gradients, |name, weight, gradient| {
            if let Some(gradient) = gradient {
                seen += 1;
                let (found, truth) = (to_values(gradient), fixture.values(&format!("gradient.{name}")));
                if is_cancelled_by_batch_norm(name) {
                    let worst = found.iter().fold(0.0_f32, |worst, value| worst.max(value.abs()));
                    println!("gradient of {name}: {worst:.1e}, zero but for rounding");
                    assert!(worst <= 1e-6 * largest, "{name}: {worst} beside {largest}");
                } else {
                    assert_close(&format!("gradient of {name}"), &found, truth, 1e-4);
                }
            }
            Values::Now(weight)
        });
    assert_eq!(seen, fixture.state("gradient.").len());
}

pub(super) fn check_steps(device: &Device) {
    let fixture = Fixture::read();
    let mut training = Training::new(fixture.network(device), TrainingConfig::default()).unwrap();
    let device = device.clone().autodiff();
    for step in 1..=3 {
        let told = Told::images(fixture.images(&device));
        let sums;
        (training, sums) = training.learn(told, Some(fixture.noise(&device)), 1.0);
        let loss = Sums::read(vec![sums])[0];
        for (name, found) in [
            ("loss", loss.loss),
            ("kl", loss.kl),
            ("reconstruction_loss", loss.reconstruction),
        ] {
            let what = format!("step{step}.{name}");
            assert_close(&what, &[found as f32], fixture.values(&what), 1e-5);
        }
    }
    let found = training.network.valid().state();
    for (name, array) in &fixture.state("after3.") {
        let Some(found) = found.get(name) else {
            assert!(name.ends_with("num_batches_tracked"), "{name} is missing");
            continue;
        };
        let worst = || {
            let differences = found.values.iter().zip(&array.values).map(|(a, b)| (a - b).abs());
            differences.fold(0.0_f32, f32::max)
        };
        if is_cancelled_by_batch_norm(name) {
            // Each step moves them by one learning rate, in a direction that rounding decides.
            assert!(worst() <= 2.0 * 3.0 * 1.01e-3, "{name} is {} away", worst());
        } else if name.ends_with("running_mean") {
            // It takes in a tenth of those biases at the second step and at the third.
            assert!(
                worst() <= 0.1 * (0.9 * 2.0 + 4.0) * 1.01e-3,
                "{name} is {} away",
                worst()
            );
        } else {
            assert_close(&format!("{name} after three steps"), &found.values, &array.values, 1e-5);
        }
    }
}
