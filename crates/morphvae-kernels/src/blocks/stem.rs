//! The convolution that reads the images themselves, with its pooling: its map is never kept.
//!
//! It makes many channels from one to three, so that its map, the network's largest by far, takes longer to read from
//! memory than to compute again. Each pooled pixel is made at once from the 4x4 pixels under it, and what batch
//! normalization asks of the whole map follows from the image: let p be the 3x3 patch around one of n pixels, m the mean
//! patch, D the sum of (p - m)(p - m)ᵀ, and w a filter. The map y = w·p has the mean w·m and the variance w·Dw / n. With
//! g the gradient before the activation and B the sum of g (p - m), the normalization's own two gradients come from Σg
//! and Σg (y - w·m) = w·B, and the filter's is Σ dy p = scale · B + slope · Dw, because batch normalization makes
//! dy = scale · (g - Σg / n) + slope · (y - w·m) of g.

use rayon::prelude::*;

use super::{Block, Gradients, Parameters};
use crate::buffer::{Buffer, result};
use crate::isa::{Isa, Vector, simd};
use crate::matrix::pack;
use crate::normalization::{Affine, Normalization, add_lanes, to_first_largest};
use crate::tasks::Tasks;

/// Taps of a filter.
const TAPS: usize = 9;
/// Registers of output channels that are computed at once: enough sums to keep the multipliers busy. They divide every
/// instruction set's panel.
const REGISTERS: usize = 2;
/// Sums that the products of two rows are spread over, so that each is short and a register holds them.
const LANES: usize = 8;

/// What the input's 3x3 patches, zeros around the image, have in common.
#[derive(Debug)]
pub(super) struct Patches {
    /// `[in channels, 3, 3]`.
    mean: Vec<f64>,
    /// Products of the deviations from the mean, summed over all pixels: a symmetric matrix.
    deviations: Vec<f64>,
}

impl Patches {
    #[allow(clippy::cast_precision_loss, reason = "pixel counts are far below 2^52")]
    pub(super) fn new(isa: Isa, block: &Block, input: &[f32]) -> Self {
        let values = TAPS * block.in_channels;
        let length = (values + 1) * (values + 1);
        let sums = sum_images(length, images(block, input), |image, sums| {
            patch_sums(isa, block, &planes(block, image), sums);
        });
        let sum = |a: usize, b: usize| sums[a.min(b) * (values + 1) + a.max(b)];
        let count = block.rows() as f64;
        let deviation = |a: usize, b: usize| sum(a, b) - sum(a, values) * sum(b, values) / count;
        let mean = (0..values).map(|value| sum(value, values) / count).collect();
        let deviations = (0..values * values)
            .map(|index| deviation(index / values, index % values))
            .collect();
        Self { mean, deviations }
    }

    /// The map's mean and biased variance in each channel.
    #[allow(clippy::cast_precision_loss, reason = "pixel counts are far below 2^52")]
    pub(super) fn moments(&self, block: &Block, weight: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let filters = || weight.chunks_exact(self.mean.len());
        let variance = |filter: &[f32]| dot(filter, &self.through_deviations(filter)) / block.rows() as f64;
        (
            filters().map(|filter| dot(filter, &self.mean)).collect(),
            filters().map(|filter| variance(filter).max(0.0)).collect(),
        )
    }

    /// The deviations' matrix times a filter.
    fn through_deviations(&self, filter: &[f32]) -> Vec<f64> {
        let rows = self.deviations.chunks_exact(filter.len());
        rows.map(|row| dot(filter, row)).collect()
    }
}

fn dot(filter: &[f32], values: &[f64]) -> f64 {
    filter
        .iter()
        .zip(values)
        .map(|(tap, value)| f64::from(*tap) * value)
        .sum()
}

/// Filters times their channel's scale, and the shift that follows as one more row: a packed matrix
/// `[in channel and tap, out channel]`.
#[derive(Debug)]
pub(super) struct Filters(Buffer);

impl Filters {
    pub(super) fn new(isa: Isa, block: &Block, weight: &[f32], affine: &Affine) -> Self {
        let values = TAPS * block.in_channels;
        Self(pack(isa, values + 1, block.out_channels, |value, channel| {
            if value < values {
                weight[channel * values + value] * affine.scale[channel]
            } else {
                affine.shift[channel]
            }
        }))
    }
}

/// The block's output.
pub(super) fn forward(isa: Isa, block: &Block, input: &[f32], filters: &Filters, output: &mut [f32]) {
    let image_output = output.len() / block.batch;
    images(block, input)
        .zip(output.par_chunks_mut(image_output))
        .for_each_task(|(image, output)| convolve(isa, block, &planes(block, image), filters, output));
}

/// The gradients of everything but the input.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "gradients are f32, and pixel counts far below 2^52"
)]
pub(super) fn backward(
    isa: Isa,
    block: &Block,
    output_gradient: &[f32],
    input: &[f32],
    parameters: &Parameters<'_>,
    normalization: &Normalization,
    patches: &Patches,
) -> Gradients {
    let (values, channels) = (patches.mean.len(), block.out_channels);
    let affine = &normalization.affine;
    let filters = Filters::new(isa, block, parameters.weight, affine);
    let gradients = output_gradient.par_chunks(output_gradient.len() / block.batch);
    let images = images(block, input).zip(gradients);
    let sums = sum_images((1 + values) * channels, images, |(image, gradient), sums| {
        correlate(isa, block, &planes(block, image), &filters, gradient, sums);
    });
    let (sums, correlations) = sums.split_at(channels);

    let mut weight = result(block.weight_length());
    let (mut gamma, mut beta) = (vec![0.0; channels], vec![0.0; channels]);
    for (c, filter) in parameters.weight.chunks_exact(values).enumerate() {
        let centred = |value: usize| correlations[value * channels + c] - sums[c] * patches.mean[value];
        let centred: Vec<_> = (0..values).map(centred).collect();
        let product = dot(filter, &centred);
        let (scale, inverse) = (
            f64::from(affine.scale[c]),
            f64::from(normalization.inverse_deviation[c]),
        );
        let slope = -scale * inverse.powi(2) * product / block.rows() as f64;
        let through = patches.through_deviations(filter);
        for (value, to) in weight[c * values..][..values].iter_mut().enumerate() {
            *to = (scale * centred[value] + slope * through[value]) as f32;
        }
        gamma[c] = (product * inverse) as f32;
        beta[c] = sums[c] as f32;
    }
    Gradients {
        input: None,
        weight,
        bias: vec![0.0; channels],
        gamma,
        beta,
    }
}

/// The images, each worth a task.
fn images<'a>(block: &Block, input: &'a [f32]) -> impl IndexedParallelIterator<Item = &'a [f32]> {
    input
        .par_chunks(block.input_pixels() * block.in_channels)
        .with_max_len(1)
}

/// The sums that `add` makes of each image, added up in order.
fn sum_images<I>(
    length: usize,
    images: impl IndexedParallelIterator<Item = I>,
    add: impl Fn(I, &mut [f64]) + Send + Sync,
) -> Vec<f64> {
    let images: Vec<_> = images
        .map(|image| {
            let mut sums = vec![0.0; length];
            add(image, &mut sums);
            sums
        })
        .collect();
    let mut sums = vec![0.0; length];
    for image in images {
        sums.iter_mut().zip(image).for_each(|(sum, part)| *sum += part);
    }
    sums
}

/// An image as `[channel, height + 2, width + 2]`, with zeros around it.
fn planes(block: &Block, image: &[f32]) -> Buffer {
    let (channels, width) = (block.in_channels, block.width);
    let mut planes = Buffer::take([channels, plane_length(block)]);
    planes.fill(0.0);
    for (channel, plane) in planes.chunks_exact_mut(plane_length(block)).enumerate() {
        let rows = plane.chunks_exact_mut(width + 2).skip(1);
        for (row, pixels) in rows.zip(image.chunks_exact(width * channels)) {
            for (to, pixel) in row[1..].iter_mut().zip(pixels.chunks_exact(channels)) {
                *to = pixel[channel];
            }
        }
    }
    planes
}

fn plane_length(block: &Block) -> usize {
    (block.height + 2) * (block.width + 2)
}

simd! {
    /// Adds up, over an image's pixels, the products of a patch's values, and of each with a last one, which is always 1:
    /// the upper half of a square matrix.
    ///
    /// In `f64`: the deviations come from these sums by subtraction. `V` is only there to choose instructions.
    fn patch_sums<V>(block: &Block, planes: &[f32], sums: &mut [f64]) {
        let values = TAPS * block.in_channels;
        let planes: Vec<f64> = planes.iter().copied().map(f64::from).collect();
        let ones = vec![1.0; block.width];
        let mut rows = vec![ones.as_slice(); values + 1];
        let mut lanes = vec![[0.0; LANES]; sums.len()];
        for y in 0..block.height {
            for (value, row) in rows[..values].iter_mut().enumerate() {
                let (plane, tap) = (value / TAPS, value % TAPS);
                let first = plane * plane_length(block) + (y + tap / 3) * (block.width + 2) + tap % 3;
                *row = &planes[first..][..block.width];
            }
            for (a, lanes) in lanes.chunks_exact_mut(values + 1).enumerate() {
                for (lanes, row) in lanes[a..].iter_mut().zip(&rows[a..]) {
                    add_products(rows[a], row, lanes);
                }
            }
        }
        for (sum, lanes) in sums.iter_mut().zip(lanes) {
            *sum = lanes.iter().sum();
        }
    }
}

/// Adds the products of two rows' elements to sums that are as many as the lanes of a register.
#[inline(always)]
fn add_products(a: &[f64], b: &[f64], sums: &mut [f64; LANES]) {
    let mut lanes = *sums;
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in lanes.iter_mut().zip(a.remainder().iter().zip(b.remainder())) {
        *sum += a * b;
    }
    *sums = lanes;
}

simd! {
    /// An image's pooled output.
    fn convolve<V>(block: &Block, planes: &[f32], filters: &Filters, output: &mut [f32]) {
        let channels = block.out_channels;
        let columns = block.width / 2;
        for (first, filters) in runs::<V>(block, filters) {
            for (y, row) in output.chunks_exact_mut(columns * channels).enumerate() {
                for (x, to) in row.chunks_exact_mut(channels).enumerate() {
                    let [z0, z1, z2, z3] = quad::<V>(block, planes, filters, (y, x));
                    let registers = to[first..].chunks_mut(V::LANES).take(REGISTERS);
                    for (n, to) in registers.enumerate() {
                        V::splat(0.0).max(z0[n].max(z1[n]).max(z2[n].max(z3[n]))).store(to);
                    }
                }
            }
        }
    }
}

simd! {
    /// Adds up, over an image, the gradients before the activation, and then their products with the values of their
    /// patches: `[1 + values, out channels]`.
    fn correlate<V>(block: &Block, planes: &[f32], filters: &Filters, gradient: &[f32], sums: &mut [f64]) {
        let zero = [V::splat(0.0); REGISTERS];
        let channels = block.out_channels;
        let columns = block.width / 2;
        let (sums, products) = sums.split_at_mut(channels);
        // A row's gradients before the activation, each pooled one spread over its four pixels.
        let mut spread = Buffer::take([columns, 4, REGISTERS, V::LANES]);
        for (first, filters) in runs::<V>(block, filters) {
            for (y, row) in gradient.chunks_exact(columns * channels).enumerate() {
                let mut sum = zero;
                let pooled = row.chunks_exact(channels).zip(spread.chunks_exact_mut(4 * REGISTERS * V::LANES));
                for (x, (gradient, to)) in pooled.enumerate() {
                    let [z0, z1, z2, z3] = quad::<V>(block, planes, filters, (y, x));
                    let registers = gradient[first..].chunks(V::LANES).take(REGISTERS);
                    for (n, gradient) in registers.enumerate() {
                        let quad = to_first_largest([z0[n], z1[n], z2[n], z3[n]], V::load(gradient));
                        for (pixel, to) in quad.into_iter().zip(to.chunks_exact_mut(REGISTERS * V::LANES)) {
                            sum[n] = sum[n] + pixel;
                            pixel.store(&mut to[n * V::LANES..]);
                        }
                    }
                }
                add_registers(sum, &mut sums[first..]);
                for (plane, products) in products.chunks_exact_mut(TAPS * channels).enumerate() {
                    let mut of_taps = [zero; TAPS];
                    for (x, gradients) in spread.chunks_exact(4 * REGISTERS * V::LANES).enumerate() {
                        let pixels = pixels(block, planes, plane, (y, x));
                        for (quarter, gradient) in gradients.chunks_exact(REGISTERS * V::LANES).enumerate() {
                            let gradient = registers::<V>(gradient);
                            for (tap, product) in of_taps.iter_mut().enumerate() {
                                add_product(under(pixels, quarter, tap), gradient, product);
                            }
                        }
                    }
                    for (product, to) in of_taps.into_iter().zip(products.chunks_exact_mut(channels)) {
                        add_registers(product, &mut to[first..]);
                    }
                }
            }
        }
    }
}

/// The first output channel of each run that fills the registers, and its filters: rows a panel apart.
#[inline(always)]
fn runs<'a, V: Vector>(block: &Block, filters: &'a Filters) -> impl Iterator<Item = (usize, &'a [f32])> {
    let length = (TAPS * block.in_channels + 1) * V::PANEL;
    let firsts = (0..block.out_channels).step_by(REGISTERS * V::LANES);
    firsts.map(move |first| {
        let panel = &filters.0[first / V::PANEL * length..][..length];
        (first, &panel[first % V::PANEL..])
    })
}

/// The map's four pixels under a pooled one, after the normalization.
#[inline(always)]
fn quad<V: Vector>(block: &Block, planes: &[f32], filters: &[f32], pooled: (usize, usize)) -> [[V; REGISTERS]; 4] {
    let (filters, shift) = filters.split_at(TAPS * block.in_channels * V::PANEL);
    let mut quad = [registers::<V>(shift); 4];
    for (plane, rows) in filters.chunks_exact(TAPS * V::PANEL).enumerate() {
        let pixels = pixels(block, planes, plane, pooled);
        for (tap, row) in rows.chunks_exact(V::PANEL).enumerate() {
            let weights = registers::<V>(row);
            for (quarter, sums) in quad.iter_mut().enumerate() {
                add_product(under(pixels, quarter, tap), weights, sums);
            }
        }
    }
    quad
}

#[inline(always)]
fn registers<V: Vector>(from: &[f32]) -> [V; REGISTERS] {
    let from = &from[..REGISTERS * V::LANES];
    std::array::from_fn(|n| V::load_lanes::<true>(&from[n * V::LANES..]))
}

#[inline(always)]
fn add_product<V: Vector>(pixel: f32, factors: [V; REGISTERS], sums: &mut [V; REGISTERS]) {
    let pixel = V::splat(pixel);
    for (sum, factor) in sums.iter_mut().zip(factors) {
        *sum = pixel.multiply_add(factor, *sum);
    }
}

#[inline(always)]
fn add_registers<V: Vector>(registers: [V; REGISTERS], sums: &mut [f64]) {
    for (register, sums) in registers.into_iter().zip(sums.chunks_mut(V::LANES)) {
        add_lanes(register, sums);
    }
}

/// The 4x4 pixels of a plane under the filters of a pooled pixel's four.
#[inline(always)]
fn pixels<'a>(block: &Block, planes: &'a [f32], plane: usize, (y, x): (usize, usize)) -> [&'a [f32]; 4] {
    let width = block.width + 2;
    let planes = &planes[plane * plane_length(block) + 2 * y * width + 2 * x..];
    std::array::from_fn(|row| &planes[row * width..][..4])
}

/// The one of [`pixels`] that lies under a tap of the filter at one of the four.
#[inline(always)]
fn under(pixels: [&[f32]; 4], quarter: usize, tap: usize) -> f32 {
    pixels[quarter / 2 + tap / 3][quarter % 2 + tap % 3]
}
