//! A conditional network's training: against a naive twin in f64, and taken up where it was left.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use super::linear_layers::{BATCH, Batch, LATENT, Naive, PIXELS, Tiny, divergences, sample};
use super::{Progress, Training, TrainingConfig, TrainingData};
use crate::data::strokes::strokes;
use crate::evaluation::{EvaluationOptions, evaluate};
use crate::network::{Architecture, Decoder, HiddenActivation, Inference, NetworkConfig, Vae};
use crate::objective::Objective;

const CLASSES: usize = 3;

/// What is told of an image of this class.
fn told(class: u16) -> Vec<f64> {
    (0..CLASSES)
        .map(|other| f64::from(u8::from(other == usize::from(class))))
        .collect()
}

/// The negative bound of the samples of a batch, as the paper of Sohn and others writes it down: the class beside the
/// image and beside the latents. For one sample its divergence is in closed form where `closed`.
fn loss(twin: &Naive, batch: &Batch, closed: bool) -> f64 {
    let images = batch.images.chunks(PIXELS).zip(batch.classes).enumerate();
    let of = |(index, (image, class)): (usize, (&[f64], u16))| {
        let told = told(class);
        let [mean, log_variance] = twin.encode_told(image, &told);
        let noise = batch.noise.chunks(LATENT).skip(index).step_by(BATCH);
        let terms = noise.map(|noise| {
            let latents = sample(&mean, &log_variance, noise);
            let point = [latents.clone(), told.clone()].concat();
            let error = twin.cross_entropy(image, &point);
            let halves = latents.iter().zip(noise).zip(&log_variance);
            let ratio: f64 = halves.map(|((z, e), log)| 0.5 * (e * e + log - z * z)).sum();
            (error, ratio)
        });
        let terms: Vec<(f64, f64)> = terms.collect();
        match closed {
            true => terms[0].0 + divergences(&mean, &log_variance).sum::<f64>(),
            false => {
                let weights = terms.iter().map(|(error, ratio)| (ratio - error).exp());
                -(weights.sum::<f64>() / terms.len() as f64).ln()
            }
        }
    };
    images.map(of).sum()
}

#[test]
fn losses_and_gradients_are_those_of_the_naive_twin() {
    for (objective, samples) in [(Objective::Vae, 1), (Objective::Iwae, 3)] {
        let config = TrainingConfig {
            objective,
            samples,
            ..TrainingConfig::default()
        };
        let tiny = Tiny::conditional(HiddenActivation::Tanh, config, CLASSES);
        let (batch, closed) = (Batch::new(samples), objective == Objective::Vae);
        let truth = loss(&tiny.twin(("", 0, 0.0)), &batch, closed);
        tiny.check(&batch, truth, |tiny, name, index| {
            tiny.derivative(name, index, |twin| loss(twin, &batch, closed))
        });
    }
}

fn data() -> TrainingData {
    let digits = strokes(300, 60, 0);
    TrainingData::new(Arc::new(digits.train), Arc::new(digits.test))
}

fn training(architecture: Architecture, config: TrainingConfig) -> Training {
    let network = NetworkConfig {
        classes: 10,
        architecture,
        ..NetworkConfig::default()
    };
    Training::new(Vae::new(network, 1, &Device::flex()).unwrap(), config).unwrap()
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn what_is_drawn_is_of_the_class_that_is_told_and_a_resumed_training_the_same() {
    let architectures = [
        Architecture::Reference { base_channels: 4 },
        Architecture::Mlp {
            hidden: vec![60],
            activation: HiddenActivation::Relu,
        },
    ];
    for architecture in architectures {
        let config = TrainingConfig {
            epochs: 6,
            ..TrainingConfig::default()
        };
        let data = data();
        let mut whole = training(architecture, config.clone());
        let mut halves = None;
        while !whole.is_finished() {
            if whole.history().len() == 4 {
                // Stopped in the middle of an epoch, and taken up from its file.
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("checkpoint.safetensors");
                let mut batches = 0;
                let (half, _) = whole
                    .epoch(&data, &mut |_| {
                        batches += 1;
                        match batches {
                            4 => ControlFlow::Break(()),
                            _ => ControlFlow::Continue(()),
                        }
                    })
                    .unwrap();
                half.save(&path).unwrap();
                halves = Some(Training::load(&path, config.clone(), &Device::flex()).unwrap());
                whole = half;
            }
            whole = whole.epoch(&data, &mut go_on).unwrap().0;
        }
        let mut halves = halves.unwrap();
        while !halves.is_finished() {
            halves = halves.epoch(&data, &mut go_on).unwrap().0;
        }
        assert_eq!(whole.network().state(), halves.network().state());

        let network = Inference::new(&whole.network());
        let point = [0.3, -0.2];
        let [zero, one] = [0, 1].map(|class| network.given(class).unwrap().decode(&point));
        let distance: f32 = zero.iter().zip(&one).map(|(zero, one)| (zero - one).abs()).sum();
        assert!(distance > 10.0, "a zero and a one differ by {distance} pixels");
        // A class by itself is the mixture of it alone.
        let mixed = network.config().points(&point, &[1]);
        assert_eq!(Decoder::decode(&network, &mixed), one);

        let split = data.test.as_ref();
        let options = EvaluationOptions {
            objective: Objective::Vae,
            beta: 1.0,
            samples: 1,
            seed: 0,
        };
        let error = evaluate(&network, &split.images, options, &mut |_| ControlFlow::Continue(())).unwrap_err();
        assert!(error.to_string().contains("60 of 60 images have no class"), "{error}");
    }
}
