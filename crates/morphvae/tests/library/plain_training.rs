//! A whole training by the kernels ends where one by the plain operations does.
//!
//! Needs MNIST in `data/mnist` of the folder that `MORPHVAE_SHARED` names; skips without.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use burn::tensor::Device;
use morphvae::data::catalogue;
use morphvae::network::{NetworkConfig, Vae};
use morphvae::training::{Outcome, Training, TrainingConfig, TrainingData};

/// The test loss after a training with the defaults.
fn trained(network: Vae, data: &TrainingData) -> f64 {
    let mut training = Training::new(network, TrainingConfig::default()).unwrap();
    while !training.is_finished() {
        let (next, outcome) = training.epoch(data, &mut |_| ControlFlow::Continue(())).unwrap();
        if let Outcome::Finished(report) = outcome {
            println!("{:?}", report.metrics);
        }
        training = next;
    }
    training.history().last().unwrap().test_loss
}

#[test]
#[ignore = "takes most of an hour on two cores"]
fn the_kernels_end_where_the_plain_operations_do() {
    let shared = std::env::var_os("MORPHVAE_SHARED").map(PathBuf::from);
    let Some(root) = shared
        .map(|shared| shared.join("data"))
        .filter(|root| root.join("mnist").is_dir())
    else {
        println!("skipped: MORPHVAE_SHARED names no folder with data/mnist");
        return;
    };
    let images = catalogue::find("mnist").unwrap().load(&root).unwrap();
    let data = TrainingData::new(Arc::new(images.train), Arc::new(images.test));
    let network = Vae::new(NetworkConfig::default(), 0, &Device::flex()).unwrap();
    let plain = trained(network.clone().with_plain_operations(), &data);
    let kernels = trained(network, &data);
    println!("plain operations {plain:.3}, kernels {kernels:.3}");
    assert!((kernels / plain - 1.0).abs() < 0.005);
}
