//! One latent dimension after the other, each by itself.

/// All dimensions by how much they carry, the most first; equal ones keep their order.
#[must_use]
pub fn by_information(nats: &[f64]) -> Vec<usize> {
    let mut dimensions: Vec<usize> = (0..nats.len()).collect();
    dimensions.sort_by(|&one, &other| nats[other].total_cmp(&nats[one]));
    dimensions
}

/// For each of `rows`, a dimension counted from 0 and its values, the points `base` with each of the values in that
/// dimension's place: `[all values, latent]`. A dimension that there is not gives `base` itself.
#[must_use]
pub fn traversal(base: &[f64], rows: &[(usize, Vec<f64>)]) -> Vec<f32> {
    let mut points = Vec::new();
    for (dimension, values) in rows {
        for &value in values {
            let start = points.len();
            points.extend(base.iter().map(|&value| value as f32));
            if *dimension < base.len() {
                points[start + dimension] = value as f32;
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_that_carry_most_come_first() {
        assert_eq!(by_information(&[0.5, 2.0, 0.0, 2.0, 3.5]), [4, 1, 3, 0, 2]);
    }

    #[test]
    fn a_row_changes_one_dimension_alone() {
        let points = traversal(&[1.0, 2.0, 3.0], &[(2, vec![-1.0, 0.0]), (0, vec![-4.0, 5.0])]);
        assert_eq!(points, [1.0, 2.0, -1.0, 1.0, 2.0, 0.0, -4.0, 2.0, 3.0, 5.0, 2.0, 3.0]);
    }
}
