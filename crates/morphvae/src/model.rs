//! A network in a file, with what is to be known about it.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::data::Protocol;
use crate::latent::LatentStatistics;
use crate::network::{NetworkConfig, NetworkError, Vae};
use crate::objective::{Loss, MOST_SAMPLES, Objective};
use crate::probability::Likelihood;
use crate::weights::{self, Format, Precision, WeightFile, WeightsError};

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
                if told > 0 && told != named {
                    let reason = format!("it is conditional on {told} classes, and its metadata names {named}");
                    return Err(NetworkError::NotThisNetwork { reason });
                }
                Some(card)
            }
        };
        let likelihood = card.as_ref().map(|card| card.likelihood).unwrap_or_default();
        let config = match &card {
            Some(card) => card.network.clone(),
            None => NetworkConfig::of_weights(&file.tensors)?,
        };
        let network = Vae::from_state(config, &file.tensors, likelihood, device)?;
        Ok(Self {
            network,
            card,
            format: file.format,
        })
    }

    /// Writes the network and its card as a safetensors file that PyTorch's `load_state_dict` takes as it is, unless its
    /// likelihood has a scale: PyTorch's class has no `likelihood.log_scale`.
    ///
    /// # Errors
    /// [`WeightsError`] when the file cannot be written.
    pub fn write(network: &Vae, card: &ModelCard, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        let json = serde_json::to_string(card).expect("a card is plain data");
        let metadata = BTreeMap::from([(CARD.to_owned(), json)]);
        let state = network.state();
        let counts = weights::batches_tracked(&state, card.steps as i64);
        weights::write_safetensors(path, &state, &counts, &metadata, precision)
    }
}
