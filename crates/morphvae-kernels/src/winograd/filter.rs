//! Filters in the transformed space, and their gradients back.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over an index alone are unrolled, which keeps the vectors in registers; iterators over arrays of \
              vectors leave them in memory"
)]

use std::ops::Range;

use rayon::prelude::*;

use super::scheme::{Filtering, MOST, TAPS, each_phase};
use super::{Scheme, aligned};
use crate::buffer::{Buffer, LINE};
use crate::disjoint::{Disjoint, Runs};
use crate::isa::{Isa, Vector, simd};
use crate::matrix::transpose;
use crate::tasks::Tasks;

/// Rows of a packed panel that one task makes: few enough for their taps to stay in the first cache, enough for each
/// matrix to be written in runs of a kilobyte.
const ROWS: usize = 8;
/// Filters whose gradients one task makes.
const FILTERS: usize = 1024;

/// How a weight tensor is read as a matrix of filters with `depth` rows and `columns` columns.
///
/// Filter (k, n) starts at `k * depth_stride + n * column_stride` and holds its taps row after row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filters {
    pub depth: usize,
    pub columns: usize,
    pub depth_stride: usize,
    pub column_stride: usize,
}

impl Filters {
    /// The same filters with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            depth: self.columns,
            columns: self.depth,
            depth_stride: self.column_stride,
            column_stride: self.depth_stride,
        }
    }
}

/// Transforms the filters and packs the matrix `[depth, columns]` of each product, equally far apart.
pub(crate) fn pack_filters<S: Scheme>(isa: Isa, weight: &[f32], filters: Filters) -> Buffer {
    let width = isa.panel();
    let panels = filters.columns.div_ceil(width);
    let stride = aligned(panels * width * filters.depth);
    let mut packed = Buffer::take([S::PRODUCTS, stride]);
    let parts = Disjoint::new(&mut packed);
    let blocks = filters.depth.div_ceil(ROWS);
    (0..panels * blocks).into_par_iter().for_each_task(|task| {
        let (panel, first) = (task / blocks, task % blocks * ROWS);
        let rows = first..(first + ROWS).min(filters.depth);
        let columns = panel * width..((panel + 1) * width).min(filters.columns);
        let length = rows.len() * width;
        let mut taps = Buffer::take([S::WEIGHT_TAPS, S::WEIGHT_TAPS, length]);
        gather_taps::<S>(isa, weight, filters, rows, columns, width, &mut taps);
        // SAFETY: each task has rows of its own.
        let mut runs = unsafe { parts.runs((panel * filters.depth + first) * width, length, stride) };
        transform_taps::<S>(isa, &taps, &mut runs);
    });
    packed
}

simd! {
    /// The taps of some filters as matrices `[rows, width]`, one tap after the other, with zeros for missing columns.
    ///
    /// The filters lie in short runs far apart, which no processor foresees: those of the next rows are fetched meanwhile.
    fn gather_taps<V, S: Scheme>(
        weight: &[f32],
        filters: Filters,
        rows: Range<usize>,
        columns: Range<usize>,
        width: usize,
        taps: &mut [f32],
    ) {
        let count = S::WEIGHT_TAPS * S::WEIGHT_TAPS;
        let length = rows.len() * width;
        if columns.len() < width {
            taps.fill(0.0);
        }
        let first = |row: usize| &weight[row * filters.depth_stride + columns.start * filters.column_stride..];
        if filters.depth_stride == count {
            // The filters of a column lie one after the other.
            if rows.end < filters.depth {
                for next in first(rows.end).chunks(filters.column_stride).take(columns.len()) {
                    fetch_run::<V>(next, rows.len() * count);
                }
            }
            let at = |line: usize| line % count * length + line / count * width;
            transpose::<V>(first(rows.start), filters.column_stride, columns.len(), rows.len() * count, taps, at);
        } else {
            for next in rows.end..(rows.end + rows.len()).min(filters.depth) {
                fetch_run::<V>(first(next), columns.len() * count);
            }
            for (row, k) in rows.enumerate() {
                let at = |tap: usize| tap * length + row * width;
                transpose::<V>(first(k), filters.column_stride, columns.len(), count, taps, at);
            }
        }
    }
}

/// Has the first floats of a run brought near.
#[inline(always)]
fn fetch_run<V: Vector>(run: &[f32], length: usize) {
    run.chunks(LINE).take(length / LINE + 1).for_each(V::fetch);
}

simd! {
    /// Transforms matrices of taps into as many floats of each product's matrix.
    fn transform_taps<V, S: Scheme>(taps: &[f32], packed: &mut Runs<'_>) {
        each_phase!(S, transform_phase::<V, S>(taps, packed));
    }
}

/// A few matrices at a time, for a processor foresees only so many runs of memory.
#[inline(always)]
fn transform_phase<V: Vector, S: Scheme, const Y: usize, const X: usize>(taps: &[f32], packed: &mut Runs<'_>) {
    let length = taps.len() / (S::WEIGHT_TAPS * S::WEIGHT_TAPS);
    for i in Y..Y + S::USED {
        for offset in (0..length).step_by(V::LANES) {
            let mut line = [V::splat(0.0); TAPS];
            for b in 0..TAPS {
                for a in 0..TAPS {
                    if let (Some(row), Some(column)) = (S::weight_tap(Y, a), S::weight_tap(X, b)) {
                        let tap = V::load(&taps[(row * S::WEIGHT_TAPS + column) * length + offset..]);
                        line[b] = tap.multiply_add(V::splat(S::Filtering::FILTER[i][a]), line[b]);
                    }
                }
            }
            let values = S::Filtering::filter(line);
            for j in 0..S::Filtering::POSITIONS {
                if let Some(product) = S::product((Y, X), i, j) {
                    values[j].store(packed.part(product, offset..offset + V::LANES));
                }
            }
        }
    }
}

/// The gradient of the weights from the gradients `[depth, columns]` of the products' filters.
///
/// The rows must be the outer dimension of the weight tensor.
pub(crate) fn filter_gradient<S: Scheme>(isa: Isa, transformed: &[f32], filters: Filters, weight: &mut [f32]) {
    let rows = (FILTERS / filters.columns).max(1);
    weight
        .par_chunks_mut(rows * filters.depth_stride)
        .enumerate()
        .for_each_task(|(task, weight)| {
            let count = weight.len() / filters.depth_stride * filters.columns;
            let length = aligned(count);
            let mut taps = Buffer::take([S::WEIGHT_TAPS, S::WEIGHT_TAPS, length]);
            restore_taps::<S>(isa, transformed, task * rows * filters.columns, count, &mut taps);
            scatter_taps::<S>(isa, &taps, length, count, weight);
        });
}

simd! {
    /// Matrices of taps, `length` floats apart, as `count` filters.
    fn scatter_taps<V, S: Scheme>(taps: &[f32], length: usize, count: usize, weight: &mut [f32]) {
        let taps_of_filter = S::WEIGHT_TAPS * S::WEIGHT_TAPS;
        transpose::<V>(taps, length, taps_of_filter, count, weight, |filter| filter * taps_of_filter);
    }
}

simd! {
    /// The transpose of [`transform_taps`]: the gradients of the taps of `count` filters.
    fn restore_taps<V, S: Scheme>(transformed: &[f32], at: usize, count: usize, taps: &mut [f32]) {
        let mut lines = Buffer::take([S::Filtering::POSITIONS, TAPS, aligned(count)]);
        each_phase!(S, restore_phase::<V, S>(transformed, at, count, &mut lines, taps));
    }
}

#[inline(always)]
fn restore_phase<V: Vector, S: Scheme, const Y: usize, const X: usize>(
    transformed: &[f32],
    at: usize,
    count: usize,
    lines: &mut [f32],
    taps: &mut [f32],
) {
    let (stride, length) = (transformed.len() / S::PRODUCTS, aligned(count));
    for i in Y..Y + S::USED {
        for offset in (0..count).step_by(V::LANES) {
            let mut line = [V::splat(0.0); MOST];
            for j in 0..S::Filtering::POSITIONS {
                if let Some(product) = S::product((Y, X), i, j) {
                    line[j] = V::load(&transformed[product * stride + at + offset..product * stride + at + count]);
                }
            }
            for (b, value) in S::Filtering::filter_transposed(line).into_iter().enumerate() {
                value.store(&mut lines[(i * TAPS + b) * length + offset..]);
            }
        }
    }
    for b in 0..TAPS {
        let Some(column) = S::weight_tap(X, b) else { continue };
        for offset in (0..count).step_by(V::LANES) {
            let mut line = [V::splat(0.0); MOST];
            for i in Y..Y + S::USED {
                line[i] = V::load(&lines[(i * TAPS + b) * length + offset..]);
            }
            let values = S::Filtering::filter_transposed(line);
            for a in 0..TAPS {
                if let Some(row) = S::weight_tap(Y, a) {
                    values[a].store(&mut taps[(row * S::WEIGHT_TAPS + column) * length + offset..]);
                }
            }
        }
    }
}
