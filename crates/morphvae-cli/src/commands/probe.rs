//! `morphvae probe`

use clap::Args;
use std::path::{Path, PathBuf};

use morphvae::choice::Choice;
use morphvae::device::DeviceChoice;
use morphvae::figures::{Caption, ProbedModel, probe, write_png};
use morphvae::objective::Objective;
use morphvae::studio::{Model, Probe, StudioError};
use serde::Serialize;

use crate::arguments::values::positive;
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::{Console, grouped};
use crate::device;
use crate::limits::check_picture;
use crate::model;
use crate::observer::observer;

#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// Runs' folders, .safetensors or PyTorch .pth files [default: the bundled model of MNIST digits]
    #[arg(value_name = "MODEL")]
    pub models: Vec<PathBuf>,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Use at most N training images and N test images, for a quick look
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Also draw it, as .png: models of two dimensions as maps with their boundaries
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Report<'a> {
    models: Vec<ModelReport<'a>>,
    out: Option<&'a Path>,
}

/// What it says of each model.
#[derive(Serialize)]
struct ModelReport<'a> {
    model: &'a str,
    /// Nothing for weights from elsewhere.
    objective: Option<Objective>,
    latent: usize,
    dataset: &'a str,
    linear_accuracy: f64,
    neighbour_accuracy: f64,
    /// The accuracy of always naming the commonest class.
    commonest_accuracy: f64,
    neighbours: usize,
    train_images: usize,
    test_images: usize,
    finding: String,
}

/// A model and what was found of it.
struct Probed {
    name: String,
    probe: Probe,
}

pub fn run(arguments: &ProbeArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    if let Some(out) = &arguments.out {
        check_picture(out, arguments.force)?;
    }
    let request = arguments.images.request()?;
    request.check()?;
    let opened = device::open(choice, console)?;
    // What is no model is refused before any of them is probed.
    let models: Vec<Model> = named(&arguments.models)
        .iter()
        .map(|argument| Ok(model::open(argument, console)?.on(&opened.device)))
        .collect::<Result<_, StudioError>>()?;
    let mut probed = Vec::with_capacity(models.len());
    for model in models {
        let probe = Probe::of(&model, &request, arguments.limit, &observer(console))?;
        probed.push(Probed {
            name: model.name().to_owned(),
            probe,
        });
    }
    if let Some(out) = &arguments.out {
        draw(&probed, out)?;
        console.note(format!("drawn in {}", out.display()));
    }
    if arguments.json {
        let report = Report {
            models: probed.iter().map(Probed::report).collect(),
            out: arguments.out.as_deref(),
        };
        return Ok(console.json(&report)?);
    }
    console.print(&table(&probed))?;
    Ok(console.print(&sentences(&probed))?)
}

/// The models that are named, or the bundled one.
fn named(models: &[PathBuf]) -> Vec<ModelArgument> {
    let argument = |model| ModelArgument { model };
    match models {
        [] => vec![argument(None)],
        models => models.iter().cloned().map(Some).map(argument).collect(),
    }
}

impl Probed {
    fn report(&self) -> ModelReport<'_> {
        let Probe {
            dataset,
            objective,
            findings,
            ..
        } = &self.probe;
        ModelReport {
            model: &self.name,
            objective: *objective,
            latent: findings.dimensions,
            dataset,
            linear_accuracy: findings.linear.share(),
            neighbour_accuracy: findings.neighbours.share(),
            commonest_accuracy: findings.commonest.share(),
            neighbours: findings.voters,
            train_images: findings.train_images,
            test_images: findings.linear.of,
            finding: findings.to_string(),
        }
    }

    /// What kind of network it is.
    fn kind(&self) -> String {
        self.probe
            .objective
            .map_or_else(|| "unknown".to_owned(), |objective| objective.name().to_uppercase())
    }
}

/// A line for each model.
fn table(probed: &[Probed]) -> String {
    let widest = probed.iter().map(|one| one.name.chars().count()).fold(5, usize::max);
    let mut text = format!(
        "{:widest$}  kind     latent  linear   neighbours  training images  test images",
        "model"
    );
    for one in probed {
        let findings = &one.probe.findings;
        text.push_str(&format!(
            "\n{:widest$}  {:7}  {:6}  {:>7}  {:>10}  {:>15}  {:>11}",
            one.name,
            one.kind(),
            findings.dimensions,
            findings.linear.to_string(),
            findings.neighbours.to_string(),
            grouped(findings.train_images),
            grouped(findings.linear.of),
        ));
    }
    text
}

/// What may be said of each model.
fn sentences(probed: &[Probed]) -> String {
    let sentence = |one: &Probed| match probed.len() {
        1 => format!("\n{}", one.probe.findings),
        _ => format!("\n{}: {}", one.name, one.probe.findings),
    };
    probed.iter().map(sentence).collect()
}

fn draw(probed: &[Probed], out: &Path) -> anyhow::Result<()> {
    let kinds: Vec<String> = probed.iter().map(Probed::kind).collect();
    let models: Vec<ProbedModel> = probed
        .iter()
        .zip(&kinds)
        .map(|(Probed { name, probe }, kind)| ProbedModel {
            name,
            kind,
            test: &probe.test,
            classes: &probe.classes,
            regression: &probe.regression,
            findings: &probe.findings,
        })
        .collect();
    let subtitle = subtitle(probed);
    let caption = Caption::new("Do straight boundaries tell the classes apart?", &subtitle);
    Ok(write_png(out, &probe(&models, &caption)?)?)
}

/// Of which images, and what is seen: `mnist · 10,000 test images · on each class's ground where softmax regression sees it`.
fn subtitle(probed: &[Probed]) -> String {
    let mut images: Vec<String> = probed
        .iter()
        .map(|Probed { probe, .. }| format!("{} · {} test images", probe.dataset, grouped(probe.findings.linear.of)))
        .collect();
    images.dedup();
    if probed.iter().any(|one| one.probe.findings.dimensions == 2) {
        images.push("ground and lines: softmax regression".to_owned());
    }
    images.join(" · ")
}
