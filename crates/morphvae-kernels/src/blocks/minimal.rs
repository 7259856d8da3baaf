//! Convolutions of wide maps by minimal filtering: see [`crate::winograd`].

use rayon::prelude::*;

use super::maps::{MapGradient, Maps};
use super::{Block, Layer};
use crate::buffer::{Buffer, result};
use crate::disjoint::Disjoint;
use crate::isa::Isa;
use crate::matrix::{Left, Right, multiply};
use crate::tasks::{Tasks, for_each_task};
use crate::winograd::{
    Scheme, aligned, filter_gradient, input_gradient, input_transform, output_gradient_transform, output_transform,
    pack_filters,
};

/// Tiles of a task on the way forward: enough rows for efficient products, few enough for the second cache. The thread
/// that begins takes them from the input to the map, unless another is idle, so that little goes from core to core.
const TILES: usize = 32;
/// Products of tiles that are held at a time on the way back: few enough for the third cache.
const PRODUCTS: usize = 36 * 256;
/// Parts of a batch with sums of their own, where it is in parts.
const PARTS: usize = 2;
/// Floats of those sums that a task adds up.
const SUMMED: usize = 1 << 14;
/// How many times more than the sums the maps are that are worth it.
const MANY: usize = 4;
/// Images that are transformed at a time on the way back however many tiles they have, so that there is work for several
/// threads.
const IMAGES: usize = 4;

/// The layer's maps from filters packed by [`pack_filters`].
pub(super) fn forward<S: Scheme>(isa: Isa, block: &Block, input: &[f32], filters: &[f32], maps: &Maps<'_>) {
    let shape = block.tiles::<S>();
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let input_image = block.input_pixels() * inputs;
    let filter_stride = filters.len() / S::PRODUCTS;
    let tasks = (block.batch * shape.count()).div_ceil(TILES);
    let images = block.batch.div_ceil(tasks);
    input
        .par_chunks(images * input_image)
        .enumerate()
        .for_each_task(|(chunk, input)| {
            let images_here = input.len() / input_image;
            let tiles = images_here * shape.count();
            let (value_stride, product_stride) = (aligned(tiles * inputs), aligned(tiles * outputs));
            let mut values = Buffer::take([S::VALUES, value_stride]);
            let mut products = Buffer::take([S::PRODUCTS, product_stride]);
            let parts = Disjoint::new(&mut values);
            for_each_task(images_here, |image| {
                let input = &input[image * input_image..][..input_image];
                let rows = shape.count() * inputs;
                // SAFETY: each image has rows of its own.
                let mut rows = unsafe { parts.runs(image * rows, rows, value_stride) };
                input_transform::<S>(isa, shape, input, inputs, &mut rows);
            });
            products
                .par_chunks_mut(product_stride)
                .enumerate()
                .for_each_task(|(product, output)| {
                    let left = Left::rows(&values[S::value_of(product) * value_stride..], inputs);
                    let right = Right::Packed(&filters[product * filter_stride..][..filter_stride]);
                    multiply(isa, left, right, tiles, outputs, inputs, output, outputs, false);
                });
            for_each_task(images_here, |image| {
                let first = image * shape.count();
                maps(chunk * images + image, &mut |map| {
                    output_transform::<S>(isa, shape, map, outputs, &products, first, product_stride);
                });
            });
        });
}

/// The gradients of the input, if it is asked for, and of the weight.
pub(super) fn backward<S: Scheme>(
    isa: Isa,
    block: &Block,
    input: &[f32],
    weight: &[f32],
    map_gradient: &MapGradient<'_>,
    needs_input: bool,
) -> (Option<Vec<f32>>, Vec<f32>) {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let transposed = needs_input.then(|| pack_filters::<S>(isa, weight, block.filters().transposed()));
    let mut gradient = result(if needs_input { block.input_length() } else { 0 });

    let images = block.batch.div_ceil(parts::<S>(block));
    let count = block.batch.div_ceil(images);
    let part_length = images * block.input_pixels() * inputs;
    let mut gradients: Vec<_> = gradient.chunks_mut(part_length).map(Some).collect();
    gradients.resize_with(count, || None);
    let mut filters = Buffer::take([count, S::PRODUCTS, aligned(inputs * outputs)]);
    let filters_length = filters.len() / count;
    filters
        .par_chunks_mut(filters_length)
        .zip(input.par_chunks(part_length))
        .zip(gradients)
        .enumerate()
        .for_each_task(|(part, ((filters, input), gradient))| {
            let map_gradient = |image: usize, map: &mut [f32]| map_gradient(part * images + image, map);
            let chunk = PRODUCTS / S::PRODUCTS / count;
            backward_part::<S>(
                isa,
                block,
                input,
                transposed.as_deref(),
                &map_gradient,
                chunk,
                filters,
                gradient,
            );
        });

    let (sum, others) = filters.split_at_mut(filters_length);
    for part in others.chunks_exact(filters_length) {
        let runs = sum.par_chunks_mut(SUMMED).zip(part.par_chunks(SUMMED));
        runs.for_each_task(|(sum, part)| sum.iter_mut().zip(part).for_each(|(sum, value)| *sum += value));
    }
    let mut weight_gradient = result(block.weight_length());
    let by_rows = match block.layer {
        Layer::Convolution => block.filters().transposed(),
        _ => block.filters(),
    };
    filter_gradient::<S>(isa, sum, by_rows, &mut weight_gradient);
    (needs_input.then_some(gradient), weight_gradient)
}

/// In how many parts of the batch, each left to one thread, a filter's gradient is summed: in more than one if the maps
/// that would else go from core to core are much more than the sums that do then.
fn parts<S: Scheme>(block: &Block) -> usize {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let tiles = block.batch * block.tiles::<S>().count();
    let maps = tiles.saturating_mul(S::VALUES * inputs + S::PRODUCTS * outputs);
    if maps > (inputs * outputs).saturating_mul(MANY * S::PRODUCTS) {
        PARTS
    } else {
        1
    }
}

/// The sums of the filters' gradients over some images, and the gradients of those images, `tiles` tiles at a time.
#[allow(
    clippy::too_many_arguments,
    reason = "what the whole is told, and its share of the results"
)]
fn backward_part<S: Scheme>(
    isa: Isa,
    block: &Block,
    input: &[f32],
    transposed: Option<&[f32]>,
    map_gradient: &MapGradient<'_>,
    tiles: usize,
    filters: &mut [f32],
    mut gradient: Option<&mut [f32]>,
) {
    let shape = block.tiles::<S>();
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let input_image = block.input_pixels() * inputs;
    let images = (tiles / shape.count()).max(IMAGES);
    let filter_stride = filters.len() / S::PRODUCTS;
    let filter_parts = Disjoint::new(filters);
    for (chunk, input) in input.chunks(images * input_image).enumerate() {
        let tiles = input.len() / input_image * shape.count();
        let (value_stride, product_stride) = (aligned(tiles * inputs), aligned(tiles * outputs));
        let mut values = Buffer::take([S::VALUES, value_stride]);
        let mut products = Buffer::take([S::PRODUCTS, product_stride]);
        let (value_parts, product_parts) = (Disjoint::new(&mut values), Disjoint::new(&mut products));
        input
            .par_chunks(input_image)
            .enumerate()
            .for_each_task(|(image, input)| {
                let mut map = Buffer::take([block.image_length()]);
                map_gradient(chunk * images + image, &mut map);
                let rows = [inputs, outputs].map(|channels| shape.count() * channels);
                // SAFETY: each image has rows of its own in both.
                let (mut values, mut products) = unsafe {
                    (
                        value_parts.runs(image * rows[0], rows[0], value_stride),
                        product_parts.runs(image * rows[1], rows[1], product_stride),
                    )
                };
                output_gradient_transform::<S>(isa, shape, &map, outputs, &mut products);
                input_transform::<S>(isa, shape, input, inputs, &mut values);
            });
        values
            .par_chunks_mut(value_stride)
            .enumerate()
            .for_each_task(|(value, values)| {
                for product in S::products_of(value) {
                    // SAFETY: a product belongs to one value, and so to one task.
                    let filter = unsafe { filter_parts.part(product * filter_stride, filter_stride) };
                    let products = &products[product * product_stride..];
                    // The outer dimension of the weight tensor becomes the rows.
                    if block.layer == Layer::Convolution {
                        let (left, right) = (Left::columns(products, outputs), Right::rows(values, inputs));
                        multiply(isa, left, right, outputs, inputs, tiles, filter, inputs, chunk > 0);
                    } else {
                        let (left, right) = (Left::columns(values, inputs), Right::rows(products, outputs));
                        multiply(isa, left, right, inputs, outputs, tiles, filter, outputs, chunk > 0);
                    }
                }
                let Some(transposed) = transposed else { return };
                let length = transposed.len() / S::PRODUCTS;
                // The transformed input has served; its gradient takes its place.
                for (index, product) in S::products_of(value).enumerate() {
                    let left = Left::rows(&products[product * product_stride..], outputs);
                    let right = Right::Packed(&transposed[product * length..][..length]);
                    multiply(isa, left, right, tiles, inputs, outputs, values, inputs, index > 0);
                }
            });
        if let Some(gradient) = &mut gradient {
            let gradient = &mut gradient[chunk * images * input_image..][..input.len()];
            gradient
                .par_chunks_mut(input_image)
                .enumerate()
                .for_each_task(|(image, gradient)| {
                    input_gradient::<S>(
                        isa,
                        shape,
                        gradient,
                        inputs,
                        &values,
                        image * shape.count(),
                        value_stride,
                    );
                });
        }
    }
}
