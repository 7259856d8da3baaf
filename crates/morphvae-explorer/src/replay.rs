//! Where images lay after each epoch of a run, and what the network made of a few of them: small enough to be kept in its
//! folder and sent to a page.
//!
//! Little endian: [`MAGIC`]; 32-bit counts of the split's images, latent dimensions, points, pictures, channels, pixels along
//! a side and epochs; 16-bit labels of the points, 65535 where there is none; the pictures, `[pictures, channels, side, side]`,
//! a byte a value; for each epoch its number, training and test loss and a scale as 32-bit numbers, the points' means,
//! `[points, latent]`, as 16-bit shares of that scale, and the pictures as they were rebuilt.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use morphvae::data::{Images, Split};
use morphvae::evaluation::Codes;
use morphvae::files::write_atomically;
use morphvae::network::NetworkConfig;
use morphvae::training::EpochMetrics;

use crate::ShownImages;
use crate::map::NO_LABEL;

/// The file's name, among a run's figures: with them it goes when another run takes their place.
const FILE: &str = "replay.bin";
/// What the bytes begin with.
const MAGIC: [u8; 8] = *b"replay\0\x01";
/// Bytes before the labels.
const HEAD: usize = 36;
/// Bytes of an epoch before its points.
const EPOCH: usize = 16;
/// Points, at most, and numbers of an epoch's points, at most.
const MOST_POINTS: usize = 1000;
const MOST_NUMBERS: usize = 16_000;
/// Pictures, at most: a digit of each kind; and bytes of all of them, at most.
const MOST_PICTURES: usize = 10;
const MOST_BYTES: usize = 1 << 15;
/// Epochs, at most; of more, every second, fourth, eighth, … is kept, and the last.
const MOST_EPOCHS: usize = 64;
/// A file that is larger is none of these.
const LARGEST: usize =
    HEAD + 2 * MOST_POINTS + MOST_BYTES + (MOST_EPOCHS + 1) * (EPOCH + 2 * MOST_NUMBERS + MOST_BYTES);

/// The epochs of a run as points that move, those of some of its test images, evenly taken, and as pictures that become
/// clear: a few that are rebuilt after each epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    facts: Facts,
    epochs: Vec<Epoch>,
}

/// What is the same in all epochs.
#[derive(Clone, Debug, PartialEq)]
struct Facts {
    total: usize,
    latent: usize,
    labels: Vec<u16>,
    channels: usize,
    side: usize,
    pictures: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
struct Epoch {
    number: u32,
    losses: [f32; 2],
    scale: f32,
    shares: Vec<i16>,
    rebuilt: Vec<u8>,
}

impl Replay {
    /// The images of a split that are rebuilt after each epoch: one of each class first.
    #[must_use]
    pub fn pictures(split: &Split, network: &NetworkConfig) -> ShownImages {
        let most = MOST_BYTES / (network.channels * network.image_size * network.image_size);
        ShownImages::of_each_class(split, most.min(MOST_PICTURES))
    }

    /// Nothing yet, of the images of a split, its [`pictures`](Self::pictures), and a network's latent space.
    #[must_use]
    pub fn of(split: &Split, pictures: &ShownImages, network: &NetworkConfig) -> Self {
        let (total, latent, side) = (split.images.count(), network.latent, network.image_size);
        let label = |place| split.labels.as_ref().and_then(|labels| labels[place]);
        let facts = Facts {
            total,
            latent,
            labels: places(total, latent)
                .map(|place| label(place).unwrap_or(NO_LABEL))
                .collect(),
            channels: network.channels,
            side,
            pictures: (0..pictures.count())
                .flat_map(|index| pictures.image(index, side))
                .flatten()
                .collect(),
        };
        let epochs = Vec::new();
        Self { facts, epochs }
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
        let mut kept = kept.filter(|kept| kept.facts == self.facts).unwrap_or(self);
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
        self.facts.latent == latent && !self.epochs.is_empty()
    }

    /// Takes the `codes` of the whole split after an epoch, and the pictures as they are `rebuilt`.
    ///
    /// # Panics
    /// When they are of fewer images, in other dimensions, or of another size.
    pub fn add(&mut self, codes: &Codes, rebuilt: &Images, metrics: &EpochMetrics) {
        let Facts {
            total,
            latent,
            ref pictures,
            ..
        } = self.facts;
        assert_eq!(
            rebuilt.pixels().len(),
            pictures.len(),
            "as many pixels as the pictures have"
        );
        let code = |place: usize| &codes.mean[place * latent..][..latent];
        let means: Vec<f32> = places(total, latent).flat_map(code).copied().collect();
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
            rebuilt: rebuilt.pixels().to_vec(),
        });
        let step = (number as usize).div_ceil(MOST_EPOCHS).next_power_of_two();
        self.epochs
            .retain(|epoch| epoch.number == number || (epoch.number as usize - 1).is_multiple_of(step));
    }

    /// As a file and a page have it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let Facts {
            total,
            latent,
            labels,
            channels,
            side,
            pictures,
        } = &self.facts;
        let count = pictures.len() / (channels * side * side);
        let counts = [
            *total,
            *latent,
            labels.len(),
            count,
            *channels,
            *side,
            self.epochs.len(),
        ];
        let mut bytes = MAGIC.to_vec();
        bytes.extend(counts.iter().flat_map(|&count| (count as u32).to_le_bytes()));
        bytes.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
        bytes.extend(pictures);
        for epoch in &self.epochs {
            bytes.extend(epoch.number.to_le_bytes());
            let numbers = epoch.losses.iter().chain([&epoch.scale]);
            bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
            bytes.extend(epoch.shares.iter().flat_map(|share| share.to_le_bytes()));
            bytes.extend(&epoch.rebuilt);
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (counts, rest) = rest.split_first_chunk::<28>()?;
        let [total, latent, points, pictures, channels, side, epochs] =
            [0, 4, 8, 12, 16, 20, 24].map(|at| word(counts, at) as usize);
        if *magic != MAGIC || !(1..=MOST_NUMBERS).contains(&latent) || epochs > MOST_EPOCHS + 1 {
            return None;
        }
        if points != places(total, latent).count() || pictures > MOST_PICTURES || channels == 0 || side == 0 {
            return None;
        }
        let size = channels.checked_mul(side.checked_mul(side)?)?.checked_mul(pictures)?;
        if size > MOST_BYTES {
            return None;
        }
        let length = EPOCH + 2 * points * latent + size;
        if rest.len() != 2 * points + size + epochs * length {
            return None;
        }
        let (labels, rest) = rest.split_at(2 * points);
        let (pictures, rest) = rest.split_at(size);
        let epochs: Vec<Epoch> = rest
            .chunks_exact(length)
            .map(|bytes| Epoch::parse(bytes, size))
            .collect();
        let is_sound = epochs.iter().all(|epoch| epoch.number > 0 && epoch.scale.is_finite())
            && epochs.is_sorted_by(|a, b| a.number < b.number);
        let facts = Facts {
            total,
            latent,
            labels: pairs(labels).map(u16::from_le_bytes).collect(),
            channels,
            side,
            pictures: pictures.to_vec(),
        };
        is_sound.then_some(Self { facts, epochs })
    }
}

impl Epoch {
    /// Of as many bytes as it has, the last `size` of them those of the pictures.
    fn parse(bytes: &[u8], size: usize) -> Self {
        let (bytes, rebuilt) = bytes.split_at(bytes.len() - size);
        let number = |at: usize| f32::from_bits(word(bytes, at));
        Self {
            number: word(bytes, 0),
            losses: [4, 8].map(number),
            scale: number(12),
            shares: pairs(&bytes[EPOCH..]).map(i16::from_le_bytes).collect(),
            rebuilt: rebuilt.to_vec(),
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

    /// Images of a pixel, each with its own grey.
    fn split(total: usize) -> Split {
        Split {
            images: Images::new(1, 1, 1, (0..total).map(|index| index as u8).collect()).unwrap(),
            labels: Some((0..total).map(|index| Some(index as u16 % 10)).collect()),
            sources: None,
        }
    }

    /// Nothing yet of so many images, and the pictures as a network of 4 x 4 pixels sees them.
    fn empty(total: usize, latent: usize) -> (Replay, Images) {
        let network = NetworkConfig {
            latent,
            image_size: 4,
            ..NetworkConfig::default()
        };
        let pictures = Replay::pictures(&split(total), &network);
        let replay = Replay::of(&split(total), &pictures, &network);
        let images = Images::new(1, 4, 4, replay.facts.pictures.clone()).unwrap();
        (replay, images)
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
        let (mut replay, pictures) = empty(5000, 3);
        for epoch in 1..=3 {
            replay.add(&codes(5000, 3, epoch as f32), &pictures, &metrics(epoch));
        }
        assert_eq!(Replay::parse(&replay.bytes()).as_ref(), Some(&replay));
        let Epoch {
            scale, shares, losses, ..
        } = &replay.epochs[1];
        assert_eq!((losses, shares.len()), (&[3.0, 4.0], 3000));
        // Point 501 of 1000 is image 2505 of 5000, whose label is 5.
        let found = f32::from(shares[1503]) * scale / f32::from(i16::MAX);
        assert!((found - 2.0 * 7515.0).abs() <= scale / f32::from(i16::MAX));
        assert_eq!(replay.facts.labels[501], 5);
        // The first image of each class, in their order.
        let greys: Vec<u8> = (0..10).flat_map(|index| [index; 16]).collect();
        assert_eq!([&replay.facts.pictures, &replay.epochs[2].rebuilt], [&greys, &greys]);
    }

    #[test]
    fn pictures_without_a_class_are_evenly_taken_and_fit() {
        let network = |image_size| NetworkConfig {
            image_size,
            ..NetworkConfig::default()
        };
        let unlabelled = Split {
            labels: None,
            ..split(100)
        };
        let greys = |split: &Split, size| {
            let pictures = Replay::pictures(split, &network(size));
            (0..pictures.count())
                .map(|index| pictures.images().image(index)[0])
                .collect::<Vec<_>>()
        };
        assert_eq!(greys(&unlabelled, 32), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert_eq!(greys(&unlabelled, 128), [0, 50]);
        assert!(greys(&unlabelled, 256).is_empty());
        assert_eq!(greys(&split(3), 32), [0, 1, 2]);
    }

    #[test]
    fn a_long_run_is_thinned_evenly_and_keeps_its_last_epoch() {
        let (mut replay, pictures) = empty(10, 2);
        for epoch in 1..=150 {
            replay.add(&codes(10, 2, 1.0), &pictures, &metrics(epoch));
            assert!(replay.epochs.len() <= MOST_EPOCHS + 1);
        }
        let numbers: Vec<u32> = replay.epochs.iter().map(|epoch| epoch.number).collect();
        assert_eq!(numbers[..3], [1, 5, 9]);
        assert_eq!(numbers.last(), Some(&150));
        assert!(replay.bytes().len() <= LARGEST);
        assert_eq!(empty(10, 2).0.after(Some(replay.clone()), 9).last(), 9);
        // Other images are another run's.
        assert_eq!(empty(11, 2).0.after(Some(replay), 9).last(), 0);
    }

    #[test]
    fn hostile_bytes_are_no_replay() {
        let (mut replay, pictures) = empty(4, 2);
        replay.add(&codes(4, 2, 1.0), &pictures, &metrics(1));
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
