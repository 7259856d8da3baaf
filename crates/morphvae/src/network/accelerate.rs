//! Stages as kernels of `morphvae-kernels`, each all at once, where one fits: what a CPU does by default. A GPU has
//! some for batch norms. The one place of the network that knows which stages have kernels.

use burn::tensor::{Device, Tensor};
use morphvae_kernels::extension::{self, BlockParameters};
use morphvae_kernels::{Activation as KernelActivation, Block, FoldedBlock, Linear, Nonlinearity, PackedLinear};

use super::layers::{BatchNorm, BatchStatistics, EPSILON, LayerWeights, StageWeights};
use super::plan::{Activation, Layer, Plan, Shape, Stage};
#[cfg(feature = "wgpu")]
use crate::device::kernels as gpu;

/// What computes the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operations {
    /// Burn's own operations, on any device.
    Plain,
    /// Kernels, on a CPU, for the stages that have one.
    Kernels,
    /// Burn's own, but for batch norms in training, which have kernels on a GPU.
    #[cfg(feature = "wgpu")]
    Gpu,
}

impl Operations {
    /// The fastest ones for a device.
    pub fn of_device(device: &Device) -> Self {
        #[cfg(feature = "wgpu")]
        if gpu::run_on(device) {
            return Self::Gpu;
        }
        if extension::runs_on(device) {
            Self::Kernels
        } else {
            Self::Plain
        }
    }
}

/// What computes a stage all at once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kernel {
    /// A layer with its batch norm.
    Block(Block),
    /// A linear layer without one.
    Linear(Linear),
}

/// A kernel ready to be run again and again, for any number of images.
#[derive(Debug)]
pub(super) enum ReadyKernel {
    Block(FoldedBlock),
    Linear(PackedLinear),
}

/// The kernel that computes a stage for so many images, if there is one.
pub(crate) fn kernel(stage: &Stage, batch: usize) -> Option<Kernel> {
    if stage.batch_norm {
        block(stage, batch).map(Kernel::Block)
    } else {
        linear(stage).map(Kernel::Linear)
    }
}

fn linear(stage: &Stage) -> Option<Linear> {
    if stage.layer != Layer::Linear || stage.max_pool {
        return None;
    }
    let nonlinearity = match stage.activation {
        Activation::Identity => Nonlinearity::Identity,
        Activation::Relu => Nonlinearity::Relu,
        Activation::Tanh => Nonlinearity::Tanh,
        Activation::Softplus => Nonlinearity::Softplus,
        Activation::Sigmoid => Nonlinearity::Sigmoid,
    };
    Some(Linear::new(stage.input.length(), stage.output.length(), nonlinearity))
}

fn block(stage: &Stage, batch: usize) -> Option<Block> {
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

/// Whether the heads behind an encoder that ends in this stage have kernels. Behind a batch norm Burn's operations compute
/// them, as they always did, so that such a network's results stay the same bits.
pub(super) fn heads_have_kernels(last: &Stage) -> bool {
    !last.batch_norm
}

/// Every stage of a network with the kernel that computes it for so many images, if one does.
pub(crate) fn kernels(plan: &Plan, batch: usize) -> impl Iterator<Item = (&Stage, Option<Kernel>)> {
    let heads = plan.encoder.last().is_some_and(heads_have_kernels);
    let is_plain = move |index: usize| !heads && (plan.encoder.len()..plan.encoder.len() + 2).contains(&index);
    let stages = plan.stages().enumerate();
    stages.map(move |(index, stage)| (stage, kernel(stage, batch).filter(|_| !is_plain(index))))
}

impl StageWeights {
    /// As [`StageWeights::train_pass`], by a kernel where these operations have one.
    pub(super) fn train_with(&self, operations: Operations, x: Tensor<4>) -> (Tensor<4>, Option<BatchStatistics>) {
        let kernel = match operations {
            Operations::Kernels => kernel(&self.stage, x.dims()[0]),
            Operations::Plain => None,
            #[cfg(feature = "wgpu")]
            Operations::Gpu => return self.train_on_gpu(x),
        };
        match (kernel, &self.layer) {
            (Some(Kernel::Linear(kernel)), LayerWeights::Linear(layer)) => {
                let Shape { channels, side } = self.stage.output;
                let output = extension::train_linear(kernel, x.flatten(1, 3), layer.weight.val(), layer.bias.val());
                (output.reshape([-1, channels as i32, side as i32, side as i32]), None)
            }
            (Some(Kernel::Block(kernel)), LayerWeights::Linear(layer)) => {
                let parameters = parameters(layer.weight.val(), layer.bias.val(), self.normalized());
                let (output, statistics) = train(kernel, x.flatten::<2>(1, 3), parameters);
                (output.unsqueeze_dims(&[2, 3]), Some(statistics))
            }
            (Some(Kernel::Block(kernel)), LayerWeights::Convolution(layer)) => {
                let parameters = parameters(layer.weight.val(), layer.bias.val(), self.normalized());
                let (output, statistics) = train(kernel, x, parameters);
                (output, Some(statistics))
            }
            (None | Some(Kernel::Linear(_)), _) => self.train_pass(x),
        }
    }

    #[cfg(feature = "wgpu")]
    fn train_on_gpu(&self, x: Tensor<4>) -> (Tensor<4>, Option<BatchStatistics>) {
        let Some(normalization) = &self.normalization else {
            return self.train_pass(x);
        };
        let x = self.layer_output(x);
        let count = x.shape().num_elements() / x.dims()[1];
        let (scale, shift) = (normalization.weight.val(), normalization.bias.val());
        let normalized = gpu::batch_norm(x, scale, shift, EPSILON);
        let statistics = BatchStatistics::new(normalized.mean, normalized.variance, count);
        (self.finish(normalized.output), Some(statistics))
    }

    /// The stage's kernel with the running statistics, ready to be run.
    pub(super) fn ready(&self) -> Option<ReadyKernel> {
        Some(match (kernel(&self.stage, 1)?, &self.layer) {
            (Kernel::Linear(kernel), LayerWeights::Linear(layer)) => {
                ReadyKernel::Linear(extension::pack_linear(kernel, layer.weight.val(), layer.bias.val()))
            }
            (Kernel::Block(kernel), LayerWeights::Linear(layer)) => {
                ReadyKernel::Block(fold(&kernel, layer.weight.val(), layer.bias.val(), self.normalized()))
            }
            (Kernel::Block(kernel), LayerWeights::Convolution(layer)) => {
                ReadyKernel::Block(fold(&kernel, layer.weight.val(), layer.bias.val(), self.normalized()))
            }
            (Kernel::Linear(_), LayerWeights::Convolution(_)) => return None,
        })
    }

    fn normalized(&self) -> &BatchNorm {
        self.normalization
            .as_ref()
            .expect("stages with a block have a batch norm")
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
    fn every_stage_of_the_reference_network_but_its_heads_has_a_block() {
        for (image_size, channels, latent) in [(32, 1, 2), (64, 3, 7), (128, 1, 40)] {
            let config = NetworkConfig {
                image_size,
                channels,
                latent,
                classes: 0,
                architecture: Architecture::Reference { base_channels: 4 },
            };
            for (stage, kernel) in kernels(&config.plan(), 3) {
                let Some(Kernel::Block(block)) = kernel else {
                    assert!(
                        kernel.is_none() && ["mean", "var"].contains(&stage.name.as_str()),
                        "{stage:?}"
                    );
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
    fn every_stage_of_linear_layers_has_a_kernel() {
        let config = NetworkConfig {
            image_size: 5,
            channels: 3,
            latent: 4,
            classes: 0,
            architecture: Architecture::Mlp {
                hidden: vec![8, 6],
                activation: HiddenActivation::Tanh,
            },
        };
        for (stage, kernel) in kernels(&config.plan(), 3) {
            let Some(Kernel::Linear(linear)) = kernel else {
                panic!("{stage:?}");
            };
            let sizes = [linear.outputs(), linear.inputs()];
            assert_eq!(sizes.to_vec(), stage.weight_shape(), "{stage:?}");
        }
    }
}
