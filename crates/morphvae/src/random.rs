//! Seeded randomness: every random number of the library comes from a generator made here.
//!
//! One seed gives many independent streams, one for each purpose and step, so that a resumed run draws what the
//! uninterrupted one would have drawn, without a generator's state on disk.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// The generator that the library draws from: the same numbers on every machine.
pub type Generator = ChaCha8Rng;

/// What random numbers are drawn for. Each purpose has streams of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The first weights of a network.
    Weights = 1,
    /// The order of the images in an epoch.
    Order = 2,
    /// The noise of the reparameterization while training.
    Noise = 3,
    /// The noise of the reparameterization while evaluating.
    Evaluation = 4,
    /// Digits drawn as pen strokes.
    Strokes = 5,
    /// Which images are held out for testing.
    Split = 6,
    /// Where the search for principal components begins.
    Directions = 7,
    /// Points drawn from the prior.
    Prior = 8,
    /// Which pixels are white in an epoch, where grey values are probabilities.
    Binarization = 9,
    /// Which pixels are white for good.
    FixedBinarization = 10,
    /// The samples of an importance-weighted estimate, by image.
    Importance = 11,
    /// The first pseudo-inputs of a prior.
    PseudoInputs = 12,
    /// The classes of points that are drawn from a conditional network's prior.
    Classes = 13,
    /// Where the components of a mixture begin that is fitted.
    Mixture = 14,
    /// The pixels of an image, drawn around what the decoder says.
    Pixels = 15,
    /// The first weights of a classifier.
    Classifier = 16,
    /// How an image is distorted before a classifier learns from it.
    Distortion = 17,
    /// Which images keep their label, where few do.
    KnownLabels = 18,
    /// The first weights of a semi-supervised classifier.
    SemiSupervisedWeights = 19,
    /// What a step of it draws: labelled images, features, latents.
    SemiSupervisedStep = 20,
    /// Which images are taken for labelled ones.
    Labelled = 21,
}

/// The generator of one purpose and one step (an epoch, a batch, an image: whatever the purpose counts).
#[must_use]
pub fn generator(seed: u64, purpose: Purpose, step: u64) -> Generator {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(((purpose as u64) << 56) | (step & ((1 << 56) - 1)));
    generator
}

/// `count` standard normal numbers for one purpose and step.
pub(crate) fn noise(seed: u64, purpose: Purpose, step: u64, count: usize) -> Vec<f32> {
    noise_of(&mut generator(seed, purpose, step), count)
}

/// The next `count` standard normal numbers of a generator.
pub(crate) fn noise_of(generator: &mut Generator, count: usize) -> Vec<f32> {
    (0..count).map(|_| StandardNormal.sample(generator)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, purpose, step| generator(seed, purpose, step).next_u64();
        assert_eq!(first(1, Purpose::Noise, 2), first(1, Purpose::Noise, 2));
        assert_ne!(first(1, Purpose::Noise, 2), first(1, Purpose::Noise, 3));
        assert_ne!(first(1, Purpose::Noise, 2), first(1, Purpose::Order, 2));
        assert_ne!(first(1, Purpose::Noise, 2), first(2, Purpose::Noise, 2));
    }
}
