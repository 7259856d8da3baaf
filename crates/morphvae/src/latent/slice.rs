//! Planes through a latent space of any size.

use super::PrincipalComponents;

/// Below this share of a key's distance from the first, what it has beyond the other's direction is rounding.
const ROUNDING: f64 = 1e-6;

/// A plane through the latent space: `origin + a · directions[0] + b · directions[1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Where both coordinates are zero, `[latent]`.
    pub origin: Vec<f64>,
    /// What one unit of each coordinate is, `[2][latent]`.
    pub directions: [Vec<f64>; 2],
}

/// Why there is no such plane. Dimensions and components are named as on figures, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SliceError {
    /// A direction that the latent space does not have.
    #[error("there is no {what} {number}: the latent space has {count}, counted from 1")]
    NoSuch {
        /// `dimension` or `principal component`.
        what: &'static str,
        /// Which one, counted from 1.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// One direction given twice.
    #[error("{what} {number} is given twice; a plane needs two")]
    Twice {
        /// `dimension` or `principal component`.
        what: &'static str,
        /// Which one, counted from 1.
        number: usize,
    },
    /// Three keys that span no plane.
    #[error("the three keys lie on one line; a plane needs one beside it")]
    OnALine,
    /// Keys of different latent spaces.
    #[error("a key has {got} values and the first has {expected}")]
    Values {
        /// Values of the first key.
        expected: usize,
        /// Values of this one.
        got: usize,
    },
}

impl Slice {
    /// Along two dimensions, counted from 0: coordinates are the values there, and the others are those of `base`.
    ///
    /// # Errors
    /// [`SliceError`] when there are no such dimensions or it is one and the same.
    pub fn axes(base: &[f64], axes: [usize; 2]) -> Result<Self, SliceError> {
        check("dimension", axes, base.len())?;
        let mut origin = base.to_vec();
        axes.iter().for_each(|&axis| origin[axis] = 0.0);
        let unit = |axis: usize| {
            (0..base.len())
                .map(|index| f64::from(u8::from(index == axis)))
                .collect()
        };
        Ok(Self {
            origin,
            directions: axes.map(unit),
        })
    }

    /// Along two principal components, counted from 0, through `base`: coordinates are distances from the points' mean, as
    /// on a map of them.
    ///
    /// # Errors
    /// [`SliceError`] when there are no such components or it is one and the same.
    pub fn components(components: &PrincipalComponents, base: &[f64], axes: [usize; 2]) -> Result<Self, SliceError> {
        check("principal component", axes, components.directions.len())?;
        let directions = axes.map(|axis| components.directions[axis].clone());
        let mut origin = base.to_vec();
        for (axis, direction) in axes.into_iter().zip(&directions) {
            let coordinate = components.coordinate(base, axis);
            origin
                .iter_mut()
                .zip(direction)
                .for_each(|(value, part)| *value -= coordinate * part);
        }
        Ok(Self { origin, directions })
    }

    /// Whether a latent space of `latent` dimensions can have two such components: to ask before images are encoded.
    ///
    /// # Errors
    /// As [`Slice::components`].
    pub fn check_components(axes: [usize; 2], latent: usize) -> Result<(), SliceError> {
        check("principal component", axes, latent)
    }

    /// Through three keys: (0, 0) is the first, (1, 0) the second, (0, 1) the third.
    ///
    /// # Errors
    /// [`SliceError`] when they lie on one line or are points of different spaces.
    pub fn through(keys: [&[f32]; 3]) -> Result<Self, SliceError> {
        let [first, others @ ..] = keys;
        if let Some(other) = others.iter().find(|other| other.len() != first.len()) {
            return Err(SliceError::Values {
                expected: first.len(),
                got: other.len(),
            });
        }
        let from_first = |other: &[f32]| -> Vec<f64> {
            let pairs = other.iter().zip(first);
            pairs
                .map(|(&other, &first)| f64::from(other) - f64::from(first))
                .collect()
        };
        let directions = others.map(from_first);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let [a, b] = &directions;
        let along = dot(a, b) / dot(a, a);
        let beside: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - along * a).collect();
        // Written so that a key which is not a number is no key either.
        if dot(&beside, &beside) > ROUNDING * ROUNDING * dot(b, b) {
            Ok(Self {
                origin: first.iter().map(|&value| value.into()).collect(),
                directions,
            })
        } else {
            Err(SliceError::OnALine)
        }
    }

    /// The points at all pairs of coordinates, row after row, `[rows * columns, latent]`.
    #[must_use]
    pub fn points(&self, columns: &[f64], rows: &[f64]) -> Vec<f32> {
        let [across, up] = &self.directions;
        let mut points = Vec::with_capacity(rows.len() * columns.len() * self.origin.len());
        for row in rows {
            for column in columns {
                let values = self.origin.iter().zip(across.iter().zip(up));
                points.extend(values.map(|(origin, (across, up))| (origin + column * across + row * up) as f32));
            }
        }
        points
    }
}

fn check(what: &'static str, axes: [usize; 2], count: usize) -> Result<(), SliceError> {
    match axes {
        [one, other] if one == other => Err(SliceError::Twice { what, number: one + 1 }),
        _ => match axes.iter().find(|&&axis| axis >= count) {
            Some(&axis) => Err(SliceError::NoSuch {
                what,
                number: axis + 1,
                count,
            }),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_replace_the_base_and_rows_follow_one_another() {
        let slice = Slice::axes(&[9.0, 8.0, 7.0], [2, 0]).unwrap();
        let points = slice.points(&[-1.0, 1.0], &[5.0, 6.0]);
        assert_eq!(points, [5.0, 8.0, -1.0, 5.0, 8.0, 1.0, 6.0, 8.0, -1.0, 6.0, 8.0, 1.0]);
    }

    #[test]
    fn components_go_through_their_base() {
        // Widest along the diagonal of the first two dimensions, then along the third.
        let cloud = [4.0, 5.0, 0.0, -2.0, -1.0, 0.0, 1.0, 2.0, 1.0, 1.0, 2.0, -1.0];
        let components = PrincipalComponents::of(&cloud, 3, 3);
        let slice = Slice::components(&components, &components.mean, [0, 1]).unwrap();
        let point = slice.points(&[2.0_f64.sqrt()], &[3.0]);
        for (value, expected) in point.iter().zip([2.0, 3.0, 3.0]) {
            assert!((value - expected).abs() < 1e-5, "{point:?}");
        }
        // Through another point it holds that point, where it lies along the components.
        let base = [4.0, -2.0, 7.0];
        let slice = Slice::components(&components, &base, [0, 1]).unwrap();
        let [across, up] = [0, 1].map(|axis| components.coordinate(&base, axis));
        for (value, expected) in slice.points(&[across], &[up]).iter().zip(base) {
            assert!((f64::from(*value) - expected).abs() < 1e-5, "{value} {expected}");
        }
        let error = Slice::components(&components, &base, [0, 3]).unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no principal component 4: the latent space has 3, counted from 1"
        );
    }

    #[test]
    fn a_plane_holds_its_three_keys() {
        let keys: [&[f32]; 3] = [&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.5, -3.0, 1.0], &[7.0, 7.0, 7.0, 7.5]];
        let slice = Slice::through(keys).unwrap();
        assert_eq!(slice.points(&[0.0], &[0.0]), keys[0]);
        assert_eq!(slice.points(&[1.0], &[0.0]), keys[1]);
        assert_eq!(slice.points(&[0.0], &[1.0]), keys[2]);
        let parallelogram: Vec<f32> = (0..4)
            .map(|index| keys[1][index] + keys[2][index] - keys[0][index])
            .collect();
        assert_eq!(slice.points(&[1.0], &[1.0]), parallelogram);
    }

    #[test]
    fn what_is_no_plane_is_refused() {
        let base = [0.0; 3];
        assert_eq!(
            Slice::axes(&base, [0, 3]),
            Err(SliceError::NoSuch {
                what: "dimension",
                number: 4,
                count: 3
            })
        );
        assert!(matches!(
            Slice::axes(&base, [1, 1]),
            Err(SliceError::Twice { number: 2, .. })
        ));
        assert!(matches!(Slice::axes(&[], [0, 1]), Err(SliceError::NoSuch { .. })));
        let line: [[&[f32]; 3]; 5] = [
            [&[0.0, 0.0], &[1.0, 1.0], &[3.0, 3.0]],
            [&[1.0, 2.0], &[1.0, 2.0], &[3.0, 3.0]],
            [&[1.0, 2.0], &[3.0, 2.0], &[1.0, 2.0]],
            [&[1.0], &[2.0], &[4.0]],
            [&[1.0, 0.0], &[f32::NAN, 2.0], &[4.0, 1.0]],
        ];
        for keys in line {
            assert_eq!(Slice::through(keys), Err(SliceError::OnALine), "{keys:?}");
        }
        assert!(matches!(
            Slice::through([&[1.0], &[1.0, 2.0], &[1.0]]),
            Err(SliceError::Values { .. })
        ));
    }
}
