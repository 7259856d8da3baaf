//! `morphvae figures`

use std::path::PathBuf;

use morphvae::evaluation::encode;
use morphvae::figures::Gallery;
use morphvae::objective::Objective;
use serde_json::json;

use crate::Usage;
use crate::arguments::FiguresArguments;
use crate::console::Console;
use crate::limits::{check_figure, check_out_folder};
use crate::model::Model;

pub fn run(arguments: &FiguresArguments, console: Console) -> anyhow::Result<()> {
    let model = Model::open(&arguments.model, console)?;
    let out = match (&arguments.out, &model.run) {
        (Some(out), _) => out.clone(),
        (None, Some(run)) => run.figures_path(),
        (None, None) => PathBuf::from(format!("{}-figures", model.stem())),
    };
    // A run's own figures are there to be drawn again.
    let own = model.run.as_ref().is_some_and(|run| run.figures_path() == out);
    if out.exists() && !own && !arguments.force {
        return Err(Usage::exists(&out).into());
    }
    check_out_folder(&out)?;
    let config = model.network().config();
    check_figure("--grid", arguments.grid, |grid| Gallery::check(config, grid))?;
    let source = model.source(&arguments.images, console)?;
    let dataset = model.load(&source, &arguments.images, None, console)?;
    let network = model.inference();
    let codes = encode(&network, &dataset.test.images)?;
    let history = match &model.run {
        Some(run) => run.metrics()?,
        None => Vec::new(),
    };
    let epoch = model.card().map(|card| card.epochs);
    let epoch = history.iter().find(|metrics| Some(metrics.epoch) == epoch);
    let holds_best = model.run.as_ref().is_some_and(|run| run.best_path().exists());
    let gallery = Gallery {
        network: &network,
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
