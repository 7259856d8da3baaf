//! The likelihood of images, estimated by importance sampling: what the papers' tables print.
//!
//! `log p(x)` is the logarithm of the mean of `p(x|z) p(z) / q(z|x)` over samples `z` of the posterior. That of so many
//! samples is, on average, a bound below it, which never falls as samples are added (Burda, Grosse and Salakhutdinov,
//! 2016, theorem 1). With one sample it is the evidence lower bound, whose distance from `log p(x)` is the divergence of
//! the encoder's posterior from the true one.

mod bound;

use std::ops::ControlFlow;

use super::{Codes, batches, check_channels, check_classes, condition, known, load};
use crate::data::{Examples, Images};
use crate::network::{Inference, NetworkError, to_values};
use crate::objective::Objective;
use crate::probability::{Likelihood, Posterior, kl_divergence, log_ratio, marginal_divergence};
use crate::random::{Purpose, noise};

use bound::{Bounds, ImageBounds};

/// Samples that are decoded together: enough to keep the cores busy, few enough for little memory.
const SAMPLES_A_PASS: usize = 1000;

/// Samples of the encoder's own posterior that the evidence lower bound is the mean of, at most.
const ELBO_SAMPLES: usize = 100;

/// Below so many effective samples an estimate says little.
const FEW: f64 = 10.0;

/// Bits of a stream's number that tell the passes of an image apart.
const PASS_BITS: u32 = 24;

/// A latent dimension is active when its posterior mean varies by more than this from image to image (Burda and others,
/// 2016, section 5.2).
const ACTIVE_VARIANCE: f64 = 0.01;

/// What decides an estimate besides network and images.
#[derive(Clone, Copy, Debug)]
pub struct LikelihoodOptions {
    /// How the network learned.
    pub objective: Objective,
    /// Samples an image.
    pub samples: usize,
    /// How many times as wide as the encoder's posteriors those are that samples are drawn from: 1 in papers. Any width
    /// gives a bound, and a larger one a tighter where the encoder is surer than it should be.
    pub spread: f64,
    /// Decides the samples.
    pub seed: u64,
}

impl LikelihoodOptions {
    /// Makes sure that such images have a likelihood under a network.
    ///
    /// # Errors
    /// [`LikelihoodError`] says why they have none.
    pub fn check(&self, network: &Inference, images: &Images) -> Result<(), LikelihoodError> {
        if !self.objective.is_variational() {
            return Err(LikelihoodError::PlainAutoencoder);
        }
        if self.samples == 0 {
            return Err(LikelihoodError::NoSamples);
        }
        if !(self.spread.is_finite() && self.spread > 0.0) {
            return Err(LikelihoodError::Spread { spread: self.spread });
        }
        let is_binary = images.is_binary_at(network.config().image_size);
        match network.network().likelihood() {
            Likelihood::CrossEntropy if !is_binary => Err(LikelihoodError::GreyPixels),
            _ => Ok(()),
        }
    }
}

/// The likelihood of a whole split, in nats per image.
#[derive(Clone, Debug)]
pub struct LikelihoodEstimate {
    /// The mean of `-log p(x)`; on average a bound above it, the closer the more samples.
    pub negative_log_likelihood: f64,
    /// The standard error of that mean over the images.
    pub standard_error: f64,
    /// The evidence lower bound: the mean reconstruction term of samples of the encoder's own posteriors, 100 at most, and
    /// the KL divergence, in closed form but for a learned prior.
    pub elbo: f64,
    /// The mean KL divergence of each latent dimension, `[latent]`; of a learned prior, from its marginal taken for normal.
    pub kl_per_latent: Vec<f64>,
    /// Latent dimensions whose posterior mean has a variance above 0.01 over the images.
    pub active_units: usize,
    /// What is estimated with fewer samples: of one, two, four and so on.
    pub bounds: Vec<Bound>,
    /// `-log p(x)` of each image, `[images]`.
    pub per_image: Vec<f64>,
    /// How many samples of equal weight would be worth as much, `[images]` (Kong, 1992). Where there are few, the samples
    /// have missed most of what the true posterior holds, and the bound is loose.
    pub effective_samples: Vec<f64>,
    /// Samples an image.
    pub samples: usize,
    /// Numbers that an image has: channels x height x width.
    pub dimensions: usize,
}

/// The bound below `log p(x)` that a number of samples gives, in nats per image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Samples an image.
    pub samples: usize,
    /// The mean over the images, and over as many groups of so many samples as there are.
    pub mean: f64,
    /// How much one group's mean over the images deviates from that of others; none where there is but one group.
    pub deviation: Option<f64>,
}

/// Why the likelihood of images cannot be estimated under a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LikelihoodError {
    /// The network was not trained as a model of probabilities.
    #[error("a plain autoencoder gives images no likelihood: take a variational one")]
    PlainAutoencoder,
    /// Grey values are no coin flips.
    #[error(
        "the cross-entropy of grey pixels is no likelihood: binarize the images (a network that learned from such is the \
         one to judge), or train with the likelihood discretized-logistic"
    )]
    GreyPixels,
    /// There is nothing to average.
    #[error("the number of samples is 0, but must be at least 1")]
    NoSamples,
    /// A width that no distribution has.
    #[error("the spread is {spread:?}, but must be finite, and above zero")]
    Spread {
        /// What was asked for.
        spread: f64,
    },
    /// Images of another kind than the network's.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Estimates the likelihood of all images under a network; under a conditional one that of each image given its label. The samples of an image depend on its number and no other
/// image.
///
/// `observe` is told after each image how many are done; nothing is returned when it breaks.
///
/// # Errors
/// [`LikelihoodError`] where there is none, for images of another kind than the network's, and where a conditional one is
/// not told the class of all.
pub fn estimate_likelihood<'a>(
    network: &Inference,
    examples: impl Into<Examples<'a>>,
    options: LikelihoodOptions,
    observe: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<LikelihoodEstimate>, LikelihoodError> {
    let examples = examples.into();
    let images = examples.images;
    check_channels(network.config(), images)?;
    check_classes(network.config(), examples)?;
    options.check(network, images)?;
    let latent = network.config().latent;
    let mut codes = Codes {
        latent,
        ..Codes::default()
    };
    let mut bounds = Bounds::default();
    let (mut reconstruction, mut sampled_kl) = (0.0, 0.0);
    let mut kl_per_latent = vec![0.0; latent];
    let prior = network.prior();
    let mut log_prior = |points: &[f32]| match &prior {
        Some(components) => log_mixture(network, components, points),
        None => points.chunks_exact(latent).map(|point| -0.5 * squares(point)).collect(),
    };
    for range in batches(images.count()) {
        let first = range.start;
        let batch = load(network, images, range.clone());
        let classes = known(network.config(), examples, range);
        let condition = condition(network, &classes);
        let posterior = network.encode(batch.clone(), &condition);
        let divergences = match &prior {
            Some(prior) => marginal_divergence(&posterior, prior),
            None => kl_divergence(&posterior),
        };
        for (index, value) in to_values(divergences.flatten(0, 1)).into_iter().enumerate() {
            kl_per_latent[index % latent] += f64::from(value);
        }
        let known = codes.mean.len();
        codes.push(posterior, classes);
        let encoded = (codes.mean[known..].chunks(latent)).zip(codes.log_variance[known..].chunks(latent));
        for (index, (mean, log_variance)) in encoded.enumerate() {
            let image = batch.clone().slice_dim(0, index..index + 1);
            let mut compare = |latents: Vec<f32>| {
                let latents = network.latents(latents);
                let told = condition.of_image(index, latents.dims()[0]);
                let location = network.locate(told.append(latents));
                let images = image.clone().expand(location.dims());
                to_values(network.network().reconstruction_loss(images, location))
            };
            let posterior = Encoded {
                mean,
                log_variance,
                index: first + index,
            };
            let [error, divergence] = posterior.terms(options, &mut log_prior, &mut compare);
            reconstruction += error;
            sampled_kl += divergence;
            bounds.add(&posterior.bounds(options, &mut log_prior, &mut compare));
            if observe(first + index + 1).is_break() {
                return Ok(None);
            }
        }
    }
    let count = images.count().max(1) as f64;
    for kl in &mut kl_per_latent {
        *kl /= count;
    }
    // Of a mixture there is no closed form.
    let kl = match prior {
        Some(_) => sampled_kl / count,
        None => kl_per_latent.iter().sum(),
    };
    let negative_log_likelihood = bounds.per_image.iter().sum::<f64>() / count;
    Ok(Some(LikelihoodEstimate {
        negative_log_likelihood,
        standard_error: standard_error(&bounds.per_image, negative_log_likelihood),
        elbo: -(reconstruction / count) - kl,
        active_units: active_units(&codes),
        kl_per_latent,
        bounds: bounds.means(),
        per_image: bounds.per_image,
        effective_samples: bounds.effective_samples,
        samples: options.samples,
        dimensions: images.channels() * network.config().image_size.pow(2),
    }))
}

impl LikelihoodEstimate {
    /// How far the evidence lower bound is from the estimate, in nats: the divergence of the encoder's posteriors from the
    /// true ones.
    #[must_use]
    pub fn gap(&self) -> f64 {
        -self.negative_log_likelihood - self.elbo
    }

    /// The median of the images' effective samples, and how many images have fewer than 10.
    #[must_use]
    pub fn effective(&self) -> (f64, usize) {
        let mut sorted = self.effective_samples.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        (median, sorted.iter().filter(|&&samples| samples < FEW).count())
    }

    /// Bits for each number of an image, where the likelihood is one of grey values; `None` for black and white. Densities
    /// are those of pixels in [0, 1], so that eight bits are added for the 256 levels of such a pixel.
    #[must_use]
    pub fn bits_per_dimension(&self, likelihood: Likelihood) -> Option<f64> {
        let bits = self.negative_log_likelihood / (self.dimensions as f64 * std::f64::consts::LN_2);
        match likelihood {
            Likelihood::CrossEntropy => None,
            Likelihood::DiscretizedLogistic => Some(bits),
            Likelihood::ContinuousBernoulli | Likelihood::Gaussian => Some(bits + 8.0),
        }
    }
}

/// The posterior of one image, by its number.
struct Encoded<'a> {
    mean: &'a [f32],
    log_variance: &'a [f32],
    index: usize,
}

/// Says how far an image is, in nats, from what is decoded at points, `[count, latent]`.
type Compare<'a> = dyn FnMut(Vec<f32>) -> Vec<f32> + 'a;

/// The logarithm of the prior's density at points, `[count, latent]`, but for the constant of a normal distribution.
type LogPrior<'a> = dyn FnMut(&[f32]) -> Vec<f64> + 'a;

impl Encoded<'_> {
    /// The bounds that samples of it, made wider, give.
    fn bounds(
        &self,
        options: LikelihoodOptions,
        log_prior: &mut LogPrior<'_>,
        compare: &mut Compare<'_>,
    ) -> ImageBounds {
        let mut bounds = ImageBounds::default();
        for (pass, start) in (0..options.samples).step_by(SAMPLES_A_PASS).enumerate() {
            let count = SAMPLES_A_PASS.min(options.samples - start);
            let noise = self.noise(options.seed, Purpose::Importance, pass, count);
            let points = self.points(&noise, options.spread);
            let ratios = self.log_ratios(&noise, &points, options.spread, log_prior);
            for (loss, ratio) in compare(points).into_iter().zip(ratios) {
                bounds.push(-ratio - f64::from(loss));
            }
        }
        bounds
    }

    /// The means, over some samples of it, of the reconstruction term and of `log q(z|x) - log p(z)`.
    fn terms(&self, options: LikelihoodOptions, log_prior: &mut LogPrior<'_>, compare: &mut Compare<'_>) -> [f64; 2] {
        let count = options.samples.min(ELBO_SAMPLES);
        let noise = self.noise(options.seed, Purpose::Evaluation, 0, count);
        let points = self.points(&noise, 1.0);
        let ratios: f64 = self.log_ratios(&noise, &points, 1.0, log_prior).iter().sum();
        let losses: f64 = compare(points).into_iter().map(f64::from).sum();
        [losses, ratios].map(|sum| sum / count as f64)
    }

    /// `log q(z|x) - log p(z)` of each point, in which the constants of both cancel.
    fn log_ratios(&self, noise: &[f32], points: &[f32], spread: f64, log_prior: &mut LogPrior<'_>) -> Vec<f64> {
        let log_deviations: f64 = (self.log_variance.iter())
            .map(|&value| 0.5 * f64::from(value) + spread.ln())
            .sum();
        let noise = noise.chunks_exact(self.mean.len());
        (noise.zip(log_prior(points)))
            .map(|(noise, log_prior)| -0.5 * squares(noise) - log_deviations - log_prior)
            .collect()
    }

    /// Image and pass have noise of their own, so that it depends on no other.
    fn noise(&self, seed: u64, purpose: Purpose, pass: usize, count: usize) -> Vec<f32> {
        let step = ((self.index as u64) << PASS_BITS) | pass as u64;
        noise(seed, purpose, step, count * self.mean.len())
    }

    fn points(&self, noise: &[f32], spread: f64) -> Vec<f32> {
        let deviations: Vec<f32> = self
            .log_variance
            .iter()
            .map(|value| spread as f32 * (0.5 * value).exp())
            .collect();
        let scaled = noise
            .chunks_exact(self.mean.len())
            .flat_map(|noise| noise.iter().zip(&deviations).zip(self.mean));
        scaled
            .map(|((noise, deviation), mean)| mean + deviation * noise)
            .collect()
    }
}

/// [`LogPrior`] of a mixture.
fn log_mixture(network: &Inference, components: &Posterior, points: &[f32]) -> Vec<f64> {
    let points = network.latents(points.to_vec());
    let nothing = points.zeros_like();
    let ratios = log_ratio(points, nothing.clone(), nothing, Some(components));
    to_values(ratios).into_iter().map(|ratio| -f64::from(ratio)).collect()
}

fn squares(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
}

fn standard_error(values: &[f64], mean: f64) -> f64 {
    let count = values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (count - 1.0).max(1.0) / count.max(1.0)).sqrt()
}

fn active_units(codes: &Codes) -> usize {
    let images = (codes.mean.len() / codes.latent).max(1) as f64;
    let moment = |unit: usize, power: i32| {
        let values = codes.mean.iter().skip(unit).step_by(codes.latent);
        values.map(|&value| f64::from(value).powi(power)).sum::<f64>() / images
    };
    let variance = |unit| moment(unit, 2) - moment(unit, 1).powi(2);
    (0..codes.latent)
        .filter(|&unit| variance(unit) > ACTIVE_VARIANCE)
        .count()
}

#[cfg(test)]
mod tests;
