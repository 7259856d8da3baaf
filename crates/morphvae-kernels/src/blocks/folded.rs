//! Inference: running statistics folded into the weights, which are packed once.

use rayon::prelude::*;

use super::{Block, Layer, Parameters, dense, direct, minimal};
use crate::buffer::Buffer;
use crate::isa::Isa;
use crate::normalization::{Affine, activate};
use crate::winograd::{Convolution3x3, TransposedConvolution4x4, pack_filters};

/// Running statistics of a batch normalization, `[out channels]` each.
#[derive(Clone, Copy, Debug)]
pub struct RunningStatistics<'a> {
    /// Running mean.
    pub mean: &'a [f32],
    /// Running variance.
    pub variance: &'a [f32],
}

/// A block that is only run, with its weights packed: for any batch size.
#[derive(Debug)]
pub struct FoldedBlock {
    isa: Isa,
    block: Block,
    weight: Weight,
    affine: Affine,
}

#[derive(Debug)]
enum Weight {
    /// As in the weight tensor, for products with the whole of it.
    Dense(Vec<f32>),
    /// For one product per image.
    Direct(Buffer),
    /// For one product per image where there are few tiles, and for minimal filtering where there are many.
    Minimal { direct: Buffer, filters: Buffer },
}

/// Tiles from which minimal filtering is faster than one product per image.
const MINIMAL_TILES: usize = 16;

impl FoldedBlock {
    /// Folds the statistics and packs the weight; the block's batch size does not matter.
    ///
    /// # Panics
    /// If a slice has another length than the block says.
    #[must_use]
    pub fn new(isa: Isa, block: &Block, parameters: &Parameters<'_>, statistics: &RunningStatistics<'_>) -> Self {
        let channels = block.out_channels;
        assert_eq!(
            parameters.weight.len(),
            block.weight_length(),
            "the weight has the length of {block:?}"
        );
        for values in [
            parameters.bias,
            parameters.gamma,
            parameters.beta,
            statistics.mean,
            statistics.variance,
        ] {
            assert_eq!(values.len(), channels, "there is one value for each output channel");
        }
        let weight = match block.layer {
            Layer::Flattening | Layer::Expansion { .. } => Weight::Dense(parameters.weight.to_vec()),
            Layer::Convolution | Layer::TransposedConvolution if !block.is_minimal() => {
                Weight::Direct(direct::pack_weight(isa, block, parameters.weight))
            }
            Layer::Convolution => Weight::Minimal {
                direct: direct::pack_weight(isa, block, parameters.weight),
                filters: pack_filters::<Convolution3x3>(isa, parameters.weight, block.filters()),
            },
            Layer::TransposedConvolution => Weight::Minimal {
                direct: direct::pack_weight(isa, block, parameters.weight),
                filters: pack_filters::<TransposedConvolution4x4>(isa, parameters.weight, block.filters()),
            },
        };
        Self {
            isa,
            block: *block,
            weight,
            affine: fold(parameters, statistics),
        }
    }

    /// Runs the block on `[batch, height, width, in channels]`.
    ///
    /// # Panics
    /// If the input is not a whole number of images.
    #[must_use]
    pub fn forward(&self, input: &[f32]) -> Vec<f32> {
        let image = self.block.input_pixels() * self.block.in_channels;
        assert!(
            input.len().is_multiple_of(image),
            "the input is a whole number of images"
        );
        let block = Block {
            batch: input.len() / image,
            ..self.block
        };
        let mut output = vec![0.0; block.output_length()];
        if block.batch == 0 {
            return output;
        }
        let mut map = Buffer::take(block.batch * block.image_length());
        let isa = self.isa;
        match &self.weight {
            Weight::Dense(weight) => dense::forward(isa, &block, input, weight, &mut map),
            Weight::Direct(packed) => direct::forward(isa, &block, input, packed, &mut map),
            Weight::Minimal { direct, .. } if block.batch * block.tiles().count() < MINIMAL_TILES => {
                direct::forward(isa, &block, input, direct, &mut map);
            }
            Weight::Minimal { filters, .. } if block.layer == Layer::Convolution => {
                minimal::forward::<Convolution3x3>(isa, &block, input, filters, &mut map);
            }
            Weight::Minimal { filters, .. } => {
                minimal::forward::<TransposedConvolution4x4>(isa, &block, input, filters, &mut map);
            }
        }
        let group_output = output.len() / block.batch;
        output
            .par_chunks_mut(group_output)
            .zip(map.par_chunks(block.image_length()))
            .for_each(|(output, map)| {
                activate(isa, block.activation, block.window(), map, &self.affine, output);
            });
        output
    }

    /// The block that was folded.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }
}

/// `gamma * (y + bias - mean) / sqrt(variance + epsilon) + beta` as one scale and one shift.
#[allow(clippy::cast_possible_truncation, reason = "applied to f32 maps")]
fn fold(parameters: &Parameters<'_>, statistics: &RunningStatistics<'_>) -> Affine {
    let channels = parameters.gamma.len();
    let (mut scale, mut shift) = (vec![0.0; channels], vec![0.0; channels]);
    let mut inverse_deviation = vec![0.0; channels];
    for c in 0..channels {
        let inverse = 1.0 / (f64::from(statistics.variance[c]) + f64::from(parameters.epsilon)).sqrt();
        let factor = inverse * f64::from(parameters.gamma[c]);
        let centre = f64::from(statistics.mean[c]) - f64::from(parameters.bias[c]);
        scale[c] = factor as f32;
        shift[c] = (f64::from(parameters.beta[c]) - factor * centre) as f32;
        inverse_deviation[c] = inverse as f32;
    }
    Affine {
        scale,
        shift,
        mean: statistics.mean.to_vec(),
        inverse_deviation,
    }
}
