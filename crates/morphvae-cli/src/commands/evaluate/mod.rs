//! `morphvae evaluate`

pub mod likelihood;

use clap::{ArgGroup, Args};
use std::path::{Path, PathBuf};

use anyhow::bail;
use morphvae::data::{Images, Protocol, Split};
use morphvae::device::DeviceChoice;
use morphvae::evaluation::{EvaluationOptions, ImageLosses, LikelihoodOptions, evaluate};
use morphvae::objective::Objective;
use morphvae::probability::Likelihood;
use morphvae::studio::{Model, Part};
use morphvae::tables::{Rows, Table};
use serde::Serialize;

use crate::arguments::values::{positive, whole};
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::{Console, Unit, grouped};
use crate::interrupt;
use crate::limits::check_new_file;
use crate::model;
use crate::observer::observer;
use likelihood::LikelihoodReport;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("written").args(["per_image", "figure"]).multiple(true)))]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Use only the first N images, for a quick look: not the numbers of the whole split
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Seed of the posteriors' samples: those that the loss takes, and those of --samples
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Also estimate log p(x) by importance sampling, from so many samples of the posterior an image: papers take 5000
    #[arg(long, value_name = "K", value_parser = positive(), allow_negative_numbers = true)]
    pub samples: Option<usize>,
    /// Draw those samples from posteriors this many times as wide as the encoder's, for an encoder that is surer than it
    /// should be, as few effective samples show
    #[arg(
        long,
        value_name = "TIMES",
        requires = "samples",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub spread: f64,
    /// Draw the bound below log p(x) by the number of samples, as .png
    #[arg(long, value_name = "FILE", requires = "samples")]
    pub figure: Option<PathBuf>,
    /// Also write each image's loss and its terms, as .csv or .npz
    #[arg(long, value_name = "FILE")]
    pub per_image: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, requires = "written")]
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
    /// What was done to the images.
    protocol: String,
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
    /// Samples of each image's posterior that the test loss is of.
    loss_samples: usize,
    seed: u64,
    #[serde(flatten)]
    sampled: Option<LikelihoodReport>,
}

pub fn run(arguments: &EvaluateArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    if let Some(file) = &arguments.per_image {
        let rule = "losses are written as .csv or .npz: choose such a file";
        check_new_file(file, &["csv", "npz"], rule, "file", arguments.force)?;
    }
    if let Some(file) = &arguments.figure {
        let rule = "figures are written as .png: choose such a file";
        check_new_file(file, &["png"], rule, "file", arguments.force)?;
    }
    let model = model::open_on(&arguments.model, choice, console)?;
    let request = arguments.images.request()?;
    let mut dataset = model.unseen_images(&request, &observer(console))?;
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
    let sampling = arguments.samples.map(|samples| LikelihoodOptions {
        objective,
        samples,
        spread: arguments.spread,
        seed: arguments.seed,
    });
    if let Some(sampling) = &sampling {
        sampling.check(model.inference(), &dataset.test.images)?;
    }
    let total = dataset.test.images.count() as u64;
    let mut meter = console.progress(Unit::Images);
    let evaluation = evaluate(model.inference(), &dataset.test, options, &mut |images| {
        meter.update("testing", images as u64, total, "");
        interrupt::check()
    })?;
    drop(meter);
    let Some(evaluation) = evaluation else { bail!("stopped") };
    let sampled = match sampling {
        Some(sampling) => Some(likelihood::estimate(&model, &dataset.test, sampling, console)?),
        None => None,
    };
    let protocol = Protocol {
        binarize: request.binarize.or(model.protocol().binarize),
        ..model.protocol()
    };
    if let (Some(file), Some(estimate)) = (&arguments.figure, &sampled) {
        let what = format!("{} · {} · {protocol}", model.name(), dataset.name);
        likelihood::draw(file, estimate, &what)?;
        console.note(format!("the bound by the number of samples in {}", file.display()));
    }
    if let Some(file) = &arguments.per_image {
        write_losses(file, &dataset.test, &dataset.classes, &evaluation.per_image)?;
        console.note(format!("the losses of each image in {}", file.display()));
    }
    let report = Report {
        model: model.name().to_owned(),
        dataset: dataset.name,
        protocol: protocol.to_string(),
        test_loss: evaluation.loss.loss,
        test_reconstruction: evaluation.loss.reconstruction,
        test_kl: evaluation.loss.kl,
        likelihood: model.network().likelihood(),
        likelihood_scale: model.network().likelihood_scale(),
        informative_latents: evaluation.informative_latents(),
        images: evaluation.images,
        of_images,
        per_image: arguments.per_image.clone(),
        loss_samples: samples,
        seed: arguments.seed,
        sampled: sampled.as_ref().map(|estimate| likelihood::report(&model, estimate)),
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
        "model                {}\ndata set             {}, {part}, {images}\nprotocol             {}\n\
         loss                 {:.2} nats per image ({how})\n\
         {}{divergence}",
        report.model,
        report.dataset,
        report.protocol,
        report.test_loss,
        reconstruction_line(&report, &model, &dataset.test.images),
    ))?;
    if let Some(sampled) = &report.sampled {
        console.print(&likelihood::lines(sampled))?;
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
    let samples = match report.loss_samples {
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
fn reconstruction_line(report: &Report, model: &Model, images: &Images) -> String {
    let term = match report.likelihood {
        Likelihood::CrossEntropy => "cross-entropy",
        _ => "neg. log-likelihood",
    };
    let is_binary = images.is_binary_at(model.network().config().image_size);
    let remark = match report.likelihood {
        Likelihood::CrossEntropy if is_binary => "of black and white pixels: a Bernoulli likelihood".to_owned(),
        likelihood => likelihood.remark(report.likelihood_scale),
    };
    format!("{term:<19}  {:.2} nats ({remark})", report.test_reconstruction)
}
