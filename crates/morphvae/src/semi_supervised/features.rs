//! What an unsupervised network, M1, says of images: the features that another, M2, learns from.

use crate::evaluation::Codes;

/// A latent of M1 is a feature when its posteriors' means are spread by more than this standard deviation: others say the
/// same of all images.
const LEAST_SPREAD: f64 = 0.1;

/// Gaussians of images' features, `[images, features]`.
#[derive(Clone, Debug)]
pub(super) struct Features {
    width: usize,
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Features {
    /// Those latents of encoded images, in this order.
    pub fn of(codes: &Codes, latents: &[usize]) -> Self {
        let chosen = |values: &[f32]| -> Vec<f32> {
            let rows = values.chunks_exact(codes.latent);
            rows.flat_map(|row| latents.iter().map(|&latent| row[latent])).collect()
        };
        let log_variance = chosen(&codes.log_variance);
        Self {
            width: latents.len(),
            mean: chosen(&codes.mean),
            deviation: log_variance.into_iter().map(|log| (log / 2.0).exp()).collect(),
        }
    }

    /// The means, `[images, features]`.
    pub fn into_means(self) -> Vec<f32> {
        self.mean
    }

    /// A draw of the features of some images, `[places, features]`, made of as many standard normal `deviates`.
    pub fn draw(&self, places: &[u32], deviates: &[f32]) -> Vec<f32> {
        let rows = places.iter().zip(deviates.chunks_exact(self.width));
        rows.flat_map(|(&place, deviates)| {
            let row = place as usize * self.width..(place as usize + 1) * self.width;
            let gaussian = self.mean[row.clone()].iter().zip(&self.deviation[row]);
            gaussian
                .zip(deviates)
                .map(|((mean, deviation), deviate)| mean + deviation * deviate)
        })
        .collect()
    }
}

/// The latents that are features: those by which images differ.
pub(super) fn telling_latents(codes: &Codes) -> Vec<usize> {
    let spread = |latent: usize| {
        let values = || {
            codes
                .mean
                .iter()
                .skip(latent)
                .step_by(codes.latent)
                .copied()
                .map(f64::from)
        };
        let count = values().count().max(1) as f64;
        let mean = values().sum::<f64>() / count;
        (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
    };
    (0..codes.latent)
        .filter(|&latent| spread(latent) > LEAST_SPREAD)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> Codes {
        Codes {
            latent: 3,
            mean: vec![1.0, 5.0, 0.0, -1.0, 5.05, 0.3],
            log_variance: vec![0.0, -2.0, 4.0, 2.0, 0.0, 0.0],
            classes: Vec::new(),
        }
    }

    #[test]
    fn latents_that_say_the_same_of_all_images_are_left_out() {
        assert_eq!(telling_latents(&codes()), [0, 2]);
    }

    #[test]
    fn a_draw_is_of_the_images_that_are_named() {
        let features = Features::of(&codes(), &[0, 2]);
        assert_eq!(features.clone().into_means(), [1.0, 0.0, -1.0, 0.3]);
        let drawn = features.draw(&[1, 0, 1], &[0.0, 0.0, 1.0, -2.0, 2.0, 1.0]);
        let truth = [-1.0, 0.3, 2.0, -2.0 * 2.0_f32.exp(), -1.0 + 2.0 * 1.0_f32.exp(), 1.3];
        assert!(
            drawn
                .iter()
                .zip(truth)
                .all(|(drawn, truth)| (drawn - truth).abs() < 1e-5),
            "{drawn:?}"
        );
    }
}
