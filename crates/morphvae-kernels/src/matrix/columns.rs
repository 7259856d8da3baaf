//! A right-hand matrix that is multiplied again and again: packed once, in runs of columns that are a task each.

use std::ops::Range;

use super::{Left, Right, multiply, multiply_row, nonzero, pack_padded, padded_stride};
use crate::buffer::Buffer;
use crate::disjoint::Disjoint;
use crate::isa::Isa;
use crate::tasks::for_each_task;

/// Columns of a run, about.
const COLUMNS: usize = 256;
/// Rows that a task multiplies at the most: their products stay in the second cache.
const ROWS: usize = 480;
/// Rows that are multiplied at once by every instruction set: a multiple of all their register tiles' heights.
const STEP: usize = 24;
/// Multiply-adds below which a product is not worth dividing.
const SMALL: usize = 1 << 16;

/// A packed matrix of `depth` rows.
#[derive(Debug)]
pub(crate) struct Columns {
    isa: Isa,
    depth: usize,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    range: Range<usize>,
    packed: Buffer,
}

/// `0..columns` in runs of whole panels, as even as can be, and as many as two threads share evenly.
pub(crate) fn runs_of_panels(isa: Isa, columns: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    let panels = columns.div_ceil(isa.panel());
    let runs = columns.div_ceil(width).next_multiple_of(2).min(panels);
    let end = move |run: usize| (run * panels / runs * isa.panel()).min(columns);
    (0..runs).map(move |run| end(run)..end(run + 1))
}

impl Columns {
    /// Packs the matrix whose element in row `k` and column `n` is `value(k, n)`.
    pub fn pack(isa: Isa, depth: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let runs = runs_of_panels(isa, columns, COLUMNS).map(|range| Run {
            packed: pack_padded(isa, depth, range.len(), |k, n| value(k, range.start + n)),
            range,
        });
        let runs = runs.collect();
        Self { isa, depth, runs }
    }

    /// Columns of the matrix.
    pub fn count(&self) -> usize {
        self.runs.last().map_or(0, |run| run.range.end)
    }

    /// `output = finish(left * matrix)`: `left` has `rows` rows of `depth` elements, the output as many as long as the
    /// matrix is wide. `finish` is called with the columns of a run, the products of a row with them, and where they go.
    ///
    /// A single row goes another way than many.
    pub fn multiply(
        &self,
        left: &[f32],
        rows: usize,
        output: &mut [f32],
        finish: impl Fn(Range<usize>, &[f32], &mut [f32]) + Sync,
    ) {
        if rows == 0 {
            return;
        }
        let (depth, columns) = (self.depth, self.count());
        let parts = rows.div_ceil(ROWS);
        let part = rows.div_ceil(parts).next_multiple_of(STEP);
        let single = (rows == 1).then(|| nonzero(left));
        let output = Disjoint::new(output);
        let run = |task: usize| {
            let Run { range, packed } = &self.runs[task % self.runs.len()];
            let first = task / self.runs.len() * part;
            let rows = (rows - first).min(part);
            let (width, stride) = (range.len(), padded_stride(self.isa, range.len()));
            let mut products = Buffer::take([rows, width]);
            if let Some(row) = &single {
                multiply_row(self.isa, row, packed, stride, &mut products);
            } else {
                let left = Left::rows(&left[first * depth..], depth);
                let right = Right::Padded { data: packed, stride };
                multiply(self.isa, left, right, rows, width, depth, &mut products, width, false);
            }
            for (row, products) in products.chunks_exact(width).enumerate() {
                // SAFETY: each task has rows or columns that no other one has.
                let to = unsafe { output.part((first + row) * columns + range.start, width) };
                finish(range.clone(), products, to);
            }
        };
        let tasks = rows.div_ceil(part) * self.runs.len();
        if rows.saturating_mul(depth).saturating_mul(columns) < SMALL {
            (0..tasks).for_each(run);
        } else {
            for_each_task(tasks, run);
        }
    }
}
