//! A smooth curve through all keys: the centripetal Catmull-Rom spline.
//!
//! Source: C. Yuksel, S. Schaefer and J. Keyser, "Parameterization and applications of Catmull-Rom curves", 2011. It
//! never crosses itself between two keys, nor turns back.

use super::vector::{combination, norm, scaled};

/// One segment as a cubic polynomial: ends, and derivatives there by the segment's own `t`.
#[derive(Clone, Debug)]
pub(super) struct Cubic {
    ends: [Vec<f64>; 2],
    tangents: [Vec<f64>; 2],
}

impl Cubic {
    /// Between the middle two of four keys. Where two keys are equal, the curve rests.
    pub(super) fn new(keys: [&[f64]; 4]) -> Self {
        // Knots are as far apart as the square root of the keys' distance.
        let knots = [0, 1, 2].map(|index| norm(&combination(1.0, keys[index + 1], -1.0, keys[index])).sqrt());
        let tangent = |first: usize| {
            let [before, after] = [knots[first], knots[first + 1]];
            if before == 0.0 || after == 0.0 {
                return vec![0.0; keys[0].len()];
            }
            let slope =
                |from: usize, to: usize, length: f64| combination(1.0 / length, keys[to], -1.0 / length, keys[from]);
            let near = combination(
                1.0,
                &slope(first, first + 1, before),
                1.0,
                &slope(first + 1, first + 2, after),
            );
            let derivative = combination(1.0, &near, -1.0, &slope(first, first + 2, before + after));
            scaled(knots[1], &derivative)
        };
        Self {
            ends: [keys[1].to_vec(), keys[2].to_vec()],
            tangents: [tangent(0), tangent(1)],
        }
    }

    /// The point at `t` in [0, 1], in Hermite's form.
    pub(super) fn at(&self, t: f64) -> Vec<f64> {
        let [start, end] = &self.ends;
        let [leaving, arriving] = &self.tangents;
        let (square, cube) = (t * t, t * t * t);
        let share = 3.0 * square - 2.0 * cube;
        let position = combination(1.0 - share, start, share, end);
        let bend = combination(t - 2.0 * square + cube, leaving, cube - square, arriving);
        combination(1.0, &position, 1.0, &bend)
    }
}

/// The segments of a spline through `keys`. Beyond the ends of an open one lies each end's neighbour, mirrored.
pub(super) fn spline(keys: &[Vec<f64>], closed: bool) -> Vec<Cubic> {
    let count = keys.len();
    let mirrored = |end: usize, neighbour: usize| combination(2.0, &keys[end], -1.0, &keys[neighbour]);
    let [before, after] = if closed {
        [keys[count - 1].clone(), keys[0].clone()]
    } else {
        [mirrored(0, 1), mirrored(count - 1, count - 2)]
    };
    let mut row: Vec<&[f64]> = vec![&before];
    row.extend(keys.iter().map(Vec::as_slice));
    row.push(&after);
    if closed {
        row.push(&keys[1]);
    }
    let segments = row.windows(4);
    segments
        .map(|four| Cubic::new([four[0], four[1], four[2], four[3]]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The curve by the recursion of Barry and Goldman, which is its definition.
    fn definition(keys: [&[f64]; 4], t: f64) -> Vec<f64> {
        let mut knots = [0.0; 4];
        for index in 1..4 {
            let distance = norm(&combination(1.0, keys[index], -1.0, keys[index - 1]));
            knots[index] = knots[index - 1] + distance.sqrt();
        }
        let at = knots[1] + t * (knots[2] - knots[1]);
        let mut points: Vec<Vec<f64>> = keys.iter().map(|key| key.to_vec()).collect();
        for span in [1, 2] {
            points = (0..4 - span)
                .map(|index| {
                    let share = (at - knots[index]) / (knots[index + span] - knots[index]);
                    combination(1.0 - share, &points[index], share, &points[index + 1])
                })
                .collect();
        }
        combination(1.0 - t, &points[0], t, &points[1])
    }

    #[test]
    fn a_segment_is_that_of_the_pyramid_of_barry_and_goldman() {
        let keys: [&[f64]; 4] = [&[0.0, 1.0], &[1.0, 3.0], &[4.0, 3.5], &[4.2, -2.0]];
        let cubic = Cubic::new(keys);
        for t in [0.0, 0.1, 0.5, 0.8, 1.0] {
            let difference = combination(1.0, &cubic.at(t), -1.0, &definition(keys, t));
            assert!(norm(&difference) < 1e-12, "{t}: {difference:?}");
        }
    }

    #[test]
    fn speed_has_one_direction_where_segments_meet() {
        let keys = [[0.0, 0.0], [1.0, 2.0], [3.0, 2.0], [2.0, -1.0]].map(Vec::from);
        for closed in [false, true] {
            let segments = spline(&keys, closed);
            assert_eq!(segments.len(), if closed { 4 } else { 3 });
            let following = segments.iter().cycle().skip(1);
            let joins = if closed { 4 } else { 2 };
            for (one, next) in segments.iter().zip(following).take(joins) {
                assert_eq!(one.ends[1], next.ends[0]);
                let [a, b] = [&one.tangents[1], &next.tangents[0]].map(|tangent| scaled(1.0 / norm(tangent), tangent));
                assert!(norm(&combination(1.0, &a, -1.0, &b)) < 1e-12);
            }
        }
    }

    #[test]
    fn equal_keys_stay_where_they_are() {
        let keys = [[0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [2.0, -1.0]].map(Vec::from);
        let segments = spline(&keys, false);
        assert_eq!(segments[1].at(0.3), [1.0, 2.0]);
        assert_eq!(segments[0].tangents[1], [0.0, 0.0]);
        assert!(
            segments
                .iter()
                .all(|segment| segment.at(0.7).iter().all(|value| value.is_finite()))
        );
    }
}
