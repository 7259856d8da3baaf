//! `morphvae train`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use burn::tensor::Device;
use morphvae::data::Fit;
use morphvae::figures::Gallery;
use morphvae::latent::LatentStatistics;
use morphvae::model::{ModelCard, NetworkConfig, TrainedModel, Vae};
use morphvae::objective::{Loss, Objective};
use morphvae::training::{
    DataConfig, EpochReport, Outcome, Progress, RunConfig, RunFolder, Training, TrainingConfig, TrainingData,
    TrainingError,
};
use morphvae::weights::Precision;
use serde::Serialize;

use crate::Usage;
use crate::arguments::{ObjectiveArgument, TrainArguments};
use crate::console::{Console, Meter, Unit};
use crate::images::{Reading, Source};
use crate::interrupt;

pub fn run(arguments: &TrainArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    let device = Device::flex();
    let mut session = match &arguments.resume {
        Some(path) => Session::resume(path, arguments, &device, console)?,
        None => Session::start(arguments, &device, console)?,
    };
    session.introduce();
    session.train()?;
    session.finish(arguments.json)
}

/// A run at work.
struct Session {
    console: Console,
    folder: RunFolder,
    config: RunConfig,
    data: TrainingData,
    classes: Vec<String>,
    training: Option<Training>,
    grid: usize,
}

#[derive(Serialize)]
struct Summary {
    run: PathBuf,
    model: PathBuf,
    #[serde(flatten)]
    metrics: Option<morphvae::training::EpochMetrics>,
}

impl Session {
    fn start(arguments: &TrainArguments, device: &Device, console: Console) -> anyhow::Result<Self> {
        let mut config = RunConfig {
            data: DataConfig {
                dataset: String::new(),
                images: None,
                fit: Fit::default(),
                limit: None,
                fingerprint: String::new(),
            },
            network: NetworkConfig::default(),
            training: TrainingConfig::default(),
        };
        apply(arguments, &mut config);
        let initial = match &arguments.init_from {
            Some(path) => Some(
                TrainedModel::read(path, device)
                    .with_context(|| path.display().to_string())?
                    .network,
            ),
            None => None,
        };
        if let Some(network) = &initial {
            let mut asked = RunConfig {
                network: network.config(),
                ..config.clone()
            };
            apply(arguments, &mut asked);
            if asked.network != network.config() {
                let text = "--init-from decides the network: leave out --latent, --base-channels and --image-size";
                return Err(Usage(text.into()).into());
            }
            config.network = network.config();
        }
        config.network.validate()?;
        config.training.validate()?;

        let source = match Source::named(&arguments.images)? {
            Some(source) => source,
            None => Source::default(&arguments.images.store, console)?,
        };
        config.data.dataset = source.name();
        if let Source::Folder { path, fit } = &source {
            config.data.images = Some(path.canonicalize().unwrap_or_else(|_| path.clone()));
            config.data.fit = *fit;
        }
        // A folder that cannot be written shows before the images are read.
        let out = arguments
            .out
            .clone()
            .unwrap_or_else(|| free_name(&config, arguments.force));
        let folder = RunFolder::create(&out, &config, arguments.force)?;

        let reading = Reading {
            size: config.network.image_size,
            channels: initial.as_ref().map(|network| network.config().channels),
            limit: config.data.limit,
            seed: config.training.seed,
        };
        let dataset = source.load(&arguments.images, reading, console)?;
        config.network.channels = dataset.train.images.channels();
        config.data.fingerprint = dataset.fingerprint();
        folder.write_config(&config)?;

        let network = match initial {
            Some(network) => network,
            None => Vae::new(config.network, config.training.seed, device)?,
        };
        let training = Training::new(network, config.training)?;
        Ok(Self {
            console,
            folder,
            classes: dataset.classes,
            data: TrainingData {
                train: Arc::new(dataset.train),
                test: Arc::new(dataset.test),
            },
            config,
            training: Some(training),
            grid: arguments.grid,
        })
    }

    fn resume(path: &Path, arguments: &TrainArguments, device: &Device, console: Console) -> anyhow::Result<Self> {
        let (folder, mut config) = RunFolder::open(path)?;
        let mut asked = config.clone();
        apply(arguments, &mut asked);
        if let Some(source) = Source::named(&arguments.images)? {
            asked.data.dataset = source.name();
        }
        // More epochs are no other run: the steps before are the same.
        config.training.epochs = asked.training.epochs;
        config.refuse_differences(&asked)?;

        let source = Source::of_config(&config.data)?;
        let reading = Reading {
            size: config.network.image_size,
            channels: Some(config.network.channels),
            limit: config.data.limit,
            seed: config.training.seed,
        };
        let dataset = source.load(&arguments.images, reading, console)?;
        if dataset.fingerprint() != config.data.fingerprint {
            return Err(TrainingError::OtherSettings {
                name: "data.fingerprint".into(),
                started: config.data.fingerprint,
                given: dataset.fingerprint(),
            }
            .into());
        }
        let training = match folder.load(&config, device)? {
            Some(training) => training,
            None => Training::new(Vae::new(config.network, config.training.seed, device)?, config.training)?,
        };
        folder.write_config(&config)?;
        Ok(Self {
            console,
            folder,
            classes: dataset.classes,
            data: TrainingData {
                train: Arc::new(dataset.train),
                test: Arc::new(dataset.test),
            },
            config,
            training: Some(training),
            grid: arguments.grid,
        })
    }

    fn introduce(&self) {
        let RunConfig {
            data,
            network,
            training,
        } = &self.config;
        self.console.note(format!(
            "{}: {} images to train on, {} to test on, {} x {} x {}",
            data.dataset,
            self.data.train.images.count(),
            self.data.test.images.count(),
            network.channels,
            network.image_size,
            network.image_size,
        ));
        self.console.note(format!(
            "network: {} latent dimension(s), {} base channels; {} epoch(s) in batches of {}; cpu, {} thread(s)",
            network.latent,
            network.base_channels,
            training.epochs,
            training.batch_size,
            rayon::current_num_threads(),
        ));
    }

    fn train(&mut self) -> anyhow::Result<()> {
        while let Some(training) = self.training.take_if(|training| !training.is_finished()) {
            let mut meter = self.console.progress(Unit::Images);
            let (training, outcome) = training.epoch(&self.data, &mut |progress| {
                show(&mut meter, progress);
                interrupt::check()
            })?;
            drop(meter);
            self.folder.save(&training)?;
            match outcome {
                Outcome::Interrupted => {
                    let path = self.folder.path().display();
                    self.console
                        .note(format!("stopped; go on with: morphvae train --resume {path}"));
                    std::process::exit(interrupt::EXIT_CODE);
                }
                Outcome::Finished(report) => {
                    self.keep(&training, &report)?;
                    self.tell(&report);
                }
            }
            self.training = Some(training);
        }
        Ok(())
    }

    /// Writes the model and the figures after an epoch.
    fn keep(&self, training: &Training, report: &EpochReport) -> anyhow::Result<()> {
        let evaluation = &report.evaluation;
        let card = ModelCard {
            network: self.config.network,
            objective: self.config.training.objective,
            beta: self.config.training.beta,
            dataset: self.config.data.dataset.clone(),
            classes: self.classes.clone(),
            epochs: report.metrics.epoch,
            steps: training.steps(),
            test: Loss {
                loss: report.metrics.test_loss,
                reconstruction: report.metrics.test_reconstruction,
                kl: report.metrics.test_kl,
            },
            latent_statistics: LatentStatistics::of(
                &evaluation.codes.mean,
                &evaluation.kl_per_latent,
                self.data.test.labels.as_deref(),
                &self.classes,
            ),
        };
        TrainedModel::write(
            report.network.network(),
            &card,
            &self.folder.model_path(),
            Precision::Full,
        )?;
        let gallery = Gallery {
            network: &report.network,
            dataset: &self.config.data.dataset,
            test: &self.data.test,
            codes: &evaluation.codes,
            classes: &self.classes,
            history: training.history(),
            grid: self.grid,
        };
        gallery.draw(&self.folder.figures_path())?;
        Ok(())
    }

    fn tell(&self, report: &EpochReport) {
        let metrics = &report.metrics;
        let latent = self.config.network.latent;
        self.console.note(format!(
            "epoch {:>2}  train {:8.2}  test {:8.2} = cross-entropy {:.2} + KL {:.2} nats  \
             {} of {latent} latent(s) informative  {:.0} images/s",
            metrics.epoch,
            metrics.train_loss,
            metrics.test_loss,
            metrics.test_reconstruction,
            metrics.test_kl,
            metrics.informative_latents,
            metrics.images_per_second,
        ));
        if self.config.training.objective == Objective::Vae && report.evaluation.has_collapsed() {
            self.console.note(format!(
                "warning: posterior collapse, the KL divergence is {:.3} nat: the decoder ignores the latent space; \
                 try a smaller --beta or --learning-rate",
                metrics.test_kl,
            ));
        }
    }

    fn finish(&self, json: bool) -> anyhow::Result<()> {
        self.console
            .note(format!("model:   {}", self.folder.model_path().display()));
        self.console
            .note(format!("figures: {}", self.folder.figures_path().display()));
        if json {
            let history = self.training.as_ref().map(Training::history).unwrap_or_default();
            self.console.json(&Summary {
                run: self.folder.path().to_owned(),
                model: self.folder.model_path(),
                metrics: history.last().cloned(),
            })?;
        }
        Ok(())
    }
}

/// Puts what was typed over the settings.
fn apply(arguments: &TrainArguments, config: &mut RunConfig) {
    fn put<T: Copy>(setting: &mut T, given: Option<T>) {
        if let Some(given) = given {
            *setting = given;
        }
    }
    let RunConfig {
        data,
        network,
        training,
    } = config;
    if arguments.limit.is_some() {
        data.limit = arguments.limit;
    }
    put(&mut data.fit, arguments.images.fit.map(Fit::from));
    put(&mut network.latent, arguments.latent);
    put(&mut network.base_channels, arguments.base_channels);
    put(
        &mut network.image_size,
        arguments.image_size.as_deref().and_then(|size| size.parse().ok()),
    );
    put(&mut training.epochs, arguments.epochs);
    put(&mut training.batch_size, arguments.batch_size);
    put(&mut training.beta, arguments.beta);
    put(&mut training.seed, arguments.seed);
    put(&mut training.adam.learning_rate, arguments.learning_rate);
    put(&mut training.adam.weight_decay, arguments.weight_decay);
    let objective = arguments.objective.map(|objective| match objective {
        ObjectiveArgument::Vae => Objective::Vae,
        ObjectiveArgument::Ae => Objective::Ae,
    });
    put(&mut training.objective, objective);
}

/// `runs/mnist-2d`, or with a number behind it when that is taken.
fn free_name(config: &RunConfig, force: bool) -> PathBuf {
    let kind = match config.training.objective {
        Objective::Vae => "",
        Objective::Ae => "-ae",
    };
    let name = format!("{}-{}d{kind}", config.data.dataset, config.network.latent);
    let folder = PathBuf::from("runs");
    let first = folder.join(&name);
    if force || !first.exists() {
        return first;
    }
    (2..)
        .map(|number| folder.join(format!("{name}-{number}")))
        .find(|path| !path.exists())
        .unwrap_or(first)
}

fn show(meter: &mut Meter, progress: Progress) {
    match progress {
        Progress::Train {
            epoch,
            images,
            of,
            loss,
        } => {
            let state = format!("loss {:.1} = {:.1} + KL {:.2}", loss.loss, loss.reconstruction, loss.kl);
            meter.update(&format!("epoch {epoch}"), images as u64, of as u64, &state);
        }
        Progress::Test { images, of } => meter.update("testing", images as u64, of as u64, ""),
    }
}
