//! The images that a person means.

use std::fs;
use std::path::{Path, PathBuf};

use super::event::tell;
use super::{Event, Observer, StudioError};
use crate::choice::Choice;
use crate::data::catalogue::{self, BINARIZED_MNIST, KnownSet};
use crate::data::strokes::{DEFAULT_TEST, DEFAULT_TRAIN, strokes};
use crate::data::{
    self, Binarization, Condition, DataError, Dataset, FetchOptions, Fit, FolderOptions, NameOrder, Split, read_folder,
    read_idx_folder,
};
use crate::network::NetworkConfig;
use crate::training::{DataConfig, RunConfig};

/// The set that is taken where none is named.
pub const USUAL_SET: &str = "mnist";
/// The set that needs no file.
pub const STROKES: &str = "strokes";

/// Images as somebody asks for them.
#[derive(Clone, Debug, Default)]
pub struct ImageRequest {
    /// Which images; where nothing is said, those that the model learned from, or the usual ones.
    pub source: Option<Source>,
    /// How those of a folder are made square; where nothing is said, as the model's own were.
    pub fit: Option<Fit>,
    /// Take those of a folder as grey (1) or colour (3), whatever they are.
    pub channels: Option<usize>,
    /// How grey values become black or white; where nothing is said, as the model's own did.
    pub binarize: Option<Binarization>,
    /// Make an unreadable image an error instead of skipping it.
    pub strict: bool,
    /// Where known sets lie.
    pub store: Store,
}

/// Where images come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A published data set.
    Known(&'static KnownSet),
    /// Digits that are drawn as they are needed.
    Strokes,
    /// Image files, in subfolders by class if they have classes.
    Folder(PathBuf),
}

/// Where known data sets are kept and fetched from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// The folder that holds them, each in a folder of its own; where nothing is said, the one that a run learned from,
    /// or `data`.
    pub data_dir: Option<PathBuf>,
    /// Never use the network.
    pub offline: bool,
    /// The only address to fetch from.
    pub mirror: Option<String>,
}

/// How images are read, besides what is said in a request.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Pixels of a side.
    pub size: usize,
    /// The network's channels, where they are fixed.
    pub channels: Option<usize>,
    /// How those of a folder are made square.
    pub fit: Fit,
    /// At most so many images a part.
    pub limit: Option<usize>,
    /// Decides the strokes, and which images of a folder are held out.
    pub seed: u64,
    /// Whether nothing will be learned from the images, so that a folder need not be divided.
    pub whole: bool,
    /// The order of a folder's files and classes.
    pub order: NameOrder,
    /// Classes that come before all others: a model's.
    pub classes: Vec<String>,
    /// The data folder in which a run found its set; it goes before the usual one.
    pub found_in: Option<PathBuf>,
}

/// The parts of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What networks learn from.
    Train,
    /// What they are judged on.
    Test,
}

impl Choice for Part {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Train, "train", "The images that networks learn from"),
        (Self::Test, "test", "The images that they are judged on"),
    ];
}

impl ImageRequest {
    /// A folder of image files.
    #[must_use]
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::of(Source::Folder(path.into()))
    }

    /// These images, read as usual.
    #[must_use]
    pub fn of(source: Source) -> Self {
        Self {
            source: Some(source),
            ..Self::default()
        }
    }

    /// Whether a folder is named.
    #[must_use]
    pub fn is_of_folder(&self) -> bool {
        matches!(self.source, Some(Source::Folder(_)))
    }

    /// Makes sure that a folder that is named is there, for work that may turn out not to need it.
    ///
    /// # Errors
    /// [`StudioError::File`] when it cannot be listed.
    pub fn check(&self) -> Result<(), StudioError> {
        match &self.source {
            Some(Source::Folder(path)) => match fs::read_dir(path) {
                Ok(_) => Ok(()),
                Err(source) => Err(StudioError::File {
                    path: path.clone(),
                    what: "this folder of images",
                    source,
                }),
            },
            _ => Ok(()),
        }
    }

    /// Whether work that can do without images may go on after `error`: nobody named them, and nobody stopped their
    /// download.
    #[must_use]
    pub fn forgives(&self, error: &StudioError) -> bool {
        self.source.is_none() && !error.is_stop()
    }

    /// The part that was asked for, or else the test part, and which it is. A folder that is named is taken whole, unless
    /// it holds `train` and `test`: whoever asks for a part of it would get something else.
    ///
    /// # Errors
    /// [`StudioError::NotDivided`] for a part of such a folder; [`StudioError::EmptyPart`] for one without images.
    pub fn part_of(&self, dataset: Dataset, asked: Option<Part>) -> Result<(Split, Part), StudioError> {
        if asked.is_some() && self.is_of_folder() && dataset.train.images.count() == 0 {
            return Err(StudioError::NotDivided { name: dataset.name });
        }
        let part = asked.unwrap_or(Part::Test);
        Ok((part.take(dataset)?, part))
    }
}

impl Store {
    /// The folder of the known data sets.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.data_dir.as_deref().unwrap_or(Path::new("data"))
    }

    /// The same, as a path that means the same from any folder.
    #[must_use]
    pub fn whole_folder(&self) -> PathBuf {
        whole(self.folder())
    }

    /// Gets what is missing of a known set.
    ///
    /// # Errors
    /// As [`data::fetch`].
    pub fn fetch(&self, set: &KnownSet, observer: &Observer) -> Result<(), DataError> {
        let options = FetchOptions {
            offline: self.offline,
            mirror: self.mirror.clone(),
        };
        data::fetch(set, self.folder(), &options, &mut |progress| {
            observer(Event::Fetching(progress))
        })?;
        Ok(())
    }

    /// The same, with another folder where none is said.
    fn or_in(&self, data_dir: Option<&Path>) -> Self {
        Self {
            data_dir: self.data_dir.clone().or_else(|| data_dir.map(Path::to_owned)),
            ..self.clone()
        }
    }
}

impl Reading {
    /// Images of this size, as a new model would take them.
    #[must_use]
    pub fn of_size(size: usize) -> Self {
        Self {
            size,
            channels: None,
            fit: Fit::default(),
            limit: None,
            seed: 0,
            whole: false,
            order: NameOrder::Natural,
            classes: Vec::new(),
            found_in: None,
        }
    }

    /// As a run reads its images.
    #[must_use]
    pub fn of_run(config: &RunConfig) -> Self {
        Self {
            fit: config.data.fit,
            limit: config.data.limit,
            seed: config.training.seed,
            order: config.data.name_order(),
            found_in: config.data.data_dir.clone(),
            ..Self::of_size(config.network.image_size)
        }
    }

    /// The same for a network that is there already.
    #[must_use]
    pub fn with_network(self, network: &NetworkConfig) -> Self {
        Self {
            size: network.image_size,
            channels: Some(network.channels),
            ..self
        }
    }
}

impl Source {
    /// A data set by its name.
    ///
    /// # Errors
    /// [`DataError::UnknownSet`].
    pub fn named(name: &str) -> Result<Self, DataError> {
        if name == STROKES {
            return Ok(Self::Strokes);
        }
        Ok(Self::Known(catalogue::find(name)?))
    }

    /// What a run learned from.
    ///
    /// # Errors
    /// [`StudioError::LostImages`] when its folder is gone.
    pub fn of_run(config: &DataConfig) -> Result<Self, StudioError> {
        match &config.images {
            Some(path) if !path.exists() => Err(StudioError::LostImages { path: path.clone() }),
            Some(path) => Ok(Self::Folder(path.clone())),
            None => Ok(Self::named(&config.dataset)?),
        }
    }

    /// What is learned from where nothing is named: MNIST, or strokes where it can neither be found nor fetched, with a
    /// note that says which and why. Whoever has a file of it or names its folder means MNIST.
    ///
    /// # Errors
    /// [`StudioError::DamagedSet`]; [`DataError`] when MNIST is meant and cannot be had.
    pub fn usual(store: &Store, observer: &Observer) -> Result<Self, StudioError> {
        let mnist = catalogue::find(USUAL_SET)?;
        let states = mnist.check(store.folder());
        for state in &states {
            if let Condition::Damaged(reason) = &state.condition {
                return Err(StudioError::DamagedSet {
                    set: mnist.name,
                    data_dir: store.folder().to_owned(),
                    reason: reason.clone(),
                });
            }
        }
        let missing = states
            .iter()
            .filter(|state| state.condition == Condition::Missing)
            .count();
        if missing == 0 {
            let folder = mnist.folder(store.folder());
            note(
                observer,
                &format!("data set: {USUAL_SET}, found in {}", folder.display()),
            )?;
            return Ok(Self::Known(mnist));
        }
        if !store.offline {
            note(
                observer,
                &format!("data set: {USUAL_SET}, trying to fetch what is not on disk"),
            )?;
        }
        let meant = store.data_dir.is_some() || missing < states.len();
        match store.fetch(mnist, observer) {
            Ok(()) => Ok(Self::Known(mnist)),
            Err(error) if meant || matches!(error, DataError::Stopped { .. }) => Err(error.into()),
            Err(error) => {
                note(
                    observer,
                    &format!("data set: strokes, digits drawn by this program, since {error}"),
                )?;
                Ok(Self::Strokes)
            }
        }
    }

    /// What it is called: the set's name, or the folder's.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Known(set) => set.name.to_owned(),
            Self::Strokes => STROKES.to_owned(),
            Self::Folder(path) => path
                .canonicalize()
                .ok()
                .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
                .unwrap_or_else(|| "images".to_owned()),
        }
    }

    /// Writes into a run's settings which images these are.
    pub fn remember(&self, store: &Store, data: &mut DataConfig) {
        data.dataset = self.name();
        (data.data_dir, data.images) = match self {
            Self::Folder(path) => (None, Some(whole(path))),
            Self::Known(_) => (Some(store.whole_folder()), None),
            Self::Strokes => (None, None),
        };
        if data.dataset == BINARIZED_MNIST {
            data.binarize = data.binarize.or(Some(Binarization::Static));
        }
    }

    /// Reads the images, fetching them first where that is needed.
    ///
    /// # Errors
    /// [`StudioError::Data`] when they cannot be had; [`StudioError::Channels`] when the network takes other ones.
    pub fn read(&self, request: &ImageRequest, reading: &Reading, observer: &Observer) -> Result<Dataset, StudioError> {
        let mut dataset = match self {
            Self::Strokes => {
                let limit = reading.limit.unwrap_or(usize::MAX);
                strokes(DEFAULT_TRAIN.min(limit), DEFAULT_TEST.min(limit), reading.seed)
                    .numbered_after(&reading.classes)
            }
            Self::Known(set) => {
                let is_there = |folder: &&PathBuf| set.folder(folder).is_dir();
                let found_in = reading.found_in.as_ref().filter(is_there);
                let store = request.store.or_in(found_in.map(PathBuf::as_path));
                store.fetch(set, observer)?;
                set.load(store.folder())?.numbered_after(&reading.classes)
            }
            Self::Folder(path) => read(path, request, reading, observer)?,
        };
        let channels = dataset.train.images.channels();
        // A folder's images are read as the network takes them.
        if let Some(wanted) = reading.channels.filter(|&wanted| wanted != channels) {
            return Err(StudioError::Channels {
                name: dataset.name,
                found: channels,
                wanted,
            });
        }
        if let Some(limit) = reading.limit {
            dataset.train.truncate(limit);
            dataset.test.truncate(limit);
        }
        Ok(dataset)
    }
}

fn read(folder: &Path, request: &ImageRequest, reading: &Reading, observer: &Observer) -> Result<Dataset, StudioError> {
    let usual = FolderOptions::new(reading.size);
    let options = FolderOptions {
        channels: reading.channels.or(request.channels),
        fit: request.fit.unwrap_or(reading.fit),
        strict: request.strict,
        seed: reading.seed,
        test_fraction: if reading.whole { 1.0 } else { usual.test_fraction },
        order: reading.order,
        classes: reading.classes.clone(),
        ..usual
    };
    if let Some(dataset) = read_idx_folder(folder, &options)? {
        return Ok(dataset);
    }
    let folder = read_folder(folder, &options)?;
    if !folder.skipped.is_empty() {
        tell(observer, Event::Skipped(&folder.skipped))?;
    }
    Ok(folder.dataset)
}

fn whole(path: &Path) -> PathBuf {
    let whole = path.canonicalize().or_else(|_| std::path::absolute(path));
    whole.unwrap_or_else(|_| path.to_owned())
}

/// Says a line, and stops where nobody wants more.
pub(super) fn note(observer: &Observer, text: &str) -> Result<(), StudioError> {
    tell(observer, Event::Note(text))
}

impl Part {
    /// This part of a data set.
    ///
    /// # Errors
    /// [`StudioError::EmptyPart`] when there is no image in it.
    pub fn of(self, dataset: &Dataset) -> Result<&Split, StudioError> {
        self.check(dataset)?;
        Ok(self.whatever_is_in(dataset))
    }

    /// The same of a data set of which nothing else is needed.
    ///
    /// # Errors
    /// As [`Part::of`].
    pub fn take(self, dataset: Dataset) -> Result<Split, StudioError> {
        self.check(&dataset)?;
        Ok(match self {
            Self::Train => dataset.train,
            Self::Test => dataset.test,
        })
    }

    pub(super) fn whatever_is_in(self, dataset: &Dataset) -> &Split {
        match self {
            Self::Train => &dataset.train,
            Self::Test => &dataset.test,
        }
    }

    fn check(self, dataset: &Dataset) -> Result<(), StudioError> {
        match self.whatever_is_in(dataset).images.count() {
            0 => Err(StudioError::EmptyPart {
                name: dataset.name.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// A name for each image of this part: the file that it was read from, with `/` between its folders; `test/00000`
    /// and so on where there are none.
    #[must_use]
    pub fn ids(self, split: &Split) -> Vec<String> {
        if let Some(sources) = &split.sources {
            let name = |source: &PathBuf| {
                let parts: Vec<_> = source.iter().map(|part| part.to_string_lossy()).collect();
                parts.join("/")
            };
            return sources.iter().map(name).collect();
        }
        (0..split.images.count())
            .map(|index| format!("{}/{index:05}", self.name()))
            .collect()
    }
}
