//! `morphvae train`

mod pace;
mod preset;
mod settings;
mod watching;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use burn::tensor::Device;
use morphvae::choice::Choice;
use morphvae::evaluation::{Codes, encode};
use morphvae::figures::Gallery;
use morphvae::latent::{LatentStatistics, typical_members};
use morphvae::model::{ModelCard, TrainedModel};
use morphvae::network::{Inference, NetworkConfig};
use morphvae::objective::{Loss, Objective};
use morphvae::probability::Likelihood;
use morphvae::training::{EpochMetrics, EpochReport, HeldRun, Outcome, Progress, RunConfig, Training, TrainingData};
use morphvae_explorer::ModelFacts;
use serde::Serialize;

use crate::Usage;
use crate::arguments::TrainArguments;
use crate::commands::explore;
use crate::console::{Console, Meter, Unit};
use crate::images::Reading;
use crate::interrupt;
use crate::limits::check_memory;
use pace::Pace;
use settings::{Beginning, Plan};
use watching::Watching;

pub fn run(arguments: &TrainArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    watching::check(arguments)?;
    let plan = Plan::of(arguments, console)?;
    let (run, training) = Run::prepare(plan, arguments, console)?;
    run.introduce();
    let watching = match arguments.watch {
        true => Some(run.watching(&training, arguments)?),
        false => None,
    };
    let training = if training.is_finished() {
        run.tell_that_it_was_finished(&training);
        training
    } else {
        run.train(training, watching.as_ref())?
    };
    run.finish(&training, watching.as_ref(), arguments.json)?;
    // All is written: who wants to go on with the run may.
    drop(run);
    if let Some(watching) = watching {
        watching.linger(console);
    }
    Ok(())
}

/// A run at work.
struct Run {
    console: Console,
    folder: HeldRun,
    config: RunConfig,
    data: TrainingData,
    classes: Vec<String>,
    grid: usize,
}

/// A network from a run's folder, where it puts the test images, and after how many epochs it was so.
type Kept = (Inference, Codes, Option<usize>);

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Summary {
    run: PathBuf,
    /// The network after the last epoch, whose metrics follow.
    model: PathBuf,
    #[serde(flatten)]
    metrics: Option<EpochMetrics>,
    best: Option<Best>,
}

/// The epoch that the run stands for.
#[derive(Serialize)]
struct Best {
    epoch: usize,
    test_loss: f64,
    model: PathBuf,
}

impl Run {
    /// Reads the images and makes the network. Nothing is written before all of that has succeeded.
    fn prepare(plan: Plan, arguments: &TrainArguments, console: Console) -> anyhow::Result<(Self, Training)> {
        let Plan {
            run: folder,
            mut config,
            source,
            beginning,
        } = plan;
        let reading = Reading {
            size: config.network.image_size,
            channels: match &beginning {
                Beginning::New(initial) => initial.as_ref().map(|network| network.config().channels),
                Beginning::Resumed => Some(config.network.channels),
            },
            limit: config.data.limit,
            seed: config.training.seed,
            whole: false,
            order: config.data.name_order(),
            classes: Vec::new(),
        };
        let dataset = source.load(&arguments.images, reading, console)?;
        let fingerprint = dataset.fingerprint();
        let data = TrainingData {
            train: Arc::new(dataset.train),
            test: Arc::new(dataset.test),
        };
        // A step takes no more images than there are.
        let batch = config.training.batch_size.min(data.train.images.count());
        let channels = data.train.images.channels();
        check_memory(
            &NetworkConfig {
                channels,
                ..config.network.clone()
            },
            batch,
        )?;
        let device = Device::flex();
        let training = match beginning {
            Beginning::New(initial) => {
                config.network.channels = data.train.images.channels();
                config.data.fingerprint = fingerprint;
                let training = config.beginning(initial.map(|network| *network), &data, &device)?;
                folder.begin(&config, &training)?;
                training
            }
            Beginning::Resumed if fingerprint == config.data.fingerprint => {
                let training = folder.load(&config, &data, &device)?;
                let (done, asked) = (training.history().len(), config.training.epochs);
                if asked < done {
                    let text = format!("--epochs is {asked}, but this run has done {done}: give more, or leave it out");
                    return Err(Usage(text).into());
                }
                folder.write_config(&config)?;
                training
            }
            Beginning::Resumed => bail!(
                "{}: these are no longer the images that the run began with (now {} to train on and {} to test on): \
                 bring those back, or start another run",
                match &config.data.images {
                    Some(folder) => folder.display().to_string(),
                    None => config.data.dataset,
                },
                data.train.images.count(),
                data.test.images.count(),
            ),
        };
        let run = Self {
            console,
            folder,
            classes: dataset.classes,
            data,
            config,
            grid: arguments.grid,
        };
        Ok((run, training))
    }

    fn introduce(&self) {
        let RunConfig {
            data,
            network,
            training,
            ..
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
        let [all, bare] = self.without_class();
        if (1..all).contains(&bare) {
            self.console.note(format!("{bare} of these {all} images have no class"));
        }
        let patience = match training.patience {
            Some(patience) => format!(", or until the test loss has not improved for {patience},"),
            None => String::new(),
        };
        self.console.note(format!(
            "network: {}, {}, {} latent dimension(s); {} epoch(s){patience} in batches of {}; cpu, {} thread(s)",
            network.architecture.name(),
            network.architecture,
            network.latent,
            training.epochs,
            training.batch_size,
            rayon::current_num_threads(),
        ));
        if training.likelihood != Likelihood::CrossEntropy {
            self.console.note(format!("likelihood: {}", training.likelihood.name()));
        }
    }

    /// How many images there are, and how many of them have no label.
    fn without_class(&self) -> [usize; 2] {
        let splits = [&self.data.train, &self.data.test];
        let labelled = splits.map(|split| split.labels.iter().flatten().flatten().count());
        let all = splits.map(|split| split.images.count()).iter().sum::<usize>();
        [all, all - labelled.iter().sum::<usize>()]
    }

    fn train(&self, mut training: Training, watching: Option<&Watching>) -> anyhow::Result<Training> {
        let mut pace = Pace::start();
        while !training.is_finished() {
            let mut meter = self.console.progress(Unit::Images);
            let outcome;
            (training, outcome) = training.epoch(&self.data, &mut |progress| {
                show(&mut meter, progress);
                interrupt::check()
            })?;
            drop(meter);
            match outcome {
                Outcome::Interrupted => {
                    self.folder.save(&self.config, &training)?;
                    let path = self.folder.path().display();
                    self.console
                        .note(format!("stopped; go on with: morphvae train --resume {path}"));
                    match pace.drawn() {
                        Some(epoch) if epoch == training.history().len() => {}
                        Some(_) if pace.is_quick() => self.draw_last(&training)?,
                        Some(epoch) => self.console.note(format!("figures: those of epoch {epoch}")),
                        None => {}
                    }
                    return Err(interrupt::Stopped.into());
                }
                Outcome::Finished(report) => {
                    let network = Inference::new(&training.network());
                    let card = self.card(&training, &network, &report);
                    self.folder.save_epoch(&self.config, &training, &card)?;
                    // The last figures follow, of the best epoch.
                    if !training.is_finished() && pace.has_time() {
                        let codes = &report.evaluation.codes;
                        let gallery = self.gallery(&training, Some(&report.metrics), &network, codes);
                        pace.draw(report.metrics.epoch, || {
                            gallery.draw_stills(&self.folder.figures_path())
                        })?;
                    }
                    if let Some(watching) = watching {
                        watching.publish(network, &report.evaluation.codes, &report.metrics)?;
                    }
                    self.tell(&report);
                }
            }
        }
        if training.history().len() < self.config.training.epochs {
            self.console.note(format!("no more epochs, since {}", self.stalling()));
        }
        Ok(training)
    }

    /// Why a training ends before all its epochs are done.
    fn stalling(&self) -> String {
        let patience = self.config.training.patience.unwrap_or_default();
        format!("the test loss has not improved for {patience} epoch(s)")
    }

    /// Begins to show what will be learned.
    fn watching(&self, training: &Training, arguments: &TrainArguments) -> anyhow::Result<Watching> {
        let facts = ModelFacts {
            name: self
                .folder
                .path()
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            dataset: self.config.data.dataset.clone(),
            classes: self.classes.clone(),
            fit: self.config.data.fit,
            command: explore::MORPH.into(),
            argument: self.folder.path().display().to_string(),
            ..ModelFacts::default()
        };
        Watching::start(
            facts,
            training,
            &self.data.test,
            self.config.training.epochs,
            arguments,
            self.console,
        )
    }

    /// What is to be known about the network as it is after an epoch.
    fn card(&self, training: &Training, network: &Inference, report: &EpochReport) -> ModelCard {
        let evaluation = &report.evaluation;
        let (means, images) = (&evaluation.codes.mean, &self.data.test.images);
        let labels = self.data.test.labels.as_deref();
        let typical = labels.map(|labels| typical_members(network, means, images, labels, self.classes.len()));
        ModelCard {
            network: self.config.network.clone(),
            objective: self.config.training.objective,
            likelihood: self.config.training.likelihood,
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
                means,
                &evaluation.kl_per_latent,
                labels,
                &self.classes,
                &typical.unwrap_or_default(),
            ),
        }
    }

    /// Other figures may be asked for now, and some may never have been drawn.
    fn tell_that_it_was_finished(&self, training: &Training) {
        let done = training.history().len();
        let (why, more) = match done < self.config.training.epochs {
            true => (self.stalling(), "a larger --patience"),
            false => (format!("all {done} epoch(s) are done"), "more --epochs"),
        };
        self.console.note(format!(
            "{why} and only the figures are drawn again: to go on, give {more}"
        ));
    }

    /// Draws the last finished epoch, of which nothing but its files is there any more.
    fn draw_last(&self, training: &Training) -> anyhow::Result<()> {
        let (network, codes, _) = self.read(&self.folder.model_path())?;
        self.gallery(training, training.history().last(), &network, &codes)
            .draw_stills(&self.folder.figures_path())?;
        Ok(())
    }

    /// A network that the run has kept, where it puts the test images, and after how many epochs.
    fn read(&self, path: &Path) -> anyhow::Result<Kept> {
        let model = TrainedModel::read(path, &Device::flex())?;
        let network = Inference::new(&model.network);
        let codes = encode(&network, &self.data.test.images)?;
        Ok((network, codes, model.card.map(|card| card.epochs)))
    }

    /// The network that the run stands for, and its file: the best, or the last where that cannot be read, which is said.
    fn kept(&self) -> anyhow::Result<(PathBuf, Kept)> {
        let last = self.folder.model_path();
        if let Some(best) = self.folder.model().filter(|path| *path != last) {
            match self.read(&best) {
                Ok(kept) => return Ok((best, kept)),
                Err(error) => self.console.note(format!(
                    "warning: {error}; the figures are of the last epoch: remove the damaged file, and {} stands for it, \
                     until an epoch has a lower test loss than all before",
                    self.folder.path().display()
                )),
            }
        }
        let kept = self.read(&last)?;
        Ok((last, kept))
    }

    /// What is drawn of a network as it was after an epoch.
    fn gallery<'a>(
        &'a self,
        training: &'a Training,
        epoch: Option<&'a EpochMetrics>,
        network: &'a Inference,
        codes: &'a Codes,
    ) -> Gallery<'a> {
        Gallery {
            network,
            dataset: &self.config.data.dataset,
            test: &self.data.test,
            codes,
            classes: &self.classes,
            objective: self.config.training.objective,
            history: training.history(),
            epoch,
            best: training.best().filter(|_| self.folder.best_path().exists()),
            grid: self.grid,
        }
    }

    fn tell(&self, report: &EpochReport) {
        let metrics = &report.metrics;
        let latent = self.config.network.latent;
        let beta = match self.config.training.beta {
            1.0 => String::new(),
            beta => format!("{beta} x "),
        };
        let (kl, informative) = (metrics.test_kl, metrics.informative_latents);
        let divergence = match self.config.training.objective {
            Objective::Vae => format!(" + {beta}KL {kl:.2} nats  {informative} of {latent} latent(s) informative"),
            Objective::Ae => " nats".to_owned(),
        };
        self.console.note(format!(
            "epoch {:>2}  train {:8.2}  test {:8.2} = {} {:.2}{divergence}  {:.0} images/s",
            metrics.epoch,
            metrics.train_loss,
            metrics.test_loss,
            self.config.training.likelihood.term(),
            metrics.test_reconstruction,
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

    /// Shows what the run stands for from now on.
    fn finish(&self, training: &Training, watching: Option<&Watching>, json: bool) -> anyhow::Result<()> {
        // Not the training's network, which may be on its way through an epoch that is no longer asked for.
        let (path, (network, codes, epochs)) = self.kept()?;
        let history = training.history();
        let epoch = history.iter().find(|metrics| Some(metrics.epoch) == epochs);
        self.gallery(training, epoch, &network, &codes)
            .draw(&self.folder.figures_path())?;
        if let (Some(best), Some(last)) = (epoch, history.last())
            && best.epoch < last.epoch
        {
            self.tell_the_best(best, last);
            if let Some(watching) = watching {
                watching.publish(network, &codes, best)?;
            }
        }
        self.console.note(format!("model:   {}", path.display()));
        self.console
            .note(format!("figures: {}", self.folder.figures_path().display()));
        if json {
            self.console.json(&Summary {
                run: self.folder.path().to_owned(),
                model: self.folder.model_path(),
                metrics: history.last().cloned(),
                best: epoch.map(|best| Best {
                    epoch: best.epoch,
                    test_loss: best.test_loss,
                    model: path,
                }),
            })?;
        }
        Ok(())
    }

    fn tell_the_best(&self, best: &EpochMetrics, last: &EpochMetrics) {
        self.console.note(format!(
            "epoch {} was the best, {:.2} nats below the last on the test images: {} stands for it, {} for the last",
            best.epoch,
            last.test_loss - best.test_loss,
            self.folder.path().display(),
            self.folder.model_path().display(),
        ));
    }
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
