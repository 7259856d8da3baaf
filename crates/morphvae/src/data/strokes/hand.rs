//! The imagined hand: from the skeleton of a digit to one person's path of the pen, never twice the same.

use rand::RngExt;

use super::SIDE;
use super::path::{Point, curve, evenly_spaced, round_corners};
use super::skeletons::{DIGITS, Knot, Skeleton};
use crate::random::Generator;

/// The pen at one moment: its place in pixels and half the width of its line there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
}

/// How many pixels at the edge of an image stay free: one, and what the ink's edge fades over.
const MARGIN: f64 = 1.2;

/// Writes `digit` once: a path in pixels for every stroke.
pub(super) fn write(digit: usize, generator: &mut Generator) -> Vec<Vec<Pen>> {
    let skeleton = choose(DIGITS[digit], generator);
    let bend = Bend::new(generator);
    let haste = generator.random_range(1..=14);
    let strokes: Vec<Vec<Point>> = skeleton
        .strokes
        .iter()
        .map(|knots| {
            let knots: Vec<Point> = unsteady(knots, generator)
                .into_iter()
                .map(|knot| bend.apply(knot))
                .collect();
            wobble(round_corners(evenly_spaced(&curve(&knots)), haste), generator)
        })
        .collect();
    place(&strokes, bend.width.min(1.0), generator)
}

fn choose<'a>(skeletons: &'a [Skeleton], generator: &mut Generator) -> &'a Skeleton {
    let all: u8 = skeletons.iter().map(|skeleton| skeleton.frequency).sum();
    let mut left = generator.random_range(0..all);
    for skeleton in skeletons {
        if left < skeleton.frequency {
            return skeleton;
        }
        left -= skeleton.frequency;
    }
    unreachable!("the frequencies add up to their sum")
}

/// A bell around zero with standard deviation 1 that never leaves ±3, so that no digit falls out of shape.
fn bell(generator: &mut Generator) -> f64 {
    (0..3).map(|_| 2.0 * generator.random::<f64>() - 1.0).sum()
}

/// The knots, each a little off, the ends of the stroke more than the rest; the two of a corner stay together.
fn unsteady(knots: &[Knot], generator: &mut Generator) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::with_capacity(knots.len());
    for (index, &(x, y)) in knots.iter().enumerate() {
        let point = if index > 0 && knots[index - 1] == (x, y) {
            points[index - 1]
        } else {
            let off = if index == 0 || index + 1 == knots.len() {
                0.04
            } else {
                0.022
            };
            Point {
                x: f64::from(x) / 100.0 + off * bell(generator),
                y: f64::from(y) / 100.0 + off * bell(generator),
            }
        };
        points.push(point);
    }
    points
}

/// What one hand does to all points of a digit.
struct Bend {
    /// How wide the digit is, of its skeleton's width.
    width: f64,
    /// By how much the lower half is wider than the upper.
    bottom: f64,
    /// How far the waist is moved down.
    waist: f64,
    /// How far the middle is moved to the right.
    belly: f64,
    /// Where the digit leans: to the right for a positive number.
    slant: f64,
    /// The cosine and the sine of the angle at which the paper lies.
    turn: (f64, f64),
}

impl Bend {
    fn new(generator: &mut Generator) -> Self {
        let tangent = 0.03 * bell(generator); // of half the angle: no library's sine is asked for its last bit
        Self {
            width: 1.15 + 0.16 * bell(generator),
            bottom: 0.10 * bell(generator),
            waist: 0.10 * bell(generator),
            belly: 0.12 * bell(generator),
            slant: 0.16 + 0.16 * bell(generator),
            turn: (
                (1.0 - tangent * tangent) / (1.0 + tangent * tangent),
                2.0 * tangent / (1.0 + tangent * tangent),
            ),
        }
    }

    fn apply(&self, point: Point) -> Point {
        let middle = 4.0 * point.y * (1.0 - point.y); // 1 at half height, 0 at top and bottom
        let x = (point.x - 0.3) * self.width * (1.0 + 2.0 * self.bottom * (point.y - 0.5));
        let y = point.y - 0.5 + self.waist * middle;
        let x = x + 0.5 * self.belly * middle - self.slant * y;
        let (cosine, sine) = self.turn;
        Point {
            x: cosine * x - sine * y,
            y: sine * x + cosine * y,
        }
    }
}

/// A hand is no machine: the path drifts a little to and fro.
fn wobble(mut path: Vec<Point>, generator: &mut Generator) -> Vec<Point> {
    let amount = 0.012 * generator.random::<f64>();
    let right = drift(path.len(), 10, generator);
    let down = drift(path.len(), 10, generator);
    for ((point, right), down) in path.iter_mut().zip(right).zip(down) {
        point.x += amount * right;
        point.y += amount * down;
    }
    path
}

/// `length` numbers that wander smoothly around zero, with something new every `period`.
fn drift(length: usize, period: usize, generator: &mut Generator) -> Vec<f64> {
    let values: Vec<f64> = (0..length / period + 3).map(|_| bell(generator)).collect();
    (0..length)
        .map(|index| {
            // A quadratic B-spline over the values.
            let share = (index % period) as f64 / period as f64;
            let values = &values[index / period..];
            0.5 * ((1.0 - share) * (1.0 - share) * values[0] + share * share * values[2])
                + (0.5 + share - share * share) * values[1]
        })
        .collect()
}

/// Puts the strokes on the paper as MNIST does (scaled into a box of some 20 pixels, the ink's centre of mass in the
/// middle of the image) and says how hard the pen presses.
///
/// A narrow digit is written with a finer pen, lest its loops fill with ink.
fn place(strokes: &[Vec<Point>], fineness: f64, generator: &mut Generator) -> Vec<Vec<Pen>> {
    let radius = fineness * (0.85 + 0.95 * generator.random::<f64>());
    let box_side = 20.0 - 2.0 * generator.random::<f64>() - 2.0 * radius;
    let [left, right, top, bottom] = bounds(strokes.iter().flatten().map(|point| (point.x, point.y)));
    let scale = box_side / (right - left).max(bottom - top);
    let mut paths: Vec<Vec<Pen>> = strokes
        .iter()
        .map(|stroke| press(stroke, scale, radius, generator))
        .collect();

    let pens = || paths.iter().flatten();
    let ink: f64 = pens().map(|pen| pen.radius).sum();
    let middle = |coordinate: fn(&Pen) -> f64| pens().map(|pen| pen.radius * coordinate(pen)).sum::<f64>() / ink;
    let inked = |pen: &Pen| [-pen.radius, pen.radius].map(|radius| (pen.x + radius, pen.y + radius));
    let [left, right, top, bottom] = bounds(pens().flat_map(inked));
    let side = SIDE as f64;
    let mut shift = |mass: f64, from: f64, to: f64| {
        // The pen may press up to 1.4 times as wide as it is: some 22 of 28 pixels, so there is always room.
        (side / 2.0 - mass + 0.5 * bell(generator)).clamp(MARGIN - from, side - MARGIN - to)
    };
    let shift_x = shift(middle(|pen| pen.x), left, right);
    let shift_y = shift(middle(|pen| pen.y), top, bottom);
    for pen in paths.iter_mut().flatten() {
        pen.x += shift_x;
        pen.y += shift_y;
    }
    paths
}

/// The smallest and the largest x, then the smallest and the largest y.
fn bounds(points: impl Iterator<Item = (f64, f64)>) -> [f64; 4] {
    let nothing = [f64::MAX, f64::MIN, f64::MAX, f64::MIN];
    points.fold(nothing, |[left, right, top, bottom], (x, y)| {
        [left.min(x), right.max(x), top.min(y), bottom.max(y)]
    })
}

/// A stroke in pixels, its line around `radius` wide to either side: it swells and thins as the hand presses.
fn press(stroke: &[Point], scale: f64, radius: f64, generator: &mut Generator) -> Vec<Pen> {
    let pressure = drift(stroke.len(), 12, generator);
    let pen = |(point, pressure): (&Point, f64)| {
        let radius = radius * (1.0 + 0.13 * pressure);
        Pen {
            x: scale * point.x,
            y: scale * point.y,
            radius: radius.max(0.6),
        }
    };
    stroke.iter().zip(pressure).map(pen).collect()
}
