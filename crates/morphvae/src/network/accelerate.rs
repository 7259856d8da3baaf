//! Stages as kernels of `morphvae-kernels`, each all at once, where one fits: what a CPU does by default. The one place of
//! the network that knows them.

use burn::tensor::{Device, Tensor};
use morphvae_kernels::extension::{self, BlockParameters};
use morphvae_kernels::{Activation as KernelActivation, Block, FoldedBlock};

use super::layers::{BatchNorm, BatchStatistics, EPSILON, LayerWeights, StageWeights};
use super::plan::{Activation, Layer, Stage};

/// What computes the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operations {
    /// Burn's own operations, on any device.
    Plain,
    /// Kernels, on a CPU, for the stages that have one.
    Kernels,
}

impl Operations {
    /// The fastest ones for a device.
    pub fn of_device(device: &Device) -> Self {
        if extension::runs_on(device) {
            Self::Kernels
        } else {
            Self::Plain
        }
    }
}

/// The kernel that computes a stage for so many images, if there is one.
pub(crate) fn kernel(stage: &Stage, batch: usize) -> Option<Block> {
    if !stage.batch_norm {
        return None;
    }
    let (inputs, outputs) = (stage.input.channels, stage.output.channels);
    let size = (stage.input.side, stage.input.side);
    match (stage.layer, stage.activation, stage.max_pool) {
        (Layer::Linear, Activation::Relu, false) if stage.output.side == 1 => {
            Some(Block::linear(batch, stage.input.length(), outputs))
        }
        (Layer::Convolution { kernel: 3, padding: 1 }, Activation::Relu, true) => {
            Some(Block::convolution(batch, size, inputs, outputs))
        }
        (Layer::Convolution { kernel, padding: 0 }, Activation::Relu, false) if kernel == stage.input.side => {
            Some(Block::flattening(batch, size, inputs, outputs))
        }
        (Layer::TransposedConvolution { kernel, padding: 0 }, Activation::Relu, false) if stage.input.side == 1 => {
            Some(Block::expansion(batch, (kernel, kernel), inputs, outputs))
        }
        (Layer::TransposedConvolution { kernel: 4, padding: 1 }, Activation::Relu, false) => {
            let activation = KernelActivation::Relu;
            Some(Block::transposed_convolution(batch, size, inputs, outputs, activation))
        }
        (Layer::TransposedConvolution { kernel: 4, padding: 1 }, Activation::Sigmoid, false) => {
            let activation = KernelActivation::Sigmoid;
            Some(Block::transposed_convolution(batch, size, inputs, outputs, activation))
        }
        _ => None,
    }
}

impl StageWeights {
    /// As [`StageWeights::train_pass`], by a kernel.
    pub fn train_with(&self, kernel: Block, x: Tensor<4>) -> (Tensor<4>, BatchStatistics) {
        let normalization = self.normalized();
        match &self.layer {
            LayerWeights::Linear(layer) => {
                let parameters = parameters(layer.weight.val(), layer.bias.val(), normalization);
                let (output, statistics) = train(kernel, x.flatten::<2>(1, 3), parameters);
                (output.unsqueeze_dims(&[2, 3]), statistics)
            }
            LayerWeights::Convolution(layer) => train(
                kernel,
                x,
                parameters(layer.weight.val(), layer.bias.val(), normalization),
            ),
        }
    }

    /// The kernel with the running statistics, ready to be run again and again, for any number of images.
    pub fn fold(&self) -> Option<FoldedBlock> {
        let kernel = kernel(&self.stage, 1)?;
        let normalization = self.normalized();
        Some(match &self.layer {
            LayerWeights::Linear(layer) => fold(&kernel, layer.weight.val(), layer.bias.val(), normalization),
            LayerWeights::Convolution(layer) => fold(&kernel, layer.weight.val(), layer.bias.val(), normalization),
        })
    }

    fn normalized(&self) -> &BatchNorm {
        self.normalization
            .as_ref()
            .expect("stages with a kernel have a batch norm")
    }
}

/// What a kernel needs of a layer and the batch norm after it.
fn parameters<const D: usize>(weight: Tensor<D>, bias: Tensor<1>, normalization: &BatchNorm) -> BlockParameters<D> {
    BlockParameters {
        weight,
        bias,
        gamma: normalization.weight.val(),
        beta: normalization.bias.val(),
        epsilon: EPSILON as f32,
    }
}

/// A kernel with the running statistics.
fn fold<const D: usize>(kernel: &Block, weight: Tensor<D>, bias: Tensor<1>, normalization: &BatchNorm) -> FoldedBlock {
    let (mean, variance) = (normalization.running_mean.val(), normalization.running_var.val());
    extension::fold_block(kernel, parameters(weight, bias, normalization), mean, variance)
}

/// Runs a kernel with the statistics of the batch.
fn train<const D: usize>(kernel: Block, x: Tensor<D>, parameters: BlockParameters<D>) -> (Tensor<D>, BatchStatistics) {
    let trained = extension::train_block(kernel, x, parameters);
    let statistics = BatchStatistics::new(trained.mean, trained.variance, trained.count);
    (trained.output, statistics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, HiddenActivation, NetworkConfig};

    #[test]
    fn every_stage_of_the_reference_network_but_its_heads_has_a_kernel() {
        for (image_size, channels, latent) in [(32, 1, 2), (64, 3, 7), (128, 1, 1)] {
            let config = NetworkConfig {
                image_size,
                channels,
                latent,
                architecture: Architecture::Reference { base_channels: 4 },
            };
            for stage in config.plan().stages() {
                let Some(block) = kernel(stage, 3) else {
                    assert!(["mean", "var"].contains(&stage.name.as_str()), "{stage:?}");
                    continue;
                };
                // What the kernel says of itself is what the plan says.
                assert_eq!(block.multiply_adds(), 3 * stage.multiply_adds(), "{stage:?}");
                assert_eq!(block.input_length(), 3 * stage.input.length(), "{stage:?}");
                assert_eq!(block.output_length(), 3 * stage.output.length(), "{stage:?}");
                assert_eq!(
                    block.weight_length(),
                    stage.weight_shape().iter().product::<usize>(),
                    "{stage:?}"
                );
            }
        }
    }

    #[test]
    fn layers_without_batch_norm_have_none() {
        let config = NetworkConfig {
            architecture: Architecture::Mlp {
                hidden: vec![8],
                activation: HiddenActivation::Relu,
            },
            ..NetworkConfig::default()
        };
        assert!(config.plan().stages().all(|stage| kernel(stage, 3).is_none()));
    }
}
