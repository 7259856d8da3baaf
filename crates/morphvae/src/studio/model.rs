//! A model as a person names it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::images::{ImageRequest, Reading, Source, USUAL_SET, note};
use super::keys::KeyError;
use super::{Event, Observer, StudioError};
use crate::data::{Dataset, Fit, Protocol, Split};
use crate::evaluation::{Codes, encode_observed};
use crate::model::{ModelCard, TrainedModel};
use crate::network::{Inference, Vae};
use crate::semi_supervised::SemiSupervisedClassifier;
use crate::training::{EpochMetrics, RunConfig, RunFolder};
use crate::weights::Format;

/// Trained by this program on MNIST with the defaults, in half precision.
const BUNDLED: &[u8] = include_bytes!("../../../../models/mnist-2d.safetensors");
const BUNDLED_NAME: &str = "mnist-2d (bundled)";
const BUNDLED_STEM: &str = "mnist-2d";

/// A trained network, what is known of it, and where it came from.
#[derive(Debug)]
pub struct Model {
    name: String,
    path: Option<PathBuf>,
    run: Option<(RunFolder, RunConfig)>,
    trained: TrainedModel,
    ready: OnceLock<Arc<Inference>>,
}

impl Model {
    /// The model that comes with the library: MNIST digits in a latent plane.
    ///
    /// # Errors
    /// None, unless the library was built wrongly.
    pub fn bundled() -> Result<Self, StudioError> {
        Ok(Self {
            name: BUNDLED_NAME.into(),
            path: None,
            run: None,
            trained: TrainedModel::from_bytes(BUNDLED, BUNDLED_NAME, &Device::flex())?,
            ready: OnceLock::new(),
        })
    }

    /// A run's folder, which stands for its best epoch, a `.safetensors` or a PyTorch `.pth`. Nothing that is stored in
    /// a file is executed.
    ///
    /// # Errors
    /// [`StudioError::NotARun`] and [`StudioError::Unfinished`] for a folder without a model; [`StudioError::Model`] for a
    /// file that is none; [`StudioError::DamagedBest`] for a run whose last network is whole.
    pub fn open(path: &Path) -> Result<Self, StudioError> {
        let (file, run) = if path.is_dir() {
            let opened = RunFolder::open(path).map_err(|source| StudioError::NotARun {
                path: path.to_owned(),
                source,
            })?;
            let Some(file) = opened.0.model() else {
                return Err(StudioError::Unfinished { path: path.to_owned() });
            };
            (file, Some(opened))
        } else {
            (path.to_owned(), None)
        };
        let trained = read(&file, run.as_ref().map(|(run, _)| run))?;
        Ok(Self {
            name: path.display().to_string(),
            path: Some(file),
            run,
            trained,
            ready: OnceLock::new(),
        })
    }

    /// The same on another device. Many images at a time are faster on a GPU; few at a time, as paths and maps ask for them,
    /// on the processor, where models are opened.
    #[must_use]
    pub fn on(self, device: &Device) -> Self {
        let network = self.trained.network.on(device);
        Self {
            trained: TrainedModel {
                network,
                ..self.trained
            },
            ready: OnceLock::new(),
            ..self
        }
    }

    /// What it is called, for people: its path as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A short name for files that are made with it: `mnist-2d` for `runs/mnist-2d` and for `mnist-2d.pth`.
    #[must_use]
    pub fn stem(&self) -> String {
        let path = match (self.run(), &self.path) {
            (Some(run), _) => run.path(),
            (None, Some(path)) => path,
            (None, None) => Path::new(BUNDLED_STEM),
        };
        path.file_stem()
            .map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
    }

    /// The file that it was read from, unless it is the bundled one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The run that it belongs to, where a run's folder was named.
    #[must_use]
    pub fn run(&self) -> Option<&RunFolder> {
        self.run.as_ref().map(|(run, _)| run)
    }

    /// The last epoch of the model's run, where the model is of an earlier one, the best.
    #[must_use]
    pub fn later_epoch(&self) -> Option<EpochMetrics> {
        let (run, card) = (self.run()?, self.card()?);
        // Without metrics there is nothing to compare with.
        let last = run.metrics().ok()?.pop()?;
        (last.epoch > card.epochs).then_some(last)
    }

    /// The network as it was read.
    #[must_use]
    pub fn network(&self) -> &Vae {
        &self.trained.network
    }

    /// The network made ready to be used, which takes a moment the first time.
    pub fn inference(&self) -> &Inference {
        self.ready()
    }

    /// The same for whoever keeps it longer than the model.
    pub fn shared_inference(&self) -> Arc<Inference> {
        Arc::clone(self.ready())
    }

    fn ready(&self) -> &Arc<Inference> {
        self.ready.get_or_init(|| Arc::new(Inference::new(self.network())))
    }

    /// What its file says of it. Absent for weights from elsewhere.
    #[must_use]
    pub fn card(&self) -> Option<&ModelCard> {
        self.trained.card.as_ref()
    }

    /// The number of a class that this model is conditional on, by its name.
    ///
    /// # Errors
    /// [`StudioError::Key`] where it is not conditional, or does not know the class.
    pub fn class(&self, name: &str) -> Result<u16, StudioError> {
        self.check_conditional()?;
        let classes = self.card().map_or(&[][..], |card| &card.classes);
        let found = classes.iter().position(|class| class == name);
        let number = found.and_then(|number| number.try_into().ok());
        Ok(number.ok_or_else(|| KeyError::UnknownClass {
            class: name.to_owned(),
            classes: classes.to_vec(),
        })?)
    }

    /// Where a split's images lie, of `of` that are to be encoded in all; `before` are done already.
    ///
    /// # Errors
    /// [`StudioError::Network`] for images of another kind than the network's; [`StudioError::Stopped`] when the observer
    /// wants no more.
    pub(super) fn encoded(
        &self,
        split: &Split,
        [before, of]: [usize; 2],
        observer: &Observer,
    ) -> Result<Codes, StudioError> {
        encoded(self.inference(), split, [before, of], observer)
    }

    /// What tells classes apart by the network's latents, if its file holds that.
    #[must_use]
    pub fn semi_supervised_classifier(&self) -> Option<SemiSupervisedClassifier> {
        let m2 = self.trained.classifier.as_ref()?;
        SemiSupervisedClassifier::new(self.shared_inference(), m2).ok()
    }

    /// Makes sure that classes can be chosen.
    ///
    /// # Errors
    /// [`StudioError::Key`] where the model is not conditional.
    pub fn check_conditional(&self) -> Result<(), StudioError> {
        match self.network().config().is_conditional() {
            true => Ok(()),
            false => Err(KeyError::Unconditional.into()),
        }
    }

    /// The kind of file that it was read from.
    #[must_use]
    pub fn format(&self) -> Format {
        self.trained.format
    }

    /// How images become square for this model: as those did that it learned from, where that is known.
    #[must_use]
    pub fn fit(&self) -> Fit {
        self.config().map_or_else(Fit::default, |config| config.data.fit)
    }

    /// What was done to the images that it learned from, as far as that is known.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match (self.config(), self.card()) {
            (Some(config), _) => config.data.protocol(),
            (None, Some(card)) => card.protocol,
            (None, None) => Protocol::default(),
        }
    }

    /// Where the images are that are asked for, else those that the model was judged on, as far as that is known.
    ///
    /// # Errors
    /// [`StudioError::UnknownImages`] and [`StudioError::LostImages`] when nothing was asked for and the model's own images
    /// cannot be found.
    pub fn source(&self, request: &ImageRequest, observer: &Observer) -> Result<Source, StudioError> {
        Ok(match (&request.source, self.config(), self.card()) {
            (Some(source), ..) => source.clone(),
            (None, Some(config), _) => Source::of_run(&config.data)?,
            (None, None, Some(card)) => Source::named(&card.dataset).map_err(|_| StudioError::UnknownImages {
                dataset: card.dataset.clone(),
            })?,
            (None, None, None) => {
                note(
                    observer,
                    &format!("data set: {USUAL_SET}, since the model's file names none"),
                )?;
                Source::named(USUAL_SET)?
            }
        })
    }

    /// Reads images as this model takes them: those of its run within the run's limit, those that are named without
    /// one, and of a folder that is named all; at most `limit` a part.
    ///
    /// # Errors
    /// As [`Model::source`] and [`Source::read`].
    pub fn images(
        &self,
        request: &ImageRequest,
        limit: Option<usize>,
        observer: &Observer,
    ) -> Result<Dataset, StudioError> {
        self.read(request, limit, request.is_of_folder(), observer)
    }

    /// The same with a folder divided, as a training would divide it, into images to learn from and images to be judged on.
    ///
    /// # Errors
    /// As [`Model::images`].
    pub fn divided_images(
        &self,
        request: &ImageRequest,
        limit: Option<usize>,
        observer: &Observer,
    ) -> Result<Dataset, StudioError> {
        self.read(request, limit, false, observer)
    }

    fn read(
        &self,
        request: &ImageRequest,
        limit: Option<usize>,
        whole: bool,
        observer: &Observer,
    ) -> Result<Dataset, StudioError> {
        let mut reading = self.reading();
        if request.source.is_some() {
            reading.limit = None;
        }
        reading.limit = limit.or(reading.limit);
        reading.whole = whole;
        let dataset = self.source(request, observer)?.read(request, &reading, observer)?;
        self.binarized(dataset, request)
    }

    /// The same to judge the model by: of the folder that it learned from, wherever that lies now, only the images that
    /// were held out.
    ///
    /// # Errors
    /// As [`Model::images`].
    pub fn unseen_images(&self, request: &ImageRequest, observer: &Observer) -> Result<Dataset, StudioError> {
        if let (true, Some(config)) = (request.is_of_folder(), self.config()) {
            let source = self.source(request, observer)?;
            let reading = self.reading();
            // Whatever goes wrong will do so again, and is told then.
            let dataset = source.read(request, &reading, &super::unobserved);
            if dataset.is_ok_and(|dataset| dataset.fingerprint() == config.data.fingerprint) {
                let all = Reading { limit: None, ..reading };
                return self.binarized(source.read(request, &all, observer)?, request);
            }
        }
        self.images(request, None, observer)
    }

    /// Images made black and white as was asked for, or as the model's own were, all of them once.
    fn binarized(&self, dataset: Dataset, request: &ImageRequest) -> Result<Dataset, StudioError> {
        let size = self.network().config().image_size;
        match request.binarize.or(self.protocol().binarize) {
            Some(binarization) => Ok(dataset.binarized(binarization, size)?),
            None => Ok(dataset),
        }
    }

    /// How the images were read that the model learned from, where that is known.
    fn reading(&self) -> Reading {
        let network = self.network().config();
        let reading = match self.config() {
            Some(config) => Reading::of_run(config),
            None => Reading::of_size(network.image_size),
        };
        Reading {
            // A class has the same number in whatever folder it is met.
            classes: self.card().map_or_else(Vec::new, |card| card.classes.clone()),
            ..reading.with_network(network)
        }
    }

    /// The settings of the run that the model belongs to.
    pub(super) fn config(&self) -> Option<&RunConfig> {
        self.run.as_ref().map(|(_, config)| config)
    }
}

/// Where a network puts a split's images, of `of` that are to be encoded in all; `before` are done already.
///
/// # Errors
/// As [`Model::encoded`].
pub(super) fn encoded(
    network: &Inference,
    split: &Split,
    [before, of]: [usize; 2],
    observer: &Observer,
) -> Result<Codes, StudioError> {
    let codes = encode_observed(network, split.into(), &mut |done| {
        observer(Event::Encoding {
            done: before + done,
            of,
        })
    })?;
    codes.ok_or(StudioError::Stopped)
}

/// Reads a model's file. Of a run whose best network is damaged, the last may be whole.
fn read(file: &Path, run: Option<&RunFolder>) -> Result<TrainedModel, StudioError> {
    let device = Device::flex();
    let source = match TrainedModel::read(file, &device) {
        Ok(model) => return Ok(model),
        Err(source) => source,
    };
    let path = file.to_owned();
    let is_whole = |last: &PathBuf| last != file && TrainedModel::read(last, &device).is_ok();
    Err(match run.map(RunFolder::model_path).filter(is_whole) {
        Some(last) => StudioError::DamagedBest {
            path,
            last,
            source: Box::new(source),
        },
        None => StudioError::Model { path, source },
    })
}
