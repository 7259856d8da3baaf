//! `morphvae figures`

use clap::Args;
use std::path::PathBuf;

use morphvae::evaluation::encode;
use morphvae::figures::Gallery;
use morphvae::objective::Objective;
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::values::grid;
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::Console;
use crate::limits::{check_figure, check_out_folder};
use crate::model;
use crate::observer::observer;

#[derive(Debug, Args)]
pub struct FiguresArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Images per side of the sheet of continuously changing images
    #[arg(long, value_name = "N", default_value = "20", value_parser = grid(), allow_negative_numbers = true)]
    pub grid: usize,
    /// Folder for the figures [default: the run's own, or MODEL-figures]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write into an existing folder
    #[arg(long)]
    pub force: bool,
    /// Print the figures' paths as one JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &FiguresArguments, console: Console) -> anyhow::Result<()> {
    let model = model::open(&arguments.model, console)?;
    let out = match (&arguments.out, model.run()) {
        (Some(out), _) => out.clone(),
        (None, Some(run)) => run.figures_path(),
        (None, None) => PathBuf::from(format!("{}-figures", model.stem())),
    };
    // A run's own figures are there to be drawn again.
    let own = model.run().is_some_and(|run| run.figures_path() == out);
    if out.exists() && !own && !arguments.force {
        return Err(Usage::exists(&out).into());
    }
    check_out_folder(&out)?;
    let config = model.network().config();
    check_figure("--grid", arguments.grid, |grid| Gallery::check(config, grid))?;
    let dataset = model.images(&arguments.images.request()?, None, &observer(console))?;
    let network = model.inference();
    let codes = encode(network, &dataset.test)?;
    let has_classifier = model.card().is_some_and(|card| card.classifier.is_some());
    let history = match model.run() {
        // The metrics of such a run are the classifier's.
        Some(run) if !has_classifier => run.metrics()?,
        _ => Vec::new(),
    };
    let epoch = model.card().map(|card| card.epochs);
    let epoch = history.iter().find(|metrics| Some(metrics.epoch) == epoch);
    let holds_best = model.run().is_some_and(|run| run.best_path().exists());
    let gallery = Gallery {
        network,
        dataset: &dataset.name,
        test: &dataset.test,
        codes: &codes,
        classes: &dataset.classes,
        objective: model.card().map_or(Objective::Vae, |card| card.objective),
        history: &history,
        epoch,
        best: epoch.filter(|_| holds_best),
        grid: arguments.grid,
    };
    let figures = gallery.draw(&out)?;
    console.note(format!("{} figures in {}", figures.len(), out.display()));
    if arguments.json {
        console.json(&json!({ "figures": figures }))?;
    }
    Ok(())
}
