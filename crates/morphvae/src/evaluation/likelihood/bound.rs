//! The bounds that one, two, four and so on samples give, without any sample being kept.

use super::Bound;

/// The bounds of one image, from the logarithms of its samples' weights as they come.
///
/// Level `n` is of groups of `2^n` samples. Two groups that are full make one of the level above, as digits carry when a
/// binary counter counts; so nothing grows with the samples but, slowly, the number of levels.
#[derive(Debug, Default)]
pub(super) struct ImageBounds {
    levels: Vec<Level>,
    /// The logarithm of the sum of all weights, and of their squares.
    total: LogSum,
    squares: LogSum,
    samples: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// The logarithm of the sum of a group's weights, which waits for its neighbour.
    waiting: Option<f64>,
    groups: f64,
    mean: f64,
    /// Squared deviations from the mean, summed (Welford, 1962).
    squares: f64,
}

/// The logarithm of a sum of exponentials.
#[derive(Clone, Copy, Debug)]
struct LogSum(f64);

impl Default for LogSum {
    fn default() -> Self {
        Self(f64::NEG_INFINITY)
    }
}

impl LogSum {
    fn with(self, other: f64) -> Self {
        let (low, high) = (self.0.min(other), self.0.max(other));
        // Two weights of nothing are nothing, and not no number.
        let more = if low == f64::NEG_INFINITY {
            0.0
        } else {
            (low - high).exp().ln_1p()
        };
        Self(high + more)
    }
}

impl ImageBounds {
    /// Counts a sample whose weight has this logarithm.
    pub fn push(&mut self, log_weight: f64) {
        self.samples += 1;
        self.total = self.total.with(log_weight);
        self.squares = self.squares.with(2.0 * log_weight);
        let mut group = log_weight;
        for number in 0.. {
            if number == self.levels.len() {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[number];
            level.count(group - number as f64 * std::f64::consts::LN_2);
            match level.waiting.take() {
                Some(neighbour) => group = LogSum(neighbour).with(group).0,
                None => {
                    level.waiting = Some(group);
                    return;
                }
            }
        }
    }

    /// How many samples of equal weight would be worth as much.
    pub fn effective_samples(&self) -> f64 {
        (2.0 * self.total.0 - self.squares.0).exp()
    }

    /// What all samples say: an estimate of `log p(x)`.
    pub fn estimate(&self) -> f64 {
        self.total.0 - (self.samples as f64).ln()
    }
}

impl Level {
    fn count(&mut self, bound: f64) {
        self.groups += 1.0;
        let deviation = bound - self.mean;
        self.mean += deviation / self.groups;
        self.squares += deviation * (bound - self.mean);
    }
}

/// The bounds of many images, each with as many samples.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    levels: Vec<Sums>,
    /// What is estimated of `-log p(x)` of each image.
    pub per_image: Vec<f64>,
    /// The effective samples of each.
    pub effective_samples: Vec<f64>,
    samples: usize,
}

/// Of one level, over images.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    mean: f64,
    /// Of a group's bound.
    variance: f64,
    has_variance: bool,
}

impl Bounds {
    /// Counts an image.
    pub fn add(&mut self, image: &ImageBounds) {
        self.samples = image.samples;
        self.per_image.push(-image.estimate());
        self.effective_samples.push(image.effective_samples());
        self.levels.resize(image.levels.len(), Sums::default());
        for (sums, level) in self.levels.iter_mut().zip(&image.levels) {
            sums.mean += level.mean;
            sums.has_variance = level.groups > 1.0;
            sums.variance += level.squares / (level.groups - 1.0).max(1.0);
        }
    }

    /// The bound of one sample, of two and so on, and that of all.
    pub fn means(&self) -> Vec<Bound> {
        let images = self.per_image.len().max(1) as f64;
        let mut bounds: Vec<Bound> = (self.levels.iter().enumerate())
            .map(|(level, sums)| Bound {
                samples: 1 << level,
                mean: sums.mean / images,
                // Images are sampled independently.
                deviation: sums.has_variance.then(|| sums.variance.sqrt() / images),
            })
            .collect();
        if !self.samples.is_power_of_two() && self.samples > 0 {
            bounds.push(Bound {
                samples: self.samples,
                mean: -self.per_image.iter().sum::<f64>() / images,
                deviation: None,
            });
        }
        bounds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bound of groups of so many, written down as it is defined.
    fn naive(log_weights: &[f64], size: usize) -> (f64, Vec<f64>) {
        let groups: Vec<f64> = log_weights
            .chunks_exact(size)
            .map(|group| (group.iter().map(|weight| weight.exp()).sum::<f64>() / size as f64).ln())
            .collect();
        (groups.iter().sum::<f64>() / groups.len() as f64, groups)
    }

    proptest! {
        #[test]
        fn bounds_are_those_of_the_definition(
            images in (1_usize..70).prop_flat_map(|samples| {
                prop::collection::vec(prop::collection::vec(-30.0_f64..30.0, samples), 1..4)
            }),
        ) {
            let mut bounds = Bounds::default();
            for log_weights in &images {
                let mut image = ImageBounds::default();
                log_weights.iter().for_each(|&weight| image.push(weight));
                bounds.add(&image);
            }
            let samples = images[0].len();
            let found = bounds.means();
            prop_assert_eq!(found.last().unwrap().samples, samples);
            for bound in found {
                let truth: Vec<_> = images.iter().map(|weights| naive(weights, bound.samples)).collect();
                let mean = truth.iter().map(|(mean, _)| mean).sum::<f64>() / images.len() as f64;
                prop_assert!((bound.mean - mean).abs() < 1e-9, "{bound:?}: {mean}");
                if let Some(deviation) = bound.deviation {
                    let variance: f64 = truth.iter().map(|(mean, groups)| {
                        groups.iter().map(|group| (group - mean).powi(2)).sum::<f64>() / (groups.len() - 1) as f64
                    }).sum();
                    prop_assert!((deviation - variance.sqrt() / images.len() as f64).abs() < 1e-7);
                }
            }
            for (estimate, weights) in bounds.per_image.iter().zip(&images) {
                prop_assert!((estimate + naive(weights, samples).0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn weights_beyond_all_exponents_are_no_trouble() {
        let mut image = ImageBounds::default();
        for weight in [-1e5, f64::NEG_INFINITY, -1e5 + 2.0_f64.ln(), f64::NEG_INFINITY] {
            image.push(weight);
        }
        assert!((image.estimate() - (-1e5 + (3.0_f64 / 4.0).ln())).abs() < 1e-9);
        // Weights 1, 2 and two of nothing: 3² / (1 + 4).
        assert!((image.effective_samples() - 1.8).abs() < 1e-9);
        let mut nothing = ImageBounds::default();
        (0..2).for_each(|_| nothing.push(f64::NEG_INFINITY));
        assert_eq!(nothing.estimate(), f64::NEG_INFINITY);
    }
}
