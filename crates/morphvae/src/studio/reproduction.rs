//! Numbers of papers, and the settings that lead to them.

use super::Source;
use crate::data::catalogue::BINARIZED_MNIST;
use crate::data::{Binarization, DataError};
use crate::network::{Architecture, HiddenActivation, NetworkConfig};
use crate::objective::Objective;
use crate::training::{AdamConfig, DataConfig, LearningRateSteps, Output, RunConfig, TrainingConfig};

/// A published number of nats per image, and how it came about. All are of MNIST.
#[derive(Clone, Copy, Debug)]
pub struct Reproduction {
    /// The name that chooses it.
    pub name: &'static str,
    /// Where it was published.
    pub paper: &'static str,
    /// The network in short.
    pub network: &'static str,
    /// The number: nats per image, the lower the better.
    pub published: f64,
    /// What it is the number of.
    pub measure: Measure,
    /// How many epochs were seen at most.
    pub epochs: usize,
    /// About how many minutes it takes here, on two cores of a laptop.
    pub minutes: usize,
    /// What decides the run.
    settings: Settings,
}

/// What is measured on the test images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The test loss after the last epoch: of grey pixels no likelihood.
    TestLoss,
    /// `-log p(x)` by importance sampling with so many samples an image: after the best epoch by the validation images, or
    /// the last where none are held out.
    Likelihood {
        /// Samples of the posterior.
        samples: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum Settings {
    /// The first command of this program.
    Article,
    /// `vae/main.py` of PyTorch's examples.
    PyTorchExample,
    /// `reproducibility/vae.py` of Pythae.
    Pythae,
    /// `examples/mnist.py` of the paper's code, in so many dimensions.
    Davidson { latent: usize },
    /// `experiments.py` of the paper's code, with so many samples.
    Burda { samples: usize },
}

/// Images that are held out to choose the best epoch by, where papers do.
const VALIDATION: usize = 10_000;

const fn davidson(name: &'static str, latent: usize, published: f64) -> Reproduction {
    Reproduction {
        name,
        paper: "Davidson and others, 2018, table 1 (N-VAE)",
        network: "mlp 256, 128",
        published,
        measure: Measure::Likelihood { samples: 500 },
        epochs: 500,
        minutes: 15,
        settings: Settings::Davidson { latent },
    }
}

const fn burda(name: &'static str, samples: usize, published: f64, epochs: usize, minutes: usize) -> Reproduction {
    Reproduction {
        name,
        paper: "Burda and others, 2016, table 1",
        network: "mlp 200, 200, 50 latents",
        published,
        measure: Measure::Likelihood { samples: 5000 },
        epochs,
        minutes,
        settings: Settings::Burda { samples },
    }
}

/// A tenth of the epochs that Burda and others trained for: all but the last of their stages.
const BURDA_TENTH: usize = 364;
const BURDA_ALL: usize = 3280;

/// All that are known, the quickest first.
pub static REPRODUCTIONS: [Reproduction; 11] = [
    Reproduction {
        name: "pytorch-example",
        paper: "PyTorch's examples, vae/main.py, after 7 epochs",
        network: "mlp 400, 20 latents",
        published: 106.66,
        measure: Measure::TestLoss,
        epochs: 7,
        minutes: 1,
        settings: Settings::PyTorchExample,
    },
    Reproduction {
        name: "article",
        paper: "the well-known article's network, trained by PyTorch",
        network: "reference, 2 latents",
        published: 203.48,
        measure: Measure::TestLoss,
        epochs: 5,
        minutes: 5,
        settings: Settings::Article,
    },
    davidson("davidson-2", 2, 135.73),
    davidson("davidson-5", 5, 110.21),
    davidson("davidson-10", 10, 93.84),
    davidson("davidson-20", 20, 88.90),
    Reproduction {
        name: "pythae",
        paper: "Pythae, reproducibility/vae.py, after Rezende and Mohamed, 2015",
        network: "mlp 400, 40 latents",
        published: 89.78,
        measure: Measure::Likelihood { samples: 200 },
        epochs: 500,
        minutes: 25,
        settings: Settings::Pythae,
    },
    burda("burda-vae", 1, 86.76, BURDA_TENTH, 40),
    burda("burda-iwae-5", 5, 85.54, BURDA_TENTH, 80),
    burda("burda-vae-full", 1, 86.76, BURDA_ALL, 360),
    burda("burda-iwae-5-full", 5, 85.54, BURDA_ALL, 720),
];

impl Reproduction {
    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        REPRODUCTIONS.iter().find(|reproduction| reproduction.name == name)
    }

    /// The settings of its run with a seed.
    #[must_use]
    pub fn config(&self, seed: u64) -> RunConfig {
        let training = TrainingConfig {
            epochs: self.epochs,
            seed,
            adam: AdamConfig {
                weight_decay: 0.0,
                ..AdamConfig::default()
            },
            ..TrainingConfig::default()
        };
        match self.settings {
            Settings::Article => RunConfig {
                training: TrainingConfig {
                    epochs: self.epochs,
                    seed,
                    ..TrainingConfig::default()
                },
                ..RunConfig::default()
            },
            Settings::PyTorchExample => RunConfig {
                network: mlp(&[400], HiddenActivation::Relu, 20),
                training: TrainingConfig {
                    batch_size: 128,
                    ..training
                },
                ..RunConfig::default()
            },
            Settings::Pythae => RunConfig {
                data: under(Binarization::Static),
                network: mlp(&[400], HiddenActivation::Relu, 40),
                training: TrainingConfig {
                    batch_size: 100,
                    adam: AdamConfig {
                        learning_rate: 1e-4,
                        ..training.adam
                    },
                    learning_rate_steps: Some(LearningRateSteps {
                        epochs: vec![200, 350],
                        factor: 10.0_f64.powf(-0.2),
                    }),
                    ..training
                },
                ..RunConfig::default()
            },
            Settings::Davidson { latent } => RunConfig {
                data: under(Binarization::Dynamic),
                network: mlp(&[256, 128], HiddenActivation::Relu, latent),
                training: TrainingConfig {
                    batch_size: 64,
                    warm_up: 100,
                    patience: Some(50),
                    ..training
                },
                ..RunConfig::default()
            },
            Settings::Burda { samples } => RunConfig {
                data: DataConfig {
                    validation: None,
                    ..under(Binarization::Dynamic)
                },
                network: mlp(&[200, 200], HiddenActivation::Tanh, 50),
                training: TrainingConfig {
                    batch_size: 20,
                    objective: Objective::Iwae,
                    samples,
                    output: Output::PixelMeans,
                    adam: AdamConfig {
                        betas: [0.99, 0.999],
                        epsilon: 1e-4,
                        epsilon_hat: true,
                        first_square: 1.0,
                        ..training.adam
                    },
                    learning_rate_steps: Some(burda_steps()),
                    ..training
                },
                ..RunConfig::default()
            },
        }
    }

    /// The images that it is of.
    ///
    /// # Errors
    /// None, as long as the catalogue has them.
    pub fn source(&self) -> Result<Source, DataError> {
        Source::named(match self.settings {
            Settings::Pythae => BINARIZED_MNIST,
            _ => "mnist",
        })
    }
}

fn under(binarization: Binarization) -> DataConfig {
    DataConfig {
        binarize: Some(binarization),
        validation: Some(VALIDATION),
        ..DataConfig::default()
    }
}

fn mlp(hidden: &[usize], activation: HiddenActivation, latent: usize) -> NetworkConfig {
    NetworkConfig {
        image_size: 28,
        latent,
        architecture: Architecture::Mlp {
            hidden: hidden.to_vec(),
            activation,
        },
        ..NetworkConfig::default()
    }
}

/// Stage `i` of eight has `3^i` epochs at a rate of `0.001 · 10^(-i/7)`.
fn burda_steps() -> LearningRateSteps {
    let mut passed = 0;
    LearningRateSteps {
        epochs: (0..7)
            .map(|stage| {
                passed += 3_usize.pow(stage);
                passed
            })
            .collect(),
        factor: 10.0_f64.powf(-1.0 / 7.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_has_a_name_of_its_own_and_settings_that_make_sense() {
        for reproduction in &REPRODUCTIONS {
            assert!(std::ptr::eq(
                Reproduction::named(reproduction.name).unwrap(),
                reproduction
            ));
            let config = reproduction.config(3);
            config.validate().unwrap();
            assert_eq!((config.training.seed, config.training.epochs), (3, reproduction.epochs));
            assert!(reproduction.source().is_ok());
            // A likelihood is one of black and white digits.
            let is_binary = config.data.binarize.is_some();
            assert_eq!(is_binary, matches!(reproduction.measure, Measure::Likelihood { .. }));
        }
    }

    #[test]
    fn the_stages_of_burda_end_where_theirs_do() {
        let config = Reproduction::named("burda-vae").unwrap().config(0).training;
        assert_eq!(
            config.learning_rate_steps.as_ref().unwrap().epochs,
            [1, 4, 13, 40, 121, 364, 1093]
        );
        // Their code rounds the rates to these.
        for (done, published) in [
            (0, 1e-3),
            (1, 7e-4),
            (4, 5e-4),
            (13, 4e-4),
            (40, 3e-4),
            (121, 2e-4),
            (1093, 1e-4),
        ] {
            assert!((config.learning_rate(done) - published).abs() < 6e-5, "{done}");
        }
    }
}
