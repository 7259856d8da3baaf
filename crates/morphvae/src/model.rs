//! A network in a file, with what is to be known about it.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::data::Protocol;
use crate::latent::LatentStatistics;
use crate::network::{M2, M2_NAMES, M2Config, NetworkConfig, NetworkError, Vae};
use crate::objective::{Loss, MOST_SAMPLES, Objective};
use crate::probability::Likelihood;
use crate::semi_supervised::SemiSupervisedConfig;
use crate::weights::{self, Format, Precision, StateDict, WeightFile, WeightsError};

/// The metadata key of a safetensors file under which the card stands, as JSON.
const CARD: &str = "morphvae";

/// What a weight file says about the network in it besides its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// What kind of network it is and how large.
    pub network: NetworkConfig,
    /// Which loss it learned by.
    pub objective: Objective,
    /// Samples of each image's posterior in it; cards of earlier programs, which had one, do not say.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub samples: usize,
    /// How its images are held against the true ones.
    #[serde(default)]
    pub likelihood: Likelihood,
    /// The weight of the KL divergence in it.
    pub beta: f64,
    /// The images it learned from.
    pub dataset: String,
    /// What was done to them before. Early files do not say: nothing.
    #[serde(default)]
    pub protocol: Protocol,
    /// The names of their classes, in the order of the labels.
    pub classes: Vec<String>,
    /// Epochs it learned for.
    pub epochs: usize,
    /// Steps of the optimizer that it took.
    pub steps: u64,
    /// Its loss on the test images, in nats per image.
    pub test: Loss,
    /// Where the test images lie in its latent space.
    pub latent_statistics: LatentStatistics,
    /// The classifier in its file, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<ClassifierCard>,
}

/// What a weight file says about the semi-supervised classifier in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifierCard {
    /// The shapes of its weights.
    pub m2: M2Config,
    /// How it learned.
    pub learning: SemiSupervisedConfig,
    /// Images of each class whose label it learned from.
    pub labels_for: usize,
    /// Epochs it learned for.
    pub epochs: usize,
    /// The share of the test images that it classifies wrongly, where they have labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_error: Option<f64>,
    /// The same of the validation images, where some were held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_error: Option<f64>,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows cards by reference")]
fn is_one(samples: &usize) -> bool {
    *samples == 1
}

/// A network and, if it was trained here, its card.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// The network.
    pub network: Vae,
    /// What is known about it. Absent for weights from elsewhere.
    pub card: Option<ModelCard>,
    /// What tells classes apart by its latents, if it was learned with few labels.
    pub classifier: Option<M2>,
    /// The kind of file it came from.
    pub format: Format,
}

impl TrainedModel {
    /// Reads `model.safetensors` or a PyTorch `.pth` of this network. Nothing that is stored in the file is executed.
    ///
    /// # Errors
    /// [`NetworkError::Weights`] when the file is no weight file, or lists the tensors that do not fit;
    /// [`NetworkError::NotThisNetwork`] for the weights of something else.
    pub fn read(path: &Path, device: &Device) -> Result<Self, NetworkError> {
        Self::from_file(weights::read(path)?, device)
    }

    /// The same from bytes; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`TrainedModel::read`].
    pub fn from_bytes(bytes: &[u8], name: &str, device: &Device) -> Result<Self, NetworkError> {
        Self::from_file(weights::read_bytes(bytes, name)?, device)
    }

    fn from_file(file: WeightFile, device: &Device) -> Result<Self, NetworkError> {
        let card = match file.metadata.get(CARD) {
            None => None,
            Some(json) => {
                let card: ModelCard = serde_json::from_str(json).map_err(|error| NetworkError::NotThisNetwork {
                    reason: format!("its metadata under \"{CARD}\" cannot be read: {error}"),
                })?;
                if !(1..=MOST_SAMPLES).contains(&card.samples) {
                    let reason = format!("its metadata under \"{CARD}\" has {} samples an image", card.samples);
                    return Err(NetworkError::NotThisNetwork { reason });
                }
                let (told, named) = (card.network.classes, card.classes.len());
                if let Some(ClassifierCard { m2, .. }) = &card.classifier
                    && (told > 0
                        || m2.classes != named
                        || m2.features.last().is_some_and(|&last| last >= card.network.latent))
                {
                    let reason = "its metadata has a classifier of other classes or latents than its own".to_owned();
                    return Err(NetworkError::NotThisNetwork { reason });
                }
                if told > 0 && told != named {
                    let reason = format!("it is conditional on {told} classes, and its metadata names {named}");
                    return Err(NetworkError::NotThisNetwork { reason });
                }
                Some(card)
            }
        };
        let likelihood = card.as_ref().map(|card| card.likelihood).unwrap_or_default();
        let mut tensors = file.tensors;
        let classifier = match card.as_ref().and_then(|card| card.classifier.as_ref()) {
            None => None,
            Some(classifier) => {
                let state: StateDict = tensors.extract_if(.., |name, _| name.starts_with(M2_NAMES)).collect();
                Some(M2::from_state(classifier.m2.clone(), &state, device)?)
            }
        };
        let config = match &card {
            Some(card) => card.network.clone(),
            None => NetworkConfig::of_weights(&tensors)?,
        };
        let network = Vae::from_state(config, &tensors, likelihood, device)?;
        Ok(Self {
            network,
            card,
            classifier,
            format: file.format,
        })
    }

    /// Writes the network and its card as a safetensors file that PyTorch's `load_state_dict` takes as it is, unless its
    /// likelihood has a scale: PyTorch's class has no `likelihood.log_scale`.
    ///
    /// # Errors
    /// [`WeightsError`] when the file cannot be written.
    pub fn write(network: &Vae, card: &ModelCard, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        write(&network.state(), card, path, precision)
    }

    /// The same with what tells classes apart by the network's latents, in tensors whose names begin with `m2.`.
    ///
    /// # Errors
    /// [`WeightsError`] when the file cannot be written.
    pub fn write_with_classifier(
        network: &Vae,
        classifier: &M2,
        card: &ModelCard,
        path: &Path,
        precision: Precision,
    ) -> Result<(), WeightsError> {
        let mut state = network.state();
        state.extend(classifier.state());
        write(&state, card, path, precision)
    }
}

fn write(state: &StateDict, card: &ModelCard, path: &Path, precision: Precision) -> Result<(), WeightsError> {
    let json = serde_json::to_string(card).expect("a card is plain data");
    let metadata = BTreeMap::from([(CARD.to_owned(), json)]);
    let counts = weights::batches_tracked(state, card.steps as i64);
    weights::write_safetensors(path, state, &counts, &metadata, precision)
}
