//! `morphvae train`

mod arguments;
mod few_labels;
mod preset;
mod recorder;
mod settings;
mod watching;

use std::path::PathBuf;

use morphvae::choice::Choice;
use morphvae::device::DeviceChoice;
use morphvae::probability::Likelihood;
use morphvae::studio::{FinishedEpoch, Run, Standing};
use morphvae::training::{EpochMetrics, EpochReport, RunConfig};
use morphvae_explorer::ModelFacts;
use serde::Serialize;

use crate::commands::explore;
use crate::console::Console;
use crate::device;
use crate::interrupt;
use crate::observer::observer;
pub use arguments::TrainArguments;
use recorder::Recorder;
use watching::Watching;

pub fn run(arguments: &TrainArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    if few_labels::is_asked_for(arguments) {
        device::stay(choice, console);
        return few_labels::run(arguments, console);
    }
    watching::check(arguments)?;
    let opened = device::open(choice, console)?;
    let run = settings::run(arguments, console)?.on(&opened.device);
    let teller = Teller { console };
    teller.introduce(&run);
    let mut recorder = Recorder::of(&run)?;
    let watching = match arguments.watch {
        true => Some(watching(&run, arguments, console)?),
        false => None,
    };
    let run = if run.training().is_finished() {
        teller.finished_before(&run);
        run
    } else {
        train(run, &mut recorder, &teller, watching.as_ref())?
    };
    finish(&run, &teller, watching.as_ref(), arguments.json)?;
    // All is written: who wants to go on with the run may.
    drop(run);
    if let Some(watching) = watching {
        watching.linger(console);
    }
    Ok(())
}

/// Trains a run that is under way until it ends, draws its figures, and says how it goes.
pub fn to_the_end(run: Run, console: Console) -> anyhow::Result<Run> {
    let teller = Teller { console };
    teller.introduce(&run);
    let mut recorder = Recorder::of(&run)?;
    let run = match run.training().is_finished() {
        true => run,
        false => train(run, &mut recorder, &teller, None)?,
    };
    finish(&run, &teller, None, false)?;
    Ok(run)
}

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
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_loss: Option<f64>,
    model: PathBuf,
}

fn train(mut run: Run, recorder: &mut Recorder, teller: &Teller, watching: Option<&Watching>) -> anyhow::Result<Run> {
    while !run.training().is_finished() {
        let finished;
        (run, finished) = run.epoch(&observer(teller.console))?;
        let Some(FinishedEpoch { report, network }) = finished else {
            teller.stopped(&run)?;
            return Err(interrupt::Stopped.into());
        };
        recorder.keep(&run, &network, &report.evaluation.codes, &report.metrics)?;
        if let Some(watching) = watching {
            watching.publish(&run, network, &report.evaluation.codes, &report.metrics)?;
        }
        teller.epoch(&run, &report);
    }
    teller.stalled(&run);
    Ok(run)
}

/// Begins to show what will be learned.
fn watching(run: &Run, arguments: &TrainArguments, console: Console) -> anyhow::Result<Watching> {
    let (folder, data) = (run.folder().path(), &run.config().data);
    let facts = ModelFacts {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        dataset: data.dataset.clone(),
        classes: run.classes().to_vec(),
        objective: run.config().training.objective,
        fit: data.fit,
        command: explore::MORPH.into(),
        argument: folder.display().to_string(),
        ..ModelFacts::default()
    };
    Watching::start(facts, run, arguments, console)
}

/// Shows what the run stands for from now on.
fn finish(run: &Run, teller: &Teller, watching: Option<&Watching>, json: bool) -> anyhow::Result<()> {
    let Standing {
        model,
        epoch,
        network,
        codes,
        ..
    } = run.finish(&observer(teller.console))?;
    let (folder, last) = (run.folder(), run.training().history().last());
    if let (Some(best), Some(last)) = (&epoch, last)
        && best.epoch < last.epoch
    {
        teller.best(run, best, last);
        if let Some(watching) = watching {
            watching.publish(run, network, &codes, best)?;
        }
    }
    teller.console.note(format!("model:   {}", model.display()));
    let figures = folder.figures_path();
    teller.console.note(format!("figures: {}", figures.display()));
    if json {
        teller.console.json(&Summary {
            run: folder.path().to_owned(),
            model: folder.model_path(),
            metrics: last.cloned(),
            best: epoch.map(|best| Best {
                epoch: best.epoch,
                test_loss: best.test_loss,
                validation_loss: best.validation.map(|loss| loss.loss),
                model,
            }),
        })?;
    }
    Ok(())
}

/// Says how a run goes.
struct Teller {
    console: Console,
}

impl Teller {
    fn introduce(&self, run: &Run) {
        let RunConfig {
            data,
            network,
            training,
            ..
        } = run.config();
        self.console.note(format!(
            "{}: {} images to train on, {}{} to test on, {} x {} x {}",
            data.dataset,
            run.data().train.images.count(),
            match &run.data().validation {
                Some(split) => format!("{} to choose the best epoch by, ", split.images.count()),
                None => String::new(),
            },
            run.data().test.images.count(),
            network.channels,
            network.image_size,
            network.image_size,
        ));
        if data.binarize.is_some() {
            self.console.note(format!("protocol: {}", data.protocol()));
        }
        let [all, bare] = without_class(run);
        if (1..all).contains(&bare) {
            self.console.note(format!("{bare} of these {all} images have no class"));
        }
        let patience = match training.patience {
            Some(patience) => format!(", or until {} has not improved for {patience},", decisive(run)),
            None => String::new(),
        };
        self.console.note(format!(
            "network: {}, {}, {} latent dimension(s); {} epoch(s){patience} in batches of {}",
            network.architecture.name(),
            network.architecture,
            network.latent,
            training.epochs,
            training.batch_size,
        ));
        if network.is_conditional() {
            self.console
                .note(format!("conditional on {} class(es)", network.classes));
        }
        if training.samples > 1 {
            let (objective, samples) = (training.objective.name(), training.samples);
            self.console
                .note(format!("objective: {objective}, {samples} samples an image"));
        }
        if training.likelihood != Likelihood::CrossEntropy {
            self.console.note(format!("likelihood: {}", training.likelihood.name()));
        }
    }

    /// Other figures may be asked for now, and some may never have been drawn.
    fn finished_before(&self, run: &Run) {
        let done = run.training().history().len();
        let (why, more) = match done < run.config().training.epochs {
            true => (stalling(run), "a larger --patience"),
            false => (format!("all {done} epoch(s) are done"), "more --epochs"),
        };
        self.console.note(format!(
            "{why} and only the figures are drawn again: to go on, give {more}"
        ));
    }

    fn epoch(&self, run: &Run, report: &EpochReport) {
        let config = run.config();
        let metrics = &report.metrics;
        let latent = config.network.latent;
        let beta = match config.training.beta {
            1.0 => String::new(),
            beta => format!("{beta} x "),
        };
        let (kl, informative) = (metrics.test_kl, metrics.informative_latents);
        let objective = config.training.objective;
        // The bound is no sum of the terms beside it.
        let (equals, plus) = match objective.is_importance_weighted() {
            true => (" nats; ", String::from(", ")),
            false => (" = ", format!(" + {beta}")),
        };
        let divergence = match objective.is_variational() {
            true => format!("{plus}KL {kl:.2} nats  {informative} of {latent} latent(s) informative"),
            false => " nats".to_owned(),
        };
        self.console.note(format!(
            "epoch {:>2}  train {:8.2}{}  test {:8.2}{equals}{} {:.2}{divergence}  {:.0} images/s",
            metrics.epoch,
            metrics.train_loss,
            match metrics.validation {
                Some(loss) => format!("  validation {:8.2}", loss.loss),
                None => String::new(),
            },
            metrics.test_loss,
            config.training.likelihood.term(),
            metrics.test_reconstruction,
            metrics.images_per_second,
        ));
        if objective.is_variational() && report.evaluation.has_collapsed() {
            self.console.note(format!(
                "warning: posterior collapse, the KL divergence is {:.3} nat: the decoder ignores the latent space; \
                 try a smaller --beta or --learning-rate, or --warm-up or --free-bits",
                metrics.test_kl,
            ));
        }
    }

    /// Ctrl-C came: where to go on, and what the figures are of.
    fn stopped(&self, run: &Run) -> anyhow::Result<()> {
        let path = run.folder().path().display();
        self.console
            .note(format!("stopped; go on with: morphvae train --resume {path}"));
        let last = run.training().history().last().map(|metrics| metrics.epoch);
        match run.draw_quickly()? {
            Some(epoch) if Some(epoch) != last => self.console.note(format!("figures: those of epoch {epoch}")),
            _ => {}
        }
        Ok(())
    }

    fn stalled(&self, run: &Run) {
        if run.training().history().len() < run.config().training.epochs {
            self.console.note(format!("no more epochs, since {}", stalling(run)));
        }
    }

    fn best(&self, run: &Run, best: &EpochMetrics, last: &EpochMetrics) {
        self.console.note(format!(
            "epoch {} was the best, {:.2} nats below the last by {}: {} stands for it, {} for the last",
            best.epoch,
            last.decisive_loss() - best.decisive_loss(),
            decisive(run),
            run.folder().path().display(),
            run.folder().model_path().display(),
        ));
    }
}

/// How many images there are, and how many of them have no label.
fn without_class(run: &Run) -> [usize; 2] {
    let splits = [&run.data().train, &run.data().test];
    let labelled = splits.map(|split| split.labels.iter().flatten().flatten().count());
    let all = splits.map(|split| split.images.count()).iter().sum::<usize>();
    [all, all - labelled.iter().sum::<usize>()]
}

/// Why a training ends before all its epochs are done.
fn stalling(run: &Run) -> String {
    let patience = run.config().training.patience.unwrap_or_default();
    format!("{} has not improved for {patience} epoch(s)", decisive(run))
}

/// What the loss is called by which epochs are compared.
fn decisive(run: &Run) -> &'static str {
    match run.data().validation {
        Some(_) => "the validation loss",
        None => "the test loss",
    }
}
