//! A semi-supervised training on disk: one safetensors file with both networks, the optimizer's averages and, as metadata,
//! the rest.

use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use serde::{Deserialize, Serialize};

use super::learning::{Position, adam};
use super::{
    SemiSupervisedConfig, SemiSupervisedData, SemiSupervisedError, SemiSupervisedMetrics, SemiSupervisedTraining,
};
use crate::network::{Inference, M2, M2_NAMES, M2Config};
use crate::weights::{self, Array, Integers, Metadata, Precision, StateDict, WeightFile};

/// The metadata key under which the rest stands, as JSON.
const KEY: &str = "morphvae.semi-supervised";

/// Where the averages of weights stand: PyTorch's names for them, before the weight's.
const AVERAGES: [&str; 2] = ["exp_avg.", "exp_avg_sq."];

#[derive(Serialize, Deserialize)]
struct Rest {
    m2: M2Config,
    steps: i32,
    position: Position,
    history: Vec<SemiSupervisedMetrics>,
}

impl SemiSupervisedTraining {
    /// Writes everything that is needed to go on from here.
    ///
    /// # Errors
    /// [`SemiSupervisedError::Weights`] when the file cannot be written.
    pub fn save(&self, path: &Path, mut metadata: Metadata) -> Result<(), SemiSupervisedError> {
        let rest = Rest {
            m2: self.m2.config().clone(),
            steps: self.adam.steps(),
            position: self.position,
            history: self.history.clone(),
        };
        let json = serde_json::to_string(&rest).expect("a checkpoint's metadata is plain data");
        metadata.insert(KEY.to_owned(), json);
        let mut state = self.m1.network().state();
        state.extend(self.m2.state());
        for (name, averages) in self.m2.names().zip(self.adam.averages(&self.m2)) {
            for (kind, values) in AVERAGES.iter().zip(averages) {
                let shape = vec![values.len()];
                state.insert(format!("{kind}{name}"), Array { shape, values });
            }
        }
        let precision = Precision::Full;
        Ok(weights::write_safetensors(
            path,
            &state,
            &Integers::new(),
            &metadata,
            precision,
        )?)
    }

    /// The weights of M1 in a file that [`SemiSupervisedTraining::save`] wrote.
    #[must_use]
    pub fn m1_of(file: &WeightFile) -> StateDict {
        let is_of_m1 = |name: &str| !name.starts_with(M2_NAMES) && !AVERAGES.iter().any(|kind| name.starts_with(kind));
        let tensors = file.tensors.iter().filter(|(name, _)| is_of_m1(name));
        tensors.map(|(name, array)| (name.clone(), array.clone())).collect()
    }

    /// Goes on from a file that [`SemiSupervisedTraining::save`] wrote, on the features of its own M1.
    ///
    /// # Errors
    /// [`SemiSupervisedError::Checkpoint`] when the file, called `name`, is no such checkpoint or of other images;
    /// [`SemiSupervisedError::Setting`] and [`SemiSupervisedError::Network`].
    pub fn load(
        file: &WeightFile,
        name: &str,
        m1: Arc<Inference>,
        data: &SemiSupervisedData,
        config: SemiSupervisedConfig,
    ) -> Result<Self, SemiSupervisedError> {
        let reject = |reason: String| SemiSupervisedError::Checkpoint {
            name: name.to_owned(),
            reason,
        };
        let json = file
            .metadata
            .get(KEY)
            .ok_or_else(|| reject(format!("it has no metadata {KEY}")))?;
        let rest: Rest = serde_json::from_str(json).map_err(|error| reject(error.to_string()))?;
        let fresh = Self::new(m1, data, config)?;
        if rest.m2 != *fresh.m2.config() || rest.steps < 0 {
            return Err(reject(
                "its network is not that of the run's config.toml and images".to_owned(),
            ));
        }
        let tensors = file.tensors.iter().filter(|(name, _)| name.starts_with(M2_NAMES));
        let state: StateDict = tensors.map(|(name, array)| (name.clone(), array.clone())).collect();
        let m2 = M2::from_state(rest.m2, &state, &fresh.m1.network().device())?.train();
        let averages = m2.names().map(|name| {
            let [gradient, square] = AVERAGES.map(|kind| {
                let found = file.tensors.get(&format!("{kind}{name}"));
                found
                    .map(|array| array.values.clone())
                    .filter(|values| values.len() == state[&name].values.len())
            });
            Some([gradient?, square?])
        });
        let averages: Option<Vec<_>> = averages.collect();
        let averages = averages.ok_or_else(|| reject("running averages of weights are missing or misshapen".into()))?;
        Ok(Self {
            adam: adam(data).with_averages(rest.steps, averages, &m2),
            m2,
            position: rest.position,
            history: rest.history,
            ..fresh
        })
    }
}
