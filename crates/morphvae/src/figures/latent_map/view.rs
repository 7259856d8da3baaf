//! A box seen from outside: where its points fall on the page.

use super::super::axis::Ticks;
use super::super::canvas::{Canvas, Colour, GRID, Place, RULE, Stroke, Style, WHITE};
use super::super::palette::{ClassMark, mix};
use super::range::Range;

/// From the box's centre to the eye, where half a side of the box is 1: near enough for a little perspective.
const EYE: f64 = 7.0;
/// From the centre to a corner of the box.
const CORNER: f64 = 1.732_050_8;
/// The walls behind the points.
const WALL: Colour = [250; 3];

type Vector = [f64; 3];

/// A place to look from. Places in the box have coordinates from -1 to 1.
pub(super) struct View {
    right: Vector,
    up: Vector,
    /// From the centre towards the eye.
    towards: Vector,
    /// Where the box's centre lies on the page.
    centre: Place,
    /// Pixels for half a side of the box.
    scale: f64,
}

impl View {
    /// A view from `azimuth` and `elevation`, in degrees.
    pub fn new(azimuth: f64, elevation: f64, centre: Place, scale: f64) -> Self {
        let ((sa, ca), (se, ce)) = (azimuth.to_radians().sin_cos(), elevation.to_radians().sin_cos());
        Self {
            right: [-sa, ca, 0.0],
            up: [-se * ca, -se * sa, ce],
            towards: [ce * ca, ce * sa, se],
            centre,
            scale,
        }
    }

    /// Where a point falls on the page, and how much nearness enlarges it there.
    fn project(&self, point: Vector) -> (Place, f64) {
        let enlarged = EYE / (EYE - dot(point, self.towards));
        let [x, y] = [self.right, self.up].map(|axis| self.scale * enlarged * dot(point, axis));
        ([self.centre[0] + x, self.centre[1] - y], enlarged)
    }

    pub fn place(&self, point: Vector) -> Place {
        self.project(point).0
    }

    /// The side of the box, -1 or 1, that the eye sees the inside of: the wall across `axis` that is behind the points.
    fn far(&self, axis: usize) -> f64 {
        if self.towards[axis] > 0.0 { -1.0 } else { 1.0 }
    }

    /// The three walls behind the points, with grid lines at round numbers.
    pub fn draw_walls(&self, canvas: &mut Canvas, range: &Range<3>) {
        for axis in 0..3 {
            let [a, b] = others(axis);
            let on_wall = |u: f64, v: f64| {
                let mut point = [0.0; 3];
                (point[axis], point[a], point[b]) = (self.far(axis), u, v);
                self.place(point)
            };
            let corners = [
                on_wall(-1.0, -1.0),
                on_wall(1.0, -1.0),
                on_wall(1.0, 1.0),
                on_wall(-1.0, 1.0),
            ];
            canvas.polygon(&corners, WALL);
            let [across, along] = [a, b].map(|axis| positions(range, axis));
            for (u, _) in across {
                canvas.line(&[on_wall(u, -1.0), on_wall(u, 1.0)], Stroke::solid(GRID, 1.6));
            }
            for (v, _) in along {
                canvas.line(&[on_wall(-1.0, v), on_wall(1.0, v)], Stroke::solid(GRID, 1.6));
            }
        }
        for axis in 0..3 {
            let [a, b] = others(axis);
            for (u, v) in [
                (self.far(a), self.far(b)),
                (self.far(a), -self.far(b)),
                (-self.far(a), self.far(b)),
            ] {
                let [start, end] = [-1.0, 1.0].map(|end| self.place(on_edge(axis, end, u, v)));
                canvas.line(&[start, end], Stroke::solid(RULE, 1.6));
            }
        }
    }

    /// Tick labels and the axes' names, along the three outer edges of the walls.
    pub fn draw_numbers(&self, canvas: &mut Canvas, range: &Range<3>, names: [&str; 3]) {
        for (axis, name) in names.into_iter().enumerate() {
            let (u, v) = self.labelled_edge(axis);
            let [start, end] = [-1.0, 1.0].map(|end| self.place(on_edge(axis, end, u, v)));
            let away = self.outward(start, end);
            for (position, label) in positions(range, axis) {
                let place = self.place(on_edge(axis, position, u, v));
                canvas.text_middle(&label, moved(place, away, 32.0), Style::TICK);
            }
            let middle = [f64::midpoint(start[0], end[0]), f64::midpoint(start[1], end[1])];
            canvas.text_middle(name, moved(middle, away, 92.0), Style::NAME);
        }
    }

    /// The edge along `axis` that carries its numbers: in front of the floor for the first two, at the left for the
    /// third. Given as its coordinates on the two other axes.
    fn labelled_edge(&self, axis: usize) -> (f64, f64) {
        match axis {
            0 => (-self.far(1), self.far(2)),
            1 => (-self.far(0), self.far(2)),
            _ => {
                let [one, other] = [(self.far(0), -self.far(1)), (-self.far(0), self.far(1))];
                let column = |(x, y)| self.place([x, y, 0.0])[0];
                if column(one) < column(other) { one } else { other }
            }
        }
    }

    /// The unit vector on the page that stands on a line and points away from the box.
    fn outward(&self, start: Place, end: Place) -> Place {
        let (dx, dy) = (end[0] - start[0], end[1] - start[1]);
        let length = dx.hypot(dy).max(1e-9);
        let away = [dy / length, -dx / length];
        let middle = [
            f64::midpoint(start[0], end[0]) - self.centre[0],
            f64::midpoint(start[1], end[1]) - self.centre[1],
        ];
        if away[0] * middle[0] + away[1] * middle[1] < 0.0 {
            away.map(|value| -value)
        } else {
            away
        }
    }

    /// The axes' names alone: before the floor for the first two, over the corner of the walls for the third.
    pub fn draw_names(&self, canvas: &mut Canvas, [x, y, z]: [&str; 3]) {
        let [far_x, far_y, floor] = [0, 1, 2].map(|axis| self.far(axis));
        let places = [
            [0.0, -1.2 * far_y, floor],
            [-1.2 * far_x, 0.0, floor],
            [far_x, far_y, 1.12],
        ];
        for (name, place) in [x, y, z].into_iter().zip(places) {
            canvas.text_middle(name, self.place(place), Style::NAME.size(24.0));
        }
    }

    /// The points, far ones first, smaller and paler.
    pub fn draw_points(&self, canvas: &mut Canvas, points: &[Vector], marks: &[ClassMark], radius: f64) {
        let mut order: Vec<usize> = (0..points.len()).collect();
        let depth = |index: usize| dot(points[index], self.towards);
        order.sort_by(|&a, &b| depth(a).total_cmp(&depth(b)));
        for index in order {
            let (place, enlarged) = self.project(points[index]);
            let nearness = f64::midpoint(depth(index) / CORNER, 1.0);
            let ClassMark { colour, shape } = marks[index];
            let colour = mix(WHITE, colour, 0.5 + 0.5 * nearness);
            canvas.mark(shape, place, radius * enlarged * (0.75 + 0.35 * nearness), colour, 0.9);
        }
    }
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn moved(place: Place, direction: Place, length: f64) -> Place {
    [place[0] + direction[0] * length, place[1] + direction[1] * length]
}

fn others(axis: usize) -> [usize; 2] {
    match axis {
        0 => [1, 2],
        1 => [0, 2],
        _ => [0, 1],
    }
}

/// The point at `position` of the edge along `axis` that has the coordinates `u`, `v` on the two other axes.
fn on_edge(axis: usize, position: f64, u: f64, v: f64) -> Vector {
    let mut point = [0.0; 3];
    let [a, b] = others(axis);
    (point[axis], point[a], point[b]) = (position, u, v);
    point
}

/// Round numbers along an axis: where they lie in the box and how they are written.
fn positions(range: &Range<3>, axis: usize) -> Vec<(f64, String)> {
    let [low, high] = range.ends(axis);
    let ticks = Ticks::new(low, high, 5);
    let place = |value: f64| 2.0 * (value - low) / (high - low) - 1.0;
    ticks
        .values
        .iter()
        .map(|&value| (place(value), ticks.label(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::canvas::Shape;
    use super::*;

    fn close(a: Place, b: Place) -> bool {
        (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9
    }

    #[test]
    fn from_the_front_the_second_axis_runs_right_and_the_third_up() {
        let view = View::new(0.0, 0.0, [500.0, 400.0], 100.0);
        assert!(close(view.place([0.0, 0.0, 0.0]), [500.0, 400.0]));
        assert!(close(view.place([0.0, 1.0, 0.0]), [600.0, 400.0]));
        assert!(close(view.place([0.0, 0.0, 1.0]), [500.0, 300.0]));
        // One nearer than the centre, seven away from the eye: enlarged by 7/6.
        assert!(close(view.place([1.0, 0.6, 0.0]), [570.0, 400.0]));
    }

    #[test]
    fn from_above_the_plane_lies_as_on_a_map_turned() {
        let view = View::new(-90.0, 90.0, [0.0, 0.0], 100.0);
        assert!(close(view.place([1.0, 0.0, 0.0]), [100.0, 0.0]));
        assert!(close(view.place([0.0, 1.0, 0.0]), [0.0, -100.0]));
    }

    #[test]
    fn a_near_point_covers_a_far_one() {
        let view = View::new(0.0, 0.0, [50.0, 50.0], 40.0);
        let (near, far) = ([0.9, 0.0, 0.0], [-0.9, 0.0, 0.0]);
        for (points, colours) in [
            ([near, far], [[255, 0, 0], [0, 0, 255]]),
            ([far, near], [[0, 0, 255], [255, 0, 0]]),
        ] {
            let mut canvas = Canvas::new(100, 100).unwrap();
            let disc = |colour| ClassMark {
                colour,
                shape: Shape::Disc,
            };
            view.draw_points(&mut canvas, &points, &colours.map(disc), 10.0);
            let [red, _, blue] = canvas.into_image().get_pixel(50, 50).0;
            assert!(red > 200 && blue < 120, "red {red}, blue {blue}");
        }
    }
}
