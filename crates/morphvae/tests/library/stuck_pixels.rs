//! Pixels that are black or white for good, whatever the image, where no image is.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use morphvae::data::strokes::strokes;
use morphvae::data::{Images, Split};
use morphvae::evaluation::reconstruct;
use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};
use morphvae::probability::Likelihood;
use morphvae::training::{AdamConfig, Output, Training, TrainingConfig, TrainingData};

/// The darkest pixel of the images.
const DARKEST: u8 = 130;

/// Digits in light grey on middle grey, as far from black and from white as faces are.
fn grey(mut split: Split) -> Split {
    let images = &split.images;
    let pixels = images.pixels().iter().map(|pixel| DARKEST + pixel / 4).collect();
    split.images = Images::new(images.channels(), images.height(), images.width(), pixels).unwrap();
    split
}

/// The darkest pixel of all reconstructed test images after a training with the short steps of faces.
fn darkest(data: &TrainingData, likelihood: Likelihood) -> u8 {
    let network = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 4 },
        ..NetworkConfig::default()
    };
    let network = Vae::new(network, 0, &Device::flex()).unwrap();
    let config = TrainingConfig {
        likelihood,
        output: Output::Fitted,
        adam: AdamConfig {
            learning_rate: 3e-4,
            ..AdamConfig::default()
        },
        ..TrainingConfig::default()
    };
    let network = config.output.begin(network, &data.train.images).unwrap();
    let mut training = Training::new(network, config).unwrap();
    while !training.is_finished() {
        training = training.epoch(data, &mut |_| ControlFlow::Continue(())).unwrap().0;
    }
    let images = reconstruct(&Inference::new(&training.network()), &data.test.images).unwrap();
    *images.pixels().iter().min().unwrap()
}

#[test]
fn no_pixel_of_grey_images_turns_black() {
    let digits = strokes(400, 60, 0);
    let data = TrainingData::new(Arc::new(grey(digits.train)), Arc::new(grey(digits.test)));
    // With a standard output there are black ones.
    for likelihood in [Likelihood::CrossEntropy, Likelihood::Gaussian] {
        let darkest = darkest(&data, likelihood);
        println!("{likelihood:?}: {darkest}, and {DARKEST} in the images");
        assert!(darkest > DARKEST / 2, "{likelihood:?}: {darkest}");
    }
}
