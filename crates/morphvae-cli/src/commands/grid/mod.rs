//! `morphvae grid`

mod slice;
mod traverse;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use morphvae::latent::{linear_grid, quantile_grid};
use morphvae::model::{Inference, ModelCard};
use morphvae::objective::Objective;

use crate::Usage;
use crate::arguments::{GridArguments, SpacingArgument};
use crate::console::Console;
use crate::keys::KeyReader;
use crate::model::Model;

/// Linear spacing reaches so far from the middle of the prior unless told otherwise.
const RANGE: f64 = 3.0;

pub fn run(arguments: &GridArguments, console: Console) -> anyhow::Result<()> {
    let model = Model::open(&arguments.model, console)?;
    let kind = if arguments.traverse { "traversals" } else { "grid" };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-{kind}.png", model.stem())));
    if !out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        let text = format!(
            "{}: the picture is written as .png: choose such an --out",
            out.display()
        );
        return Err(Usage(text).into());
    }
    if out.exists() && !arguments.force {
        return Err(Usage::exists(&out).into());
    }
    let job = Job {
        arguments,
        network: model.inference(),
        model: &model,
        out: &out,
        console,
    };
    if arguments.traverse {
        traverse::run(&job)
    } else {
        slice::run(&job)
    }
}

/// What both kinds of picture need.
struct Job<'a> {
    arguments: &'a GridArguments,
    model: &'a Model,
    network: Inference,
    out: &'a Path,
    console: Console,
}

impl Job<'_> {
    fn latent(&self) -> usize {
        self.model.network().config().latent
    }

    /// The point whose dimensions stay where they do not change.
    fn base(&self) -> anyhow::Result<Vec<f64>> {
        let mut keys = self.keys(self.arguments.base.as_slice())?;
        let base = keys.pop().map(|point| point.into_iter().map(f64::from).collect());
        Ok(base.unwrap_or_else(|| vec![0.0; self.latent()]))
    }

    /// The points that keys stand for.
    fn keys(&self, keys: &[OsString]) -> anyhow::Result<Vec<Vec<f32>>> {
        let images = &self.arguments.images;
        let mut reader = KeyReader::new(self.model, &self.network, images, 0, self.console);
        let keys = keys.iter().enumerate();
        keys.map(|(number, key)| reader.read(key, number, &[])).collect()
    }

    /// `count` values, spaced as asked, or as `usual`; and what is to be said of that.
    fn spaced(&self, count: usize, usual: SpacingArgument) -> Result<(Vec<f64>, &'static str), Usage> {
        let linear = || match self.arguments.range.unwrap_or(RANGE) {
            range if range > 0.0 && range <= 1e6 => Ok((linear_grid(count, range), "evenly spaced")),
            range => Err(Usage(format!(
                "--range is {range}; give more than 0, and no more than a million"
            ))),
        };
        match (self.arguments.spacing, self.arguments.range) {
            (Some(SpacingArgument::Quantile), Some(_)) => Err(Usage(
                "--range is for --spacing linear: quantiles of the prior reach as far as they reach".into(),
            )),
            (Some(SpacingArgument::Linear), _) | (None, Some(_)) => linear(),
            (None, None) if usual == SpacingArgument::Linear => linear(),
            _ => Ok((quantile_grid(count), self.quantiles())),
        }
    }

    /// A plain autoencoder has no prior.
    fn quantiles(&self) -> &'static str {
        match self.model.card() {
            Some(card) if card.objective == Objective::Ae => "spaced by quantiles of a standard normal",
            _ => "spaced by quantiles of the prior",
        }
    }

    /// What the model learned, for the line below a title: `mnist · 5 epochs`.
    fn learned(&self) -> String {
        match self.model.card() {
            None => self.model.stem(),
            Some(ModelCard { dataset, epochs: 1, .. }) => format!("{dataset} · 1 epoch"),
            Some(ModelCard { dataset, epochs, .. }) => format!("{dataset} · {epochs} epochs"),
        }
    }
}
