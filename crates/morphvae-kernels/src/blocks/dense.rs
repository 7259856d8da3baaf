//! Layers between one pixel and a map: products with one large weight matrix.
//!
//! A flattening layer is `map * weightᵀ` with the map in the order (channel, pixel) of the weight's rows; an expansion
//! is `features * weight`, its result in that order. The small activations are reordered, never the weight.

use rayon::prelude::*;

use super::maps::{MapGradient, Maps};
use super::{Block, Layer};
use crate::buffer::{Buffer, result};
use crate::isa::{Isa, simd};
use crate::matrix::{self, Left, Right, multiply, multiply_by_rows, pack, pack_matrix};
use crate::tasks::Tasks;

/// Columns of a result computed by one task, of a product with a matrix and of one with a transposed matrix, whose columns
/// are its long rows.
const COLUMNS: usize = 128;
const TRANSPOSED_COLUMNS: usize = 16;
/// Rows of a weight that are too short to be read a few registers at a time.
const SHORT: usize = 64;
/// Rows of a weight gradient computed by one task.
const ROWS: usize = 24;

/// The layer's maps.
pub(super) fn forward(isa: Isa, block: &Block, input: &[f32], weight: &[f32], maps: &Maps<'_>) {
    if block.layer == Layer::Flattening {
        let features = to_channel_order(isa, input, block.input_pixels(), block.in_channels);
        maps(0, &mut |map| {
            times_rows(isa, &features, weight, block.batch, block.out_channels, map);
        });
    } else {
        let (channels, image) = (block.out_channels, block.image_length());
        let mut features = Buffer::take([block.batch, image]);
        times_matrix(isa, input, weight, block.batch, block.in_channels, &mut features);
        features
            .par_chunks(image)
            .enumerate()
            .for_each_task(|(index, features)| {
                maps(index, &mut |map| {
                    transpose(isa, features, channels, image / channels, map)
                });
            });
    }
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
    let (batch, inputs, outputs) = (block.batch, block.in_channels, block.out_channels);
    let mut map = Buffer::take([batch, block.image_length()]);
    let group = map.len() / block.groups();
    map.par_chunks_mut(group)
        .enumerate()
        .for_each_task(|(group, map)| map_gradient(group, map));
    let mut gradient = result(if needs_input { block.input_length() } else { 0 });
    if block.layer == Layer::Flattening {
        let pixels = block.input_pixels();
        if needs_input {
            let mut features = Buffer::take([block.input_length()]);
            times_matrix(isa, &map, weight, batch, outputs, &mut features);
            to_pixel_order(isa, &features, pixels, inputs, &mut gradient);
        }
        let features = to_channel_order(isa, input, pixels, inputs);
        let weight_gradient = outer_products(isa, &map, &features, batch, outputs);
        (needs_input.then_some(gradient), weight_gradient)
    } else {
        let features = to_channel_order(isa, &map, block.image_length() / outputs, outputs);
        if needs_input {
            times_rows(isa, &features, weight, batch, inputs, &mut gradient);
        }
        let weight_gradient = outer_products(isa, input, &features, batch, inputs);
        (needs_input.then_some(gradient), weight_gradient)
    }
}

/// `output[rows, columns] = left[rows, depth] * weight[columns, depth]ᵀ`.
fn times_rows(isa: Isa, left: &[f32], weight: &[f32], rows: usize, columns: usize, output: &mut [f32]) {
    let depth = left.len() / rows;
    if depth < SHORT {
        let packed = pack(isa, depth, columns, |k, n| weight[n * depth + k]);
        let (left, right) = (Left::rows(left, depth), Right::Packed(&packed));
        multiply(isa, left, right, rows, columns, depth, output, columns, false);
        return;
    }
    let mut blocks = Buffer::take([rows, columns]);
    blocks
        .par_chunks_mut(rows.saturating_mul(TRANSPOSED_COLUMNS))
        .zip(weight.par_chunks(depth.saturating_mul(TRANSPOSED_COLUMNS)))
        .for_each_task(|(block, weight)| {
            let width = block.len() / rows;
            multiply_by_rows(isa, left, weight, depth, block, width);
        });
    join_columns(&blocks, rows, columns, TRANSPOSED_COLUMNS, output);
}

/// `output[rows, columns] = left[rows, depth] * weight[depth, columns]`.
pub(crate) fn times_matrix(isa: Isa, left: &[f32], weight: &[f32], rows: usize, depth: usize, output: &mut [f32]) {
    let columns = weight.len() / depth;
    let mut blocks = Buffer::take([rows, columns]);
    blocks
        .par_chunks_mut(rows.saturating_mul(COLUMNS))
        .enumerate()
        .for_each_task(|(index, block)| {
            let width = block.len() / rows;
            let right = Right::Rows {
                data: &weight[index * COLUMNS..],
                stride: columns,
            };
            multiply(
                isa,
                Left::rows(left, depth),
                right,
                rows,
                width,
                depth,
                block,
                width,
                false,
            );
        });
    join_columns(&blocks, rows, columns, COLUMNS, output);
}

/// `left[batch, n]ᵀ * right[batch, k]`, a weight gradient `[n, k]`.
pub(crate) fn outer_products(isa: Isa, left: &[f32], right: &[f32], batch: usize, n: usize) -> Vec<f32> {
    let k = right.len() / batch;
    let packed = pack_matrix(isa, right, k);
    let mut output = result(n * k);
    output
        .par_chunks_mut(k.saturating_mul(ROWS))
        .enumerate()
        .for_each_task(|(index, output)| {
            let (left, right) = (Left::columns(&left[index * ROWS..], n), Right::Packed(&packed));
            multiply(isa, left, right, output.len() / k, k, batch, output, k, false);
        });
    output
}

/// Puts blocks of columns, each `[rows, width]`, side by side.
fn join_columns(blocks: &[f32], rows: usize, columns: usize, width: usize, output: &mut [f32]) {
    output
        .par_chunks_mut(columns)
        .enumerate()
        .for_each_task(|(row, output)| {
            for (index, to) in output.chunks_mut(width).enumerate() {
                let block = &blocks[index * width * rows..];
                to.copy_from_slice(&block[row * to.len()..][..to.len()]);
            }
        });
}

/// `[batch, pixel, channel]` to `[batch, channel, pixel]`.
fn to_channel_order(isa: Isa, map: &[f32], pixels: usize, channels: usize) -> Buffer {
    let mut ordered = Buffer::take([map.len()]);
    transpose_each(isa, map, pixels, channels, &mut ordered);
    ordered
}

/// `[batch, channel, pixel]` to `[batch, pixel, channel]`.
fn to_pixel_order(isa: Isa, features: &[f32], pixels: usize, channels: usize, map: &mut [f32]) {
    transpose_each(isa, features, channels, pixels, map);
}

fn transpose_each(isa: Isa, from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    let image = rows * columns;
    to.par_chunks_mut(image)
        .zip(from.par_chunks(image))
        .for_each_task(|(to, from)| transpose(isa, from, rows, columns, to));
}

simd! {
    /// `[rows, columns]` to `[columns, rows]`.
    fn transpose<V>(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
        matrix::transpose::<V>(from, columns, rows, columns, to, |column| column * rows);
    }
}
