//! What follows the statistics: scale, shift and activation in one pass, and the two passes back.

use std::ops::Range;

use crate::blocks::Activation;
use crate::elementary;
use crate::isa::{Vector, simd};

/// Rows summed in `f32` before the sum goes on in `f64`.
const ROWS: usize = 64;

/// Batch normalization as one multiplication and addition per channel: `scale * y + shift`.
#[derive(Clone, Debug)]
pub(crate) struct Affine {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

impl Affine {
    /// That of these channels alone.
    pub fn of_channels(&self, range: Range<usize>) -> Self {
        Self {
            scale: self.scale[range.clone()].to_vec(),
            shift: self.shift[range].to_vec(),
        }
    }

    /// That of each of so many values whose channels follow each other again and again.
    pub fn repeated(&self, length: usize) -> Self {
        let repeated = |values: &[f32]| values.iter().copied().cycle().take(length).collect();
        Self {
            scale: repeated(&self.scale),
            shift: repeated(&self.shift),
        }
    }
}

/// Batch normalization by a batch's own statistics, with what its gradient needs of them.
#[derive(Clone, Debug)]
pub(crate) struct Normalization {
    pub affine: Affine,
    /// Of the map as the kernels hold it, without the layer's bias.
    pub mean: Vec<f32>,
    pub inverse_deviation: Vec<f32>,
}

/// The gradient of the map: `scale * activation gradient + slope * y + constant` in each channel.
#[derive(Clone, Debug)]
pub(crate) struct Backward {
    pub slope: Vec<f32>,
    pub constant: Vec<f32>,
}

/// A group of rows with its size as a map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl Window {
    /// The first elements of the four pixels under each pooled pixel.
    #[inline(always)]
    fn quad(self, pooled: usize) -> [usize; 4] {
        let (y, x) = (pooled / (self.width / 2), pooled % (self.width / 2));
        let first = (2 * y * self.width + 2 * x) * self.channels;
        let row = self.width * self.channels;
        [first, first + self.channels, first + row, first + row + self.channels]
    }
}

/// A group of rows on the way back.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    /// The layer's output.
    pub map: &'a [f32],
    /// The activated output, for a sigmoid; the others do not read it.
    pub output: &'a [f32],
    /// The gradient of the activated output.
    pub gradient: &'a [f32],
}

/// The activated output of a group.
pub(crate) fn activate(
    isa: crate::isa::Isa,
    activation: Activation,
    window: Window,
    map: &[f32],
    affine: &Affine,
    output: &mut [f32],
) {
    match activation {
        Activation::Relu => relu(isa, map, &affine.scale, &affine.shift, output),
        Activation::ReluMaxPool => relu_max_pool(isa, window, map, affine, output),
        Activation::Sigmoid => sigmoid(isa, map, window.channels, affine, output),
    }
}

simd! {
    /// `max(scale * y + shift, 0)` for rows as long as `scale` and `shift`.
    pub(crate) fn relu<V>(map: &[f32], scale: &[f32], shift: &[f32], output: &mut [f32]) {
        let zero = V::splat(0.0);
        let channels = scale.len();
        for (from, to) in map.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
            for c in (0..channels).step_by(V::LANES) {
                let value = V::load(&from[c..]).multiply_add(V::load(&scale[c..]), V::load(&shift[c..]));
                zero.max(value).store(&mut to[c..]);
            }
        }
    }
}

simd! {
    fn relu_max_pool<V>(window: Window, map: &[f32], affine: &Affine, output: &mut [f32]) {
        let channels = window.channels;
        for (pooled, to) in output.chunks_exact_mut(channels).enumerate() {
            let quad = window.quad(pooled);
            for c in (0..channels).step_by(V::LANES) {
                let (scale, shift) = (V::load(&affine.scale[c..]), V::load(&affine.shift[c..]));
                let mut largest = V::splat(0.0);
                for pixel in quad {
                    largest = largest.max(V::load(&map[pixel + c..pixel + channels]).multiply_add(scale, shift));
                }
                largest.store(&mut to[c..]);
            }
        }
    }
}

simd! {
    /// Plain arithmetic, which the compiler turns into vectors.
    fn sigmoid<V>(map: &[f32], channels: usize, affine: &Affine, output: &mut [f32]) {
        for (from, to) in map.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
            for (c, to) in to.iter_mut().enumerate() {
                *to = from[c] * affine.scale[c] + affine.shift[c];
            }
        }
        for value in output {
            *value = elementary::sigmoid(*value);
        }
    }
}

/// Per channel of a group: the sum of the gradients before the activation, and of their products with `y - mean`.
pub(crate) fn activation_sums(
    isa: crate::isa::Isa,
    activation: Activation,
    window: Window,
    Group { map, output, gradient }: Group<'_>,
    normalization: &Normalization,
) -> (Vec<f64>, Vec<f64>) {
    let mut sums = vec![0.0; window.channels];
    let mut products = vec![0.0; window.channels];
    match activation {
        Activation::Relu => relu_sums(
            isa,
            map,
            gradient,
            window.channels,
            normalization,
            &mut sums,
            &mut products,
        ),
        Activation::ReluMaxPool => pool_sums(isa, window, map, gradient, normalization, &mut sums, &mut products),
        Activation::Sigmoid => {
            for (i, (value, (output, gradient))) in map.iter().zip(output.iter().zip(gradient)).enumerate() {
                let c = i % window.channels;
                let inner = gradient * output * (1.0 - output);
                sums[c] += f64::from(inner);
                products[c] += f64::from(inner) * f64::from(value - normalization.mean[c]);
            }
        }
    }
    (sums, products)
}

simd! {
    fn relu_sums<V>(
        map: &[f32],
        gradient: &[f32],
        channels: usize,
        normalization: &Normalization,
        sums: &mut [f64],
        products: &mut [f64],
    ) {
        let Normalization { affine, mean, .. } = normalization;
        let zero = V::splat(0.0);
        let block = channels.saturating_mul(ROWS);
        for (values, gradients) in map.chunks(block).zip(gradient.chunks(block)) {
            for c in (0..channels).step_by(V::LANES) {
                let (scale, shift) = (V::load(&affine.scale[c..]), V::load(&affine.shift[c..]));
                let mean = V::load(&mean[c..]);
                let (mut sum, mut product) = (zero, zero);
                for (value, gradient) in values.chunks_exact(channels).zip(gradients.chunks_exact(channels)) {
                    let value = V::load(&value[c..]);
                    let inner = value.multiply_add(scale, shift).if_greater(zero, V::load(&gradient[c..]), zero);
                    sum = sum + inner;
                    product = inner.multiply_add(value - mean, product);
                }
                add_lanes(sum, &mut sums[c..]);
                add_lanes(product, &mut products[c..]);
            }
        }
    }
}

simd! {
    fn pool_sums<V>(
        window: Window,
        map: &[f32],
        gradient: &[f32],
        normalization: &Normalization,
        sums: &mut [f64],
        products: &mut [f64],
    ) {
        let Normalization { affine, mean, .. } = normalization;
        let zero = V::splat(0.0);
        let channels = window.channels;
        for (block, gradients) in gradient.chunks(channels.saturating_mul(ROWS)).enumerate() {
            for c in (0..channels).step_by(V::LANES) {
                let (scale, shift) = (V::load(&affine.scale[c..]), V::load(&affine.shift[c..]));
                let mean = V::load(&mean[c..]);
                let (mut sum, mut product) = (zero, zero);
                for (i, gradient) in gradients.chunks_exact(channels).enumerate() {
                    let mut best = V::splat(f32::NEG_INFINITY);
                    let mut value_there = zero;
                    for pixel in window.quad(block * ROWS + i) {
                        let value = V::load(&map[pixel + c..pixel + channels]);
                        let normalized = value.multiply_add(scale, shift);
                        value_there = normalized.if_greater(best, value, value_there);
                        best = normalized.max(best);
                    }
                    let inner = best.if_greater(zero, V::load(&gradient[c..]), zero);
                    sum = sum + inner;
                    product = inner.multiply_add(value_there - mean, product);
                }
                add_lanes(sum, &mut sums[c..]);
                add_lanes(product, &mut products[c..]);
            }
        }
    }
}

/// Adds each lane to its sum.
#[inline(always)]
pub(crate) fn add_lanes<V: Vector>(vector: V, sums: &mut [f64]) {
    let mut lanes = [0.0f32; 16];
    vector.store(&mut lanes);
    for (sum, lane) in sums.iter_mut().zip(lanes).take(V::LANES) {
        *sum += f64::from(lane);
    }
}

/// The gradient of a group's map.
pub(crate) fn normalization_gradient(
    isa: crate::isa::Isa,
    activation: Activation,
    window: Window,
    Group { map, output, gradient }: Group<'_>,
    (affine, backward): (&Affine, &Backward),
    map_gradient: &mut [f32],
) {
    match activation {
        Activation::Relu => relu_gradient(isa, map, gradient, window.channels, affine, backward, map_gradient),
        Activation::ReluMaxPool => pool_gradient(isa, window, map, gradient, affine, backward, map_gradient),
        Activation::Sigmoid => {
            for (i, to) in map_gradient.iter_mut().enumerate() {
                let c = i % window.channels;
                let inner = gradient[i] * output[i] * (1.0 - output[i]);
                *to = affine.scale[c] * inner + (backward.slope[c] * map[i] + backward.constant[c]);
            }
        }
    }
}

simd! {
    fn relu_gradient<V>(
        map: &[f32],
        gradient: &[f32],
        channels: usize,
        affine: &Affine,
        backward: &Backward,
        map_gradient: &mut [f32],
    ) {
        let zero = V::splat(0.0);
        let rows = map.chunks_exact(channels).zip(gradient.chunks_exact(channels));
        for ((value, gradient), to) in rows.zip(map_gradient.chunks_exact_mut(channels)) {
            for c in (0..channels).step_by(V::LANES) {
                let scale = V::load(&affine.scale[c..]);
                let value = V::load(&value[c..]);
                let normalized = value.multiply_add(scale, V::load(&affine.shift[c..]));
                let inner = normalized.if_greater(zero, V::load(&gradient[c..]), zero);
                let rest = value.multiply_add(V::load(&backward.slope[c..]), V::load(&backward.constant[c..]));
                inner.multiply_add(scale, rest).store(&mut to[c..]);
            }
        }
    }
}

/// The gradients of four pixels from that of their ReLU's maximum: it goes to the first of the largest, if that is
/// positive.
#[inline(always)]
pub(crate) fn to_first_largest<V: Vector>([z0, z1, z2, z3]: [V; 4], gradient: V) -> [V; 4] {
    let zero = V::splat(0.0);
    let (upper, lower) = (z0.max(z1), z2.max(z3));
    let inner = upper.max(lower).if_greater(zero, gradient, zero);
    let to_lower = lower.if_greater(upper, inner, zero);
    let to_upper = lower.if_greater(upper, zero, inner);
    [
        z1.if_greater(z0, zero, to_upper),
        z1.if_greater(z0, to_upper, zero),
        z3.if_greater(z2, zero, to_lower),
        z3.if_greater(z2, to_lower, zero),
    ]
}

simd! {
    fn pool_gradient<V>(
        window: Window,
        map: &[f32],
        gradient: &[f32],
        affine: &Affine,
        backward: &Backward,
        map_gradient: &mut [f32],
    ) {
        let zero = V::splat(0.0);
        let channels = window.channels;
        for (pooled, gradient) in gradient.chunks_exact(channels).enumerate() {
            let quad = window.quad(pooled);
            for c in (0..channels).step_by(V::LANES) {
                let (scale, shift) = (V::load(&affine.scale[c..]), V::load(&affine.shift[c..]));
                let (slope, constant) = (V::load(&backward.slope[c..]), V::load(&backward.constant[c..]));
                let mut values = [zero; 4];
                let mut normalized = [zero; 4];
                for i in 0..4 {
                    values[i] = V::load(&map[quad[i] + c..quad[i] + channels]);
                    normalized[i] = values[i].multiply_add(scale, shift);
                }
                let inner = to_first_largest(normalized, V::load(&gradient[c..]) * scale);
                for i in 0..4 {
                    let value = values[i].multiply_add(slope, constant) + inner[i];
                    value.store(&mut map_gradient[quad[i] + c..quad[i] + channels]);
                }
            }
        }
    }
}
