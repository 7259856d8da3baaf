//! Convolutions with few channels at one end, as one matrix product per image: see [`crate::lowering`].

use std::ops::Range;

use rayon::prelude::*;

use super::maps::{MapGradient, Maps};
use super::{Block, Layer};
use crate::buffer::{Buffer, result};
use crate::disjoint::Disjoint;
use crate::isa::Isa;
use crate::lowering::{gather_3x3, gather_4x4, scatter_3x3, scatter_4x4};
use crate::matrix::{Left, Right, multiply, pack};
use crate::tasks::{Tasks, for_each_task};

/// Runs of images whose weight gradients are summed at once; more would only cost memory.
const PARTS: usize = 32;

/// The weight as the right-hand matrix of the forward product, packed, for these output channels.
///
/// Of a convolution it is `[tap and in channel, out]`, of a transposed convolution `[in, tap and out channel]`.
pub(super) fn pack_weight(isa: Isa, block: &Block, weight: &[f32], channels: Range<usize>) -> Buffer {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let (first, count) = (channels.start, channels.len());
    if block.layer == Layer::Convolution {
        pack(isa, 9 * inputs, count, |k, n| {
            weight[((first + n) * inputs + k % inputs) * 9 + k / inputs]
        })
    } else {
        pack(isa, inputs, 16 * count, |k, n| {
            weight[(k * outputs + first + n % count) * 16 + n / count]
        })
    }
}

/// The transpose of [`pack_weight`]'s matrix, packed.
fn pack_weight_transposed(isa: Isa, block: &Block, weight: &[f32]) -> Buffer {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    if block.layer == Layer::Convolution {
        pack(isa, outputs, 9 * inputs, |k, n| {
            weight[(k * inputs + n % inputs) * 9 + n / inputs]
        })
    } else {
        pack(isa, 16 * outputs, inputs, |k, n| {
            weight[(n * outputs + k % outputs) * 16 + k / outputs]
        })
    }
}

/// The layer's maps from the packed weight.
pub(super) fn forward(isa: Isa, block: &Block, input: &[f32], packed: &[f32], maps: &Maps<'_>) {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let (pixels, size) = (block.input_pixels(), (block.height, block.width));
    let right = Right::Packed(packed);
    for_each_task(block.batch, |image| {
        let input = &input[image * pixels * inputs..][..pixels * inputs];
        maps(image, &mut |map| {
            if block.layer == Layer::Convolution {
                let depth = 9 * inputs;
                let mut rows = Buffer::take([pixels, depth]);
                gather_3x3(input, size, inputs, &mut rows);
                let left = Left::rows(&rows, depth);
                multiply(isa, left, right, pixels, outputs, depth, map, outputs, false);
            } else {
                let columns = 16 * outputs;
                let mut rows = Buffer::take([pixels, columns]);
                let left = Left::rows(input, inputs);
                multiply(isa, left, right, pixels, columns, inputs, &mut rows, columns, false);
                scatter_4x4(&rows, size, outputs, map);
            }
        });
    });
}

/// The gradients of the input, if it is asked for, and of the weight.
pub(super) fn backward(
    isa: Isa,
    block: &Block,
    input: &[f32],
    weight: &[f32],
    map_gradient: &MapGradient<'_>,
    needs_input: bool,
) -> (Option<Vec<f32>>, Vec<f32>) {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let (pixels, size) = (block.input_pixels(), (block.height, block.width));
    let transposed = needs_input.then(|| pack_weight_transposed(isa, block, weight));
    let mut gradient = result(if needs_input { block.input_length() } else { 0 });
    let gradient_image = gradient.len() / block.batch;
    let gradient_parts = Disjoint::new(&mut gradient);
    // Each part is the sum over a run of images, and the parts are added in order at the end.
    let run = block.batch.div_ceil(PARTS);
    let mut parts = Buffer::take([block.batch.div_ceil(run), block.weight_length()]);
    let runs = parts.par_chunks_mut(block.weight_length()).enumerate();
    runs.for_each_task(|(index, part)| {
        for image in index * run..((index + 1) * run).min(block.batch) {
            let add = image > index * run;
            let input = &input[image * pixels * inputs..][..pixels * inputs];
            // SAFETY: each image has its own gradient.
            let gradient = unsafe { gradient_parts.part(image * gradient_image, gradient_image) };
            let mut map = Buffer::take([block.image_length()]);
            map_gradient(image, &mut map);
            if block.layer == Layer::Convolution {
                let depth = 9 * inputs;
                let mut rows = Buffer::take([pixels, depth]);
                gather_3x3(input, size, inputs, &mut rows);
                let (left, data) = (Left::columns(&rows, depth), &map);
                let right = Right::Rows { data, stride: outputs };
                multiply(isa, left, right, depth, outputs, pixels, part, outputs, add);
                if let Some(packed) = &transposed {
                    let (left, right) = (Left::rows(&map, outputs), Right::Packed(packed));
                    multiply(isa, left, right, pixels, depth, outputs, &mut rows, depth, false);
                    scatter_3x3(&rows, size, inputs, gradient);
                }
            } else {
                let columns = 16 * outputs;
                let mut rows = Buffer::take([pixels, columns]);
                gather_4x4(&map, size, outputs, &mut rows);
                let (left, data) = (Left::columns(input, inputs), &rows);
                let right = Right::Rows { data, stride: columns };
                multiply(isa, left, right, inputs, columns, pixels, part, columns, add);
                if let Some(packed) = &transposed {
                    let (left, right) = (Left::rows(&rows, columns), Right::Packed(packed));
                    multiply(isa, left, right, pixels, inputs, columns, gradient, inputs, false);
                }
            }
        }
    });
    (needs_input.then_some(gradient), sum_parts(block, &parts))
}

/// Adds the parts in order and brings them into PyTorch's layout.
fn sum_parts(block: &Block, parts: &[f32]) -> Vec<f32> {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let mut sum = vec![0.0f32; block.weight_length()];
    for part in parts.chunks_exact(block.weight_length()) {
        for (sum, value) in sum.iter_mut().zip(part) {
            *sum += value;
        }
    }
    let mut weight = vec![0.0; sum.len()];
    if block.layer == Layer::Convolution {
        for (row, values) in sum.chunks_exact(outputs).enumerate() {
            let (tap, input) = (row / inputs, row % inputs);
            for (output, value) in values.iter().enumerate() {
                weight[(output * inputs + input) * 9 + tap] = *value;
            }
        }
    } else {
        for (row, values) in sum.chunks_exact(outputs).enumerate() {
            let (input, tap) = (row / 16, row % 16);
            for (output, value) in values.iter().enumerate() {
                weight[(input * outputs + output) * 16 + tap] = *value;
            }
        }
    }
    weight
}
