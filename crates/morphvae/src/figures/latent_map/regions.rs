//! The latent map of two dimensions, divided among the classes by straight boundaries.

use super::super::canvas::{Canvas, INK, Place, Stroke, WHITE};
use super::super::palette::{class_marks, mix};
use super::super::{FigureError, Labels};
use super::Points;
use super::legend::Legend;
use super::plane::Map;
use super::range::Range;
use crate::latent::probe::{LabelledPoints, SoftmaxRegression};

/// How much of its class's colour a region has.
const PALE: f64 = 0.24;
/// A boundary, and the white on either side of it, so that it is seen on points of any colour.
const BOUNDARY: [Stroke; 2] = [Stroke::solid(WHITE, 5.5), Stroke::solid(INK, 2.5)];

/// A polygon of the map, its sides at ±1.
type Polygon = Vec<[f64; 2]>;

/// Points on regions in their classes' colours, boundaries over them, and a legend.
pub(in super::super) struct Panel<'a> {
    positions: Vec<[f64; 2]>,
    indices: Vec<Option<u16>>,
    classes: &'a [String],
    regression: &'a SoftmaxRegression,
}

impl<'a> Panel<'a> {
    /// Takes points of the plane, whose classes have these names, in the order of the labels.
    ///
    /// # Errors
    /// [`FigureError`] when there is no point, or a label has no name.
    pub fn new(
        points: &LabelledPoints,
        classes: &'a [String],
        regression: &'a SoftmaxRegression,
    ) -> Result<Self, FigureError> {
        let place = |index: usize| [0, 1].map(|axis| f64::from(points.point(index)[axis]));
        let panel = Self {
            positions: (0..points.count()).map(place).collect(),
            indices: points.labels().iter().copied().map(Some).collect(),
            classes,
            regression,
        };
        panel.points().check()?;
        let known = regression
            .classes()
            .iter()
            .find(|&&label| usize::from(label) >= classes.len());
        match known {
            Some(&label) => Err(FigureError::UnknownClass {
                label,
                classes: classes.len(),
            }),
            None => Ok(panel),
        }
    }

    fn points(&self) -> Points<'_, 2> {
        Points {
            positions: &self.positions,
            labels: Some(self.labels()),
        }
    }

    fn labels(&self) -> Labels<'_> {
        Labels {
            indices: &self.indices,
            classes: self.classes,
        }
    }

    /// Whether one legend serves both.
    pub fn has_the_classes_of(&self, other: &Self) -> bool {
        self.classes == other.classes && self.labels().classes_present() == other.labels().classes_present()
    }

    /// The width that a legend of this height takes, in pixels.
    pub fn legend_width(&self, height: f64) -> f64 {
        Legend::new(self.labels()).width(height)
    }

    /// Draws the legend with its corner at `left`, `top`.
    pub fn draw_legend(&self, canvas: &mut Canvas, [left, top]: Place, height: f64) {
        Legend::new(self.labels()).draw(canvas, left, top, height);
    }

    /// Draws the map as a square with its corner at `left`, `top`; what stands on its axes is left of it and below. Says how
    /// many points lie outside.
    ///
    /// # Errors
    /// [`FigureError::NotFinite`] when no point is.
    pub fn draw_map(&self, canvas: &mut Canvas, [left, top]: Place, side: f64) -> Result<usize, FigureError> {
        let (points, count) = (self.points(), self.positions.len());
        let range = Range::of(points.positions).ok_or(FigureError::NotFinite { what: "points", count })?;
        let map = Map { range, left, top, side };
        let marks = class_marks(self.classes.len());
        let regions = regions(self.regression, &map.range);
        for (region, &label) in regions.iter().zip(self.regression.classes()) {
            let corners: Vec<Place> = region.iter().map(|&corner| map.place(corner)).collect();
            canvas.polygon(&corners, mix(WHITE, marks[usize::from(label)].colour, PALE));
        }
        map.draw_grid(canvas, ["z₁", "z₂"]);
        let outside = map.draw_points(canvas, &points);
        for stroke in BOUNDARY {
            for boundary in regions.iter().flat_map(boundaries) {
                canvas.line(&boundary.map(|end| map.place(end)), stroke);
            }
        }
        map.draw_names(canvas, &points);
        Ok(outside)
    }
}

/// The part of the map where each class has the largest score: a convex polygon, empty where others have it everywhere.
fn regions(regression: &SoftmaxRegression, range: &Range<2>) -> Vec<Polygon> {
    // A score as a linear function of the place on the map.
    let score = |class: usize| {
        let (weights, offset) = regression.score(class);
        let moved = weights.iter().zip(range.centre).map(|(weight, centre)| weight * centre);
        [
            weights[0] * range.half,
            weights[1] * range.half,
            offset + moved.sum::<f64>(),
        ]
    };
    let scores: Vec<[f64; 3]> = (0..regression.classes().len()).map(score).collect();
    let region = |own: &[f64; 3]| {
        let map = vec![[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        scores.iter().filter(|other| *other != own).fold(map, |region, other| {
            let [a, b, c] = [0, 1, 2].map(|index| own[index] - other[index]);
            cut(&region, |[x, y]| a * x + b * y + c)
        })
    };
    scores.iter().map(region).collect()
}

/// The part of a convex polygon where a linear function is not below zero.
///
/// Source: I. Sutherland and G. Hodgman, "Reentrant polygon clipping", 1974.
fn cut(polygon: &[[f64; 2]], value: impl Fn([f64; 2]) -> f64) -> Polygon {
    let mut kept = Vec::with_capacity(polygon.len() + 1);
    for (index, &end) in polygon.iter().enumerate() {
        let start = polygon[(index + polygon.len() - 1) % polygon.len()];
        let (before, after) = (value(start), value(end));
        if (before < 0.0) != (after < 0.0) {
            let share = before / (before - after);
            kept.push([0, 1].map(|axis| start[axis] + share * (end[axis] - start[axis])));
        }
        if after >= 0.0 {
            kept.push(end);
        }
    }
    kept
}

/// The sides of a region that are not those of the map.
fn boundaries(region: &Polygon) -> impl Iterator<Item = [[f64; 2]; 2]> + '_ {
    let is_at_edge = |[start, end]: &[[f64; 2]; 2]| {
        (0..2).any(|axis| start[axis].abs() > 1.0 - 1e-9 && (start[axis] - end[axis]).abs() < 1e-9)
    };
    let next = region.iter().cycle().skip(1);
    region
        .iter()
        .zip(next)
        .map(|(&start, &end)| [start, end])
        .filter(move |side| !is_at_edge(side))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RANGE: Range<2> = Range {
        centre: [3.0, -1.0],
        half: 4.0,
    };

    fn labelled(values: &[f32], labels: &[u16]) -> LabelledPoints {
        let labels: Vec<Option<u16>> = labels.iter().copied().map(Some).collect();
        LabelledPoints::new(values, 2, &labels).unwrap()
    }

    /// Twice the area of a polygon whose corners go round against the clock.
    fn twice_area(polygon: &Polygon) -> f64 {
        let next = polygon.iter().cycle().skip(1);
        polygon
            .iter()
            .zip(next)
            .map(|([ax, ay], [bx, by])| ax * by - bx * ay)
            .sum()
    }

    fn holds(polygon: &Polygon, [x, y]: [f64; 2]) -> bool {
        let next = polygon.iter().cycle().skip(1);
        polygon.len() > 2
            && polygon
                .iter()
                .zip(next)
                .all(|([ax, ay], [bx, by])| (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0)
    }

    proptest! {
        #[test]
        fn regions_are_where_the_regression_sees_their_classes(
            values in prop::collection::vec(-1.0_f32..7.0, 2 * 24),
            places in prop::collection::vec([-0.99_f64..0.99, -0.99_f64..0.99], 40),
        ) {
            let labels: Vec<u16> = (0..24).map(|index| index % 6).collect();
            let regression = SoftmaxRegression::fit(&labelled(&values, &labels)).unwrap();
            let regions = regions(&regression, &RANGE);
            let whole: f64 = regions.iter().map(twice_area).sum();
            prop_assert!((whole - 8.0).abs() < 1e-9, "the map has an area of {}", whole / 2.0);
            for place in places {
                let point: Vec<f32> = [0, 1].map(|axis| (RANGE.centre[axis] + RANGE.half * place[axis]) as f32).into();
                let class = regression.classify(&labelled(&point, &[0])).unwrap()[0];
                // Beside a boundary rounding may decide.
                let found = regions.iter().position(|region| holds(region, RANGE.scaled([point[0].into(), point[1].into()])));
                let seen = found.map(|region| regression.classes()[region]);
                prop_assert!(seen.is_none() || seen == Some(class), "{seen:?} is not {class}");
            }
        }
    }

    #[test]
    fn only_what_lies_between_classes_is_a_boundary() {
        let values = [1.0, -1.0, 2.0, -1.0, 4.0, -1.0, 5.0, -1.0];
        let regression = SoftmaxRegression::fit(&labelled(&values, &[0, 0, 1, 1])).unwrap();
        let regions = regions(&regression, &RANGE);
        for region in &regions {
            let found: Vec<[[f64; 2]; 2]> = boundaries(region).collect();
            assert!(
                found.len() == 1 && found[0].iter().all(|[x, _]| x.abs() < 1e-6),
                "{found:?}"
            );
        }
    }
}
