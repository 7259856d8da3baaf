//! The cross-entropy of images with their reconstructions, and its gradient, each in one pass.

use rayon::prelude::*;

use crate::buffer::result;
use crate::isa::{Isa, simd};
use crate::tasks::Tasks;

/// Sums that go on side by side, so that the compiler can make a vector of them.
const LANES: usize = 16;
/// Pixels summed in `f32` before the sum goes on in `f64`.
const RUN: usize = 64 * LANES;

/// `-Σ x log(y + δ) + (1 - x) log(1 - y + δ)` over the pixels of each image: one number for each of `batch`, in nats.
///
/// Both slices hold `batch` images, in the same order; their pixels `x` and `y` are in [0, 1], and δ, `delta`, keeps the
/// logarithms finite. An image with a pixel that is not finite has a loss that is not a number.
///
/// # Panics
/// If the slices differ in length, or are not `batch` images of a pixel at least.
#[must_use]
pub fn cross_entropy(isa: Isa, images: &[f32], reconstruction: &[f32], batch: usize, delta: f32) -> Vec<f32> {
    let pixels = check(images, reconstruction, batch);
    let mut losses = vec![0.0; batch];
    let pairs = images.par_chunks(pixels).zip(reconstruction.par_chunks(pixels));
    losses
        .par_iter_mut()
        .zip(pairs)
        .for_each_task(|(loss, (image, reconstruction))| *loss = entropy(isa, image, reconstruction, delta));
    losses
}

/// The gradient by the reconstruction of `Σ weight · cross-entropy`, with a weight for each image; everything else is as
/// for [`cross_entropy`].
///
/// # Panics
/// If the slices of pixels differ in length, or are not as many images of a pixel at least as there are weights.
#[must_use]
pub fn cross_entropy_gradient(
    isa: Isa,
    images: &[f32],
    reconstruction: &[f32],
    weights: &[f32],
    delta: f32,
) -> Vec<f32> {
    let pixels = check(images, reconstruction, weights.len());
    let mut gradient = result(images.len());
    let pairs = images.par_chunks(pixels).zip(reconstruction.par_chunks(pixels));
    let outputs = gradient.par_chunks_mut(pixels).zip(weights);
    outputs
        .zip(pairs)
        .for_each_task(|((gradient, weight), (image, reconstruction))| {
            slopes(isa, image, reconstruction, *weight, delta, gradient);
        });
    gradient
}

/// Pixels of an image.
fn check(images: &[f32], reconstruction: &[f32], batch: usize) -> usize {
    assert_eq!(
        images.len(),
        reconstruction.len(),
        "a reconstruction is as large as its image"
    );
    assert!(
        (1..=images.len()).contains(&batch) && images.len().is_multiple_of(batch),
        "there are as many images as the batch says, of a pixel at least"
    );
    images.len() / batch
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

/// `log(x)` of a positive normal number, with a relative error below 2e-7, in arithmetic that the compiler can turn into
/// vectors, with the same bits everywhere; not a number for what is not finite.
#[inline(always)]
fn logarithm(x: f32) -> f32 {
    /// The bits of the root of one half: a number is a power of two times one from here to the root of two.
    const ROOT_HALF: u32 = 0x3f35_04f3;
    /// ln 2 as a number whose multiples are exact, and the rest.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let exponent = (x.to_bits().wrapping_sub(ROOT_HALF) as i32) >> 23;
    let power = exponent as f32;
    let rest = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32)) - 1.0;
    // log(1 + rest) = 2 artanh(s) for s = rest / (2 + rest), |s| < 0.172, by its series.
    let s = rest / (2.0 + rest);
    let square = s * s;
    let mut series = 1.0 / 11.0;
    for odd in [9.0, 7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    // rest - s rest = 2 s: so large a part of the sum as can be is exact.
    let tail = s * (2.0 * square * series - rest) + power * LN_2[1];
    // The bits of what is not finite are as good as any others.
    let zero_if_finite = 0.0 * x;
    tail + rest + power * LN_2[0] + zero_if_finite
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_f64() {
        let near_one = (-4000..4000).map(|ulps: i32| f32::from_bits((1.0f32.to_bits() as i32 + ulps * 97) as u32));
        let everywhere = (0..20_000u32)
            .map(|step| 1e-7 * 1.001f32.powi(step as i32))
            .take_while(|x| *x < 1e3);
        for x in near_one.chain(everywhere) {
            let exact = f64::from(x).ln();
            let error = (f64::from(logarithm(x)) - exact).abs();
            assert!(
                error <= 2e-7 * exact.abs(),
                "log({x}) = {} is off by {error}",
                logarithm(x)
            );
        }
    }

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
