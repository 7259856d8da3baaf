//! What both kinds of picture need: the model, where its images lie, and how values are spaced.

use std::ffi::OsString;
use std::path::Path;

use morphvae::data::Dataset;
use morphvae::evaluation::{EvaluationOptions, evaluate};
use morphvae::latent::{Extent, LatentStatistics, linear_grid, quantile_grid};
use morphvae::network::{Decoder, Given, Inference};
use morphvae::objective::Objective;
use morphvae::studio::{ImageRequest, Keys, Model, Place, StudioError};

use super::arguments::{GridArguments, SpacingArgument};
use crate::answers::Usage;
use crate::console::Console;
use crate::interrupt;
use crate::observer::observer;

/// Linear spacing reaches so many standard deviations to either side unless told otherwise.
const RANGE: f64 = 3.0;

/// A picture to be drawn.
pub(super) struct Job<'a> {
    pub(super) arguments: &'a GridArguments,
    pub(super) model: &'a Model,
    pub(super) network: &'a Inference,
    pub(super) images: ImageRequest,
    pub(super) out: &'a Path,
    pub(super) console: Console,
}

impl Job<'_> {
    pub(super) fn latent(&self) -> usize {
        self.model.network().config().latent
    }

    /// The point whose dimensions stay where they do not change.
    pub(super) fn base(&self, ground: &Ground) -> Result<Vec<f64>, StudioError> {
        let base = self.base_key()?;
        let base = base.map(|place| place.latents.into_iter().map(f64::from).collect());
        Ok(base.unwrap_or_else(|| ground.extent.base.clone()))
    }

    fn base_key(&self) -> Result<Option<Place>, StudioError> {
        let observer = observer(self.console);
        let mut keys = Keys::new(self.model, &self.images, 0, &observer);
        let base = self.arguments.base.as_ref();
        base.map(|key| keys.place(key, 0, &[])).transpose()
    }

    /// What draws the latents: of a conditional model the class that is asked for, or that of the base.
    pub(super) fn drawer(&self) -> anyhow::Result<Drawer<'_>> {
        let class = match &self.arguments.class {
            Some(class) => Some(self.model.class(class)?),
            None if self.model.network().config().is_conditional() => self.base_key()?.and_then(|place| place.class),
            None => return Ok(Drawer::Whole(self.network)),
        };
        match class {
            Some(class) => Ok(Drawer::Class {
                given: self.network.given(class)?,
                name: self.classes().get(usize::from(class)).cloned().unwrap_or_default(),
            }),
            None => Err(Usage(format!(
                "this model is conditional: say which of its classes is drawn, as --class {}",
                self.classes().first().map_or("NAME", String::as_str)
            ))
            .into()),
        }
    }

    fn classes(&self) -> &[String] {
        self.model.card().map_or(&[], |card| &card.classes)
    }

    pub(super) fn objective(&self) -> Objective {
        self.model.card().map_or(Objective::Vae, |card| card.objective)
    }

    /// Whether images lie everywhere that the standard normal prior does: in a plane, but not in more dimensions; and not
    /// every network has that prior.
    pub(super) fn is_filled(&self) -> bool {
        let has_normal_prior = self.objective().is_variational() && self.model.network().pseudo_inputs() == 0;
        self.latent() <= 2 && has_normal_prior
    }

    /// Where pictures run, by what is known of the encodings.
    pub(super) fn ground(&self, known: Option<&LatentStatistics>) -> Ground {
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
    pub(super) fn statistics(&self) -> Result<Option<LatentStatistics>, StudioError> {
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
            Err(error) if !self.images.forgives(&error) => Err(error),
            Err(error) => {
                self.console.note(format!(
                    "where images lie is not known, only where the prior does, since {error}"
                ));
                Ok(None)
            }
        }
    }

    fn encoded(&self) -> Result<LatentStatistics, StudioError> {
        let test = self.images()?.test;
        let options = EvaluationOptions {
            objective: self.objective(),
            beta: 1.0,
            samples: 1,
            seed: 0,
        };
        let evaluation = evaluate(self.network, &test, options, &mut |_| interrupt::check())?;
        let evaluation = evaluation.ok_or(StudioError::Stopped)?;
        let (means, kl) = (&evaluation.codes.mean, &evaluation.kl_per_latent);
        Ok(LatentStatistics::of(means, kl, None, &[], &[]))
    }

    /// The images that are named, or else those of the model.
    pub(super) fn images(&self) -> Result<Dataset, StudioError> {
        self.model.images(&self.images, None, &observer(self.console))
    }

    /// The points that keys stand for.
    pub(super) fn keys(&self, keys: &[OsString]) -> Result<Vec<Vec<f32>>, StudioError> {
        let observer = observer(self.console);
        let mut found = Keys::new(self.model, &self.images, 0, &observer);
        let keys = keys.iter().enumerate();
        keys.map(|(number, key)| found.point(key, number, &[])).collect()
    }

    /// `count` numbers of standard deviations, spaced as asked, or as `usual`.
    pub(super) fn spaced(&self, count: usize, usual: SpacingArgument) -> Result<Spacing, Usage> {
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
}

/// Draws images at points.
pub(super) enum Drawer<'a> {
    /// All of the network: of a conditional one at latents with class weights.
    Whole(&'a Inference),
    /// A conditional network's class, at latents.
    Class { given: Given<'a>, name: String },
}

impl Drawer<'_> {
    pub(super) fn decoder(&self) -> &dyn Decoder {
        match self {
            Self::Whole(network) => *network,
            Self::Class { given, .. } => given,
        }
    }

    /// Which class, for the line below a title.
    pub(super) fn say(&self) -> Option<String> {
        match self {
            Self::Whole(_) => None,
            Self::Class { name, .. } => Some(format!("class {name}")),
        }
    }
}

/// Where pictures run.
pub(super) struct Ground {
    pub(super) extent: Extent,
    pub(super) around: Around,
}

/// What they are measured by, and where the dimensions stay that do not change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// By the prior, and at its middle.
    Prior,
    /// By the encodings, and at their mean.
    Mean,
    /// By the encodings, and at the one nearest to their mean.
    Encoding,
}

impl Around {
    /// For programs.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::Mean | Self::Encoding => "encodings",
        }
    }

    /// Where the dimensions stay that a picture does not change.
    pub(super) fn others(self) -> &'static str {
        match self {
            Self::Prior => "the others at 0",
            Self::Mean => "the others at the encodings' mean",
            Self::Encoding => "the others at the encoding nearest to the mean",
        }
    }
}

/// Values along an axis, in standard deviations.
pub(super) struct Spacing {
    pub(super) deviations: Vec<f64>,
    /// How far even ones reach.
    pub(super) range: Option<f64>,
}

impl Spacing {
    pub(super) fn say(&self, around: Around) -> String {
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
