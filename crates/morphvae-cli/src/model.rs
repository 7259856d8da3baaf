//! The model that a command works with: named, a run's, or the bundled one.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use burn::tensor::Device;
use morphvae::data::{DataError, Dataset, Fit, NameOrder};
use morphvae::model::{ModelCard, TrainedModel};
use morphvae::network::{Inference, Vae};
use morphvae::training::{EpochMetrics, RunConfig, RunFolder};

use crate::Usage;
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::Console;
use crate::images::{DEFAULT, Reading, Source};

/// Trained by this program on MNIST with the defaults, in half precision.
const BUNDLED: &[u8] = include_bytes!("../../../models/mnist-2d.safetensors");
const BUNDLED_NAME: &str = "mnist-2d (bundled)";

/// A model and where it came from.
pub struct Model {
    /// For people.
    pub name: String,
    /// The file, unless it is the bundled one.
    pub path: Option<PathBuf>,
    /// The run that it belongs to, where a run's folder was named.
    pub run: Option<RunFolder>,
    /// What the file held.
    pub trained: TrainedModel,
}

impl Model {
    pub fn open(argument: &ModelArgument, console: Console) -> anyhow::Result<Self> {
        let device = Device::flex();
        let Some(path) = &argument.model else {
            console.note("no MODEL named: using the bundled one, MNIST digits in a latent plane");
            let trained = TrainedModel::from_bytes(BUNDLED, BUNDLED_NAME, &device)?;
            return Ok(Self {
                name: BUNDLED_NAME.into(),
                path: None,
                run: None,
                trained,
            });
        };
        let (file, run) = if path.is_dir() {
            let (run, _) =
                RunFolder::open(path).with_context(|| format!("{} is not a run's folder", path.display()))?;
            let Some(file) = run.model() else {
                let text = format!(
                    "{}: no epoch of this run is finished, so it has no model yet",
                    path.display()
                );
                return Err(Usage(text).into());
            };
            (file, Some(run))
        } else {
            (path.clone(), None)
        };
        let trained = read(&file, run.as_ref(), &device)?;
        let model = Self {
            name: path.display().to_string(),
            path: Some(file),
            run,
            trained,
        };
        if let (Some(card), Some(last), Some(run)) = (model.card(), model.later_epoch(), &model.run) {
            console.note(format!(
                "{}: epoch {} of {}, the best: its test loss is {:.2} nats below that of the last, which is {}",
                model.name,
                card.epochs,
                last.epoch,
                last.test_loss - card.test.loss,
                run.model_path().display(),
            ));
        }
        Ok(model)
    }

    /// The last epoch of the model's run, where the model is of an earlier one.
    pub fn later_epoch(&self) -> Option<EpochMetrics> {
        let (run, card) = (self.run.as_ref()?, self.card()?);
        // Without metrics there is nothing to compare with.
        let last = run.metrics().ok()?.pop()?;
        (last.epoch > card.epochs).then_some(last)
    }

    pub fn network(&self) -> &Vae {
        &self.trained.network
    }

    /// The network made ready to be used, which takes a moment.
    pub fn inference(&self) -> Inference {
        Inference::new(&self.trained.network)
    }

    pub fn card(&self) -> Option<&ModelCard> {
        self.trained.card.as_ref()
    }

    /// Where the images are that the arguments name, else those that the model was judged on, as far as that is known.
    pub fn source(&self, arguments: &ImageArguments, console: Console) -> anyhow::Result<Source> {
        Ok(match (Source::named(arguments)?, self.config()?, self.card()) {
            (Some(Source::Folder { path, .. }), ..) if arguments.fit.is_none() => {
                Source::Folder { path, fit: self.fit()? }
            }
            (Some(source), config, _) => source.found_in(config.as_ref().map(|config| &config.data)),
            (None, Some(config), _) => Source::of_config(&config.data)?,
            (None, None, Some(card)) => Source::of_name(&card.dataset).map_err(|_| {
                Usage(format!(
                    "this model learned from {}: name images with --images or --dataset",
                    card.dataset
                ))
            })?,
            (None, None, None) => {
                console.note(format!("data set: {DEFAULT}, since the model's file names none"));
                Source::of_name(DEFAULT)?
            }
        })
    }

    /// Reads images as this model takes them: those of its run within the run's limit, those that are named without
    /// one, and of a folder that is named all.
    pub fn load(
        &self,
        source: &Source,
        arguments: &ImageArguments,
        limit: Option<usize>,
        console: Console,
    ) -> anyhow::Result<Dataset> {
        let mut reading = self.reading()?;
        if arguments.dataset.is_some() || arguments.images.is_some() {
            reading.limit = None;
        }
        reading.limit = limit.or(reading.limit);
        reading.whole = arguments.images.is_some();
        source.load(arguments, reading, console)
    }

    /// The same to judge the model by: of the folder that it learned from, wherever that lies now, only the images that
    /// were held out.
    pub fn load_unseen(
        &self,
        source: &Source,
        arguments: &ImageArguments,
        console: Console,
    ) -> anyhow::Result<Dataset> {
        if arguments.images.is_some()
            && let Some(config) = self.config()?
        {
            let mut reading = self.reading()?;
            // Whatever goes wrong will do so again, and is told then.
            let dataset = source.load(arguments, reading.clone(), Console::new(true));
            if dataset.is_ok_and(|dataset| dataset.fingerprint() == config.data.fingerprint) {
                reading.limit = None;
                return source.load(arguments, reading, console);
            }
        }
        self.load(source, arguments, None, console)
    }

    /// How the images were read that the model learned from, where that is known.
    fn reading(&self) -> anyhow::Result<Reading> {
        let (network, config) = (self.network().config(), self.config()?);
        Ok(Reading {
            size: network.image_size,
            channels: Some(network.channels),
            limit: config.as_ref().and_then(|config| config.data.limit),
            seed: config.as_ref().map_or(0, |config| config.training.seed),
            whole: false,
            order: config.map_or(NameOrder::default(), |config| config.data.name_order()),
            // A class has the same number in whatever folder it is met.
            classes: self.card().map_or_else(Vec::new, |card| card.classes.clone()),
        })
    }

    /// How images become square for this model: as those did that it learned from, where that is known.
    pub fn fit(&self) -> anyhow::Result<Fit> {
        Ok(self.config()?.map_or_else(Fit::default, |config| config.data.fit))
    }

    /// The settings of the run that the model belongs to.
    fn config(&self) -> anyhow::Result<Option<RunConfig>> {
        match &self.run {
            Some(run) => Ok(Some(RunFolder::open(run.path())?.1)),
            None => Ok(None),
        }
    }

    /// A short name for files made with it: `mnist-2d` for `runs/mnist-2d` and for `mnist-2d.pth`.
    pub fn stem(&self) -> String {
        let path = match (&self.run, &self.path) {
            (Some(run), _) => run.path(),
            (None, Some(path)) => path,
            (None, None) => Path::new("mnist-2d"),
        };
        path.file_stem()
            .map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
    }
}

/// Reads a model's file. Of a run whose best network is damaged, the last may be whole.
fn read(file: &Path, run: Option<&RunFolder>, device: &Device) -> anyhow::Result<TrainedModel> {
    let error = match TrainedModel::read(file, device) {
        Ok(model) => return Ok(model),
        Err(error) => error,
    };
    let is_whole = |last: &PathBuf| last != file && TrainedModel::read(last, device).is_ok();
    match run.map(RunFolder::model_path).filter(is_whole) {
        Some(last) => bail!(
            "{error}; the network after the last epoch is whole: name {}, or remove {}, and the run stands for its last \
             epoch",
            last.display(),
            file.display()
        ),
        None => Err(error).with_context(|| file.display().to_string()),
    }
}

/// Whether a map cannot do without the images that were not read: those that were named must be there, and who stopped
/// their download wants nothing more.
pub fn is_fatal(error: &anyhow::Error, arguments: &ImageArguments) -> bool {
    let is_stop = matches!(error.downcast_ref(), Some(DataError::Stopped { .. }));
    is_stop || arguments.dataset.is_some() || arguments.images.is_some()
}
