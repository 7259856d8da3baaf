//! The folder of a run as its training writes it: whatever dies in between, one run is there.
//!
//! Where nothing stands, the settings come first: from then on the run can be continued, if need be from its beginning,
//! which the seed gives again. A run that replaces another is begun in a folder of its own, which is renamed to `.next`
//! once it is whole. With that name it is the run; what is left is to clear the old one away and to move it into place,
//! which whoever comes next does as well. After an epoch the checkpoint is written last of all that cannot be made from
//! it: what it does not say yet is done again, to the same bits.

use std::fs;
use std::io::{self, Write};
use std::ops::Deref;
use std::path::Path;

use burn::tensor::Device;
use serde::Serialize;

use super::{RunConfig, RunFolder, Training, TrainingData, TrainingError};
use crate::files::{
    Claim, ClaimError, is_unfinished, remove_dir_all, remove_file, rename, sweep, unfinished_name, write_atomically,
};
use crate::model::{ModelCard, TrainedModel};
use crate::weights::Precision;

/// A training that a run's folder keeps.
pub trait Kept {
    /// Writes everything that is needed to go on from here, with the run's settings beside it.
    ///
    /// # Errors
    /// [`TrainingError::Weights`] when the file cannot be written.
    fn save_in_run(&self, path: &Path, config: &RunConfig) -> Result<(), TrainingError>;

    /// What `metrics.jsonl` says: a line for each finished epoch.
    fn metrics(&self) -> Vec<u8>;
}

/// One JSON object a line.
pub(crate) fn json_lines<T: Serialize>(entries: &[T]) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry).expect("metrics are plain data");
        lines.push(b'\n');
    }
    lines
}

/// The folder of a run that this process alone writes to, until it is dropped.
#[derive(Debug)]
pub struct HeldRun {
    folder: RunFolder,
    _claim: Claim,
}

impl Deref for HeldRun {
    type Target = RunFolder;

    fn deref(&self) -> &RunFolder {
        &self.folder
    }
}

impl HeldRun {
    /// Takes hold of the folder at `path` for a new run, which replaces one that is there if `replace` says so; no run
    /// is changed yet.
    ///
    /// # Errors
    /// [`TrainingError::NotARun`] when something else than a run is at `path`; [`TrainingError::Exists`] when a run is
    /// and `replace` is false; [`TrainingError::InUse`] when another process works there; [`TrainingError::File`] when the
    /// folder cannot be written.
    pub fn claim(path: &Path, replace: bool) -> Result<Self, TrainingError> {
        refuse_strangers(path)?;
        let run = Self::hold(path)?;
        if replace || is_vacant(path) {
            Ok(run)
        } else {
            Err(TrainingError::Exists { path: path.to_owned() })
        }
    }

    /// Takes hold of the folder of a run that was begun before, and reads its settings.
    ///
    /// # Errors
    /// As [`RunFolder::open`]; [`TrainingError::InUse`] when another process works there; [`TrainingError::File`] when the
    /// folder cannot be written.
    pub fn reopen(path: &Path) -> Result<(Self, RunConfig), TrainingError> {
        RunFolder::open(path)?;
        let run = Self::hold(path)?;
        let (_, config) = RunFolder::open(path)?;
        Ok((run, config))
    }

    fn hold(path: &Path) -> Result<Self, TrainingError> {
        let claim = Claim::take(path).map_err(|error| match error {
            ClaimError::Taken(process) => TrainingError::InUse {
                path: path.to_owned(),
                process,
            },
            ClaimError::File(source) => failed(path)(source),
        })?;
        let run = Self {
            folder: RunFolder::at(path),
            _claim: claim,
        };
        run.settle()?;
        Ok(run)
    }

    /// Ends what a dead process began here, or takes it away.
    fn settle(&self) -> Result<(), TrainingError> {
        for entry in fs::read_dir(self.path()).map_err(failed(self.path()))?.flatten() {
            // A beginning that was never whole.
            if is_unfinished(&entry.file_name().to_string_lossy()) && entry.path().is_dir() {
                remove(&entry.path())?;
            }
        }
        for folder in [self.path(), &self.checkpoints_path(), &self.figures_path()] {
            sweep(folder);
        }
        self.move_in()
    }

    /// Begins the run. Until it can be continued from where it begins, the one that it replaces is untouched.
    ///
    /// # Errors
    /// [`TrainingError::File`] or [`TrainingError::Weights`] when a file cannot be written.
    pub fn begin(&self, config: &RunConfig, training: &impl Kept) -> Result<(), TrainingError> {
        // Weights from elsewhere are not to be had again from the settings alone.
        if config.init_from.is_none() && is_vacant(self.path()) {
            write_config(&self.folder, config)?;
            return training.save_in_run(&self.checkpoint_path(), config);
        }
        let next = self.next_path();
        let begun = RunFolder::at(&unfinished_name(&next));
        let result = write_config(&begun, config)
            .and_then(|()| training.save_in_run(&begun.checkpoint_path(), config))
            .and_then(|()| rename(begun.path(), &next).map_err(failed(&next)));
        if result.is_err() {
            // The error that led here is the one worth reporting.
            let _ = remove_dir_all(begun.path());
        }
        result?;
        self.move_in()
    }

    /// Puts a run that waits as `.next` in place of the old one. Dying anywhere in between, it is done again; the
    /// settings are moved last, since by them the run that waits is known.
    ///
    /// `checkpoint/` and `figures/` are the run's own and go whole; whatever else somebody keeps in the folder stays.
    fn move_in(&self) -> Result<(), TrainingError> {
        if let Some(next) = self.next() {
            remove(&self.metrics_path())?;
            remove(&self.best_path())?;
            remove(&self.model_path())?;
            remove(&self.figures_path())?;
            let (from, to) = (next.checkpoints_path(), self.checkpoints_path());
            if from.exists() {
                remove(&to)?;
                rename(&from, &to).map_err(failed(&to))?;
            }
            rename(&next.config_path(), &self.config_path()).map_err(failed(&self.config_path()))?;
        }
        remove(&self.next_path())
    }

    /// Goes on from the last checkpoint, or from the beginning where none was written yet, and makes the metrics whole.
    ///
    /// # Errors
    /// As [`Training::load`] and [`RunConfig::beginning`]; [`TrainingError::Checkpoint`] also when it is of other settings
    /// or another network; [`TrainingError::NoCheckpoint`] when it has been lost; [`TrainingError::File`] when the metrics cannot be written.
    pub fn load(&self, config: &RunConfig, data: &TrainingData, device: &Device) -> Result<Training, TrainingError> {
        let path = self.checkpoint_path();
        if path.exists() {
            let training = Training::load_in_run(&path, config, device)?;
            self.write_metrics(&training)?;
            return Ok(training);
        }
        // Who removes the checkpoint of a run that has results does not mean to lose them.
        if config.init_from.is_some() || self.metrics_path().exists() || self.model().is_some() {
            return Err(TrainingError::NoCheckpoint { path });
        }
        config.beginning(None, data, device)
    }

    /// Writes the run's settings.
    ///
    /// # Errors
    /// [`TrainingError::File`] when the file cannot be written.
    pub fn write_config(&self, config: &RunConfig) -> Result<(), TrainingError> {
        write_config(&self.folder, config)
    }

    /// Keeps what a finished epoch has given: the model first, again as the best if it is, then as [`HeldRun::save`].
    ///
    /// # Errors
    /// As [`HeldRun::save`].
    pub fn save_epoch(&self, config: &RunConfig, training: &Training, card: &ModelCard) -> Result<(), TrainingError> {
        let network = training.network();
        TrainedModel::write(&network, card, &self.model_path(), Precision::Full)?;
        if training.best() == training.history().last() {
            TrainedModel::write(&network, card, &self.best_path(), Precision::Full)?;
        }
        self.save(config, training)
    }

    /// Writes the checkpoint and, from it, the metrics.
    ///
    /// # Errors
    /// [`TrainingError::File`] or [`TrainingError::Weights`] when a file cannot be written.
    pub fn save(&self, config: &RunConfig, training: &impl Kept) -> Result<(), TrainingError> {
        training.save_in_run(&self.checkpoint_path(), config)?;
        self.write_metrics(training)
    }

    pub(crate) fn write_metrics(&self, training: &impl Kept) -> Result<(), TrainingError> {
        write(&self.metrics_path(), &training.metrics())
    }
}

/// That nothing else than a run, or the remains of one, is at `path`.
fn refuse_strangers(path: &Path) -> Result<(), TrainingError> {
    // Any program may have a config.toml.
    if !path.exists() || is_vacant(path) || RunFolder::at(path).read_config().is_ok() || is_stillborn(path) {
        return Ok(());
    }
    Err(TrainingError::NotARun { path: path.to_owned() })
}

/// Whether there is a folder with nothing in it but what a process leaves that dies before it has begun.
fn is_vacant(path: &Path) -> bool {
    holds_only(path, |name| Claim::is_lock(name) || is_unfinished(name))
}

/// Whether a run died there before it had settings: earlier versions wrote a checkpoint first.
fn is_stillborn(path: &Path) -> bool {
    holds_only(path, |name| {
        name == "checkpoint" || Claim::is_lock(name) || is_unfinished(name)
    }) && holds_only(&path.join("checkpoint"), |name| {
        name == "latest.safetensors" || is_unfinished(name)
    })
}

fn holds_only(folder: &Path, is_known: impl Fn(&str) -> bool) -> bool {
    let is_known =
        |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(&is_known));
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_known))
}

fn write_config(folder: &RunFolder, config: &RunConfig) -> Result<(), TrainingError> {
    let settings = toml::to_string(config).expect("settings are plain data");
    write(&folder.config_path(), settings.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainingError> {
    write_atomically(path, |writer| writer.write_all(bytes)).map_err(failed(path))
}

/// Removes what may be there.
fn remove(path: &Path) -> Result<(), TrainingError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => remove_dir_all(path),
        Ok(_) => remove_file(path),
        Err(_) => Ok(()),
    };
    removed.map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> TrainingError {
    move |source| TrainingError::File {
        path: path.to_owned(),
        source,
    }
}
