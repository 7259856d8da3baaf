//! What a likelihood does for a network that learns by it.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use morphvae::data::strokes::strokes;
use morphvae::data::{Images, Split, prepare};
use morphvae::evaluation::{EvaluationOptions, evaluate, reconstruct};
use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};
use morphvae::objective::Objective;
use morphvae::probability::Likelihood;
use morphvae::training::{AdamConfig, Training, TrainingConfig, TrainingData};

/// A network of two latent dimensions that has seen some hundred digits: four times in long steps, and twice in short ones, so that
/// what it has found does not depend on where the last long step led.
fn learn(data: &TrainingData, likelihood: Likelihood) -> Vae {
    let network = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 4 },
        ..NetworkConfig::default()
    };
    let network = Vae::new(network, 0, &Device::flex()).unwrap();
    [(4, 0.01), (2, 0.001)]
        .into_iter()
        .fold(network, |network, (epochs, learning_rate)| {
            let config = TrainingConfig {
                epochs,
                batch_size: 10,
                likelihood,
                adam: AdamConfig {
                    learning_rate,
                    ..AdamConfig::default()
                },
                ..TrainingConfig::default()
            };
            let mut training = Training::new(network, config).unwrap();
            while !training.is_finished() {
                training = training.epoch(data, &mut |_| ControlFlow::Continue(())).unwrap().0;
            }
            training.network()
        })
}

/// The loss of the test images, nats per image.
fn judge(network: &Vae, data: &TrainingData) -> f64 {
    let options = EvaluationOptions {
        objective: Objective::Vae,
        beta: 1.0,
        samples: 1,
        seed: 0,
    };
    let network = Inference::new(network);
    let evaluation = evaluate(&network, &data.test.images, options, &mut |_| ControlFlow::Continue(()));
    evaluation.unwrap().unwrap().loss.loss
}

fn digits() -> TrainingData {
    let digits = strokes(300, 60, 0);
    TrainingData::new(Arc::new(digits.train), Arc::new(digits.test))
}

fn pale(mut split: Split) -> Split {
    let images = &split.images;
    let pixels = images.pixels().iter().map(|pixel| pixel / 4).collect();
    split.images = Images::new(images.channels(), images.height(), images.width(), pixels).unwrap();
    split
}

#[test]
fn who_learned_by_the_continuous_bernoulli_density_knows_grey_values_better() {
    // As published: the cross-entropy leaves out the normalizer, so what it finds is a worse model of grey values.
    let data = digits();
    let by_density = judge(&learn(&data, Likelihood::ContinuousBernoulli), &data);
    let by_entropy = learn(&data, Likelihood::CrossEntropy).with_likelihood(Likelihood::ContinuousBernoulli);
    let by_entropy = judge(&by_entropy, &data);
    println!("{by_density:.1} nats per image after the density, {by_entropy:.1} after the cross-entropy");
    assert!(
        by_density < 0.0 && by_density < by_entropy - 10.0,
        "{by_density} {by_entropy}"
    );
}

#[test]
fn a_learned_scale_is_the_size_of_the_errors() {
    // Pale digits, so that there is a way to go from where the scale begins.
    let digits = strokes(600, 100, 0);
    let data = TrainingData::new(Arc::new(pale(digits.train)), Arc::new(pale(digits.test)));
    let network = learn(&data, Likelihood::Gaussian);
    let outputs = reconstruct(&Inference::new(&network), &data.test.images).unwrap();
    let indices: Vec<u32> = (0..data.test.images.count() as u32).collect();
    let inputs = prepare(&data.test.images, &indices, 32);
    let squares = inputs.iter().zip(outputs.pixels()).map(|(&input, &output)| {
        let error = f64::from(input) - f64::from(output) / 255.0;
        error * error
    });
    let deviation = (squares.sum::<f64>() / inputs.len() as f64).sqrt();
    let scale = f64::from(network.likelihood_scale().unwrap());
    println!("errors of {deviation:.3}, a scale of {scale:.3}");
    assert!(scale < 0.5 * f64::from(Likelihood::Gaussian.first_log_scale().unwrap()).exp());
    assert!((scale / deviation).ln().abs() < 0.3, "{deviation} {scale}");
}
