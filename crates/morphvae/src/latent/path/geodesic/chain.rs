//! A chain of points between two keys whose energy is lowered by the damped Gauss-Newton method.

use crate::latent::matrix::BlockTridiagonal;
use crate::latent::path::PathError;
use crate::latent::path::decoder::{decoded, dot, squared_distance};
use crate::latent::path::metric::{jacobians, products};
use crate::network::Decoder;

/// Pieces of a chain where derivatives are cheap, and the fewest that are worth solving for.
const MOST_PIECES: usize = 32;
const FEWEST_PIECES: usize = 8;
/// Decodes for a segment, about: less than a second's.
const DECODES: usize = 4000;
/// A descent with fewer steps leaves the energy much as it was.
const FEWEST_STEPS: usize = 4;
/// A descent ends when a step lowers the energy by no more than this share of it.
const CONVERGED: f64 = 1e-3;
/// The damping that a descent starts with and that it never goes below, by the mean of the diagonal; how much it falls
/// after a step that lowers the energy, and how much it rises after one that does not, so many times in a row.
const DAMPING: f64 = 1e-3;
const LEAST_DAMPING: f64 = 1e-6;
const EASING: f64 = 0.2;
const STIFFENING: f64 = 8.0;
const MOST_REFUSALS: usize = 6;
/// Shifted points that are decoded at a time, about.
const BATCH: usize = 100;

/// How much is done for a geodesic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Pieces of the finest chain: even.
    pub(super) pieces: usize,
    /// Decodes after which a descent ends.
    pub(super) decodes: usize,
}

impl Effort {
    /// For a latent space of so many dimensions; nothing where derivatives along all of them take too long.
    pub(super) fn of(latent: usize) -> Option<Self> {
        let affordable = |pieces: &usize| pieces * (latent + 1) * FEWEST_STEPS <= DECODES;
        let halved = std::iter::successors(Some(MOST_PIECES), |pieces| Some(pieces / 2));
        let pieces = halved.take_while(|&pieces| pieces >= FEWEST_PIECES).find(affordable)?;
        Some(Self {
            pieces,
            decodes: DECODES,
        })
    }
}

/// Points from one key to another, their images, and the energy: the sum of the images' squared distances.
///
/// Of all chains of as many points, the one of least energy is shortest and has even steps (Shao, Kumar and Fletcher,
/// 2018, algorithm 1).
pub(super) struct Chain<'a> {
    decoder: &'a dyn Decoder,
    points: Vec<f32>,
    images: Vec<f32>,
    energy: f64,
}

/// The energy's gradient at the inner points, downwards, and the Gauss-Newton approximation of its second derivatives,
/// both halved.
struct Normal {
    matrix: BlockTridiagonal,
    descent: Vec<f64>,
}

impl<'a> Chain<'a> {
    /// Nothing where the images are not finite.
    pub(super) fn new(decoder: &'a dyn Decoder, points: Vec<f32>) -> Result<Option<Self>, PathError> {
        let images = decoded(decoder, &points)?;
        let length = images.len() / (points.len() / decoder.latent());
        let neighbours = images.chunks_exact(length).zip(images.chunks_exact(length).skip(1));
        let energy: f64 = neighbours.map(|(a, b)| squared_distance(a, b)).sum();
        Ok(energy.is_finite().then_some(Self {
            decoder,
            points,
            images,
            energy,
        }))
    }

    pub(super) fn energy(&self) -> f64 {
        self.energy
    }

    pub(super) fn into_points(self) -> Vec<f32> {
        self.points
    }

    fn count(&self) -> usize {
        self.points.len() / self.decoder.latent()
    }

    fn image(&self, index: usize) -> &[f32] {
        let length = self.images.len() / self.count();
        &self.images[index * length..][..length]
    }

    /// The chain with a point in the middle of every piece.
    pub(super) fn refined(&self) -> Result<Option<Self>, PathError> {
        let latent = self.decoder.latent();
        let mut points = self.points[..latent].to_vec();
        for index in latent..self.points.len() {
            if index % latent == 0 {
                let middle = index..index + latent;
                points.extend(middle.map(|index| 0.5 * self.points[index - latent] + 0.5 * self.points[index]));
            }
            points.push(self.points[index]);
        }
        Self::new(self.decoder, points)
    }

    /// Moves the inner points, from one lower energy to the next, until that no longer helps or so many points were
    /// decoded.
    pub(super) fn descend(&mut self, decodes: usize) -> Result<(), PathError> {
        let (mut decoded, mut damping, mut refusals) = (0, DAMPING, 0);
        let inner = self.count() - 2;
        while decoded < decodes {
            let normal = self.normal()?;
            decoded += inner * self.decoder.latent();
            loop {
                decoded += inner;
                let moved = self.moved(&normal, damping)?;
                if let Some(moved) = moved.filter(|moved| moved.energy < self.energy) {
                    let gained = 1.0 - moved.energy / self.energy;
                    *self = moved;
                    damping = (damping * EASING).max(LEAST_DAMPING);
                    refusals = 0;
                    if gained < CONVERGED {
                        return Ok(());
                    }
                    break;
                }
                damping *= STIFFENING;
                refusals += 1;
                if refusals > MOST_REFUSALS {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The chain after a step.
    fn moved(&self, normal: &Normal, damping: f64) -> Result<Option<Self>, PathError> {
        let latent = self.decoder.latent();
        let Some(step) = normal.matrix.solve(damping * normal.matrix.scale(), &normal.descent) else {
            return Ok(None);
        };
        let mut points = self.points.clone();
        for (value, step) in points[latent..].iter_mut().zip(step) {
            *value = (f64::from(*value) + step) as f32;
        }
        Self::new(self.decoder, points)
    }

    fn normal(&self) -> Result<Normal, PathError> {
        let latent = self.decoder.latent();
        let length = self.image(0).len();
        let inner = 1..self.count() - 1;
        let mut descent = Vec::with_capacity(inner.len() * latent);
        let (mut diagonal, mut right) = (Vec::new(), Vec::new());
        let mut before: Vec<f32> = Vec::new();
        let mut pull = vec![0.0; length];
        let at_once = BATCH.div_ceil(latent);
        for start in inner.clone().step_by(at_once) {
            let end = (start + at_once).min(inner.end);
            let points = &self.points[start * latent..end * latent];
            let jacobians = jacobians(self.decoder, points, &self.images[start * length..end * length])?;
            for (index, jacobian) in (start..end).zip(jacobians.chunks_exact(latent * length)) {
                let [left, here, next] = [index - 1, index, index + 1].map(|index| self.image(index));
                for (pull, ((left, here), next)) in pull.iter_mut().zip(left.iter().zip(here).zip(next)) {
                    *pull = (next - here) - (here - left);
                }
                descent.extend(jacobian.chunks_exact(length).map(|row| dot(row, &pull)));
                diagonal.push(
                    products(jacobian, jacobian, latent)
                        .iter()
                        .map(|value| 2.0 * value)
                        .collect(),
                );
                if !before.is_empty() {
                    right.push(products(&before, jacobian, latent).iter().map(|value| -value).collect());
                }
                before.clear();
                before.extend_from_slice(jacobian);
            }
        }
        Ok(Normal {
            matrix: BlockTridiagonal {
                size: latent,
                diagonal,
                right,
            },
            descent,
        })
    }
}
