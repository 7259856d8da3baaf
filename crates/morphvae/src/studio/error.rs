//! Why something could not be done for a person.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::augment::AugmentError;
use super::classify::MoveError;
use super::keys::KeyError;
use super::morph::MorphError;
use super::sample::SampleError;
use crate::classification::ClassifierError;
use crate::data::DataError;
use crate::figures::FigureError;
use crate::figures::clip::ClipError;
use crate::latent::AttributeError;
use crate::latent::path::PathError;
use crate::latent::probe::ProbeError;
use crate::network::NetworkError;
use crate::semi_supervised::SemiSupervisedError;
use crate::training::{Footprint, TrainingError};

/// What can go wrong between a request and its result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StudioError {
    /// A folder that was named as a model, and is no run's.
    #[error("{} is not a run's folder: {source}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        source: TrainingError,
    },
    /// A run without a finished epoch.
    #[error("{}: no epoch of this run is finished, so it has no model yet", path.display())]
    Unfinished {
        /// The run's folder.
        path: PathBuf,
    },
    /// A file that is no model.
    #[error("{}{source}", before(path, source))]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: NetworkError,
    },
    /// A run whose best network is damaged, and whose last is not.
    #[error(
        "{}{source}; the network after the last epoch is whole: name {}, or remove {}, and the run stands for its last \
         epoch",
        before(path, source), last.display(), path.display()
    )]
    DamagedBest {
        /// The best.
        path: PathBuf,
        /// The last.
        last: PathBuf,
        /// What is wrong with the best.
        source: Box<NetworkError>,
    },
    /// A run whose checkpoint is damaged, and one of whose networks is not.
    #[error("{source}: the run cannot go on, but {} is whole", network.display())]
    DamagedCheckpoint {
        /// The best of its networks that is whole.
        network: PathBuf,
        /// What is wrong with the checkpoint.
        source: Box<TrainingError>,
    },
    /// A model whose images nobody named, and which cannot be found by what its card says of them.
    #[error("this model learned from {dataset}")]
    UnknownImages {
        /// What its card says.
        dataset: String,
    },
    /// Images that a run learned from, and that are gone.
    #[error("{}: the images that this run learned from are no longer here", path.display())]
    LostImages {
        /// Where they were.
        path: PathBuf,
    },
    /// The usual data set is on disk, and damaged.
    #[error("{reason}")]
    DamagedSet {
        /// The set's name.
        set: &'static str,
        /// The folder of the known data sets.
        data_dir: PathBuf,
        /// Which file is damaged, and how.
        reason: String,
    },
    /// Images of another number of channels than the network takes.
    #[error("{name}: these images are {}, but the network takes {} ones", kind(*found), kind(*wanted))]
    Channels {
        /// What the images are called.
        name: String,
        /// Their channels.
        found: usize,
        /// The network's.
        wanted: usize,
    },
    /// One of two parts was asked for, of a folder that is taken whole.
    #[error("{name}: this folder holds no `train` and `test`, so there is nothing to choose")]
    NotDivided {
        /// What the images are called.
        name: String,
    },
    /// A part of a data set that holds no image.
    #[error("{name}: there is no such split of these images")]
    EmptyPart {
        /// What the images are called.
        name: String,
    },
    /// Images without a class, where classes are to be told apart.
    #[error("{name}: none of the {part} images has a class")]
    NoClasses {
        /// What the images are called.
        name: String,
        /// Which part of them: training, test.
        part: &'static str,
    },
    /// A model that tells no classes apart.
    #[error(
        "{name}: this model tells no classes apart: it is neither conditional, nor was it trained with the labels of few \
         images"
    )]
    NoClassifier {
        /// The model.
        name: String,
    },
    /// Files that cannot be moved.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// A network whose file does not say how it learned.
    #[error("{name}: this file does not say how its network learned, so that nothing can be built on its latents")]
    NoCard {
        /// The model.
        name: String,
    },
    /// A class of which fewer images have a label than are to keep it.
    #[error("{wanted} image(s) of each class are to keep their label, and {class} has {found} to learn from")]
    FewLabels {
        /// The class.
        class: String,
        /// Images of it.
        found: usize,
        /// How many are to keep their label.
        wanted: usize,
    },
    /// Images of other classes than the conditional network was told of that is to learn from them.
    #[error("{name}: these images have {found} class(es), but the network to begin with was told of {known}")]
    OtherClasses {
        /// What the images are called.
        name: String,
        /// Classes that they have.
        found: usize,
        /// Classes that the network takes.
        known: usize,
    },
    /// A key that stands for no point.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Something is wrong with an entry of a list.
    #[error("{place}: {source}")]
    Listed {
        /// Where it stands: `keys.txt, line 3`.
        place: String,
        /// What is wrong with it.
        source: Box<StudioError>,
    },
    /// Recipes that cannot be compared.
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// A classifier that cannot learn.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// Images that cannot be sampled.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A clip that cannot be.
    #[error(transparent)]
    Morph(#[from] MorphError),
    /// Training that needs more memory than there is.
    #[error(
        "this training would take about {} of memory ({} for the network, {} for the images that it works on at a time), \
         and {} are free",
        gigabytes(needed.total()), gigabytes(needed.network), gigabytes(needed.batch), gigabytes(*free)
    )]
    Memory {
        /// What it would take.
        needed: Footprint,
        /// Bytes that this machine has left.
        free: u64,
    },
    /// A run that is continued with other images than it began with.
    #[error(
        "{name}: these are no longer the images that the run began with (now {train} to train on and {test} to test on)"
    )]
    OtherImages {
        /// What the images are called, or where they lie.
        name: String,
        /// Training images that there are now.
        train: usize,
        /// Test images that there are now.
        test: usize,
    },
    /// A run that is to end before where it is.
    #[error("{asked} epoch(s) were asked for, but this run has done {done}")]
    EpochsDone {
        /// The epochs that were asked for.
        asked: usize,
        /// Those that are done.
        done: usize,
    },
    /// A file that cannot be read.
    #[error("{}: {what} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The observer wanted no more.
    #[error("stopped")]
    Stopped,
    /// Images that cannot be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Images or points that the network cannot take.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A run that cannot be begun, continued or kept.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// What cannot be learned from few labels.
    #[error(transparent)]
    SemiSupervised(#[from] SemiSupervisedError),
    /// A path that cannot be found.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A latent space that cannot be probed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// An attribute that cannot be read or applied.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// A figure that cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A clip that cannot be drawn or written.
    #[error(transparent)]
    Clip(#[from] ClipError),
}

impl StudioError {
    /// Whether this is no fault: the observer wanted no more.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        match self {
            Self::Listed { source, .. } => source.is_stop(),
            Self::Stopped
            | Self::Data(DataError::Stopped { .. })
            | Self::Path(PathError::Stopped)
            | Self::Clip(ClipError::Stopped) => true,
            _ => false,
        }
    }
}

/// The file's name, unless what is wrong with it says it already.
fn before(path: &Path, source: &NetworkError) -> String {
    let path = path.display().to_string();
    if source.to_string().contains(&path) {
        String::new()
    } else {
        format!("{path}: ")
    }
}

fn kind(channels: usize) -> &'static str {
    if channels == 1 { "grey" } else { "colour" }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 * 1e-9)
}
