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

/// Floats from the beginning of the first to the end of the last of `count` runs, `width` floats each, that begin `stride`
/// floats apart; `None` if they are more than can be counted.
fn extent(count: usize, stride: usize, width: usize) -> Option<usize> {
    (count - 1).checked_mul(stride)?.checked_add(width)
}

/// Whether a slice is as long as that.
fn is_held(extent: Option<usize>, data: &[f32]) -> bool {
    extent.is_some_and(|extent| extent <= data.len())
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
        let left_row = extent(depth, left.depth_stride, 1);
        let left_rows = left_row.and_then(|row| extent(rows, left.row_stride, row));
        assert!(is_held(left_rows, left.data), "left matrix too short");
        assert!(is_held(extent(rows, output_stride, columns), output) && output_stride >= columns, "output too short");
        // `columns` is less than the length of a slice by now, so that this does not wrap around.
        let panels = columns.div_ceil(V::PANEL);
        let width = panels * V::PANEL;
        let is_padded = |data: &[f32], stride: usize| is_held(extent(depth, stride, width), data) && stride >= width;
        match right {
            Right::Packed(data) => assert!(is_held(extent(depth, width, width), data), "packed matrix too short"),
            Right::Rows { data, stride } => {
                assert!(is_held(extent(depth, stride, columns), data) && stride >= columns, "right matrix too short");
            }
            Right::Padded { data, stride } => assert!(is_padded(data, stride), "padded matrix too short"),
        }
        // Rows of whole panels are read where they lie if no panel is read twice.
        let right = match right {
            Right::Rows { data, stride } if rows <= V::ROWS && is_padded(data, stride) => Right::Padded { data, stride },
            right => right,
        };
        let block = depth.min(DEPTH);
        let strips_needed = left.depth_stride != 1;
        let mut right_block = Buffer::take(if matches!(right, Right::Rows { .. }) { [width, block] } else { [0, 0] });
        let mut left_block = Buffer::take([if strips_needed { ROWS.next_multiple_of(V::ROWS) * block + 16 } else { 0 }]);
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use proptest::prelude::*;

    use super::*;
    use crate::isa::Isa;
    use crate::matrix::{pack, pack_padded, padded_stride};

    /// Small sizes and strides, and such whose products wrap around to small ones.
    fn size() -> impl Strategy<Value = usize> {
        prop_oneof![
            12 => 0usize..20,
            2 => (usize::BITS - 8..usize::BITS, 0usize..5).prop_map(|(power, more)| (1 << power) + more),
            1 => any::<usize>(),
        ]
    }

    /// Whether `count` runs of `width` floats, `stride` floats apart, end within `length` floats.
    fn fits(length: usize, count: usize, stride: usize, width: usize) -> bool {
        let last = (count as u128 - 1).saturating_mul(stride as u128);
        last.saturating_add(width as u128) <= length as u128
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// A product of matrices that their slices do not hold is refused; every other is right.
        #[test]
        fn a_product_stays_within_its_slices(
            (rows, columns, depth) in (size(), size(), size()),
            strides in (size(), prop_oneof![2 => Just(1usize), 1 => size()], size(), size()),
            transposed in any::<bool>(),
            lengths in prop::array::uniform3(0usize..700),
            packing in 0..3,
        ) {
            let (row_stride, depth_stride, right_stride, output_stride) = strides;
            let (row_stride, depth_stride) =
                if transposed { (depth_stride, row_stride) } else { (row_stride, depth_stride) };
            let [left, right, mut output] =
                lengths.map(|length| (0..length).map(|index| (index % 7) as f32).collect::<Vec<_>>());
            for isa in Isa::available() {
                let width = columns.checked_next_multiple_of(isa.panel()).unwrap_or(usize::MAX);
                let (right_matrix, right_stride, right_columns) = match packing {
                    0 => (Right::rows(&right, right_stride), right_stride, columns),
                    1 => (Right::Padded { data: &right, stride: right_stride }, right_stride, width),
                    _ => (Right::Packed(&right), width, width),
                };
                let is_empty = rows == 0 || columns == 0 || depth == 0;
                let is_held = is_empty
                    || fits(left.len(), rows, row_stride, 1) && fits(left.len(), depth, depth_stride, 1)
                        && fits(left.len() - (rows - 1) * row_stride, depth, depth_stride, 1)
                        && fits(output.len(), rows, output_stride, columns) && output_stride >= columns
                        && fits(right.len(), depth, right_stride, right_columns) && right_stride >= right_columns;
                let left = Left { data: &left, row_stride, depth_stride };
                let found = catch_unwind(AssertUnwindSafe(|| {
                    multiply(isa, left, right_matrix, rows, columns, depth, &mut output, output_stride, false);
                }));
                prop_assert_eq!(found.is_ok(), is_held);
                if !is_held || is_empty {
                    continue;
                }
                for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    let right = |k: usize| match packing {
                        2 => right[(j / isa.panel() * depth + k) * isa.panel() + j % isa.panel()],
                        _ => right[k * right_stride + j],
                    };
                    let left = |k: usize| left.data[i * row_stride + k * depth_stride];
                    let expected: f32 = (0..depth).map(|k| left(k) * right(k)).sum();
                    prop_assert_eq!(output[i * output_stride + j], expected);
                }
            }
        }
    }

    #[test]
    fn packed_matrices_are_refused_where_their_lengths_would_wrap_around() {
        for isa in Isa::available() {
            let (depth, columns) = (usize::MAX / isa.panel() + 2, 1);
            assert!(catch_unwind(|| pack(isa, depth, columns, |_, _| 0.0)).is_err());
            let depth = usize::MAX / padded_stride(isa, columns) + 2;
            assert!(catch_unwind(|| pack_padded(isa, depth, columns, |_, _| 0.0)).is_err());
        }
    }
}
