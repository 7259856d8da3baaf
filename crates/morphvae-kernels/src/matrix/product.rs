//! The blocked matrix product behind every kernel.
//!
//! The classic scheme: a block of the right-hand matrix, in panels as wide as the register tile, stays in the first
//! and second cache while register tiles run down the rows of the left-hand one. A left-hand matrix with consecutive
//! elements in a row is read where it lies; any other is first copied into strips.

use crate::buffer::Buffer;
use crate::isa::{Tile, simd};

/// Depth of a block: a panel of it is as large as most of the first cache at the most, 32 KiB with AVX-512.
const DEPTH: usize = 256;
/// Rows of a block: with `DEPTH` it takes a quarter of the second cache.
const ROWS: usize = 96;

/// The left-hand matrix: element (i, k) is `data[i * row_stride + k * depth_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub data: &'a [f32],
    pub row_stride: usize,
    pub depth_stride: usize,
}

impl<'a> Left<'a> {
    /// Row-major, `stride` floats from row to row.
    pub fn rows(data: &'a [f32], stride: usize) -> Self {
        Self {
            data,
            row_stride: stride,
            depth_stride: 1,
        }
    }

    /// The transpose of a row-major matrix.
    pub fn columns(data: &'a [f32], stride: usize) -> Self {
        Self {
            data,
            row_stride: 1,
            depth_stride: stride,
        }
    }
}

/// The right-hand matrix.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a> {
    /// As [`super::pack`] leaves it.
    Packed(&'a [f32]),
    /// Row-major, `stride` floats from row to row.
    Rows { data: &'a [f32], stride: usize },
    /// The same with whole panels in each row, as [`super::pack_padded`] leaves it: read where it lies.
    Padded { data: &'a [f32], stride: usize },
}

impl<'a> Right<'a> {
    /// Row-major, `stride` floats from row to row.
    pub fn rows(data: &'a [f32], stride: usize) -> Self {
        Self::Rows { data, stride }
    }
}

simd! {
    /// `output = left * right`, or `output += left * right`; `left` is `rows` x `depth`, `right` `depth` x `columns`.
    ///
    /// Each element is summed over `depth` in the same order whatever block it falls into.
    pub(crate) fn multiply<V>(
        left: Left<'_>,
        right: Right<'_>,
        rows: usize,
        columns: usize,
        depth: usize,
        output: &mut [f32],
        output_stride: usize,
        accumulate: bool,
    ) {
        if rows == 0 || columns == 0 || depth == 0 {
            return;
        }
        let panels = columns.div_ceil(V::PANEL);
        assert!(left.data.len() > (rows - 1) * left.row_stride + (depth - 1) * left.depth_stride, "left matrix too short");
        assert!(output.len() >= (rows - 1) * output_stride + columns && output_stride >= columns, "output too short");
        let padded_length = |stride: usize| (depth - 1) * stride + panels * V::PANEL;
        match right {
            Right::Packed(data) => assert!(data.len() >= panels * V::PANEL * depth, "packed matrix too short"),
            Right::Rows { data, stride } => {
                assert!(data.len() >= (depth - 1) * stride + columns && stride >= columns, "right matrix too short");
            }
            Right::Padded { data, stride } => {
                assert!(data.len() >= padded_length(stride) && stride >= panels * V::PANEL, "padded matrix too short");
            }
        }
        // Rows of whole panels are read where they lie if no panel is read twice.
        let right = match right {
            Right::Rows { data, stride }
                if rows <= V::ROWS && stride >= panels * V::PANEL && data.len() >= padded_length(stride) =>
            {
                Right::Padded { data, stride }
            }
            right => right,
        };
        let block = depth.min(DEPTH);
        let strips_needed = left.depth_stride != 1;
        let mut right_block = Buffer::take(if matches!(right, Right::Rows { .. }) { panels * V::PANEL * block } else { 0 });
        let mut left_block = Buffer::take(if strips_needed { ROWS.next_multiple_of(V::ROWS) * block + 16 } else { 0 });
        let mut edge = [0.0f32; 12 * 32];

        for start in (0..depth).step_by(DEPTH) {
            let depth_here = (depth - start).min(DEPTH);
            let accumulate = accumulate || start > 0;
            let (right_panels, panel_stride, right_stride) = match right {
                Right::Packed(data) => (&data[start * V::PANEL..], depth * V::PANEL, V::PANEL),
                Right::Padded { data, stride } => (&data[start * stride..], V::PANEL, stride),
                Right::Rows { data, stride } => {
                    pack_rows::<V>(&data[start * stride..], stride, depth_here, columns, &mut right_block);
                    (&right_block[..], depth_here * V::PANEL, V::PANEL)
                }
            };
            for first in (0..rows).step_by(ROWS.next_multiple_of(V::ROWS)) {
                let rows_here = (rows - first).min(ROWS.next_multiple_of(V::ROWS));
                let offset = first * left.row_stride + start * left.depth_stride;
                if strips_needed {
                    pack_strips::<V>(&left.data[offset..], left, rows_here, depth_here, &mut left_block);
                }
                for panel in 0..panels {
                    let columns_here = (columns - panel * V::PANEL).min(V::PANEL);
                    let right = &right_panels[panel * panel_stride..][..(depth_here - 1) * right_stride + V::PANEL];
                    for row in (0..rows_here).step_by(V::ROWS) {
                        let tile_rows = (rows_here - row).min(V::ROWS);
                        let (left, row_stride, depth_stride) = if strips_needed {
                            (left_block[row * depth_here..].as_ptr(), 1, V::ROWS)
                        } else {
                            (left.data[offset + row * left.row_stride..].as_ptr(), left.row_stride, 1)
                        };
                        let at = (first + row) * output_stride + panel * V::PANEL;
                        let tile = Tile {
                            depth: depth_here,
                            left,
                            row_stride,
                            depth_stride,
                            right: right.as_ptr(),
                            right_stride,
                            output: output[at..].as_mut_ptr(),
                            output_stride,
                            accumulate,
                        };
                        if columns_here == V::PANEL {
                            // SAFETY: `left` and `output` were checked to hold all rows and columns, and this tile
                            // lies inside both; `right` holds PANEL floats in each of its rows.
                            unsafe { V::tile(tile_rows, tile) };
                        } else {
                            let edge_tile = Tile {
                                output: edge.as_mut_ptr(),
                                output_stride: V::PANEL,
                                accumulate: false,
                                ..tile
                            };
                            // SAFETY: as above, and `edge` has room for the largest register tile, 12 x 32.
                            unsafe { V::tile(tile_rows, edge_tile) };
                            for (i, sums) in edge.chunks_exact(V::PANEL).take(tile_rows).enumerate() {
                                let to = &mut output[at + i * output_stride..][..columns_here];
                                for (value, sum) in to.iter_mut().zip(sums) {
                                    *value = if accumulate { *value + sum } else { *sum };
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Copies `depth` rows of a row-major matrix into panels.
#[inline(always)]
fn pack_rows<V: crate::isa::Vector>(data: &[f32], stride: usize, depth: usize, columns: usize, packed: &mut [f32]) {
    for k in 0..depth {
        let row = &data[k * stride..][..columns];
        for (panel, from) in row.chunks(V::PANEL).enumerate() {
            let to = &mut packed[(panel * depth + k) * V::PANEL..][..V::PANEL];
            for lane in (0..V::PANEL).step_by(V::LANES) {
                V::load(from.get(lane..).unwrap_or(&[])).store(&mut to[lane..]);
            }
        }
    }
}

/// Copies a matrix whose columns are consecutive into strips of `V::ROWS` rows, depth after depth.
///
/// A strip's columns are copied a whole vector at a time; what is written too much is overwritten by the next column.
#[inline(always)]
fn pack_strips<V: crate::isa::Vector>(data: &[f32], left: Left<'_>, rows: usize, depth: usize, packed: &mut [f32]) {
    for first in (0..rows).step_by(V::ROWS) {
        let strip = &mut packed[first * depth..];
        for k in 0..depth {
            let from = &data[first * left.row_stride + k * left.depth_stride..];
            let to = &mut strip[k * V::ROWS..];
            if left.row_stride == 1 {
                let mut lane = 0;
                while lane < V::ROWS {
                    V::load(&from[lane.min(from.len())..]).store(&mut to[lane..]);
                    lane += V::LANES;
                }
            } else {
                for i in 0..(rows - first).min(V::ROWS) {
                    to[i] = from[i * left.row_stride];
                }
            }
        }
    }
}
