//! Products with a transposed right-hand matrix: `left * rightᵀ`, both read along their rows.
//!
//! Nothing is packed, so a weight matrix that is used for a few rows only is read once, in order.

use crate::isa::{Vector, simd};

/// Depth of a block: four right-hand rows of it take half of the first cache.
const DEPTH: usize = 1024;
/// Left-hand and right-hand rows whose products are summed in registers at once.
const LEFT: usize = 3;
const RIGHT: usize = 4;

simd! {
    /// `output[i, n] = sum over k of left[i, k] * right[n, k]`, with `depth` consecutive floats in the rows of both.
    pub(crate) fn multiply_by_rows<V>(
        left: &[f32],
        right: &[f32],
        depth: usize,
        output: &mut [f32],
        output_stride: usize,
    ) {
        let rows = left.len() / depth;
        let columns = right.len() / depth;
        for start in (0..depth).step_by(DEPTH) {
            let block = start..(start + DEPTH).min(depth);
            for n in (0..columns).step_by(RIGHT) {
                for i in (0..rows).step_by(LEFT) {
                    let left = &left[i * depth..];
                    let right = &right[n * depth..];
                    let output = &mut output[i * output_stride + n..];
                    let add = start > 0;
                    let block = block.clone();
                    match ((rows - i).min(LEFT), (columns - n).min(RIGHT)) {
                        (3, 4) => sums::<V, 3, 4>(left, right, depth, block, output, output_stride, add),
                        (2, 4) => sums::<V, 2, 4>(left, right, depth, block, output, output_stride, add),
                        (1, 4) => sums::<V, 1, 4>(left, right, depth, block, output, output_stride, add),
                        (left_rows, right_rows) => {
                            for i in 0..left_rows {
                                for n in 0..right_rows {
                                    let output = &mut output[i * output_stride + n..];
                                    let (left, right) = (&left[i * depth..], &right[n * depth..]);
                                    sums::<V, 1, 1>(left, right, depth, block.clone(), output, output_stride, add);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The products of `L` left-hand and `R` right-hand rows over a block of their depth.
#[inline(always)]
fn sums<V: Vector, const L: usize, const R: usize>(
    left: &[f32],
    right: &[f32],
    depth: usize,
    block: std::ops::Range<usize>,
    output: &mut [f32],
    output_stride: usize,
    accumulate: bool,
) {
    let mut left_rows = [&left[..0]; L];
    for (i, row) in left_rows.iter_mut().enumerate() {
        *row = &left[i * depth..][block.clone()];
    }
    let mut right_rows = [&right[..0]; R];
    for (n, row) in right_rows.iter_mut().enumerate() {
        *row = &right[n * depth..][block.clone()];
    }
    let length = block.len();
    let whole = length / V::LANES * V::LANES;
    let mut sums = [[V::splat(0.0); R]; L];
    let mut k = 0;
    while k < whole {
        let mut columns = [V::splat(0.0); R];
        for (column, row) in columns.iter_mut().zip(right_rows) {
            // SAFETY: k + LANES <= whole <= the length of every row.
            *column = unsafe { V::read(row.as_ptr().add(k)) };
        }
        for (sums, row) in sums.iter_mut().zip(left_rows) {
            // SAFETY: as above.
            let value = unsafe { V::read(row.as_ptr().add(k)) };
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum = value.multiply_add(column, *sum);
            }
        }
        k += V::LANES;
    }
    for (i, sums) in sums.iter().enumerate() {
        for (n, sum) in sums.iter().enumerate() {
            let mut total = *sum;
            if whole < length {
                total = V::load(&left_rows[i][whole..]).multiply_add(V::load(&right_rows[n][whole..]), total);
            }
            let to = &mut output[i * output_stride + n];
            *to = if accumulate { *to + total.sum() } else { total.sum() };
        }
    }
}
