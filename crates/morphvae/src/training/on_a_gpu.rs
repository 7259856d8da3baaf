//! Training on a GPU, where there is one: as PyTorch, and as on the processor.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use super::ground_truth::{assert_close, check_gradients, check_inference, check_steps};
use super::{AdamConfig, Outcome, Progress, Training, TrainingConfig, TrainingData};
use crate::choice::Choice;
use crate::data::{Batches, epoch_order, strokes};
use crate::device::gpu_for_tests as gpu;
use crate::network::{Architecture, NetworkConfig, Vae, to_values};
use crate::objective::Sums;
use crate::probability::Likelihood;

#[test]
fn a_gpu_gives_the_results_of_pytorch() {
    if let Some(device) = gpu() {
        check_inference(&device);
        check_gradients(&device);
        check_steps(&device);
    }
}

fn network() -> NetworkConfig {
    NetworkConfig {
        architecture: Architecture::Reference { base_channels: 4 },
        ..NetworkConfig::default()
    }
}

fn data() -> TrainingData {
    let digits = strokes::strokes(600, 30, 0);
    TrainingData::new(Arc::new(digits.train), Arc::new(digits.test))
}

/// The losses of the first steps, which are short: each multiplies what the ones before were rounded by.
fn losses(device: &Device, likelihood: Likelihood) -> Vec<f64> {
    let config = TrainingConfig {
        batch_size: 12,
        likelihood,
        adam: AdamConfig {
            learning_rate: 3e-4,
            ..AdamConfig::default()
        },
        ..TrainingConfig::default()
    };
    let mut training = Training::new(Vae::new(network(), 0, device).unwrap(), config).unwrap();
    let split = data().train;
    let order = epoch_order(split.images.count(), 0, 1);
    let batches = Batches::new(split, 32, 12, order, 0, None).unwrap();
    let mut sums = Vec::new();
    for batch in batches {
        let sum;
        (training, sum) = training.step(batch, 1.0);
        sums.push(sum);
    }
    Sums::read(sums).into_iter().map(|loss| loss.loss).collect()
}

#[test]
fn every_likelihood_slopes_as_on_the_processor() {
    let Some(gpu) = gpu() else { return };
    for (likelihood, name, _) in Likelihood::CHOICES {
        let slopes = |device: &Device| {
            let device = device.clone().autodiff();
            let wave = |step: usize| -> Tensor<4> {
                let values: Vec<f32> = (0..12 * 64).map(|i| (i * step % 97) as f32 / 97.0).collect();
                Tensor::from_data(TensorData::new(values, [12, 1, 8, 8]), &device)
            };
            let location = wave(31).mul_scalar(0.9).add_scalar(0.05).detach().require_grad();
            let scale = Tensor::<1>::full([1], -1.0, &device).require_grad();
            let loss = likelihood.loss(wave(17), location.clone(), Some(scale.clone()));
            let mut gradients = loss.sum().backward();
            let by_location = location.grad_remove(&mut gradients).unwrap().flatten(0, 3);
            let by_scale = scale.grad_remove(&mut gradients);
            (to_values(by_location), by_scale.map(to_values).unwrap_or_default())
        };
        let [(truth, scales), (found, found_scales)] = [Device::flex(), gpu.clone()].map(|device| slopes(&device));
        assert_close(&format!("slope of {name}"), &found, &truth, 1e-4);
        assert_close(&format!("slope of {name} by its scale"), &found_scales, &scales, 1e-4);
    }
}

#[test]
fn the_first_losses_on_a_gpu_are_those_of_the_processor() {
    let Some(device) = gpu() else { return };
    for likelihood in [Likelihood::CrossEntropy, Likelihood::Gaussian] {
        let [truth, found] = [&Device::flex(), &device].map(|device| losses(device, likelihood));
        assert_eq!((truth.len(), found.len()), (50, 50));
        let differences: Vec<f64> = truth
            .iter()
            .zip(&found)
            .map(|(truth, found)| (found / truth - 1.0).abs())
            .collect();
        let told: Vec<String> = differences.iter().map(|one| format!("{one:.0e}")).collect();
        println!("{likelihood:?}: the losses of 50 steps differ by {}", told.join(" "));
        assert!(
            differences.iter().all(|&difference| difference < 1e-3),
            "{likelihood:?}"
        );
    }
}

#[test]
fn a_training_goes_on_on_another_device() {
    let Some(device) = gpu() else { return };
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("checkpoint.safetensors");
    let (data, config) = (
        data(),
        TrainingConfig {
            epochs: 1,
            ..TrainingConfig::default()
        },
    );
    let begin = |device: &Device| Training::new(Vae::new(network(), 0, device).unwrap(), config.clone()).unwrap();
    let finish = |training: Training| match training.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap() {
        (_, Outcome::Finished(report)) => report.metrics,
        (_, Outcome::Interrupted) => panic!("nobody stopped it"),
    };
    let truth = finish(begin(&Device::flex()));
    for (first, second) in [(&Device::flex(), &device), (&device, &Device::flex())] {
        let half = &mut |progress| match progress {
            Progress::Train { images, .. } if images >= 300 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let (training, outcome) = begin(first).epoch(&data, half).unwrap();
        assert!(matches!(outcome, Outcome::Interrupted));
        training.save(&path).unwrap();
        // From its checkpoint, or by itself.
        let resumed = finish(Training::load(&path, config.clone(), second).unwrap());
        let moved = finish(training.on(second));
        for found in [resumed, moved] {
            let differs = |found: f64, truth: f64| (found / truth - 1.0).abs();
            let train = differs(found.train_loss, truth.train_loss);
            // So early the running statistics, by which test images are judged, follow every rounding.
            let test = differs(found.test_loss, truth.test_loss);
            println!("the losses of an epoch differ by {train:.1e}, those of the test images by {test:.1e}");
            assert!(train < 1e-3 && test < 3e-2, "{train} {test}");
        }
    }
}
