//! Trainings that cannot go well end with an error that says why.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use morphvae::data::{Images, Split};
use morphvae::network::{Architecture, NetworkConfig, Vae};
use morphvae::objective::Objective;
use morphvae::training::{AdamConfig, Outcome, Training, TrainingConfig, TrainingData, TrainingError};
use morphvae::weights::{self, Integers, Precision, WeightFile};

/// As many grey images with something to see.
fn split(count: usize, channels: usize) -> Arc<Split> {
    let bytes = (0..count * channels * 1024).map(|i| (i * i % 251) as u8).collect();
    Arc::new(Split {
        images: Images::new(channels, 32, 32, bytes).unwrap(),
        labels: None,
        sources: None,
    })
}

fn data(count: usize) -> TrainingData {
    TrainingData {
        train: split(count, 1),
        test: split(3, 1),
    }
}

fn training(config: TrainingConfig) -> Training {
    let network = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 2 },
        ..NetworkConfig::default()
    };
    Training::new(Vae::new(network, 0, &Device::flex()).unwrap(), config).unwrap()
}

fn epoch(training: Training, data: &TrainingData) -> Result<(Training, Outcome), TrainingError> {
    training.epoch(data, &mut |_| ControlFlow::Continue(()))
}

#[test]
fn a_loss_that_is_no_number_is_told_at_its_batch_with_any_objective() {
    for objective in [Objective::Vae, Objective::Ae] {
        let config = TrainingConfig {
            objective,
            adam: AdamConfig {
                learning_rate: 1e30,
                ..AdamConfig::default()
            },
            ..TrainingConfig::default()
        };
        let error = epoch(training(config), &data(240)).unwrap_err();
        assert!(
            matches!(
                error,
                TrainingError::NonFinite {
                    batch: Some(2..=4),
                    epoch: 1,
                    ..
                }
            ),
            "{objective:?}: {error}"
        );
    }
}

#[test]
fn no_image_is_alone_in_its_batch() {
    let (_, outcome) = epoch(training(TrainingConfig::default()), &data(61)).unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)));
    let error = epoch(training(TrainingConfig::default()), &data(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the number of images to train on is 1, but must be at least 2"
    );
    let config = TrainingConfig {
        batch_size: 1,
        ..TrainingConfig::default()
    };
    let error = config.validate().unwrap_err().to_string();
    assert!(
        error.starts_with("the batch size is 1, but must be at least 2"),
        "{error}"
    );
}

#[test]
fn test_images_of_another_kind_are_refused_before_anything_is_learned() {
    let data = TrainingData {
        train: split(60, 1),
        test: split(3, 3),
    };
    let result = training(TrainingConfig::default()).epoch(&data, &mut |_| panic!("it has begun"));
    assert!(matches!(result, Err(TrainingError::Network(_))));
}

/// What is said of a checkpoint after a step, once somebody has changed it.
fn complaint(change: impl FnOnce(&mut WeightFile)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latest.safetensors");
    let (training, _) = training(TrainingConfig::default())
        .epoch(&data(60), &mut |_| ControlFlow::Break(()))
        .unwrap();
    training.save(&path).unwrap();
    let mut file = weights::read(&path).unwrap();
    change(&mut file);
    weights::write_safetensors(&path, &file.tensors, &Integers::new(), &file.metadata, Precision::Full).unwrap();
    load(&path).map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
}

fn load(path: &Path) -> Result<Training, TrainingError> {
    Training::load(path, TrainingConfig::default(), &Device::flex())
}

#[test]
fn a_checkpoint_is_refused_by_what_is_wrong_with_it() {
    assert_eq!(complaint(|_| ()), "nothing");

    let lost = complaint(|file| drop(file.tensors.remove("exp_avg.conv2.0.weight")));
    assert!(lost.contains("conv2.0.weight does not have both"), "{lost}");

    let lost = complaint(|file| {
        file.tensors
            .retain(|name, _| !name.contains("conv2.0.weight") || !name.starts_with("exp"))
    });
    assert!(lost.contains("conv2.0.weight does not have both"), "{lost}");

    let strange = complaint(|file| {
        let array = file.tensors["exp_avg.conv2.0.weight"].clone();
        file.tensors.insert("exp_avg.conv9.0.weight".into(), array);
    });
    assert!(
        strange.contains("exp_avg.conv9.0.weight is the average of no weight"),
        "{strange}"
    );

    let endless = complaint(|file| {
        for json in file.metadata.values_mut() {
            *json = json.replace("\"steps\":1", "\"steps\":18446744073709551615");
        }
    });
    assert!(endless.contains("too many steps: 18446744073709551615"), "{endless}");
}
