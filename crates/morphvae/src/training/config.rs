//! The settings of a run, as `config.toml` holds them.

use std::path::PathBuf;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Training, TrainingConfig, TrainingData, TrainingError};
use crate::data::{Binarization, Fit, NameOrder, Protocol};
use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
use crate::semi_supervised::SemiSupervisedConfig;

/// Everything that a run's result follows from. The default is the reference network, of images that are still to be
/// named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The model whose weights the run began with, if not with fresh ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// Whether the network is told the class of each image. How many classes there are, the images say:
    /// [`NetworkConfig::classes`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub conditional: bool,
    /// The images.
    pub data: DataConfig,
    /// The network.
    pub network: NetworkConfig,
    /// How it learns.
    pub training: TrainingConfig,
    /// The classifier that the run learns with the labels of few images. The network and how it learned are then those of
    /// `init_from`, whose weights stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semi_supervised: Option<FewLabels>,
}

/// How a run learns from few labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FewLabels {
    /// How many images of each class keep their label, drawn by the seed.
    pub labels_for: usize,
    /// How the classifier learns.
    pub learning: SemiSupervisedConfig,
}

impl RunConfig {
    /// An unsupervised network whose latents are good features for a [`SemiSupervisedClassifier`], of images that are still
    /// to be named. It needs no label, and one serves all numbers of labels and all seeds.
    ///
    /// [`SemiSupervisedClassifier`]: crate::semi_supervised::SemiSupervisedClassifier
    #[must_use]
    pub fn for_features() -> Self {
        Self {
            network: NetworkConfig {
                image_size: 28,
                latent: 32,
                architecture: Architecture::Mlp {
                    hidden: vec![500, 500],
                    activation: HiddenActivation::Relu,
                },
                ..NetworkConfig::default()
            },
            training: TrainingConfig {
                epochs: 16,
                batch_size: 100,
                // Keeps more latents telling than would be pulled onto the prior at once.
                warm_up: 4,
                ..TrainingConfig::default()
            },
            ..Self::default()
        }
    }

    /// The same settings for so many images: where there are few, each is seen more often, until a hundred thousand are
    /// seen, but in two hundred epochs at most.
    #[must_use]
    pub fn with_enough_epochs(mut self, images: usize) -> Self {
        let enough = (100_000 / images.max(1)).min(200);
        self.training.epochs = self.training.epochs.max(enough);
        self
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`TrainingError::Setting`] and [`TrainingError::Network`] name the first that makes no sense.
    pub fn validate(&self) -> Result<(), TrainingError> {
        self.network.validate()?;
        self.training.validate()?;
        if let Some(few) = &self.semi_supervised {
            few.learning.validate()?;
        }
        // Before the images are read, it is not known how many classes there are.
        let network = NetworkConfig {
            classes: self.network.classes.max(usize::from(self.conditional)),
            ..self.network.clone()
        };
        self.training.check_network(&network)
    }

    /// The training as it begins: of `initial`, or of the fresh network that the seed gives, with the output that it is
    /// to have for these images.
    ///
    /// # Errors
    /// As [`RunConfig::validate`] and [`TrainingData::check`].
    pub fn beginning(
        &self,
        initial: Option<Vae>,
        data: &TrainingData,
        device: &Device,
    ) -> Result<Training, TrainingError> {
        data.check(initial.as_ref().map_or(&self.network, Vae::config))?;
        let network = match initial {
            Some(network) => network,
            None => {
                let network = Vae::new(self.network.clone(), self.training.seed, device)?;
                self.training.output.begin(network, &data.train.images)?
            }
        };
        Training::new(network, self.training.clone())
    }

    /// These settings with what may change while a run is the same: when it ends does not change the steps before, and
    /// another folder may hold the same images, which the fingerprint tells.
    #[must_use]
    pub fn continued_as(&self, asked: &Self) -> Self {
        let mut config = self.clone();
        config.training.epochs = asked.training.epochs;
        if let (Some(few), Some(asked)) = (&mut config.semi_supervised, &asked.semi_supervised) {
            few.learning.epochs = asked.learning.epochs;
        }
        config.training.patience = asked.training.patience;
        // Wherever it lies, the fingerprint tells whether it is the same.
        config.data.data_dir.clone_from(&asked.data.data_dir);
        if config.data.images.is_some() && asked.data.images.is_some() {
            config.data.dataset.clone_from(&asked.data.dataset);
            config.data.images.clone_from(&asked.data.images);
        }
        config
    }

    /// Makes sure that a run is continued as it began.
    ///
    /// # Errors
    /// [`TrainingError::OtherSettings`] names the first setting that `asked` has otherwise.
    pub fn refuse_differences(&self, asked: &Self) -> Result<(), TrainingError> {
        match self.difference(asked) {
            None => Ok(()),
            Some((name, started, given)) => Err(TrainingError::OtherSettings { name, started, given }),
        }
    }

    /// The first setting that `other` has otherwise, and both values.
    pub(super) fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let architecture = |config: &Self| config.network.architecture.name();
        let (started, given) = (architecture(self), architecture(other));
        if started != given {
            // Whose settings differ in name, too.
            return Some(("network.architecture".into(), started.into(), given.into()));
        }
        let table = |config: &Self| toml::Table::try_from(config).expect("settings are plain data");
        first_difference(&table(self), &table(other))
    }
}

/// The name of the first entry in which two tables differ, and both its values.
fn first_difference(started: &toml::Table, asked: &toml::Table) -> Option<(String, String, String)> {
    let names = started
        .keys()
        .chain(asked.keys().filter(|name| !started.contains_key(*name)));
    for name in names {
        match (started.get(name), asked.get(name)) {
            (Some(toml::Value::Table(started)), Some(toml::Value::Table(asked))) => {
                if let Some((inner, started, given)) = first_difference(started, asked) {
                    return Some((format!("{name}.{inner}"), started, given));
                }
            }
            (started, asked) if started != asked => {
                let show = |value: Option<&toml::Value>| value.map_or("nothing".to_owned(), ToString::to_string);
                return Some((name.clone(), show(started), show(asked)));
            }
            _ => {}
        }
    }
    None
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Which images a run learns from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// A known data set, or the name of the folder.
    pub dataset: String,
    /// The folder in which a known data set was found; runs of earlier programs do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The folder of images, for those that come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<PathBuf>,
    /// How images of a folder are made square.
    #[serde(default)]
    pub fit: Fit,
    /// The order of their files and classes; runs of earlier programs, which have that of their bytes, do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<NameOrder>,
    /// At most so many images to train on, and as many to test on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How grey values become black or white, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binarize: Option<Binarization>,
    /// How many of the images to train on, the last ones, decide which epoch is the best instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// SHA-256 of the images and labels: a resumed run must meet the same ones.
    pub fingerprint: String,
}

impl DataConfig {
    /// What is done to the images before they are learned from.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        Protocol {
            binarize: self.binarize,
            validation: self.validation,
        }
    }

    /// The order of files and classes that a folder's images are read in.
    #[must_use]
    pub fn name_order(&self) -> NameOrder {
        self.order.unwrap_or(NameOrder::Bytes)
    }
}
