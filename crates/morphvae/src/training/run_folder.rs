//! The folder of a run: settings, metrics, checkpoint, model and figures.

use std::fs;
use std::path::{Path, PathBuf};

use super::{EpochMetrics, RunConfig, TrainingError};

/// The folder of a run and the places in it.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The places of a run at `path`, whether there is one or not.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Opens the folder of a run that was begun before, and its settings.
    ///
    /// # Errors
    /// [`TrainingError::NoRun`] when there is no such run; [`TrainingError::Settings`] when its settings make no sense.
    pub fn open(path: &Path) -> Result<(Self, RunConfig), TrainingError> {
        let folder = Self::at(path);
        let config = folder.read_config()?;
        config.validate().map_err(|error| TrainingError::Settings {
            path: folder.config_path(),
            reason: error.to_string(),
        })?;
        Ok((folder, config))
    }

    /// The settings as they stand, sensible or not.
    pub(super) fn read_config(&self) -> Result<RunConfig, TrainingError> {
        let path = match self.next() {
            Some(next) => next.config_path(),
            None => self.config_path(),
        };
        let text = fs::read_to_string(&path).map_err(|source| TrainingError::NoRun {
            path: path.clone(),
            source,
        })?;
        toml::from_str(&text).map_err(|error| TrainingError::Settings {
            path,
            reason: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    /// The run's folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`: the settings.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `metrics.jsonl`: one line for each finished epoch.
    #[must_use]
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// `model.safetensors`: the network after the last finished epoch.
    #[must_use]
    pub fn model_path(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// `best.safetensors`: the network after the epoch with the lowest test loss so far.
    #[must_use]
    pub fn best_path(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// The network that the run stands for, if an epoch is finished: the best one, or the last one where that alone was
    /// kept. What lies there of a run that is being replaced is none of the new one's.
    #[must_use]
    pub fn model(&self) -> Option<PathBuf> {
        let kept = [self.best_path(), self.model_path()];
        kept.into_iter().find(|path| path.exists() && self.next().is_none())
    }

    /// `checkpoint/latest.safetensors`: all that is needed to go on.
    #[must_use]
    pub fn checkpoint_path(&self) -> PathBuf {
        self.checkpoints_path().join("latest.safetensors")
    }

    /// `checkpoint/`
    pub(super) fn checkpoints_path(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// `figures/`
    #[must_use]
    pub fn figures_path(&self) -> PathBuf {
        self.path.join("figures")
    }

    /// `.next/`: where the beginning of a run lies that is to replace the one here.
    pub(super) fn next_path(&self) -> PathBuf {
        self.path.join(".next")
    }

    /// The run that is on its way to replace the one here, laid out as this one: from when it is named so on, it is the
    /// run of this folder.
    pub(super) fn next(&self) -> Option<Self> {
        let next = Self::at(&self.next_path());
        next.config_path().exists().then_some(next)
    }

    /// The metrics of the finished epochs.
    ///
    /// # Errors
    /// [`TrainingError::File`] when they cannot be read; [`TrainingError::Settings`] names the line that is no metrics.
    pub fn metrics(&self) -> Result<Vec<EpochMetrics>, TrainingError> {
        let path = self.metrics_path();
        let text = fs::read_to_string(&path).map_err(|source| TrainingError::File {
            path: path.clone(),
            source,
        })?;
        text.lines()
            .enumerate()
            .map(|(number, line)| {
                serde_json::from_str(line).map_err(|error| TrainingError::Settings {
                    path: path.clone(),
                    reason: format!("line {}: {error}", number + 1),
                })
            })
            .collect()
    }
}
