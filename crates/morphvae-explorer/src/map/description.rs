//! What is told of a model: in by whoever opened it, out to the page.

use morphvae::data::Fit;
use morphvae::evaluation::Codes;
use morphvae::latent::{Attribute, LatentStatistics};
use morphvae::objective::Objective;
use serde::Serialize;

/// What is known of a model besides its weights.
#[derive(Clone, Debug, Default)]
pub struct ModelFacts {
    /// A short name: `mnist-2d`.
    pub name: String,
    /// The images it learned from.
    pub dataset: String,
    /// The names of their classes, in the order of the labels.
    pub classes: Vec<String>,
    /// What it learned by.
    pub objective: Objective,
    /// Epochs it learned for.
    pub epochs: Option<usize>,
    /// Its loss on the test images, in nats per image.
    pub test_loss: Option<f64>,
    /// Where the test images lie: shown where there are no images.
    pub statistics: Option<LatentStatistics>,
    /// How an image file becomes square: as those did that it learned from.
    pub fit: Fit,
    /// Directions of its latent space that have a name.
    pub attributes: Vec<Attribute>,
    /// How to call the program that draws a way through the latent space: `morphvae morph`.
    pub command: String,
    /// How to name the model there; empty for the bundled one.
    pub argument: String,
}

/// What the page is told first. Its keys are a contract with the page.
#[derive(Clone, Debug, Serialize)]
pub struct Description<'a> {
    /// A short name.
    pub name: &'a str,
    /// The images it learned from.
    pub dataset: &'a str,
    /// The names of their classes, in the order of the labels.
    pub classes: &'a [String],
    /// One colour a class, `#rrggbb`, as in the figures.
    pub colours: Vec<String>,
    /// One shape a class, as in the figures: `disc`, `triangle`, …
    pub shapes: Vec<&'static str>,
    /// Latent dimensions.
    pub latent: usize,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Side of the square images in pixels.
    pub image_size: usize,
    /// How an image file becomes square.
    pub fit: Fit,
    /// Of a conditional network the class that is drawn first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<u16>,
    /// Whether it learned with noise in the latent space, as all but the plain autoencoder do.
    pub noisy: bool,
    /// Epochs it learned for.
    pub epochs: Option<usize>,
    /// Its loss on the test images, in nats per image.
    pub test_loss: Option<f64>,
    /// Images that are shown.
    pub count: usize,
    /// Images that there are, of which these are some.
    pub total: usize,
    /// Whether they have labels.
    pub labelled: bool,
    /// Whether more epochs will come.
    pub watching: bool,
    /// Whether it is known where the images lay after each epoch.
    pub replay: bool,
    /// Where the images lie, by latent dimension.
    pub statistics: &'a Statistics,
    /// Beyond it the decoder draws what it has never learned.
    pub reach: &'a Reach,
    /// Up to three principal directions, unit vectors.
    pub components: &'a [Vec<f64>],
    /// The mean that places along them are counted from.
    pub centre: &'a [f64],
    /// The point that the page's plane goes through first: an encoding near the mean, where one is known.
    pub base: &'a [f64],
    /// One latent a class that is typical of it; none without classes.
    pub typical: &'a [Vec<f64>],
    /// Directions that have a name.
    pub attributes: Vec<NamedDirection<'a>>,
    /// How to call the program that draws a way through the latent space.
    pub command: &'a str,
    /// How to name the model there; empty for the bundled one.
    pub model_argument: &'a str,
}

/// A direction of the latent space, as the page is told it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NamedDirection<'a> {
    /// What changes along it: `smile`.
    pub name: &'a str,
    /// From images without it to images with it, `[latent]`.
    pub direction: &'a [f32],
}

impl<'a> NamedDirection<'a> {
    pub(super) fn of(attribute: &'a Attribute) -> Self {
        Self {
            name: &attribute.name,
            direction: &attribute.direction,
        }
    }
}

/// Where images lie, by latent dimension.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Mean of the posteriors' means, `[latent]`.
    pub mean: Vec<f64>,
    /// Standard deviation of the posteriors' means, `[latent]`.
    pub deviation: Vec<f64>,
    /// Mean KL divergence in nats, `[latent]`.
    pub kl: Vec<f64>,
}

impl Statistics {
    /// Of encoded images.
    pub(super) fn of(statistics: &LatentStatistics) -> Self {
        Self {
            mean: statistics.mean.clone(),
            deviation: statistics.variance.iter().map(|variance| variance.sqrt()).collect(),
            kl: statistics.kl.clone(),
        }
    }

    /// Of the standard normal prior, where nothing else is known.
    pub(super) fn of_prior(latent: usize) -> Self {
        Self {
            mean: vec![0.0; latent],
            deviation: vec![1.0; latent],
            kl: vec![0.0; latent],
        }
    }
}

/// How far the latent space is known, by latent dimension: the least box around the shown images and three deviations of the
/// prior, and of all images where they lie.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reach {
    /// The least values, `[latent]`.
    pub least: Vec<f64>,
    /// The largest values, `[latent]`.
    pub most: Vec<f64>,
}

/// Deviations that are within reach.
const DEVIATIONS: f64 = 3.0;
/// Room beyond the shown images, as a share of a side.
const MARGIN: f64 = 0.05;

impl Reach {
    /// Of encoded images, and of what is known of all of them.
    pub(super) fn of(codes: &Codes, statistics: &Statistics) -> Self {
        let ends = |sign: f64, bound: fn(f64, f64) -> f64| -> Vec<f64> {
            let spread = statistics.mean.iter().zip(&statistics.deviation);
            let end = |(mean, deviation): (&f64, &f64)| bound(sign * DEVIATIONS, mean + sign * DEVIATIONS * deviation);
            spread.map(end).collect()
        };
        let (mut least, mut most) = (ends(-1.0, f64::min), ends(1.0, f64::max));
        for (index, &value) in codes.mean.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let (axis, value) = (index % codes.latent, f64::from(value));
            least[axis] = least[axis].min(value);
            most[axis] = most[axis].max(value);
        }
        for (least, most) in least.iter_mut().zip(&mut most) {
            let margin = MARGIN * (*most - *least);
            *least -= margin;
            *most += margin;
        }
        Self { least, most }
    }
}
