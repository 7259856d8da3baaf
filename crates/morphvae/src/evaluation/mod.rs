//! A trained network at work: judged on whole data sets, encoding, decoding, reconstructing.
//!
//! Everything here takes images of any size and goes through them in batches of one fixed size, so that the same images
//! give the same bits. Batch norms use their running statistics.

mod losses;

use std::ops::ControlFlow;

use burn::tensor::{Tensor, TensorData};

use crate::data::{Images, prepare};
use crate::network::{BATCH, Decoder, Inference, NetworkConfig, NetworkError, to_values};
use crate::objective::{Loss, Objective};
use crate::probability::Posterior;
use crate::random::{Purpose, noise};
use crate::tables::{Column, Numbers};

pub use losses::ImageLosses;

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
    /// Decides the noise: one sample of the posterior an image.
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
    /// Mean KL divergence of each latent dimension, `[latent]`, in nats.
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

/// Judges a network on all `images`: one sample of the posterior each for [`Objective::Vae`], the mean for
/// [`Objective::Ae`], and the network's own likelihood.
///
/// `observe` is told after each batch how many images are done; nothing is returned when it breaks.
///
/// # Errors
/// [`NetworkError::Channels`] for images of another kind than the network's.
pub fn evaluate(
    network: &Inference,
    images: &Images,
    options: EvaluationOptions,
    observe: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Evaluation>, NetworkError> {
    check_channels(network.config(), images)?;
    let latent = network.config().latent;
    let mut reconstruction = 0.0;
    let mut kl_per_latent = vec![0.0; latent];
    let mut per_image = ImageLosses::default();
    let mut codes = Codes {
        latent,
        ..Codes::default()
    };
    for (step, range) in batches(images.count()).enumerate() {
        let count = range.len();
        let done = range.end;
        let batch = load(network, images, range);
        let posterior = network.encode(batch.clone());
        let latents = match options.objective.is_variational() {
            true => {
                let values = noise(options.seed, Purpose::Evaluation, step as u64, count * latent);
                posterior.sample(network.latents(values))
            }
            false => posterior.mean.clone(),
        };
        let location = network.locate(latents);
        let errors = network.network().reconstruction_loss(batch, location);
        let terms = options.objective.terms(errors, &posterior, options.beta);
        let (errors, divergences) = (
            to_values(terms.reconstruction),
            terms.kl.map(|kl| to_values(kl.flatten(0, 1))),
        );
        let divergences = divergences.unwrap_or_default();
        reconstruction += errors.iter().copied().map(f64::from).sum::<f64>();
        for (index, &value) in divergences.iter().enumerate() {
            kl_per_latent[index % latent] += f64::from(value);
        }
        per_image.push(&errors, &divergences, options.beta);
        codes.push(posterior);
        if observe(done).is_break() {
            return Ok(None);
        }
    }
    let share = 1.0 / images.count().max(1) as f64;
    for kl in &mut kl_per_latent {
        *kl *= share;
    }
    let kl = kl_per_latent.iter().sum::<f64>();
    let reconstruction = reconstruction * share;
    Ok(Some(Evaluation {
        loss: Loss::new(reconstruction, kl, options.beta),
        images: images.count(),
        per_image,
        kl_per_latent,
        codes,
    }))
}

/// Where images lie in the latent space.
///
/// # Errors
/// [`NetworkError::Channels`] for images of another kind than the network's.
pub fn encode(network: &Inference, images: &Images) -> Result<Codes, NetworkError> {
    check_channels(network.config(), images)?;
    let mut codes = Codes {
        latent: network.config().latent,
        ..Codes::default()
    };
    for range in batches(images.count()) {
        codes.push(network.encode(load(network, images, range)));
    }
    Ok(codes)
}

/// The images at points of the latent space, `[count, latent]`: 8 bits a channel.
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

/// Images as the network gives them back from the means of their posteriors.
///
/// # Errors
/// [`NetworkError::Channels`] for images of another kind than the network's.
pub fn reconstruct(network: &Inference, images: &Images) -> Result<Images, NetworkError> {
    decode(network, &encode(network, images)?.mean)
}

impl Codes {
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

    fn push(&mut self, posterior: Posterior) {
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
    use crate::network::{Architecture, Vae};

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
