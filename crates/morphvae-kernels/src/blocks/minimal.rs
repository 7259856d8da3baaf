//! Convolutions of wide maps by minimal filtering: see [`crate::winograd`].

use rayon::prelude::*;

use super::Block;
use super::training::MapGradient;
use crate::buffer::Buffer;
use crate::disjoint::Disjoint;
use crate::isa::Isa;
use crate::matrix::{Left, Right, multiply};
use crate::winograd::{
    PRODUCTS, Scheme, filter_gradient, input_gradient, input_transform, output_gradient_transform, output_transform,
    pack_filters,
};

/// Tiles whose 36 matrices are held at a time: enough rows for efficient products, few enough for the third cache.
const TILES: usize = 512;

/// Images of a batch that are transformed at a time.
fn images_at_a_time(block: &Block) -> usize {
    (TILES / block.tiles().count()).max(1)
}

/// The layer's map from filters packed by [`pack_filters`].
pub(super) fn forward<S: Scheme>(isa: Isa, block: &Block, input: &[f32], filters: &[f32], map: &mut [f32]) {
    let shape = block.tiles();
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let images = images_at_a_time(block);
    let input_chunks = input.chunks(images * block.input_pixels() * inputs);
    for (input, map) in input_chunks.zip(map.chunks_mut(images * block.image_length())) {
        let tiles = map.len() / block.image_length() * shape.count();
        let mut values = Buffer::take(PRODUCTS * tiles * inputs);
        let mut products = Buffer::take(PRODUCTS * tiles * outputs);
        let parts = Disjoint::new(&mut values);
        input
            .par_chunks(block.input_pixels() * inputs)
            .enumerate()
            .for_each(|(image, input)| {
                let first = image * shape.count();
                input_transform::<S>(isa, shape, 0..shape.count(), input, inputs, &parts, first, tiles);
            });
        products
            .par_chunks_mut(tiles * outputs)
            .enumerate()
            .for_each(|(product, output)| {
                let left = Left::rows(&values[product * tiles * inputs..][..tiles * inputs], inputs);
                let right = Right::Packed(&filters[filters.len() / PRODUCTS * product..][..filters.len() / PRODUCTS]);
                multiply(isa, left, right, tiles, outputs, inputs, output, outputs, false);
            });
        map.par_chunks_mut(block.image_length())
            .enumerate()
            .for_each(|(image, map)| {
                let first = image * shape.count();
                output_transform::<S>(isa, shape, 0..shape.count(), map, outputs, &products, first, tiles);
            });
    }
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
    let shape = block.tiles();
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    let input_image = block.input_pixels() * inputs;
    let images = images_at_a_time(block);
    let transposed = needs_input.then(|| pack_filters::<S>(isa, weight, block.filters().transposed()));
    let mut gradient = if needs_input {
        vec![0.0; block.input_length()]
    } else {
        Vec::new()
    };
    let mut filters = Buffer::take(PRODUCTS * inputs * outputs);

    for (chunk, input) in input.chunks(images * input_image).enumerate() {
        let tiles = input.len() / input_image * shape.count();
        let mut values = Buffer::take(PRODUCTS * tiles * inputs);
        let mut products = Buffer::take(PRODUCTS * tiles * outputs);
        let (value_parts, product_parts) = (Disjoint::new(&mut values), Disjoint::new(&mut products));
        input.par_chunks(input_image).enumerate().for_each(|(image, input)| {
            let first = image * shape.count();
            let mut map = Buffer::take(block.image_length());
            map_gradient(chunk * images + image, &mut map);
            output_gradient_transform::<S>(isa, shape, &map, outputs, &product_parts, first, tiles);
            input_transform::<S>(isa, shape, 0..shape.count(), input, inputs, &value_parts, first, tiles);
        });
        let filter_parts = filters.par_chunks_mut(inputs * outputs);
        let value_parts = values.par_chunks_mut(tiles * inputs);
        filter_parts
            .zip(value_parts)
            .enumerate()
            .for_each(|(product, (filter, values))| {
                let products = &products[product * tiles * outputs..][..tiles * outputs];
                let right = Right::Rows {
                    data: products,
                    stride: outputs,
                };
                multiply(
                    isa,
                    Left::columns(values, inputs),
                    right,
                    inputs,
                    outputs,
                    tiles,
                    filter,
                    outputs,
                    chunk > 0,
                );
                if let Some(transposed) = &transposed {
                    let length = transposed.len() / PRODUCTS;
                    let right = Right::Packed(&transposed[product * length..][..length]);
                    // The transformed input has served; its gradient takes its place.
                    multiply(
                        isa,
                        Left::rows(products, outputs),
                        right,
                        tiles,
                        inputs,
                        outputs,
                        values,
                        inputs,
                        false,
                    );
                }
            });
        if needs_input {
            let gradient = &mut gradient[chunk * images * input_image..][..input.len()];
            gradient
                .par_chunks_mut(input_image)
                .enumerate()
                .for_each(|(image, gradient)| {
                    input_gradient::<S>(isa, shape, gradient, inputs, &values, image * shape.count(), tiles);
                });
        }
    }
    let mut weight_gradient = vec![0.0; block.weight_length()];
    filter_gradient::<S>(isa, &filters, block.filters(), &mut weight_gradient);
    (needs_input.then_some(gradient), weight_gradient)
}
