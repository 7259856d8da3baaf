//! Where along a path its frames lie.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::decoder::steps;
use super::{LatentPath, Motion, PathError};
use crate::choice::Choice;
use crate::network::Decoder;

/// Steps of a path, at most: more than any clip has.
pub const MOST_STEPS: usize = 1 << 16;
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

impl Choice for Ease {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Linear, "linear", "The same speed all the way"),
        (Self::Smoothstep, "smoothstep", "Slow at both keys"),
        (Self::Smoothstep, "in-out", ""),
        (Self::In, "in", "Slow at the first key"),
        (Self::Out, "out", "Slow at the second key"),
    ];
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

/// How one segment of a path is gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gait {
    /// In so many steps, one at least; left out, in its share of those that the other segments leave.
    pub steps: Option<usize>,
    /// How it starts and ends.
    pub ease: Ease,
}

/// Points along a path, one a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// The points, `[count, latent]`.
    pub points: Vec<f32>,
    /// Which frames are the path's keys, in the order of the keys.
    pub keys: Vec<usize>,
}

impl Gait {
    fn is_free(&self) -> bool {
        self.steps.is_none()
    }

    fn least(&self) -> usize {
        self.steps.map_or(1, |steps| steps.max(1))
    }
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
    /// [`PathError::Steps`] for fewer steps than segments, or more than 65,536; [`PathError::Stopped`] when the decoder
    /// wants no more.
    pub fn frames(&self, decoder: &dyn Decoder, steps: usize, pacing: Pacing) -> Result<Frames, PathError> {
        let gait = Gait {
            steps: None,
            ease: pacing.ease,
        };
        self.frames_by(decoder, steps, pacing.even, &vec![gait; self.segments()])
    }

    /// The same where each segment has a gait of its own: segments that say their steps take them, and the others share
    /// the rest of `steps` as [`LatentPath::frames`] allots them.
    ///
    /// # Errors
    /// [`PathError::Gaits`] for more or fewer gaits than segments; [`PathError::Steps`] for fewer steps than the gaits ask
    /// for, for more where none is left to take them, and for more than 65,536; [`PathError::Stopped`] when the decoder
    /// wants no more.
    pub fn frames_by(
        &self,
        decoder: &dyn Decoder,
        steps: usize,
        even: bool,
        gaits: &[Gait],
    ) -> Result<Frames, PathError> {
        let segments = self.segments();
        if gaits.len() != segments {
            return Err(PathError::Gaits {
                expected: segments,
                found: gaits.len(),
            });
        }
        let least = gaits
            .iter()
            .fold(0, |sum: usize, gait| sum.saturating_add(gait.least()));
        let most = if gaits.iter().any(Gait::is_free) {
            MOST_STEPS
        } else {
            least
        };
        if !(least..=most.min(MOST_STEPS)).contains(&steps) {
            return Err(PathError::Steps { steps, least, most });
        }
        let places = if even {
            self.even_places(decoder, steps, gaits)?
        } else {
            let counts = allotted(&vec![1.0; segments], gaits, steps);
            let shares = counts
                .into_iter()
                .zip(gaits)
                .map(|(count, gait)| gait.ease.shares(count));
            shares.collect()
        };
        let mut frames = self.frames_at(&places);
        if self.is_closed() {
            frames.points.truncate(steps * self.latent());
            frames.keys.pop();
        }
        Ok(frames)
    }

    /// Points that [`LatentPath::frames_by`] has decoded for so many steps, at most: for who shows how far it is.
    #[must_use]
    pub fn most_decoded(&self, steps: usize, even: bool) -> usize {
        match even {
            true => FINE * self.segments() + ROUNDS * steps,
            false => 0,
        }
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
    fn even_places(&self, decoder: &dyn Decoder, steps: usize, gaits: &[Gait]) -> Result<Places, PathError> {
        let rulers = self.measured(decoder, &vec![Ease::Linear.shares(FINE); self.segments()])?;
        let mut lengths: Vec<f64> = rulers.iter().map(|ruler| ruler[FINE]).collect();
        let mut counts = Vec::new();
        // Shares of the length along each segment.
        let mut shares: Places = Vec::new();
        let mut best = (f64::INFINITY, Places::new());
        for _ in 0..ROUNDS {
            let allotted = allotted(&lengths, gaits, steps);
            if allotted != counts {
                let eased = allotted.iter().zip(gaits);
                shares = eased.map(|(&count, gait)| gait.ease.shares(count)).collect();
                counts = allotted;
            }
            let places: Places = shares
                .iter()
                .zip(&rulers)
                .map(|(shares, ruler)| on_ruler(ruler, shares))
                .collect();
            let chords = self.measured(decoder, &places)?;
            let unevenness = unevenness(&chords, gaits);
            if unevenness < best.0 {
                best = (unevenness, places);
            }
            if unevenness < EVEN {
                break;
            }
            lengths = chords.iter().map(|chords| chords[chords.len() - 1]).collect();
            for ((shares, chords), gait) in shares.iter_mut().zip(&chords).zip(gaits) {
                *shares = corrected(shares, chords, &gait.ease.shares(chords.len() - 1));
            }
        }
        Ok(best.1)
    }

    /// The visible length from each segment's start to each of its places, over the chords between neighbours.
    fn measured(&self, decoder: &dyn Decoder, places: &Places) -> Result<Vec<Vec<f64>>, PathError> {
        let distances = steps(decoder, &self.frames_at(places).points)?;
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
        Ok(places.iter().map(summed).collect())
    }
}

/// So many steps, divided so that the longest is as short as it can be: to each of `lengths` what its gait asks for or
/// one, and each further one to where steps are longest that no gait asks for.
fn allotted(lengths: &[f64], gaits: &[Gait], steps: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = gaits.iter().map(Gait::least).collect();
    // The bits of numbers that are not negative are in the order of the numbers.
    let claim = |segment: usize, count: usize| {
        let length = lengths[segment] / count as f64;
        (length.to_bits(), Reverse(count), Reverse(segment))
    };
    let free = (0..lengths.len()).filter(|&segment| gaits[segment].is_free());
    let mut claims: BinaryHeap<_> = free.map(|segment| claim(segment, 1)).collect();
    for _ in counts.iter().sum()..steps {
        let Some((.., Reverse(segment))) = claims.pop() else {
            break;
        };
        counts[segment] += 1;
        claims.push(claim(segment, counts[segment]));
    }
    counts
}

/// The largest step by the mean one, each measured by what its ease wants: 1 when all are as wanted. A segment whose steps
/// are given has a mean of its own.
fn unevenness(chords: &[Vec<f64>], gaits: &[Gait]) -> f64 {
    let (mut shared, mut worst) = (Vec::new(), 1.0_f64);
    for (chords, gait) in chords.iter().zip(gaits) {
        let count = chords.len() - 1;
        let wanted = gait.ease.shares(count);
        let steps = chords.windows(2).zip(wanted.windows(2));
        let speeds = steps.map(|(chord, share)| (chord[1] - chord[0]) / ((share[1] - share[0]) * count as f64));
        if gait.is_free() {
            shared.extend(speeds);
        } else {
            worst = worst.max(Motion::of_steps(&speeds.collect::<Vec<_>>()).ratio);
        }
    }
    worst.max(Motion::of_steps(&shared).ratio)
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

#[cfg(test)]
mod tests {
    use super::super::PathKind;
    use super::super::surfaces::{Paraboloid, Plane};
    use super::*;
    use proptest::prelude::*;

    fn path(keys: &[[f32; 2]], closed: bool) -> LatentPath {
        let keys: Vec<Vec<f32>> = keys.iter().map(|key| key.to_vec()).collect();
        LatentPath::through(PathKind::Line, &keys, closed, &Plane).unwrap()
    }

    proptest! {
        #[test]
        fn no_other_division_has_a_shorter_longest_step(
            lengths in prop::collection::vec(0.0_f64..9.0, 3),
            more in 0_usize..12,
        ) {
            let longest = |counts: &[usize]| {
                let steps = lengths.iter().zip(counts).map(|(length, &count)| length / count as f64);
                steps.fold(0.0, f64::max)
            };
            let steps = 3 + more;
            let counts = allotted(&lengths, &[Gait::default(); 3], steps);
            prop_assert_eq!(counts.iter().sum::<usize>(), steps);
            for a in 1..steps - 1 {
                for b in 1..steps - a {
                    prop_assert!(longest(&counts) <= longest(&[a, b, steps - a - b]));
                }
            }
        }
    }

    #[test]
    fn steps_go_by_length_and_rests_take_one() {
        let keys = [[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [3.0, 1.0]];
        let frames = path(&keys, false).frames(&Plane, 9, Pacing::default()).unwrap();
        assert_eq!(frames.keys, [0, 6, 7, 9]);
        assert_eq!(frames.points.len(), 20);
        for (index, expected) in [(1, 0.5), (2, 1.0), (5, 2.5), (6, 3.0), (7, 3.0)] {
            assert!((frames.points[2 * index] - expected).abs() < 1e-6, "{frames:?}");
        }
        let still = path(&[[1.0, 1.0]; 3], false)
            .frames(&Plane, 7, Pacing::default())
            .unwrap();
        assert_eq!(still.keys, [0, 4, 7]);
    }

    #[test]
    fn a_closed_path_does_not_repeat_its_first_frame() {
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let frames = path(&square, true).frames(&Plane, 8, Pacing::default()).unwrap();
        assert_eq!(frames.keys, [0, 2, 4, 6]);
        assert_eq!(frames.points.len(), 16);
        let motion = Motion::of(&Plane, &frames.points, true).unwrap();
        assert!(
            (motion.mean - 0.5).abs() < 1e-6 && motion.ratio < 1.0 + 1e-6,
            "{motion:?}"
        );
    }

    #[test]
    fn frames_of_a_bent_surface_are_equally_far_apart() {
        let path = path(&[[-2.0, 0.1], [1.0, 0.5], [3.0, 0.5]], false);
        let ratio = |even, ease| {
            let frames = path.frames(&Paraboloid, 12, Pacing { even, ease }).unwrap();
            Motion::of(&Paraboloid, &frames.points, false).unwrap().ratio
        };
        assert!(ratio(false, Ease::Linear) > 1.5);
        assert!(ratio(true, Ease::Linear) < 1.2);
        assert!(ratio(true, Ease::Smoothstep) > 1.3);
    }

    #[test]
    fn a_segment_takes_the_steps_that_it_says_and_is_even_in_itself() {
        let path = path(&[[-2.0, 0.1], [1.0, 0.5], [3.0, 0.5], [3.0, 2.0]], false);
        let gait = |steps, ease| Gait { steps, ease };
        let gaits = [
            gait(None, Ease::Linear),
            gait(Some(20), Ease::In),
            gait(None, Ease::Linear),
        ];
        for even in [true, false] {
            let frames = path.frames_by(&Paraboloid, 32, even, &gaits).unwrap();
            assert_eq!((frames.keys[2] - frames.keys[1], frames.keys[3]), (20, 32));
            let chords = steps(&Paraboloid, &frames.points).unwrap();
            let slow = &chords[frames.keys[1]..frames.keys[2]];
            assert!(slow[0] < slow[10] && slow[10] < slow[19]);
            let others = [&chords[..frames.keys[1]], &chords[frames.keys[2]..]].concat();
            assert_eq!(Motion::of_steps(&others).ratio < 1.2, even);
        }
        let error = |steps, gaits: &[Gait]| path.frames_by(&Plane, steps, true, gaits).unwrap_err().to_string();
        assert!(error(21, &gaits).contains("from 22"));
        assert!(error(30, &gaits[..2]).contains("2 gait(s)"));
        let all = [gait(Some(2), Ease::Linear); 3];
        assert!(error(7, &all).contains("from 6 to 6"));
        assert_eq!(path.frames_by(&Plane, 6, true, &all).unwrap().keys, [0, 2, 4, 6]);
    }

    #[test]
    fn ease_is_slow_where_it_says_and_of_visible_length_when_even() {
        let one = path(&[[-2.0, 0.0], [2.0, 0.0]], false);
        for ease in [Ease::Linear, Ease::Smoothstep, Ease::In, Ease::Out] {
            let uneven = one.frames(&Paraboloid, 8, Pacing { even: false, ease }).unwrap();
            let even = one.frames(&Paraboloid, 8, Pacing { even: true, ease }).unwrap();
            let chords = steps(&Paraboloid, &even.points).unwrap();
            let whole: f64 = chords.iter().sum();
            let mut sum = 0.0;
            for index in 0..=8 {
                let share = ease.at(index as f64 / 8.0);
                assert!((f64::from(uneven.points[2 * index]) - (4.0 * share - 2.0)).abs() < 1e-6);
                assert!(
                    (sum / whole - share).abs() < 0.01,
                    "{ease:?} {index}: {} {share}",
                    sum / whole
                );
                sum += chords.get(index).unwrap_or(&0.0);
            }
        }
    }

    #[test]
    fn impossible_numbers_of_steps_are_refused() {
        let square = path(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], true);
        for steps in [0, 2, MOST_STEPS + 1, usize::MAX] {
            let error = square.frames(&Plane, steps, Pacing::default()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{steps} step(s) were asked for, but this path takes from 3 to 65536")
            );
        }
        assert!(square.frames(&Plane, 3, Pacing::default()).is_ok());
    }
}
