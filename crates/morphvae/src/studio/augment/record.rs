//! What is known already, in the folder that the results go to.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{AugmentError, Mix, Recipe};
use crate::files::{Claim, ClaimError, is_unfinished, remove_dir_all, remove_file, write_atomically};
use crate::studio::{SampleError, StudioError};
use crate::training::TrainingError;

/// What everything follows from.
const SETTINGS: &str = "settings.json";
/// A line for each classifier that has learned.
const TRIALS: &str = "trials.jsonl";
/// The result: as a table for programs, as a picture, and the data set that did best.
pub(super) const REPORT: &str = "report.json";
pub(super) const FIGURE: &str = "recipes.png";
pub(super) const DATA: &str = "data";
/// M1, where it was not given, and M2 with it: a file for each seed.
pub(super) const FEATURES: &str = "features";
const CLASSIFIERS: &str = "semi-supervised";

/// What the results follow from, but for the number of seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Labelled images of each class.
    pub labelled: usize,
    /// Steps of each classifier.
    pub steps: usize,
    /// Epochs of M2.
    pub epochs: usize,
    /// The fingerprint of M1, where it was given.
    pub features: Option<String>,
    /// What the images are called.
    pub dataset: String,
    /// The fingerprint of all images.
    pub images: String,
}

/// A classifier that has learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trial {
    pub recipe: Recipe,
    pub seed: u64,
    pub mix: Mix,
    /// The share of the validation images that it judged rightly.
    pub validation: f64,
    /// The same of the test images; absent where a mix was only tried.
    pub test: Option<f64>,
}

/// The folder of a comparison, in which this process alone works.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    trials: Vec<Trial>,
    _claim: Claim,
}

/// Makes sure that a comparison can be begun at `path`: nothing is there, or an empty folder, or, where that may be
/// `replaced`, another comparison.
///
/// # Errors
/// [`TrainingError::Exists`] and [`SampleError::Occupied`] when something is there.
pub fn check_record(path: &Path, replaced: bool) -> Result<(), StudioError> {
    let is_begun = path.join(SETTINGS).is_file();
    let is_own = |name: &str| Claim::is_lock(name) || is_unfinished(name);
    let is_vacant = || {
        let entries = fs::read_dir(path).map(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_own)))
        });
        entries.unwrap_or(false)
    };
    match is_begun {
        true if replaced => Ok(()),
        true => Err(TrainingError::Exists { path: path.to_owned() }.into()),
        false if fs::symlink_metadata(path).is_err() || is_vacant() => Ok(()),
        false => Err(SampleError::Occupied {
            path: path.to_owned(),
            is_sampling: false,
        }
        .into()),
    }
}

impl Record {
    /// Begins a comparison, in place of one that is there if `replace` says so.
    ///
    /// # Errors
    /// As [`check_record`]; [`StudioError::Training`] when the folder cannot be written, or another process works in it.
    pub fn begin(path: &Path, settings: &Settings, replace: bool) -> Result<Self, StudioError> {
        check_record(path, replace)?;
        let record = Self::hold(path)?;
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(record.failed(error)),
            _ => Ok(()),
        };
        for name in [TRIALS, REPORT, FIGURE] {
            gone(remove_file(&path.join(name)))?;
        }
        for name in [DATA, FEATURES, CLASSIFIERS] {
            gone(remove_dir_all(&path.join(name)))?;
        }
        record.write(SETTINGS, &pretty(settings))?;
        Ok(record)
    }

    /// Goes on with a comparison that was begun with the same settings.
    ///
    /// # Errors
    /// [`AugmentError::NotBegun`] and [`AugmentError::Damaged`]; [`TrainingError::OtherSettings`]; as [`Record::begin`].
    pub fn resume(path: &Path, settings: &Settings) -> Result<Self, StudioError> {
        let begun = path.join(SETTINGS);
        if !begun.is_file() {
            return Err(AugmentError::NotBegun { path: path.to_owned() }.into());
        }
        let mut record = Self::hold(path)?;
        let started: Settings = serde_json::from_str(&record.read(SETTINGS)?).map_err(damaged(&begun))?;
        started.refuse_differences(settings)?;
        let trials = path.join(TRIALS);
        if trials.is_file() {
            let text = record.read(TRIALS)?;
            let lines = text
                .lines()
                .map(|line| serde_json::from_str(line).map_err(damaged(&trials)));
            record.trials = lines.collect::<Result<_, _>>()?;
        }
        Ok(record)
    }

    fn hold(path: &Path) -> Result<Self, StudioError> {
        let failed = |error| match error {
            ClaimError::Taken(process) => TrainingError::InUse {
                path: path.to_owned(),
                process,
            },
            ClaimError::File(source) => TrainingError::File {
                path: path.to_owned(),
                source,
            },
        };
        Ok(Self {
            _claim: Claim::take(path).map_err(failed)?,
            path: path.to_owned(),
            trials: Vec::new(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the semi-supervised classifier of a seed is.
    pub fn classifier(&self, seed: u64) -> PathBuf {
        self.path.join(CLASSIFIERS).join(format!("{seed}.safetensors"))
    }

    /// The classifier of this recipe, seed and mix, judged by the test images or not, if it has learned already.
    pub fn trial(&self, recipe: Recipe, seed: u64, mix: &Mix, is_tested: bool) -> Option<&Trial> {
        self.trials.iter().find(|trial| {
            (trial.recipe, trial.seed, &trial.mix, trial.test.is_some()) == (recipe, seed, mix, is_tested)
        })
    }

    /// Keeps what came of a classifier.
    ///
    /// # Errors
    /// [`StudioError::Training`] when it cannot be written.
    pub fn keep(&mut self, trial: Trial) -> Result<(), StudioError> {
        self.trials.push(trial);
        let mut lines = Vec::new();
        for trial in &self.trials {
            serde_json::to_writer(&mut lines, trial).expect("a trial is plain data");
            lines.push(b'\n');
        }
        self.write(TRIALS, &lines)
    }

    /// Writes one of its files.
    ///
    /// # Errors
    /// [`StudioError::Training`] when it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StudioError> {
        write_atomically(&self.path.join(name), |writer| writer.write_all(bytes)).map_err(|error| self.failed(error))
    }

    fn read(&self, name: &str) -> Result<String, StudioError> {
        fs::read_to_string(self.path.join(name)).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> StudioError {
        let path = self.path.clone();
        TrainingError::File { path, source }.into()
    }
}

impl Settings {
    fn refuse_differences(&self, asked: &Self) -> Result<(), TrainingError> {
        let features = |settings: &Self| settings.features.clone().unwrap_or_else(|| "its own".to_owned());
        let pairs = [
            ("labelled", self.labelled.to_string(), asked.labelled.to_string()),
            ("steps", self.steps.to_string(), asked.steps.to_string()),
            ("epochs", self.epochs.to_string(), asked.epochs.to_string()),
            ("features", features(self), features(asked)),
            ("dataset", self.dataset.clone(), asked.dataset.clone()),
            ("images", self.images.clone(), asked.images.clone()),
        ];
        match pairs.into_iter().find(|(_, started, given)| started != given) {
            None => Ok(()),
            Some((name, started, given)) => Err(TrainingError::OtherSettings {
                name: name.to_owned(),
                started,
                given,
            }),
        }
    }
}

/// As JSON that people can read.
pub(super) fn pretty<T: Serialize>(value: &T) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value).expect("it is plain data");
    json.push(b'\n');
    json
}

fn damaged(path: &Path) -> impl Fn(serde_json::Error) -> AugmentError {
    move |error| AugmentError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
