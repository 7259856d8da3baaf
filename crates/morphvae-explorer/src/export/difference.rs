//! How far the network in the file is from the program's own, whose weights are not rounded.

use morphvae::evaluation::{decode, encode};
use morphvae::network::Inference;
use serde::Serialize;

use super::WHOLE;
use crate::map::{LatentMap, Reach};

/// Places at which decoded images are compared.
const PLACES: usize = 2000;

/// How far decoded images are apart, in grey levels of 255, at places spread evenly over all that is known of the latent space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Over all pixels.
    pub mean: f64,
    /// That of the worst pixel of all.
    pub worst: u8,
    /// How many places there were.
    pub places: usize,
}

/// How far apart the places are where the shown images are put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shift {
    /// Over all images.
    pub mean: f64,
    /// That of the worst image.
    pub worst: f64,
}

impl Difference {
    /// Of a network and one that is to be its like, within reach.
    pub(super) fn between(network: &Inference, other: &Inference, reach: &Reach) -> Self {
        let config = network.config();
        let latents: Vec<f32> = (1..=PLACES).flat_map(|step| place(reach, step)).collect();
        // Of a conditional network, each class in turn.
        let classes: Vec<u16> = (0..PLACES)
            .map(|place| (place % config.classes.max(1)) as u16)
            .collect();
        let points = config.points(&latents, &classes);
        let [ours, theirs] = [network, other].map(|network| decode(network, &points).expect(WHOLE));
        let differences = ours.pixels().iter().zip(theirs.pixels()).map(|(&a, &b)| a.abs_diff(b));
        Self {
            mean: differences.clone().map(u64::from).sum::<u64>() as f64 / ours.pixels().len() as f64,
            worst: differences.max().unwrap_or(0),
            places: PLACES,
        }
    }
}

impl Shift {
    /// Between a map's codes and those of the same images by another network.
    pub(super) fn between(map: &LatentMap, other: &Inference) -> Self {
        let codes = encode(other, map.shown().examples()).expect("it takes the images that the map's network takes");
        let pairs = map
            .codes()
            .mean
            .chunks(codes.latent)
            .zip(codes.mean.chunks(codes.latent));
        let distance = |(a, b): (&[f32], &[f32])| {
            let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let distances = pairs.map(distance);
        Self {
            mean: distances.clone().sum::<f64>() / map.shown().count().max(1) as f64,
            worst: distances.fold(0.0, f64::max),
        }
    }
}

/// A latent within reach: of many steps, all are spread evenly.
///
/// Source: M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018: the sequence `R_d`.
fn place(reach: &Reach, step: usize) -> Vec<f32> {
    let dimensions = reach.least.len() as i32;
    // The root of x^(d + 1) = x + 1.
    let root = (0..64).fold(2.0_f64, |x, _| (1.0 + x).powf(1.0 / f64::from(dimensions + 1)));
    let share = |axis: i32| (0.5 + step as f64 * root.powi(-axis)).fract();
    let sides = reach.least.iter().zip(&reach.most);
    sides
        .zip(1..)
        .map(|((least, most), axis)| (least + share(axis) * (most - least)) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_a_box_evenly() {
        let reach = Reach {
            least: vec![-1.0, 10.0, 0.0],
            most: vec![1.0, 11.0, 4.0],
        };
        let places: Vec<Vec<f32>> = (1..=800).map(|step| place(&reach, step)).collect();
        let mut counts = [0; 8];
        for place in &places {
            assert!(
                place
                    .iter()
                    .zip(&reach.least)
                    .all(|(&value, &least)| f64::from(value) >= least)
            );
            assert!(
                place
                    .iter()
                    .zip(&reach.most)
                    .all(|(&value, &most)| f64::from(value) <= most)
            );
            let middle = [0.0, 10.5, 2.0];
            let octant = (0..3)
                .map(|axis| usize::from(place[axis] > middle[axis]) << axis)
                .sum::<usize>();
            counts[octant] += 1;
        }
        assert!(counts.iter().all(|count| (90..=110).contains(count)), "{counts:?}");
    }
}
