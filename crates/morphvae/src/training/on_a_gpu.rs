//! Training on a GPU, where there is one: as PyTorch, and as on the processor.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use super::ground_truth::{check_gradients, check_inference, check_steps};
use super::{Outcome, Progress, Training, TrainingConfig, TrainingData};
use crate::data::{Batches, epoch_order, strokes};
use crate::device::DeviceChoice;
use crate::network::{Architecture, NetworkConfig, Vae};
use crate::objective::Sums;
use crate::probability::Likelihood;

/// The first GPU that works, or else the driver that computes on the processor.
fn gpu() -> Option<Device> {
    let opened = [DeviceChoice::Gpu(None), DeviceChoice::Software].map(DeviceChoice::open);
    if let [Err(gpu), Err(software)] = &opened {
        println!("skipped: {gpu}; {software}");
    }
    opened.into_iter().flatten().next().map(|opened| opened.device)
}

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

/// The losses of the first steps.
fn losses(device: &Device, likelihood: Likelihood) -> Vec<f64> {
    let config = TrainingConfig {
        batch_size: 12,
        likelihood,
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
fn the_first_losses_on_a_gpu_are_those_of_the_processor() {
    let Some(device) = gpu() else { return };
    for likelihood in [Likelihood::CrossEntropy, Likelihood::Gaussian] {
        let [truth, found] = [&Device::flex(), &device].map(|device| losses(device, likelihood));
        assert_eq!((truth.len(), found.len()), (50, 50));
        // That of a density goes through zero.
        let scale = truth.iter().map(|loss| loss.abs()).fold(0.0, f64::max);
        let differences = truth.iter().zip(&found).map(|(truth, found)| (found - truth).abs());
        let worst = differences.fold(0.0, f64::max) / scale;
        println!("{likelihood:?}: the losses of 50 steps differ by {worst:.1e} at most");
        assert!(worst < 1e-3, "{likelihood:?}: {worst}");
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
            assert!(train < 1e-3 && test < 1e-2, "{train} {test}");
        }
    }
}
