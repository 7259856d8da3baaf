use burn::module::{ModuleMapper, Param};

use super::*;
use crate::data::strokes::strokes;
use crate::network::to_values;

fn config() -> ClassifierConfig {
    ClassifierConfig {
        base_channels: 4,
        steps: 80,
        batch_size: 20,
        ..ClassifierConfig::default()
    }
}

fn unobserved(_: usize, _: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn drawn_digits_are_told_apart() {
    let set = strokes(400, 200, 1);
    let learned = TrainedClassifier::learn(&set.train, 10, &config(), &mut unobserved)
        .unwrap()
        .unwrap();
    let accuracy = learned.judge(&set.test).unwrap();
    assert_eq!(accuracy.of, 200);
    assert!(accuracy.share() > 0.85, "{accuracy:?}");
    // Labels that say nothing teach nothing.
    let mut turned = set.train;
    turned.labels.as_mut().unwrap().rotate_left(137);
    let learned = TrainedClassifier::learn(&turned, 10, &config(), &mut unobserved)
        .unwrap()
        .unwrap();
    assert!(learned.judge(&set.test).unwrap().share() < 0.4);
}

#[test]
fn the_same_seed_gives_the_same_classifier_on_any_number_of_threads() {
    let set = strokes(60, 100, 1);
    let config = ClassifierConfig {
        steps: 3,
        distortion: Distortion::default(),
        ..config()
    };
    let weights = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let learned = TrainedClassifier::learn(&set.train, 10, &config, &mut unobserved)
                .unwrap()
                .unwrap();
            learned.classify(&set.test.images).unwrap()
        })
    };
    assert_eq!(weights(1), weights(3));
}

#[test]
fn images_without_labels_do_not_count() {
    let mut set = strokes(60, 10, 1);
    for label in set.train.labels.iter_mut().flatten().skip(41) {
        *label = None;
    }
    let mut seen = Vec::new();
    let stopped = TrainedClassifier::learn(&set.train, 10, &config(), &mut |done, of| {
        seen.push((done, of));
        match done < 3 {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    assert!(stopped.unwrap().is_none());
    assert_eq!(seen, [(1, 80), (2, 80), (3, 80)]);
    set.train.labels = None;
    let error = TrainedClassifier::learn(&set.train, 10, &config(), &mut unobserved).unwrap_err();
    assert!(matches!(error, ClassifierError::Labels { found: 0, .. }));
    for wrong in [
        ClassifierConfig { steps: 0, ..config() },
        ClassifierConfig {
            batch_size: 1,
            ..config()
        },
        ClassifierConfig {
            learning_rate: f64::NAN,
            ..config()
        },
    ] {
        let error = TrainedClassifier::learn(&set.test, 10, &wrong, &mut unobserved).unwrap_err();
        assert!(matches!(error, ClassifierError::Setting { .. }), "{error}");
    }
}

#[test]
fn every_image_is_in_one_batch_and_none_is_alone() {
    for (count, size) in [(10, 3), (10, 5), (11, 5), (2, 5), (6, 5), (101, 100), (3, 2)] {
        let order: Vec<u32> = (0..count).collect();
        let found: Vec<&[u32]> = batches(&order, size).collect();
        assert_eq!(found.concat(), order, "{count} {size}");
        assert!(
            found.iter().all(|batch| batch.len() > 1 && batch.len() <= size + 1),
            "{found:?}"
        );
    }
}

/// All weights, one after the other.
struct Weights(Vec<f32>);

impl ModuleMapper for Weights {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        self.0.extend(to_values(tensor.clone().inner().reshape([-1])));
        Param::from_mapped_value(id, tensor, mapper)
    }
}

#[test]
fn a_first_step_of_adam_is_as_long_as_the_learning_rate() {
    let device = Device::flex();
    let shape = Shape { channels: 1, side: 32 };
    let network = Classifier::new(shape, 3, 1, 0, &device).unwrap().train();
    let pixels = (0..2048).map(|place| ((place * place) % 97) as f32 / 96.0).collect();
    let images = Tensor::<4>::from_data(TensorData::new(pixels, [2, 1, 32, 32]), &network.device());
    let loss = |network: &Classifier| network.train_pass(images.clone(), &[0, 2]).0;
    let weights = |network: &Classifier| {
        let mut weights = Weights(Vec::new());
        let _ = network.clone().map(&mut weights);
        weights.0
    };
    let before = loss(&network);
    let moved = Adam::default().step(network.clone(), before.clone().backward(), 1e-3);
    assert!(loss(&moved).into_scalar::<f32>() < before.into_scalar::<f32>());
    let steps: Vec<f32> = weights(&moved)
        .iter()
        .zip(weights(&network))
        .map(|(new, old)| (new - old).abs())
        .collect();
    assert!(steps.iter().all(|&step| step < 1.01e-3));
    let whole = steps.iter().filter(|&&step| step > 0.99e-3).count();
    assert!(2 * whole > steps.len(), "{whole} of {}", steps.len());
}

#[test]
fn real_digits_are_told_apart_distorted_or_not() {
    let folder = std::env::var_os("MORPHVAE_SHARED").map(|shared| std::path::PathBuf::from(shared).join("data"));
    let mnist = crate::data::catalogue::find("mnist").unwrap();
    let Some(mut set) = folder.and_then(|folder| mnist.load(&folder).ok()) else {
        println!("skipped: MORPHVAE_SHARED names no folder with data/mnist");
        return;
    };
    set.train.truncate(500);
    set.test.truncate(400);
    let share = |distortion| {
        let config = ClassifierConfig {
            steps: 120,
            batch_size: 25,
            distortion,
            ..config()
        };
        let learned = TrainedClassifier::learn(&set.train, 10, &config, &mut unobserved)
            .unwrap()
            .unwrap();
        learned.judge(&set.test).unwrap().share()
    };
    let [plain, distorted] = [Distortion::NONE, Distortion::default()].map(share);
    // From fifty of each.
    assert!(plain > 0.85 && distorted > 0.85, "{plain} {distorted}");
}
