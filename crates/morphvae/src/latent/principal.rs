//! Principal components: the directions in which points vary most.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::random::{Purpose, noise};

/// Directions that are searched beyond those that are wanted.
const ROOM: usize = 40;
/// Directions that a new cycle of the search starts with, beyond those that are wanted.
const KEPT: usize = 14;
/// A direction is found when the covariance turns it by no more than this, measured by the largest variance.
const TOLERANCE: f64 = 1e-8;
/// What is left of a vector is rounding, and no new direction, below this share of the largest variance.
const ROUNDING: f64 = 1e-13;
/// A guard against rounding: a few cycles are enough unless variances agree to many digits, and then any of the
/// directions that share them is as good as another.
const MOST_CYCLES: usize = 50;
/// Points whose sums are taken together, whatever the number of threads.
const BLOCK: usize = 512;

/// The directions of largest variance of a set of points, in falling order.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// The points' mean, `[dimensions]`.
    pub mean: Vec<f64>,
    /// Orthogonal unit vectors, `[count][dimensions]`; the largest entry of each is positive.
    pub directions: Vec<Vec<f64>>,
    /// The share of the whole variance along each direction, `[count]`.
    pub shares: Vec<f64>,
    /// The whole variance, of all dimensions together.
    pub variance: f64,
}

impl PrincipalComponents {
    /// The `count` leading ones of `points`, `[points, dimensions]`; all, where there are no more dimensions. Points that
    /// are not finite are left out. The same points give the same bits, whatever the number of threads.
    #[must_use]
    pub fn of(points: &[f32], dimensions: usize, count: usize) -> Self {
        let cloud = Cloud::new(points, dimensions);
        let mut pairs = leading(
            |vector| cloud.covariance_times(vector),
            dimensions,
            count.min(dimensions),
        );
        pairs.iter_mut().for_each(|(_, direction)| point_up(direction));
        let variance = cloud.variance();
        let whole = variance.max(f64::MIN_POSITIVE);
        Self {
            variance,
            shares: pairs.iter().map(|(variance, _)| variance.max(0.0) / whole).collect(),
            directions: pairs.into_iter().map(|(_, direction)| direction).collect(),
            mean: cloud.mean,
        }
    }

    /// The standard deviation of the points along one of the directions, counted from 0.
    ///
    /// # Panics
    /// If there is no such direction.
    #[must_use]
    pub fn deviation(&self, direction: usize) -> f64 {
        (self.shares[direction] * self.variance).sqrt()
    }

    /// Where a point lies along one of the directions, counted from 0 and measured from the mean.
    ///
    /// # Panics
    /// If there is no such direction.
    #[must_use]
    pub fn coordinate(&self, point: &[f64], direction: usize) -> f64 {
        let from_mean: Vec<f64> = point.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
        dot(&from_mean, &self.directions[direction])
    }

    /// Where a point lies along the first `D` directions, measured from the mean; zero along those that there are not.
    #[must_use]
    pub fn project<const D: usize>(&self, point: &[f32]) -> [f64; D] {
        std::array::from_fn(|axis| {
            self.directions
                .get(axis)
                .map_or(0.0, |direction| dot(point, direction) - dot(&self.mean, direction))
        })
    }
}

/// Points around their mean.
struct Cloud<'a> {
    points: Cow<'a, [f32]>,
    dimensions: usize,
    mean: Vec<f64>,
}

impl<'a> Cloud<'a> {
    fn new(points: &'a [f32], dimensions: usize) -> Self {
        // Without dimensions there are no points, and nothing to cut into pieces of none.
        let points = if dimensions == 0 { &[] } else { points };
        let is_finite = |point: &&[f32]| point.iter().all(|value| value.is_finite());
        let mut cloud = Self {
            points: if points.iter().all(|value| value.is_finite()) {
                Cow::Borrowed(points)
            } else {
                let finite = points.chunks_exact(dimensions).filter(is_finite);
                Cow::Owned(finite.flatten().copied().collect())
            },
            dimensions,
            mean: vec![0.0; dimensions],
        };
        cloud.mean = cloud.mean_of(|_, value| value);
        cloud
    }

    fn count(&self) -> usize {
        self.points.len() / self.dimensions.max(1)
    }

    /// The mean over all points of a function of a dimension and the value there, `[dimensions]`.
    fn mean_of(&self, of: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let (mut sums, count) = (vec![0.0; self.dimensions], self.count().max(1) as f64);
        for point in self.points.chunks_exact(self.dimensions.max(1)) {
            for (dimension, (sum, &value)) in sums.iter_mut().zip(point).enumerate() {
                *sum += of(dimension, value.into());
            }
        }
        sums.into_iter().map(|sum| sum / count).collect()
    }

    /// The variance along all dimensions together: the trace of the covariance.
    fn variance(&self) -> f64 {
        self.mean_of(|dimension, value| (value - self.mean[dimension]).powi(2))
            .iter()
            .sum()
    }

    /// The covariance times a vector, from the points themselves: the matrix would be larger than they are.
    fn covariance_times(&self, vector: &[f64]) -> Vec<f64> {
        let middle = dot(&self.mean, vector);
        let sums = |block: &[f32]| {
            let (mut sum, mut whole) = (vec![0.0; self.dimensions], 0.0);
            for point in block.chunks_exact(self.dimensions) {
                let along = dot(point, vector) - middle;
                whole += along;
                for (sum, &value) in sum.iter_mut().zip(point) {
                    *sum += along * f64::from(value);
                }
            }
            add(&mut sum, -whole, &self.mean);
            sum
        };
        let blocks: Vec<Vec<f64>> = self.points.par_chunks(BLOCK * self.dimensions).map(sums).collect();
        let mut product = vec![0.0; self.dimensions];
        blocks
            .iter()
            .for_each(|sum| add(&mut product, 1.0 / self.count() as f64, sum));
        product
    }
}

/// The largest eigenvalues and their eigenvectors of a symmetric positive matrix that is known by what it does to
/// vectors: block Lanczos with full orthogonalization, restarted with the best vectors so far.
///
/// Source: K. Wu and H. Simon, "Thick-restart Lanczos method for large symmetric eigenvalue problems", 2000.
fn leading(times: impl Fn(&[f64]) -> Vec<f64>, size: usize, wanted: usize) -> Vec<(f64, Vec<f64>)> {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    // Random vectors have a part of every eigenvector.
    for step in 0..wanted as u64 {
        let start = noise(0, Purpose::Directions, step, size)
            .into_iter()
            .map(f64::from)
            .collect();
        basis.extend(orthonormal(start, &basis, 0.0));
    }
    let mut images: Vec<Vec<f64>> = basis.iter().map(|vector| times(vector)).collect();
    let mut values = Vec::new();
    for _ in 0..MOST_CYCLES {
        let largest = images.iter().map(|image| length(image)).fold(0.0, f64::max);
        let mut next = 0;
        while next < basis.len() && basis.len() < size.min(wanted + ROOM) {
            // What a vector's image has beyond the basis is where to search on.
            if let Some(vector) = orthonormal(images[next].clone(), &basis, ROUNDING * largest) {
                images.push(times(&vector));
                basis.push(vector);
            }
            next += 1;
        }
        let entry = |row: usize, column: usize| dot(&basis[row.min(column)], &images[row.max(column)]);
        let pairs = eigen(
            (0..basis.len())
                .map(|row| (0..basis.len()).map(|column| entry(row, column)).collect())
                .collect(),
        );
        let best = &pairs[..pairs.len().min(wanted + KEPT)];
        [basis, images] =
            [basis, images].map(|vectors| best.iter().map(|(_, shares)| combined(&vectors, shares)).collect());
        values = best.iter().map(|&(value, _)| value).collect();

        let turned = |((vector, image), &value): ((&Vec<f64>, &Vec<f64>), &f64)| {
            let mut rest = image.clone();
            add(&mut rest, -value, vector);
            length(&rest)
        };
        let most = basis
            .iter()
            .zip(&images)
            .zip(&values)
            .take(wanted)
            .map(turned)
            .fold(0.0, f64::max);
        if most <= TOLERANCE * values.first().copied().unwrap_or(0.0).max(0.0) {
            break;
        }
    }
    values.into_iter().zip(basis).take(wanted).collect()
}

/// A vector without its parts along `basis`, as a unit vector; none if no more than `rounding` is left of it.
fn orthonormal(mut vector: Vec<f64>, basis: &[Vec<f64>], rounding: f64) -> Option<Vec<f64>> {
    // Rounding leaves parts that are large beside a short rest. Twice is enough: W. Kahan in B. Parlett, The Symmetric
    // Eigenvalue Problem, section 6.9.
    remove_parts(&mut vector, basis);
    remove_parts(&mut vector, basis);
    let rest = length(&vector);
    vector.iter_mut().for_each(|value| *value /= rest);
    (rest > rounding).then_some(vector)
}

fn remove_parts(vector: &mut [f64], basis: &[Vec<f64>]) {
    for unit in basis {
        add(vector, -dot(vector, unit), unit);
    }
}

/// The sum of `vectors`, each times its share.
fn combined(vectors: &[Vec<f64>], shares: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    vectors
        .iter()
        .zip(shares)
        .for_each(|(vector, &share)| add(&mut sum, share, vector));
    sum
}

fn add(sum: &mut [f64], factor: f64, vector: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(vector) {
        *sum += factor * value;
    }
}

fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

/// Eight sums side by side, which the compiler can keep in vector registers: one sum has an order that it must keep.
fn dot<T: Copy + Into<f64>>(left: &[T], right: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (lefts, rights) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f64 = lefts
        .remainder()
        .iter()
        .zip(rights.remainder())
        .map(|(&a, b)| a.into() * b)
        .sum();
    for (a, b) in lefts.zip(rights) {
        for (sum, (&a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a.into() * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// A direction and its opposite vary alike; the one whose largest entry is positive is taken.
fn point_up(direction: &mut [f64]) {
    let largest = direction.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    if largest.is_some_and(|largest| largest < 0.0) {
        direction.iter_mut().for_each(|value| *value = -*value);
    }
}

/// Eigenvalues, in falling order, and eigenvectors of a small symmetric matrix, by Jacobi's rotations (Golub and Van
/// Loan, Matrix Computations, section 8.5).
fn eigen(mut matrix: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
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
    let mut pairs: Vec<(f64, Vec<f64>)> = (0..size).map(|index| matrix[index][index]).zip(vectors).collect();
    pairs.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    pairs
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
    use std::cell::Cell;

    use super::*;
    use proptest::prelude::*;

    /// The covariance of points, entry by entry.
    fn covariance(points: &[f32], dimensions: usize) -> Vec<Vec<f64>> {
        let rows: Vec<&[f32]> = points.chunks_exact(dimensions).collect();
        let mean_of = |f: &dyn Fn(&[f32]) -> f64| rows.iter().map(|row| f(row)).sum::<f64>() / rows.len() as f64;
        let mean: Vec<f64> = (0..dimensions).map(|i| mean_of(&|row| row[i].into())).collect();
        let entry = |i: usize, j: usize| mean_of(&|row| (f64::from(row[i]) - mean[i]) * (f64::from(row[j]) - mean[j]));
        (0..dimensions)
            .map(|i| (0..dimensions).map(|j| entry(i, j)).collect())
            .collect()
    }

    /// By how much `directions` fail to be orthonormal, and by how much they fail to be eigenvectors of `matrix`, as a
    /// share of its largest eigenvalue.
    fn errors(components: &PrincipalComponents, matrix: &[Vec<f64>]) -> [f64; 2] {
        let plain = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let trace: f64 = (0..matrix.len()).map(|index| matrix[index][index]).sum();
        let (mut skew, mut turned) = (0.0_f64, 0.0_f64);
        for (i, a) in components.directions.iter().enumerate() {
            for (j, b) in components.directions.iter().enumerate() {
                skew = skew.max((plain(a, b) - f64::from(u8::from(i == j))).abs());
            }
            for (row, along) in matrix.iter().zip(a) {
                turned = turned.max((plain(row, a) - components.shares[i] * trace * along).abs());
            }
        }
        let largest = components.shares.first().map_or(0.0, |share| share * trace);
        [skew, turned / largest.max(1e-300)]
    }

    fn normal(count: usize) -> Vec<f32> {
        noise(1, Purpose::Noise, 0, count)
    }

    #[test]
    fn points_on_a_line_vary_along_it_alone() {
        let points: Vec<f32> = (-5..=5)
            .flat_map(|t| [3.0 * t as f32 + 1.0, 4.0 * t as f32, 0.0])
            .collect();
        let components = PrincipalComponents::of(&points, 3, 2);
        assert!((components.shares[0] - 1.0).abs() < 1e-12);
        for (found, expected) in components.directions[0].iter().zip([0.6, 0.8, 0.0]) {
            assert!((found - expected).abs() < 1e-9, "{components:?}");
        }
        let [along, across] = components.project::<2>(&points[..3]);
        assert!((along + 25.0).abs() < 1e-6 && across.abs() < 1e-6, "{along} {across}");
    }

    #[test]
    fn a_covariance_that_is_known_is_found() {
        // Independent axes of an orthonormal frame (a Householder mirror) with standard deviations 5, 4, 3, 2, 1, ...,
        // each taken by as many points on either side: the covariance is exact.
        let size = 60;
        let norm = (0..size).map(|i| f64::from(i + 1).powi(2)).sum::<f64>();
        let axis = |k: usize| -> Vec<f64> {
            (0..size as usize)
                .map(|i| f64::from(u8::from(i == k)) - 2.0 * ((i + 1) * (k + 1)) as f64 / norm)
                .collect()
        };
        let deviation = |k: usize| if k < 4 { 5.0 - k as f64 } else { 1.0 / k as f64 };
        let points: Vec<f32> = (0..size as usize)
            .flat_map(|k| [-1.0, 1.0].map(|side| (k, side)))
            .flat_map(|(k, side)| {
                axis(k)
                    .into_iter()
                    .map(move |value| (7.0 + side * deviation(k) * value) as f32)
            })
            .collect();
        let components = PrincipalComponents::of(&points, size as usize, 4);
        let whole: f64 = (0..size as usize).map(|k| deviation(k).powi(2)).sum();
        for k in 0..4 {
            assert!((components.shares[k] - deviation(k).powi(2) / whole).abs() < 1e-7);
            // Of as many points on the other axes, all at the mean along this one.
            assert!((components.deviation(k) * 60_f64.sqrt() - deviation(k)).abs() < 1e-5);
            let along: f64 = axis(k).iter().zip(&components.directions[k]).map(|(a, b)| a * b).sum();
            assert!((along.abs() - 1.0).abs() < 1e-7, "direction {k}: {along}");
        }
        assert!(components.mean.iter().all(|mean| (mean - 7.0).abs() < 1e-6));
    }

    #[test]
    fn nearly_equal_variances_are_told_apart() {
        // Noise alone: the leading eigenvalues of its covariance lie within a few percent of one another.
        let points = normal(2000 * 100);
        let components = PrincipalComponents::of(&points, 100, 3);
        let [skew, turned] = errors(&components, &covariance(&points, 100));
        assert!(skew < 1e-12 && turned < 1e-7, "{skew} {turned}");
        // No direction at all may vary more than the first: try many, each improved by a step of the power iteration.
        let matrix = covariance(&points, 100);
        let trace: f64 = (0..100).map(|index| matrix[index][index]).sum();
        for start in normal(100 * 50).chunks(100) {
            let start: Vec<f64> = start.iter().map(|&value| value.into()).collect();
            let image: Vec<f64> = matrix.iter().map(|row| dot(row, &start)).collect();
            let quotient =
                dot(&image, &matrix.iter().map(|row| dot(row, &image)).collect::<Vec<_>>()) / dot(&image, &image);
            assert!(quotient <= components.shares[0] * trace);
        }
    }

    #[test]
    fn a_large_latent_space_takes_few_products() {
        // Of 512 dimensions, a few carry information, as a trained network's do.
        let informative = |index: usize| index % 50 == 7;
        let variance = |index: usize| {
            if informative(index) {
                1.0 + 1e-4 * index as f64
            } else {
                0.0025
            }
        };
        let products = Cell::new(0);
        let times = |vector: &[f64]| {
            products.set(products.get() + 1);
            let entries = vector.iter().enumerate();
            entries.map(|(index, value)| variance(index) * value).collect()
        };
        let [first, second] = leading(times, 512, 2).try_into().unwrap();
        for ((found, direction), index) in [(first, 507), (second, 457)] {
            assert!((found - variance(index)).abs() < 1e-7, "{found}");
            assert!((direction[index].abs() - 1.0).abs() < 1e-7, "{}", direction[index]);
        }
        // The covariance as a matrix would take as many as there are dimensions, before anything is done with it.
        assert!(products.get() < 256, "{}", products.get());
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let points = normal(3000 * 20);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| PrincipalComponents::of(&points, 20, 2))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn points_without_variance_or_number_have_directions_all_the_same() {
        for (points, dimensions) in [
            (vec![2.0; 30], 3),
            (vec![], 3),
            (vec![f32::NAN, 1.0, 2.0], 3),
            (vec![1.0, 2.0], 0),
            (vec![5.0, -5.0], 1),
        ] {
            let components = PrincipalComponents::of(&points, dimensions, 2);
            assert_eq!(components.directions.len(), dimensions.min(2));
            let [skew, _] = errors(&components, &covariance(&[], dimensions.max(1)));
            assert!(skew < 1e-12, "{components:?}");
            assert!(
                components
                    .project::<2>(&points)
                    .iter()
                    .all(|value| !value.is_infinite())
            );
        }
        let with_gap = [1.0, 2.0, f32::NAN, 5.0, 3.0, 4.0, 5.0, 7.0];
        let without = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0];
        assert_eq!(
            PrincipalComponents::of(&with_gap, 2, 2),
            PrincipalComponents::of(&without, 2, 2)
        );
    }

    proptest! {
        #[test]
        fn directions_are_orthonormal_eigenvectors_and_keep_all_variance(
            values in prop::collection::vec(-9.0_f32..9.0, 20..60),
        ) {
            let points = &values[..values.len() / 4 * 4];
            let components = PrincipalComponents::of(points, 4, 4);
            let [skew, turned] = errors(&components, &covariance(points, 4));
            prop_assert!(skew < 1e-9 && turned < 1e-9, "{skew} {turned}");
            prop_assert!(components.shares.windows(2).all(|pair| pair[0] >= pair[1]));
            prop_assert!((components.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
