//! Convolutions with few channels at one end, as one matrix product per image: see [`crate::lowering`].

use rayon::prelude::*;

use super::training::MapGradient;
use super::{Block, Layer};
use crate::buffer::Buffer;
use crate::isa::Isa;
use crate::lowering::{gather_3x3, gather_4x4, scatter_3x3, scatter_4x4};
use crate::matrix::{Left, Right, multiply, pack};

/// The weight as the right-hand matrix of the forward product, packed.
///
/// Of a convolution it is `[tap and in channel, out]`, of a transposed convolution `[in, tap and out channel]`.
pub(super) fn pack_weight(isa: Isa, block: &Block, weight: &[f32]) -> Buffer {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    if block.layer == Layer::Convolution {
        pack(isa, 9 * inputs, outputs, |k, n| {
            weight[(n * inputs + k % inputs) * 9 + k / inputs]
        })
    } else {
        pack(isa, inputs, 16 * outputs, |k, n| {
            weight[(k * outputs + n % outputs) * 16 + n / outputs]
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

/// The layer's map from the packed weight.
pub(super) fn forward(isa: Isa, block: &Block, input: &[f32], packed: &[f32], map: &mut [f32]) {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let (pixels, size) = (block.input_pixels(), (block.height, block.width));
    let right = Right::Packed(packed);
    let images = input
        .par_chunks(pixels * inputs)
        .zip(map.par_chunks_mut(block.image_length()));
    images.for_each(|(input, map)| {
        if block.layer == Layer::Convolution {
            let mut rows = Buffer::take(pixels * 9 * inputs);
            gather_3x3(input, size, inputs, &mut rows);
            multiply(
                isa,
                Left::rows(&rows, 9 * inputs),
                right,
                pixels,
                outputs,
                9 * inputs,
                map,
                outputs,
                false,
            );
        } else {
            let mut rows = Buffer::take(pixels * 16 * outputs);
            let left = Left::rows(input, inputs);
            multiply(
                isa,
                left,
                right,
                pixels,
                16 * outputs,
                inputs,
                &mut rows,
                16 * outputs,
                false,
            );
            scatter_4x4(&rows, size, outputs, map);
        }
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
    let mut gradient = vec![0.0; if needs_input { block.input_length() } else { 0 }];
    // One part per image, added in order at the end.
    let mut parts = Buffer::take(block.batch * block.weight_length());
    let input_image = |gradient: &mut Vec<f32>| if needs_input { gradient.len() / block.batch } else { 0 };
    let gradient_length = input_image(&mut gradient);
    let gradient_parts = crate::disjoint::Disjoint::new(&mut gradient);
    let images = input
        .par_chunks(pixels * inputs)
        .zip(parts.par_chunks_mut(block.weight_length()))
        .enumerate();
    images.for_each(|(image, (input, part))| {
        // SAFETY: each image has its own part.
        let gradient = unsafe { gradient_parts.part(image * gradient_length, gradient_length) };
        let mut map = Buffer::take(block.image_length());
        map_gradient(image, &mut map);
        if block.layer == Layer::Convolution {
            let mut rows = Buffer::take(pixels * 9 * inputs);
            gather_3x3(input, size, inputs, &mut rows);
            let right = Right::Rows {
                data: &map,
                stride: outputs,
            };
            multiply(
                isa,
                Left::columns(&rows, 9 * inputs),
                right,
                9 * inputs,
                outputs,
                pixels,
                part,
                outputs,
                false,
            );
            if let Some(packed) = &transposed {
                let (left, right) = (Left::rows(&map, outputs), Right::Packed(packed));
                multiply(
                    isa,
                    left,
                    right,
                    pixels,
                    9 * inputs,
                    outputs,
                    &mut rows,
                    9 * inputs,
                    false,
                );
                scatter_3x3(&rows, size, inputs, gradient);
            }
        } else {
            let mut rows = Buffer::take(pixels * 16 * outputs);
            gather_4x4(&map, size, outputs, &mut rows);
            let right = Right::Rows {
                data: &rows,
                stride: 16 * outputs,
            };
            let left = Left::columns(input, inputs);
            multiply(
                isa,
                left,
                right,
                inputs,
                16 * outputs,
                pixels,
                part,
                16 * outputs,
                false,
            );
            if let Some(packed) = &transposed {
                let (left, right) = (Left::rows(&rows, 16 * outputs), Right::Packed(packed));
                multiply(isa, left, right, pixels, inputs, 16 * outputs, gradient, inputs, false);
            }
        }
    });
    (needs_input.then_some(gradient), sum_parts(block, &parts))
}

/// Adds the images' parts in order and brings them into PyTorch's layout.
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
