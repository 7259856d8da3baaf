//! Small dense matrices, row after row, and symmetric systems of equations made of blocks of them.

/// Replaces the lower triangle of a symmetric positive matrix, `[size, size]`, by its Cholesky factor; `false` when it
/// is not positive.
pub(super) fn cholesky(matrix: &mut [f64], size: usize) -> bool {
    for column in 0..size {
        for row in column..size {
            let [above, left] = [column * size, row * size];
            let known: f64 = (0..column).map(|k| matrix[left + k] * matrix[above + k]).sum();
            let rest = matrix[left + column] - known;
            if row > column {
                matrix[left + column] = rest / matrix[above + column];
            } else if rest > 0.0 && rest.is_finite() {
                matrix[left + column] = rest.sqrt();
            } else {
                return false;
            }
        }
    }
    true
}

/// A symmetric matrix of `[size, size]` blocks that are zero away from the diagonal and its two neighbours.
#[derive(Clone, Debug)]
pub(super) struct BlockTridiagonal {
    pub(super) size: usize,
    /// The blocks on the diagonal.
    pub(super) diagonal: Vec<Vec<f64>>,
    /// The block at the right of each but the last; below the diagonal lie their transposes.
    pub(super) right: Vec<Vec<f64>>,
}

impl BlockTridiagonal {
    /// The mean of the diagonal's numbers.
    pub(super) fn scale(&self) -> f64 {
        let diagonal = self
            .diagonal
            .iter()
            .flat_map(|block| block.iter().step_by(self.size + 1));
        diagonal.sum::<f64>() / (self.diagonal.len() * self.size).max(1) as f64
    }

    /// What the matrix, with `damping` added on its diagonal, makes `values` of: `[blocks, size]`. Nothing when it is not
    /// positive.
    pub(super) fn solve(&self, damping: f64, values: &[f64]) -> Option<Vec<f64>> {
        let size = self.size;
        let mut factors: Vec<Vec<f64>> = Vec::with_capacity(self.diagonal.len());
        // What the factor of each block makes of the block at its right, columns as rows.
        let mut couplings: Vec<Vec<f64>> = Vec::with_capacity(self.right.len());
        let mut solution = values.to_vec();
        for (index, block) in self.diagonal.iter().enumerate() {
            let mut factor = block.clone();
            factor.iter_mut().step_by(size + 1).for_each(|value| *value += damping);
            let (before, here) = solution.split_at_mut(index * size);
            let here = &mut here[..size];
            if let Some(coupling) = couplings.last() {
                let known = &before[(index - 1) * size..];
                for (row, entries) in coupling.chunks_exact(size).enumerate() {
                    here[row] -= product(entries, known);
                    for (column, others) in coupling.chunks_exact(size).enumerate().take(row + 1) {
                        factor[row * size + column] -= product(entries, others);
                    }
                }
            }
            if !cholesky(&mut factor, size) {
                return None;
            }
            forward(&factor, here);
            if let Some(right) = self.right.get(index) {
                let mut coupling = transposed(right, size);
                coupling
                    .chunks_exact_mut(size)
                    .for_each(|column| forward(&factor, column));
                couplings.push(coupling);
            }
            factors.push(factor);
        }
        for index in (0..factors.len()).rev() {
            let (here, after) = solution.split_at_mut((index + 1) * size);
            let here = &mut here[index * size..];
            if let Some(coupling) = couplings.get(index) {
                for (column, known) in coupling.chunks_exact(size).zip(&after[..size]) {
                    for (value, entry) in here.iter_mut().zip(column) {
                        *value -= entry * known;
                    }
                }
            }
            backward(&factors[index], here);
        }
        Some(solution)
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn transposed(block: &[f64], size: usize) -> Vec<f64> {
    (0..size * size)
        .map(|index| block[index % size * size + index / size])
        .collect()
}

/// Solves `L x = values` in place, `L` being the lower triangle of `factor`.
pub(super) fn forward(factor: &[f64], values: &mut [f64]) {
    let size = values.len();
    for row in 0..size {
        let entries = &factor[row * size..][..size];
        values[row] = (values[row] - product(&entries[..row], &values[..row])) / entries[row];
    }
}

/// Solves `Lᵀ x = values` in place, likewise.
pub(super) fn backward(factor: &[f64], values: &mut [f64]) {
    let size = values.len();
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size)
            .map(|below| factor[below * size + row] * values[below])
            .sum();
        values[row] = (values[row] - known) / factor[row * size + row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_solution_times_the_matrix_is_what_it_was_solved_for(
            entries in prop::collection::vec(-1.0_f64..1.0, 5 * 18),
            values in prop::collection::vec(-1.0_f64..1.0, 15),
        ) {
            let (size, blocks) = (3, 5);
            // Larger on the diagonal than all besides it in a row: positive.
            let symmetric = |block: &[f64]| -> Vec<f64> {
                (0..9).map(|index| block[index] + block[index % 3 * 3 + index / 3]
                    + if index % 4 == 0 { 14.0 } else { 0.0 }).collect()
            };
            let matrix = BlockTridiagonal {
                size,
                diagonal: entries.chunks(18).map(|both| symmetric(&both[..9])).collect(),
                right: entries.chunks(18).take(blocks - 1).map(|both| both[9..].to_vec()).collect(),
            };
            let solution = matrix.solve(0.5, &values).unwrap();
            let entry = |row: usize, column: usize| match (row / size, column / size) {
                (i, j) if i == j => matrix.diagonal[i][row % size * size + column % size],
                (i, j) if i + 1 == j => matrix.right[i][row % size * size + column % size],
                (i, j) if j + 1 == i => matrix.right[j][column % size * size + row % size],
                _ => 0.0,
            };
            for row in 0..15 {
                let product: f64 = (0..15).map(|column| entry(row, column) * solution[column]).sum();
                prop_assert!((product + 0.5 * solution[row] - values[row]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_is_not_positive_is_refused() {
        let matrix = BlockTridiagonal {
            size: 1,
            diagonal: vec![vec![1.0], vec![1.0]],
            right: vec![vec![2.0]],
        };
        assert_eq!(matrix.solve(0.0, &[1.0, 1.0]), None);
        assert!(matrix.solve(2.0, &[1.0, 1.0]).is_some());
    }
}
