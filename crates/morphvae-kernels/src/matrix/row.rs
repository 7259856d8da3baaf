//! The product of a single row with a matrix: bound by reading the matrix, so what a zero would be multiplied with is
//! not read. After a ReLU about half of a row is zero.

use crate::isa::{Isa, Vector, simd};

/// Registers of sums, as many as every instruction set has and to spare.
const SUMS: usize = 8;

/// The elements of a row that are not zero, and where they are.
pub(crate) fn nonzero(row: &[f32]) -> Vec<(usize, f32)> {
    let elements = row.iter().copied().enumerate();
    elements.filter(|(_, value)| *value != 0.0).collect()
}

/// `output = row * right`, with the row as [`nonzero`] gives it and the rows of `right` `stride` floats apart.
pub(crate) fn multiply_row(isa: Isa, row: &[(usize, f32)], right: &[f32], stride: usize, output: &mut [f32]) {
    assert!(stride >= output.len(), "the matrix is as wide as the output");
    columns(isa, row, right, stride, output);
}

simd! {
    fn columns<V>(row: &[(usize, f32)], right: &[f32], stride: usize, output: &mut [f32]) {
        let width = SUMS * V::LANES;
        for (index, output) in output.chunks_mut(width).enumerate() {
            let right = &right[index * width..];
            if output.len() == width {
                sums::<V, true>(row, right, stride, output);
            } else {
                sums::<V, false>(row, right, stride, output);
            }
        }
    }
}

/// The products of some columns; with `ALL` there are as many as there are sums.
#[inline(always)]
fn sums<V: Vector, const ALL: bool>(row: &[(usize, f32)], right: &[f32], stride: usize, output: &mut [f32]) {
    let width = if ALL { SUMS * V::LANES } else { output.len() };
    let mut sums = [V::splat(0.0); SUMS];
    for &(k, value) in row {
        let value = V::splat(value);
        let columns = &right[k * stride..][..width];
        for (sum, columns) in sums.iter_mut().zip(columns.chunks(V::LANES)) {
            *sum = value.multiply_add(V::load_lanes::<ALL>(columns), *sum);
        }
    }
    for (sum, output) in sums.into_iter().zip(output.chunks_mut(V::LANES)) {
        sum.store_lanes::<ALL>(output);
    }
}
