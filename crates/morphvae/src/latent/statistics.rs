//! Where the images of a data set lie in the latent space, in a few numbers.

use serde::{Deserialize, Serialize};

use super::by_information;

/// A dimension whose variance is below this share of the widest one's is not used.
const UNUSED: f64 = 0.01;

/// Means and variances of encoded images, altogether and by class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatentStatistics {
    /// Mean of the posteriors' means, `[latent]`.
    pub mean: Vec<f64>,
    /// Variance of the posteriors' means, `[latent]`. A dimension above 0.01 is an active unit (Burda et al., 2016).
    pub variance: Vec<f64>,
    /// Mean KL divergence of each dimension in nats, `[latent]`.
    pub kl: Vec<f64>,
    /// The encoding that is nearest to the mean, `[latent]`: in many dimensions no image lies at the mean itself. Empty in
    /// one and two, and in files of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub central: Vec<f32>,
    /// The same for each class, in the order of the labels; empty for images without labels.
    pub classes: Vec<ClassStatistics>,
}

/// Where the images of one class lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassStatistics {
    /// The class's name.
    pub name: String,
    /// Images of it.
    pub images: usize,
    /// Mean of their posteriors' means, `[latent]`.
    pub mean: Vec<f64>,
    /// Variance of their posteriors' means, `[latent]`.
    pub variance: Vec<f64>,
    /// The posterior's mean of the most typical of them, `[latent]`, as [`typical_members`](super::typical_members) finds
    /// it; empty where nobody looked for it, for a class without images, and in files of earlier versions.
    #[serde(default)]
    pub typical: Vec<f32>,
}

/// The part of a latent space that a picture of it should show: where each dimension has its middle, how far to go from
/// there, and where to stay in those that do not change.
#[derive(Clone, Debug, PartialEq)]
pub struct Extent {
    /// The middle of each dimension, `[latent]`.
    pub centre: Vec<f64>,
    /// A standard deviation along each dimension, `[latent]`.
    pub deviation: Vec<f64>,
    /// The point whose dimensions stay where they do not change, `[latent]`.
    pub base: Vec<f64>,
}

impl Extent {
    /// That of the standard normal prior.
    #[must_use]
    pub fn of_prior(latent: usize) -> Self {
        Self {
            centre: vec![0.0; latent],
            deviation: vec![1.0; latent],
            base: vec![0.0; latent],
        }
    }

    /// That of encoded images: each dimension around their mean, so that it reaches as far as they do, and through the
    /// central one where it is known, else through the mean. In a space of many dimensions the prior's says little: near
    /// its centre lies no image. Dimensions whose numbers are not finite have the prior's.
    #[must_use]
    pub fn of(statistics: &LatentStatistics) -> Self {
        let mut extent = Self::of_prior(statistics.mean.len());
        let known = statistics.mean.iter().zip(&statistics.variance);
        let all = extent.centre.iter_mut().zip(&mut extent.deviation);
        for ((centre, deviation), (&mean, &variance)) in all.zip(known) {
            if mean.is_finite() && variance.is_finite() {
                (*centre, *deviation) = (mean, variance.max(0.0).sqrt());
            }
        }
        extent.base = statistics.central().unwrap_or_else(|| extent.centre.clone());
        extent
    }

    /// The two dimensions, counted from 0 and in their order, along which it is widest: the first two of equal ones.
    ///
    /// # Panics
    /// If there are fewer than two.
    #[must_use]
    pub fn widest(&self) -> [usize; 2] {
        let order = by_information(&self.deviation);
        let [one, other] = [order[0], order[1]];
        [one.min(other), one.max(other)]
    }

    /// The values of a dimension, counted from 0, at so many deviations from its centre.
    ///
    /// # Panics
    /// If there is no such dimension.
    #[must_use]
    pub fn values(&self, dimension: usize, deviations: &[f64]) -> Vec<f64> {
        let (centre, deviation) = (self.centre[dimension], self.deviation[dimension]);
        deviations.iter().map(|count| centre + deviation * count).collect()
    }
}

impl LatentStatistics {
    /// The encoding that is nearest to the mean, if it is known.
    #[must_use]
    pub fn central(&self) -> Option<Vec<f64>> {
        let fits = !self.central.is_empty() && self.central.len() == self.mean.len();
        let is_known = fits && self.central.iter().all(|value| value.is_finite());
        is_known.then(|| self.central.iter().copied().map(f64::from).collect())
    }

    /// Of the posteriors' means, `[images, latent]`, the mean KL divergences, `[latent]`, the images' labels, and the most
    /// typical image of each class, where those are known.
    #[must_use]
    pub fn of(
        means: &[f32],
        kl: &[f64],
        labels: Option<&[Option<u16>]>,
        classes: &[String],
        typical: &[Option<usize>],
    ) -> Self {
        let latent = kl.len();
        let points = || means.chunks_exact(latent);
        let (_, mean, variance) = moments(points(), latent);
        let code = |index: usize| means[index * latent..][..latent].to_vec();
        let of_class = |(class, name): (usize, &String)| {
            let labels = labels.unwrap_or_default().iter();
            let members = points()
                .zip(labels)
                .filter(|&(_, &label)| label.map(usize::from) == Some(class));
            let (images, mean, variance) = moments(members.map(|(point, _)| point), latent);
            ClassStatistics {
                name: name.clone(),
                images,
                mean,
                variance,
                typical: typical.get(class).copied().flatten().map_or_else(Vec::new, code),
            }
        };
        let classes = match labels {
            Some(_) => classes.iter().enumerate().map(of_class).collect(),
            None => Vec::new(),
        };
        Self {
            central: central(points(), &mean, &variance),
            mean,
            variance,
            kl: kl.to_vec(),
            classes,
        }
    }
}

/// The point nearest to the mean, every dimension measured by its spread; nothing in one and two dimensions, of which all
/// is filled. A dimension that hardly varies says nothing of an image.
fn central<'a>(points: impl Iterator<Item = &'a [f32]>, mean: &[f64], variance: &[f64]) -> Vec<f32> {
    if mean.len() <= 2 {
        return Vec::new();
    }
    let least = UNUSED * variance.iter().copied().fold(0.0, f64::max);
    let distance = |point: &[f32]| -> f64 {
        let dimensions = point.iter().zip(mean.iter().zip(variance));
        let used = dimensions.filter(|(_, (_, variance))| **variance > least);
        used.map(|(&value, (mean, variance))| (f64::from(value) - mean).powi(2) / variance)
            .sum()
    };
    let nearest = points
        .map(|point| (distance(point), point))
        .min_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest.map_or_else(Vec::new, |(_, point)| point.to_vec())
}

/// Count, mean and variance of points; zeros for none.
fn moments<'a>(points: impl Iterator<Item = &'a [f32]>, latent: usize) -> (usize, Vec<f64>, Vec<f64>) {
    let (mut count, mut mean, mut squares) = (0, vec![0.0; latent], vec![0.0; latent]);
    for point in points {
        count += 1;
        for ((mean, square), &value) in mean.iter_mut().zip(&mut squares).zip(point) {
            // Welford's update, which loses no digits to large means.
            let before = f64::from(value) - *mean;
            *mean += before / count as f64;
            *square += before * (f64::from(value) - *mean);
        }
    }
    let variance = squares.into_iter().map(|sum| sum / (count.max(1)) as f64).collect();
    (count, mean, variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_is_the_encodings_and_the_priors_where_they_are_no_numbers() {
        let statistics = LatentStatistics {
            mean: vec![3.0, f64::NAN],
            variance: vec![4.0, 1.0],
            ..LatentStatistics::default()
        };
        let extent = Extent::of(&statistics);
        assert_eq!(extent.values(0, &[-1.0, 0.0, 0.5]), [1.0, 3.0, 4.0]);
        assert_eq!(extent.values(1, &[-1.0, 0.5]), [-1.0, 0.5]);
        assert_eq!(Extent::of(&LatentStatistics::default()), Extent::of_prior(0));
    }

    #[test]
    fn the_central_encoding_is_the_one_nearest_to_the_mean_in_deviations() {
        // The mean is at (0, 0, 0). By length the second is nearest; but it is far off in the narrow first dimension, and
        // the last dimension does not count.
        let points = [[0.1, 3.0, 0.0], [0.9, 0.0, 0.0], [0.0, -1.0, 0.01], [-1.0, -2.0, -0.01]];
        let statistics = |points: &[[f32; 3]]| LatentStatistics::of(points.as_flattened(), &[1.0; 3], None, &[], &[]);
        let found = statistics(&points);
        assert_eq!(found.central, points[2]);
        let extent = Extent::of(&found);
        assert_eq!(extent.base, points[2].map(f64::from));
        // Each dimension has its middle at the mean all the same, and reaches as far to either side.
        assert_eq!(extent.centre, found.mean);
        assert!(extent.centre.iter().all(|middle| middle.abs() < 1e-7));
        assert!((extent.deviation[1] - 3.5_f64.sqrt()).abs() < 1e-9);
        assert_eq!((extent.widest(), Extent::of_prior(4).widest()), ([0, 1], [0, 1]));
        let turned = points.map(|[narrow, wide, unused]| [wide, unused, narrow]);
        assert_eq!(Extent::of(&statistics(&turned)).widest(), [0, 2]);
        // Files of earlier versions, and damaged ones, have the mean.
        for central in [vec![], vec![1.0, 2.0], vec![0.0, f32::NAN, 0.0]] {
            let found = LatentStatistics {
                central,
                ..found.clone()
            };
            assert_eq!(Extent::of(&found).base, found.mean);
        }
        assert!(statistics(&[]).central.is_empty());
        let plane = LatentStatistics::of(&[1.0, 2.0, 3.0, 4.0], &[1.0; 2], None, &[], &[]);
        assert!(plane.central.is_empty() && !serde_json::to_string(&plane).unwrap().contains("central"));
    }

    #[test]
    fn classes_have_their_own_means_and_variances() {
        let means = [1.0, 10.0, 3.0, 10.0, -4.0, 0.0, 0.0, 20.0];
        let names = ["a", "b", "empty"].map(String::from);
        let statistics = LatentStatistics::of(
            &means,
            &[0.5, 0.0],
            Some(&[Some(0), Some(0), Some(1), None]),
            &names,
            &[None, Some(2)],
        );
        assert_eq!(statistics.classes[0].mean, [2.0, 10.0]);
        assert_eq!(statistics.classes[0].variance, [1.0, 0.0]);
        assert_eq!(statistics.classes[1].images, 1);
        assert_eq!(statistics.classes[2].mean, [0.0, 0.0]);
        assert_eq!(statistics.classes[1].typical, [-4.0, 0.0]);
        assert!(statistics.classes[0].typical.is_empty() && statistics.classes[2].typical.is_empty());
        assert!(statistics.mean[0].abs() < 1e-12);
        assert!((statistics.variance[0] - 26.0 / 4.0).abs() < 1e-12);
        // What has no class counts for all alone.
        assert_eq!(statistics.mean[1], 10.0);
    }
}
