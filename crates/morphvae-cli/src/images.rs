//! The images that a command works with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use morphvae::data::catalogue::{self, KnownSet};
use morphvae::data::strokes::{DEFAULT_TEST, DEFAULT_TRAIN, strokes};
use morphvae::data::{
    self, Condition, DataError, Dataset, FetchOptions, Fit, FolderOptions, NameOrder, Skipped, read_folder,
};
use morphvae::training::DataConfig;

use crate::Usage;
use crate::arguments::{ImageArguments, SplitArgument, StoreArguments};
use crate::console::{Console, Unit};
use crate::interrupt;

/// The set that is taken where none is named.
pub const DEFAULT: &str = "mnist";
/// The set that needs no file.
pub const STROKES: &str = "strokes";

/// Where images come from, once all is said.
#[derive(Clone, Debug)]
pub enum Source {
    Known {
        set: &'static KnownSet,
        /// The data folder in which a run found it, which goes before the usual one.
        found_in: Option<PathBuf>,
    },
    Strokes,
    Folder {
        path: PathBuf,
        fit: Fit,
    },
}

/// What a reader must know besides the source.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The network's image size.
    pub size: usize,
    /// The network's channels, where they are fixed.
    pub channels: Option<usize>,
    /// At most so many images a split.
    pub limit: Option<usize>,
    /// Decides the strokes, and which images of a folder are held out.
    pub seed: u64,
    /// Whether nothing will be learned from the images, so that a folder need not be split.
    pub whole: bool,
    /// The order of a folder's files and classes.
    pub order: NameOrder,
    /// Classes that come before all others: a model's.
    pub classes: Vec<String>,
}

impl Source {
    /// What the arguments name, if they name anything.
    pub fn named(arguments: &ImageArguments) -> Result<Option<Self>, DataError> {
        match (&arguments.dataset, &arguments.images) {
            (Some(name), _) => Self::of_name(name).map(Some),
            (None, Some(path)) => {
                let fit = arguments.fit.unwrap_or_default();
                Ok(Some(Self::Folder {
                    path: path.clone(),
                    fit,
                }))
            }
            (None, None) => Ok(None),
        }
    }

    /// Makes sure that what the arguments name is there, for those who may not need it.
    pub fn check(arguments: &ImageArguments) -> anyhow::Result<()> {
        if let Some(Self::Folder { path, .. }) = Self::named(arguments)? {
            fs::read_dir(&path).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    /// A data set by its name.
    pub fn of_name(name: &str) -> Result<Self, DataError> {
        if name == STROKES {
            return Ok(Self::Strokes);
        }
        Ok(Self::known(catalogue::find(name)?))
    }

    fn known(set: &'static KnownSet) -> Self {
        Self::Known { set, found_in: None }
    }

    /// The same source, if it is a known set, looked for where a run found one.
    pub fn found_in(self, config: Option<&DataConfig>) -> Self {
        match self {
            Self::Known { set, .. } => Self::Known {
                set,
                found_in: config.and_then(|config| config.data_dir.clone()),
            },
            other => other,
        }
    }

    /// What a run learned from.
    pub fn of_config(config: &DataConfig) -> anyhow::Result<Self> {
        match &config.images {
            Some(path) if !path.exists() => bail!(
                "{}: the images that this run learned from are no longer here: name their new place with --images",
                path.display()
            ),
            Some(path) => Ok(Self::Folder {
                path: path.clone(),
                fit: config.fit,
            }),
            None => Ok(Self::of_name(&config.dataset)?.found_in(Some(config))),
        }
    }

    /// What `train` learns from where nothing is named: MNIST, or strokes where it can neither be found nor fetched,
    /// with a line that says which and why. Whoever has a file of it or names its folder means MNIST.
    pub fn default(store: &StoreArguments, console: Console) -> anyhow::Result<Self> {
        let mnist = catalogue::find(DEFAULT)?;
        let folder = store.data_dir();
        let states = mnist.check(folder);
        for state in &states {
            if let Condition::Damaged(reason) = &state.condition {
                bail!(
                    "{reason}, for instance with `morphvae data fetch {DEFAULT} --data-dir {}`",
                    folder.display()
                );
            }
        }
        let missing = states
            .iter()
            .filter(|state| state.condition == Condition::Missing)
            .count();
        if missing == 0 {
            console.note(format!(
                "data set: {DEFAULT}, found in {}",
                mnist.folder(folder).display()
            ));
            return Ok(Self::known(mnist));
        }
        if !store.offline {
            console.note(format!("data set: {DEFAULT}, trying to fetch what is not on disk"));
        }
        let meant = store.data_dir.is_some() || missing < states.len();
        match fetch(mnist, store, console) {
            Ok(()) => Ok(Self::known(mnist)),
            Err(error) if meant || matches!(error, DataError::Stopped { .. }) => Err(error.into()),
            Err(error) => {
                console.note(format!(
                    "data set: strokes, digits drawn by this program, since {error}"
                ));
                Ok(Self::Strokes)
            }
        }
    }

    pub fn name(&self) -> String {
        match self {
            Self::Known { set, .. } => set.name.to_owned(),
            Self::Strokes => STROKES.to_owned(),
            Self::Folder { path, .. } => path
                .canonicalize()
                .ok()
                .and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
                .unwrap_or_else(|| "images".to_owned()),
        }
    }

    /// Reads the images, fetching them first where that is needed.
    pub fn load(&self, arguments: &ImageArguments, reading: Reading, console: Console) -> anyhow::Result<Dataset> {
        let mut dataset = match self {
            Self::Strokes => {
                let limit = reading.limit.unwrap_or(usize::MAX);
                strokes(DEFAULT_TRAIN.min(limit), DEFAULT_TEST.min(limit), reading.seed)
                    .numbered_after(&reading.classes)
            }
            Self::Known { set, found_in } => {
                let is_there = |folder: &&PathBuf| set.folder(folder).is_dir();
                let found_in = found_in.as_ref().filter(is_there);
                let store = arguments.store.or_in(found_in.map(PathBuf::as_path));
                fetch(set, &store, console)?;
                set.load(store.data_dir())?.numbered_after(&reading.classes)
            }
            Self::Folder { path, fit } => {
                let asked = arguments
                    .channels
                    .as_deref()
                    .map(|channels| if channels == "3" { 3 } else { 1 });
                let defaults = FolderOptions::new(reading.size);
                let options = FolderOptions {
                    channels: reading.channels.or(asked),
                    fit: *fit,
                    strict: arguments.strict,
                    seed: reading.seed,
                    test_fraction: if reading.whole { 1.0 } else { defaults.test_fraction },
                    order: reading.order,
                    classes: reading.classes,
                    ..defaults
                };
                let folder = read_folder(path, &options)?;
                tell_skipped(&folder.skipped, console);
                folder.dataset
            }
        };
        // A folder's images are read as the network takes them.
        let channels = dataset.train.images.channels();
        if let Some(wanted) = reading.channels.filter(|&wanted| wanted != channels) {
            let kind = |channels| if channels == 1 { "grey" } else { "colour" };
            let text = format!(
                "{}: these images are {}, but the network takes {} ones: name a folder of images with --images, or use \
                 another model",
                dataset.name,
                kind(channels),
                kind(wanted),
            );
            return Err(Usage(text).into());
        }
        if let Some(limit) = reading.limit {
            dataset.train.truncate(limit);
            dataset.test.truncate(limit);
        }
        Ok(dataset)
    }
}

/// Names the files of a folder that could not be read.
pub fn tell_skipped(skipped: &Skipped, console: Console) {
    for (path, reason) in skipped {
        console.note(format!("skipped {}: {reason}", path.display()));
    }
    if !skipped.is_empty() {
        console.note(format!(
            "{} image(s) skipped; --strict makes that an error",
            skipped.len()
        ));
    }
}

/// The split that was asked for, or else the test split, and which it is. A folder that was named is taken whole, unless
/// it holds `train` and `test`: whoever asks for a part of it would get something else.
pub fn asked_split(
    dataset: Dataset,
    asked: Option<SplitArgument>,
    arguments: &ImageArguments,
) -> Result<(data::Split, SplitArgument), Usage> {
    if asked.is_some() && arguments.images.is_some() && dataset.train.images.count() == 0 {
        return Err(Usage(format!(
            "{}: this folder holds no `train` and `test`, so there is nothing to choose: leave --split out to take all \
             its images",
            dataset.name
        )));
    }
    let which = asked.unwrap_or(SplitArgument::Test);
    Ok((split(dataset, which)?, which))
}

/// The file that each image was read from, with `/` between its folders; `test/00000` and so on where there are none.
pub fn ids(split: &data::Split, which: SplitArgument) -> Vec<String> {
    if let Some(sources) = &split.sources {
        let name = |source: &PathBuf| {
            let parts: Vec<_> = source.iter().map(|part| part.to_string_lossy()).collect();
            parts.join("/")
        };
        return sources.iter().map(name).collect();
    }
    let part = match which {
        SplitArgument::Train => "train",
        SplitArgument::Test => "test",
    };
    (0..split.images.count())
        .map(|index| format!("{part}/{index:05}"))
        .collect()
}

/// One of a data set's two splits.
pub fn split(dataset: Dataset, which: SplitArgument) -> Result<data::Split, Usage> {
    split_of(&dataset, which)?;
    Ok(match which {
        SplitArgument::Train => dataset.train,
        SplitArgument::Test => dataset.test,
    })
}

/// The same of a data set that is still needed.
pub fn split_of(dataset: &Dataset, which: SplitArgument) -> Result<&data::Split, Usage> {
    let split = match which {
        SplitArgument::Train => &dataset.train,
        SplitArgument::Test => &dataset.test,
    };
    if split.images.count() == 0 {
        let text = format!(
            "{}: there is no such split of these images: leave --split out",
            dataset.name
        );
        return Err(Usage(text));
    }
    Ok(split)
}

/// Gets what is missing of a known set.
pub fn fetch(set: &KnownSet, store: &StoreArguments, console: Console) -> Result<(), DataError> {
    let options = FetchOptions {
        offline: store.offline,
        mirror: store.mirror.clone(),
    };
    let mut meter = console.progress(Unit::Bytes);
    let mut observer = |progress: data::Progress<'_>| {
        meter.update(progress.file, progress.bytes, progress.total, "");
        interrupt::check()
    };
    data::fetch(set, store.data_dir(), &options, &mut observer).map(|_| ())
}

pub fn is_on_disk(set: &KnownSet, data_dir: &Path) -> bool {
    set.check(data_dir)
        .iter()
        .all(|state| matches!(state.condition, Condition::Published | Condition::Readable))
}
