//! `morphvae evaluate`

use clap::Args;
use std::path::{Path, PathBuf};

use anyhow::bail;
use morphvae::data::Split;
use morphvae::evaluation::{EvaluationOptions, ImageLosses, evaluate};
use morphvae::objective::Objective;
use morphvae::probability::Likelihood;
use morphvae::studio::Part;
use morphvae::tables::{Rows, Table};
use serde::Serialize;

use crate::answers::Usage;
use crate::arguments::values::{positive, whole};
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::{Console, Unit, grouped};
use crate::interrupt;
use crate::limits::check_out_file;
use crate::model;
use crate::observer::observer;

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Use only the first N images, for a quick look: not the numbers of the whole split
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Seed of the noise: of one sample of the posterior per image, or as many as the model was trained with
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Also write each image's loss and its terms, as .csv or .npz
    #[arg(long, value_name = "FILE")]
    pub per_image: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "per_image")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Report {
    model: String,
    dataset: String,
    test_loss: f64,
    test_reconstruction: f64,
    test_kl: f64,
    likelihood: Likelihood,
    likelihood_scale: Option<f32>,
    informative_latents: usize,
    images: usize,
    /// Images that there are; more than were judged with `--limit`.
    of_images: usize,
    per_image: Option<PathBuf>,
    /// Samples of each image's posterior.
    samples: usize,
    seed: u64,
}

pub fn run(arguments: &EvaluateArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    if let Some(file) = &arguments.per_image {
        check_table(file, arguments.force)?;
        check_out_file(file)?;
    }
    let model = model::open(&arguments.model, console)?;
    let mut dataset = model.unseen_images(&arguments.images.request()?, &observer(console))?;
    let of_images = dataset.test.images.count();
    dataset.test.truncate(arguments.limit.unwrap_or(of_images));
    let (objective, beta, samples) = model.card().map_or((Objective::Vae, 1.0, 1), |card| {
        (card.objective, card.beta, card.samples)
    });
    let options = EvaluationOptions {
        objective,
        beta,
        samples,
        seed: arguments.seed,
    };
    let total = dataset.test.images.count() as u64;
    let mut meter = console.progress(Unit::Images);
    let evaluation = evaluate(model.inference(), &dataset.test.images, options, &mut |images| {
        meter.update("testing", images as u64, total, "");
        interrupt::check()
    })?;
    drop(meter);
    let Some(evaluation) = evaluation else { bail!("stopped") };
    if let Some(file) = &arguments.per_image {
        write_losses(file, &dataset.test, &dataset.classes, &evaluation.per_image)?;
        console.note(format!("the losses of each image in {}", file.display()));
    }
    let report = Report {
        model: model.name().to_owned(),
        dataset: dataset.name,
        test_loss: evaluation.loss.loss,
        test_reconstruction: evaluation.loss.reconstruction,
        test_kl: evaluation.loss.kl,
        likelihood: model.network().likelihood(),
        likelihood_scale: model.network().likelihood_scale(),
        informative_latents: evaluation.informative_latents(),
        images: evaluation.images,
        of_images,
        per_image: arguments.per_image.clone(),
        samples,
        seed: arguments.seed,
    };
    if arguments.json {
        return Ok(console.json(&report)?);
    }
    let part = match dataset.train.images.count() {
        0 => "all images",
        _ => "test split",
    };
    let images = match report.images < of_images {
        true => format!(
            "the first {} of its {} images: not the numbers of the whole",
            grouped(report.images),
            grouped(of_images)
        ),
        false => format!("{} images", report.images),
    };
    let (how, divergence) = match objective.is_variational() {
        true => (
            how(objective, &report),
            format!(
                "\nKL divergence        {:.2} nats\ninformative latents  {} of {}",
                report.test_kl,
                report.informative_latents,
                model.network().config().latent,
            ),
        ),
        false => (
            "plain autoencoder: no noise, no KL divergence".to_owned(),
            String::new(),
        ),
    };
    console.print(&format!(
        "model                {}\ndata set             {}, {part}, {images}\n\
         loss                 {:.2} nats per image ({how})\n\
         {}{divergence}",
        report.model,
        report.dataset,
        report.test_loss,
        reconstruction_line(&report),
    ))?;
    Ok(())
}

/// Refuses a file that cannot be written before the images are judged.
fn check_table(file: &Path, force: bool) -> Result<(), Usage> {
    if !matches!(file.extension().and_then(|ending| ending.to_str()), Some("csv" | "npz")) {
        let text = format!(
            "{}: losses are written as .csv or .npz: choose such a file",
            file.display()
        );
        return Err(Usage(text));
    }
    if file.exists() && !force {
        let text = format!(
            "{}: this exists: replace it with --force, or choose another file",
            file.display()
        );
        return Err(Usage(text));
    }
    Ok(())
}

fn write_losses(file: &Path, split: &Split, classes: &[String], losses: &ImageLosses) -> anyhow::Result<()> {
    let rows = Rows {
        ids: &Part::Test.ids(split),
        labels: split.labels.as_deref(),
        classes,
    };
    Ok(Table::new(rows, losses.columns())?.write(file)?)
}

/// What the loss is of.
fn how(objective: Objective, report: &Report) -> String {
    let samples = match report.samples {
        1 => "one sample of the posterior".to_owned(),
        samples => format!("{samples} samples of the posterior"),
    };
    let bound = match objective.is_importance_weighted() {
        true => "importance-weighted bound, ",
        false => "",
    };
    format!("{bound}{samples}, seed {}", report.seed)
}

/// The loss's first term, and what is to be known of it.
fn reconstruction_line(report: &Report) -> String {
    let term = match report.likelihood {
        Likelihood::CrossEntropy => "cross-entropy",
        _ => "neg. log-likelihood",
    };
    let (value, remark) = (
        report.test_reconstruction,
        report.likelihood.remark(report.likelihood_scale),
    );
    format!("{term:<19}  {value:.2} nats ({remark})")
}
