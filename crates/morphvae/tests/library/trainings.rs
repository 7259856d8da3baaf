//! Trainings that cannot go well end with an error that says why.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use morphvae::data::{Binarization, Dataset, Images, Protocol, Split};
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
    TrainingData::new(split(count, 1), split(3, 1))
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
    let data = TrainingData::new(split(60, 1), split(3, 3));
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

/// A grey data set under a protocol.
fn under(protocol: Protocol, train: usize) -> Result<TrainingData, TrainingError> {
    let dataset = Dataset {
        name: "noise".into(),
        train: Arc::unwrap_or_clone(split(train, 1)),
        test: Arc::unwrap_or_clone(split(4, 1)),
        classes: Vec::new(),
    };
    TrainingData::under(protocol, dataset, 32)
}

#[test]
fn the_last_images_are_held_out_and_choose_the_best_epoch() {
    let held_out = |validation| Protocol {
        validation: Some(validation),
        ..Protocol::default()
    };
    let data = under(held_out(20), 80).unwrap();
    let all = split(80, 1);
    assert_eq!(data.train.images.pixels(), &all.images.pixels()[..60 * 1024]);
    let validation = data.validation.as_ref().unwrap();
    assert_eq!(validation.images.pixels(), &all.images.pixels()[60 * 1024..]);
    for count in [0, 79, 80, 1000] {
        let message = under(held_out(count), 80).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("the number of images for validation is {count}")),
            "{message}"
        );
    }

    let config = TrainingConfig {
        epochs: 3,
        ..TrainingConfig::default()
    };
    let mut training = training(config);
    for _ in 0..3 {
        training = epoch(training, &data).unwrap().0;
    }
    let losses: Vec<f64> = training
        .history()
        .iter()
        .map(|epoch| epoch.validation.unwrap().loss)
        .collect();
    let best = training.best().unwrap();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    // No epoch has settled within so few steps, so that all count.
    assert_eq!(best.validation.unwrap().loss.to_bits(), lowest.to_bits());
    assert!((best.decisive_loss() - best.test_loss).abs() > 1e-6);
}

#[test]
fn each_epoch_sees_another_draw_and_a_resumed_one_the_same() {
    let dynamic = Protocol {
        binarize: Some(Binarization::Dynamic),
        validation: Some(10),
    };
    let data = under(dynamic, 70).unwrap();
    assert!(data.test.images.is_binary() && data.validation.as_ref().unwrap().images.is_binary());
    assert!(!data.train.images.is_binary());
    let config = || TrainingConfig {
        epochs: 2,
        batch_size: 20,
        ..TrainingConfig::default()
    };
    let weights = |training: &Training| -> Vec<Vec<f32>> {
        let state = training.network().state();
        state.values().map(|array| array.values.clone()).collect()
    };
    let (first, _) = epoch(training(config()), &data).unwrap();
    let (whole, _) = epoch(first, &data).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let (mut stopped, _) = epoch(training(config()), &data).unwrap();
    let mut batches = 0;
    (stopped, _) = stopped
        .epoch(&data, &mut |_| {
            batches += 1;
            if batches == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    stopped.save(&path).unwrap();
    let (resumed, _) = epoch(Training::load(&path, config(), &Device::flex()).unwrap(), &data).unwrap();
    assert_eq!(weights(&resumed), weights(&whole));
    assert_eq!(resumed.history()[1].train_loss, whole.history()[1].train_loss);

    // The same draw in every epoch would be another training.
    let mut once = data.clone();
    once.train = Arc::new(Binarization::Dynamic.train(Split::clone(&data.train), 32, 0).unwrap());
    once.drawn_each_epoch = false;
    let (other, _) = epoch(training(config()), &once).unwrap();
    assert_ne!(other.history()[0].train_loss, whole.history()[0].train_loss);
}
