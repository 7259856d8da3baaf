//! Filters in the transformed space, and their gradients back.

use rayon::prelude::*;

use super::scheme::{self, TAPS, phases};
use super::{POSITIONS, Scheme, spaced};
use crate::buffer::Buffer;
use crate::disjoint::Disjoint;
use crate::isa::{Isa, simd};

/// Rows of the packed matrices, or filters along the outer dimension of the weight, that one task works on.
const ROWS: usize = 16;

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
    let product_stride = spaced(panels * width * filters.depth);
    let mut packed = Buffer::take(S::PRODUCTS * product_stride);
    let parts = Disjoint::new(&mut packed);
    let blocks = filters.depth.div_ceil(ROWS);
    (0..panels * blocks).into_par_iter().for_each(|task| {
        let first = task % blocks * ROWS;
        let rows = first..(first + ROWS).min(filters.depth);
        pack_panel::<S>(isa, weight, filters, task / blocks, rows, &parts, product_stride);
    });
    packed
}

simd! {
    /// Some rows of one panel of the matrix of each product.
    fn pack_panel<V, S: Scheme>(
        weight: &[f32],
        filters: Filters,
        panel: usize,
        rows: std::ops::Range<usize>,
        packed: &Disjoint<'_>,
        product_stride: usize,
    ) {
        let Filters { depth, columns, depth_stride, column_stride } = filters;
        let taps = S::WEIGHT_TAPS * S::WEIGHT_TAPS;
        for k in rows {
            for lane in (0..V::PANEL).step_by(V::LANES) {
                let first = panel * V::PANEL + lane;
                // As many vectors as the larger weight has taps.
                let mut gathered = [[0.0f32; 16]; 16];
                for n in first..(first + V::LANES).min(columns) {
                    let filter = &weight[k * depth_stride + n * column_stride..][..taps];
                    for (lanes, tap) in gathered.iter_mut().zip(filter) {
                        lanes[n - first] = *tap;
                    }
                }
                for (phase_y, phase_x) in phases::<S>() {
                    let mut lines = [[V::splat(0.0); POSITIONS]; TAPS];
                    for (i, line) in lines.iter_mut().enumerate() {
                        let Some(row) = S::weight_tap(phase_y, i) else { continue };
                        let mut values = [V::splat(0.0); TAPS];
                        for (j, value) in values.iter_mut().enumerate() {
                            if let Some(column) = S::weight_tap(phase_x, j) {
                                *value = V::load(&gathered[row * S::WEIGHT_TAPS + column]);
                            }
                        }
                        *line = scheme::filter(values);
                    }
                    for j in 0..POSITIONS {
                        let column = scheme::filter([lines[0][j], lines[1][j], lines[2][j]]);
                        for (i, value) in column.into_iter().enumerate() {
                            let Some(product) = S::product((phase_y, phase_x), i, j) else { continue };
                            let at = product * product_stride + (panel * depth + k) * V::PANEL + lane;
                            // SAFETY: concurrent calls have other panels or rows.
                            value.store(unsafe { packed.part(at, V::LANES) });
                        }
                    }
                }
            }
        }
    }
}

/// The gradient of the weights from the gradients `[depth, columns]` of the products' filters.
pub(crate) fn filter_gradient<S: Scheme>(isa: Isa, transformed: &[f32], filters: Filters, weight: &mut [f32]) {
    let parts = Disjoint::new(weight);
    // The dimension with the larger stride is the outer one of the tensor: each task writes one run of memory.
    let by_columns = filters.column_stride > filters.depth_stride;
    let outer = if by_columns { filters.columns } else { filters.depth };
    (0..outer.div_ceil(ROWS)).into_par_iter().for_each(|task| {
        let range = task * ROWS..((task + 1) * ROWS).min(outer);
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
        let taps = S::WEIGHT_TAPS * S::WEIGHT_TAPS;
        let product_stride = transformed.len() / S::PRODUCTS;
        for k in depth {
            for first in columns.clone().step_by(V::LANES) {
                let mut scattered = [[0.0f32; 16]; 16];
                for (phase_y, phase_x) in phases::<S>() {
                    let mut lines = [[V::splat(0.0); TAPS]; POSITIONS];
                    for (i, line) in lines.iter_mut().enumerate() {
                        let mut values = [V::splat(0.0); POSITIONS];
                        for (j, value) in values.iter_mut().enumerate() {
                            if let Some(product) = S::product((phase_y, phase_x), i, j) {
                                let row = product * product_stride + k * filters.columns;
                                *value = V::load(&transformed[row + first..row + filters.columns]);
                            }
                        }
                        *line = scheme::filter_transposed(values);
                    }
                    for j in 0..TAPS {
                        let Some(column) = S::weight_tap(phase_x, j) else { continue };
                        let [l0, l1, l2, l3, l4, l5] = lines;
                        let values = scheme::filter_transposed([l0[j], l1[j], l2[j], l3[j], l4[j], l5[j]]);
                        for (i, value) in values.into_iter().enumerate() {
                            if let Some(row) = S::weight_tap(phase_y, i) {
                                value.store(&mut scattered[row * S::WEIGHT_TAPS + column]);
                            }
                        }
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
