//! A training on disk: one safetensors file with the weights, the optimizer's averages and, as metadata, the rest.
//!
//! Generators need no state of their own: every random number follows from the seed, the epoch and the step.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::session::Position;
use super::{Adam, EpochMetrics, Training, TrainingConfig, TrainingError};
use crate::model::Vae;
use crate::weights::{self, Integers, Precision, StateDict};

/// The metadata key under which the rest stands, as JSON.
const KEY: &str = "morphvae.checkpoint";

#[derive(Serialize, Deserialize)]
struct Rest {
    steps: u64,
    position: Position,
    history: Vec<EpochMetrics>,
}

impl Training {
    /// Writes everything that is needed to go on from here.
    ///
    /// # Errors
    /// [`TrainingError::Weights`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainingError> {
        let rest = Rest {
            steps: self.optimizer.steps(),
            position: self.position,
            history: self.history.clone(),
        };
        let mut state = self.network.state();
        self.optimizer.save(&mut state);
        let json = serde_json::to_string(&rest).expect("a checkpoint's metadata is plain data");
        let metadata = BTreeMap::from([(KEY.to_owned(), json)]);
        Ok(weights::write_safetensors(
            path,
            &state,
            &Integers::new(),
            &metadata,
            Precision::Full,
        )?)
    }

    /// Goes on from a file that [`Training::save`] wrote.
    ///
    /// # Errors
    /// [`TrainingError::Setting`] when a setting makes no sense; [`TrainingError::Checkpoint`] when the file is no
    /// checkpoint; [`TrainingError::Weights`] when it cannot be read; [`TrainingError::Model`] when its weights are not a
    /// network's.
    pub fn load(path: &Path, config: TrainingConfig, device: &Device) -> Result<Self, TrainingError> {
        config.validate()?;
        let file = weights::read(path)?;
        let reject = |reason: String| TrainingError::Checkpoint {
            path: path.to_owned(),
            reason,
        };
        let json = file
            .metadata
            .get(KEY)
            .ok_or_else(|| reject(format!("it has no metadata {KEY}")))?;
        let rest: Rest = serde_json::from_str(json).map_err(|error| reject(error.to_string()))?;
        let (averages, network): (StateDict, StateDict) =
            file.tensors.into_iter().partition(|(name, _)| Adam::is_average(name));
        let network = Vae::from_state(&network, config.likelihood, device)?;
        let optimizer = Adam::load(config.adam, rest.steps, &network, averages).map_err(reject)?;
        Ok(Self {
            config,
            network: network.train(),
            optimizer,
            position: rest.position,
            history: rest.history,
        })
    }
}
