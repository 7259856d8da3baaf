//! Right-hand matrices in orders in which the register tile reads them.

use rayon::prelude::*;

use super::transpose;
use crate::buffer::{Buffer, LINE};
use crate::isa::{Isa, simd};
use crate::tasks::Tasks;

/// Panels that a task packs.
const PANELS: usize = 16;

/// Memory for a packed matrix of `depth` rows and `columns` columns.
fn take_packed(isa: Isa, depth: usize, columns: usize) -> Buffer {
    Buffer::take([columns.div_ceil(isa.panel()), isa.panel(), depth])
}

/// Packs the matrix whose element in row `k` and column `n` is `value(k, n)`.
///
/// A panel holds `PANEL` columns, row after row; panels follow one another. Missing columns are zero.
pub(crate) fn pack(isa: Isa, depth: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Buffer {
    let width = isa.panel();
    let mut packed = take_packed(isa, depth, columns);
    for (panel, rows) in packed.chunks_exact_mut((width * depth).max(1)).enumerate() {
        for (k, row) in rows.chunks_exact_mut(width).enumerate() {
            for (j, element) in row.iter_mut().enumerate() {
                let n = panel * width + j;
                *element = if n < columns { value(k, n) } else { 0.0 };
            }
        }
    }
    packed
}

/// [`pack`] of a row-major matrix with this many columns, by all threads.
pub(crate) fn pack_matrix(isa: Isa, data: &[f32], columns: usize) -> Buffer {
    let (width, depth) = (isa.panel(), data.len() / columns);
    let mut packed = take_packed(isa, depth, columns);
    let panel = width * depth;
    let runs = packed.par_chunks_mut(panel.saturating_mul(PANELS)).enumerate();
    runs.for_each_task(|(run, panels)| {
        for (index, rows) in panels.chunks_exact_mut(panel).enumerate() {
            let first = (run * PANELS + index) * width;
            for (row, from) in rows.chunks_exact_mut(width).zip(data.chunks_exact(columns)) {
                let from = &from[first..(first + width).min(columns)];
                let (to, missing) = row.split_at_mut(from.len());
                to.copy_from_slice(from);
                missing.fill(0.0);
            }
        }
    });
    packed
}

/// [`pack`] of the transpose of a row-major matrix whose rows are `depth` floats long.
pub(crate) fn pack_transposed(isa: Isa, data: &[f32], depth: usize) -> Buffer {
    let mut packed = take_packed(isa, depth, data.len() / depth);
    transpose_panels(isa, data, depth, &mut packed);
    packed
}

simd! {
    fn transpose_panels<V>(data: &[f32], depth: usize, packed: &mut [f32]) {
        let panels = packed.chunks_exact_mut(V::PANEL * depth);
        for (rows, panel) in data.chunks(V::PANEL * depth).zip(panels) {
            let count = rows.len() / depth;
            if count < V::PANEL {
                panel.fill(0.0);
            }
            transpose::<V>(rows, depth, count, depth, panel, |k| k * V::PANEL);
        }
    }
}

/// Floats from row to row of [`pack_padded`]: whole panels, and an odd number of cache lines, so that the rows of a panel
/// do not all fall into the same few places of a cache.
pub(crate) fn padded_stride(isa: Isa, columns: usize) -> usize {
    let lines = columns.next_multiple_of(isa.panel()).div_ceil(LINE);
    (lines | 1) * LINE
}

/// The matrix whose element in row `k` and column `n` is `value(k, n)`, row after row, [`padded_stride`] floats apart.
pub(crate) fn pack_padded(isa: Isa, depth: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Buffer {
    let stride = padded_stride(isa, columns);
    let mut packed = Buffer::take([depth, stride]);
    for (k, row) in packed.chunks_exact_mut(stride).enumerate() {
        for (n, element) in row.iter_mut().enumerate() {
            *element = if n < columns { value(k, n) } else { 0.0 };
        }
    }
    packed
}
