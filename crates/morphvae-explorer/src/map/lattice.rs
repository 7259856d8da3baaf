//! A lattice of points on a plane through the latent space.

use serde::Deserialize;

use super::LatentMap;

/// Points of a lattice, at most.
const MOST_POINTS: usize = 1024;

/// A lattice as it is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LatticeRequest {
    columns: usize,
    rows: usize,
    left: f64,
    right: f64,
    bottom: f64,
    top: f64,
    x: String,
    /// Absent for a line.
    y: Option<String>,
    /// The point that the plane goes through: latent numbers with commas between them.
    base: Option<String>,
}

/// A lattice that exists: its first row is at the top.
#[derive(Clone, Debug)]
pub(crate) struct Lattice<'a> {
    request: LatticeRequest,
    axes: Vec<Axis<'a>>,
    base: Vec<f64>,
}

/// Along what the plane lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Axis<'a> {
    /// A dimension of the latent space.
    Latent(usize),
    /// A principal direction.
    Direction(&'a [f64]),
}

impl<'a> Lattice<'a> {
    /// Checks a request against the map; the error says what is wrong.
    pub fn new(request: LatticeRequest, map: &'a LatentMap) -> Result<Self, String> {
        let latent = map.network().config().latent;
        let count = request.columns.checked_mul(request.rows);
        if !count.is_some_and(|count| (1..=MOST_POINTS).contains(&count)) {
            let (columns, rows) = (request.columns, request.rows);
            return Err(format!(
                "{columns} columns of {rows} are no lattice of 1 to {MOST_POINTS} points"
            ));
        }
        let sides = [request.left, request.right, request.bottom, request.top];
        if !sides.iter().all(|side| (*side as f32).is_finite()) {
            return Err("left, right, bottom and top must be finite numbers".into());
        }
        let mut axes = vec![axis(&request.x, map)?];
        if let Some(y) = &request.y {
            axes.push(axis(y, map)?);
        }
        if axes.len() == 2 && axes[0] == axes[1] {
            return Err(format!("x and y are the same axis, {}", request.x));
        }
        let base = match &request.base {
            Some(text) => numbers(text, latent)?,
            None if axes.iter().any(|axis| matches!(axis, Axis::Direction(_))) => map.components.mean.clone(),
            None => vec![0.0; latent],
        };
        Ok(Self { request, axes, base })
    }

    /// Row by row from the top: `[rows * columns, latent]`.
    pub fn points(&self) -> Vec<f32> {
        let LatticeRequest {
            columns,
            rows,
            left,
            right,
            bottom,
            top,
            ..
        } = self.request;
        let mut points = Vec::with_capacity(columns * rows * self.base.len());
        for row in 0..rows {
            let v = between(top, bottom, row, rows);
            for column in 0..columns {
                let u = between(left, right, column, columns);
                points.extend(self.point([u, v]).into_iter().map(|number| number as f32));
            }
        }
        points
    }

    fn point(&self, position: [f64; 2]) -> Vec<f64> {
        let mut point = self.base.clone();
        for (axis, value) in self.axes.iter().zip(position) {
            if let Axis::Latent(index) = axis {
                point[*index] = value;
            }
        }
        for (axis, value) in self.axes.iter().zip(position) {
            if let Axis::Direction(direction) = axis {
                for (number, step) in point.iter_mut().zip(*direction) {
                    *number += value * step;
                }
            }
        }
        point
    }
}

/// The `index`th of `count` evenly spaced numbers, both ends among them; the middle where there is only one.
fn between(first: f64, last: f64, index: usize, count: usize) -> f64 {
    if count == 1 {
        return (first + last) / 2.0;
    }
    first + (last - first) * index as f64 / (count - 1) as f64
}

/// `0`, `1`, ... for a latent dimension, `p0`, `p1`, ... for a principal direction.
fn axis<'a>(name: &str, map: &'a LatentMap) -> Result<Axis<'a>, String> {
    let latent = map.network().config().latent;
    let found = match name.strip_prefix('p') {
        Some(number) => number
            .parse()
            .ok()
            .and_then(|index| map.direction(index))
            .map(Axis::Direction),
        None => name.parse().ok().filter(|&index| index < latent).map(Axis::Latent),
    };
    found.ok_or_else(|| {
        let directions = map.components.directions.len();
        format!(
            "there is no axis {name:?}: this map has {latent} latent dimension(s), 0 and up, \
             and {directions} principal direction(s), p0 and up"
        )
    })
}

fn numbers(text: &str, latent: usize) -> Result<Vec<f64>, String> {
    let number = |part: &str| {
        part.trim()
            .parse()
            .ok()
            .filter(|&number: &f64| (number as f32).is_finite())
    };
    let numbers: Option<Vec<f64>> = text.split(',').map(number).collect();
    numbers
        .filter(|numbers| numbers.len() == latent)
        .ok_or_else(|| format!("base must be {latent} finite number(s) with commas between them"))
}
