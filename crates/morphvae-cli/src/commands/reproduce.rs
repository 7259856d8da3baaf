//! `morphvae reproduce`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use morphvae::Device;
use morphvae::device::DeviceChoice;
use morphvae::evaluation::LikelihoodOptions;
use morphvae::studio::{ImageRequest, Measure, Model, REPRODUCTIONS, Reproduction, Run};
use morphvae::training::HeldRun;
use serde::Serialize;

use super::evaluate::likelihood;
use super::train::to_the_end;
use crate::arguments::StoreArguments;
use crate::arguments::values::whole;
use crate::console::{Console, grouped};
use crate::device;
use crate::interrupt;
use crate::observer::observer;

/// What is named to see the others.
const LIST: &str = "list";

#[derive(Debug, Args)]
pub struct ReproduceArguments {
    /// Which number, or `list` to see them
    #[arg(value_name = "NAME", value_parser = names(), hide_possible_values = true)]
    pub name: String,
    /// Seed of every random number in the run
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// The run's folder [default: runs/reproduce-NAME]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Go on with a run that was stopped, or only measure one that is done
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Replace an existing run
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub store: StoreArguments,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn names() -> PossibleValuesParser {
    let known = REPRODUCTIONS.iter().map(|reproduction| reproduction.name);
    PossibleValuesParser::new(known.chain([LIST]).map(PossibleValue::new))
}

/// What `--json` prints of one; its keys are a contract.
#[derive(Serialize)]
struct Report {
    name: &'static str,
    paper: &'static str,
    network: &'static str,
    /// What the numbers are, and of which images.
    measure: String,
    protocol: String,
    published: f64,
    ours: f64,
    /// Of a likelihood: over the test images.
    standard_error: Option<f64>,
    difference: f64,
    epochs: usize,
    seed: u64,
    training_seconds: f64,
    measuring_seconds: f64,
    run: PathBuf,
}

pub fn run(arguments: &ReproduceArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    let Some(reproduction) = Reproduction::named(&arguments.name) else {
        return list(arguments.json, console);
    };
    interrupt::listen()?;
    let opened = device::open(choice, console)?;
    let report = reproduce(reproduction, arguments, &opened.device, console)?;
    if arguments.json {
        return Ok(console.json(&report)?);
    }
    let error = match report.standard_error {
        Some(error) => format!(", standard error {error:.2}"),
        None => String::new(),
    };
    Ok(console.print(&format!(
        "paper        {}\nnetwork      {}\nmeasure      {}\nprotocol     {}\npublished    {:.2} nats\n\
         ours         {:.2} nats{error}\ndifference   {:+.2} nats\ntime         {} to train {} epoch(s), {} to measure\n\
         run          {}",
        report.paper,
        report.network,
        report.measure,
        report.protocol,
        report.published,
        report.ours,
        report.difference,
        span(report.training_seconds),
        report.epochs,
        span(report.measuring_seconds),
        report.run.display(),
    ))?)
}

fn list(json: bool, console: Console) -> anyhow::Result<()> {
    if json {
        let known: Vec<_> = REPRODUCTIONS
            .iter()
            .map(|known| {
                serde_json::json!({
                    "name": known.name, "paper": known.paper, "network": known.network, "published": known.published,
                    "measure": measure(known), "protocol": known.config(0).data.protocol().to_string(),
                    "epochs": known.epochs, "minutes": known.minutes,
                })
            })
            .collect();
        return Ok(console.json(&serde_json::json!({ "reproductions": known }))?);
    }
    for known in &REPRODUCTIONS {
        console.print(&format!(
            "{:<18} {:>7.2} nats  {}, {} epoch(s) at most, about {} on two cores\n{:33}{}\n{:33}{}\n{:33}{}",
            known.name,
            known.published,
            known.network,
            known.epochs,
            rough(known.minutes),
            "",
            known.paper,
            "",
            measure(known),
            "",
            known.config(0).data.protocol(),
        ))?;
    }
    Ok(())
}

fn reproduce(
    known: &'static Reproduction,
    arguments: &ReproduceArguments,
    device: &Device,
    console: Console,
) -> anyhow::Result<Report> {
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => PathBuf::from("runs").join(format!("reproduce-{}", known.name)),
    };
    let request = ImageRequest {
        source: Some(known.source()?),
        store: arguments.store.store(),
        ..ImageRequest::default()
    };
    let asked = known.config(arguments.seed);
    let run = if arguments.resume {
        let (folder, config) = HeldRun::reopen(&out)?;
        let mut asked = asked;
        asked.data.clone_from(&config.data);
        asked.network.channels = config.network.channels;
        asked.training.output = config.training.output;
        config.refuse_differences(&asked)?;
        Run::resume(folder, config, &request, &observer(console))?
    } else {
        let folder = HeldRun::claim(&out, arguments.force)?;
        Run::begin(folder, asked, None, &request, &observer(console))?
    };
    let run = to_the_end(run.on(device), console)?;
    let history = run.training().history();
    let training_seconds = history.iter().map(|epoch| epoch.seconds).sum();
    let epochs = history.len();
    let last = history.last().context("the run has no epoch")?.test_loss;
    // Test images must not choose the epoch.
    let chosen = match run.config().data.validation {
        Some(_) => out.clone(),
        None => run.folder().model_path(),
    };
    drop(run);

    let start = Instant::now();
    let model = Model::open(&chosen)?.on(device);
    let (ours, standard_error) = match known.measure {
        Measure::TestLoss => (last, None),
        Measure::Likelihood { samples } => {
            let dataset = model.unseen_images(&request, &observer(console))?;
            let options = LikelihoodOptions {
                objective: known.config(0).training.objective,
                samples,
                spread: 1.0,
                seed: arguments.seed,
            };
            let estimate = likelihood::estimate(&model, &dataset.test, options, console)?;
            (estimate.negative_log_likelihood, Some(estimate.standard_error))
        }
    };
    Ok(Report {
        name: known.name,
        paper: known.paper,
        network: known.network,
        measure: measure(known),
        protocol: model.protocol().to_string(),
        published: known.published,
        ours,
        standard_error,
        difference: ours - known.published,
        epochs,
        seed: arguments.seed,
        training_seconds,
        measuring_seconds: start.elapsed().as_secs_f64(),
        run: out,
    })
}

fn measure(known: &Reproduction) -> String {
    match known.measure {
        Measure::TestLoss => "test loss after the last epoch, one sample an image".to_owned(),
        Measure::Likelihood { samples } => {
            let epoch = match known.config(0).data.validation {
                Some(_) => "best epoch",
                None => "last epoch",
            };
            format!("-log p(x) after the {epoch}, {} samples an image", grouped(samples))
        }
    }
}

/// `25 min`, `6 h`.
fn rough(minutes: usize) -> String {
    match minutes {
        0..120 => format!("{minutes} min"),
        _ => format!("{} h", minutes / 60),
    }
}

/// `1 h 4 min`, `3 min 5 s`.
fn span(seconds: f64) -> String {
    let seconds = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
