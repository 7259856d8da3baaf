//! Filters in the transformed space, and their gradients back.

use rayon::prelude::*;

use super::{OUTPUTS, POSITIONS, PRODUCTS, Scheme};
use crate::buffer::Buffer;
use crate::disjoint::Disjoint;
use crate::isa::{Isa, simd};

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

/// Transforms the filters and packs each of the 36 matrices `[depth, columns]` for a product.
pub(crate) fn pack_filters<S: Scheme>(isa: Isa, weight: &[f32], filters: Filters) -> Buffer {
    let width = isa.panel();
    let panels = filters.columns.div_ceil(width);
    let product_stride = panels * width * filters.depth;
    let mut packed = Buffer::take(PRODUCTS * product_stride);
    let parts = Disjoint::new(&mut packed);
    (0..panels)
        .into_par_iter()
        .for_each(|panel| pack_panel::<S>(isa, weight, filters, panel, &parts, product_stride));
    packed
}

simd! {
    /// One panel of each of the 36 matrices.
    fn pack_panel<V, S: Scheme>(
        weight: &[f32],
        filters: Filters,
        panel: usize,
        packed: &Disjoint<'_>,
        product_stride: usize,
    ) {
        let Filters { depth, columns, depth_stride, column_stride } = filters;
        let taps = S::TAPS * S::TAPS;
        for k in 0..depth {
            for lane in (0..V::PANEL).step_by(V::LANES) {
                let first = panel * V::PANEL + lane;
                let mut gathered = [[0.0f32; 16]; OUTPUTS * OUTPUTS];
                for n in first..(first + V::LANES).min(columns) {
                    let filter = &weight[k * depth_stride + n * column_stride..][..taps];
                    for (lanes, tap) in gathered.iter_mut().zip(filter) {
                        lanes[n - first] = *tap;
                    }
                }
                let mut rows = [[V::splat(0.0); POSITIONS]; OUTPUTS];
                for i in 0..S::TAPS {
                    let mut line = [V::splat(0.0); OUTPUTS];
                    for j in 0..S::TAPS {
                        line[j] = V::load(&gathered[i * S::TAPS + j]);
                    }
                    rows[i] = S::filter(line);
                }
                for j in 0..POSITIONS {
                    let column = S::filter([rows[0][j], rows[1][j], rows[2][j], rows[3][j]]);
                    for i in 0..POSITIONS {
                        let at = (i * POSITIONS + j) * product_stride + (panel * depth + k) * V::PANEL + lane;
                        // SAFETY: concurrent calls have other panels.
                        column[i].store(unsafe { packed.part(at, V::LANES) });
                    }
                }
            }
        }
    }
}

/// The gradient of the weights from the 36 gradients `[depth, columns]` of the transformed filters.
pub(crate) fn filter_gradient<S: Scheme>(isa: Isa, transformed: &[f32], filters: Filters, weight: &mut [f32]) {
    let parts = Disjoint::new(weight);
    let block = 16;
    // The dimension with the larger stride is the outer one of the tensor: each task writes one run of memory.
    let by_columns = filters.column_stride > filters.depth_stride;
    let outer = if by_columns { filters.columns } else { filters.depth };
    (0..outer.div_ceil(block)).into_par_iter().for_each(|task| {
        let range = task * block..((task + 1) * block).min(outer);
        let (depth, columns) = if by_columns {
            (0..filters.depth, range)
        } else {
            (range, 0..filters.columns)
        };
        restore::<S>(isa, transformed, filters, depth, columns, &parts);
    });
}

simd! {
    /// The gradient of the filters of these rows and columns.
    fn restore<V, S: Scheme>(
        transformed: &[f32],
        filters: Filters,
        depth: std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
        weight: &Disjoint<'_>,
    ) {
        let taps = S::TAPS * S::TAPS;
        for k in depth {
            for first in columns.clone().step_by(V::LANES) {
                let mut rows = [[V::splat(0.0); OUTPUTS]; POSITIONS];
                for i in 0..POSITIONS {
                    let mut line = [V::splat(0.0); POSITIONS];
                    for j in 0..POSITIONS {
                        let row = &transformed[((i * POSITIONS + j) * filters.depth + k) * filters.columns..];
                        line[j] = V::load(&row[first..filters.columns]);
                    }
                    rows[i] = S::filter_transposed(line);
                }
                let mut scattered = [[0.0f32; 16]; OUTPUTS * OUTPUTS];
                for j in 0..S::TAPS {
                    let column =
                        S::filter_transposed([rows[0][j], rows[1][j], rows[2][j], rows[3][j], rows[4][j], rows[5][j]]);
                    for i in 0..S::TAPS {
                        column[i].store(&mut scattered[i * S::TAPS + j]);
                    }
                }
                for n in first..(first + V::LANES).min(columns.end) {
                    let at = k * filters.depth_stride + n * filters.column_stride;
                    // SAFETY: concurrent calls have other filters.
                    let filter = unsafe { weight.part(at, taps) };
                    for (tap, lanes) in filter.iter_mut().zip(&scattered) {
                        *tap = lanes[n - first];
                    }
                }
            }
        }
    }
}
