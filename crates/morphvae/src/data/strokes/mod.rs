//! Digits drawn by the program itself, in the manner of MNIST: a data set that needs no file and no network.
//!
//! A digit is one of the pen paths in `skeletons`, written down by an imagined hand (`hand`: slant, width, curvature,
//! wobble, pressure, placement) and inked with smooth edges (`ink`). Nothing but additions, multiplications, divisions
//! and square roots happens on the way, which IEEE 754 fixes to the last bit: one seed, one set of bytes everywhere.

mod hand;
mod ink;
mod path;
#[rustfmt::skip] // tables: a stroke a line
mod skeletons;

use rand::RngExt;
use rayon::prelude::*;

use super::{Dataset, Images, Split};
use crate::random::{Purpose, generator};

/// How many digits there are to train on unless somebody asks for another number.
pub const DEFAULT_TRAIN: usize = 20_000;

/// How many digits there are to test on unless somebody asks for another number.
pub const DEFAULT_TEST: usize = 2_000;

/// Rows and columns of an image.
const SIDE: usize = 28;

/// Where the test digits start among all the digits of a seed: so far on that no training split ever reaches them, and
/// the same ones for any number of training digits.
const FIRST_TEST: u64 = 1 << 48;

/// Draws `train` digits to train on and `test` others to test on: white on black, 28 x 28, laid out as MNIST's are.
///
/// The label and the pixels of each digit depend on nothing but `seed` and its place in its split, so a longer data
/// set begins with the shorter one. All ten digits are equally likely.
#[must_use]
pub fn strokes(train: usize, test: usize, seed: u64) -> Dataset {
    Dataset {
        name: "strokes".to_owned(),
        train: split(train, 0, seed),
        test: split(test, FIRST_TEST, seed),
        classes: ('0'..='9').map(String::from).collect(),
    }
}

/// `count` digits, of which the first is digit `first` of the seed.
fn split(count: usize, first: u64, seed: u64) -> Split {
    let mut pixels = vec![0; count * SIDE * SIDE];
    let mut labels = vec![None; count];
    let places = pixels.par_chunks_exact_mut(SIDE * SIDE).zip(&mut labels).enumerate();
    places.for_each(|(place, (image, label))| *label = Some(draw(seed, first + place as u64, image)));
    let images = Images::new(1, SIDE, SIDE, pixels).expect("a whole number of images was drawn");
    Split {
        images,
        labels: Some(labels),
        sources: None,
    }
}

/// Draws digit `index` of a seed into `image` (`[SIDE, SIDE]`, black so far) and returns which of the ten it is.
fn draw(seed: u64, index: u64, image: &mut [u8]) -> u16 {
    let mut generator = generator(seed, Purpose::Strokes, index);
    let digit = generator.random_range(0..10_u16);
    let paths = hand::write(usize::from(digit), &mut generator);
    ink::ink(&paths, image);
    digit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(count: usize, seed: u64) -> (Images, Vec<u16>) {
        let split = split(count, 0, seed);
        (split.images, split.labels.unwrap().into_iter().flatten().collect())
    }

    #[test]
    fn a_seed_gives_the_same_bytes_on_every_machine() {
        // FNV-1a over the pixels and labels of 100 digits, as this test was first run (x86-64, Linux).
        let (images, labels) = images(100, 1);
        let bytes = images
            .pixels()
            .iter()
            .copied()
            .chain(labels.iter().map(|&label| label as u8));
        let digest = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(digest, 0x6fbd_3eb3_432f_d5b1);
        assert_ne!(images, self::images(100, 2).0);
    }

    #[test]
    fn any_number_of_threads_draws_the_same_digits() {
        let with_threads = |count| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
            pool.install(|| strokes(50, 20, 3))
        };
        assert_eq!(with_threads(1), with_threads(3));
    }

    #[test]
    fn a_longer_data_set_begins_with_the_shorter_one() {
        let (short, mut long) = (strokes(20, 10, 4), strokes(35, 25, 4));
        long.train.truncate(20);
        long.test.truncate(10);
        assert_eq!(short, long);
    }

    #[test]
    fn no_image_is_drawn_twice() {
        let dataset = strokes(2_000, 500, 5);
        let (train, test) = (&dataset.train.images, &dataset.test.images);
        let all = (0..train.count())
            .map(|index| train.image(index))
            .chain((0..test.count()).map(|index| test.image(index)));
        assert_eq!(all.collect::<std::collections::HashSet<_>>().len(), 2_500);
    }

    #[test]
    fn digits_lie_in_the_image_as_those_of_mnist_do() {
        let (images, _) = images(2_000, 6);
        for index in 0..images.count() {
            let image = images.image(index);
            let ink = |row: usize, column: usize| f64::from(image[row * SIDE + column]);
            let all = || (0..SIDE * SIDE).map(|pixel| (pixel / SIDE, pixel % SIDE));
            let edge = |at: usize| at == 0 || at == SIDE - 1;
            assert!(
                all().all(|(row, column)| ink(row, column) == 0.0 || !(edge(row) || edge(column))),
                "{index} is cut off"
            );

            let mass: f64 = all().map(|(row, column)| ink(row, column)).sum();
            let mean = mass / (SIDE * SIDE) as f64;
            assert!((5.0..80.0).contains(&mean), "{index} has a mean grey of {mean}");
            let middle = all()
                .map(|(row, column)| ink(row, column) * (row as f64 + 0.5))
                .sum::<f64>()
                / mass;
            assert!((middle - 14.0).abs() < 3.5, "{index} has its middle in row {middle}");
            let rows = (0..SIDE)
                .filter(|&row| (0..SIDE).any(|column| ink(row, column) > 0.0))
                .count();
            let columns = (0..SIDE)
                .filter(|&column| (0..SIDE).any(|row| ink(row, column) > 0.0))
                .count();
            assert!((17..=24).contains(&rows.max(columns)), "{index} is {rows} x {columns}");
        }
    }

    #[test]
    fn ten_digits_are_equally_likely_and_told_apart_by_their_mean_images() {
        let dataset = strokes(4_000, 1_000, 7);
        let labels = dataset.train.labels.unwrap();
        let mut means = vec![vec![0.0; SIDE * SIDE]; 10];
        for (digit, mean) in means.iter_mut().enumerate() {
            let members: Vec<usize> = (0..labels.len())
                .filter(|&index| labels[index].map(usize::from) == Some(digit))
                .collect();
            assert!(
                (300..500).contains(&members.len()),
                "{digit} occurs {} times in 4,000",
                members.len()
            );
            for &index in &members {
                for (mean, &pixel) in mean.iter_mut().zip(dataset.train.images.image(index)) {
                    *mean += f64::from(pixel) / members.len() as f64;
                }
            }
        }
        let distance = |image: &[u8], mean: &[f64]| -> f64 {
            image
                .iter()
                .zip(mean)
                .map(|(&pixel, mean)| (f64::from(pixel) - mean).powi(2))
                .sum()
        };
        let nearest = |image: &[u8]| {
            (0..10)
                .min_by(|&a, &b| distance(image, &means[a]).total_cmp(&distance(image, &means[b])))
                .unwrap()
        };
        let labels = dataset.test.labels.unwrap();
        let right = (0..1_000)
            .filter(|&index| Some(nearest(dataset.test.images.image(index))) == labels[index].map(usize::from));
        // MNIST's digits are told apart in the same way in 82 of 100 cases.
        let right = right.count();
        assert!(right > 820, "{right} of 1,000");
    }
}
