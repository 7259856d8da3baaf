//! `morphvae grid`

mod slice;
mod traverse;

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::bail;
use morphvae::evaluation::{EvaluationOptions, evaluate};
use morphvae::figures::{check_manifold, check_traversals};
use morphvae::latent::{Extent, LatentStatistics, linear_grid, quantile_grid};
use morphvae::model::ModelCard;
use morphvae::network::{Inference, NetworkConfig};
use morphvae::objective::Objective;

use crate::Usage;
use crate::arguments::{GridArguments, SpacingArgument};
use crate::console::Console;
use crate::images::Source;
use crate::keys::KeyReader;
use crate::limits::{check_figure, check_out_file};
use crate::model::{Model, is_fatal};

/// Linear spacing reaches so many standard deviations to either side unless told otherwise.
const RANGE: f64 = 3.0;

pub fn run(arguments: &GridArguments, console: Console) -> anyhow::Result<()> {
    Source::check(&arguments.images)?;
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
    check_out_file(&out)?;
    check_size(arguments, model.network().config())?;
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

/// Refuses a picture that is larger than can be drawn before it is decoded.
fn check_size(arguments: &GridArguments, network: &NetworkConfig) -> anyhow::Result<()> {
    let side = network.image_size;
    if arguments.traverse {
        let rows = arguments.rows.unwrap_or(traverse::ROWS).min(network.latent);
        let size = arguments.size.unwrap_or(traverse::SIZE);
        return check_figure("--size", size, |size| check_traversals(rows, size, side));
    }
    let size = arguments.size.unwrap_or(slice::SIZE);
    check_figure("--size", size, |size| check_manifold(size, size, side))
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
    fn base(&self, ground: &Ground) -> anyhow::Result<Vec<f64>> {
        let mut keys = self.keys(self.arguments.base.as_slice())?;
        let base = keys.pop().map(|point| point.into_iter().map(f64::from).collect());
        Ok(base.unwrap_or_else(|| ground.extent.base.clone()))
    }

    fn objective(&self) -> Objective {
        self.model.card().map_or(Objective::Vae, |card| card.objective)
    }

    /// Whether images lie everywhere that the prior does: in a plane, but not in more dimensions; and a plain autoencoder
    /// has no prior.
    fn is_filled(&self) -> bool {
        self.latent() <= 2 && self.objective().is_variational()
    }

    /// Where pictures run, by what is known of the encodings.
    fn ground(&self, known: Option<&LatentStatistics>) -> Ground {
        match known.filter(|_| !self.is_filled()) {
            Some(known) => Ground {
                extent: Extent::of(known),
                around: match known.central() {
                    Some(_) => Around::Encoding,
                    None => Around::Mean,
                },
            },
            None => Ground {
                extent: Extent::of_prior(self.latent()),
                around: Around::Prior,
            },
        }
    }

    /// Where the images lie: what the model says, else those that it is judged on. Nothing where there are none to be
    /// had, if none were named.
    fn statistics(&self) -> anyhow::Result<Option<LatentStatistics>> {
        let known = self.model.card().map(|card| &card.latent_statistics);
        let fits = |known: &&LatentStatistics| {
            [&known.mean, &known.variance, &known.kl]
                .iter()
                .all(|numbers| numbers.len() == self.latent())
        };
        if let Some(known) = known.filter(fits) {
            return Ok(Some(known.clone()));
        }
        match self.encoded() {
            Ok(statistics) => Ok(Some(statistics)),
            Err(error) if is_fatal(&error, &self.arguments.images) => Err(error),
            Err(error) => {
                self.console.note(format!(
                    "where images lie is not known, only where the prior does, since {error}"
                ));
                Ok(None)
            }
        }
    }

    fn encoded(&self) -> anyhow::Result<LatentStatistics> {
        let source = self.model.source(&self.arguments.images, self.console)?;
        let test = self
            .model
            .load(&source, &self.arguments.images, None, self.console)?
            .test;
        let options = EvaluationOptions {
            objective: self.objective(),
            beta: 1.0,
            seed: 0,
        };
        let evaluation = evaluate(&self.network, &test.images, options, &mut |_| ControlFlow::Continue(()))?;
        let Some(evaluation) = evaluation else { bail!("stopped") };
        let (means, kl) = (&evaluation.codes.mean, &evaluation.kl_per_latent);
        Ok(LatentStatistics::of(means, kl, None, &[], &[]))
    }

    /// The points that keys stand for.
    fn keys(&self, keys: &[OsString]) -> anyhow::Result<Vec<Vec<f32>>> {
        let images = &self.arguments.images;
        let mut reader = KeyReader::new(self.model, &self.network, images, 0, self.console);
        let keys = keys.iter().enumerate();
        keys.map(|(number, key)| reader.read(key, number, &[])).collect()
    }

    /// `count` numbers of standard deviations, spaced as asked, or as `usual`.
    fn spaced(&self, count: usize, usual: SpacingArgument) -> Result<Spacing, Usage> {
        let linear = || match self.arguments.range.unwrap_or(RANGE) {
            range if range > 0.0 && range <= 1e6 => Ok(Spacing {
                deviations: linear_grid(count, range),
                range: Some(range),
            }),
            range => Err(Usage(format!(
                "--range is {range:?}; give more than 0, and no more than a million"
            ))),
        };
        match (self.arguments.spacing, self.arguments.range) {
            (Some(SpacingArgument::Quantile), Some(_)) => Err(Usage(
                "--range is for --spacing linear: quantiles of the prior reach as far as they reach".into(),
            )),
            (Some(SpacingArgument::Linear), _) | (None, Some(_)) => linear(),
            (None, None) if usual == SpacingArgument::Linear => linear(),
            _ => Ok(Spacing {
                deviations: quantile_grid(count),
                range: None,
            }),
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

/// Where pictures run.
struct Ground {
    extent: Extent,
    around: Around,
}

/// What they are measured by, and where the dimensions stay that do not change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// By the prior, and at its middle.
    Prior,
    /// By the encodings, and at their mean.
    Mean,
    /// By the encodings, and at the one nearest to their mean.
    Encoding,
}

impl Around {
    /// For programs.
    fn key(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::Mean | Self::Encoding => "encodings",
        }
    }

    /// Where the dimensions stay that a picture does not change.
    fn others(self) -> &'static str {
        match self {
            Self::Prior => "the others at 0",
            Self::Mean => "the others at the encodings' mean",
            Self::Encoding => "the others at the encoding nearest to the mean",
        }
    }
}

/// Values along an axis, in standard deviations.
struct Spacing {
    deviations: Vec<f64>,
    /// How far even ones reach.
    range: Option<f64>,
}

impl Spacing {
    fn say(&self, around: Around) -> String {
        match (self.range, around) {
            (Some(_), Around::Prior) => "evenly spaced".into(),
            (None, Around::Prior) => "spaced by quantiles of the prior".into(),
            (Some(range), Around::Mean | Around::Encoding) => {
                format!("{range}σ of the encodings to either side of their mean")
            }
            (None, Around::Mean | Around::Encoding) => {
                "spaced by quantiles of a normal as wide as the encodings".into()
            }
        }
    }
}
