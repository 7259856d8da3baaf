//! How images are divided and made black or white: what a number that is held against a paper's depends on.

use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{DataError, Images, Resizer, Split};
use crate::choice::Choice;
use crate::random::{Generator, Purpose, generator};

/// The number of a training image's draw, counted from its first; test images count from zero.
const TRAIN: u64 = 1 << 40;
/// Bits of a draw's number that tell images apart; the epoch stands above.
const INDEX_BITS: u32 = 32;

/// What was done to images before a network saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// How grey values became black or white, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binarize: Option<Binarization>,
    /// How many of the training images, the last ones, were held out to choose the best epoch by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
}

/// How grey values become black or white. A Bernoulli likelihood is one of such images only, and numbers of different
/// binarizations cannot be compared: on MNIST the fixed files are some 2 nats above draws for each epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binarization {
    /// A pixel is white with the probability that its grey value is (Salakhutdinov and Murray, 2008). Images to learn from
    /// are drawn anew for each epoch, all others once and for all: the same draw whatever a run's seed.
    Dynamic,
    /// Drawn once and published: MNIST as Larochelle and Murray (2011) have it.
    Static,
    /// White from the middle of the grey values on.
    Threshold,
}

impl Choice for Binarization {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (
            Self::Dynamic,
            "dynamic",
            "White with the probability that the grey value is; drawn anew each epoch, test images once",
        ),
        (
            Self::Static,
            "static",
            "The published files of binarized MNIST (Larochelle and Murray, 2011)",
        ),
        (
            Self::Threshold,
            "threshold",
            "White from the middle of the grey values on",
        ),
    ];
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.binarize {
            Some(Binarization::Dynamic) => f.write_str("dynamic binarization, test images drawn once")?,
            Some(Binarization::Static) => f.write_str("static binarization")?,
            Some(Binarization::Threshold) => f.write_str("binarized at the middle grey")?,
            None => f.write_str("pixels as they are")?,
        }
        match self.validation {
            Some(count) => write!(f, ", the last {count} training images for validation"),
            None => Ok(()),
        }
    }
}

impl Binarization {
    /// Test images, drawn once: `size` x `size`, all pixels 0 or 255.
    ///
    /// # Errors
    /// [`DataError::BinarizationOfColours`], and [`DataError::Binarization`] for [`Binarization::Static`] when they are not
    /// black and white already.
    pub fn test(self, split: Split, size: usize) -> Result<Split, DataError> {
        self.fixed(split, size, 0)
    }

    /// Training images, drawn once, as [`Binarization::test`]; `first` is the number of the first of them in the set.
    ///
    /// # Errors
    /// As [`Binarization::test`].
    pub fn train(self, split: Split, size: usize, first: usize) -> Result<Split, DataError> {
        self.fixed(split, size, TRAIN + first as u64)
    }

    /// Makes sure that such images can be made black and white.
    ///
    /// # Errors
    /// As [`Binarization::test`].
    pub fn check(self, images: &Images) -> Result<(), DataError> {
        let binarization = self.name();
        match self {
            _ if images.channels() != 1 => Err(DataError::BinarizationOfColours { binarization }),
            Self::Static if !images.is_binary() => Err(DataError::Binarization {
                binarization,
                reason: "their published files are of MNIST alone, and these are others: use dynamic or threshold",
            }),
            _ => Ok(()),
        }
    }

    fn fixed(self, split: Split, size: usize, first: u64) -> Result<Split, DataError> {
        self.check(&split.images)?;
        let resizer = Resizer::new((split.images.height(), split.images.width()), size);
        let mut grey = vec![0.0; size * size];
        let mut pixels = Vec::with_capacity(split.images.count() * grey.len());
        for index in 0..split.images.count() {
            resizer.resize(split.images.image(index), 1, &mut grey);
            match self {
                Self::Dynamic => draw(
                    &mut grey,
                    &mut generator(0, Purpose::FixedBinarization, first + index as u64),
                ),
                // Where images were enlarged, their edges are grey again.
                Self::Static | Self::Threshold => cut(&mut grey),
            }
            pixels.extend(grey.iter().map(|&white| (white * 255.0) as u8));
        }
        Ok(Split {
            images: Images::new(1, size, size, pixels)?,
            ..split
        })
    }
}

/// Draws image `index` of the training images for one epoch: `grey`, in [0, 1], becomes 0 or 1.
pub(super) fn draw_for_epoch(grey: &mut [f32], seed: u64, epoch: u64, index: u32) {
    let step = (epoch << INDEX_BITS) | u64::from(index);
    draw(grey, &mut generator(seed, Purpose::Binarization, step));
}

fn draw(grey: &mut [f32], generator: &mut Generator) {
    for pixel in grey {
        *pixel = f32::from(generator.random::<f32>() < *pixel);
    }
}

fn cut(grey: &mut [f32]) {
    for pixel in grey {
        *pixel = f32::from(*pixel >= 0.5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pixels: &[u8], side: usize) -> Split {
        Split {
            images: Images::new(1, side, side, pixels.to_vec()).unwrap(),
            labels: None,
            sources: None,
        }
    }

    #[test]
    fn a_pixel_is_white_as_often_as_its_grey_value_says() {
        let greys = [0, 1, 64, 128, 200, 254, 255];
        for grey in greys {
            let count = 40_000;
            let drawn = Binarization::Dynamic.test(split(&vec![grey; count], 1), 1).unwrap();
            assert!(drawn.images.is_binary());
            let white = drawn.images.pixels().iter().filter(|&&pixel| pixel == 255).count() as f64;
            let probability = f64::from(grey) / 255.0;
            let deviation = (count as f64 * probability * (1.0 - probability)).sqrt();
            assert!(
                (white - count as f64 * probability).abs() <= 4.0 * deviation,
                "{grey}: {white}"
            );
        }
    }

    #[test]
    fn fixed_draws_repeat_and_those_of_epochs_differ() {
        let images = split(&[128; 6 * 64], 8);
        let [once, again] = [0, 1].map(|_| Binarization::Dynamic.test(images.clone(), 8).unwrap());
        assert_eq!(once, again);
        assert_ne!(once, Binarization::Dynamic.train(images.clone(), 8, 0).unwrap());
        // The last two images of a set, by themselves, are drawn as with all.
        let all = Binarization::Dynamic.train(images.clone(), 8, 0).unwrap();
        let last = Binarization::Dynamic.train(split(&[128; 2 * 64], 8), 8, 4).unwrap();
        assert_eq!(all.images.pixels()[4 * 64..], *last.images.pixels());
        let drawn = |seed, epoch, index| {
            let mut grey = [0.5; 64];
            draw_for_epoch(&mut grey, seed, epoch, index);
            grey
        };
        assert_eq!(drawn(3, 1, 7), drawn(3, 1, 7));
        for other in [drawn(4, 1, 7), drawn(3, 2, 7), drawn(3, 1, 8)] {
            assert_ne!(drawn(3, 1, 7), other);
        }
    }

    #[test]
    fn a_threshold_cuts_at_the_middle() {
        let cut = Binarization::Threshold.test(split(&[0, 127, 128, 255], 1), 1).unwrap();
        assert_eq!(cut.images.pixels(), [0, 0, 255, 255]);
    }

    #[test]
    fn colours_and_foreign_greys_are_refused() {
        let colour = Images::new(3, 1, 1, vec![0, 0, 255]).unwrap();
        for binarization in Binarization::CHOICES.iter().map(|choice| choice.0) {
            let message = binarization.check(&colour).unwrap_err().to_string();
            assert!(message.contains("colours") && !message.contains('\n'), "{message}");
        }
        let message = Binarization::Static.test(split(&[0, 9], 1), 1).unwrap_err().to_string();
        assert!(message.contains("MNIST alone"), "{message}");
        assert!(Binarization::Static.test(split(&[0, 255], 1), 1).is_ok());
    }
}
