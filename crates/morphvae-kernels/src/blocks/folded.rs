//! Inference: running statistics folded into a scale and a shift, and weights packed once.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::maps::Maps;
use super::{Algorithm, Block, Layer, Parameters, direct, minimal, stem};
use crate::buffer::Buffer;
use crate::disjoint::Disjoint;
use crate::isa::Isa;
use crate::matrix::Columns;
use crate::normalization::{Affine, activate, relu};
use crate::tasks::{for_each_task, in_pool};
use crate::winograd::{Convolution3x3, F4, TransposedConvolution4x4, pack_filters};

/// Running statistics of a batch normalization, `[out channels]` each.
#[derive(Clone, Copy, Debug)]
pub struct RunningStatistics<'a> {
    /// Running mean.
    pub mean: &'a [f32],
    /// Running variance.
    pub variance: &'a [f32],
}

/// A block that is only run, with its weights packed: for any batch size.
///
/// One or two images go another way than many, so that the last bits of an image's output depend on how many it is run
/// with, though not on which.
#[derive(Debug)]
pub struct FoldedBlock {
    isa: Isa,
    block: Block,
    weight: Weight,
    affine: Affine,
}

#[derive(Debug)]
enum Weight {
    /// One matrix from the input's order to the output's, with scale and shift of each column.
    Dense { matrix: Columns, columns: Affine },
    /// Of a convolution that reads images.
    Stem(stem::Filters),
    /// For one product per image.
    Direct(Channels),
    /// For minimal filtering where there are many tiles; where there are few, reading its larger filters would take
    /// longer than it saves, and the output channels are divided among the threads.
    Minimal { filters: Buffer, few: Vec<Channels> },
}

/// Some output channels of a convolution, as a smaller block.
#[derive(Debug)]
struct Channels {
    range: Range<usize>,
    packed: Buffer,
    affine: Affine,
}

/// Tiles from which minimal filtering is faster.
const MINIMAL_TILES: usize = 5;

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
        let affine = fold(parameters, statistics);
        let weight = parameters.weight;
        let channels = |count| {
            ranges(block.out_channels, count)
                .map(|range| Channels::new(isa, block, weight, &affine, range))
                .collect::<Vec<_>>()
        };
        let weight = match block.algorithm() {
            Algorithm::Dense => Weight::Dense {
                matrix: pack_dense(isa, block, weight),
                columns: affine.repeated(block.image_length()),
            },
            _ if block.is_stem() => Weight::Stem(stem::Filters::new(isa, block, weight, &affine)),
            Algorithm::Direct => Weight::Direct(Channels::new(isa, block, weight, &affine, 0..block.out_channels)),
            Algorithm::Minimal => Weight::Minimal {
                filters: pack_filters::<Convolution3x3>(isa, weight, block.filters()),
                few: channels(32),
            },
            // A run of 16 channels makes products of 256 columns.
            Algorithm::MinimalTransposed | Algorithm::MinimalFewTiles => Weight::Minimal {
                filters: pack_filters::<TransposedConvolution4x4<F4>>(isa, weight, block.filters()),
                few: channels(16),
            },
        };
        Self {
            isa,
            block: *block,
            weight,
            affine,
        }
    }

    /// Runs the block on `[batch, height, width, in channels]`.
    ///
    /// # Panics
    /// If the input is not a whole number of images, or of so many that the layer's map would be too large for any memory.
    #[must_use]
    pub fn forward(&self, input: &[f32]) -> Vec<f32> {
        let image = self.block.input_pixels() * self.block.in_channels;
        assert!(
            input.len().is_multiple_of(image),
            "the input is a whole number of images"
        );
        if input.is_empty() {
            return Vec::new();
        }
        let block = Block {
            batch: input.len() / image,
            ..self.block
        }
        .checked();
        let mut output = vec![0.0; block.output_length()];
        match &self.weight {
            Weight::Dense { matrix, columns } => {
                matrix.multiply(input, block.batch, &mut output, |range, products, output| {
                    let (scale, shift) = (&columns.scale[range.clone()], &columns.shift[range]);
                    relu(self.isa, products, scale, shift, output);
                });
            }
            Weight::Stem(filters) => stem::forward(self.isa, &block, input, filters, &mut output),
            Weight::Direct(channels) => {
                self.each_image(&block, &mut output, |maps| {
                    direct::forward(self.isa, &block, input, &channels.packed, maps);
                });
            }
            Weight::Minimal { few, .. } if block.batch * block.tiles::<Convolution3x3>().count() < MINIMAL_TILES => {
                self.few_tiles(&block, input, few, &mut output);
            }
            Weight::Minimal { filters, .. } => {
                self.each_image(&block, &mut output, |maps| {
                    in_pool(|| {
                        if block.layer == Layer::Convolution {
                            minimal::forward::<Convolution3x3>(self.isa, &block, input, filters, maps);
                        } else {
                            minimal::forward::<TransposedConvolution4x4<F4>>(self.isa, &block, input, filters, maps);
                        }
                    });
                });
            }
        }
        output
    }

    /// Runs a layer that makes one image's map at a time, and activates each at once.
    fn each_image(&self, block: &Block, output: &mut [f32], layer: impl FnOnce(&Maps<'_>)) {
        let image = output.len() / block.batch;
        let outputs: Vec<_> = output.chunks_mut(image).map(Mutex::new).collect();
        layer(&|index, fill| {
            let mut map = Buffer::take([block.image_length()]);
            fill(&mut map);
            let mut output = outputs[index].lock().unwrap_or_else(PoisonError::into_inner);
            activate(
                self.isa,
                block.activation,
                block.window(),
                &map,
                &self.affine,
                &mut output,
            );
        });
    }

    /// A task for each run of output channels.
    fn few_tiles(&self, block: &Block, input: &[f32], few: &[Channels], output: &mut [f32]) {
        let channels = block.out_channels;
        let image = output.len() / block.batch;
        let output = Disjoint::new(output);
        for_each_task(few.len(), |task| {
            let Channels { range, packed, affine } = &few[task];
            let width = range.len();
            let block = Block {
                out_channels: width,
                ..*block
            };
            direct::forward(self.isa, &block, input, packed, &|index, fill| {
                let mut map = Buffer::take([block.image_length()]);
                fill(&mut map);
                let mut activated = Buffer::take([image / channels, width]);
                activate(self.isa, block.activation, block.window(), &map, affine, &mut activated);
                for (pixel, from) in activated.chunks_exact(width).enumerate() {
                    // SAFETY: each image is made once in each task, and the tasks' channels are disjoint.
                    let to = unsafe { output.part(index * image + pixel * channels + range.start, width) };
                    to.copy_from_slice(from);
                }
            });
        });
    }

    /// The block that was folded.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }
}

/// The layer's weight as one matrix from the input's order to the output's.
fn pack_dense(isa: Isa, block: &Block, weight: &[f32]) -> Columns {
    let (inputs, outputs) = (block.in_channels, block.out_channels);
    if block.layer == Layer::Flattening {
        let pixels = block.input_pixels();
        Columns::pack(isa, pixels * inputs, outputs, |k, n| {
            weight[(n * inputs + k % inputs) * pixels + k / inputs]
        })
    } else {
        let pixels = block.image_length() / outputs;
        Columns::pack(isa, inputs, block.image_length(), |k, n| {
            weight[(k * outputs + n % outputs) * pixels + n / outputs]
        })
    }
}

impl Channels {
    fn new(isa: Isa, block: &Block, weight: &[f32], affine: &Affine, range: Range<usize>) -> Self {
        Self {
            packed: direct::pack_weight(isa, block, weight, range.clone()),
            affine: affine.of_channels(range.clone()),
            range,
        }
    }
}

/// `0..length` in runs of `count`.
fn ranges(length: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length)
        .step_by(count)
        .map(move |first| first..(first + count).min(length))
}

/// `gamma * (y + bias - mean) / sqrt(variance + epsilon) + beta` as one scale and one shift.
#[allow(clippy::cast_possible_truncation, reason = "applied to f32 maps")]
fn fold(parameters: &Parameters<'_>, statistics: &RunningStatistics<'_>) -> Affine {
    let channels = parameters.gamma.len();
    let (mut scale, mut shift) = (vec![0.0; channels], vec![0.0; channels]);
    for c in 0..channels {
        let inverse = 1.0 / (f64::from(statistics.variance[c]) + f64::from(parameters.epsilon)).sqrt();
        let factor = inverse * f64::from(parameters.gamma[c]);
        let centre = f64::from(statistics.mean[c]) - f64::from(parameters.bias[c]);
        scale[c] = factor as f32;
        shift[c] = (f64::from(parameters.beta[c]) - factor * centre) as f32;
    }
    Affine { scale, shift }
}
