//! One row of images for each latent dimension.

use morphvae::evaluation::decode;
use morphvae::figures::{Caption, TraversalRow, dimension_name, traversals, write_png};
use morphvae::latent::{LatentStatistics, by_information, traversal};
use serde_json::json;

use super::arguments::SpacingArgument;
use super::job::{Around, Job};
use crate::model;

/// Images a row unless told otherwise: an odd number, so that the middle one is of the centre.
pub(super) const SIZE: usize = 11;
/// Rows unless told otherwise.
pub(super) const ROWS: usize = 16;

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
    let drawer = job.drawer()?;
    let spacing = job.spaced(arguments.size.unwrap_or(SIZE), SpacingArgument::Linear)?;
    let known = job.statistics()?;
    let ground = job.ground(known.as_ref());
    let base = job.base(&ground)?;
    let information = Information::of(known, job);
    let order = by_information(&information.amounts);
    let (shown, left_out) = order.split_at(arguments.rows.unwrap_or(ROWS).min(order.len()));
    let Information { amounts, measure } = &information;
    let row = |&dimension: &usize| TraversalRow {
        name: dimension_name(dimension),
        note: measure.say(amounts[dimension]),
    };
    let rows: Vec<TraversalRow> = shown.iter().map(row).collect();
    let values = |&dimension: &usize| (dimension, ground.extent.values(dimension, &spacing.deviations));
    let values: Vec<(usize, Vec<f64>)> = shown.iter().map(values).collect();
    let images = decode(drawer.decoder(), &traversal(&base, &values))?;

    let learned = [Some(model::learned(job.model)), drawer.say()].into_iter().flatten();
    let learned = learned.collect::<Vec<_>>().join(" · ");
    let mut subtitle = format!("{learned} · {}", spacing.say(ground.around));
    if let Some(key) = &arguments.base {
        subtitle += &format!(" · from {}", key.display());
    }
    if ground.around != Around::Prior {
        subtitle += " · columns in σ";
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
    write_png(job.out, &traversals(&images, &rows, &spacing.deviations, &caption)?)?;
    job.console.note(format!("drawn in {}", job.out.display()));
    if arguments.json {
        let dimension = |&dimension: &usize| json!({ "dimension": dimension + 1, measure.key(): amounts[dimension] });
        let drawn = |(index, values): &(usize, Vec<f64>)| {
            let mut drawn = dimension(index);
            drawn["values"] = json!(values);
            drawn
        };
        job.console.json(&json!({
            "out": job.out,
            "around": ground.around.key(),
            "base": base,
            "shown": values.iter().map(drawn).collect::<Vec<_>>(),
            "left_out": left_out.iter().map(dimension).collect::<Vec<_>>(),
            "columns": spacing.deviations,
        }))?;
    }
    Ok(())
}

impl Information {
    /// All carry the same as far as nothing is known.
    fn of(known: Option<LatentStatistics>, job: &Job) -> Self {
        let LatentStatistics { kl, variance, .. } = known.unwrap_or_else(|| LatentStatistics {
            kl: vec![0.0; job.latent()],
            variance: vec![0.0; job.latent()],
            ..LatentStatistics::default()
        });
        match job.objective().is_variational() {
            true => Self {
                amounts: kl,
                measure: Measure::Nats,
            },
            false => Self {
                amounts: variance,
                measure: Measure::Variance,
            },
        }
    }
}
