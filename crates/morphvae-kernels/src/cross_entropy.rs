//! The cross-entropy of images with their reconstructions, and its gradient, each in one pass.

use rayon::prelude::*;

use crate::buffer::result;
use crate::elementary::logarithm;
use crate::isa::{Isa, simd};
use crate::tasks::Tasks;

/// Sums that go on side by side, so that the compiler can make a vector of them.
const LANES: usize = 16;
/// Pixels summed in `f32` before the sum goes on in `f64`.
const RUN: usize = 64 * LANES;

/// `-Σ x log(y + δ) + (1 - x) log(1 - y + δ)` over the pixels of each image: one number for each of `batch`, in nats.
///
/// `reconstruction` holds `batch` images, and `images` as many in the same order, or one that all are held against. Pixels
/// `x` and `y` are in [0, 1], and δ, `delta`, keeps the logarithms finite. An image with a pixel that is not finite has a loss
/// that is not a number.
///
/// # Panics
/// If the slices do not hold so many images of a pixel at least.
#[must_use]
pub fn cross_entropy(isa: Isa, images: &[f32], reconstruction: &[f32], batch: usize, delta: f32) -> Vec<f32> {
    let images = Images::new(images, reconstruction, batch);
    let mut losses = vec![0.0; batch];
    let pairs = losses.par_iter_mut().zip(reconstruction.par_chunks(images.pixels));
    pairs.enumerate().for_each_task(|(index, (loss, reconstruction))| {
        *loss = entropy(isa, images.image(index), reconstruction, delta);
    });
    losses
}

/// The gradient by the reconstruction of `Σ weight · cross-entropy`, with a weight for each image; everything else is as
/// for [`cross_entropy`].
///
/// # Panics
/// If the slices do not hold as many images of a pixel at least as there are weights.
#[must_use]
pub fn cross_entropy_gradient(
    isa: Isa,
    images: &[f32],
    reconstruction: &[f32],
    weights: &[f32],
    delta: f32,
) -> Vec<f32> {
    let images = Images::new(images, reconstruction, weights.len());
    let mut gradient = result(reconstruction.len());
    let outputs = gradient.par_chunks_mut(images.pixels).zip(weights);
    let pairs = outputs.zip(reconstruction.par_chunks(images.pixels)).enumerate();
    pairs.for_each_task(|(index, ((gradient, weight), reconstruction))| {
        slopes(isa, images.image(index), reconstruction, *weight, delta, gradient);
    });
    gradient
}

/// The images of a batch, or the one that stands for all of them.
#[derive(Clone, Copy)]
struct Images<'a> {
    values: &'a [f32],
    /// Pixels of an image.
    pixels: usize,
}

impl<'a> Images<'a> {
    fn new(values: &'a [f32], reconstruction: &[f32], batch: usize) -> Self {
        assert!(
            (1..=reconstruction.len()).contains(&batch) && reconstruction.len().is_multiple_of(batch),
            "there are as many images as the batch says, of a pixel at least"
        );
        let pixels = reconstruction.len() / batch;
        assert!(
            [pixels, reconstruction.len()].contains(&values.len()),
            "a reconstruction is as large as its image"
        );
        Self { values, pixels }
    }

    fn image(self, index: usize) -> &'a [f32] {
        let first = if self.values.len() == self.pixels {
            0
        } else {
            index * self.pixels
        };
        &self.values[first..][..self.pixels]
    }
}

simd! {
    /// Plain arithmetic, which the compiler turns into vectors.
    fn entropy<V>(image: &[f32], reconstruction: &[f32], delta: f32) -> f32 {
        let mut total = 0.0f64;
        for (image, reconstruction) in image.chunks(RUN).zip(reconstruction.chunks(RUN)) {
            let mut sums = [0.0f32; LANES];
            for (x, y) in image.chunks(LANES).zip(reconstruction.chunks(LANES)) {
                for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                    let paper = logarithm(1.0 - y + delta);
                    *sum += x * (logarithm(y + delta) - paper) + paper;
                }
            }
            total += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
        }
        #[allow(clippy::cast_possible_truncation, reason = "losses are f32")]
        let loss = -total as f32;
        loss
    }
}

simd! {
    /// Plain arithmetic, which the compiler turns into vectors.
    fn slopes<V>(image: &[f32], reconstruction: &[f32], weight: f32, delta: f32, gradient: &mut [f32]) {
        for ((to, x), y) in gradient.iter_mut().zip(image).zip(reconstruction) {
            *to = weight * ((1.0 - x) / (1.0 - y + delta) - x / (y + delta));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values in [0, 1] with both ends among them.
    fn pixels(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * step) % 256) as f32 / 255.0).collect()
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        for isa in Isa::available() {
            for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let (images, mut reconstruction) = (pixels(3 * 40, 7), pixels(3 * 40, 101));
                reconstruction[40 + 17] = value;
                let losses = cross_entropy(isa, &images, &reconstruction, 3, 1e-7);
                let finite: Vec<bool> = losses.iter().map(|loss| loss.is_finite()).collect();
                assert_eq!(finite, [true, false, true], "{isa:?}: {losses:?} with {value}");
            }
        }
    }

    #[test]
    fn one_image_stands_for_as_many_of_it() {
        let (image, reconstruction) = (pixels(83, 7), pixels(3 * 83, 101));
        let weights = [1.0, -2.0, 0.5];
        for isa in Isa::available() {
            let losses = |images: &[f32]| cross_entropy(isa, images, &reconstruction, 3, 1e-7);
            assert_eq!(losses(&image), losses(&image.repeat(3)));
            let gradient = |images: &[f32]| cross_entropy_gradient(isa, images, &reconstruction, &weights, 1e-7);
            assert_eq!(gradient(&image), gradient(&image.repeat(3)));
        }
    }

    #[test]
    fn sums_and_slopes_are_those_of_f64() {
        const DELTA: f32 = 1e-7;
        for (batch, length) in [(1, 1), (3, 17), (2, 1024), (5, 3 * 1024 + 7)] {
            let (images, reconstruction) = (pixels(batch * length, 7), pixels(batch * length, 101));
            let weights: Vec<f32> = (0..batch).map(|image| 0.5 - image as f32).collect();
            for isa in Isa::available() {
                let losses = cross_entropy(isa, &images, &reconstruction, batch, DELTA);
                let gradient = cross_entropy_gradient(isa, &images, &reconstruction, &weights, DELTA);
                for (image, loss) in losses.into_iter().enumerate() {
                    let here = image * length..(image + 1) * length;
                    let mut exact = 0.0;
                    for i in here {
                        let (x, ink) = (f64::from(images[i]), f64::from(reconstruction[i] + DELTA));
                        let paper = f64::from(1.0 - reconstruction[i] + DELTA);
                        exact -= x * ink.ln() + (1.0 - x) * paper.ln();
                        let slope = f64::from(weights[image]) * ((1.0 - x) / paper - x / ink);
                        let error = (f64::from(gradient[i]) - slope).abs();
                        assert!(
                            error <= 1e-6 * slope.abs().max(1.0),
                            "{isa:?}: {} for {slope}",
                            gradient[i]
                        );
                    }
                    let error = (f64::from(loss) - exact).abs();
                    assert!(
                        error <= 1e-6 * exact.max(1.0),
                        "{isa:?}, {length} pixels: {loss} for {exact}"
                    );
                }
            }
        }
    }
}
