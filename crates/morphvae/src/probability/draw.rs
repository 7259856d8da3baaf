//! Images drawn around what a decoder says, where its own answer is their mean.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::{DELTA, Likelihood};
use crate::random::Generator;

/// The number of the brightest level.
const BRIGHTEST: f64 = 255.0;

/// Logits closer to zero than this are zero: the density is even there to the last digit.
const EVEN: f64 = 1e-8;

impl Likelihood {
    /// Draws each pixel from its distribution around its `location`, in whose place it comes; `scale` is the learned one.
    /// Under the cross-entropy, which is no likelihood of grey values, a pixel is ink with the probability that its
    /// location is. What a Gaussian draws may lie beyond black and white.
    ///
    /// # Panics
    /// Without a scale where [`Likelihood::first_log_scale`] gives one.
    pub fn draw(self, locations: &mut [f32], scale: Option<f32>, generator: &mut Generator) {
        let scale = || f64::from(scale.expect("a likelihood with a learned scale is given one"));
        match self {
            Self::CrossEntropy => {
                for pixel in locations {
                    *pixel = f32::from(u8::from(generator.random::<f32>() < *pixel));
                }
            }
            Self::ContinuousBernoulli => {
                for pixel in locations {
                    *pixel = continuous(f64::from(*pixel), generator.random()) as f32;
                }
            }
            Self::Gaussian => {
                let deviation = scale();
                for pixel in locations {
                    let noise: f64 = StandardNormal.sample(generator);
                    *pixel = (f64::from(*pixel) + deviation * noise) as f32;
                }
            }
            Self::DiscretizedLogistic => {
                let scale = scale();
                for pixel in locations {
                    let probability: f64 = generator.random();
                    let logistic = (probability / (1.0 - probability)).ln();
                    let level = (BRIGHTEST * (f64::from(*pixel) + scale * logistic)).round();
                    *pixel = (level.clamp(0.0, BRIGHTEST) / BRIGHTEST) as f32;
                }
            }
        }
    }
}

/// The value below which a continuous Bernoulli variable lies with this probability: its distribution function turned
/// around, `log(1 + u (exp(η) - 1)) / η` with the logit η of its parameter.
fn continuous(location: f64, probability: f64) -> f64 {
    let logit = ((location + f64::from(DELTA)) / (1.0 - location + f64::from(DELTA))).ln();
    match logit.abs() < EVEN {
        true => probability,
        false => (probability * logit.exp_m1()).ln_1p() / logit,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::network::to_values;
    use crate::random::{Purpose, generator};

    const DRAWS: usize = 60_000;
    const LOG_SCALE: f32 = -2.5;

    fn drawn(likelihood: Likelihood, location: f32) -> Vec<f64> {
        let mut pixels = vec![location; DRAWS];
        let scale = likelihood.first_log_scale().map(|_| LOG_SCALE.exp());
        likelihood.draw(&mut pixels, scale, &mut generator(4, Purpose::Pixels, 0));
        pixels.into_iter().map(f64::from).collect()
    }

    /// What the loss says of pixels of these values: their densities, or probabilities.
    fn densities(likelihood: Likelihood, pixels: &[f32], location: f32) -> Vec<f64> {
        let device = Device::flex();
        let count = pixels.len();
        let images = Tensor::<1>::from_floats(pixels, &device).reshape([count, 1, 1, 1]);
        let locations = Tensor::full([count, 1, 1, 1], location, &device);
        let log_scale = likelihood
            .first_log_scale()
            .map(|_| Tensor::full([1], LOG_SCALE, &device));
        let losses = to_values(likelihood.loss(images, locations, log_scale));
        losses.into_iter().map(|loss| f64::from(-loss).exp()).collect()
    }

    #[test]
    fn densities_have_the_moments_of_what_is_drawn() {
        for (likelihood, from, to) in [
            (Likelihood::ContinuousBernoulli, 0.0, 1.0),
            (Likelihood::Gaussian, -1.5, 2.5),
        ] {
            for location in [0.02, 0.3, 0.5, 0.9] {
                // Middles of narrow slices.
                let slices: Vec<f32> = (0..8000)
                    .map(|slice| from + (to - from) * (slice as f32 + 0.5) / 8000.0)
                    .collect();
                let weights = densities(likelihood, &slices, location);
                let moment = |power: i32| {
                    let terms = slices
                        .iter()
                        .zip(&weights)
                        .map(|(&x, weight)| f64::from(x).powi(power) * weight);
                    terms.sum::<f64>() * f64::from(to - from) / 8000.0
                };
                let drawn = drawn(likelihood, location);
                for power in [1, 2, 3] {
                    let found = drawn.iter().map(|value| value.powi(power)).sum::<f64>() / DRAWS as f64;
                    assert!(
                        (found - moment(power)).abs() < 6e-3,
                        "{likelihood:?} {location} {power}: {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn levels_are_drawn_as_often_as_they_are_probable() {
        for location in [0.0, 0.4, 0.99] {
            let levels: Vec<f32> = (0..=255_u8).map(|level| f32::from(level) / 255.0).collect();
            let truth = densities(Likelihood::DiscretizedLogistic, &levels, location);
            let mut counts = vec![0.0_f64; 256];
            for pixel in drawn(Likelihood::DiscretizedLogistic, location) {
                counts[(pixel * 255.0).round() as usize] += 1.0;
            }
            // Pearson's statistic over levels that are met often: its mean is their number, its variance twice that.
            let often = || {
                counts
                    .iter()
                    .zip(&truth)
                    .filter(|(_, truth)| **truth * DRAWS as f64 > 20.0)
            };
            let squares = often().map(|(count, truth)| {
                let expected = truth * DRAWS as f64;
                (count - expected).powi(2) / expected
            });
            let (statistic, freedom) = (squares.sum::<f64>(), often().count() as f64);
            assert!(
                freedom > 20.0 && statistic < freedom + 5.0 * (2.0 * freedom).sqrt(),
                "{location}: {statistic} {freedom}"
            );
        }
    }

    #[test]
    fn ink_is_as_frequent_as_the_decoder_says() {
        for location in [0.0, 0.2, 0.75, 1.0] {
            let drawn = drawn(Likelihood::CrossEntropy, location);
            assert!(drawn.iter().all(|&pixel| pixel == 0.0 || pixel == 1.0));
            let share = drawn.iter().sum::<f64>() / DRAWS as f64;
            assert!((share - f64::from(location)).abs() < 8e-3, "{share}");
        }
    }
}
