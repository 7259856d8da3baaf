//! Mixtures of Gaussians over a latent space: what points are drawn from.

mod fit;

pub use fit::{Fit, FitOptions, fit};

use burn::tensor::Tensor;
use rand::RngExt;
use thiserror::Error;

use super::matrix::{cholesky, forward};
use crate::network::{Inference, to_values};
use crate::random::{Generator, noise_of};

/// Dimensions of a latent space that a mixture is fitted in, at most: a covariance has their square of numbers.
pub const MOST_FITTED_DIMENSIONS: usize = 1024;

/// Why a mixture cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MixtureError {
    /// There is nothing to fit it to, or a setting asks for nothing.
    #[error("a mixture needs a component and a point, and there are {components} and {points}")]
    Empty {
        /// Components that were asked for.
        components: usize,
        /// Points that there are.
        points: usize,
    },
    /// Numbers that belong to no points.
    #[error("{means} means and {variances} variances are no points of {latent} dimension(s)")]
    Mismatch {
        /// Dimensions of the latent space.
        latent: usize,
        /// How many means there are.
        means: usize,
        /// How many variances there are.
        variances: usize,
    },
    /// A latent space too large for covariances.
    #[error("covariances are fitted in up to {MOST_FITTED_DIMENSIONS} dimensions, and this latent space has {latent}")]
    Dimensions {
        /// Its dimensions.
        latent: usize,
    },
    /// A mean or a variance that is none.
    #[error("the place of {what} in the latent space is no finite number")]
    NotFinite {
        /// Of what.
        what: String,
    },
}

/// A Gaussian distribution of latent points.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    spread: Spread,
}

/// How far a Gaussian reaches.
#[derive(Clone, Debug, PartialEq)]
enum Spread {
    /// The standard deviation of each dimension.
    Each(Vec<f64>),
    /// The Cholesky factor of the covariance, `[latent, latent]`, of which the lower triangle counts.
    Together(Vec<f64>),
}

impl Gaussian {
    /// The standard normal distribution.
    #[must_use]
    pub fn standard(latent: usize) -> Self {
        Self {
            mean: vec![0.0; latent],
            spread: Spread::Each(vec![1.0; latent]),
        }
    }

    /// One whose dimensions are independent, by their means and variances; nothing where these are no finite numbers, or
    /// not as many, or a variance is below zero.
    #[must_use]
    pub fn independent(mean: Vec<f64>, variance: &[f64]) -> Option<Self> {
        let is_sound = mean.len() == variance.len()
            && mean.iter().chain(variance).all(|value| value.is_finite())
            && variance.iter().all(|&value| value >= 0.0);
        is_sound.then(|| Self {
            mean,
            spread: Spread::Each(variance.iter().map(|value| value.sqrt()).collect()),
        })
    }

    /// One by its mean and its covariance, `[latent, latent]`, of which the lower triangle counts; nothing where that is
    /// not positive.
    #[must_use]
    pub fn correlated(mean: Vec<f64>, mut covariance: Vec<f64>) -> Option<Self> {
        let size = mean.len();
        let is_sound = covariance.len() == size * size && mean.iter().all(|value| value.is_finite());
        (is_sound && cholesky(&mut covariance, size)).then_some(Self {
            mean,
            spread: Spread::Together(covariance),
        })
    }

    /// The mean, `[latent]`.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The covariance, `[latent, latent]`.
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        let size = self.mean.len();
        let entry = |row: usize, column: usize| match &self.spread {
            Spread::Each(deviation) if row == column => deviation[row].powi(2),
            Spread::Each(_) => 0.0,
            Spread::Together(factor) => (0..=row.min(column))
                .map(|k| factor[row * size + k] * factor[column * size + k])
                .sum(),
        };
        (0..size * size)
            .map(|index| entry(index / size, index % size))
            .collect()
    }

    /// The point that standard normal `noise`, `[latent]`, leads to; at another temperature than one it lies so many times
    /// as far from the mean.
    #[must_use]
    pub fn point(&self, noise: &[f32], temperature: f64) -> Vec<f32> {
        let size = self.mean.len();
        let step = |row: usize| -> f64 {
            match &self.spread {
                Spread::Each(deviation) => deviation[row] * f64::from(noise[row]),
                Spread::Together(factor) => {
                    let entries = factor[row * size..][..=row].iter().zip(noise);
                    entries.map(|(entry, &noise)| entry * f64::from(noise)).sum()
                }
            }
        };
        let moved = self.mean.iter().enumerate();
        moved
            .map(|(row, mean)| (mean + temperature * step(row)) as f32)
            .collect()
    }

    /// What the expectation of a log density needs.
    fn density(&self) -> Density<'_> {
        Density::of(self)
    }
}

/// Gaussians with weights that sum to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    components: Vec<Gaussian>,
    weights: Vec<f64>,
}

impl Mixture {
    /// One Gaussian alone.
    #[must_use]
    pub fn single(gaussian: Gaussian) -> Self {
        Self {
            components: vec![gaussian],
            weights: vec![1.0],
        }
    }

    /// The prior of a network: the standard normal distribution, or the posteriors of its pseudo-inputs in equal parts.
    ///
    /// # Errors
    /// [`MixtureError::NotFinite`] for a network whose pseudo-inputs have posteriors that are no numbers.
    pub fn of_prior(network: &Inference) -> Result<Self, MixtureError> {
        let latent = network.config().latent;
        let Some(prior) = network.prior() else {
            return Ok(Self::single(Gaussian::standard(latent)));
        };
        let values = |tensor: Tensor<2>| to_values(tensor.flatten(0, 1));
        let (means, logs) = (values(prior.mean), values(prior.log_variance));
        let components: Option<Vec<Gaussian>> = means
            .chunks_exact(latent)
            .zip(logs.chunks_exact(latent))
            .map(|(mean, logs)| posterior(mean, logs))
            .collect();
        let components = components.ok_or_else(|| MixtureError::NotFinite {
            what: "a pseudo-input".to_owned(),
        })?;
        Ok(Self::in_equal_parts(components))
    }

    /// Gaussians of equal weights.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn in_equal_parts(components: Vec<Gaussian>) -> Self {
        assert!(!components.is_empty(), "a mixture has a component");
        let weights = vec![1.0 / components.len() as f64; components.len()];
        Self { components, weights }
    }

    /// Its Gaussians.
    #[must_use]
    pub fn components(&self) -> &[Gaussian] {
        &self.components
    }

    /// The weight of each.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The next point, `[latent]`, that a generator draws, at a temperature as [`Gaussian::point`] has it.
    #[must_use]
    pub fn draw(&self, temperature: f64, generator: &mut Generator) -> Vec<f32> {
        let noise = noise_of(generator, self.components[0].mean.len());
        self.components[chosen(&self.weights, generator)].point(&noise, temperature)
    }
}

/// What an encoder says of an image, as a Gaussian, if that is one.
#[must_use]
pub fn posterior(mean: &[f32], log_variance: &[f32]) -> Option<Gaussian> {
    let variance: Vec<f64> = log_variance.iter().map(|&log| f64::from(log).exp()).collect();
    Gaussian::independent(mean.iter().copied().map(f64::from).collect(), &variance)
}

/// The place of one of several weights, which sum to one, as often as it says. Where there is no choice nothing is drawn.
pub fn chosen(weights: &[f64], generator: &mut Generator) -> usize {
    if weights.len() < 2 {
        return 0;
    }
    let mut left: f64 = generator.random();
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    // Rounding may leave a little; what has no weight is never chosen.
    found.unwrap_or_else(|| weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0))
}

/// A Gaussian made ready for expectations of its log density.
struct Density<'a> {
    mean: &'a [f64],
    /// The inverse of the Cholesky factor, `[latent, latent]`, of which the lower triangle counts.
    inverse: Vec<f64>,
    /// The diagonal of the inverse covariance, `[latent]`.
    precision: Vec<f64>,
    /// The log density at the mean.
    peak: f64,
}

impl<'a> Density<'a> {
    fn of(gaussian: &'a Gaussian) -> Self {
        let size = gaussian.mean.len();
        let mut factor = gaussian.covariance();
        let is_positive = cholesky(&mut factor, size);
        debug_assert!(is_positive, "a mixture's covariances are positive");
        let mut inverse = vec![0.0; size * size];
        for column in 0..size {
            let mut unit = vec![0.0; size];
            unit[column] = 1.0;
            forward(&factor, &mut unit);
            for (row, value) in unit.into_iter().enumerate() {
                inverse[row * size + column] = value;
            }
        }
        let precision = (0..size)
            .map(|column| (column..size).map(|row| inverse[row * size + column].powi(2)).sum())
            .collect();
        let logs: f64 = factor.iter().step_by(size + 1).map(|value| value.ln()).sum();
        let peak = -logs - 0.5 * size as f64 * std::f64::consts::TAU.ln();
        Self {
            mean: &gaussian.mean,
            inverse,
            precision,
            peak,
        }
    }

    /// The expectation of the log density over a Gaussian with independent dimensions, in nats.
    fn expectation(&self, mean: &[f32], variance: &[f32]) -> f64 {
        let size = self.mean.len();
        let away: Vec<f64> = mean
            .iter()
            .zip(self.mean)
            .map(|(&value, mean)| f64::from(value) - mean)
            .collect();
        let distance: f64 = (0..size)
            .map(|row| {
                let entries = self.inverse[row * size..][..=row].iter().zip(&away);
                entries.map(|(entry, away)| entry * away).sum::<f64>().powi(2)
            })
            .sum();
        let spread: f64 = variance
            .iter()
            .zip(&self.precision)
            .map(|(&variance, precision)| f64::from(variance) * precision)
            .sum();
        self.peak - 0.5 * (distance + spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn points_have_the_moments_that_they_are_drawn_with() {
        let covariance = vec![2.0, 0.6, 0.6, 0.5];
        let gaussian = Gaussian::correlated(vec![1.0, -3.0], covariance.clone()).unwrap();
        assert!(
            gaussian
                .covariance()
                .iter()
                .zip(&covariance)
                .all(|(a, b)| (a - b).abs() < 1e-12)
        );
        let mixture = Mixture::single(gaussian);
        let mut generator = generator(3, Purpose::Prior, 0);
        let count = 40_000;
        for (temperature, share) in [(1.0, 1.0), (0.5, 0.25)] {
            let points: Vec<Vec<f32>> = (0..count).map(|_| mixture.draw(temperature, &mut generator)).collect();
            let mean = |axis: usize| points.iter().map(|point| f64::from(point[axis])).sum::<f64>() / count as f64;
            let means = [mean(0), mean(1)];
            assert!(
                (means[0] - 1.0).abs() < 0.03 && (means[1] + 3.0).abs() < 0.03,
                "{means:?}"
            );
            for (place, truth) in covariance.iter().enumerate() {
                let products = points.iter().map(|point| {
                    (f64::from(point[place / 2]) - means[place / 2]) * (f64::from(point[place % 2]) - means[place % 2])
                });
                let found = products.sum::<f64>() / count as f64;
                assert!((found - truth * share).abs() < 0.05, "{found} {truth}");
            }
            // Without any temperature all is the mean.
            assert_eq!(mixture.draw(0.0, &mut generator), [1.0, -3.0]);
        }
    }

    #[test]
    fn each_is_chosen_as_often_as_its_weight_says() {
        let mut generator = generator(1, Purpose::Prior, 0);
        let mut met = [0; 4];
        for _ in 0..20_000 {
            met[chosen(&[0.25, 0.0, 0.7, 0.05], &mut generator)] += 1;
        }
        assert_eq!(met[1], 0);
        for (count, share) in met.iter().zip([0.25, 0.0, 0.7, 0.05]) {
            assert!((f64::from(*count) / 20_000.0 - share).abs() < 0.015, "{met:?}");
        }
        assert_eq!(chosen(&[1.0], &mut generator), 0);
    }

    #[test]
    fn an_expected_log_density_is_the_integral() {
        let gaussian = Gaussian::correlated(vec![0.5, -1.0], vec![1.5, -0.4, -0.4, 0.7]).unwrap();
        let (mean, variance) = ([1.0_f32, 0.2], [0.3_f32, 0.9]);
        // The log density from its definition, integrated on a lattice.
        let determinant = 1.5 * 0.7 - 0.4 * 0.4;
        let log = |x: f64, y: f64| {
            let (x, y) = (x - 0.5, y + 1.0);
            let square = (0.7 * x * x + 2.0 * 0.4 * x * y + 1.5 * y * y) / determinant;
            -0.5 * square - 0.5 * f64::ln(determinant) - std::f64::consts::TAU.ln()
        };
        let (mut sum, mut mass) = (0.0, 0.0);
        for (i, j) in (-80..=80).flat_map(|i| (-80..=80).map(move |j| (f64::from(i) / 10.0, f64::from(j) / 10.0))) {
            let weight = (-0.5 * (i * i + j * j)).exp();
            let [x, y] = [0, 1].map(|axis| f64::from(variance[axis]).sqrt() * [i, j][axis] + f64::from(mean[axis]));
            sum += weight * log(x, y);
            mass += weight;
        }
        assert!((gaussian.density().expectation(&mean, &variance) - sum / mass).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_distribution_is_none() {
        assert!(Gaussian::independent(vec![f64::NAN], &[1.0]).is_none());
        assert!(Gaussian::independent(vec![0.0], &[-1.0]).is_none());
        assert!(Gaussian::independent(vec![0.0], &[]).is_none());
        assert!(Gaussian::correlated(vec![0.0, 0.0], vec![1.0, 2.0, 2.0, 1.0]).is_none());
        assert!(posterior(&[0.0], &[f32::INFINITY]).is_none());
    }
}
