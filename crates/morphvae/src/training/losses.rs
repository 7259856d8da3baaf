//! What goes down in a training besides the plain lower bound, against naive twins in f64.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use super::linear_layers::{BATCH, Batch, LATENT, Naive, PIXELS, Tiny, divergences, sample};
use super::{Progress, Training, TrainingConfig, TrainingData};
use crate::data::{Images, Split};
use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
use crate::objective::Loss;

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
    let data = TrainingData {
        train: Arc::clone(&split),
        test: split,
    };
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
