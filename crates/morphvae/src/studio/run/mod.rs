//! A training in a folder, from its images to its figures.

mod pace;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;

use super::images::{ImageRequest, Reading, Source, note};
use super::{Event, Observer, StudioError};
use crate::data::{Dataset, NameOrder};
use crate::evaluation::{Codes, encode};
use crate::figures::Gallery;
use crate::latent::{LatentStatistics, typical_members};
use crate::memory;
use crate::model::{ModelCard, TrainedModel};
use crate::network::{Inference, Vae};
use crate::objective::Loss;
use crate::probability::Likelihood;
use crate::training::{
    EpochMetrics, EpochReport, Footprint, HeldRun, Outcome, Output, RunConfig, RunFolder, Training, TrainingData,
    TrainingError,
};
use pace::Pace;

/// Images of the smallest step.
const LEAST_BATCH: usize = 2;
/// Images a side of the sheet of continuously changing images.
const GRID: usize = 20;

/// A run at work.
#[derive(Debug)]
pub struct Run {
    folder: HeldRun,
    config: RunConfig,
    data: TrainingData,
    classes: Vec<String>,
    training: Training,
    grid: usize,
    pace: Pace,
}

/// What an epoch has given.
#[derive(Debug)]
pub struct FinishedEpoch {
    /// Its losses, and the test images as the network now sees them.
    pub report: EpochReport,
    /// The network as it is now.
    pub network: Arc<Inference>,
}

/// What a run stands for when it ends: its best epoch.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The file of its weights.
    pub model: PathBuf,
    /// Its losses.
    pub epoch: Option<EpochMetrics>,
    /// The network.
    pub network: Arc<Inference>,
    /// Where it puts the test images.
    pub codes: Codes,
    /// Its figures.
    pub figures: Vec<PathBuf>,
}

/// A network from a run's folder, where it puts the test images, and after how many epochs it was so.
type Kept = (Inference, Codes, Option<usize>);

impl Run {
    /// Refuses settings that make no sense, and a network beside which this machine has room for no images: what shows
    /// before anything is read.
    ///
    /// # Errors
    /// As [`RunConfig::validate`]; [`StudioError::Memory`].
    pub fn check(config: &RunConfig) -> Result<(), StudioError> {
        config.validate()?;
        check_memory(config, LEAST_BATCH)
    }

    /// Reads the images that are asked for, or the usual ones, and begins a run with them: of `initial`, or of a fresh
    /// network. What `config` says of the images is filled in. Nothing is written before all of that has succeeded.
    ///
    /// # Errors
    /// As [`Run::check`], [`Source::usual`] and [`Source::read`]; [`StudioError::NoClasses`] and [`StudioError::OtherClasses`]
    /// for a conditional network; [`StudioError::Training`] when the folder cannot be written.
    pub fn begin(
        folder: HeldRun,
        mut config: RunConfig,
        initial: Option<Vae>,
        request: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        Self::check(&config)?;
        let source = match &request.source {
            Some(source) => source.clone(),
            None => Source::usual(&request.store, observer)?,
        };
        describe(&source, request, &mut config);
        if initial.is_none() && config.training.output != Output::PixelMeans {
            config.training.output = output(&source, config.training.likelihood);
        }
        let mut reading = Reading::of_run(&config);
        reading.channels = initial.as_ref().map(|network| network.config().channels);
        let dataset = source.read(request, &reading, observer)?;
        config.data.fingerprint = dataset.fingerprint();
        config.network.channels = dataset.train.images.channels();
        if config.conditional {
            config.network.classes = classes_to_tell(&dataset, initial.as_ref())?;
        }
        let classes = dataset.classes.clone();
        let data = TrainingData::under(config.data.protocol(), dataset, config.network.image_size)?;
        Self::begin_with(folder, config, initial, data, classes)
    }

    /// The same with images that are at hand, of these classes.
    pub(super) fn begin_with(
        folder: HeldRun,
        config: RunConfig,
        initial: Option<Vae>,
        data: TrainingData,
        classes: Vec<String>,
    ) -> Result<Self, StudioError> {
        check_step(&config, &data)?;
        let training = config.beginning(initial, &data, &Device::flex())?;
        folder.begin(&config, &training)?;
        Ok(Self::of(folder, config, data, classes, training))
    }

    /// Goes on with a run from its last checkpoint; `config` is what it began with, but for what may change
    /// ([`RunConfig::continued_as`]). Its images are where they were, or where the request says that they are now.
    ///
    /// # Errors
    /// [`StudioError::OtherImages`] when they are not the same; [`StudioError::EpochsDone`] when it is to end before where
    /// it is; [`StudioError::DamagedCheckpoint`] for a run whose networks are not all damaged, too; as [`Run::begin`] and
    /// [`HeldRun::load`].
    pub fn resume(
        folder: HeldRun,
        config: RunConfig,
        request: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        Self::check(&config)?;
        let source = match &request.source {
            Some(Source::Folder(path)) => Source::Folder(path.clone()),
            _ => Source::of_run(&config.data)?,
        };
        let reading = Reading::of_run(&config).with_network(&config.network);
        let dataset = source.read(request, &reading, observer)?;
        check_images(&dataset, &config)?;
        let classes = dataset.classes.clone();
        let data = TrainingData::under(config.data.protocol(), dataset, config.network.image_size)?;
        Self::resume_with(folder, config, data, classes)
    }

    /// The same with images that are at hand, of these classes.
    pub(super) fn resume_with(
        folder: HeldRun,
        config: RunConfig,
        data: TrainingData,
        classes: Vec<String>,
    ) -> Result<Self, StudioError> {
        check_step(&config, &data)?;
        let device = Device::flex();
        let training = folder.load(&config, &data, &device);
        let training = training.map_err(|error| with_what_is_whole(error, &folder, &device))?;
        let (done, asked) = (training.history().len(), config.training.epochs);
        if asked < done {
            return Err(StudioError::EpochsDone { asked, done });
        }
        folder.write_config(&config)?;
        Ok(Self::of(folder, config, data, classes, training))
    }

    fn of(folder: HeldRun, config: RunConfig, data: TrainingData, classes: Vec<String>, training: Training) -> Self {
        Self {
            folder,
            config,
            data,
            classes,
            training,
            grid: GRID,
            pace: Pace::start(),
        }
    }

    /// The same with a sheet of so many continuously changing images a side among its figures, where it is otherwise 20.
    #[must_use]
    pub fn with_grid(self, grid: usize) -> Self {
        Self { grid, ..self }
    }

    /// The same training on another device than the processor, where runs are begun and resumed. What it keeps is the same
    /// wherever it was trained; its figures are drawn on the processor.
    #[must_use]
    pub fn on(self, device: &Device) -> Self {
        Self {
            training: self.training.on(device),
            ..self
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Its images.
    #[must_use]
    pub fn data(&self) -> &TrainingData {
        &self.data
    }

    /// The names of their classes, in the order of the labels.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How far it is.
    #[must_use]
    pub fn training(&self) -> &Training {
        &self.training
    }

    /// Trains until the end: all epochs, or patience.
    ///
    /// # Errors
    /// As [`Run::epoch`]; [`StudioError::Stopped`] when the observer wants no more: the run can then be resumed.
    pub fn train(mut self, observer: &Observer) -> Result<Self, StudioError> {
        while !self.training.is_finished() {
            let finished;
            (self, finished) = self.epoch(observer)?;
            if finished.is_none() {
                return Err(StudioError::Stopped);
            }
        }
        Ok(self)
    }

    /// Trains until an epoch is done, keeps what it has given, and draws it if drawing has not taken more than a tenth of
    /// the time; `None` when the observer wanted no more, and where it stood is kept.
    ///
    /// # Errors
    /// [`StudioError::Training`] when the loss is no longer a number or a file cannot be written; [`StudioError::Figure`].
    pub fn epoch(mut self, observer: &Observer) -> Result<(Self, Option<FinishedEpoch>), StudioError> {
        let outcome;
        (self.training, outcome) = self
            .training
            .epoch(&self.data, &mut |progress| observer(Event::Training(progress)))?;
        let report = match outcome {
            Outcome::Interrupted => {
                self.folder.save(&self.config, &self.training)?;
                return Ok((self, None));
            }
            Outcome::Finished(report) => *report,
        };
        // Where few images at a time are drawn and shown.
        let network = Arc::new(Inference::new(&self.training.network().on(&Device::flex())));
        self.folder
            .save_epoch(&self.config, &self.training, &self.card(&network, &report))?;
        // The last figures follow, of the best epoch.
        if !self.training.is_finished() && self.pace.has_time() {
            let mut pace = self.pace;
            let gallery = self.gallery(Some(&report.metrics), &network, &report.evaluation.codes);
            pace.draw(report.metrics.epoch, || {
                gallery.draw_stills(&self.folder.figures_path())
            })?;
            self.pace = pace;
        }
        Ok((self, Some(FinishedEpoch { report, network })))
    }

    /// Draws the last finished epoch of a run that was stopped, if that is quickly done; the epoch that the figures are
    /// of.
    ///
    /// # Errors
    /// When the epoch's model cannot be read or a figure cannot be drawn.
    pub fn draw_quickly(&self) -> Result<Option<usize>, StudioError> {
        let last = self.training.history().last();
        match (self.pace.drawn(), last) {
            (Some(drawn), Some(last)) if drawn != last.epoch && self.pace.is_quick() => {
                // Nothing but its files is there any more.
                let (network, codes, _) = self.read(&self.folder.model_path())?;
                self.gallery(Some(last), &network, &codes)
                    .draw_stills(&self.folder.figures_path())?;
                Ok(Some(last.epoch))
            }
            (drawn, _) => Ok(drawn),
        }
    }

    /// Draws what the run stands for from now on: its best epoch, or the last where the best cannot be read, which is noted.
    ///
    /// # Errors
    /// As [`Run::draw_quickly`].
    pub fn finish(&self, observer: &Observer) -> Result<Standing, StudioError> {
        // Not the training's network, which may be on its way through an epoch that is no longer asked for.
        let (model, (network, codes, epochs)) = self.kept(observer)?;
        let history = self.training.history();
        let epoch = history.iter().find(|metrics| Some(metrics.epoch) == epochs);
        let figures = self
            .gallery(epoch, &network, &codes)
            .draw(&self.folder.figures_path())?;
        Ok(Standing {
            model,
            epoch: epoch.cloned(),
            network: Arc::new(network),
            codes,
            figures,
        })
    }

    /// What is to be known about the network as it is after an epoch.
    fn card(&self, network: &Inference, report: &EpochReport) -> ModelCard {
        let evaluation = &report.evaluation;
        let (means, images) = (&evaluation.codes.mean, &self.data.test.images);
        let labels = self.data.test.labels.as_deref();
        let points = evaluation.codes.points(network.config());
        let typical = labels.map(|labels| typical_members(network, &points, images, labels, self.classes.len()));
        ModelCard {
            network: self.config.network.clone(),
            objective: self.config.training.objective,
            samples: self.config.training.samples,
            likelihood: self.config.training.likelihood,
            beta: self.config.training.beta,
            dataset: self.config.data.dataset.clone(),
            protocol: self.config.data.protocol(),
            classes: self.classes.clone(),
            epochs: report.metrics.epoch,
            steps: self.training.steps(),
            test: Loss {
                loss: report.metrics.test_loss,
                reconstruction: report.metrics.test_reconstruction,
                kl: report.metrics.test_kl,
            },
            latent_statistics: LatentStatistics::of(
                means,
                &evaluation.kl_per_latent,
                labels,
                &self.classes,
                &typical.unwrap_or_default(),
            ),
            classifier: None,
        }
    }

    /// A network that the run has kept, where it puts the test images, and after how many epochs.
    fn read(&self, path: &Path) -> Result<Kept, StudioError> {
        let model = TrainedModel::read(path, &Device::flex())?;
        let network = Inference::new(&model.network);
        let codes = encode(&network, self.data.test.as_ref())?;
        Ok((network, codes, model.card.map(|card| card.epochs)))
    }

    /// The network that the run stands for, and its file: the best, or the last where that cannot be read, which is said.
    fn kept(&self, observer: &Observer) -> Result<(PathBuf, Kept), StudioError> {
        let last = self.folder.model_path();
        if let Some(best) = self.folder.model().filter(|path| *path != last) {
            match self.read(&best) {
                Ok(kept) => return Ok((best, kept)),
                Err(error) => note(
                    observer,
                    &format!(
                        "warning: {error}; the figures are of the last epoch: remove the damaged file, and {} stands for \
                         it, until an epoch has a lower test loss than all before",
                        self.folder.path().display()
                    ),
                )?,
            }
        }
        let kept = self.read(&last)?;
        Ok((last, kept))
    }

    /// What is drawn of a network as it was after an epoch.
    fn gallery<'a>(&'a self, epoch: Option<&'a EpochMetrics>, network: &'a Inference, codes: &'a Codes) -> Gallery<'a> {
        Gallery {
            network,
            dataset: &self.config.data.dataset,
            test: &self.data.test,
            codes,
            classes: &self.classes,
            objective: self.config.training.objective,
            history: self.training.history(),
            epoch,
            best: self.training.best().filter(|_| self.folder.best_path().exists()),
            grid: self.grid,
        }
    }
}

/// That these are the images that a run began with.
pub(super) fn check_images(dataset: &Dataset, config: &RunConfig) -> Result<(), StudioError> {
    if dataset.fingerprint() == config.data.fingerprint {
        return Ok(());
    }
    Err(StudioError::OtherImages {
        name: match &config.data.images {
            Some(folder) => folder.display().to_string(),
            None => config.data.dataset.clone(),
        },
        train: dataset.train.images.count(),
        test: dataset.test.images.count(),
    })
}

/// How many classes a conditional network is to be told of.
fn classes_to_tell(dataset: &Dataset, initial: Option<&Vae>) -> Result<usize, StudioError> {
    let found = dataset.classes.len();
    match initial.map(|network| network.config().classes) {
        _ if found == 0 => Err(StudioError::NoClasses {
            name: dataset.name.clone(),
            part: "training",
        }),
        Some(known) if known != found => Err(StudioError::OtherClasses {
            name: dataset.name.clone(),
            found,
            known,
        }),
        _ => Ok(found),
    }
}

/// Writes into the settings where the images come from.
pub(super) fn describe(source: &Source, request: &ImageRequest, config: &mut RunConfig) {
    let data = &mut config.data;
    data.fit = request.fit.unwrap_or(data.fit);
    source.remember(&request.store, data);
    if let Source::Folder(_) = source {
        data.order = Some(NameOrder::Natural);
    }
}

/// Fresh networks are fitted to their images, but for the well-known experiment: what learns a known set by the
/// cross-entropy begins as PyTorch does.
fn output(source: &Source, likelihood: Likelihood) -> Output {
    match source {
        Source::Known { .. } | Source::Strokes if likelihood == Likelihood::CrossEntropy => Output::Standard,
        _ => Output::Fitted,
    }
}

/// A step takes no more images than there are.
fn check_step(config: &RunConfig, data: &TrainingData) -> Result<(), StudioError> {
    let batch = config.training.batch_size.min(data.train.images.count());
    check_memory(config, batch)
}

/// Makes sure that there is memory to train such a network with so many images a step, where that can be known.
fn check_memory(config: &RunConfig, batch: usize) -> Result<(), StudioError> {
    let needed = Footprint::of(&config.network, &config.training, batch);
    match memory::available() {
        Some(free) if needed.total() > free => Err(StudioError::Memory { needed, free }),
        _ => Ok(()),
    }
}

/// Of a run whose checkpoint is damaged, its networks may be whole.
fn with_what_is_whole(error: TrainingError, folder: &RunFolder, device: &Device) -> StudioError {
    let networks = [folder.best_path(), folder.model_path()];
    let mut whole = networks
        .into_iter()
        .filter(|path| TrainedModel::read(path, device).is_ok());
    match (&error, whole.next()) {
        (TrainingError::Weights(_), Some(network)) => StudioError::DamagedCheckpoint {
            network,
            source: Box::new(error),
        },
        _ => error.into(),
    }
}
