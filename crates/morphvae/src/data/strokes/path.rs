//! The path of a pen: a smooth curve with corners, as points at even distances.

/// A place on the paper: to the right, and down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Point {
    fn distance(self, other: Self) -> f64 {
        let (x, y) = (other.x - self.x, other.y - self.y);
        (x * x + y * y).sqrt()
    }

    /// The square root of the distance, never quite zero.
    fn root(self, other: Self) -> f64 {
        self.distance(other).sqrt().max(1e-6)
    }

    /// The point at `share` of the way to `other`.
    fn toward(self, other: Self, share: f64) -> Self {
        Self {
            x: self.x + (other.x - self.x) * share,
            y: self.y + (other.y - self.y) * share,
        }
    }
}

/// The distance between neighbouring points of a path, in digit heights: below half a pixel.
const STEP: f64 = 0.02;

/// A smooth curve through the points, with a corner where a point is repeated.
pub(super) fn curve(points: &[Point]) -> Vec<Point> {
    let mut path = Vec::new();
    let mut from = 0;
    for index in 1..=points.len() {
        if index == points.len() || points[index] == points[index - 1] {
            smooth_piece(&points[from..index], &mut path);
            from = index;
        }
    }
    path
}

/// A centripetal Catmull-Rom spline through the points.
///
/// Source: Yuksel, Schaefer, Keyser, "Parameterization and applications of Catmull-Rom curves", 2011: of that family
/// only this one makes no cusps and no loops of its own between two points.
fn smooth_piece(points: &[Point], path: &mut Vec<Point>) {
    const PARTS: u8 = 8;
    // Beyond its ends the curve goes on as if mirrored in them.
    let mirrored = |end: Point, next: Point| next.toward(end, 2.0);
    let last = points.len() - 1;
    let mut all = vec![mirrored(points[0], points[1])];
    all.extend(points);
    all.push(mirrored(points[last], points[last - 1]));
    for &[a, b, c, d] in all.array_windows() {
        let times = [0.0, a.root(b), a.root(b) + b.root(c), a.root(b) + b.root(c) + c.root(d)];
        for part in 0..PARTS {
            let time = times[1] + (times[2] - times[1]) * f64::from(part) / f64::from(PARTS);
            let mix = |p: Point, q: Point, from: usize, to: usize| {
                p.toward(q, (time - times[from]) / (times[to] - times[from]))
            };
            let (ab, bc, cd) = (mix(a, b, 0, 1), mix(b, c, 1, 2), mix(c, d, 2, 3));
            path.push(mix(mix(ab, bc, 0, 2), mix(bc, cd, 1, 3), 1, 2));
        }
    }
    path.extend(points.last());
}

/// The same path with its points [`STEP`] apart.
pub(super) fn evenly_spaced(path: &[Point]) -> Vec<Point> {
    let mut points = vec![path[0]];
    let mut due = STEP; // how far ahead the next point lies
    for pair in path.windows(2) {
        let length = pair[0].distance(pair[1]);
        while due <= length {
            points.push(pair[0].toward(pair[1], due / length));
            due += STEP;
        }
        due -= length;
    }
    points
}

/// A hand in haste cuts its corners: the path after `haste` passes of a short running mean, its ends kept.
pub(super) fn round_corners(mut path: Vec<Point>, haste: usize) -> Vec<Point> {
    for _ in 0..haste {
        let mut previous = path[0];
        for index in 1..path.len() - 1 {
            let here = path[index];
            path[index] = previous.toward(path[index + 1], 0.5).toward(here, 0.5);
            previous = here;
        }
    }
    path
}
