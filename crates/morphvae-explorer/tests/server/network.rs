//! The network of an exported file as its page computes it, held against the program's own: with Node, where there is one.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use burn::tensor::{Device, Tensor, TensorData};
use morphvae::data::{Examples, Images};
use morphvae::evaluation::{decode, encode};
use morphvae::network::{Architecture, Condition, HiddenActivation, Inference, NetworkConfig, Vae};
use morphvae::probability::Likelihood;
use morphvae_explorer::{LatentMap, ModelFacts, ShownImages, export};
use rayon::prelude::*;
use serde_json::{Value, json};

/// Images of a fixed noise.
fn images(config: &NetworkConfig, count: usize) -> Images {
    let pixel = |index: usize| (index.wrapping_mul(2_654_435_761) >> 7) as u8;
    let pixels = (0..count * config.image_length()).map(pixel).collect();
    Images::new(config.channels, config.image_size, config.image_size, pixels).unwrap()
}

/// A network whose running statistics have moved away from their start, and whose outputs are not all alike.
fn network(config: &NetworkConfig, likelihood: Likelihood) -> Vae {
    let device = Device::flex();
    let network = Vae::new(config.clone(), 3, &device)
        .unwrap()
        .with_likelihood(likelihood);
    let images = images(config, 6);
    let values: Vec<f32> = images.pixels().iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let shape = [6, config.channels, config.image_size, config.image_size];
    let condition = Condition::of_classes(&[0, 1, 2, 0, 1, 2], config, &device);
    let images = Tensor::from_data(TensorData::new(values, shape), &device);
    let statistics = network.train_pass(images, &condition, None).statistics;
    network.update_running_statistics(statistics)
}

#[test]
fn the_page_decodes_and_encodes_as_the_program_does() {
    if Command::new("node").arg("--version").output().is_err() {
        println!("skipped: the network of an exported file is not run, for there is no node");
        return;
    }
    let reference = |base_channels| Architecture::Reference { base_channels };
    let mlp = |activation| Architecture::Mlp {
        hidden: vec![13, 9],
        activation,
    };
    let folder = tempfile::tempdir().unwrap();
    let kinds = [
        (1, 32, 2, 0, reference(3), Likelihood::CrossEntropy),
        (3, 64, 5, 0, reference(1), Likelihood::ContinuousBernoulli),
        (1, 32, 3, 3, reference(2), Likelihood::CrossEntropy),
        (1, 10, 1, 0, mlp(HiddenActivation::Relu), Likelihood::Gaussian),
        (3, 7, 4, 0, mlp(HiddenActivation::Tanh), Likelihood::ContinuousBernoulli),
        (
            3,
            6,
            2,
            3,
            mlp(HiddenActivation::Softplus),
            Likelihood::DiscretizedLogistic,
        ),
        (1, 6, 2, 3, mlp(HiddenActivation::Softplus), Likelihood::Gaussian),
    ];
    let case = |(index, (channels, image_size, latent, classes, architecture, likelihood))| {
        let config = NetworkConfig {
            image_size,
            channels,
            latent,
            classes,
            architecture,
        };
        let network = Inference::new(&network(&config, likelihood));
        let shown = images(&config, 5);
        let codes = encode(&network, Examples::from(&shown)).unwrap();
        let points = codes.points(&config);
        let expected = json!({
            "points": points,
            "images": BASE64_STANDARD.encode(decode(&network, &points).unwrap().pixels()),
            "inputs": BASE64_STANDARD.encode(shown.pixels()),
            "mean": codes.mean,
            "log_variance": codes.log_variance,
            "classes": codes.classes,
            "told": classes,
        });
        let empty = Arc::new(ShownImages::none(channels));
        let none = encode(&network, empty.images()).unwrap();
        let map = LatentMap::new(network, ModelFacts::default(), empty, none).unwrap();
        let file = folder.path().join(format!("{index}.html"));
        let exported = export(&map, &file).unwrap();
        assert!(exported.difference.worst <= 3, "{exported:?}");
        json!({ "file": file, "worst": exported.difference.worst, "expected": expected })
    };
    let cases: Vec<Value> = kinds.into_par_iter().enumerate().map(case).collect();
    let list = folder.path().join("cases.json");
    fs::write(&list, serde_json::to_string(&cases).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/network.mjs");
    let output = Command::new("node").arg(script).arg(&list).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
