//! A trained network at work: judged on whole data sets, encoding, decoding, reconstructing.
//!
//! Everything here takes images of any size and goes through them in batches of one fixed size, so that the same images
//! give the same bits. Batch norms use their running statistics.

mod classes;
mod draw;
mod likelihood;
mod losses;
mod nearest;

use std::ops::ControlFlow;

use burn::tensor::{Tensor, TensorData};

use crate::data::{Examples, Images, prepare};
use crate::network::{BATCH, Decoder, Inference, NetworkConfig, NetworkError, to_values};
use crate::objective::{Loss, Objective, Terms, log_weights};
use crate::probability::{Posterior, log_ratio, marginal_divergence};
use crate::random::{Generator, Purpose, generator, noise_of};
use crate::tables::{Column, Numbers};

pub(crate) use classes::check_classes;
pub use classes::class_probabilities;
use classes::{classes, condition, known, labels};
pub use draw::draw;
pub use likelihood::{Bound, LikelihoodError, LikelihoodEstimate, LikelihoodOptions, estimate_likelihood};
pub use losses::ImageLosses;
pub use nearest::{Distances, Nearest, nearest};

/// A latent dimension is said to carry information when its mean KL divergence is above this many nats.
const INFORMATIVE_NATS: f64 = 0.01;

/// Below this many nats in all, the decoder no longer listens to the latent space.
const COLLAPSED_NATS: f64 = 0.1;

/// What decides a test loss besides network and images.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationOptions {
    /// Which loss.
    pub objective: Objective,
    /// Weight of the KL divergence.
    pub beta: f64,
    /// Samples of each image's posterior: of the importance-weighted bound, or to average the reconstruction over.
    pub samples: usize,
    /// Decides the noise.
    pub seed: u64,
}

/// A whole split, judged.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The mean over the images, in nats per image.
    pub loss: Loss,
    /// How many images there were.
    pub images: usize,
    /// The losses of each image.
    pub per_image: ImageLosses,
    /// Mean KL divergence of each latent dimension, `[latent]`, in nats; from the
    /// [marginals](crate::probability::marginal_divergence) of the prior where that is a mixture.
    pub kl_per_latent: Vec<f64>,
    /// Where the images lie in the latent space.
    pub codes: Codes,
}

/// Encoded images: means and log variances, both `[images, latent]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Codes {
    /// Latent dimensions.
    pub latent: usize,
    /// Means of the posteriors.
    pub mean: Vec<f32>,
    /// Logarithms of their variances.
    pub log_variance: Vec<f32>,
    /// The class that a conditional network was told of each image, `[images]`; empty for another network.
    pub classes: Vec<u16>,
}

impl Evaluation {
    /// How many latent dimensions carry information: more than 0.01 nat on average.
    #[must_use]
    pub fn informative_latents(&self) -> usize {
        self.kl_per_latent.iter().filter(|&&kl| kl > INFORMATIVE_NATS).count()
    }

    /// Whether the posterior has collapsed onto the prior: less than 0.1 nat in all.
    #[must_use]
    pub fn has_collapsed(&self) -> bool {
        self.kl_per_latent.iter().sum::<f64>() < COLLAPSED_NATS
    }
}

/// Judges a network on all images: by samples of the posterior, or its mean for [`Objective::Ae`], and the network's own
/// likelihood; a conditional one is told the label of each. Where the importance-weighted bound is minimized, that is the loss; reconstruction and KL divergence are
/// those of the evidence lower bound all the same.
///
/// `observe` is told after each batch how many images are done; nothing is returned when it breaks.
///
/// # Errors
/// [`NetworkError::Channels`] for images of another kind than the network's; [`NetworkError::Unlabelled`] where a conditional
/// network is not told of all.
pub fn evaluate<'a>(
    network: &Inference,
    examples: impl Into<Examples<'a>>,
    options: EvaluationOptions,
    observe: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Evaluation>, NetworkError> {
    let examples = examples.into();
    let images = examples.images;
    check_channels(network.config(), images)?;
    check_classes(network.config(), examples)?;
    let latent = network.config().latent;
    let mut reconstruction = 0.0;
    let mut kl_per_latent = vec![0.0; latent];
    let mut per_image = ImageLosses::default();
    let mut codes = Codes {
        latent,
        ..Codes::default()
    };
    let prior = network.prior();
    for (step, range) in batches(images.count()).enumerate() {
        let done = range.end;
        let batch = load(network, images, range.clone());
        let classes = known(network.config(), examples, range);
        let condition = condition(network, &classes);
        let posterior = network.encode(batch.clone(), &condition);
        let errors = |latents| {
            let location = network.locate(condition.append(latents));
            network.network().reconstruction_loss(batch.clone(), location)
        };
        let mut generator = generator(options.seed, Purpose::Evaluation, step as u64);
        let terms = judge(network, &errors, &posterior, prior.as_ref(), options, &mut generator);
        let per_latent = match &prior {
            Some(prior) => Some(marginal_divergence(&posterior, prior)),
            None => terms.kl.clone(),
        };
        let per_latent = per_latent.map(|kl| to_values(kl.flatten(0, 1)));
        let (errors, divergences, bounds) = (
            to_values(terms.reconstruction),
            terms.kl.map(|kl| to_values(kl.flatten(0, 1))),
            terms.bound.map(to_values),
        );
        let divergences = divergences.unwrap_or_default();
        reconstruction += errors.iter().copied().map(f64::from).sum::<f64>();
        for (index, value) in per_latent.into_iter().flatten().enumerate() {
            kl_per_latent[index % latent] += f64::from(value);
        }
        per_image.push(&errors, &divergences, bounds.as_deref(), options.beta);
        codes.push(posterior, classes);
        if observe(done).is_break() {
            return Ok(None);
        }
    }
    let share = 1.0 / images.count().max(1) as f64;
    for kl in &mut kl_per_latent {
        *kl *= share;
    }
    let kl = match prior {
        Some(_) => per_image.kl.iter().sum::<f64>() * share,
        None => kl_per_latent.iter().sum(),
    };
    let mut loss = Loss::new(reconstruction * share, kl, options.beta);
    if options.objective.is_importance_weighted() {
        loss.loss = per_image.loss.iter().sum::<f64>() * share;
    }
    Ok(Some(Evaluation {
        loss,
        images: images.count(),
        per_image,
        kl_per_latent,
        codes,
    }))
}

/// The terms of a batch of images with this posterior, whose `errors` are how far each is from what one latent point of it
/// decodes to. Samples are decoded one after the other, so that many take no more memory than one.
fn judge(
    network: &Inference,
    errors: &dyn Fn(Tensor<2>) -> Tensor<1>,
    posterior: &Posterior,
    prior: Option<&Posterior>,
    options: EvaluationOptions,
    generator: &mut Generator,
) -> Terms {
    let [count, latent] = posterior.mean.dims();
    if !options.objective.is_variational() {
        let errors = errors(posterior.mean.clone()).unsqueeze_dim(0);
        return options.objective.terms(errors, posterior, options.beta);
    }
    let (mut reconstruction, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..options.samples.max(1) {
        let noise = network.latents(noise_of(generator, count * latent));
        let latents = posterior.sample(noise.clone());
        let errors = errors(latents.clone());
        let log_variance = posterior.log_variance.clone();
        ratios.push(log_ratio(latents, noise, log_variance, prior).unsqueeze_dim(0));
        reconstruction.push(errors.unsqueeze_dim(0));
    }
    let (errors, ratios) = (Tensor::cat(reconstruction, 0), Tensor::cat(ratios, 0));
    let mut terms = options.objective.terms(errors.clone(), posterior, options.beta);
    if prior.is_some() {
        terms = terms.with_log_ratios(ratios.clone());
    }
    match options.objective.is_importance_weighted() {
        true => terms.with_weights(log_weights(errors, ratios, options.beta)),
        false => terms,
    }
}

/// Where images lie in the latent space. A conditional network is told the label of each; of an image without one that it
/// knows it finds out the class, that under which the evidence lower bound at the posterior's mean is highest.
///
/// # Errors
/// [`NetworkError::Channels`] for images of another kind than the network's.
pub fn encode<'a>(network: &Inference, examples: impl Into<Examples<'a>>) -> Result<Codes, NetworkError> {
    let codes = encode_observed(network, examples.into(), &mut |_| ControlFlow::Continue(()))?;
    Ok(codes.expect("nobody stops it"))
}

/// The same of many images: `observe` is told after each batch how many are done; nothing is returned when it breaks.
///
/// # Errors
/// As [`encode`].
pub(crate) fn encode_observed(
    network: &Inference,
    examples: Examples,
    observe: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Codes>, NetworkError> {
    let images = examples.images;
    check_channels(network.config(), images)?;
    let mut codes = Codes {
        latent: network.config().latent,
        ..Codes::default()
    };
    for range in batches(images.count()) {
        let done = range.end;
        let batch = load(network, images, range.clone());
        let classes = classes(network, labels(network.config(), examples, range), &batch);
        codes.push(network.encode(batch, &condition(network, &classes)), classes);
        if observe(done).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(codes))
}

/// The images at points that a decoder takes, `[count, latent]`: 8 bits a channel.
///
/// # Errors
/// [`NetworkError::Points`] when the numbers are no whole points.
pub fn decode(decoder: &dyn Decoder, points: &[f32]) -> Result<Images, NetworkError> {
    let (latent, shape) = (decoder.latent(), decoder.image_shape());
    if !points.len().is_multiple_of(latent) {
        return Err(NetworkError::Points {
            latent,
            found: points.len(),
        });
    }
    let mut pixels = Vec::with_capacity(points.len() / latent * shape.length());
    for batch in points.chunks(BATCH * latent) {
        pixels.extend(decoder.decode(batch).into_iter().map(to_byte));
    }
    Ok(Images::new(shape.channels, shape.side, shape.side, pixels).expect("a decoder gives whole images"))
}

/// Images as the network gives them back from the means of their posteriors, and their classes, as [`encode`] finds them.
///
/// # Errors
/// [`NetworkError::Channels`] for images of another kind than the network's.
pub fn reconstruct<'a>(network: &Inference, examples: impl Into<Examples<'a>>) -> Result<Images, NetworkError> {
    decode(network, &encode(network, examples)?.points(network.config()))
}

impl Codes {
    /// The points that the decoder of their network takes: the means, each with its class where the network is conditional.
    #[must_use]
    pub fn points(&self, network: &NetworkConfig) -> Vec<f32> {
        network.points(&self.mean, &self.classes)
    }

    /// Means and log variances for a [`Table`](crate::tables::Table).
    #[must_use]
    pub fn columns(&self) -> Vec<Column<'_>> {
        [("mean", &self.mean), ("log_variance", &self.log_variance)]
            .map(|(name, values)| {
                let width = self.latent;
                let numbers = Numbers::Many { width, values };
                Column { name, numbers }
            })
            .into()
    }

    fn push(&mut self, posterior: Posterior, classes: Vec<u16>) {
        self.classes.extend(classes);
        self.mean.extend(to_values(posterior.mean.flatten(0, 1)));
        self.log_variance
            .extend(to_values(posterior.log_variance.flatten(0, 1)));
    }
}

/// Whether a network takes such images: grey or colour, of any size.
///
/// # Errors
/// [`NetworkError::Channels`] when it does not.
pub(crate) fn check_channels(network: &NetworkConfig, images: &Images) -> Result<(), NetworkError> {
    let (expected, found) = (network.channels, images.channels());
    if expected == found {
        Ok(())
    } else {
        Err(NetworkError::Channels { expected, found })
    }
}

fn batches(count: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..count)
        .step_by(BATCH)
        .map(move |start| start..(start + BATCH).min(count))
}

fn load(network: &Inference, images: &Images, range: std::ops::Range<usize>) -> Tensor<4> {
    let config = network.config();
    let shape = [range.len(), config.channels, config.image_size, config.image_size];
    let indices: Vec<u32> = range.map(|index| index as u32).collect();
    let pixels = prepare(images, &indices, config.image_size);
    Tensor::from_data(TensorData::new(pixels, shape), &network.network().device())
}

fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::network::{Architecture, HiddenActivation, Vae};
    use crate::random::noise;

    #[test]
    fn the_bound_is_that_of_all_samples_and_the_terms_are_those_of_the_lower_bound() {
        const SAMPLES: usize = 3;
        let config = NetworkConfig {
            image_size: 4,
            channels: 1,
            latent: 2,
            classes: 0,
            architecture: Architecture::Mlp {
                hidden: vec![6],
                activation: HiddenActivation::Tanh,
            },
        };
        let vae = Vae::new(config, 1, &Device::flex()).unwrap();
        let network = Inference::new(&vae);
        let pixels: Vec<u8> = (0..5 * 16).map(|index| (index * index % 256) as u8).collect();
        let images = Images::new(1, 4, 4, pixels.clone()).unwrap();
        let judged = |objective, samples| {
            let options = EvaluationOptions {
                objective,
                beta: 1.0,
                samples,
                seed: 7,
            };
            evaluate(&network, &images, options, &mut |_| ControlFlow::Continue(()))
                .unwrap()
                .unwrap()
        };
        let found = judged(Objective::Iwae, SAMPLES);
        // Each weight in 64 bits, from its definition.
        let noise = noise(7, Purpose::Evaluation, 0, SAMPLES * 5 * 2);
        let (mean, log_variance) = (&found.codes.mean, &found.codes.log_variance);
        for image in 0..5 {
            let (mut weights, mut errors) = (0.0, 0.0);
            for sample in 0..SAMPLES {
                let mut point = Vec::new();
                let mut ratio = 0.0;
                for latent in 0..2 {
                    let deviate = f64::from(noise[(sample * 5 + image) * 2 + latent]);
                    let [mean, log_variance] = [mean, log_variance].map(|codes| f64::from(codes[image * 2 + latent]));
                    let z = mean + deviate * (log_variance / 2.0).exp();
                    ratio += 0.5 * (deviate * deviate + log_variance - z * z);
                    point.push(z as f32);
                }
                let drawn = to_values(vae.locate(network.latents(point)).flatten(0, 3));
                let entropy = drawn.iter().zip(&pixels[image * 16..]).map(|(&y, &x)| {
                    let (x, y) = (f64::from(x) / 255.0, f64::from(y));
                    -x * (y + 1e-7).ln() - (1.0 - x) * (1.0 - y + 1e-7).ln()
                });
                let error: f64 = entropy.sum();
                errors += error / SAMPLES as f64;
                weights += (ratio - error).exp() / SAMPLES as f64;
            }
            let (bound, reconstruction) = (found.per_image.loss[image], found.per_image.reconstruction[image]);
            assert!((bound + weights.ln()).abs() < 1e-4, "{bound} {}", -weights.ln());
            assert!((reconstruction - errors).abs() < 1e-4, "{reconstruction} {errors}");
        }
        let mean = found.per_image.loss.iter().sum::<f64>() / 5.0;
        assert!((found.loss.loss - mean).abs() < 1e-9);
        assert_eq!(found.kl_per_latent, judged(Objective::Vae, 1).kl_per_latent);
        // Another gradient, not another bound.
        assert_eq!(judged(Objective::Dreg, SAMPLES).loss, found.loss);
        // More samples, a tighter bound.
        let [few, many] = [1, 500].map(|samples| judged(Objective::Iwae, samples).loss.loss);
        assert!(many < few, "{many} {few}");
    }

    #[test]
    fn half_a_point_is_an_error() {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 1 },
            latent: 3,
            ..NetworkConfig::default()
        };
        let network = Inference::new(&Vae::new(config, 0, &Device::flex()).unwrap());
        let message = decode(&network, &[0.0; 7]).unwrap_err().to_string();
        assert_eq!(message, "7 numbers are no whole points of 3 dimensions");
        assert_eq!(decode(&network, &[0.0; 6]).unwrap().count(), 2);
        assert_eq!(decode(&network, &[]).unwrap().count(), 0);
    }
}
