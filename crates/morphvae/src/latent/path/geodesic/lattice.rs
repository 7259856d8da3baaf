//! A decoded lattice over a part of the latent plane, for a first guess that sees all of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::latent::path::PathError;
use crate::latent::path::decoder::{decoded, squared_distance};
use crate::network::Decoder;

/// Nodes along a side.
const SIDE: usize = 36;
/// How much larger the lattice is than the square around the keys: ways around may lead outside.
const ROOM: f64 = 1.4;
/// Where edges lead from a node, in columns and rows; backwards they lead as well. With knights' moves there are sixteen
/// directions, and a path is at most 3 % longer than it need be.
const EDGES: [(isize, usize); 8] = [(1, 0), (0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2)];

/// A square of nodes and the distances between the images of neighbours.
pub(super) struct Lattice {
    corner: [f64; 2],
    spacing: f64,
    /// The lengths of the edges that lead from each node, in the order of [`EDGES`]; infinite where there is none.
    lengths: Vec<[f64; EDGES.len()]>,
}

impl Lattice {
    /// Around all of `keys`; nothing where they do not span a square.
    pub(super) fn around(decoder: &dyn Decoder, keys: &[Vec<f32>]) -> Result<Option<Self>, PathError> {
        let range = |axis: usize| {
            let values = keys.iter().map(|key| f64::from(key[axis]));
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
                [low.min(value), high.max(value)]
            })
        };
        let ranges = [range(0), range(1)];
        let side = ROOM * ranges.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
        let mut lattice = Self {
            corner: ranges.map(|[low, high]| (low + high - side) / 2.0),
            spacing: side / (SIDE - 1) as f64,
            lengths: vec![[f64::INFINITY; EDGES.len()]; SIDE * SIDE],
        };
        if side == 0.0 {
            return Ok(None);
        }
        // Edges lead at most two rows down.
        let mut rows: [Vec<f32>; 3] = Default::default();
        for row in 0..SIDE {
            rows.rotate_left(1);
            let nodes: Vec<f32> = (0..SIDE).flat_map(|column| lattice.point(column, row)).collect();
            rows[2] = decoded(decoder, &nodes)?;
            lattice.measure(row, &rows);
        }
        Ok(Some(lattice))
    }

    fn point(&self, column: usize, row: usize) -> [f32; 2] {
        let [x, y] = self.corner;
        [x + column as f64 * self.spacing, y + row as f64 * self.spacing].map(|value| value as f32)
    }

    /// Measures the edges that lead to a row, given the images of the two rows above it and its own.
    fn measure(&mut self, row: usize, rows: &[Vec<f32>; 3]) {
        let length = rows[2].len() / SIDE;
        let image = |up: usize, column: usize| &rows[2 - up][column * length..][..length];
        for (edge, &(right, down)) in EDGES.iter().enumerate() {
            if down > row {
                continue;
            }
            for column in 0..SIDE {
                let Some(end) = column.checked_add_signed(right).filter(|&end| end < SIDE) else {
                    continue;
                };
                let distance = squared_distance(image(down, column), image(0, end)).sqrt();
                if distance.is_finite() {
                    self.lengths[(row - down) * SIDE + column][edge] = distance;
                }
            }
        }
    }

    /// The shortest path over the nodes from near one point to near another, with these points as its ends.
    pub(super) fn path(&self, from: &[f32], to: &[f32]) -> Option<Vec<f32>> {
        let nodes = self.shortest(self.nearest(from), self.nearest(to))?;
        let [_, inside @ .., _] = &nodes[..] else { return None };
        let mut points = from.to_vec();
        points.extend(inside.iter().flat_map(|node| self.point(node % SIDE, node / SIDE)));
        points.extend(to);
        Some(points)
    }

    fn nearest(&self, point: &[f32]) -> usize {
        let index = |axis: usize| {
            let place = (f64::from(point[axis]) - self.corner[axis]) / self.spacing;
            (place.round() as usize).min(SIDE - 1)
        };
        index(1) * SIDE + index(0)
    }

    /// Dijkstra's algorithm: the nodes of a shortest path, with both ends.
    fn shortest(&self, start: usize, end: usize) -> Option<Vec<usize>> {
        let mut distances = vec![f64::INFINITY; SIDE * SIDE];
        let mut before = vec![usize::MAX; SIDE * SIDE];
        // The bits of numbers that are not negative are in the order of the numbers.
        let mut open = BinaryHeap::from([Reverse((0_u64, start))]);
        distances[start] = 0.0;
        while let Some(Reverse((bits, node))) = open.pop() {
            let distance = f64::from_bits(bits);
            if node == end {
                break;
            }
            if distance > distances[node] {
                continue;
            }
            for (neighbour, length) in self.neighbours(node) {
                if distance + length < distances[neighbour] {
                    distances[neighbour] = distance + length;
                    before[neighbour] = node;
                    open.push(Reverse(((distance + length).to_bits(), neighbour)));
                }
            }
        }
        let mut nodes = vec![end];
        while let Some(&node) = nodes.last().filter(|&&node| node != start) {
            nodes.push(*before.get(node).filter(|&&node| node != usize::MAX)?);
        }
        nodes.reverse();
        Some(nodes)
    }

    /// Where edges lead from a node, either way, and how long they are.
    fn neighbours(&self, node: usize) -> impl Iterator<Item = (usize, f64)> {
        let (column, row) = (node % SIDE, node / SIDE);
        EDGES.iter().enumerate().flat_map(move |(edge, &(right, down))| {
            let forward = column.checked_add_signed(right).map(|column| (column, row + down));
            let backward = column.checked_add_signed(-right).zip(row.checked_sub(down));
            let inside = |&(column, row): &(usize, usize)| column < SIDE && row < SIDE;
            let forward = forward.filter(inside).map(|(column, row)| row * SIDE + column);
            let backward = backward.filter(inside).map(|(column, row)| row * SIDE + column);
            let forward = forward.map(|neighbour| (neighbour, self.lengths[node][edge]));
            forward
                .into_iter()
                .chain(backward.map(|neighbour| (neighbour, self.lengths[neighbour][edge])))
        })
    }
}
