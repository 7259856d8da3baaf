//! The layers with their weights, composed of Burn's plain operations: the definition of the network.
//!
//! Each block can also be computed by a kernel of `morphvae-kernels`, all at once: what a CPU does by default.
//!
//! Shapes and starting values are PyTorch's. Fields are named so that the path to a weight spells its PyTorch name
//! (see [`super::state`]).

use burn::module::{Module, Param, ParamId};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module::{batch_norm_train, conv_transpose2d, conv2d, linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use morphvae_kernels::extension::{self, BlockParameters};
use morphvae_kernels::{Activation, Block, FoldedBlock};
use rand::RngExt;

use crate::random::Generator;

/// Added to a variance before its root is taken, as PyTorch's batch norm does.
pub(super) const EPSILON: f64 = 1e-5;
/// How much of a batch's statistics enters the running ones.
const MOMENTUM: f64 = 0.1;

/// The side of the map that the last convolution turns into a vector.
const LAST_MAP: usize = 4;

/// What computes the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operations {
    /// Burn's own operations, on any device.
    Plain,
    /// Kernels, on a CPU.
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

/// What one batch norm saw in one training batch.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    /// Mean per channel, `[channels]`.
    pub mean: Tensor<1>,
    /// Variance per channel with Bessel's correction, `[channels]`.
    pub variance: Tensor<1>,
}

impl BatchStatistics {
    /// From the biased variance over `count` values per channel. A single value has no spread to correct.
    pub(super) fn new(mean: Tensor<1>, biased_variance: Tensor<1>, count: usize) -> Self {
        let correction = count as f64 / count.saturating_sub(1).max(1) as f64;
        Self {
            mean: mean.inner(),
            variance: biased_variance.inner().mul_scalar(correction),
        }
    }
}

/// Weight and bias of a convolution or a transposed convolution.
#[derive(Module, Debug)]
pub(super) struct Convolution {
    /// `[out, in, height, width]`; a transposed convolution has `[in, out, height, width]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

/// Weight and bias of a linear layer.
#[derive(Module, Debug)]
pub(super) struct Linear {
    /// `[out, in]`
    pub weight: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

/// Scale, shift and running statistics of a batch norm.
#[derive(Module, Debug)]
pub(super) struct BatchNorm {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<1>>,
    /// `[channels]`
    pub running_mean: Param<Tensor<1>>,
    /// `[channels]`
    pub running_var: Param<Tensor<1>>,
}

/// A convolution, or a transposed one, and its batch norm.
#[derive(Module, Debug)]
pub(super) struct ConvolutionBlock {
    pub layer: Convolution,
    pub normalization: BatchNorm,
}

/// A linear layer and its batch norm.
#[derive(Module, Debug)]
pub(super) struct LinearBlock {
    pub layer: Linear,
    pub normalization: BatchNorm,
}

/// A linear layer alone.
#[derive(Module, Debug)]
pub(super) struct Head {
    pub layer: Linear,
}

/// Draws starting values as PyTorch's layers do by default: uniform in ±1/√`fan_in`.
pub(super) struct Initializer<'a> {
    /// Without one, weights are zeros, made when they are first asked for: somebody is about to replace them.
    pub generator: Option<Generator>,
    pub device: &'a Device,
}

impl Initializer<'_> {
    fn uniform<const D: usize>(&mut self, shape: [usize; D], fan_in: usize) -> Param<Tensor<D>> {
        let Some(generator) = &mut self.generator else {
            let zeros = move |device: &Device, trained| Tensor::zeros(shape, device).set_require_grad(trained);
            return Param::uninitialized(ParamId::new(), zeros, self.device.clone(), true, shape.into());
        };
        let bound = 1.0 / (fan_in as f32).sqrt();
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| generator.random_range(-bound..=bound)).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    fn constant(&self, channels: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::full([channels], value, self.device))
    }

    fn batch_norm(&self, channels: usize) -> BatchNorm {
        BatchNorm {
            weight: self.constant(channels, 1.0),
            bias: self.constant(channels, 0.0),
            running_mean: self.constant(channels, 0.0).set_require_grad(false),
            running_var: self.constant(channels, 1.0).set_require_grad(false),
        }
    }

    /// A convolution of `kernel` x `kernel` pixels.
    pub fn convolution(&mut self, inputs: usize, outputs: usize, kernel: usize) -> ConvolutionBlock {
        let fan_in = inputs * kernel * kernel;
        ConvolutionBlock {
            layer: Convolution {
                weight: self.uniform([outputs, inputs, kernel, kernel], fan_in),
                bias: self.uniform([outputs], fan_in),
            },
            normalization: self.batch_norm(outputs),
        }
    }

    /// A transposed convolution of 4 x 4 pixels. PyTorch takes its `fan_in` from the second side of the weight, which
    /// here is the outputs.
    pub fn transposed_convolution(&mut self, inputs: usize, outputs: usize) -> ConvolutionBlock {
        let fan_in = outputs * 4 * 4;
        ConvolutionBlock {
            layer: Convolution {
                weight: self.uniform([inputs, outputs, 4, 4], fan_in),
                bias: self.uniform([outputs], fan_in),
            },
            normalization: self.batch_norm(outputs),
        }
    }

    /// A linear layer with batch norm.
    pub fn linear_block(&mut self, inputs: usize, outputs: usize) -> LinearBlock {
        LinearBlock {
            layer: self.linear(inputs, outputs),
            normalization: self.batch_norm(outputs),
        }
    }

    /// A linear layer alone.
    pub fn head(&mut self, inputs: usize, outputs: usize) -> Head {
        Head {
            layer: self.linear(inputs, outputs),
        }
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        Linear {
            weight: self.uniform([outputs, inputs], inputs),
            bias: self.uniform([outputs], inputs),
        }
    }
}

impl Convolution {
    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        // The last convolution covers its whole map; the others keep the map's size.
        let padding = usize::from(!self.covers_its_map());
        let options = ConvOptions::new([1, 1], [padding, padding], [1, 1], 1);
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }

    fn covers_its_map(&self) -> bool {
        self.weight.dims()[2] == LAST_MAP
    }

    fn convolve_transposed(&self, x: Tensor<4>) -> Tensor<4> {
        // The first one makes 4 x 4 of a single pixel, the others double the map.
        let padding = usize::from(x.dims()[2] > 1);
        let options = ConvTransposeOptions::new([2, 2], [padding, padding], [0, 0], [1, 1], 1);
        conv_transpose2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

impl Linear {
    fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        linear(x, self.weight.val().transpose(), Some(self.bias.val()))
    }
}

impl BatchNorm {
    /// Normalizes by the batch's own statistics and returns them.
    fn normalize<const D: usize>(&self, x: Tensor<D>) -> (Tensor<D>, BatchStatistics) {
        let dims = x.dims();
        let count = dims.iter().product::<usize>() / dims[1];
        let result = batch_norm_train(x, self.weight.val(), self.bias.val(), EPSILON);
        (result.output, BatchStatistics::new(result.mean, result.variance, count))
    }

    /// Normalizes by the running statistics.
    fn apply<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut per_channel = [1; D];
        per_channel[1] = x.dims()[1];
        let scale = self.weight.val() / self.running_var.val().add_scalar(EPSILON).sqrt();
        let shift = self.bias.val() - self.running_mean.val() * scale.clone();
        x * scale.reshape(per_channel) + shift.reshape(per_channel)
    }

    /// What a kernel needs of this and of the layer before it.
    fn parameters<const D: usize>(&self, weight: Tensor<D>, bias: Tensor<1>) -> BlockParameters<D> {
        BlockParameters {
            weight,
            bias,
            gamma: self.weight.val(),
            beta: self.bias.val(),
            epsilon: EPSILON as f32,
        }
    }

    /// The kernel with the running statistics.
    fn fold<const D: usize>(&self, block: &Block, parameters: BlockParameters<D>) -> FoldedBlock {
        extension::fold_block(block, parameters, self.running_mean.val(), self.running_var.val())
    }

    /// Moves the running statistics towards a batch's.
    pub fn update(&mut self, batch: BatchStatistics) {
        let step = |running: &Param<Tensor<1>>, batch: Tensor<1>| {
            running
                .clone()
                .map(|value| value.mul_scalar(1.0 - MOMENTUM) + batch.mul_scalar(MOMENTUM))
        };
        self.running_mean = step(&self.running_mean, batch.mean);
        self.running_var = step(&self.running_var, batch.variance);
    }
}

fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Relu => relu(x),
        Activation::ReluMaxPool => max_pool2d(relu(x), MaxPoolOptions::new([2, 2]).with_stride([2, 2])),
        Activation::Sigmoid => sigmoid(x),
    }
}

/// Runs a block's kernel with the statistics of the batch.
fn train<const D: usize>(block: Block, x: Tensor<D>, parameters: BlockParameters<D>) -> (Tensor<D>, BatchStatistics) {
    let trained = extension::train_block(block, x, parameters);
    let statistics = BatchStatistics::new(trained.mean, trained.variance, trained.count);
    (trained.output, statistics)
}

impl ConvolutionBlock {
    /// Convolution, batch norm, ReLU, pooling: `[batch, in, side, side]` to `[batch, out, side / 2, side / 2]`,
    /// or to `[batch, out, 1, 1]` for the last.
    pub fn encode_train(&self, x: Tensor<4>, operations: Operations) -> (Tensor<4>, BatchStatistics) {
        match operations {
            Operations::Plain => {
                let (x, statistics) = self.normalization.normalize(self.layer.convolve(x));
                (activate(x, self.encoder_activation()), statistics)
            }
            Operations::Kernels => {
                let [batch, _, side, _] = x.dims();
                train(self.encoder_kernel(batch, side), x, self.parameters())
            }
        }
    }

    /// The same with the running statistics.
    pub fn encode(&self, x: Tensor<4>) -> Tensor<4> {
        activate(
            self.normalization.apply(self.layer.convolve(x)),
            self.encoder_activation(),
        )
    }

    /// What ends the block as part of an encoder: maps are pooled until one convolution has made them a single pixel.
    fn encoder_activation(&self) -> Activation {
        if self.layer.covers_its_map() {
            Activation::Relu
        } else {
            Activation::ReluMaxPool
        }
    }

    /// Transposed convolution, batch norm, activation: `[batch, in, side, side]` to `[batch, out, 2 side, 2 side]`,
    /// or from one pixel to 4 x 4.
    pub fn decode_train(
        &self,
        x: Tensor<4>,
        activation: Activation,
        operations: Operations,
    ) -> (Tensor<4>, BatchStatistics) {
        match operations {
            Operations::Plain => {
                let (x, statistics) = self.normalization.normalize(self.layer.convolve_transposed(x));
                (activate(x, activation), statistics)
            }
            Operations::Kernels => {
                let [batch, _, side, _] = x.dims();
                train(self.decoder_kernel(batch, side, activation), x, self.parameters())
            }
        }
    }

    /// The same with the running statistics.
    pub fn decode(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        activate(self.normalization.apply(self.layer.convolve_transposed(x)), activation)
    }

    /// What computes the block as part of an encoder: inputs are `[batch, in, side, side]`.
    pub fn encoder_kernel(&self, batch: usize, side: usize) -> Block {
        let [outputs, inputs, ..] = self.layer.weight.dims();
        if self.layer.covers_its_map() {
            Block::flattening(batch, (side, side), inputs, outputs)
        } else {
            Block::convolution(batch, (side, side), inputs, outputs)
        }
    }

    /// What computes the block as part of a decoder: inputs are `[batch, in, side, side]`.
    pub fn decoder_kernel(&self, batch: usize, side: usize, activation: Activation) -> Block {
        let [inputs, outputs, kernel, _] = self.layer.weight.dims();
        if side == 1 {
            Block::expansion(batch, (kernel, kernel), inputs, outputs)
        } else {
            Block::transposed_convolution(batch, (side, side), inputs, outputs, activation)
        }
    }

    /// The block with the running statistics, ready to be run again and again on a CPU.
    pub fn fold(&self, kernel: &Block) -> FoldedBlock {
        self.normalization.fold(kernel, self.parameters())
    }

    fn parameters(&self) -> BlockParameters<4> {
        self.normalization
            .parameters(self.layer.weight.val(), self.layer.bias.val())
    }
}

impl LinearBlock {
    /// Linear layer, batch norm, ReLU: `[batch, in]` to `[batch, out]`.
    pub fn apply_train(&self, x: Tensor<2>, operations: Operations) -> (Tensor<2>, BatchStatistics) {
        match operations {
            Operations::Plain => {
                let (x, statistics) = self.normalization.normalize(self.layer.apply(x));
                (relu(x), statistics)
            }
            Operations::Kernels => {
                let [batch, _] = x.dims();
                train(self.kernel(batch), x, self.parameters())
            }
        }
    }

    /// The same with the running statistics.
    pub fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        relu(self.normalization.apply(self.layer.apply(x)))
    }

    /// The block with the running statistics, ready to be run again and again on a CPU.
    pub fn fold(&self, kernel: &Block) -> FoldedBlock {
        self.normalization.fold(kernel, self.parameters())
    }

    /// What computes the block: inputs are `[batch, in]`.
    pub fn kernel(&self, batch: usize) -> Block {
        let [outputs, inputs] = self.layer.weight.dims();
        Block::linear(batch, inputs, outputs)
    }

    fn parameters(&self) -> BlockParameters<2> {
        self.normalization
            .parameters(self.layer.weight.val(), self.layer.bias.val())
    }
}

impl Head {
    /// `[batch, in]` to `[batch, out]`.
    pub fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        self.layer.apply(x)
    }
}
