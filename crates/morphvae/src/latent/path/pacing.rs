//! Where along a path its frames lie.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::decoder::steps;
use super::{Decoder, LatentPath, Motion, PathError};

/// More steps than any clip has.
const MOST_STEPS: usize = 1 << 16;
/// Steps of a segment over which its visible length is measured first.
const FINE: usize = 128;
/// How often the frames' own distances correct where they lie, at most.
const ROUNDS: usize = 6;
/// Motion this even needs no correction.
const EVEN: f64 = 1.01;

/// How fast a path is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// Whether the speed is that of visible change. Otherwise every segment takes as many steps, equal ones of its
    /// parameter.
    pub even: bool,
    /// How each segment starts and ends.
    pub ease: Ease,
}

impl Default for Pacing {
    /// Even visible change.
    fn default() -> Self {
        Self {
            even: true,
            ease: Ease::Linear,
        }
    }
}

/// How the speed changes between two keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ease {
    /// Not at all.
    #[default]
    Linear,
    /// Slow at both keys: `3 t² - 2 t³`.
    Smoothstep,
    /// Slow at the first key: `t²`.
    In,
    /// Slow at the second key: `1 - (1 - t)²`.
    Out,
}

impl Ease {
    /// The share of the way after a share of the time, both in [0, 1].
    #[must_use]
    pub fn at(self, time: f64) -> f64 {
        match self {
            Self::Linear => time,
            Self::Smoothstep => time * time * (3.0 - 2.0 * time),
            Self::In => time * time,
            Self::Out => time * (2.0 - time),
        }
    }

    /// The shares of the way after each of `count` equal steps in time, and 0 before.
    fn shares(self, count: usize) -> Vec<f64> {
        (0..=count).map(|step| self.at(step as f64 / count as f64)).collect()
    }
}

/// Points along a path, one a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// The points, `[count, latent]`.
    pub points: Vec<f32>,
    /// Which frames are the path's keys, in the order of the keys.
    pub keys: Vec<usize>,
}

/// Where the frames of every segment lie in its `t`, from 0 to 1 with both.
type Places = Vec<Vec<f64>>;

impl LatentPath {
    /// Goes along the path in so many steps: `steps + 1` frames, or `steps` for a closed path, whose last step leads
    /// to the first frame.
    ///
    /// Every key is a frame. Even pacing allots the steps to the segments by their visible length, at least one each,
    /// and makes the visible change between neighbouring frames of a segment equal, or as its ease wants it.
    ///
    /// # Errors
    /// [`PathError::Steps`] for fewer steps than segments, or more than 65,536.
    pub fn frames(&self, decoder: &dyn Decoder, steps: usize, pacing: Pacing) -> Result<Frames, PathError> {
        let segments = self.segments();
        if !(segments..=MOST_STEPS).contains(&steps) {
            return Err(PathError::Steps {
                steps,
                least: segments,
                most: MOST_STEPS,
            });
        }
        let places = if pacing.even {
            self.even_places(decoder, steps, pacing.ease)
        } else {
            let counts = allotted(&vec![1.0; segments], steps);
            counts.into_iter().map(|count| pacing.ease.shares(count)).collect()
        };
        let mut frames = self.frames_at(&places);
        if self.is_closed() {
            frames.points.truncate(steps * self.latent());
            frames.keys.pop();
        }
        Ok(frames)
    }

    /// All points at `places`, the last segment's end with them.
    fn frames_at(&self, places: &Places) -> Frames {
        let (mut points, mut keys) = (Vec::new(), vec![0]);
        points.extend(self.at(0, 0.0));
        for (segment, places) in places.iter().enumerate() {
            points.extend(places[1..].iter().flat_map(|&t| self.at(segment, t)));
            keys.push(points.len() / self.latent() - 1);
        }
        Frames { points, keys }
    }

    /// Starts from the visible length along a finely cut path, and corrects by the distances of the frames that this
    /// gives: they are chords of that length, shorter by more where the images turn faster.
    fn even_places(&self, decoder: &dyn Decoder, steps: usize, ease: Ease) -> Places {
        let rulers = self.measured(decoder, &vec![Ease::Linear.shares(FINE); self.segments()]);
        let mut lengths: Vec<f64> = rulers.iter().map(|ruler| ruler[FINE]).collect();
        let mut counts = Vec::new();
        // Shares of the length along each segment.
        let mut shares: Places = Vec::new();
        let mut best = (f64::INFINITY, Places::new());
        for _ in 0..ROUNDS {
            let allotted = allotted(&lengths, steps);
            if allotted != counts {
                shares = allotted.iter().map(|&count| ease.shares(count)).collect();
                counts = allotted;
            }
            let places: Places = shares
                .iter()
                .zip(&rulers)
                .map(|(shares, ruler)| on_ruler(ruler, shares))
                .collect();
            let chords = self.measured(decoder, &places);
            let unevenness = unevenness(&chords, ease);
            if unevenness < best.0 {
                best = (unevenness, places);
            }
            if unevenness < EVEN {
                break;
            }
            lengths = chords.iter().map(|chords| chords[chords.len() - 1]).collect();
            for (shares, chords) in shares.iter_mut().zip(&chords) {
                *shares = corrected(shares, chords, &ease.shares(chords.len() - 1));
            }
        }
        best.1
    }

    /// The visible length from each segment's start to each of its places, over the chords between neighbours.
    fn measured(&self, decoder: &dyn Decoder, places: &Places) -> Vec<Vec<f64>> {
        let distances = steps(decoder, &self.frames_at(places).points);
        let mut distances = distances
            .into_iter()
            .map(|distance| if distance.is_finite() { distance } else { 0.0 });
        let summed = |places: &Vec<f64>| {
            let mut sum = 0.0;
            let sums = distances.by_ref().take(places.len() - 1).map(|distance| {
                sum += distance;
                sum
            });
            std::iter::once(0.0).chain(sums).collect()
        };
        places.iter().map(summed).collect()
    }
}

/// So many steps, divided so that the longest is as short as it can be: one to each of `lengths`, and each further one to
/// where steps are longest.
fn allotted(lengths: &[f64], steps: usize) -> Vec<usize> {
    let mut counts = vec![1; lengths.len()];
    // The bits of numbers that are not negative are in the order of the numbers.
    let claim = |segment: usize, count: usize| {
        let length = lengths[segment] / count as f64;
        (length.to_bits(), Reverse(count), Reverse(segment))
    };
    let mut claims: BinaryHeap<_> = (0..lengths.len()).map(|segment| claim(segment, 1)).collect();
    for _ in lengths.len()..steps {
        let Some((.., Reverse(segment))) = claims.pop() else {
            break;
        };
        counts[segment] += 1;
        claims.push(claim(segment, counts[segment]));
    }
    counts
}

/// The largest step by the mean one, each measured by what its ease wants: 1 when all are as wanted.
fn unevenness(chords: &[Vec<f64>], ease: Ease) -> f64 {
    let mut speeds = Vec::new();
    for chords in chords {
        let count = chords.len() - 1;
        let wanted = ease.shares(count);
        let steps = chords.windows(2).zip(wanted.windows(2));
        speeds.extend(steps.map(|(chord, share)| (chord[1] - chord[0]) / ((share[1] - share[0]) * count as f64)));
    }
    Motion::of_steps(&speeds).ratio
}

/// The `t` at each share of the length of a segment, whose length up to even steps of `t` is known.
fn on_ruler(ruler: &[f64], shares: &[f64]) -> Vec<f64> {
    let ts = Ease::Linear.shares(ruler.len() - 1);
    corrected(&ts, ruler, shares)
}

/// Where a quantity that grows with the place, and is known at some of them, reaches each of some shares of its whole:
/// between the known ones it is taken for linear. Where it does not grow at all, a share is its own place.
fn corrected(places: &[f64], known: &[f64], shares: &[f64]) -> Vec<f64> {
    let whole = known[known.len() - 1];
    if whole <= 0.0 {
        return shares.to_vec();
    }
    let at = |&share: &f64| {
        let wanted = share * whole;
        let after = known.partition_point(|&known| known < wanted).clamp(1, known.len() - 1);
        let [low, high] = [known[after - 1], known[after]];
        let part = if high > low { (wanted - low) / (high - low) } else { 1.0 };
        places[after - 1] + part.clamp(0.0, 1.0) * (places[after] - places[after - 1])
    };
    let mut found: Vec<f64> = shares.iter().map(at).collect();
    // Rounding must not keep the frames from their keys.
    let last = found.len() - 1;
    (found[0], found[last]) = (0.0, 1.0);
    found
}
