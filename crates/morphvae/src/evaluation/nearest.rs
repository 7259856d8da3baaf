//! How near images are to others: whether what was made is a copy of what it was learned from.

use rayon::prelude::*;
use serde::Serialize;

/// Images that are looked at together, so that those they are held against are read from memory once for all of them.
const GROUP: usize = 16;
/// Bytes of others that are looked at in a row: what a processor keeps near.
const TILE: usize = 1 << 17;
/// Bytes after which a distance that is too large already is given up.
const STRETCH: usize = 112;

/// The image that is nearest to another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Its place among those that were searched.
    pub index: usize,
    /// The Euclidean distance of their pixels, which are from 0 to 1.
    pub distance: f64,
}

/// The nearest of `others` to each of `images`, the first of equally near ones; both are rows of `length` bytes, a pixel's
/// channel each. Nothing where there are no others.
#[must_use]
pub fn nearest(images: &[u8], others: &[u8], length: usize) -> Vec<Nearest> {
    if length == 0 || others.len() < length {
        return Vec::new();
    }
    let search = |images: &[u8]| -> Vec<Nearest> {
        let images: Vec<&[u8]> = images.chunks_exact(length).collect();
        let mut found = vec![(u64::MAX, 0); images.len()];
        let tile = (TILE / length).max(1);
        for (number, others) in others.chunks(tile * length).enumerate() {
            for (image, best) in images.iter().zip(&mut found) {
                for (index, other) in others.chunks_exact(length).enumerate() {
                    if let Some(distance) = closer(image, other, best.0) {
                        *best = (distance, number * tile + index);
                    }
                }
            }
        }
        let nearest = |(squared, index): (u64, usize)| Nearest {
            index,
            distance: (squared as f64).sqrt() / 255.0,
        };
        found.into_iter().map(nearest).collect()
    };
    images.par_chunks(GROUP * length).flat_map_iter(search).collect()
}

/// The squared distance of two images, if it is below `limit`.
fn closer(image: &[u8], other: &[u8], limit: u64) -> Option<u64> {
    let mut sum = 0;
    for (image, other) in image.chunks(STRETCH).zip(other.chunks(STRETCH)) {
        let squares = image.iter().zip(other).map(|(&one, &other)| {
            let difference = i32::from(i16::from(one) - i16::from(other));
            (difference * difference) as u32
        });
        sum += u64::from(squares.sum::<u32>());
        if sum >= limit {
            return None;
        }
    }
    Some(sum)
}

/// How distances are spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Distances {
    /// The least.
    pub least: f64,
    /// A twentieth of them is below.
    pub twentieth: f64,
    /// Half of them is below.
    pub median: f64,
    /// A twentieth of them is above.
    pub last_twentieth: f64,
}

impl Distances {
    /// Those of images from their nearest; nothing of none.
    #[must_use]
    pub fn of(nearest: &[Nearest]) -> Option<Self> {
        let mut sorted: Vec<f64> = nearest.iter().map(|nearest| nearest.distance).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |share: f64| sorted[(share * last as f64).round() as usize];
        Some(Self {
            least: sorted[0],
            twentieth: at(0.05),
            median: at(0.5),
            last_twentieth: at(0.95),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_is_that_of_a_plain_search(
            images in prop::collection::vec(0_u8..4, 0..300),
            others in prop::collection::vec(0_u8..4, 6..600),
        ) {
            let length = 6;
            let distance = |one: &[u8], other: &[u8]| {
                let pairs = one.iter().zip(other);
                let squares: f64 = pairs.map(|(&a, &b)| ((f64::from(a) - f64::from(b)) / 255.0).powi(2)).sum();
                squares.sqrt()
            };
            let found = nearest(&images, &others, length);
            prop_assert_eq!(found.len(), images.len() / length);
            for (image, found) in images.chunks_exact(length).zip(found) {
                let all: Vec<f64> = others.chunks_exact(length).map(|other| distance(image, other)).collect();
                let least = all.iter().copied().fold(f64::INFINITY, f64::min);
                prop_assert!((found.distance - least).abs() < 1e-12);
                let first = all.iter().position(|&distance| distance < least + 1e-9);
                prop_assert_eq!(Some(found.index), first);
            }
        }
    }

    #[test]
    fn a_copy_is_at_no_distance_wherever_it_stands() {
        let length = 300;
        let others: Vec<u8> = (0..2000 * length).map(|place| ((place * place) % 251) as u8).collect();
        for index in [0, 436, 437, 1999] {
            let copy = &others[index * length..][..length];
            let found = nearest(copy, &others, length)[0];
            assert_eq!(found.distance, 0.0);
            assert_eq!(&others[found.index * length..][..length], copy);
        }
        // From black to white all over.
        let far = nearest(&[255; 300], &[0; 300], length)[0];
        assert!((far.distance - 300_f64.sqrt()).abs() < 1e-9);
        assert!(nearest(&[1, 2], &[], 2).is_empty() && nearest(&[], &[1], 1).is_empty());
    }

    #[test]
    fn distances_are_told_by_their_order() {
        let of = |distances: std::ops::RangeInclusive<u32>| {
            let nearest = distances.map(|distance| Nearest {
                index: 0,
                distance: distance.into(),
            });
            Distances::of(&nearest.rev().collect::<Vec<_>>())
        };
        let found = of(0..=100).unwrap();
        assert_eq!(
            (found.least, found.twentieth, found.median, found.last_twentieth),
            (0.0, 5.0, 50.0, 95.0)
        );
        assert_eq!(of(7..=7).unwrap().median, 7.0);
        assert_eq!(Distances::of(&[]), None);
    }
}
