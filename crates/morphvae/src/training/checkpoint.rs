//! A training on disk: one safetensors file with the weights, the optimizer's averages and, as metadata, the rest.
//!
//! Generators need no state of their own: every random number follows from the seed, the epoch and the step.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::held_run::json_lines;
use super::session::Position;
use super::{Adam, EpochMetrics, Kept, RunConfig, Training, TrainingConfig, TrainingError};
use crate::network::{NetworkConfig, Vae};
use crate::weights::{self, Integers, Metadata, Precision, StateDict, WeightFile};

/// The metadata key under which the rest stands, as JSON.
const KEY: &str = "morphvae.checkpoint";

/// The metadata key under which a run's checkpoint holds its settings, as JSON.
const RUN: &str = "morphvae.run";

#[derive(Serialize, Deserialize)]
struct Rest {
    /// Early checkpoints do not say: they are of the reference network.
    #[serde(default)]
    network: Option<NetworkConfig>,
    steps: u64,
    position: Position,
    history: Vec<EpochMetrics>,
}

/// A run's settings, as its checkpoint holds them.
pub(crate) fn settings(config: &RunConfig) -> Metadata {
    let json = serde_json::to_string(config).expect("settings are plain data");
    Metadata::from([(RUN.to_owned(), json)])
}

/// That a checkpoint was written with a run's settings. Early ones do not say.
pub(crate) fn check_settings(file: &WeightFile, path: &Path, config: &RunConfig) -> Result<(), TrainingError> {
    let Some(json) = file.metadata.get(RUN) else {
        return Ok(());
    };
    let reject = |reason: String| TrainingError::Checkpoint {
        path: path.to_owned(),
        reason,
    };
    let written: RunConfig = serde_json::from_str(json).map_err(|error| reject(error.to_string()))?;
    match written.continued_as(config).difference(config) {
        None => Ok(()),
        Some((name, written, now)) => Err(reject(format!(
            "it was written with {name} = {written}, and the run's config.toml has {now}: put that back"
        ))),
    }
}

impl Kept for Training {
    fn save_in_run(&self, path: &Path, config: &RunConfig) -> Result<(), TrainingError> {
        self.save_with(path, settings(config))
    }

    fn metrics(&self) -> Vec<u8> {
        json_lines(&self.history)
    }
}

impl Training {
    /// Writes everything that is needed to go on from here.
    ///
    /// # Errors
    /// [`TrainingError::Weights`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainingError> {
        self.save_with(path, Metadata::new())
    }

    fn save_with(&self, path: &Path, mut metadata: Metadata) -> Result<(), TrainingError> {
        let rest = Rest {
            network: Some(self.network.config().clone()),
            steps: self.optimizer.steps(),
            position: self.position,
            history: self.history.clone(),
        };
        let mut state = self.network.state();
        self.optimizer.save(&mut state);
        let json = serde_json::to_string(&rest).expect("a checkpoint's metadata is plain data");
        metadata.insert(KEY.to_owned(), json);
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
    /// checkpoint; [`TrainingError::Weights`] when it cannot be read; [`TrainingError::Network`] when its weights are not a
    /// network's.
    pub fn load(path: &Path, config: TrainingConfig, device: &Device) -> Result<Self, TrainingError> {
        config.validate()?;
        Self::from_file(weights::read(path)?, path, config, device)
    }

    /// The same in a run with the settings `config`: a checkpoint that was written with others is refused.
    pub(super) fn load_in_run(path: &Path, config: &RunConfig, device: &Device) -> Result<Self, TrainingError> {
        config.validate()?;
        let file = weights::read(path)?;
        check_settings(&file, path, config)?;
        let training = Self::from_file(file, path, config.training.clone(), device)?;
        if *training.network.config() != config.network {
            return Err(TrainingError::Checkpoint {
                path: path.to_owned(),
                reason: "its network is not that of the run's config.toml".to_owned(),
            });
        }
        Ok(training)
    }

    fn from_file(
        file: WeightFile,
        path: &Path,
        config: TrainingConfig,
        device: &Device,
    ) -> Result<Self, TrainingError> {
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
        let network_config = match rest.network {
            Some(config) => config,
            None => NetworkConfig::of_weights(&network)?,
        };
        let network = Vae::from_state(network_config, &network, config.likelihood, device)?;
        if network.pseudo_inputs() != config.pseudo_inputs {
            return Err(reject(format!(
                "its prior has {} pseudo-inputs, not {}",
                network.pseudo_inputs(),
                config.pseudo_inputs
            )));
        }
        let optimizer = Adam::load(config.adam, rest.steps, &network, averages)
            .map_err(reject)?
            .with_quick_weights(config.output.quick_weights(&network));
        Ok(Self {
            config,
            network: network.train(),
            optimizer,
            position: rest.position,
            history: rest.history,
        })
    }
}
