//! Both probes on points whose classes are known to lie apart, or not to; the regression against what its minimum must be.

use rand::RngExt;

use super::*;
use crate::random::{Purpose, generator, noise};

fn labelled(values: &[f32], dimensions: usize, labels: &[u16]) -> LabelledPoints {
    let labels: Vec<Option<u16>> = labels.iter().copied().map(Some).collect();
    LabelledPoints::new(values, dimensions, &labels).unwrap()
}

/// `count` points around each of `centres`, normal with a standard deviation; the labels are the centres' numbers.
fn clouds(centres: &[[f32; 2]], deviation: f32, count: usize) -> LabelledPoints {
    let noise = noise(3, Purpose::Noise, 0, centres.len() * count * 2);
    let labels: Vec<u16> = (0..centres.len() * count)
        .map(|index| (index % centres.len()) as u16)
        .collect();
    let values: Vec<f32> = noise
        .chunks_exact(2)
        .zip(&labels)
        .flat_map(|(noise, &label)| [0, 1].map(|axis| centres[usize::from(label)][axis] + deviation * noise[axis]))
        .collect();
    labelled(&values, 2, &labels)
}

/// The share of `points` that probes which learned from them get right: the regression, and three neighbours.
fn shares(points: &LabelledPoints) -> [f64; 2] {
    let regression = SoftmaxRegression::fit(points).unwrap();
    let voters = NearestNeighbours::new(points, 3).unwrap();
    let neighbours = voters.classify(points).unwrap();
    let findings = Findings::of(points, points, &regression, &voters, &neighbours).unwrap();
    [findings.linear.share(), findings.neighbours.share()]
}

/// The probabilities of the classes at a point, by their scores.
fn probabilities(regression: &SoftmaxRegression, point: &[f32]) -> Vec<f64> {
    let power = |class: usize| {
        let (weights, offset) = regression.score(class);
        let score: f64 = weights
            .iter()
            .zip(point)
            .map(|(weight, &x)| weight * f64::from(x))
            .sum();
        (score + offset).exp()
    };
    let powers: Vec<f64> = (0..regression.classes().len()).map(power).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The largest slope of the regression's loss at its minimum, from the definition: for each class and each standardized
/// dimension, the mean of (probability - truth) times the feature, and the weight over the number of points.
fn largest_slope(points: &LabelledPoints, regression: &SoftmaxRegression) -> f64 {
    let count = points.count() as f64;
    let mean_of = |of: &dyn Fn(usize) -> f64| (0..points.count()).map(of).sum::<f64>() / count;
    let mut largest = 0.0_f64;
    let all: Vec<Vec<f64>> = (0..points.count())
        .map(|index| probabilities(regression, points.point(index)))
        .collect();
    let wrong = |index: usize, class: usize| {
        let truth = regression.classes()[class] == points.labels()[index];
        all[index][class] - f64::from(u8::from(truth))
    };
    for class in 0..regression.classes().len() {
        largest = largest.max(mean_of(&|index| wrong(index, class)).abs());
        for axis in 0..points.dimensions() {
            let value = |index: usize| f64::from(points.point(index)[axis]);
            let mean = mean_of(&value);
            let deviation = mean_of(&|index| (value(index) - mean).powi(2)).sqrt();
            let slope = mean_of(&|index| wrong(index, class) * (value(index) - mean) / deviation);
            let weight = regression.score(class).0[axis] * deviation;
            largest = largest.max((slope + weight / count).abs());
        }
    }
    largest
}

#[test]
fn the_regression_ends_where_its_loss_is_flat() {
    let mut random = generator(1, Purpose::Noise, 9);
    for (count, dimensions, classes) in [(60, 3, 3), (500, 12, 10), (300, 1, 2), (40, 30, 5)] {
        // Related dimensions of unlike sizes, far from the origin, and classes that depend on them with exceptions.
        let noise = noise(2, Purpose::Noise, count as u64, count * dimensions);
        let mut values = Vec::new();
        for point in noise.chunks_exact(dimensions) {
            let all: f32 = point.iter().sum();
            values.extend((0..dimensions).map(|axis| 50.0 + (axis + 1) as f32 * (point[axis] + 0.8 * all)));
        }
        let labels: Vec<u16> = noise
            .chunks_exact(dimensions)
            .map(|point| match random.random_range(0..5) {
                0 => random.random_range(0..classes),
                _ => ((point[0] + 2.0) as u16).min(classes - 1),
            })
            .collect();
        let points = labelled(&values, dimensions, &labels);
        let slope = largest_slope(&points, &SoftmaxRegression::fit(&points).unwrap());
        assert!(slope < 3e-8, "{count} x {dimensions}, {classes} classes: {slope:e}");
    }
}

#[test]
fn the_minimum_for_two_points_is_known() {
    // At -1 and 1 after scaling. By symmetry scores are -a x and a x without offsets, and the loss is
    // ln(1 + e^(-2a)) + a² / 2, which is flat where 2 / (1 + e^(2a)) = a.
    let regression = SoftmaxRegression::fit(&labelled(&[3.0, 7.0], 1, &[2, 6])).unwrap();
    let (mut low, mut high) = (0.0_f64, 2.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        match 2.0 / (1.0 + (2.0 * middle).exp()) > middle {
            true => low = middle,
            false => high = middle,
        }
    }
    // The points lie two deviations of 2 apart, around 5.
    for (class, sign) in [(0, -1.0), (1, 1.0)] {
        let (weights, offset) = regression.score(class);
        assert!((weights[0] - sign * low / 2.0).abs() < 1e-7, "{weights:?} {low}");
        assert!((offset + sign * low * 2.5).abs() < 1e-6, "{offset}");
    }
    assert_eq!(regression.classes(), [2, 6]);
}

#[test]
fn where_points_say_nothing_probabilities_are_the_classes_shares() {
    let labels = [0, 0, 0, 0, 0, 0, 3, 3, 3, 9];
    for dimensions in [0, 4] {
        let points = labelled(&vec![0.1; 10 * dimensions], dimensions, &labels);
        let regression = SoftmaxRegression::fit(&points).unwrap();
        let found = probabilities(&regression, points.point(0));
        for (found, expected) in found.into_iter().zip([0.6, 0.3, 0.1]) {
            assert!((found - expected).abs() < 1e-7, "{found}");
        }
        assert!(regression.classify(&points).unwrap().iter().all(|&class| class == 0));
    }
}

#[test]
fn classes_that_lie_apart_are_told_apart() {
    let centres = [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0], [20.0, -3.0]];
    assert_eq!(shares(&clouds(&centres, 1.0, 80)), [1.0, 1.0]);
}

#[test]
fn classes_that_no_straight_line_divides_are_told_by_neighbours_alone() {
    // The corners of a square, opposite ones of the same class: a line gets three of four at most.
    let corners = clouds(&[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]], 1.0, 80);
    let opposite: Vec<u16> = corners.labels().iter().map(|label| label % 2).collect();
    let values: Vec<f32> = (0..corners.count())
        .flat_map(|index| corners.point(index).to_vec())
        .collect();
    let [linear, neighbours] = shares(&labelled(&values, 2, &opposite));
    assert!(linear <= 0.76 && neighbours == 1.0, "{linear} {neighbours}");
    // A class around another: every line has half the ring on either side.
    let ring: Vec<f32> = (0..400)
        .flat_map(|index| {
            let (sine, cosine) = (index as f32).sin_cos();
            let radius = if index % 2 == 0 { 1.0 } else { 5.0 };
            [radius * cosine, radius * sine]
        })
        .collect();
    let labels: Vec<u16> = (0..400).map(|index| index % 2).collect();
    let [linear, neighbours] = shares(&labelled(&ring, 2, &labels));
    assert!(linear <= 0.75 && neighbours == 1.0, "{linear} {neighbours}");
}

#[test]
fn classes_that_lie_upon_each_other_are_not_told_apart() {
    let [linear, _] = shares(&clouds(&[[0.0, 0.0]; 4], 1.0, 500));
    assert!((0.2..0.35).contains(&linear), "{linear}");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let points = clouds(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], 1.0, 700);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let regression = SoftmaxRegression::fit(&points).unwrap();
            let neighbours = NearestNeighbours::new(&points, 5).unwrap().classify(&points).unwrap();
            (regression, neighbours)
        })
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn without_two_classes_there_is_nothing_to_learn() {
    let fit = |labels: &[u16]| SoftmaxRegression::fit(&labelled(&vec![1.0; labels.len()], 1, labels)).unwrap_err();
    assert_eq!(fit(&[]), ProbeError::Empty { what: "training" });
    assert_eq!(fit(&[5, 5, 5]), ProbeError::OneClass);
}

#[test]
fn a_class_without_points_is_no_class() {
    let regression = SoftmaxRegression::fit(&labelled(&[0.0, 1.0, 5.0, 6.0], 1, &[1, 1, 40, 40])).unwrap();
    assert_eq!(regression.classes(), [1, 40]);
    let test = labelled(&[-3.0, 9.0, 2.0], 1, &[0, 0, 0]);
    assert_eq!(regression.classify(&test).unwrap(), [1, 40, 1]);
    let plane = labelled(&[0.0, 0.0], 2, &[1]);
    let error = regression.classify(&plane).unwrap_err();
    assert_eq!(error, ProbeError::Dimensions { expected: 1, found: 2 });
}

#[test]
fn enormous_and_tiny_numbers_are_scaled_like_all_others() {
    for size in [1e-30_f32, 1.0, 1e30] {
        let values: Vec<f32> = [-2.0, -1.0, 1.0, 2.0].map(|x| x * size).into();
        assert_eq!(shares(&labelled(&values, 1, &[0, 0, 1, 1])), [1.0, 1.0], "{size:e}");
    }
}
