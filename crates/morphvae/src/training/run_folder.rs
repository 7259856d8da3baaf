//! The folder of a run: settings, metrics, checkpoint, model and figures.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::{EpochMetrics, RunConfig, Training, TrainingError};
use crate::files::{check_writable, write_atomically};

/// The folder of a run and the places in it.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes sure that a new run can be begun at `path`, without changing anything there.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] when something else than a run is at `path`; [`TrainingError::Exists`] when a run is
    /// and `replace` is false; [`TrainingError::File`] when the folder cannot be written.
    pub fn check(path: &Path, replace: bool) -> Result<Self, TrainingError> {
        if path.exists() && !is_empty_folder(path) {
            // Any program may have a config.toml.
            if Self::open(path).is_err() {
                return Err(TrainingError::NotARun { path: path.to_owned() });
            }
            if !replace {
                return Err(TrainingError::Exists { path: path.to_owned() });
            }
        }
        check_writable(path).map_err(|source| TrainingError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Begins the run: what an earlier one left is removed, and a checkpoint of the beginning and the settings are
    /// written, in this order: where there are settings, the run can be continued.
    ///
    /// # Errors
    /// [`TrainingError::File`] or [`TrainingError::Weights`] when a file cannot be written.
    pub fn begin(&self, config: &RunConfig, training: &Training) -> Result<(), TrainingError> {
        self.clear()?;
        training.save(&self.checkpoint_path())?;
        self.write_config(config)
    }

    /// Writes the run's settings.
    ///
    /// # Errors
    /// [`TrainingError::File`] when the file cannot be written.
    pub fn write_config(&self, config: &RunConfig) -> Result<(), TrainingError> {
        let settings = toml::to_string(config).expect("settings are plain data");
        self.write(&self.config_path(), settings.as_bytes())
    }

    /// Opens the folder of a run that was begun before, and its settings.
    ///
    /// # Errors
    /// [`TrainingError::NoRun`] when there is no such run; [`TrainingError::Settings`] when its settings make no sense.
    pub fn open(path: &Path) -> Result<(Self, RunConfig), TrainingError> {
        let folder = Self { path: path.to_owned() };
        let config_path = folder.config_path();
        let text = fs::read_to_string(&config_path).map_err(|source| TrainingError::NoRun {
            path: config_path.clone(),
            source,
        })?;
        let config = toml::from_str(&text).map_err(|error| TrainingError::Settings {
            path: config_path,
            reason: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        })?;
        Ok((folder, config))
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

    /// `checkpoint/latest.safetensors`: all that is needed to go on.
    #[must_use]
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join("checkpoint").join("latest.safetensors")
    }

    /// `figures/`
    #[must_use]
    pub fn figures_path(&self) -> PathBuf {
        self.path.join("figures")
    }

    /// Writes the checkpoint and, from it, the metrics: a run that dies between the two writes them anew.
    ///
    /// # Errors
    /// [`TrainingError::File`] or [`TrainingError::Weights`] when a file cannot be written.
    pub fn save(&self, training: &Training) -> Result<(), TrainingError> {
        training.save(&self.checkpoint_path())?;
        let mut lines = Vec::new();
        for metrics in training.history() {
            serde_json::to_writer(&mut lines, metrics).expect("metrics are plain data");
            lines.push(b'\n');
        }
        self.write(&self.metrics_path(), &lines)
    }

    /// Goes on from the last checkpoint.
    ///
    /// # Errors
    /// As [`Training::load`]; [`TrainingError::Checkpoint`] also when its network is not the settings'.
    pub fn load(&self, config: &RunConfig, device: &Device) -> Result<Training, TrainingError> {
        let path = self.checkpoint_path();
        let training = Training::load(&path, config.training, device)?;
        if training.network.config() != config.network {
            let reason = format!("its network is not that of {}", self.config_path().display());
            return Err(TrainingError::Checkpoint { path, reason });
        }
        Ok(training)
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

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), TrainingError> {
        write_atomically(path, |writer| writer.write_all(bytes)).map_err(|source| TrainingError::File {
            path: path.to_owned(),
            source,
        })
    }

    /// Removes what an earlier run wrote. `checkpoint/` and `figures/` are the run's own and go whole; whatever else
    /// somebody keeps in the folder stays.
    fn clear(&self) -> Result<(), TrainingError> {
        let remove = |path: PathBuf| {
            let result = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else if path.exists() {
                fs::remove_file(&path)
            } else {
                Ok(())
            };
            result.map_err(|source| TrainingError::File { path, source })
        };
        remove(self.config_path())?;
        remove(self.metrics_path())?;
        remove(self.model_path())?;
        remove(self.path.join("checkpoint"))?;
        remove(self.figures_path())
    }
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}
