//! Curves through key points of a latent space, and frames along them.
//!
//! A [`LatentPath`] goes through its keys exactly; [`LatentPath::frames`] paces it; [`Motion`] says how evenly the
//! frames change; [`magnification`] shows what a geodesic avoids. All of it asks a [`Decoder`], which a trained network
//! is, for the images at points.

mod decoder;
mod error;
mod geodesic;
mod metric;
mod motion;
mod pacing;
mod spherical;
mod spline;
#[cfg(test)]
mod surfaces;
#[cfg(test)]
mod tests;
mod vector;

pub(super) use decoder::squared_distance;
pub use error::PathError;
pub use metric::magnification;
pub use motion::Motion;
pub use pacing::{Ease, Frames, Gait, MOST_STEPS, Pacing};

use geodesic::{Solver, along};
use rayon::prelude::*;
use spherical::spherical;
use spline::{Cubic, spline};
use vector::{combination, narrowed, widened};

use crate::choice::Choice;
use crate::network::Decoder;

/// How a path gets from one key to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathKind {
    /// Straight ahead.
    Line,
    /// Around the origin: the direction turns evenly and the distance changes evenly (Shoemake, 1985). Opposite keys
    /// have no shortest way around; they take one that depends on nothing but the keys.
    Spherical,
    /// A smooth curve through all keys: centripetal Catmull-Rom (Yuksel, Schaefer and Keyser, 2011).
    Spline,
    /// The shortest way under the metric that the decoder pulls back from image space, so that as little as possible
    /// changes in the images (Shao, Kumar and Fletcher, 2018; Chen et al., 2018; Arvanitidis et al., 2018). Never
    /// longer than the line; with more than 124 latent dimensions, where derivatives take too long, it is the line.
    #[default]
    Geodesic,
}

impl Choice for PathKind {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Line, "line", "Straight ahead"),
        (Self::Spherical, "spherical", "Around the origin"),
        (Self::Spline, "spline", "A smooth curve through all keys"),
        (
            Self::Geodesic,
            "geodesic",
            "The way along which the images change least",
        ),
    ];
}

/// A curve through key points of a latent space, a segment from each to the next.
#[derive(Clone, Debug)]
pub struct LatentPath {
    keys: Vec<Vec<f32>>,
    closed: bool,
    curves: Vec<Curve>,
}

/// What lies between the two keys of a segment.
#[derive(Clone, Debug)]
enum Curve {
    Line,
    Spherical,
    Cubic(Cubic),
    /// Straight pieces through points, `[count, latent]`, the keys among them.
    Chain(Vec<f32>),
}

impl LatentPath {
    /// The path through `keys`, in their order; a closed one goes on from the last to the first.
    ///
    /// # Errors
    /// [`PathError`] for fewer than two keys, for keys that are no finite points of the decoder's latent space, and when
    /// the decoder wants no more.
    pub fn through(kind: PathKind, keys: &[Vec<f32>], closed: bool, decoder: &dyn Decoder) -> Result<Self, PathError> {
        check(keys, decoder.latent())?;
        let mut path = Self {
            keys: keys.to_vec(),
            closed,
            curves: Vec::new(),
        };
        let segments = 0..keys.len() - usize::from(!closed);
        path.curves = match kind {
            PathKind::Line => segments.map(|_| Curve::Line).collect(),
            PathKind::Spherical => segments.map(|_| Curve::Spherical).collect(),
            PathKind::Spline => {
                let keys: Vec<Vec<f64>> = keys.iter().map(|key| widened(key)).collect();
                spline(&keys, closed).into_iter().map(Curve::Cubic).collect()
            }
            PathKind::Geodesic => {
                let solver = Solver::new(decoder, keys)?;
                let curve = |[from, to]: [&Vec<f32>; 2]| {
                    let chain = solver.between(from, to)?;
                    decoder.found();
                    Ok(chain.map_or(Curve::Line, Curve::Chain))
                };
                // Each by itself, so that the threads need not wait for each other within it.
                segments
                    .into_par_iter()
                    .map(|segment| curve(path.ends(segment)))
                    .collect::<Result<_, PathError>>()?
            }
        };
        Ok(path)
    }

    /// Dimensions of the latent space.
    #[must_use]
    pub fn latent(&self) -> usize {
        self.keys[0].len()
    }

    /// Whether the last segment leads back to the first key.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many segments there are: as many as keys, or one fewer when the path is open.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.curves.len()
    }

    /// The point, `[latent]`, at `t` in [0, 1] of a segment: at 0 and below exactly the key that it starts from, at 1
    /// and above exactly the key that it leads to.
    ///
    /// # Panics
    /// If there is no such segment.
    #[must_use]
    pub fn at(&self, segment: usize, t: f64) -> Vec<f32> {
        let curve = &self.curves[segment];
        let [from, to] = self.ends(segment);
        // Equal keys are a rest, even where they differ in the sign of a zero.
        if t <= 0.0 || (t < 1.0 && from == to) {
            return from.clone();
        }
        if t >= 1.0 {
            return to.clone();
        }
        match curve {
            Curve::Line => narrowed(&combination(1.0 - t, &widened(from), t, &widened(to))),
            Curve::Spherical => narrowed(&spherical(&widened(from), &widened(to), t)),
            Curve::Cubic(cubic) => narrowed(&cubic.at(t)),
            Curve::Chain(points) => along(points, from.len(), t),
        }
    }

    fn ends(&self, segment: usize) -> [&Vec<f32>; 2] {
        [segment, segment + 1].map(|key| &self.keys[key % self.keys.len()])
    }
}

fn check(keys: &[Vec<f32>], latent: usize) -> Result<(), PathError> {
    if keys.len() < 2 {
        return Err(PathError::TooFewKeys { found: keys.len() });
    }
    for (index, key) in keys.iter().enumerate() {
        if key.len() != latent {
            return Err(PathError::KeySize {
                key: index + 1,
                expected: latent,
                found: key.len(),
            });
        }
        if !key.iter().all(|value| value.is_finite()) {
            return Err(PathError::NotFinite { key: index + 1 });
        }
    }
    Ok(())
}
