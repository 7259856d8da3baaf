//! A semi-supervised training in a folder: the latents of a network that is there, and the labels of few images.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;

use super::images::{ImageRequest, Reading, Source};
use super::model::encoded;
use super::run::{check_images, describe};
use super::{Event, Model, Observer, StudioError};
use crate::data::{Binarization, DataError, Dataset, Examples};
use crate::figures::{Caption, ErrorPoint, check_restyled, error_curve, restyled, write_png};
use crate::model::{ClassifierCard, ModelCard, TrainedModel};
use crate::network::{Inference, Vae};
use crate::random::{Purpose, noise};
use crate::semi_supervised::{
    SemiSupervisedClassifier, SemiSupervisedData, SemiSupervisedError, SemiSupervisedMetrics, SemiSupervisedTraining,
};
use crate::training::{
    FewLabels, HeldRun, Kept, RunConfig, RunFolder, TrainingConfig, TrainingData, TrainingError, check_settings,
    json_lines, settings,
};
use crate::weights::{self, Precision};

/// The metadata key of a checkpoint under which the card of the unsupervised network stands, as JSON.
const CARD: &str = "morphvae.card";

/// Rows of the figure of styles and classes.
const STYLES: usize = 8;

/// A semi-supervised run at work. Its model is the unsupervised network that it begins with, M1, and a classifier beside
/// it in the same file.
#[derive(Debug)]
pub struct SemiSupervisedRun {
    folder: HeldRun,
    config: RunConfig,
    few: FewLabels,
    classes: Vec<String>,
    data: SemiSupervisedData,
    /// That of M1.
    card: ModelCard,
    training: SemiSupervisedTraining,
}

impl SemiSupervisedRun {
    /// The settings of a run that builds on this model: its own images, as they were divided for it, and its network.
    ///
    /// # Errors
    /// [`StudioError::NoCard`] for weights from elsewhere; [`StudioError::SemiSupervised`] for a network that gives no features.
    pub fn on(model: &Model, few: FewLabels) -> Result<RunConfig, StudioError> {
        let card = check_features(model)?;
        let own = model.config().cloned().unwrap_or_else(|| RunConfig {
            training: TrainingConfig {
                objective: card.objective,
                likelihood: card.likelihood,
                pseudo_inputs: model.network().pseudo_inputs(),
                ..TrainingConfig::default()
            },
            ..RunConfig::default()
        });
        Ok(RunConfig {
            init_from: model
                .run()
                .map_or(model.path(), |run| Some(run.path()))
                .map(Path::to_owned),
            network: model.network().config().clone(),
            semi_supervised: Some(few),
            ..own
        })
    }

    /// Makes sure, before a network is trained for it, that these images have the labels that such a run with these settings
    /// wants. Returns how many there are to learn from.
    ///
    /// # Errors
    /// As [`Source::read`]; [`StudioError::NoClasses`] and [`StudioError::FewLabels`].
    pub fn check_labels(
        config: &RunConfig,
        few: &FewLabels,
        request: &ImageRequest,
        observer: &Observer,
    ) -> Result<usize, StudioError> {
        let source = match &request.source {
            Some(source) => source.clone(),
            None => Source::usual(&request.store, observer)?,
        };
        let reading = Reading::of_run(config).with_network(&config.network);
        let dataset = source.read(request, &reading, observer)?;
        let (data, _) = divided(dataset, config, few)?;
        Ok(data.train.images.count())
    }

    /// Reads the images that are asked for, or the model's own, and begins a run with these settings. Nothing is written
    /// before all of that has succeeded.
    ///
    /// # Errors
    /// As [`Model::source`] and [`Source::read`]; [`StudioError::NoClasses`] and [`StudioError::FewLabels`] where labels are
    /// missing; [`StudioError::Training`].
    pub fn begin(
        folder: HeldRun,
        mut config: RunConfig,
        model: &Model,
        request: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        config.validate()?;
        let source = model.source(request, observer)?;
        describe(&source, request, &mut config);
        let reading = Reading {
            classes: card(model)?.classes.clone(),
            ..Reading::of_run(&config).with_network(&config.network)
        };
        let dataset = source.read(request, &reading, observer)?;
        config.data.fingerprint = dataset.fingerprint();
        let few = few_labels(&config)?.clone();
        let m1 = model.shared_inference();
        let classes = dataset.classes.clone();
        let data = learned_from(dataset, &config, &m1, observer)?;
        let training = SemiSupervisedTraining::new(m1, &data, few.learning.clone())?;
        let run = Self {
            folder,
            config,
            few,
            classes,
            data,
            card: card(model)?.clone(),
            training,
        };
        run.folder.begin(&run.config, &run)?;
        Ok(run)
    }

    /// Goes on with a run from its last checkpoint; `config` is what it began with, but for what may change
    /// ([`RunConfig::continued_as`]). Its images are where they were, or where the request says that they are now.
    ///
    /// # Errors
    /// [`StudioError::OtherImages`] when they are not the same; [`StudioError::EpochsDone`] when it is to end before where
    /// it is; as [`SemiSupervisedRun::begin`]; [`StudioError::Training`] when the checkpoint cannot be used.
    pub fn resume(
        folder: HeldRun,
        config: RunConfig,
        request: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        config.validate()?;
        let few = few_labels(&config)?.clone();
        let path = folder.checkpoint_path();
        if !path.exists() {
            return Err(TrainingError::NoCheckpoint { path }.into());
        }
        let file = weights::read(&path).map_err(TrainingError::from)?;
        check_settings(&file, &path, &config)?;
        let card: Option<ModelCard> = file.metadata.get(CARD).and_then(|json| serde_json::from_str(json).ok());
        let Some(card) = card else {
            let reason = format!("its metadata under {CARD} cannot be read");
            return Err(TrainingError::Checkpoint { path, reason }.into());
        };
        let state = SemiSupervisedTraining::m1_of(&file);
        let m1 = Vae::from_state(
            config.network.clone(),
            &state,
            config.training.likelihood,
            &Device::flex(),
        )?;
        let m1 = Arc::new(Inference::new(&m1));

        let source = match &request.source {
            Some(Source::Folder(path)) => Source::Folder(path.clone()),
            _ => Source::of_run(&config.data)?,
        };
        let reading = Reading {
            classes: card.classes.clone(),
            ..Reading::of_run(&config).with_network(&config.network)
        };
        let dataset = source.read(request, &reading, observer)?;
        check_images(&dataset, &config)?;
        let classes = dataset.classes.clone();
        let data = learned_from(dataset, &config, &m1, observer)?;
        let name = path.display().to_string();
        let training = SemiSupervisedTraining::load(&file, &name, m1, &data, few.learning.clone())?;
        let (done, asked) = (training.history().len(), few.learning.epochs);
        if asked < done {
            return Err(StudioError::EpochsDone { asked, done });
        }
        let run = Self {
            folder,
            config,
            few,
            classes,
            data,
            card,
            training,
        };
        run.folder.write_metrics(&run)?;
        run.folder.write_config(&run.config)?;
        Ok(run)
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
    pub fn data(&self) -> &SemiSupervisedData {
        &self.data
    }

    /// The names of their classes, in the order of the labels.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How far it is.
    #[must_use]
    pub fn training(&self) -> &SemiSupervisedTraining {
        &self.training
    }

    /// Trains until an epoch is done, and keeps what it has given: the run stands for its last epoch, so that no label
    /// chooses one. `None` when the observer wanted no more, and where it stood is kept.
    ///
    /// # Errors
    /// [`StudioError::Training`] when the loss is no longer a number or a file cannot be written.
    pub fn epoch(mut self, observer: &Observer) -> Result<(Self, Option<SemiSupervisedMetrics>), StudioError> {
        let finished;
        (self.training, finished) = self
            .training
            .epoch(&self.data, &mut |progress| observer(Event::SemiSupervised(progress)))?;
        if let Some(metrics) = &finished {
            self.write_model(metrics)?;
        }
        self.folder.save(&self.config, &self)?;
        Ok((self, finished))
    }

    /// Draws how its errors went down, and what the classes look like to it: a row for each style, points of the prior of M2,
    /// and a column for each class.
    ///
    /// # Errors
    /// [`StudioError::Figure`] when a figure cannot be drawn or written.
    pub fn draw(&self) -> Result<Vec<PathBuf>, StudioError> {
        let dataset = &self.config.data.dataset;
        let labels = format!("{dataset} · {} labels of each class", self.few.labels_for);
        let mut figures = Vec::new();
        let points: Vec<ErrorPoint> = self.training.history().iter().map(error_point).collect();
        if points.iter().any(|point| point.test.or(point.validation).is_some()) {
            let path = self.folder.figures_path().join("error.png");
            let curve = error_curve(&points, &Caption::new("Images taken for another class", &labels))?;
            write_png(&path, &curve)?;
            figures.push(path);
        }
        let classes = self.classes.len();
        if check_restyled(STYLES, classes, self.config.network.image_size).is_ok() {
            let path = self.folder.figures_path().join("classes-by-style.png");
            write_png(&path, &self.styles(&labels)?)?;
            figures.push(path);
        }
        Ok(figures)
    }

    fn styles(&self, subtitle: &str) -> Result<RgbImage, StudioError> {
        let (classes, latent) = (self.classes.len(), self.few.learning.latent);
        let styles = noise(self.few.learning.seed, Purpose::Prior, 0, STYLES * latent);
        let latents = styles.chunks(latent).flat_map(|style| style.repeat(classes)).collect();
        let labels: Vec<u16> = (0..STYLES).flat_map(|_| 0..classes as u16).collect();
        let images = self.training.classifier().draw(latents, &labels);
        let rows: Vec<String> = (1..=STYLES).map(|number| number.to_string()).collect();
        let caption = Caption::new("Styles through all classes", subtitle);
        Ok(restyled(&images, &vec![None; STYLES], &rows, &self.classes, &caption)?)
    }

    fn write_model(&self, metrics: &SemiSupervisedMetrics) -> Result<(), StudioError> {
        let card = ModelCard {
            classes: self.classes.clone(),
            ..self.card.clone()
        };
        let path = self.folder.model_path();
        write_classifier(&self.training.classifier(), card, &self.few, metrics, &path)
    }
}

impl Kept for SemiSupervisedRun {
    fn save_in_run(&self, path: &Path, config: &RunConfig) -> Result<(), TrainingError> {
        let mut metadata = settings(config);
        let card = serde_json::to_string(&self.card).expect("a card is plain data");
        metadata.insert(CARD.to_owned(), card);
        Ok(self.training.save(path, metadata)?)
    }

    fn metrics(&self) -> Vec<u8> {
        json_lines(self.training.history())
    }
}

fn error_point(metrics: &SemiSupervisedMetrics) -> ErrorPoint {
    ErrorPoint {
        epoch: u32::try_from(metrics.epoch).unwrap_or(u32::MAX),
        test: metrics.test_error,
        validation: metrics.validation_error,
    }
}

/// Writes both networks of a classifier into one file. `card` is M1's, with the classes that M2 tells apart.
pub(super) fn write_classifier(
    classifier: &SemiSupervisedClassifier,
    card: ModelCard,
    few: &FewLabels,
    metrics: &SemiSupervisedMetrics,
    path: &Path,
) -> Result<(), StudioError> {
    let (m1, m2) = (classifier.m1().network(), classifier.m2());
    let card = ModelCard {
        classifier: Some(ClassifierCard {
            m2: m2.config().clone(),
            learning: few.learning.clone(),
            labels_for: few.labels_for,
            epochs: metrics.epoch,
            test_error: metrics.test_error,
            validation_error: metrics.validation_error,
        }),
        ..card
    };
    let written = TrainedModel::write_with_classifier(m1, m2, &card, path, Precision::Full);
    Ok(written.map_err(TrainingError::from)?)
}

/// Makes sure that a model's latents can be features, and returns what is known of it.
///
/// # Errors
/// [`StudioError::NoCard`] for weights from elsewhere; [`StudioError::SemiSupervised`] for a network that gives no features.
pub(super) fn check_features(model: &Model) -> Result<&ModelCard, StudioError> {
    let card = card(model)?;
    if !card.objective.is_variational() {
        return Err(SemiSupervisedError::Plain.into());
    }
    if model.network().config().is_conditional() {
        return Err(SemiSupervisedError::Conditional.into());
    }
    Ok(card)
}

/// What is known of a model.
fn card(model: &Model) -> Result<&ModelCard, StudioError> {
    model.card().ok_or_else(|| StudioError::NoCard {
        name: model.name().to_owned(),
    })
}

/// A semi-supervised run's own settings.
fn few_labels(config: &RunConfig) -> Result<&FewLabels, TrainingError> {
    config.semi_supervised.as_ref().ok_or_else(|| TrainingError::Setting {
        name: "the number of labels of each class",
        value: "nothing".to_owned(),
        allowed: "given, for a semi-supervised run",
    })
}

/// A data set as M1 sees it: divided as its training was, each image black and white once where it was so in each epoch, and
/// with few labels.
fn learned_from(
    dataset: Dataset,
    config: &RunConfig,
    m1: &Inference,
    observer: &Observer,
) -> Result<SemiSupervisedData, StudioError> {
    let few = few_labels(config)?;
    let classes = dataset.classes.clone();
    let (mut data, known) = divided(dataset, config, few)?;
    if data.drawn_each_epoch {
        let train = Binarization::Dynamic.train(Arc::unwrap_or_clone(data.train), config.network.image_size, 0)?;
        data.train = Arc::new(train);
    }
    let splits = [Some(&data.train), data.validation.as_ref(), Some(&data.test)];
    let of = splits.iter().flatten().map(|split| split.images.count()).sum();
    let codes = encoded(m1, &data.train, [0, of], observer)?;
    let mut before = data.train.images.count();
    let examples = Examples {
        images: &data.train.images,
        labels: Some(&known),
    };
    let mut learned = SemiSupervisedData::of(&codes, examples, classes.len())?;
    if let Some(split) = &data.validation {
        let codes = encoded(m1, split, [before, of], observer)?;
        before += split.images.count();
        learned = learned.with_validation(&codes, split.labels.as_deref().unwrap_or_default());
    }
    let codes = encoded(m1, &data.test, [before, of], observer)?;
    learned = learned.with_test(&codes, data.test.labels.as_deref().unwrap_or_default());
    Ok(learned)
}

/// A data set divided as these settings have it, and the few labels of its training images.
fn divided(
    dataset: Dataset,
    config: &RunConfig,
    few: &FewLabels,
) -> Result<(TrainingData, Vec<Option<u16>>), StudioError> {
    let (name, classes) = (dataset.name.clone(), dataset.classes.clone());
    if classes.is_empty() {
        return Err(StudioError::NoClasses { name, part: "training" });
    }
    let data = TrainingData::under(config.data.protocol(), dataset, config.network.image_size)?;
    let known = data.train.labels_for(few.labels_for, classes.len(), few.learning.seed);
    let known = known.map_err(|error| match error {
        DataError::FewLabels { class, found, wanted } => StudioError::FewLabels {
            class: classes[usize::from(class)].clone(),
            found,
            wanted,
        },
        error => error.into(),
    })?;
    Ok((data, known))
}
