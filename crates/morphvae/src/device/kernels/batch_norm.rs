//! A batch norm, by the statistics of its batch, as one operation of Burn's autodiff.
//!
//! A map `[batch, channels, height, width]` is read in the order in which its memory has it, channels first or last: either
//! way it is `[outer, channels, inner]`, where `inner` is a whole plane, or one. What becomes of it lies in the same order.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};
use burn_cubecl::cubecl::{self, prelude::*};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::{permute_nchw_to_nhwc, permute_nhwc_to_nchw};
use burn_cubecl::tensor::CubeTensor;

use super::{owned, units};

/// What a batch norm gives in training.
pub(crate) struct Normalized {
    /// `[batch, channels, height, width]`
    pub output: Tensor<4>,
    /// Mean of each channel, `[channels]`, without autodiff's history.
    pub mean: Tensor<1>,
    /// Its biased variance, `[channels]`, without autodiff's history.
    pub variance: Tensor<1>,
}

/// Normalizes each channel of `[batch, channels, height, width]`, then scales and shifts it; gradients flow to all three.
pub(crate) fn batch_norm(x: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f64) -> Normalized {
    let (output, mean, variance) = Dispatch::batch_norm_of_batch(
        x.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        epsilon as f32,
    );
    Normalized {
        output: Tensor::from_dispatch(output),
        mean: Tensor::<1>::from_dispatch(mean).inner(),
        variance: Tensor::<1>::from_dispatch(variance).inner(),
    }
}

#[backend_extension(Cube, Autodiff)]
trait BatchNormOperation: Backend {
    /// Output, mean and biased variance.
    fn batch_norm_of_batch(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl BatchNormOperation for Cube {
    fn batch_norm_of_batch(
        x: CubeTensor,
        scale: CubeTensor,
        shift: CubeTensor,
        epsilon: f32,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let (output, saved) = forward(x, scale, shift, epsilon);
        (output, saved.mean, saved.variance)
    }
}

impl<C: CheckpointStrategy> BatchNormOperation for Autodiff<Cube, C> {
    fn batch_norm_of_batch(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let tensors = [x, scale, shift];
        let nodes = tensors.each_ref().map(|tensor| tensor.node());
        let [x, scale, shift] = tensors.map(|tensor| tensor.into_primitive());
        let (output, saved) = forward(x, scale, shift, epsilon);
        let [mean, variance] = [&saved.mean, &saved.variance].map(|tensor| <FloatTensor<Self>>::new(tensor.clone()));
        let output = match BatchNormGradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => preparation.finish(saved, output),
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        };
        (output, mean, variance)
    }
}

/// A map as its memory has it.
#[derive(Clone, Debug)]
struct Map {
    /// Contiguous: `[batch, channels, height, width]`, or with channels last.
    memory: CubeTensor,
    channels: usize,
    is_channels_last: bool,
}

impl Map {
    fn new(x: CubeTensor) -> Self {
        let channels = x.shape()[1];
        let last = permute_nchw_to_nhwc(x.clone());
        let is_channels_last = last.is_contiguous();
        let memory = match is_channels_last {
            true => last,
            false => into_contiguous(x),
        };
        Self {
            memory,
            channels,
            is_channels_last,
        }
    }

    /// The memory of another map of the same shape, in the order of this one.
    fn in_same_order(&self, x: CubeTensor) -> CubeTensor {
        into_contiguous(match self.is_channels_last {
            true => permute_nchw_to_nhwc(x),
            false => x,
        })
    }

    /// What has such a memory, with Burn's shape.
    fn shaped(&self, memory: CubeTensor) -> CubeTensor {
        match self.is_channels_last {
            true => permute_nhwc_to_nchw(memory),
            false => memory,
        }
    }

    /// How many values of a channel follow on each other.
    fn inner(&self) -> usize {
        match self.is_channels_last {
            true => 1,
            false => self.memory.shape()[2] * self.memory.shape()[3],
        }
    }

    /// How many values a channel has.
    fn count(&self) -> usize {
        self.memory.shape().num_elements() / self.channels
    }

    /// As much memory as this has.
    fn empty(&self) -> CubeTensor {
        self.empty_of(self.memory.shape())
    }

    /// Memory for one value of each channel.
    fn empty_channels(&self) -> CubeTensor {
        self.empty_of(Shape::new([self.channels]))
    }

    fn empty_of(&self, shape: Shape) -> CubeTensor {
        let CubeTensor {
            client, device, dtype, ..
        } = &self.memory;
        empty_device_contiguous_dtype(client.clone(), device.clone(), shape, *dtype)
    }
}

/// What the backward pass needs again.
#[derive(Clone, Debug)]
struct Saved {
    x: Map,
    scale: CubeTensor,
    mean: CubeTensor,
    variance: CubeTensor,
    epsilon: f32,
}

/// The output, and what the backward pass needs.
fn forward(x: CubeTensor, scale: CubeTensor, shift: CubeTensor, epsilon: f32) -> (CubeTensor, Saved) {
    let x = Map::new(x);
    let [scale, shift] = [scale, shift].map(into_contiguous);
    let (mean, variance, output) = (x.empty_channels(), x.empty_channels(), x.empty());
    let client = &x.memory.client;
    find_statistics::launch(
        client,
        CubeCount::Static(x.channels as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        x.memory.clone().into_buffer_arg(),
        mean.clone().into_buffer_arg(),
        variance.clone().into_buffer_arg(),
        x.inner(),
    );
    let (cubes, cube) = units(&output);
    normalize::launch(
        client,
        cubes,
        cube,
        x.memory.clone().into_buffer_arg(),
        mean.clone().into_buffer_arg(),
        variance.clone().into_buffer_arg(),
        scale.clone().into_buffer_arg(),
        shift.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        x.inner(),
        epsilon,
    );
    let output = x.shaped(output);
    let saved = Saved {
        x,
        scale,
        mean,
        variance,
        epsilon,
    };
    (output, saved)
}

#[derive(Debug)]
struct BatchNormGradient;

impl Backward<Cube, 3> for BatchNormGradient {
    type State = Saved;

    fn backward(self, operation: Ops<Saved, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let Saved {
            x,
            scale,
            mean,
            variance,
            epsilon,
        } = operation.state;
        let gradient = x.in_same_order(gradients.consume::<Cube>(&operation.node));
        let (by_scale, by_shift) = (x.empty_channels(), x.empty_channels());
        let client = &x.memory.client;
        find_gradients::launch(
            client,
            CubeCount::Static(x.channels as u32, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            gradient.clone().into_buffer_arg(),
            x.memory.clone().into_buffer_arg(),
            mean.clone().into_buffer_arg(),
            variance.clone().into_buffer_arg(),
            by_scale.clone().into_buffer_arg(),
            by_shift.clone().into_buffer_arg(),
            x.inner(),
            epsilon,
        );
        let gradient = owned(gradient);
        let (cubes, cube) = units(&gradient);
        carry_back::launch(
            client,
            cubes,
            cube,
            gradient.clone().into_buffer_arg(),
            x.memory.clone().into_buffer_arg(),
            mean.into_buffer_arg(),
            variance.into_buffer_arg(),
            scale.into_buffer_arg(),
            by_scale.clone().into_buffer_arg(),
            by_shift.clone().into_buffer_arg(),
            x.inner(),
            x.count() as f32,
            epsilon,
        );
        let values = [x.shaped(gradient), by_scale, by_shift];
        for (parent, value) in operation.parents.into_iter().zip(values) {
            if let Some(parent) = parent {
                gradients.register::<Cube>(parent.id, value);
            }
        }
    }
}

/// How many units sum up a channel.
const UNITS: usize = 256;

/// The sum of what the units of a cube have.
#[cube]
fn sum_over_cube(value: f32) -> f32 {
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    sums[unit] = value;
    sync_cube();
    #[unroll]
    for halving in 1..9usize {
        let half = comptime!(UNITS >> halving);
        if unit < half {
            sums[unit] += sums[unit + half];
        }
        sync_cube();
    }
    sums[0]
}

/// Where in memory a channel's values lie, of which it has `length / channels`.
#[cube]
fn place(number: usize, channel: usize, channels: usize, inner: usize) -> usize {
    (number / inner * channels + channel) * inner + number % inner
}

#[cube(launch)]
fn find_statistics(x: &[f32], mean: &mut [f32], variance: &mut [f32], inner: usize) {
    let channel = CUBE_POS;
    let channels = mean.len();
    let count = x.len() / channels;
    let unit = UNIT_POS as usize;
    let mut sum = 0.0f32;
    for number in range_stepped(unit, count, UNITS) {
        sum += x[place(number, channel, channels, inner)];
    }
    let middle = sum_over_cube(sum) / count as f32;
    let mut squares = 0.0f32;
    for number in range_stepped(unit, count, UNITS) {
        let distance = x[place(number, channel, channels, inner)] - middle;
        squares += distance * distance;
    }
    let spread = sum_over_cube(squares) / count as f32;
    if unit == 0 {
        mean[channel] = middle;
        variance[channel] = spread;
    }
}

#[cube(launch)]
fn normalize(
    x: &[f32],
    mean: &[f32],
    variance: &[f32],
    scale: &[f32],
    shift: &[f32],
    output: &mut [f32],
    inner: usize,
    epsilon: f32,
) {
    let at = ABSOLUTE_POS;
    if at < output.len() {
        let channel = at / inner % mean.len();
        let normalized = (x[at] - mean[channel]) / (variance[channel] + epsilon).sqrt();
        output[at] = normalized * scale[channel] + shift[channel];
    }
}

/// Of what is behind the batch norm by its scale and by its shift.
#[cube(launch)]
fn find_gradients(
    gradient: &[f32],
    x: &[f32],
    mean: &[f32],
    variance: &[f32],
    by_scale: &mut [f32],
    by_shift: &mut [f32],
    inner: usize,
    epsilon: f32,
) {
    let channel = CUBE_POS;
    let channels = mean.len();
    let count = x.len() / channels;
    let unit = UNIT_POS as usize;
    let mut sum = 0.0f32;
    let mut product = 0.0f32;
    for number in range_stepped(unit, count, UNITS) {
        let at = place(number, channel, channels, inner);
        sum += gradient[at];
        product += gradient[at] * (x[at] - mean[channel]);
    }
    let sum = sum_over_cube(sum);
    let product = sum_over_cube(product) / (variance[channel] + epsilon).sqrt();
    if unit == 0 {
        by_scale[channel] = product;
        by_shift[channel] = sum;
    }
}

/// The gradient by the input, in place of that by the output: what shifts a channel, or stretches it, is normalized away.
#[cube(launch)]
fn carry_back(
    gradient: &mut [f32],
    x: &[f32],
    mean: &[f32],
    variance: &[f32],
    scale: &[f32],
    by_scale: &[f32],
    by_shift: &[f32],
    inner: usize,
    count: f32,
    epsilon: f32,
) {
    let at = ABSOLUTE_POS;
    if at < gradient.len() {
        let channel = at / inner % mean.len();
        let deviation = (variance[channel] + epsilon).sqrt();
        let normalized = (x[at] - mean[channel]) / deviation;
        let rest = gradient[at] - by_shift[channel] / count - normalized * by_scale[channel] / count;
        gradient[at] = scale[channel] / deviation * rest;
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::device::gpu_for_tests;

    const DIMS: [usize; 4] = [4, 3, 16, 9];
    const EPSILON: f64 = 1e-2;
    const SCALE: [f64; 3] = [0.7, -1.3, 2.0];
    const SHIFT: [f64; 3] = [0.1, 0.0, -4.0];

    fn wave(step: usize) -> Vec<f64> {
        let wave = (0..DIMS.iter().product()).map(|i: usize| ((i * i * step) % 101) as f64 / 25.0 - 1.0);
        wave.collect()
    }

    /// Output, means and variances by the definition.
    fn truth(x: &[f64], scale: &[f64], shift: &[f64]) -> [Vec<f64>; 3] {
        let channel = |i: usize| i / (DIMS[2] * DIMS[3]) % DIMS[1];
        let mean_of = |value: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let of = |own: usize| (0..x.len()).filter(move |&i| channel(i) == own);
            let mean = |own: usize| of(own).map(value).sum::<f64>() / of(own).count() as f64;
            (0..DIMS[1]).map(mean).collect()
        };
        let mean = mean_of(&|i| x[i]);
        let variance = mean_of(&|i| (x[i] - mean[channel(i)]).powi(2));
        let output = (0..x.len()).map(|i| {
            let own = channel(i);
            (x[i] - mean[own]) / (variance[own] + EPSILON).sqrt() * scale[own] + shift[own]
        });
        [output.collect(), mean, variance]
    }

    fn assert_close<const D: usize>(what: &str, found: Tensor<D>, truth: &[f64]) {
        let found: Vec<f32> = found.into_data().try_into_vec().unwrap();
        assert_eq!(found.len(), truth.len(), "{what}");
        for (found, truth) in found.into_iter().zip(truth) {
            let error = (f64::from(found) - truth).abs();
            assert!(error < 1e-4 * truth.abs().max(1.0), "{what}: {found} {truth}");
        }
    }

    #[test]
    fn a_map_is_normalized_and_its_slope_is_that_of_the_definition_in_either_order_of_memory() {
        let Some(device) = gpu_for_tests() else { return };
        let device = device.autodiff();
        let (x, weights) = (wave(7), wave(31));
        let [output, mean, variance] = truth(&x, &SCALE, &SHIFT);
        // The slope of the outputs' weighted sum, by differences.
        let loss = |x: &[f64], scale: &[f64], shift: &[f64]| -> f64 {
            let [output, ..] = truth(x, scale, shift);
            output.iter().zip(&weights).map(|(one, other)| one * other).sum()
        };
        let slope = |values: &[f64], loss: &dyn Fn(&[f64]) -> f64| -> Vec<f64> {
            let moved = |place: usize, by: f64| {
                let mut values = values.to_vec();
                values[place] += by;
                loss(&values)
            };
            let slope = (0..values.len()).map(|place| (moved(place, 1e-4) - moved(place, -1e-4)) / 2e-4);
            slope.collect()
        };
        let by_x = slope(&x, &|x| loss(x, &SCALE, &SHIFT));
        let by_scale = slope(&SCALE, &|scale| loss(&x, scale, &SHIFT));
        let by_shift = slope(&SHIFT, &|shift| loss(&x, &SCALE, shift));

        let data = |values: &[f64], dims: &[usize]| {
            let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            TensorData::new(values, dims.to_vec())
        };
        let channels = |values: &[f64]| Tensor::<1>::from_data(data(values, &[DIMS[1]]), &device).require_grad();
        let channels_first = |values: &[f64]| Tensor::<4>::from_data(data(values, &DIMS), &device);
        let channels_last = |values: &[f64]| {
            let [batch, channels, height, width] = DIMS;
            let plane = height * width;
            let place =
                |at: usize| ((at / channels / plane) * channels + at % channels) * plane + at / channels % plane;
            let values: Vec<f64> = (0..values.len()).map(|at| values[place(at)]).collect();
            let memory = Tensor::<4>::from_data(data(&values, &[batch, height, width, channels]), &device);
            memory.permute([0, 3, 1, 2])
        };
        for input in [channels_first(&x), channels_last(&x)] {
            for weights in [channels_first(&weights), channels_last(&weights)] {
                let leaves = (
                    input.clone().detach().require_grad(),
                    channels(&SCALE),
                    channels(&SHIFT),
                );
                let found = batch_norm(leaves.0.clone(), leaves.1.clone(), leaves.2.clone(), EPSILON);
                assert_close("output", found.output.clone(), &output);
                assert_close("mean", found.mean, &mean);
                assert_close("variance", found.variance, &variance);
                let mut gradients = (found.output * weights).sum().backward();
                assert_close("by x", leaves.0.grad_remove(&mut gradients).unwrap(), &by_x);
                assert_close("by scale", leaves.1.grad_remove(&mut gradients).unwrap(), &by_scale);
                assert_close("by shift", leaves.2.grad_remove(&mut gradients).unwrap(), &by_shift);
            }
        }
    }
}
