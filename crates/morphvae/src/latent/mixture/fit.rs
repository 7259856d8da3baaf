//! A mixture fitted to encoded images by expectation and maximization.
//!
//! What is fitted is the aggregate posterior, the mixture of what the encoder says of all images, which is what a decoder
//! has learned to read; the images' means alone lie closer together. Both steps take each image's whole Gaussian into
//! account (Vasconcelos and Lippman, "Learning mixture hierarchies", 1998): where its variances are zero they are those of
//! the well-known algorithm. Drawing from a density that is fitted after training, instead of from the prior, is what
//! Ghosh et al. found to give better images ("From variational to deterministic autoencoders", 2020).

use rand::RngExt;
use rayon::prelude::*;

use super::{Gaussian, MOST_FITTED_DIMENSIONS, Mixture, MixtureError, chosen};
use crate::random::{Generator, Purpose, generator};

/// Steps after which a fit ends in any case.
const MOST_STEPS: usize = 200;

/// A fit ends when a step gains less, in nats per point.
const LEAST_GAIN: f64 = 1e-4;

/// The least variance of a point, as a share of the mean variance of all: so that no covariance vanishes, where encodings
/// are single points, lie on a plane, or are the same.
const LEAST_VARIANCE: f64 = 1e-6;

/// A component with fewer points than this stays where it is.
const LEAST_POINTS: f64 = 1e-3;

/// How a mixture is fitted.
#[derive(Clone, Copy, Debug)]
pub struct FitOptions {
    /// Gaussians, at most: where there are few points for each, there are fewer.
    pub components: usize,
    /// Decides where they begin.
    pub seed: u64,
    /// Which of several mixtures of one seed this is.
    pub number: u64,
}

/// A mixture and how it was found.
#[derive(Clone, Debug)]
pub struct Fit {
    /// What was found.
    pub mixture: Mixture,
    /// After each step a bound below the points' mean log density under the mixture, in nats per point, which never falls.
    pub bounds: Vec<f64>,
}

/// What is fitted to.
struct Points<'a> {
    latent: usize,
    means: &'a [f32],
    /// At least a little.
    variances: Vec<f32>,
}

/// Fits a mixture to encoded images: Gaussians by their `means` and `variances`, both `[points, latent]`. It begins at
/// seeded points far from each other (k-means++, Arthur and Vassilvitskii, 2007), and is the same for any number of
/// threads.
///
/// # Errors
/// [`MixtureError`] when there is no point or no component asked for, the numbers are no points, one is not finite, or
/// they have too many dimensions.
pub fn fit(latent: usize, means: &[f32], variances: &[f32], options: FitOptions) -> Result<Fit, MixtureError> {
    let points = Points::new(latent, means, variances)?;
    let most = points.count() / (latent + 1);
    let count = options.components.min(most.max(1));
    if count == 0 || points.count() == 0 {
        return Err(MixtureError::Empty {
            components: options.components,
            points: points.count(),
        });
    }
    let mut generator = generator(options.seed, Purpose::Mixture, options.number);
    let mut shares = points.nearest_of(&points.scattered(count, &mut generator));
    // No component has a place before the first step, which gives one to each that is nearest to a point.
    let middle = points.gaussian(&vec![1.0; points.count()]);
    let mut mixture = Mixture {
        components: vec![middle; count],
        weights: vec![1.0 / count as f64; count],
    };
    let mut bounds: Vec<f64> = Vec::new();
    for _ in 0..MOST_STEPS {
        mixture = points.maximize(&mixture, &shares);
        let bound;
        (shares, bound) = points.expect(&mixture);
        let gain = bounds.last().map_or(f64::INFINITY, |last| bound - last);
        bounds.push(bound);
        if gain < LEAST_GAIN {
            break;
        }
    }
    Ok(Fit { mixture, bounds })
}

impl<'a> Points<'a> {
    fn new(latent: usize, means: &'a [f32], variances: &[f32]) -> Result<Self, MixtureError> {
        if latent == 0 || means.len() != variances.len() || !means.len().is_multiple_of(latent) {
            return Err(MixtureError::Mismatch {
                latent,
                means: means.len(),
                variances: variances.len(),
            });
        }
        if latent > MOST_FITTED_DIMENSIONS {
            return Err(MixtureError::Dimensions { latent });
        }
        let is_sound = |(mean, variance): (&f32, &f32)| mean.is_finite() && variance.is_finite() && *variance >= 0.0;
        if let Some(place) = means.iter().zip(variances).position(|pair| !is_sound(pair)) {
            let what = format!("encoded image {}", place / latent);
            return Err(MixtureError::NotFinite { what });
        }
        let points = Self {
            latent,
            means,
            variances: variances.to_vec(),
        };
        let all = points.moments(&vec![1.0; points.count()]).1;
        let spread = all.iter().step_by(latent + 1).sum::<f64>() / latent as f64;
        let least = (LEAST_VARIANCE * spread).max(f64::from(f32::MIN_POSITIVE).sqrt()) as f32;
        Ok(Self {
            variances: points.variances.into_iter().map(|value| value.max(least)).collect(),
            ..points
        })
    }

    fn count(&self) -> usize {
        self.means.len() / self.latent
    }

    fn point(&self, index: usize) -> (&[f32], &[f32]) {
        let place = index * self.latent..(index + 1) * self.latent;
        (&self.means[place.clone()], &self.variances[place])
    }

    /// So many points far from each other: each with a probability that grows with the square of its distance to those that
    /// are chosen already.
    fn scattered(&self, count: usize, generator: &mut Generator) -> Vec<usize> {
        let mut places = vec![generator.random_range(0..self.count())];
        let mut distances = vec![f64::INFINITY; self.count()];
        while places.len() < count {
            let last = places[places.len() - 1];
            for (index, nearest) in distances.iter_mut().enumerate() {
                *nearest = nearest.min(self.distance(index, last));
            }
            let sum: f64 = distances.iter().sum();
            let weights: Vec<f64> = distances.iter().map(|distance| distance / sum).collect();
            places.push(match sum > 0.0 {
                true => chosen(&weights, generator),
                // All are the same.
                false => last,
            });
        }
        places
    }

    fn distance(&self, one: usize, other: usize) -> f64 {
        let pairs = self.point(one).0.iter().zip(self.point(other).0);
        pairs
            .map(|(&one, &other)| (f64::from(one) - f64::from(other)).powi(2))
            .sum()
    }

    /// For each of these places the points that are nearest to it, as shares of zero or one.
    fn nearest_of(&self, places: &[usize]) -> Vec<Vec<f64>> {
        let nearest = |index: usize| {
            let distances = places.iter().map(|&place| self.distance(index, place));
            let nearest = distances
                .enumerate()
                .min_by(|(_, one), (_, other)| one.total_cmp(other));
            nearest.map_or(0, |(number, _)| number)
        };
        let nearest: Vec<usize> = (0..self.count()).map(nearest).collect();
        let of = |number: usize| {
            nearest
                .iter()
                .map(|&found| f64::from(u8::from(found == number)))
                .collect()
        };
        (0..places.len()).map(of).collect()
    }

    /// The mixture that suits the shares of its components in the points best.
    fn maximize(&self, before: &Mixture, shares: &[Vec<f64>]) -> Mixture {
        let component = |(gaussian, shares): (&Gaussian, &Vec<f64>)| {
            let points: f64 = shares.iter().sum();
            let gaussian = if points < LEAST_POINTS {
                gaussian.clone()
            } else {
                self.gaussian(shares)
            };
            (gaussian, points / self.count() as f64)
        };
        let (components, weights) = before.components.par_iter().zip(shares).map(component).unzip();
        Mixture { components, weights }
    }

    fn gaussian(&self, shares: &[f64]) -> Gaussian {
        let (mean, covariance) = self.moments(shares);
        Gaussian::correlated(mean, covariance).expect("points have variances")
    }

    /// Mean and covariance of the points' Gaussians by their shares.
    fn moments(&self, shares: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let size = self.latent;
        let total: f64 = shares.iter().sum();
        let mut mean = vec![0.0; size];
        for (index, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            for (mean, &value) in mean.iter_mut().zip(self.point(index).0) {
                *mean += share / total * f64::from(value);
            }
        }
        let mut covariance = vec![0.0; size * size];
        let mut away = vec![0.0; size];
        for (index, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            let (place, variance) = self.point(index);
            for ((away, &value), mean) in away.iter_mut().zip(place).zip(&mean) {
                *away = f64::from(value) - mean;
            }
            let share = share / total;
            for (row, entries) in covariance.chunks_exact_mut(size).enumerate() {
                let factor = share * away[row];
                for (entry, away) in entries[..=row].iter_mut().zip(&away) {
                    *entry += factor * away;
                }
                entries[row] += share * f64::from(variance[row]);
            }
        }
        (mean, covariance)
    }

    /// The share of each component in each point, `[components][points]`, and the bound below their mean log density.
    fn expect(&self, mixture: &Mixture) -> (Vec<Vec<f64>>, f64) {
        let densities: Vec<_> = mixture.components.iter().map(Gaussian::density).collect();
        let logs: Vec<f64> = mixture.weights.iter().map(|weight| weight.ln()).collect();
        let point = |index: usize| {
            let (mean, variance) = self.point(index);
            let joint: Vec<f64> = densities
                .iter()
                .zip(&logs)
                .map(|(density, log)| log + density.expectation(mean, variance))
                .collect();
            let largest = joint.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = joint.iter().map(|value| (value - largest).exp()).sum();
            let log_sum = largest + sum.ln();
            let shares: Vec<f64> = joint.into_iter().map(|value| (value - log_sum).exp()).collect();
            (shares, log_sum)
        };
        let found: Vec<(Vec<f64>, f64)> = (0..self.count()).into_par_iter().map(point).collect();
        let bound = found.iter().map(|(_, bound)| bound).sum::<f64>() / self.count() as f64;
        let of = |component: usize| found.iter().map(|(shares, _)| shares[component]).collect();
        ((0..densities.len()).map(of).collect(), bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::noise_of;
    use proptest::prelude::*;

    fn options(components: usize) -> FitOptions {
        FitOptions {
            components,
            seed: 5,
            number: 0,
        }
    }

    #[test]
    fn one_component_has_the_mean_and_the_covariance_of_the_aggregate() {
        let means = [0.0, 0.0, 2.0, 1.0, 4.0, -4.0];
        let variances = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let found = fit(2, &means, &variances, options(1)).unwrap();
        let gaussian = &found.mixture.components()[0];
        let close = |found: &[f64], truth: &[f64]| found.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(gaussian.mean(), &[2.0, -1.0]));
        // (4 + 0 + 4) / 3 and (1 + 4 + 9) / 3 and (-2 + 0 - 6) / 3, with the mean variances.
        let truth = [8.0 / 3.0 + 0.3, -8.0 / 3.0, -8.0 / 3.0, 14.0 / 3.0 + 0.4];
        assert!(close(&gaussian.covariance(), &truth), "{gaussian:?}");
        assert_eq!(found.mixture.weights(), [1.0]);
        // The bound of one Gaussian fitted to itself: its negative entropy.
        let determinant: f64 = truth[0] * truth[3] - truth[1] * truth[2];
        let entropy = 1.0 + std::f64::consts::TAU.ln() + 0.5 * determinant.ln();
        assert!((found.bounds[0] + entropy).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_known_mixture_is_found_again() {
        let truth = Mixture {
            components: vec![
                Gaussian::correlated(vec![0.0, 0.0], vec![1.0, 0.8, 0.8, 1.0]).unwrap(),
                Gaussian::correlated(vec![5.0, 0.0], vec![0.3, 0.0, 0.0, 2.0]).unwrap(),
                Gaussian::correlated(vec![0.0, 6.0], vec![0.5, -0.2, -0.2, 0.5]).unwrap(),
            ],
            weights: vec![0.5, 0.2, 0.3],
        };
        let mut generator = generator(8, Purpose::Noise, 0);
        let points: Vec<f32> = (0..6000).flat_map(|_| truth.draw(1.0, &mut generator)).collect();
        let found = fit(2, &points, &vec![0.0; points.len()], options(3)).unwrap().mixture;
        for (gaussian, weight) in truth.components.iter().zip(&truth.weights) {
            let distance = |other: &Gaussian| -> f64 {
                let pairs = gaussian.mean.iter().zip(&other.mean);
                pairs.map(|(a, b)| (a - b).powi(2)).sum()
            };
            let places = 0..found.components.len();
            let nearest =
                places.min_by(|&a, &b| distance(&found.components[a]).total_cmp(&distance(&found.components[b])));
            let nearest = nearest.unwrap();
            assert!(distance(&found.components[nearest]) < 0.02);
            assert!((found.weights[nearest] - weight).abs() < 0.02);
            let [ours, theirs] = [found.components[nearest].covariance(), gaussian.covariance()];
            assert!(
                ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 0.15),
                "{ours:?} {theirs:?}"
            );
        }
    }

    #[test]
    fn wide_posteriors_are_as_many_points() {
        // Each point is a Gaussian; so many draws of it are fitted like it.
        let mut generator = generator(2, Purpose::Noise, 0);
        let means = [-3.0_f32, 3.0, 2.5];
        let variances = [0.5_f32, 1.0, 2.0];
        let mut draws = Vec::new();
        for (mean, variance) in means.iter().zip(&variances) {
            let noise = noise_of(&mut generator, 20_000);
            draws.extend(noise.into_iter().map(|noise| mean + variance.sqrt() * noise));
        }
        let [few, many] = [
            fit(1, &means, &variances, options(1)).unwrap(),
            fit(1, &draws, &vec![0.0; draws.len()], options(1)).unwrap(),
        ]
        .map(|fit| fit.mixture.components[0].clone());
        assert!((few.mean[0] - many.mean[0]).abs() < 0.02);
        assert!(
            (few.covariance()[0] - many.covariance()[0]).abs() < 0.1,
            "{few:?} {many:?}"
        );
    }

    #[test]
    fn points_that_are_the_same_or_few_or_flat_are_borne() {
        for points in [
            vec![1.0; 20],
            vec![0.5, -0.5],
            vec![0.0, 1.0, 0.0, 2.0, 0.0, 5.0, 0.0, 7.0],
        ] {
            let found = fit(2, &points, &vec![0.0; points.len()], options(4)).unwrap();
            let drawn = found.mixture.draw(1.0, &mut generator(0, Purpose::Prior, 0));
            assert!(drawn.iter().all(|value| value.is_finite()), "{found:?}");
        }
    }

    #[test]
    fn what_is_nothing_to_fit_to_is_refused() {
        let error = |latent, means: &[f32], variances: &[f32], components| {
            fit(latent, means, variances, options(components)).unwrap_err()
        };
        assert!(matches!(error(2, &[], &[], 1), MixtureError::Empty { points: 0, .. }));
        assert!(matches!(
            error(2, &[0.0; 4], &[0.0; 4], 0),
            MixtureError::Empty { components: 0, .. }
        ));
        assert!(matches!(
            error(2, &[0.0; 3], &[0.0; 3], 1),
            MixtureError::Mismatch { .. }
        ));
        assert!(matches!(
            error(1, &[0.0; 3], &[0.0; 2], 1),
            MixtureError::Mismatch { .. }
        ));
        assert!(matches!(
            error(5000, &[0.0; 5000], &[0.0; 5000], 1),
            MixtureError::Dimensions { .. }
        ));
        let message = error(2, &[0.0, 1.0, 2.0, f32::NAN], &[0.0; 4], 1).to_string();
        assert!(message.contains("encoded image 1"), "{message}");
        assert!(matches!(error(1, &[0.0], &[-1.0], 1), MixtureError::NotFinite { .. }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_step_loses(
            values in prop::collection::vec((-3.0_f32..3.0, 0.0_f32..0.5), 30..120),
            latent in 1_usize..4, components in 1_usize..5, seed in any::<u64>(), is_plain: bool,
        ) {
            let length = values.len() / latent * latent;
            let means: Vec<f32> = values[..length].iter().map(|(mean, _)| *mean).collect();
            let variances: Vec<f32> = values[..length].iter().map(|(_, variance)| if is_plain { 0.0 } else { *variance }).collect();
            let options = FitOptions { components, seed, number: 1 };
            let found = fit(latent, &means, &variances, options).unwrap();
            for pair in found.bounds.windows(2) {
                prop_assert!(pair[1] >= pair[0] - 1e-9 * pair[0].abs().max(1.0), "{:?}", found.bounds);
            }
            let sum: f64 = found.mixture.weights().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
        }
    }
}
