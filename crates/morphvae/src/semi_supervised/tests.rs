use std::sync::OnceLock;

use burn::module::{ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

use super::*;
use crate::data::strokes::strokes;
use crate::data::{Dataset, Split};
use crate::evaluation::Codes;
use crate::network::{Architecture, HiddenActivation, M2Batch, M2Config, NetworkConfig, Vae, to_values};
use crate::random::{Purpose, generator, noise_of};
use crate::training::{Training, TrainingConfig, TrainingData};
use crate::weights::{self, Metadata, StateDict};

const FEATURES: usize = 3;
const CLASSES: usize = 4;
const LATENT: usize = 2;
const LABELLED: usize = 2;
const IMAGES: usize = 5;

fn m2() -> M2 {
    let config = M2Config {
        features: vec![0, 2, 5],
        classes: CLASSES,
        latent: LATENT,
        hidden: vec![6, 5],
    };
    M2::new(config, 3, &Device::flex()).unwrap().train()
}

fn batch() -> M2Batch {
    let mut generator = generator(1, Purpose::Noise, 0);
    M2Batch {
        features: noise_of(&mut generator, IMAGES * FEATURES),
        classes: vec![3, 1],
        noise: noise_of(&mut generator, IMAGES * LATENT),
    }
}

/// M2 as the paper writes it down, in 64 bits.
struct Twin {
    weights: StateDict,
    /// A tensor and a place in it that is moved, and by how much.
    moved: (String, usize, f64),
}

impl Twin {
    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let at = |tensor: &str, place: usize| {
            let name = format!("m2.{name}.0.{tensor}");
            let by = if self.moved.0 == name && self.moved.1 == place {
                self.moved.2
            } else {
                0.0
            };
            f64::from(self.weights[&name].values[place]) + by
        };
        let outputs = self.weights[&format!("m2.{name}.0.bias")].values.len();
        let row = |row: usize| {
            (0..x.len())
                .map(|column| at("weight", row * x.len() + column) * x[column])
                .sum::<f64>()
        };
        (0..outputs).map(|output| row(output) + at("bias", output)).collect()
    }

    fn hidden(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let softplus = |values: Vec<f64>| {
            values
                .into_iter()
                .map(|value| value.exp().ln_1p())
                .collect::<Vec<f64>>()
        };
        let first = softplus(self.linear(&format!("{name}1"), x));
        softplus(self.linear(&format!("{name}2"), &first))
    }

    /// -L(x, y)
    fn bound(&self, features: &[f64], class: usize, noise: &[f64]) -> f64 {
        let told: Vec<f64> = (0..CLASSES).map(|other| f64::from(u8::from(other == class))).collect();
        let hidden = self.hidden("encoder", &[features, &told].concat());
        let (mean, log_variance) = (self.linear("mean", &hidden), self.linear("var", &hidden));
        let latents: Vec<f64> = (0..LATENT)
            .map(|z| mean[z] + noise[z] * (log_variance[z] / 2.0).exp())
            .collect();
        let divergence: f64 = (0..LATENT)
            .map(|z| 0.5 * (mean[z].powi(2) + log_variance[z].exp() - 1.0 - log_variance[z]))
            .sum();
        let hidden = self.hidden("decoder", &[latents, told].concat());
        let (mean, log_variance) = (
            self.linear("feature_mean", &hidden),
            self.linear("feature_var", &hidden),
        );
        let density: f64 = (0..FEATURES)
            .map(|x| {
                let square = (features[x] - mean[x]).powi(2) / log_variance[x].exp();
                0.5 * ((2.0 * std::f64::consts::PI).ln() + log_variance[x] + square)
            })
            .sum();
        density + divergence + (CLASSES as f64).ln()
    }

    fn log_shares(&self, features: &[f64]) -> Vec<f64> {
        let logits = self.linear("logits", &self.hidden("classifier", features));
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        logits.into_iter().map(|logit| logit - sum.ln()).collect()
    }

    /// Labelled bounds, unlabelled bounds, cross-entropies.
    fn terms(&self, batch: &M2Batch) -> [Vec<f64>; 3] {
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let (features, noise) = (wide(&batch.features), wide(&batch.noise));
        let image = |place: usize| {
            (
                &features[place * FEATURES..][..FEATURES],
                &noise[place * LATENT..][..LATENT],
            )
        };
        let known = || batch.classes.iter().map(|&class| usize::from(class)).enumerate();
        let labelled = known().map(|(place, class)| self.bound(image(place).0, class, image(place).1));
        let entropies = known().map(|(place, class)| -self.log_shares(image(place).0)[class]);
        let unlabelled = (batch.classes.len()..IMAGES).map(|place| {
            let (features, noise) = image(place);
            let shares = self.log_shares(features).into_iter().enumerate();
            shares
                .map(|(class, log)| log.exp() * (self.bound(features, class, noise) + log))
                .sum()
        });
        [labelled.collect(), unlabelled.collect(), entropies.collect()]
    }

    fn loss(&self, batch: &M2Batch) -> f64 {
        let [labelled, unlabelled, entropies] = self.terms(batch).map(|term| term.iter().sum::<f64>());
        labelled + unlabelled + 7.0 * entropies
    }
}

/// Gradients in the order in which a module meets its parameters.
struct Collected<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Collected<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.0).expect("every weight has a gradient");
        self.1.push(to_values(gradient.reshape([-1])));
    }
}

#[test]
fn losses_and_gradients_are_those_of_the_naive_twin() {
    let (m2, batch) = (m2(), batch());
    let twin = |moved| Twin {
        weights: m2.state(),
        moved,
    };
    let terms = m2.train_pass(&batch);
    let found = [&terms.labelled, &terms.unlabelled, &terms.cross_entropy].map(|term| to_values(term.clone()));
    for (found, truth) in found.iter().zip(twin((String::new(), 0, 0.0)).terms(&batch)) {
        assert_eq!(found.len(), truth.len());
        assert!(
            found
                .iter()
                .zip(&truth)
                .all(|(found, truth)| (f64::from(*found) - truth).abs() < 1e-4),
            "{found:?} {truth:?}"
        );
    }
    let loss = terms.labelled.sum() + terms.unlabelled.sum() + terms.cross_entropy.sum().mul_scalar(7.0);
    let gradients = loss.backward();
    let mut collected = Collected(&gradients, Vec::new());
    m2.visit(&mut collected);
    let names: Vec<String> = m2.names().collect();
    assert_eq!(collected.1.len(), names.len());
    for (name, gradient) in names.iter().zip(collected.1) {
        for (place, found) in gradient.iter().enumerate() {
            let at = |by: f64| twin((name.clone(), place, by)).loss(&batch);
            let truth = (at(1e-5) - at(-1e-5)) / 2e-5;
            let difference = (f64::from(*found) - truth).abs();
            assert!(
                difference < 1e-3 + 1e-3 * truth.abs(),
                "{name} {place}: {found} {truth}"
            );
        }
    }
}

#[test]
fn an_image_without_a_label_is_the_sum_over_all_classes() {
    let (m2, batch) = (m2(), batch());
    let unlabelled = to_values(m2.train_pass(&batch).unlabelled);
    for (place, found) in (LABELLED..IMAGES).zip(unlabelled) {
        // Each class as if it were known, one image at a time.
        let (features, noise) = (
            batch.features[place * FEATURES..][..FEATURES].to_vec(),
            batch.noise[place * LATENT..][..LATENT].to_vec(),
        );
        let shares = m2.valid().probabilities(features.clone());
        let sum: f32 = (0..CLASSES)
            .map(|class| {
                let known = M2Batch {
                    features: [features.clone(), features.clone()].concat(),
                    classes: vec![class as u16],
                    noise: [noise.clone(), noise.clone()].concat(),
                };
                let bound = to_values(m2.train_pass(&known).labelled)[0];
                shares[class] * (bound + shares[class].ln())
            })
            .sum();
        assert!((found - sum).abs() < 1e-4, "{found} {sum}");
    }
}

#[test]
fn a_state_makes_the_network_that_it_was_taken_from() {
    let m2 = m2();
    let state = m2.state();
    assert_eq!(state["m2.encoder1.0.weight"].shape, [6, FEATURES + CLASSES]);
    assert_eq!(state["m2.feature_var.0.weight"].shape, [FEATURES, 5]);
    let copy = M2::from_state(m2.config().clone(), &state, &Device::flex()).unwrap();
    assert_eq!(copy.state(), state);
    let mut other = state;
    other.remove("m2.logits.0.bias");
    let message = M2::from_state(m2.config().clone(), &other, &Device::flex())
        .unwrap_err()
        .to_string();
    assert!(message.contains("m2.logits.0.bias"), "{message}");
    for (features, classes) in [(vec![2, 1], 3), (vec![], 3), (vec![1, 1], 3), (vec![0], 1)] {
        let config = M2Config {
            features,
            classes,
            ..m2.config().clone()
        };
        assert!(config.validate().is_err(), "{config:?}");
    }
}

/// Drawn digits, and a network that has seen them without labels.
fn learned() -> &'static (Dataset, Arc<Inference>) {
    static LEARNED: OnceLock<(Dataset, Arc<Inference>)> = OnceLock::new();
    LEARNED.get_or_init(|| {
        let digits = strokes(400, 100, 1);
        let network = NetworkConfig {
            image_size: 16,
            latent: 6,
            architecture: Architecture::Mlp {
                hidden: vec![64],
                activation: HiddenActivation::Softplus,
            },
            ..NetworkConfig::default()
        };
        let config = TrainingConfig {
            epochs: 12,
            batch_size: 20,
            ..TrainingConfig::default()
        };
        let data = TrainingData::new(Arc::new(digits.train.clone()), Arc::new(digits.test.clone()));
        let mut training = Training::new(Vae::new(network, 0, &Device::flex()).unwrap(), config).unwrap();
        while !training.is_finished() {
            training = training.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap().0;
        }
        let m1 = Arc::new(Inference::new(&training.network()));
        (digits, m1)
    })
}

fn config() -> SemiSupervisedConfig {
    SemiSupervisedConfig {
        latent: 4,
        hidden: vec![24],
        epochs: 3,
        batch_size: 50,
        ..SemiSupervisedConfig::default()
    }
}

fn unobserved(_: usize, _: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn learn(split: &Split, per_class: usize, config: &SemiSupervisedConfig) -> SemiSupervisedClassifier {
    let labels = split.labels_for(per_class, 10, config.seed).unwrap();
    let examples = Examples {
        images: &split.images,
        labels: Some(&labels),
    };
    let m1 = Arc::clone(&learned().1);
    SemiSupervisedClassifier::learn(m1, examples, 10, config, &mut unobserved)
        .unwrap()
        .unwrap()
}

#[test]
fn digits_are_told_apart_by_few_labels() {
    let (digits, _) = learned();
    let config = SemiSupervisedConfig {
        epochs: 40,
        learning_rate: 3e-3,
        ..config()
    };
    let found = learn(&digits.train, 8, &config).classify(&digits.test.images).unwrap();
    let labels = digits.test.labels.iter().flatten();
    let pairs = found.iter().zip(labels);
    let right = pairs.filter(|(found, label)| Some(**found) == **label).count();
    // By chance it would be ten.
    assert!(right > 30, "{right} of 100");
}

#[test]
fn the_same_seed_gives_the_same_classifier_on_any_number_of_threads() {
    let (digits, _) = learned();
    let found = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let config = SemiSupervisedConfig { seed, ..config() };
        pool.install(|| {
            learn(&digits.train, 2, &config)
                .probabilities(&digits.test.images)
                .unwrap()
        })
    };
    assert_eq!(found(1, 0), found(3, 0));
    assert_ne!(found(1, 0), found(1, 1));
    let sums = found(2, 0);
    assert!(sums.chunks(10).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
}

/// The digits as the network sees them, with so many labels, also to be judged by.
fn data(per_class: usize) -> SemiSupervisedData {
    let (digits, m1) = learned();
    let codes = |split: &Split| -> Codes { encode(m1, split).unwrap() };
    let labels = digits.train.labels_for(per_class, 10, 0).unwrap();
    let examples = Examples {
        images: &digits.train.images,
        labels: Some(&labels),
    };
    SemiSupervisedData::of(&codes(&digits.train), examples, 10)
        .unwrap()
        .with_test(&codes(&digits.test), digits.test.labels.as_deref().unwrap())
}

#[test]
fn a_training_that_is_taken_up_ends_with_the_same_bits() {
    // Also with more labelled images than a step takes.
    for per_class in [2, 6] {
        let data = data(per_class);
        let m1 = &learned().1;
        let mut whole = SemiSupervisedTraining::new(Arc::clone(m1), &data, config()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let mut halves = None;
        while !whole.is_finished() {
            if whole.history().len() == 1 {
                let mut batches = 0;
                let (half, finished) = whole
                    .epoch(&data, &mut |_| {
                        batches += 1;
                        match batches {
                            3 => ControlFlow::Break(()),
                            _ => ControlFlow::Continue(()),
                        }
                    })
                    .unwrap();
                assert!(finished.is_none());
                half.save(&path, Metadata::new()).unwrap();
                let file = weights::read(&path).unwrap();
                let config_of_m1 = m1.config().clone();
                let state = SemiSupervisedTraining::m1_of(&file);
                let again = Vae::from_state(config_of_m1, &state, m1.network().likelihood(), &Device::flex()).unwrap();
                let m1 = Arc::new(Inference::new(&again));
                halves = Some(SemiSupervisedTraining::load(&file, "it", m1, &data, config()).unwrap());
                whole = half;
            }
            whole = whole.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap().0;
        }
        let mut halves = halves.unwrap();
        while !halves.is_finished() {
            halves = halves.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap().0;
        }
        assert_eq!(whole.classifier().m2().state(), halves.classifier().m2().state());
        let losses = |training: &SemiSupervisedTraining| {
            let last = training.history().last().unwrap().clone();
            (
                last.epoch,
                last.unlabelled_loss,
                last.labelled_loss,
                last.cross_entropy,
                last.test_error,
            )
        };
        assert_eq!(losses(&whole), losses(&halves));
        assert!(whole.history()[2].unlabelled_loss < whole.history()[0].unlabelled_loss);
        assert!(whole.history()[2].test_error.is_some() && whole.history()[2].validation_error.is_none());

        // Of other images or sizes it is refused.
        let file = weights::read(&path).unwrap();
        let other = SemiSupervisedConfig { latent: 5, ..config() };
        let error = SemiSupervisedTraining::load(&file, "it", Arc::clone(m1), &data, other).unwrap_err();
        assert!(error.to_string().starts_with("it: no checkpoint"), "{error}");
    }
}

#[test]
fn what_cannot_be_learned_from_is_said() {
    let (digits, m1) = learned();
    let codes = encode(m1, &digits.train).unwrap();
    let of = |codes: &Codes, labels: &[Option<u16>]| {
        let examples = Examples {
            images: &digits.train.images,
            labels: Some(labels),
        };
        SemiSupervisedData::of(codes, examples, 10).map_err(|error| error.to_string())
    };
    let labels = digits.train.labels_for(2, 10, 0).unwrap();
    let without_three: Vec<Option<u16>> = labels.iter().map(|label| label.filter(|&label| label != 3)).collect();
    assert!(of(&codes, &without_three).unwrap_err().contains("class 3"));
    let all = digits.train.labels.clone().unwrap();
    assert!(of(&codes, &all).unwrap_err().starts_with("all of these 400 images"));
    let collapsed = Codes {
        mean: vec![0.5; codes.mean.len()],
        ..codes.clone()
    };
    assert!(of(&collapsed, &labels).unwrap_err().contains("collapsed"));

    let data = of(&codes, &labels).unwrap();
    let conditional = NetworkConfig {
        classes: 10,
        ..m1.config().clone()
    };
    let conditional = Arc::new(Inference::new(&Vae::new(conditional, 0, &Device::flex()).unwrap()));
    let error = SemiSupervisedTraining::new(conditional, &data, config()).unwrap_err();
    assert!(matches!(error, SemiSupervisedError::Conditional));
    for wrong in [
        SemiSupervisedConfig { epochs: 0, ..config() },
        SemiSupervisedConfig {
            batch_size: 0,
            ..config()
        },
        SemiSupervisedConfig {
            learning_rate: f64::NAN,
            ..config()
        },
        SemiSupervisedConfig {
            classification_weight: 0.0,
            ..config()
        },
    ] {
        let error = SemiSupervisedTraining::new(Arc::clone(m1), &data, wrong).unwrap_err();
        assert!(matches!(error, SemiSupervisedError::Setting { .. }), "{error}");
    }
    let long = SemiSupervisedConfig {
        learning_rate: 1e30,
        ..config()
    };
    let training = SemiSupervisedTraining::new(Arc::clone(m1), &data, long).unwrap();
    let error = training.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(
        matches!(error, SemiSupervisedError::NonFinite { epoch: 1, .. }),
        "{error}"
    );
}
