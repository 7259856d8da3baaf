//! One row of images for each latent dimension.

use std::ops::ControlFlow;

use anyhow::bail;
use morphvae::evaluation::{EvaluationOptions, decode, evaluate};
use morphvae::figures::{Caption, TraversalRow, dimension_name, traversals, write_png};
use morphvae::latent::{LatentStatistics, by_information, traversal};
use morphvae::objective::Objective;
use serde_json::json;

use super::Job;
use crate::arguments::SpacingArgument;

/// Images a row unless told otherwise: an odd number, so that the middle one is of the value 0.
const SIZE: usize = 11;
/// Rows unless told otherwise.
const ROWS: usize = 16;

/// How much each dimension carries.
struct Information {
    amounts: Vec<f64>,
    measure: Measure,
}

#[derive(Clone, Copy)]
enum Measure {
    /// The mean KL divergence.
    Nats,
    /// The variance of the codes: without noise there is no divergence, and a dimension matters by how far it reaches.
    Variance,
}

impl Measure {
    fn key(self) -> &'static str {
        match self {
            Self::Nats => "nats",
            Self::Variance => "variance",
        }
    }

    fn say(self, amount: f64) -> String {
        match self {
            Self::Nats => format!("{amount:.2} nats"),
            Self::Variance => format!("variance {amount:.2}"),
        }
    }
}

pub fn run(job: &Job) -> anyhow::Result<()> {
    let arguments = job.arguments;
    let (values, spacing) = job.spaced(arguments.size.unwrap_or(SIZE), SpacingArgument::Linear)?;
    let base = job.base()?;
    let information = information(job)?;
    let order = by_information(&information.amounts);
    let (shown, left_out) = order.split_at(arguments.rows.unwrap_or(ROWS).min(order.len()));
    let Information { amounts, measure } = &information;
    let row = |&dimension: &usize| TraversalRow {
        name: dimension_name(dimension),
        note: measure.say(amounts[dimension]),
    };
    let rows: Vec<TraversalRow> = shown.iter().map(row).collect();
    let images = decode(&job.network, &traversal(&base, shown, &values));

    let mut subtitle = format!("{} · {spacing}", job.learned());
    if let Some(key) = &arguments.base {
        subtitle += &format!(" · from {}", key.display());
    }
    if !left_out.is_empty() {
        let rest: f64 = left_out.iter().map(|&dimension| amounts[dimension]).sum();
        let said = format!("{} of {} dimensions", shown.len(), order.len());
        subtitle += &format!(" · {said}");
        job.console.note(format!(
            "{said} are drawn; the others carry {} together (--rows draws more)",
            measure.say(rest)
        ));
    }
    let caption = Caption::new("What each latent dimension does", &subtitle);
    write_png(job.out, &traversals(&images, &rows, &values, &caption)?)?;
    job.console.note(format!("drawn in {}", job.out.display()));
    if arguments.json {
        let dimension = |&dimension: &usize| json!({ "dimension": dimension + 1, measure.key(): amounts[dimension] });
        job.console.json(&json!({
            "out": job.out,
            "shown": shown.iter().map(dimension).collect::<Vec<_>>(),
            "left_out": left_out.iter().map(dimension).collect::<Vec<_>>(),
            "columns": values,
        }))?;
    }
    Ok(())
}

/// What the model says of itself, else of the images that it is judged on.
fn information(job: &Job) -> anyhow::Result<Information> {
    let (model, latent) = (job.model, job.latent());
    let objective = model.card().map_or(Objective::Vae, |card| card.objective);
    let known = model.card().map(|card| &card.latent_statistics);
    let of = |LatentStatistics { kl, variance, .. }: &LatentStatistics| match objective {
        Objective::Vae => Information {
            amounts: kl.clone(),
            measure: Measure::Nats,
        },
        Objective::Ae => Information {
            amounts: variance.clone(),
            measure: Measure::Variance,
        },
    };
    if let Some(information) = known.map(of).filter(|known| known.amounts.len() == latent) {
        return Ok(information);
    }
    let source = model.source(&job.arguments.images, job.console)?;
    let test = model.load(&source, &job.arguments.images, None, job.console)?.test;
    let options = EvaluationOptions {
        objective,
        beta: 1.0,
        seed: 0,
    };
    let evaluation = evaluate(&job.network, &test.images, options, &mut |_| ControlFlow::Continue(()))?;
    let Some(evaluation) = evaluation else { bail!("stopped") };
    Ok(of(&LatentStatistics::of(
        &evaluation.codes.mean,
        &evaluation.kl_per_latent,
        None,
        &[],
        &[],
    )))
}
