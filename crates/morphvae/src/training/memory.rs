//! How much memory a training takes, before it takes any.

use super::TrainingConfig;
use crate::network::{BATCH as TESTED, NetworkConfig};

/// Bytes of a number.
const NUMBER: f64 = 4.0;

// Fitted to the measured peaks of eight trainings, of 83 to 827 MB: images of 32 to 128 pixels, 2 to 128 base channels, 2
// and 4096 latent dimensions, batches of 30 to 512 images. The sum was between 0.95 and 1.25 times each.

/// How many times the weights are there: themselves, their gradients, Adam's two averages, and what the kernels make of
/// them for a pass and for the test images.
const COPIES: f64 = 8.0;
/// How many times a training batch's maps are there, the gradients in their places.
const TRAINED: f64 = 1.1;
/// The same of what the decoder makes of each further sample of an image, and of the copy of the image beside it. Fitted to
/// four trainings of 8 to 50 samples, whose peaks were 0.7 to 1.15 times the sum.
const SAMPLED: f64 = 1.4;
/// How many times the largest map of a batch of test images is there.
const JUDGED: f64 = 1.25;
/// The program itself and what it draws with, in bytes.
const BESIDE: u64 = 100_000_000;

/// The memory that a training takes besides its images, in bytes: an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// For the weights, their gradients, Adam's two averages, and the copies that kernels work with.
    pub network: u64,
    /// For the maps of a batch, which the backward pass needs again, and their gradients.
    pub batch: u64,
}

impl Footprint {
    /// For a network of this configuration that learns from `batch` images a step, in a training of these settings.
    #[must_use]
    pub fn of(network: &NetworkConfig, training: &TrainingConfig, batch: usize) -> Self {
        let bytes = |numbers: usize, times: f64| numbers as f64 * times * NUMBER;
        let plan = network.plan();
        let maps = plan.maps();
        let once: usize = maps.iter().sum();
        // Each further sample goes through the decoder, and is held against a copy of its image.
        let again = plan.decoder_maps().iter().sum::<usize>() + network.image_shape().length();
        let further = bytes(again, SAMPLED) * training.samples.saturating_sub(1) as f64;
        // Pseudo-inputs go through the encoder like images, and are weights.
        let encoded = bytes(once - plan.decoder_maps().iter().sum::<usize>(), TRAINED);
        let pseudo_inputs = training.pseudo_inputs as f64;
        let trained = (bytes(once, TRAINED) + further) * batch as f64 + encoded * pseudo_inputs;
        let learned = bytes(network.image_shape().length(), COPIES) * pseudo_inputs;
        let judged = bytes(maps.iter().max().copied().unwrap_or(0), JUDGED) * TESTED as f64;
        Self {
            network: (bytes(plan.weights(), COPIES) + learned) as u64,
            batch: trained.max(judged) as u64,
        }
    }

    /// All of it, with the program itself.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.network.saturating_add(self.batch).saturating_add(BESIDE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, HiddenActivation};

    #[test]
    fn the_estimate_is_near_what_was_measured() {
        for (image_size, base_channels, latent, batch, megabytes) in [
            (32, 2, 2, 30, 83.0),
            (32, 64, 2, 30, 304.0),
            (32, 64, 2, 128, 344.0),
            (32, 32, 2, 512, 314.0),
            (32, 64, 4096, 30, 527.0),
            (64, 64, 2, 30, 617.0),
            (32, 128, 2, 30, 827.0),
            (128, 32, 2, 30, 466.0),
        ] {
            let config = NetworkConfig {
                image_size,
                channels: 1,
                architecture: Architecture::Reference { base_channels },
                latent,
                classes: 0,
            };
            let ratio = Footprint::of(&config, &TrainingConfig::default(), batch).total() as f64 * 1e-6 / megabytes;
            assert!((0.9..1.5).contains(&ratio), "{config:?}, {batch}: {ratio}");
        }
    }

    #[test]
    fn samples_and_pseudo_inputs_are_foreseen() {
        let reference = |base_channels| Architecture::Reference { base_channels };
        let mlp = |hidden: &[usize]| Architecture::Mlp {
            hidden: hidden.to_vec(),
            activation: HiddenActivation::Relu,
        };
        for (architecture, image_size, latent, batch, samples, pseudo_inputs, megabytes) in [
            (reference(32), 32, 2, 30, 8, 0, 220.0),
            (reference(64), 32, 2, 30, 20, 0, 480.0),
            (mlp(&[400]), 28, 2, 100, 50, 0, 142.0),
            (mlp(&[300, 300]), 28, 40, 100, 1, 500, 119.0),
        ] {
            let config = NetworkConfig {
                image_size,
                channels: 1,
                architecture,
                latent,
                classes: 0,
            };
            let training = TrainingConfig {
                samples,
                pseudo_inputs,
                ..TrainingConfig::default()
            };
            let ratio = Footprint::of(&config, &training, batch).total() as f64 * 1e-6 / megabytes;
            assert!((0.85..1.5).contains(&ratio), "{config:?}, {samples}: {ratio}");
        }
    }

    #[test]
    fn no_configuration_is_beyond_counting() {
        let config = NetworkConfig {
            image_size: 128,
            channels: 3,
            architecture: Architecture::Reference { base_channels: 512 },
            latent: 4096,
            classes: 0,
        };
        // Of samples only what the decoder makes is there several times.
        let of = |samples, batch| {
            let training = TrainingConfig {
                samples,
                ..TrainingConfig::default()
            };
            Footprint::of(&config, &training, batch)
        };
        let [one, three, five] = [1, 3, 5].map(|samples| of(samples, 300).batch);
        assert!(three < 3 * one && (five - three).abs_diff(three - one) < 10);
        assert!(of(1, 30).total() > 30_000_000_000);
        assert_eq!(of(usize::MAX, usize::MAX).total(), u64::MAX);
    }
}
