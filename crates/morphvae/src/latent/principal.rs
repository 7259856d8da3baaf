//! Principal components: the directions in which points vary most.

/// The directions of largest variance of a set of points, in falling order.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// The points' mean, `[dimensions]`.
    pub mean: Vec<f64>,
    /// Unit vectors, `[dimensions][dimensions]`; the largest entry of each is positive.
    pub directions: Vec<Vec<f64>>,
    /// The share of the whole variance along each direction.
    pub shares: Vec<f64>,
}

impl PrincipalComponents {
    /// Of `points`, `[count, dimensions]`, by Jacobi's rotations of their covariance.
    #[must_use]
    pub fn of(points: &[f32], dimensions: usize) -> Self {
        let count = (points.len() / dimensions).max(1) as f64;
        let mut mean = vec![0.0; dimensions];
        for point in points.chunks_exact(dimensions) {
            for (sum, &value) in mean.iter_mut().zip(point) {
                *sum += f64::from(value) / count;
            }
        }
        let mut covariance = vec![vec![0.0; dimensions]; dimensions];
        for point in points.chunks_exact(dimensions) {
            let offset: Vec<f64> = point
                .iter()
                .zip(&mean)
                .map(|(&value, mean)| f64::from(value) - mean)
                .collect();
            for (row, &left) in covariance.iter_mut().zip(&offset) {
                for (sum, &right) in row.iter_mut().zip(&offset) {
                    *sum += left * right / count;
                }
            }
        }
        let (variances, mut directions) = eigen(covariance);
        directions.iter_mut().for_each(|direction| point_up(direction));

        let mut order: Vec<usize> = (0..dimensions).collect();
        order.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]));
        let whole = variances.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        Self {
            mean,
            shares: order.iter().map(|&index| variances[index].max(0.0) / whole).collect(),
            directions: order.iter().map(|&index| directions[index].clone()).collect(),
        }
    }

    /// Where a point lies along the first `D` directions, measured from the mean.
    #[must_use]
    pub fn project<const D: usize>(&self, point: &[f32]) -> [f64; D] {
        std::array::from_fn(|axis| {
            let offsets = point
                .iter()
                .zip(&self.mean)
                .map(|(&value, mean)| f64::from(value) - mean);
            offsets
                .zip(&self.directions[axis])
                .map(|(offset, along)| offset * along)
                .sum()
        })
    }
}

/// A direction and its opposite are the same to Jacobi; the one whose largest entry is positive is taken.
fn point_up(direction: &mut [f64]) {
    let largest = direction.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    if largest.is_some_and(|largest| largest < 0.0) {
        direction.iter_mut().for_each(|value| *value = -*value);
    }
}

/// Eigenvalues and eigenvectors of a symmetric matrix (Golub and Van Loan, Matrix Computations, section 8.5).
fn eigen(mut matrix: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = matrix.len();
    let mut vectors: Vec<Vec<f64>> = (0..size)
        .map(|row| (0..size).map(|column| f64::from(u8::from(row == column))).collect())
        .collect();
    let scale: f64 = matrix.iter().flatten().map(|value| value * value).sum();
    // Convergence is quadratic: a handful of sweeps is enough, and the limit only guards against rounding.
    for _ in 0..60 {
        let rest: f64 = (0..size)
            .flat_map(|row| (0..row).map(move |column| (row, column)))
            .map(|(row, column)| matrix[row][column].powi(2))
            .sum();
        if rest <= 1e-28 * scale {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, p, q);
            }
        }
    }
    ((0..size).map(|index| matrix[index][index]).collect(), vectors)
}

/// Makes the entry at `p`, `q` zero.
fn rotate(matrix: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    if matrix[p][q] == 0.0 {
        return;
    }
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let turn = |a: &mut f64, b: &mut f64| {
        let (left, right) = (*a, *b);
        *a = cosine * left - sine * right;
        *b = sine * left + cosine * right;
    };
    for row in matrix.iter_mut() {
        let (left, right) = row.split_at_mut(q);
        turn(&mut left[p], &mut right[0]);
    }
    for table in [matrix, vectors] {
        let (upper, lower) = table.split_at_mut(q);
        for (a, b) in upper[p].iter_mut().zip(lower[0].iter_mut()) {
            turn(a, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn points_on_a_line_vary_along_it_alone() {
        let points: Vec<f32> = (-5..=5)
            .flat_map(|t| [3.0 * t as f32 + 1.0, 4.0 * t as f32, 0.0])
            .collect();
        let components = PrincipalComponents::of(&points, 3);
        assert!((components.shares[0] - 1.0).abs() < 1e-12);
        for (found, expected) in components.directions[0].iter().zip([0.6, 0.8, 0.0]) {
            assert!((found - expected).abs() < 1e-9, "{components:?}");
        }
        let [along, across] = components.project::<2>(&points[..3]);
        assert!((along + 25.0).abs() < 1e-6 && across.abs() < 1e-6, "{along} {across}");
    }

    proptest! {
        #[test]
        fn directions_are_orthonormal_and_keep_all_variance(values in prop::collection::vec(-9.0_f32..9.0, 20..60)) {
            let points = &values[..values.len() / 4 * 4];
            let components = PrincipalComponents::of(points, 4);
            for (i, a) in components.directions.iter().enumerate() {
                for (j, b) in components.directions.iter().enumerate() {
                    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    prop_assert!((product - f64::from(u8::from(i == j))).abs() < 1e-9);
                }
            }
            prop_assert!(components.shares.windows(2).all(|pair| pair[0] >= pair[1]));
            prop_assert!((components.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            // Projections onto different directions are uncorrelated.
            let projected: Vec<[f64; 4]> = points.chunks(4).map(|point| components.project(point)).collect();
            let mixed: f64 = projected.iter().map(|point| point[0] * point[1]).sum();
            let whole: f64 = projected.iter().map(|point| point[0] * point[0]).sum();
            prop_assert!(mixed.abs() <= 1e-6 * whole.max(1.0));
        }
    }
}
