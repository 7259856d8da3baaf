//! Which part of the axes a map shows.

/// A stray point may stretch the map by this much before it is left outside.
const STRETCH: f64 = 1.35;
/// The share of points at either end of an axis that may be stray.
const STRAY: f64 = 0.001;
/// Free room around the points, as a share of their extent.
const ROOM: f64 = 0.04;

/// A square, a cube: the same length along every axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range<const D: usize> {
    pub centre: [f64; D],
    /// From the centre to either side.
    pub half: f64,
}

impl<const D: usize> Range<D> {
    /// The range that holds the finite points of `positions`, except for a few that lie so far away that the others
    /// would be squashed. None without a finite point.
    pub fn of(positions: &[[f64; D]]) -> Option<Self> {
        let mut ends = [[0.0; 2]; D];
        for (axis, ends) in ends.iter_mut().enumerate() {
            let finite = positions
                .iter()
                .filter(|point| point.iter().all(|value| value.is_finite()));
            let mut values: Vec<f64> = finite.map(|point| point[axis]).collect();
            values.sort_unstable_by(f64::total_cmp);
            *ends = interval(&values)?;
        }
        let half = ends.iter().map(|[low, high]| (high - low) / 2.0).fold(0.0, f64::max);
        let half = if half > 0.0 { half * (1.0 + ROOM) } else { 1.0 };
        Some(Self {
            centre: ends.map(|[low, high]| f64::midpoint(low, high)),
            half,
        })
    }

    /// The same range, widened where that is needed so that it holds all of `positions` with room around them.
    pub fn holding(self, positions: &[[f64; D]]) -> Self {
        let ends: [[f64; 2]; D] = std::array::from_fn(|axis| {
            let values = positions.iter().map(|point| point[axis]);
            values.fold(self.ends(axis), |[low, high], value| [low.min(value), high.max(value)])
        });
        let half = ends.iter().map(|[low, high]| (high - low) / 2.0).fold(0.0, f64::max);
        if ends == std::array::from_fn(|axis| self.ends(axis)) {
            return self;
        }
        Self {
            centre: ends.map(|[low, high]| f64::midpoint(low, high)),
            half: half * (1.0 + ROOM),
        }
    }

    /// The point with the range's centre at 0 and its sides at ±1; none outside and for points that are not finite.
    pub fn normalized(&self, point: [f64; D]) -> Option<[f64; D]> {
        Some(self.scaled(point)).filter(|point| point.iter().all(|value| value.abs() <= 1.0))
    }

    /// The point with the range's centre at 0 and its sides at ±1, wherever it lies.
    pub fn scaled(&self, point: [f64; D]) -> [f64; D] {
        std::array::from_fn(|axis| (point[axis] - self.centre[axis]) / self.half)
    }

    /// What the range shows of one axis.
    pub fn ends(&self, axis: usize) -> [f64; 2] {
        [self.centre[axis] - self.half, self.centre[axis] + self.half]
    }
}

/// From the least to the greatest of sorted values, or without the stray ones if these are far off.
fn interval(sorted: &[f64]) -> Option<[f64; 2]> {
    let (&low, &high) = (sorted.first()?, sorted.last()?);
    let stray = (sorted.len() as f64 * STRAY).ceil() as usize;
    if sorted.len() < 20 {
        return Some([low, high]);
    }
    let (inner_low, inner_high) = (sorted[stray], sorted[sorted.len() - 1 - stray]);
    let (middle, half) = (
        f64::midpoint(inner_low, inner_high),
        (inner_high - inner_low) / 2.0 * STRETCH,
    );
    Some([low.max(middle - half), high.min(middle + half)])
}

/// What to say of points that a map does not show; none if it shows all.
pub(in super::super) fn note(outside: usize) -> Option<String> {
    match outside {
        0 => None,
        1 => Some("1 point lies outside the map".to_owned()),
        _ => Some(format!("{outside} points lie outside the map")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(count: usize) -> Vec<[f64; 2]> {
        (0..count)
            .map(|index| [index as f64 / (count - 1) as f64, 0.0])
            .collect()
    }

    #[test]
    fn the_range_holds_every_point_of_a_compact_cloud() {
        let points = line(1000);
        let range = Range::of(&points).unwrap();
        assert!(points.iter().all(|&point| range.normalized(point).is_some()));
        assert!((range.centre[0] - 0.5).abs() < 1e-12 && (range.half - 0.52).abs() < 1e-12);
    }

    #[test]
    fn one_stray_point_does_not_squash_the_rest() {
        let mut points = line(1000);
        points.push([1000.0, 0.0]);
        let range = Range::of(&points).unwrap();
        assert!(range.half < 1.0);
        assert_eq!(
            points
                .iter()
                .filter(|&&point| range.normalized(point).is_none())
                .count(),
            1
        );
    }

    #[test]
    fn a_range_is_widened_to_hold_what_must_be_seen() {
        let range = Range::of(&line(1000)).unwrap();
        assert_eq!(range.holding(&[[0.2, 0.1], [1.0, -0.3]]), range);
        let path = [[0.5, 0.0], [7.0, 0.0], [0.5, -3.0]];
        let wide = range.holding(&path);
        assert!(path.iter().all(|&point| wide.normalized(point).is_some()));
        assert!((wide.centre[0] - 3.49).abs() < 1e-9 && wide.half < 3.7);
    }

    #[test]
    fn points_that_are_not_finite_have_no_place() {
        let mut points = line(30);
        points.push([f64::NAN, 0.0]);
        let range = Range::of(&points).unwrap();
        assert!(range.normalized([f64::NAN, 0.0]).is_none());
        assert!(Range::of(&[[f64::INFINITY, 0.0]]).is_none());
    }

    #[test]
    fn a_single_point_has_room_around_it() {
        assert_eq!(
            Range::of(&[[3.0, 4.0]]).unwrap(),
            Range {
                centre: [3.0, 4.0],
                half: 1.0
            }
        );
    }
}
