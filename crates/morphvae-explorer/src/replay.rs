//! Where images lay after each epoch of a run: small enough to be kept in its folder and sent to a page.
//!
//! Little endian: [`MAGIC`]; 32-bit counts of the split's images, latent dimensions, points and epochs; 16-bit labels of the
//! points, 65535 where there is none; for each epoch its number, training and test loss and a scale as 32-bit numbers, and
//! the points' means, `[points, latent]`, as 16-bit shares of that scale.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use morphvae::data::Split;
use morphvae::evaluation::Codes;
use morphvae::files::write_atomically;
use morphvae::training::EpochMetrics;

use crate::map::NO_LABEL;

/// The file's name, among a run's figures: with them it goes when another run takes their place.
const FILE: &str = "replay.bin";
/// What the bytes begin with.
const MAGIC: [u8; 8] = *b"replay\0\x01";
/// Bytes before the labels.
const HEAD: usize = 24;
/// Bytes of an epoch before its points.
const EPOCH: usize = 16;
/// Points, at most, and numbers of an epoch's points, at most.
const MOST_POINTS: usize = 1000;
const MOST_NUMBERS: usize = 16_000;
/// Epochs, at most; of more, every second, fourth, eighth, … is kept, and the last.
const MOST_EPOCHS: usize = 64;
/// A file that is larger is none of these.
const LARGEST: usize = HEAD + 2 * MOST_POINTS + (MOST_EPOCHS + 1) * (EPOCH + 2 * MOST_NUMBERS);

/// The epochs of a run as points that move: some of its test images, evenly taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    total: usize,
    latent: usize,
    labels: Vec<u16>,
    epochs: Vec<Epoch>,
}

#[derive(Clone, Debug, PartialEq)]
struct Epoch {
    number: u32,
    losses: [f32; 2],
    scale: f32,
    shares: Vec<i16>,
}

impl Replay {
    /// Nothing yet, of the images of a split in `latent` dimensions.
    #[must_use]
    pub fn of(split: &Split, latent: usize) -> Self {
        let total = split.images.count();
        let label = |place| split.labels.as_ref().and_then(|labels| labels[place]);
        Self {
            total,
            latent,
            labels: places(total, latent)
                .map(|place| label(place).unwrap_or(NO_LABEL))
                .collect(),
            epochs: Vec::new(),
        }
    }

    /// What is kept among a run's `figures`, if anything is.
    #[must_use]
    pub fn read(figures: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        let file = File::open(figures.join(FILE)).ok()?;
        file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).ok()?;
        Self::parse(&bytes)
    }

    /// Keeps it among a run's `figures`.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn write(&self, figures: &Path) -> io::Result<()> {
        write_atomically(&figures.join(FILE), |writer| writer.write_all(&self.bytes()))
    }

    /// Goes on with what was `kept` of the same images, as far as the first `epochs`: later ones will be done again.
    #[must_use]
    pub fn after(self, kept: Option<Self>, epochs: usize) -> Self {
        let facts = |replay: &Self| (replay.total, replay.latent, replay.labels.clone());
        let mut kept = kept.filter(|kept| facts(kept) == facts(&self)).unwrap_or(self);
        kept.epochs.retain(|epoch| epoch.number as usize <= epochs);
        kept
    }

    /// The last epoch that is held; 0 where there is none.
    #[must_use]
    pub fn last(&self) -> usize {
        self.epochs.last().map_or(0, |epoch| epoch.number as usize)
    }

    /// Whether there is something to see in a map of `latent` dimensions.
    pub(crate) fn moves_in(&self, latent: usize) -> bool {
        self.latent == latent && self.epochs.len() > 1
    }

    /// Takes the `codes` of the whole split after an epoch.
    ///
    /// # Panics
    /// When they are of fewer images, or in other dimensions.
    pub fn add(&mut self, codes: &Codes, metrics: &EpochMetrics) {
        let latent = self.latent;
        let code = |place: usize| &codes.mean[place * latent..][..latent];
        let means: Vec<f32> = places(self.total, latent).flat_map(code).copied().collect();
        let finite = means.iter().filter(|mean| mean.is_finite());
        let scale = finite.fold(f32::MIN_POSITIVE, |most, mean| most.max(mean.abs()));
        // What is no number is nowhere; it is shown in the middle.
        let share = |mean: &f32| (mean / scale * f32::from(i16::MAX)).round() as i16;
        let number = u32::try_from(metrics.epoch).unwrap_or(u32::MAX);
        self.epochs.retain(|epoch| epoch.number < number);
        self.epochs.push(Epoch {
            number,
            losses: [metrics.train_loss, metrics.test_loss].map(|loss| loss as f32),
            scale,
            shares: means.iter().map(share).collect(),
        });
        let step = (number as usize).div_ceil(MOST_EPOCHS).next_power_of_two();
        self.epochs
            .retain(|epoch| epoch.number == number || (epoch.number as usize - 1).is_multiple_of(step));
    }

    /// As a file and a page have it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let counts = [self.total, self.latent, self.labels.len(), self.epochs.len()];
        let mut bytes = MAGIC.to_vec();
        bytes.extend(counts.iter().flat_map(|&count| (count as u32).to_le_bytes()));
        bytes.extend(self.labels.iter().flat_map(|label| label.to_le_bytes()));
        for epoch in &self.epochs {
            bytes.extend(epoch.number.to_le_bytes());
            let numbers = epoch.losses.iter().chain([&epoch.scale]);
            bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
            bytes.extend(epoch.shares.iter().flat_map(|share| share.to_le_bytes()));
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let [total, latent, points, epochs] = [0, 4, 8, 12].map(|at| word(counts, at) as usize);
        if *magic != MAGIC || !(1..=MOST_NUMBERS).contains(&latent) || epochs > MOST_EPOCHS + 1 {
            return None;
        }
        let length = EPOCH + 2 * points.min(MOST_POINTS) * latent;
        if points != places(total, latent).count() || rest.len() != 2 * points + epochs * length {
            return None;
        }
        let (labels, rest) = rest.split_at(2 * points);
        let epochs: Vec<Epoch> = rest.chunks_exact(length).map(Epoch::parse).collect();
        let is_sound = epochs.iter().all(|epoch| epoch.number > 0 && epoch.scale.is_finite())
            && epochs.is_sorted_by(|a, b| a.number < b.number);
        is_sound.then(|| Self {
            total,
            latent,
            labels: pairs(labels).map(u16::from_le_bytes).collect(),
            epochs,
        })
    }
}

impl Epoch {
    /// Of as many bytes as it has.
    fn parse(bytes: &[u8]) -> Self {
        let number = |at: usize| f32::from_bits(word(bytes, at));
        Self {
            number: word(bytes, 0),
            losses: [4, 8].map(number),
            scale: number(12),
            shares: pairs(&bytes[EPOCH..]).map(i16::from_le_bytes).collect(),
        }
    }
}

/// Which of a split's images are followed.
fn places(total: usize, latent: usize) -> impl Iterator<Item = usize> {
    let points = total.min(MOST_POINTS).min((MOST_NUMBERS / latent).max(1));
    (0..points).map(move |point| point * total / points)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]))
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = [u8; 2]> {
    bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use morphvae::data::Images;

    fn split(total: usize) -> Split {
        Split {
            images: Images::new(1, 1, 1, vec![0; total]).unwrap(),
            labels: Some((0..total).map(|index| Some(index as u16 % 10)).collect()),
            sources: None,
        }
    }

    fn codes(total: usize, latent: usize, slope: f32) -> Codes {
        Codes {
            latent,
            mean: (0..total * latent).map(|index| slope * index as f32).collect(),
            log_variance: vec![0.0; total * latent],
            classes: Vec::new(),
        }
    }

    fn metrics(epoch: usize) -> EpochMetrics {
        EpochMetrics {
            epoch,
            train_loss: 3.0,
            train_reconstruction: 2.0,
            train_kl: 1.0,
            test_loss: 4.0,
            test_reconstruction: 3.0,
            test_kl: 1.0,
            validation: None,
            informative_latents: 2,
            images_per_second: 1.0,
            seconds: 1.0,
        }
    }

    #[test]
    fn what_is_written_is_read_to_within_a_share_of_the_scale() {
        let mut replay = Replay::of(&split(5000), 3);
        for epoch in 1..=3 {
            replay.add(&codes(5000, 3, epoch as f32), &metrics(epoch));
        }
        assert_eq!(Replay::parse(&replay.bytes()).as_ref(), Some(&replay));
        let Epoch {
            scale, shares, losses, ..
        } = &replay.epochs[1];
        assert_eq!((losses, shares.len()), (&[3.0, 4.0], 3000));
        // Point 501 of 1000 is image 2505 of 5000, whose label is 5.
        let found = f32::from(shares[1503]) * scale / f32::from(i16::MAX);
        assert!((found - 2.0 * 7515.0).abs() <= scale / f32::from(i16::MAX));
        assert_eq!(replay.labels[501], 5);
    }

    #[test]
    fn a_long_run_is_thinned_evenly_and_keeps_its_last_epoch() {
        let mut replay = Replay::of(&split(10), 2);
        for epoch in 1..=150 {
            replay.add(&codes(10, 2, 1.0), &metrics(epoch));
            assert!(replay.epochs.len() <= MOST_EPOCHS + 1);
        }
        let numbers: Vec<u32> = replay.epochs.iter().map(|epoch| epoch.number).collect();
        assert_eq!(numbers[..3], [1, 5, 9]);
        assert_eq!(numbers.last(), Some(&150));
        assert!(replay.bytes().len() <= LARGEST);
        assert_eq!(Replay::of(&split(10), 2).after(Some(replay.clone()), 9).last(), 9);
        // Other images are another run's.
        assert_eq!(Replay::of(&split(11), 2).after(Some(replay), 9).last(), 0);
    }

    #[test]
    fn hostile_bytes_are_no_replay() {
        let mut replay = Replay::of(&split(4), 2);
        replay.add(&codes(4, 2, 1.0), &metrics(1));
        let bytes = replay.bytes();
        for length in 0..bytes.len() {
            assert_eq!(Replay::parse(&bytes[..length]), None);
        }
        // Counts that do not belong together; how many images the split has means nothing by itself.
        for place in (0..8).chain(12..HEAD) {
            for value in [0, 1, 127, 255] {
                let mut other = bytes.clone();
                other[place] = value;
                assert!(other == bytes || Replay::parse(&other).is_none(), "{place}: {value}");
            }
        }
    }
}
