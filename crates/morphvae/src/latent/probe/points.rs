//! Encoded images of known classes.

use std::ops::Range;

use super::ProbeError;

/// Points of a latent space whose classes are known: where images with labels were encoded to.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledPoints {
    dimensions: usize,
    values: Vec<f32>,
    labels: Vec<u16>,
}

impl LabelledPoints {
    /// Those of `values`, `[points, dimensions]`, that have a label; the others are left out.
    ///
    /// # Errors
    /// [`ProbeError::Mismatch`] unless something is said of every point; [`ProbeError::NotFinite`] for a point with a label
    /// that lies nowhere.
    pub fn new(values: &[f32], dimensions: usize, labels: &[Option<u16>]) -> Result<Self, ProbeError> {
        if labels.len().checked_mul(dimensions) != Some(values.len()) {
            return Err(ProbeError::Mismatch {
                numbers: values.len(),
                labels: labels.len(),
                dimensions,
            });
        }
        let mut points = Self {
            dimensions,
            values: Vec::new(),
            labels: Vec::new(),
        };
        for (point, &label) in labels.iter().enumerate() {
            let Some(label) = label else { continue };
            let place = &values[point * dimensions..][..dimensions];
            if !place.iter().all(|value| value.is_finite()) {
                return Err(ProbeError::NotFinite { point });
            }
            points.values.extend(place);
            points.labels.push(label);
        }
        Ok(points)
    }

    /// Numbers of a point.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// The class of each.
    #[must_use]
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// Where one of them lies, `[dimensions]`.
    ///
    /// # Panics
    /// When `index` is not below [`LabelledPoints::count`], as indexing a slice does.
    #[must_use]
    pub fn point(&self, index: usize) -> &[f32] {
        &self.values[index * self.dimensions..][..self.dimensions]
    }

    /// Some of them.
    ///
    /// # Panics
    /// When `range` ends beyond [`LabelledPoints::count`], as slicing does.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        Self {
            dimensions: self.dimensions,
            values: self.values[range.start * self.dimensions..range.end * self.dimensions].to_vec(),
            labels: self.labels[range].to_vec(),
        }
    }

    /// Makes sure that they are of a space of so many dimensions.
    pub(super) fn check(&self, expected: usize) -> Result<(), ProbeError> {
        match self.dimensions {
            found if found == expected => Ok(()),
            found => Err(ProbeError::Dimensions { expected, found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_points_with_a_label_count() {
        let values = [0.0, 1.0, f32::NAN, 3.0, 4.0, 5.0];
        let points = LabelledPoints::new(&values, 2, &[Some(7), None, Some(1)]).unwrap();
        assert_eq!((points.count(), points.dimensions()), (2, 2));
        assert_eq!(points.labels(), [7, 1]);
        assert_eq!((points.point(0), points.point(1)), (&values[..2], &values[4..]));
        let last = points.part(1..2);
        assert_eq!((last.point(0), last.labels()), (&values[4..], &[1][..]));
    }

    #[test]
    fn what_lies_nowhere_is_refused() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = LabelledPoints::new(&[0.0, 1.0, 2.0, value], 2, &[Some(0); 2]).unwrap_err();
            assert_eq!(error, ProbeError::NotFinite { point: 1 });
        }
    }

    #[test]
    fn something_must_be_said_of_every_point() {
        for (numbers, dimensions, labels) in [(4, 2, 3), (5, 2, 2), (0, 2, 1), (1, 0, 1), (0, usize::MAX, 2)] {
            let error = LabelledPoints::new(&vec![0.0; numbers], dimensions, &vec![Some(0); labels]).unwrap_err();
            assert!(matches!(error, ProbeError::Mismatch { .. }), "{error}");
        }
    }
}
