//! Learning: the optimizer, the loop over batches and epochs, and what is kept on disk meanwhile.
//!
//! [`Training`] is a training under way; [`Training::epoch`] takes it one epoch further. A [`RunFolder`] keeps its
//! settings, metrics, checkpoint and model, and is written to by who has a [`HeldRun`]. Drawing and talking to people are
//! the caller's.
//!
//! ```
//! use std::{ops::ControlFlow, sync::Arc};
//! use morphvae::Device;
//! use morphvae::data::strokes;
//! use morphvae::network::{Architecture, NetworkConfig, Vae};
//! use morphvae::training::{Outcome, Training, TrainingConfig, TrainingData};
//!
//! // A narrow network and few images, so that this ends in a second.
//! let architecture = Architecture::Reference { base_channels: 2 };
//! let network = NetworkConfig { architecture, ..NetworkConfig::default() };
//! let config = TrainingConfig { epochs: 1, ..TrainingConfig::default() };
//! let digits = strokes::strokes(60, 30, 0);
//! let data = TrainingData::new(Arc::new(digits.train), Arc::new(digits.test));
//!
//! let training = Training::new(Vae::new(network, 0, &Device::flex())?, config)?;
//! let (training, outcome) = training.epoch(&data, &mut |_| ControlFlow::Continue(()))?;
//! if let Outcome::Finished(report) = outcome {
//!     println!("{:.1} nats per image", report.metrics.test_loss);
//! }
//! assert!(training.is_finished());
//! # Ok::<(), morphvae::training::TrainingError>(())
//! ```

mod adam;
mod checkpoint;
mod config;
mod held_run;
mod learning;
mod memory;
mod output;
mod run_folder;
mod session;
mod step;

#[cfg(test)]
mod conditional;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod ground_truth;
#[cfg(test)]
mod linear_layers;
#[cfg(test)]
mod losses;
#[cfg(all(test, feature = "wgpu"))]
mod on_a_gpu;

pub use adam::{Adam, AdamConfig};
pub(crate) use checkpoint::{check_settings, settings};
pub use config::{DataConfig, FewLabels, RunConfig};
pub(crate) use held_run::json_lines;
pub use held_run::{HeldRun, Kept};
pub use learning::{LearningRateSteps, TrainingConfig};
pub use memory::Footprint;
pub use output::Output;
pub use run_folder::RunFolder;
pub use session::{EpochMetrics, EpochReport, Outcome, Progress, Training, TrainingData};

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::data::DataError;
use crate::network::NetworkError;
use crate::semi_supervised::SemiSupervisedError;
use crate::weights::WeightsError;

/// What can go wrong while training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// A setting that makes no sense.
    #[error("{name} is {value}, but must be {allowed}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// The loss stopped being a number.
    #[error(
        "the loss became {loss} {} epoch {epoch}, at a learning rate of {learning_rate:e}; the last checkpoint is kept",
        batch.map_or("on the test images after".to_owned(), |batch| format!("at batch {batch} of"))
    )]
    NonFinite {
        /// What it became.
        loss: f64,
        /// The epoch, counted from one.
        epoch: usize,
        /// The batch of that epoch, counted from one; `None` for the test images after it.
        batch: Option<usize>,
        /// The learning rate that led there.
        learning_rate: f64,
    },
    /// A run that is continued with other settings than it began with.
    #[error("this run was started with {name} = {started}, not {given}")]
    OtherSettings {
        /// The setting.
        name: String,
        /// What the run began with.
        started: String,
        /// What was asked for now.
        given: String,
    },
    /// A checkpoint that does not hold what a checkpoint must.
    #[error("{}: not a checkpoint of this program: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A run's settings that cannot be read.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the line.
        reason: String,
    },
    /// A run folder that is there already.
    #[error("{}: this run exists", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// Something else than a run stands where a run is to be.
    #[error("{}: this is no run's folder (no config.toml with a run's settings lies in it), so it is not replaced", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// Another process works in the run's folder.
    #[error("{}: {} trains here: wait until it ends, or stop it", path.display(),
            process.map_or("another process".to_owned(), |number| format!("process {number}")))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The number of the process, if it has left one.
        process: Option<u32>,
    },
    /// A run that has results, but no checkpoint to go on from, or none to begin from.
    #[error("{}: this checkpoint is missing, so the run cannot go on", path.display())]
    NoCheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// A folder that holds no run.
    #[error("{}: {source}: name the folder of a run that was begun with `morphvae train`", path.display())]
    NoRun {
        /// The settings that should be there.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A thread that cannot be started.
    #[error("cannot start the thread that prepares batches: {source}: end other programs, or allow more threads")]
    Thread {
        /// What the system says.
        source: io::Error,
    },
    /// A file that cannot be read or written.
    #[error("{}: {source}: check that it may be read and written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Images that cannot be learned from as they are to be.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network that cannot be made.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Weights that cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// What cannot be learned from few labels.
    #[error(transparent)]
    SemiSupervised(#[from] SemiSupervisedError),
}
