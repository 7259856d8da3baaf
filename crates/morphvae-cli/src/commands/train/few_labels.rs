//! `morphvae train --labels-for N`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use morphvae::semi_supervised::{SemiSupervisedConfig, SemiSupervisedMetrics};
use morphvae::studio::{ImageRequest, Run, SemiSupervisedRun, Source, StudioError};
use morphvae::training::{FewLabels, HeldRun, RunConfig, RunFolder};
use serde::Serialize;

use super::arguments::TrainArguments;
use super::settings::{continued, put};
use super::to_the_end;
use crate::answers::Usage;
use crate::arguments::ModelArgument;
use crate::console::{Console, grouped};
use crate::interrupt;
use crate::model;
use crate::observer::observer;

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Summary {
    run: PathBuf,
    model: PathBuf,
    labels_for: usize,
    #[serde(flatten)]
    metrics: Option<SemiSupervisedMetrics>,
}

/// Whether such a run is to begin, or to go on.
pub fn is_asked_for(arguments: &TrainArguments) -> bool {
    let goes_on = |run: &PathBuf| RunFolder::open(run).is_ok_and(|(_, config)| config.semi_supervised.is_some());
    arguments.labels_for.is_some() && arguments.resume.is_none() || arguments.resume.as_ref().is_some_and(goes_on)
}

pub fn run(arguments: &TrainArguments, console: Console) -> anyhow::Result<()> {
    let mut run = match &arguments.resume {
        Some(path) => resumed(path, arguments, console)?,
        None => begun(arguments, console)?,
    };
    introduce(&run, console);
    while !run.training().is_finished() {
        let finished;
        (run, finished) = run.epoch(&observer(console))?;
        let path = run.folder().path().display();
        match finished {
            Some(metrics) => console.note(line(&metrics)),
            None => {
                console.note(format!("stopped; go on with: morphvae train --resume {path}"));
                return Err(interrupt::Stopped.into());
            }
        }
    }
    run.draw()?;
    let model = run.folder().model_path();
    console.note(format!("model:   {}", model.display()));
    let figures = run.folder().figures_path();
    console.note(format!("figures: {}", figures.display()));
    console.note(format!(
        "classify with: morphvae classify {} IMAGE...",
        run.folder().path().display()
    ));
    if arguments.json {
        console.json(&Summary {
            run: run.folder().path().to_owned(),
            model,
            labels_for: run.config().semi_supervised.as_ref().map_or(0, |few| few.labels_for),
            metrics: run.training().history().last().cloned(),
        })?;
    }
    Ok(())
}

fn begun(arguments: &TrainArguments, console: Console) -> anyhow::Result<SemiSupervisedRun> {
    let few = FewLabels {
        labels_for: arguments.labels_for.unwrap_or_default(),
        learning: learning(arguments, SemiSupervisedConfig::default()),
    };
    few.learning.validate().map_err(StudioError::from)?;
    let mut request = arguments.images.request()?;
    if request.source.is_none() && arguments.init_from.is_none() {
        request.source = Some(Source::usual(&request.store, &observer(console))?);
    }
    let out = match (&arguments.out, &request.source, &arguments.init_from) {
        (Some(out), ..) => out.clone(),
        (None, Some(source), _) => free_name(&source.name(), few.labels_for, arguments.force),
        (None, None, Some(model)) => free_name(&stem(model), few.labels_for, arguments.force),
        (None, None, None) => unreachable!("without a model the images are named"),
    };
    // What cannot be written shows before the images are read.
    let folder = HeldRun::claim(&out, arguments.force)?;
    let features = match &arguments.init_from {
        Some(path) => path.clone(),
        None => trained_features(&out, &few, &request, arguments, console)?,
    };
    let model = model::open(&ModelArgument { model: Some(features) }, console)?;
    let mut config = SemiSupervisedRun::on(&model, few)?;
    put_data(arguments, &mut config);
    Ok(SemiSupervisedRun::begin(
        folder,
        config,
        &model,
        &request,
        &observer(console),
    )?)
}

fn resumed(path: &Path, arguments: &TrainArguments, console: Console) -> anyhow::Result<SemiSupervisedRun> {
    let (folder, config) = HeldRun::reopen(path)?;
    let mut asked = config.clone();
    let request = arguments.images.request()?;
    if let Some(few) = &mut asked.semi_supervised {
        put(&mut few.labels_for, arguments.labels_for);
        few.learning = learning(arguments, few.learning.clone());
    }
    put_data(arguments, &mut asked);
    let config = continued(config, asked, &request)?;
    Ok(SemiSupervisedRun::resume(folder, config, &request, &observer(console))?)
}

/// How the images are divided and seen, as far as that was typed.
fn put_data(arguments: &TrainArguments, config: &mut RunConfig) {
    let data = &mut config.data;
    data.limit = arguments.limit.or(data.limit);
    data.validation = arguments.validation.or(data.validation);
    data.binarize = arguments.images.binarize.or(data.binarize);
    put(&mut data.fit, arguments.images.fit);
}

/// The classifier's settings with what was typed.
fn learning(arguments: &TrainArguments, before: SemiSupervisedConfig) -> SemiSupervisedConfig {
    let mut config = before;
    put(&mut config.latent, arguments.latent);
    if let Some(hidden) = &arguments.hidden {
        config.hidden.clone_from(hidden);
    }
    put(&mut config.epochs, arguments.epochs);
    put(&mut config.batch_size, arguments.batch_size);
    put(&mut config.learning_rate, arguments.learning_rate);
    put(&mut config.seed, arguments.seed);
    config
}

/// Trains the network whose latents are the features, beside the run; its folder.
fn trained_features(
    out: &Path,
    few: &FewLabels,
    request: &ImageRequest,
    arguments: &TrainArguments,
    console: Console,
) -> anyhow::Result<PathBuf> {
    let path = beside(out);
    if path.exists() {
        let text = format!(
            "{}: this exists: build on it with --init-from {}, or choose another --out",
            path.display(),
            path.display()
        );
        return Err(Usage(text).into());
    }
    let mut config = RunConfig::for_features();
    put_data(arguments, &mut config);
    // Labels that are missing show before hours of work without them.
    let images = SemiSupervisedRun::check_labels(&config, few, request, &observer(console))?;
    let config = config.with_enough_epochs(images);
    console.note(format!(
        "first, without labels, the network whose latents are the features, in {}",
        path.display()
    ));
    let folder = HeldRun::claim(&path, false)?;
    let run = Run::begin(folder, config, None, request, &observer(console))?.with_grid(arguments.grid);
    drop(to_the_end(run, console)?);
    console.note(format!(
        "other seeds and numbers of labels can build on it with --init-from {}",
        path.display()
    ));
    Ok(path)
}

/// `runs/few-features` for `runs/few`.
fn beside(out: &Path) -> PathBuf {
    let mut name = OsString::from(out.file_name().unwrap_or_default());
    name.push("-features");
    out.with_file_name(name)
}

/// `runs/mnist-10-labels`, or with a number behind it when that is taken.
fn free_name(dataset: &str, labels_for: usize, force: bool) -> PathBuf {
    let folder = PathBuf::from("runs");
    let name = format!("{dataset}-{labels_for}-labels");
    let first = folder.join(&name);
    if force || !first.exists() {
        return first;
    }
    let others = (2..).map(|number| folder.join(format!("{name}-{number}")));
    others.into_iter().find(|path| !path.exists()).unwrap_or(first)
}

fn stem(model: &Path) -> String {
    model.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn introduce(run: &SemiSupervisedRun, console: Console) {
    let (config, data) = (run.config(), run.data());
    let Some(few) = &config.semi_supervised else { return };
    console.note(format!(
        "{}: {} images with a label, {} of each of {} classes, and {} without",
        config.data.dataset,
        grouped(data.labelled()),
        few.labels_for,
        run.classes().len(),
        grouped(data.unlabelled()),
    ));
    let units: Vec<String> = few.learning.hidden.iter().map(ToString::to_string).collect();
    console.note(format!(
        "features: {} of {} latents; classifier: {} hidden unit(s), {} latent(s); {} epoch(s) in batches of {} without a label; \
         cpu, {} thread(s)",
        data.features(),
        config.network.latent,
        units.join(", "),
        few.learning.latent,
        few.learning.epochs,
        few.learning.batch_size,
        rayon::current_num_threads(),
    ));
    if run.training().is_finished() {
        let done = run.training().history().len();
        console.note(format!("all {done} epoch(s) are done: to go on, give more --epochs"));
    }
}

fn line(metrics: &SemiSupervisedMetrics) -> String {
    let wrong = |what: &str, share: Option<f64>| {
        share.map_or(String::new(), |share| format!("  {what} {:.2} % wrong", 100.0 * share))
    };
    format!(
        "epoch {:>3}  loss {:.2}, with label {:.2}, cross-entropy {:.3} nats{}{}  {:.0} images/s",
        metrics.epoch,
        metrics.unlabelled_loss,
        metrics.labelled_loss,
        metrics.cross_entropy,
        wrong("validation", metrics.validation_error),
        wrong("test", metrics.test_error),
        metrics.images_per_second,
    )
}
