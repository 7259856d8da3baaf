//! A stage with its weights, composed of Burn's plain operations: the definition of the network.
//!
//! Shapes and starting values are PyTorch's.

use burn::module::{Module, Param, ParamId};
use burn::tensor::activation::{relu, sigmoid, softplus, tanh};
use burn::tensor::module::{batch_norm_train, conv_transpose2d, conv2d, linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;

use super::plan::{Activation, Layer, Shape, Stage};
#[cfg(feature = "wgpu")]
use crate::device::kernels;
use crate::random::{Generator, Purpose, generator};

/// Added to a variance before its root is taken, as PyTorch's batch norm does.
pub(super) const EPSILON: f64 = 1e-5;
/// How much of a batch's statistics enters the running ones.
const MOMENTUM: f64 = 0.1;

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

/// A stage of the network with its weights.
#[derive(Module, Debug)]
pub(crate) struct StageWeights {
    pub layer: LayerWeights,
    pub normalization: Option<BatchNorm>,
    #[module(skip)]
    pub stage: Stage,
}

/// Weight and bias of a layer.
#[derive(Module, Debug)]
pub(crate) enum LayerWeights {
    Linear(Linear),
    Convolution(Convolution),
}

/// Weight and bias of a linear layer.
#[derive(Module, Debug)]
pub(crate) struct Linear {
    /// `[out, in]`
    pub weight: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

/// Weight and bias of a convolution or a transposed convolution.
#[derive(Module, Debug)]
pub(crate) struct Convolution {
    /// `[out, in, height, width]`; a transposed convolution has `[in, out, height, width]`.
    pub weight: Param<Tensor<4>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

/// Scale, shift and running statistics of a batch norm.
#[derive(Module, Debug)]
pub(crate) struct BatchNorm {
    /// Scale, `[channels]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[channels]`.
    pub bias: Param<Tensor<1>>,
    /// `[channels]`
    pub running_mean: Param<Tensor<1>>,
    /// `[channels]`
    pub running_var: Param<Tensor<1>>,
}

/// Draws starting values as PyTorch's layers do by default: uniform in ±1/√`fan_in`.
pub(super) struct Initializer<'a> {
    /// Without one, weights are zeros, made when they are first asked for: somebody is about to replace them.
    pub generator: Option<Generator>,
    pub device: &'a Device,
}

impl Initializer<'_> {
    /// The weights of a stage.
    pub fn stage(&mut self, stage: Stage) -> StageWeights {
        let (shape, width, fan_in) = (stage.weight_shape(), stage.width(), stage.fan_in());
        StageWeights {
            layer: match stage.layer {
                Layer::Linear => LayerWeights::Linear(Linear {
                    weight: self.uniform([shape[0], shape[1]], fan_in),
                    bias: self.uniform([width], fan_in),
                }),
                Layer::Convolution { .. } | Layer::TransposedConvolution { .. } => {
                    LayerWeights::Convolution(Convolution {
                        weight: self.uniform([shape[0], shape[1], shape[2], shape[3]], fan_in),
                        bias: self.uniform([width], fan_in),
                    })
                }
            },
            normalization: stage.batch_norm.then(|| self.batch_norm(width)),
            stage,
        }
    }

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

    fn batch_norm(&self, channels: usize) -> BatchNorm {
        BatchNorm {
            weight: self.constant(channels, 1.0),
            bias: self.constant(channels, 0.0),
            running_mean: self.constant(channels, 0.0).set_require_grad(false),
            running_var: self.constant(channels, 1.0).set_require_grad(false),
        }
    }

    fn constant(&self, channels: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::full([channels], value, self.device))
    }
}

impl StageWeights {
    /// With starting values, the same ones every time.
    pub fn fresh(stage: &Stage, device: &Device) -> Self {
        let generator = Some(generator(0, Purpose::Weights, 0));
        Initializer { generator, device }.stage(stage.clone())
    }

    /// From `[batch, channels, side, side]` of the stage's input to that of its output, with the batch's own statistics,
    /// which are returned where the stage has a batch norm.
    pub fn train_pass(&self, x: Tensor<4>) -> (Tensor<4>, Option<BatchStatistics>) {
        let x = self.layer_output(x);
        match &self.normalization {
            Some(normalization) => {
                let (x, statistics) = normalization.normalize(x);
                (self.finish(x), Some(statistics))
            }
            None => (self.finish(x), None),
        }
    }

    /// The same with the running statistics.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.layer_output(x);
        self.finish(match &self.normalization {
            Some(normalization) => normalization.apply(x),
            None => x,
        })
    }

    /// Where the weights are.
    pub fn device(&self) -> Device {
        match &self.layer {
            LayerWeights::Linear(layer) => layer.weight.lazy_device(),
            LayerWeights::Convolution(layer) => layer.weight.lazy_device(),
        }
    }

    /// What the layer makes of its input.
    pub(super) fn layer_output(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.layer {
            LayerWeights::Linear(layer) => {
                let Shape { channels, side } = self.stage.output;
                let x = linear(
                    x.flatten::<2>(1, 3),
                    layer.weight.val().transpose(),
                    Some(layer.bias.val()),
                );
                x.reshape([-1, channels as i32, side as i32, side as i32])
            }
            LayerWeights::Convolution(layer) => {
                let (weight, bias) = (layer.weight.val(), Some(layer.bias.val()));
                match self.stage.layer {
                    Layer::TransposedConvolution { padding, .. } => {
                        let options = ConvTransposeOptions::new([2, 2], [padding; 2], [0, 0], [1, 1], 1);
                        conv_transpose2d(x, weight, bias, options)
                    }
                    Layer::Convolution { padding, .. } => {
                        conv2d(x, weight, bias, ConvOptions::new([1, 1], [padding; 2], [1, 1], 1))
                    }
                    Layer::Linear => unreachable!("a linear layer has a linear layer's weights"),
                }
            }
        }
    }

    /// What follows on the layer and its batch norm.
    pub(super) fn finish(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match self.stage.activation {
            Activation::Identity => x,
            Activation::Relu => relu(x),
            Activation::Tanh => tanh(x),
            Activation::Softplus => softplus(x, 1.0),
            Activation::Sigmoid => sigmoid(x),
        };
        match self.stage.max_pool {
            true => max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2])),
            false => x,
        }
    }
}

impl BatchNorm {
    /// Normalizes by the batch's own statistics and returns them.
    fn normalize(&self, x: Tensor<4>) -> (Tensor<4>, BatchStatistics) {
        let dims = x.dims();
        let count = dims.iter().product::<usize>() / dims[1];
        let result = batch_norm_train(x, self.weight.val(), self.bias.val(), EPSILON);
        (result.output, BatchStatistics::new(result.mean, result.variance, count))
    }

    /// Normalizes by the running statistics.
    fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let per_channel = [1, x.dims()[1], 1, 1];
        let scale = self.weight.val() / self.running_var.val().add_scalar(EPSILON).sqrt();
        let shift = self.bias.val() - self.running_mean.val() * scale.clone();
        x * scale.reshape(per_channel) + shift.reshape(per_channel)
    }

    /// Moves the running statistics towards a batch's.
    pub fn update(&mut self, batch: BatchStatistics) {
        let step = |running: &Param<Tensor<1>>, batch| running.clone().map(|value| towards(value, batch));
        self.running_mean = step(&self.running_mean, batch.mean);
        self.running_var = step(&self.running_var, batch.variance);
    }
}

/// A running statistic, moved towards a batch's, which has no autodiff.
fn towards(running: Tensor<1>, batch: Tensor<1>) -> Tensor<1> {
    #[cfg(feature = "wgpu")]
    if kernels::run_on(&running.device()) {
        let is_autodiff = running.is_autodiff();
        let moved = kernels::blend([running.inner(), batch], [1.0 - MOMENTUM, MOMENTUM]);
        return match is_autodiff {
            true => moved.autodiff(),
            false => moved,
        };
    }
    running.mul_scalar(1.0 - MOMENTUM) + batch.mul_scalar(MOMENTUM)
}
