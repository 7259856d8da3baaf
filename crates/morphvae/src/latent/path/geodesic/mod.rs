//! Shortest curves under the metric that a decoder pulls back from image space.
//!
//! A curve is a chain of points. Its first form is a guess: the straight line, the way around the origin, or in a plane
//! the shortest path over a decoded [`Lattice`]. A [`Chain`] then lowers its energy.

mod chain;
mod lattice;

use super::PathError;
use super::decoder::steps;
use super::spherical::spherical;
use super::vector::{narrowed, widened};
use crate::network::Decoder;
use chain::{Chain, Effort};
use lattice::Lattice;

/// Steps of a curve over which lengths are compared.
const FINE: usize = 128;
/// A curve must be shorter than the line by this share of its length to be worth leaving the line.
const WORTH: f64 = 1e-3;

/// Finds geodesics between the keys of one path.
pub(super) struct Solver<'a> {
    decoder: &'a dyn Decoder,
    lattice: Option<Lattice>,
}

impl<'a> Solver<'a> {
    /// Where the latent space is a plane, decodes a lattice around all keys.
    pub(super) fn new(decoder: &'a dyn Decoder, keys: &[Vec<f32>]) -> Result<Self, PathError> {
        let lattice = match decoder.latent() {
            2 => Lattice::around(decoder, keys)?,
            _ => None,
        };
        Ok(Self { decoder, lattice })
    }

    /// The chain of a curve between two keys, `[count, latent]` with both, that is not longer than the line; nothing
    /// where the line itself is as short as any that was found.
    pub(super) fn between(&self, from: &[f32], to: &[f32]) -> Result<Option<Vec<f32>>, PathError> {
        // Between two points of a line there is one way.
        if from == to || self.decoder.latent() == 1 {
            return Ok(None);
        }
        let Some(effort) = Effort::of(self.decoder.latent()) else {
            return Ok(None);
        };
        let coarse = effort.pieces / 2;
        let mut starts = vec![straight(from, to, coarse), around(from, to, coarse)];
        if let Some(nodes) = self.lattice.as_ref().and_then(|lattice| lattice.path(from, to)) {
            starts.push(resampled(self.decoder, &nodes, coarse)?);
        }
        let mut chains = Vec::new();
        for points in starts {
            chains.extend(Chain::new(self.decoder, points)?);
        }
        let best = chains.into_iter().min_by(|a, b| a.energy().total_cmp(&b.energy()));
        let Some(mut chain) = best else { return Ok(None) };
        chain.descend(effort.decodes / 4)?;
        let Some(mut chain) = chain.refined()? else {
            return Ok(None);
        };
        chain.descend(effort.decodes)?;
        let points = chain.into_points();
        let length = |points: &[f32]| Ok(steps(self.decoder, points)?.iter().sum::<f64>());
        let line: f64 = length(&straight(from, to, FINE))?;
        let found: f64 = length(&subdivided(&points, from.len(), FINE))?;
        Ok((found < (1.0 - WORTH) * line).then_some(points))
    }
}

/// A curve's points at even steps of its parameter, with the very keys at its ends.
fn sampled(from: &[f32], to: &[f32], pieces: usize, inside: impl Fn(f64) -> Vec<f32>) -> Vec<f32> {
    let mut points = from.to_vec();
    for index in 1..pieces {
        points.extend(inside(index as f64 / pieces as f64));
    }
    points.extend(to);
    points
}

fn straight(from: &[f32], to: &[f32], pieces: usize) -> Vec<f32> {
    sampled(from, to, pieces, |t| between(from, to, t))
}

fn around(from: &[f32], to: &[f32], pieces: usize) -> Vec<f32> {
    let [start, end] = [widened(from), widened(to)];
    sampled(from, to, pieces, |t| narrowed(&spherical(&start, &end, t)))
}

/// The point at `t` of the straight piece between two points.
fn between(from: &[f32], to: &[f32], t: f64) -> Vec<f32> {
    let mix = |(&from, &to): (&f32, &f32)| ((1.0 - t) * f64::from(from) + t * f64::from(to)) as f32;
    from.iter().zip(to).map(mix).collect()
}

/// The point at `t` in [0, 1] of a chain of straight pieces, each of which takes as much of `t`.
pub(super) fn along(points: &[f32], latent: usize, t: f64) -> Vec<f32> {
    let pieces = points.len() / latent - 1;
    let place = t * pieces as f64;
    let piece = (place as usize).min(pieces - 1);
    let ends = &points[piece * latent..][..2 * latent];
    between(&ends[..latent], &ends[latent..], place - piece as f64)
}

/// A chain cut into so many pieces of the same `t`.
fn subdivided(points: &[f32], latent: usize, pieces: usize) -> Vec<f32> {
    let [from, to] = [&points[..latent], &points[points.len() - latent..]];
    sampled(from, to, pieces, |t| along(points, latent, t))
}

/// A chain cut into so many pieces of the same visible length.
fn resampled(decoder: &dyn Decoder, points: &[f32], pieces: usize) -> Result<Vec<f32>, PathError> {
    let latent = decoder.latent();
    let lengths = steps(decoder, points)?;
    let whole: f64 = lengths.iter().sum();
    let at = |share: f64| {
        let mut left = share * whole;
        for (piece, &length) in lengths.iter().enumerate() {
            if left < length {
                return along(points, latent, (piece as f64 + left / length) / lengths.len() as f64);
            }
            left -= length;
        }
        points[points.len() - latent..].to_vec()
    };
    Ok(sampled(&points[..latent], &points[points.len() - latent..], pieces, at))
}
