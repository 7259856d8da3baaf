//! The vote of the nearest neighbours.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::{LabelledPoints, ProbeError};

/// Points whose distances are taken side by side, which the compiler keeps in vector registers.
const LANES: usize = 16;
/// Points that are gone through for several others while they are in the cache: as many numbers, about.
const TILE: usize = 1 << 14;
/// Points that are classified by one thread at a time.
const GROUP: usize = 64;

/// Points that vote on the class of others: that of most of the nearest, by the Euclidean distance in the latent space as it
/// is; of classes with as many votes, the one whose nearest voter is nearer. Of voters as far away, the first comes first.
///
/// Exact: every distance is looked at, in double precision.
#[derive(Clone, Debug)]
pub struct NearestNeighbours {
    voters: usize,
    dimensions: usize,
    labels: Vec<u16>,
    /// `[blocks, dimensions, LANES]`; what the last block has beyond the points is infinitely far.
    blocks: Vec<f64>,
}

/// A point that has a vote.
#[derive(Clone, Copy, Debug)]
struct Voter {
    squared_distance: f64,
    index: usize,
}

impl NearestNeighbours {
    /// Lets the `voters` nearest of `points` vote, or all where there are no more.
    ///
    /// # Errors
    /// [`ProbeError::Empty`] without points, or without a vote.
    pub fn new(points: &LabelledPoints, voters: usize) -> Result<Self, ProbeError> {
        if points.count() == 0 || voters == 0 {
            return Err(ProbeError::Empty { what: "training" });
        }
        let dimensions = points.dimensions();
        let mut blocks = vec![f64::INFINITY; points.count().div_ceil(LANES) * LANES * dimensions];
        for index in 0..points.count() {
            let block = &mut blocks[index / LANES * LANES * dimensions..];
            for (dimension, &value) in points.point(index).iter().enumerate() {
                block[dimension * LANES + index % LANES] = value.into();
            }
        }
        Ok(Self {
            voters: voters.min(points.count()),
            dimensions,
            labels: points.labels().to_vec(),
            blocks,
        })
    }

    /// How many of them have a vote.
    #[must_use]
    pub fn voters(&self) -> usize {
        self.voters
    }

    /// The class that each point is taken for.
    ///
    /// # Errors
    /// [`ProbeError::Dimensions`] for points of another space.
    pub fn classify(&self, points: &LabelledPoints) -> Result<Vec<u16>, ProbeError> {
        points.check(self.dimensions)?;
        let starts: Vec<usize> = (0..points.count()).step_by(GROUP).collect();
        let classify = |start: usize| {
            let end = (start + GROUP).min(points.count());
            let group: Vec<Vec<f64>> = (start..end)
                .map(|index| points.point(index).iter().copied().map(f64::from).collect())
                .collect();
            self.nearest(&group)
                .into_iter()
                .map(|voters| self.elected(&voters))
                .collect::<Vec<u16>>()
        };
        let classes: Vec<Vec<u16>> = starts.into_par_iter().map(classify).collect();
        Ok(classes.concat())
    }

    /// The voters of each point, nearest first.
    fn nearest(&self, points: &[Vec<f64>]) -> Vec<Vec<Voter>> {
        let mut found = vec![Vec::with_capacity(self.voters + 1); points.len()];
        let width = LANES * self.dimensions;
        let count = self.labels.len().div_ceil(LANES);
        let tile = (TILE / width.max(1)).max(1);
        for first in (0..count).step_by(tile) {
            for (point, voters) in points.iter().zip(&mut found) {
                for block in first..(first + tile).min(count) {
                    let distances = squared_distances(point, &self.blocks[block * width..][..width]);
                    self.admit(voters, block * LANES, &distances);
                }
            }
        }
        found
    }

    /// Lets those in that are nearer than the last voter.
    fn admit(&self, voters: &mut Vec<Voter>, first: usize, distances: &[f64; LANES]) {
        let mut limit = match voters.len() {
            count if count < self.voters => f64::INFINITY,
            _ => voters[self.voters - 1].squared_distance,
        };
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        if nearest >= limit && voters.len() == self.voters {
            return;
        }
        let there = self.labels.len().saturating_sub(first).min(LANES);
        for (lane, &squared_distance) in distances[..there].iter().enumerate() {
            if voters.len() == self.voters && squared_distance >= limit {
                continue;
            }
            let place = voters.partition_point(|voter| voter.squared_distance <= squared_distance);
            voters.insert(
                place,
                Voter {
                    squared_distance,
                    index: first + lane,
                },
            );
            voters.truncate(self.voters);
            limit = voters[voters.len() - 1].squared_distance;
        }
    }

    /// The class with most votes.
    fn elected(&self, voters: &[Voter]) -> u16 {
        let label = |voter: &Voter| self.labels[voter.index];
        let votes = |class: u16| voters.iter().filter(|voter| label(voter) == class).count();
        let more = |best: u16, class: u16| match votes(class).cmp(&votes(best)) {
            Ordering::Greater => class,
            _ => best,
        };
        voters.iter().map(label).reduce(more).expect("there is a voter")
    }
}

/// How far a point lies from each of a block, `[dimensions, LANES]`.
fn squared_distances(point: &[f64], block: &[f64]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    let (rows, _) = block.as_chunks::<LANES>();
    for (x, row) in point.iter().zip(rows) {
        for (sum, other) in sums.iter_mut().zip(row) {
            let difference = x - other;
            *sum += difference * difference;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: &[f32], dimensions: usize, labels: &[u16]) -> LabelledPoints {
        let labels: Vec<Option<u16>> = labels.iter().copied().map(Some).collect();
        LabelledPoints::new(values, dimensions, &labels).unwrap()
    }

    /// The vote as it is written down: all others sorted by their distance, classes by their votes, then by their first.
    fn naive(train: &LabelledPoints, point: &[f32], voters: usize) -> u16 {
        let squared = |index: usize| -> f64 {
            let pairs = train.point(index).iter().zip(point);
            pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
        };
        let mut order: Vec<usize> = (0..train.count()).collect();
        order.sort_by(|&a, &b| squared(a).total_cmp(&squared(b)));
        let near: Vec<u16> = order.iter().take(voters).map(|&index| train.labels()[index]).collect();
        let votes = |class: u16| near.iter().filter(|&&other| other == class).count();
        let most = near.iter().map(|&class| votes(class)).max().unwrap();
        near.iter().copied().find(|&class| votes(class) == most).unwrap()
    }

    proptest! {
        #[test]
        fn votes_are_those_of_a_plain_search(
            // Few whole numbers: many are equally far, and their distances are exact.
            train in prop::collection::vec((prop::collection::vec(-3_i8..4, 3), 0_u16..4), 1..90),
            test in prop::collection::vec(prop::collection::vec(-3_i8..4, 3), 1..70),
            voters in 1_usize..8,
        ) {
            let flat = |rows: Vec<&Vec<i8>>| rows.into_iter().flatten().map(|&x| f32::from(x)).collect::<Vec<f32>>();
            let labels: Vec<u16> = train.iter().map(|(_, label)| *label).collect();
            let train = points(&flat(train.iter().map(|(row, _)| row).collect()), 3, &labels);
            let test = points(&flat(test.iter().collect()), 3, &vec![0; test.len()]);
            let found = NearestNeighbours::new(&train, voters).unwrap().classify(&test).unwrap();
            for (index, class) in found.into_iter().enumerate() {
                prop_assert_eq!(class, naive(&train, test.point(index), voters));
            }
        }

    }

    proptest! {
        // Each is a search among hundreds.
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn many_dimensions_are_no_other_thing(
            values in prop::collection::vec(-1.0_f32..1.0, 40 * 37..41 * 37),
        ) {
            // More numbers than a tile holds, most of them again and again.
            let train: Vec<f32> = values.iter().cycle().take(600 * 37).copied().collect();
            let labels: Vec<u16> = (0..600).map(|index| index % 5).collect();
            let train = points(&train, 37, &labels);
            let test = points(&values[..30 * 37], 37, &[0; 30]);
            let found = NearestNeighbours::new(&train, 1).unwrap().classify(&test).unwrap();
            for (index, class) in found.into_iter().enumerate() {
                prop_assert_eq!(class, naive(&train, test.point(index), 1));
            }
        }
    }

    #[test]
    fn of_classes_with_as_many_votes_the_nearer_wins() {
        let train = points(&[1.0, 2.0, 3.0, 4.0, 9.0], 1, &[8, 3, 3, 8, 5]);
        let vote = |place: f32, voters: usize| {
            let test = points(&[place], 1, &[0]);
            NearestNeighbours::new(&train, voters).unwrap().classify(&test).unwrap()[0]
        };
        assert_eq!((vote(0.0, 4), vote(4.4, 4)), (8, 8));
        assert_eq!((vote(0.0, 3), vote(0.0, 2), vote(8.0, 1)), (3, 8, 5));
        // All, where there are no more.
        assert_eq!((vote(0.0, 50), vote(2.4, 50)), (8, 3));
    }

    #[test]
    fn what_cannot_be_asked_is_an_error() {
        let train = points(&[1.0, 2.0], 2, &[0]);
        let nobody = points(&[], 2, &[]);
        assert!(NearestNeighbours::new(&nobody, 5).is_err());
        assert!(NearestNeighbours::new(&train, 0).is_err());
        let neighbours = NearestNeighbours::new(&train, 5).unwrap();
        assert_eq!(neighbours.voters(), 1);
        assert_eq!(neighbours.classify(&nobody).unwrap(), [0; 0]);
        let other = neighbours.classify(&points(&[1.0], 1, &[0])).unwrap_err();
        assert_eq!(other, ProbeError::Dimensions { expected: 2, found: 1 });
    }
}
