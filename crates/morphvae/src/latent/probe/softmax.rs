//! Softmax regression: classes told apart by straight boundaries.

use std::ops::Range;

use rayon::prelude::*;

use super::minimize::{Slope, minimize};
use super::{LabelledPoints, ProbeError};
use crate::latent::matrix::{backward, cholesky, forward};

/// Parts of the points whose sums are taken apart, whatever the number of threads.
const PARTS: usize = 32;
/// The regression has settled when no entry of the gradient is above this, in nats per point.
const TOLERANCE: f64 = 1e-8;

/// Multinomial logistic regression: the class of a point is the one with the largest score, and a score is a linear
/// function of the point, so that any two classes are divided by a straight boundary.
///
/// The weights are those that make `mean of -log p(class | point) + ‖w‖² / 2n` least, over the `n` points that it learned
/// from, for features of mean 0 and variance 1: the most probable ones under a standard normal prior, and those of
/// scikit-learn's `LogisticRegression` (`C = 1`) behind a `StandardScaler`. Offsets have no penalty. There is one such
/// minimum, and it is found to within 1e-8 nats of slope: nothing is drawn by lot, and the same points give the same bits for
/// any number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxRegression {
    dimensions: usize,
    classes: Vec<u16>,
    /// `[classes, dimensions + 1]`: weights and an offset for each class, in the units of the points.
    scores: Vec<f64>,
}

impl SoftmaxRegression {
    /// Learns to tell the classes of `points` apart. Labels that no point has are no classes.
    ///
    /// # Errors
    /// [`ProbeError::Empty`] and [`ProbeError::OneClass`] where nothing is to be told apart; [`ProbeError::Unsettled`] when
    /// rounding is in the way of the minimum.
    pub fn fit(points: &LabelledPoints) -> Result<Self, ProbeError> {
        let mut classes = points.labels().to_vec();
        classes.sort_unstable();
        classes.dedup();
        match classes.len() {
            0 => return Err(ProbeError::Empty { what: "training" }),
            1 => return Err(ProbeError::OneClass),
            _ => {}
        }
        let scaling = Scaling::of(points);
        let task = Task::new(points, &classes, &scaling);
        let start = vec![0.0; classes.len() * (points.dimensions() + 1)];
        let bowl = task.bowl();
        let weights = minimize(
            start,
            |weights| task.loss(weights),
            |gradient| bowl.flatten(gradient),
            TOLERANCE,
        )?;
        Ok(Self {
            dimensions: points.dimensions(),
            scores: scaling.undone(&weights, classes.len()),
            classes,
        })
    }

    /// The classes that it tells apart, as labels in rising order.
    #[must_use]
    pub fn classes(&self) -> &[u16] {
        &self.classes
    }

    /// Numbers of a point.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The score of one of the classes, counted in the order of [`SoftmaxRegression::classes`], as a linear function of the
    /// point: its weights, `[dimensions]`, and its offset.
    ///
    /// # Panics
    /// When there is no such class.
    #[must_use]
    pub fn score(&self, class: usize) -> (&[f64], f64) {
        let numbers = &self.scores[class * (self.dimensions + 1)..][..=self.dimensions];
        (&numbers[..self.dimensions], numbers[self.dimensions])
    }

    /// The class that each point is taken for; of classes with the same score, the first.
    ///
    /// # Errors
    /// [`ProbeError::Dimensions`] for points of another space.
    pub fn classify(&self, points: &LabelledPoints) -> Result<Vec<u16>, ProbeError> {
        points.check(self.dimensions)?;
        let class_of = |index: usize| {
            let point = points.point(index);
            let score = |class: usize| {
                let (weights, offset) = self.score(class);
                weights
                    .iter()
                    .zip(point)
                    .map(|(weight, &x)| weight * f64::from(x))
                    .sum::<f64>()
                    + offset
            };
            let mut best = (0, score(0));
            for class in 1..self.classes.len() {
                let score = score(class);
                if score > best.1 {
                    best = (class, score);
                }
            }
            self.classes[best.0]
        };
        Ok((0..points.count()).into_par_iter().map(class_of).collect())
    }
}

/// What makes each dimension's mean 0 and its variance 1.
struct Scaling {
    mean: Vec<f64>,
    /// One over the standard deviation; zero for a dimension that does not change.
    factor: Vec<f64>,
}

impl Scaling {
    fn of(points: &LabelledPoints) -> Self {
        let count = points.count() as f64;
        let scale_of = |dimension: usize| {
            let values = || (0..points.count()).map(|index| f64::from(points.point(index)[dimension]));
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            let first = values().next();
            // Of equal numbers, too, the mean may be off by rounding.
            let changes = values().any(|value| Some(value) != first);
            (mean, if changes { variance.sqrt().recip() } else { 0.0 })
        };
        let (mean, factor) = (0..points.dimensions()).map(scale_of).unzip();
        Self { mean, factor }
    }

    /// A point's features.
    fn features<'a>(&'a self, point: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
        let scales = self.mean.iter().zip(&self.factor);
        point
            .iter()
            .zip(scales)
            .map(|(&x, (mean, factor))| (f64::from(x) - mean) * factor)
    }

    /// Weights of features, `[dimensions + 1, classes]`, as weights of the points themselves, `[classes, dimensions + 1]`.
    fn undone(&self, weights: &[f64], classes: usize) -> Vec<f64> {
        let dimensions = self.mean.len();
        let mut scores = Vec::with_capacity(weights.len());
        for class in 0..classes {
            let weight = |dimension: usize| weights[dimension * classes + class];
            let scaled = |dimension: usize| weight(dimension) * self.factor[dimension];
            scores.extend((0..dimensions).map(scaled));
            let moved: f64 = (0..dimensions)
                .map(|dimension| scaled(dimension) * self.mean[dimension])
                .sum();
            scores.push(weight(dimensions) - moved);
        }
        scores
    }
}

/// What is to be minimized.
struct Task {
    /// `[points, dimensions]`.
    features: Vec<f64>,
    /// The class of each point, as its place among the classes.
    targets: Vec<usize>,
    dimensions: usize,
    classes: usize,
    /// Of half the squared weights.
    penalty: f64,
}

impl Task {
    fn new(points: &LabelledPoints, classes: &[u16], scaling: &Scaling) -> Self {
        let place = |label: &u16| classes.binary_search(label).expect("every label is a class");
        Self {
            features: (0..points.count())
                .flat_map(|index| scaling.features(points.point(index)))
                .collect(),
            targets: points.labels().iter().map(place).collect(),
            dimensions: points.dimensions(),
            classes: classes.len(),
            penalty: 1.0 / points.count() as f64,
        }
    }

    /// The loss of `weights`, `[dimensions + 1, classes]`, offsets last, and its gradient.
    fn loss(&self, weights: &[f64]) -> Slope {
        let count = self.targets.len();
        let parts: Vec<Slope> = (0..PARTS)
            .into_par_iter()
            .map(|part| self.sums(part * count / PARTS..(part + 1) * count / PARTS, weights))
            .collect();
        let (mut loss, mut gradient) = (0.0, vec![0.0; weights.len()]);
        for (part, slopes) in parts {
            loss += part;
            gradient.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        loss /= count as f64;
        gradient.iter_mut().for_each(|slope| *slope /= count as f64);
        let penalized = &weights[..self.dimensions * self.classes];
        for (slope, weight) in gradient.iter_mut().zip(penalized) {
            loss += 0.5 * self.penalty * weight * weight;
            *slope += self.penalty * weight;
        }
        (loss, gradient)
    }

    /// The loss and its gradient summed over some of the points, without the penalty.
    fn sums(&self, points: Range<usize>, weights: &[f64]) -> Slope {
        let (mut loss, mut gradient) = (0.0, vec![0.0; weights.len()]);
        let (weights, offsets) = weights.split_at(self.dimensions * self.classes);
        let (slopes, offset_slopes) = gradient.split_at_mut(self.dimensions * self.classes);
        let mut scores = vec![0.0; self.classes];
        for index in points {
            let features = &self.features[index * self.dimensions..][..self.dimensions];
            scores.copy_from_slice(offsets);
            for (&feature, weights) in features.iter().zip(weights.chunks_exact(self.classes)) {
                scores
                    .iter_mut()
                    .zip(weights)
                    .for_each(|(score, weight)| *score += feature * weight);
            }
            let target = self.targets[index];
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let above = most - scores[target];
            scores.iter_mut().for_each(|score| *score = (*score - most).exp());
            let sum: f64 = scores.iter().sum();
            loss += above + sum.ln();
            // From here on what each class is given too much of: its probability, less one for the right one.
            scores.iter_mut().for_each(|score| *score /= sum);
            scores[target] -= 1.0;
            for (&feature, slopes) in features.iter().zip(slopes.chunks_exact_mut(self.classes)) {
                slopes
                    .iter_mut()
                    .zip(&scores)
                    .for_each(|(slope, surplus)| *slope += feature * surplus);
            }
            offset_slopes
                .iter_mut()
                .zip(&scores)
                .for_each(|(slope, surplus)| *slope += surplus);
        }
        (loss, gradient)
    }

    /// The bowl that is nowhere less curved than the loss: half the features' covariance, and the penalty.
    ///
    /// Source: D. Böhning, "Multinomial logistic regression algorithm", 1992. Weights that sum to zero over the classes, as
    /// they do all the way from zero on, are curved by a half at most.
    fn bowl(&self) -> Bowl {
        let (size, count) = (self.dimensions, self.targets.len());
        let mut factor = vec![0.0; size * size];
        for features in self.features.chunks_exact(size.max(1)) {
            for (row, &feature) in features.iter().enumerate() {
                let entries = &mut factor[row * size..][..=row];
                entries
                    .iter_mut()
                    .zip(features)
                    .for_each(|(entry, other)| *entry += feature * other);
            }
        }
        factor.iter_mut().for_each(|entry| *entry *= 0.5 / count as f64);
        factor
            .iter_mut()
            .step_by(size + 1)
            .for_each(|entry| *entry += self.penalty);
        // Positive by the penalty, but for rounding; without it, features are taken for unrelated.
        if !cholesky(&mut factor, size) {
            factor.fill(0.0);
            factor
                .iter_mut()
                .step_by(size + 1)
                .for_each(|entry| *entry = (0.5 + self.penalty).sqrt());
        }
        Bowl {
            size,
            classes: self.classes,
            factor,
        }
    }
}

/// A bowl with the same curvature for each class.
struct Bowl {
    size: usize,
    classes: usize,
    /// Its curvature's Cholesky factor, `[size, size]`.
    factor: Vec<f64>,
}

impl Bowl {
    /// Makes of a gradient, `[size + 1, classes]`, the way to the bottom; the last row's curvature is a half.
    fn flatten(&self, gradient: &mut [f64]) {
        let mut column = vec![0.0; self.size];
        for class in 0..self.classes {
            for (row, value) in column.iter_mut().enumerate() {
                *value = gradient[row * self.classes + class];
            }
            forward(&self.factor, &mut column);
            backward(&self.factor, &mut column);
            for (row, value) in column.iter().enumerate() {
                gradient[row * self.classes + class] = *value;
            }
        }
        let offsets = &mut gradient[self.size * self.classes..];
        offsets.iter_mut().for_each(|slope| *slope *= 2.0);
    }
}
