//! The product of a single row with a packed matrix: bound by reading the matrix, so what a zero would be multiplied
//! with is not read. After a ReLU about half of a row is zero.

use super::packed_length;
use crate::isa::{Isa, simd};

/// Registers that a panel can take on any instruction set.
const REGISTERS: usize = 4;

/// The elements of a row that are not zero, and where they are.
pub(crate) fn nonzero(row: &[f32]) -> Vec<(usize, f32)> {
    let elements = row.iter().copied().enumerate();
    elements.filter(|(_, value)| *value != 0.0).collect()
}

/// `output = row * right`, with the row as [`nonzero`] gives it and `right` `depth` x `output.len()` as
/// [`super::pack`] leaves it.
pub(crate) fn multiply_row(isa: Isa, row: &[(usize, f32)], right: &[f32], depth: usize, output: &mut [f32]) {
    assert!(
        right.len() >= packed_length(isa, depth, output.len()),
        "packed matrix too short"
    );
    assert!(
        row.iter().all(|(k, _)| *k < depth),
        "the row is longer than the matrix is deep"
    );
    panels(isa, row, right, depth, output);
}

simd! {
    fn panels<V>(row: &[(usize, f32)], right: &[f32], depth: usize, output: &mut [f32]) {
        for (panel, output) in output.chunks_mut(V::PANEL).enumerate() {
            let right = &right[panel * depth * V::PANEL..][..depth * V::PANEL];
            let mut sums = [V::splat(0.0); REGISTERS];
            for &(k, value) in row {
                let columns = &right[k * V::PANEL..][..V::PANEL];
                let value = V::splat(value);
                for (sum, columns) in sums.iter_mut().zip(columns.chunks_exact(V::LANES)) {
                    *sum = value.multiply_add(V::load(columns), *sum);
                }
            }
            for (sum, output) in sums.into_iter().zip(output.chunks_mut(V::LANES)) {
                sum.store(output);
            }
        }
    }
}
