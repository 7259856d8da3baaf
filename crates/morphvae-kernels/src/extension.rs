//! The kernels as operations on Burn's tensors, for its CPU backend.
//!
//! Tensors have Burn's shapes, `[batch, channels, height, width]`. What [`train_block`] returns is such a tensor whose
//! memory is channels-last, so that the next block takes it as it lies; of any other tensor a copy is made.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use morphvae_kernels::{Activation, Block, extension};
//!
//! let device = Device::flex().autodiff();
//! assert!(extension::runs_on(&device));
//! let images = Tensor::<4>::ones([2, 1, 4, 4], &device);
//! let parameters = extension::BlockParameters {
//!     weight: Tensor::<4>::ones([1, 3, 4, 4], &device).require_grad(),
//!     bias: Tensor::zeros([3], &device),
//!     gamma: Tensor::ones([3], &device),
//!     beta: Tensor::zeros([3], &device),
//!     epsilon: 1e-5,
//! };
//! let block = Block::transposed_convolution(2, (4, 4), 1, 3, Activation::Relu);
//! let trained = extension::train_block(block, images, parameters);
//! assert_eq!(trained.output.dims(), [2, 3, 8, 8]);
//! trained.output.sum().backward();
//! ```

mod cross_entropy;
mod linear;

pub use cross_entropy::cross_entropy;
pub use linear::{pack_linear, run_linear, train_linear};

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Device, Tensor, TensorData};

use crate::tasks::awake;
use crate::{Adam, Block, FoldedBlock, Isa, Parameters, RunningStatistics, State, adam_step, buffer};

/// Whether the kernels run on a device: it is this machine's processor, driven by Burn's Flex.
#[must_use]
pub fn runs_on(device: &Device) -> bool {
    device.clone().without_autodiff() == Device::flex()
}

/// A block's parameters as tensors, in PyTorch's shapes.
#[derive(Clone, Debug)]
pub struct BlockParameters<const D: usize> {
    /// The layer's weight; its layout stands at the constructor of the [`Block`].
    pub weight: Tensor<D>,
    /// The layer's bias, `[out channels]`.
    pub bias: Tensor<1>,
    /// The batch normalization's scale, `[out channels]`.
    pub gamma: Tensor<1>,
    /// The batch normalization's shift, `[out channels]`.
    pub beta: Tensor<1>,
    /// Added to the variance before its square root.
    pub epsilon: f32,
}

/// What a block gives in training.
#[derive(Clone, Debug)]
pub struct TrainedBlock<const D: usize> {
    /// The block's output, `[batch, channels, height, width]`, or `[batch, features]` of a linear block.
    pub output: Tensor<D>,
    /// Mean of the layer's output over batch, height and width, `[out channels]`, without autodiff's history.
    pub mean: Tensor<1>,
    /// Its biased variance, `[out channels]`, without autodiff's history.
    pub variance: Tensor<1>,
    /// How many values of each channel the two are of.
    pub count: usize,
}

impl<const D: usize> BlockParameters<D> {
    /// The parameters where kernels read them.
    fn into_flex(self) -> [FlexTensor; 4] {
        [
            to_flex(self.weight),
            to_flex(self.bias),
            to_flex(self.gamma),
            to_flex(self.beta),
        ]
        .map(|tensor| tensor.to_contiguous())
    }
}

/// Runs a block with the statistics of the batch; gradients flow to the input and the parameters.
///
/// The input is `[batch, channels, height, width]`, or `[batch, features]` of a linear block.
///
/// # Panics
/// If a tensor has another shape than the block says, or is on a device where the kernels do not run.
#[must_use]
pub fn train_block<const D: usize>(block: Block, input: Tensor<D>, parameters: BlockParameters<D>) -> TrainedBlock<D> {
    check_shape("input", &input.dims(), block.input_shape());
    check_shape("weight", &parameters.weight.dims(), block.weight_shape());
    let count = block.rows();
    let (output, mean, variance) = Dispatch::train_block(
        input.into_dispatch(),
        parameters.weight.into_dispatch(),
        parameters.bias.into_dispatch(),
        parameters.gamma.into_dispatch(),
        parameters.beta.into_dispatch(),
        block,
        parameters.epsilon,
    );
    TrainedBlock {
        output: Tensor::from_dispatch(output),
        mean: Tensor::<1>::from_dispatch(mean).inner(),
        variance: Tensor::<1>::from_dispatch(variance).inner(),
        count,
    }
}

/// Panics unless a tensor has the shape that it must have; a height and width of one may be left out.
fn check_shape(name: &str, dims: &[usize], expected: [usize; 4]) {
    assert!(
        dims == expected || dims == &expected[..2] && expected[2..] == [1, 1],
        "the {name} is {dims:?} in place of {expected:?}"
    );
}

/// A block that is only run: see [`FoldedBlock::new`]. The tensors have no autodiff.
///
/// # Panics
/// As [`FoldedBlock::new`], or if the weight has another shape than the block says, or a tensor is on a device where the
/// kernels do not run.
#[must_use]
pub fn fold_block<const D: usize>(
    block: &Block,
    parameters: BlockParameters<D>,
    running_mean: Tensor<1>,
    running_variance: Tensor<1>,
) -> FoldedBlock {
    check_shape("weight", &parameters.weight.dims(), block.weight_shape());
    let epsilon = parameters.epsilon;
    let parameters = parameters.into_flex();
    let statistics = [running_mean, running_variance].map(|tensor| to_flex(tensor).to_contiguous());
    let [weight, bias, gamma, beta] = parameters.each_ref().map(floats);
    let [mean, variance] = statistics.each_ref().map(floats);
    let parameters = Parameters {
        weight,
        bias,
        gamma,
        beta,
        epsilon,
    };
    FoldedBlock::new(Isa::detect(), block, &parameters, &RunningStatistics { mean, variance })
}

/// Runs blocks one after the other on `[batch, channels, height, width]`, without autodiff; the output has the last block's
/// size.
///
/// # Panics
/// If the input is not of the first block's size, or is on a device where the kernels do not run.
#[must_use]
pub fn run_folded(blocks: &[FoldedBlock], input: Tensor<4>) -> Tensor<4> {
    let [batch, ..] = input.dims();
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
        return input;
    };
    let [_, channels, height, width] = first.block().input_shape();
    check_shape("input", &input.dims(), [batch, channels, height, width]);
    let (height, width) = last.block().output_size();
    let shape = [batch, last.block().out_channels(), height, width];
    let input = channels_last(to_flex(input));
    let mut maps = blocks.iter();
    let output = awake(|| {
        let first = maps.next().map(|block| block.forward(floats(&input)));
        maps.fold(first.unwrap_or_default(), |map, block| block.forward(&map))
    });
    Tensor::from_primitive::<Flex>(from_channels_last(output, &shape))
}

/// A weight after a step of Adam, and its moments, flat: `[values]` each.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// The weight.
    pub weight: Tensor<1>,
    /// Running average of its gradient.
    pub first_moment: Tensor<1>,
    /// Running average of its gradient's square.
    pub second_moment: Tensor<1>,
}

/// One step of Adam on flat tensors, `[values]`, without autodiff, in place where nobody else holds them; `step` counts
/// from 1.
///
/// # Panics
/// If the tensors differ in length, `step` is zero, or a tensor is on a device where the kernels do not run.
#[must_use]
pub fn step_weight(
    settings: &Adam,
    step: u32,
    gradient: Tensor<1>,
    weight: Tensor<1>,
    [first_moment, second_moment]: [Tensor<1>; 2],
) -> Stepped {
    let gradient = to_flex(gradient).to_contiguous();
    let [mut weight, mut first, mut second] =
        [weight, first_moment, second_moment].map(|tensor| to_flex(tensor).to_contiguous());
    adam_step(
        Isa::detect(),
        settings,
        step,
        weight.storage_mut(),
        floats(&gradient),
        first.storage_mut(),
        second.storage_mut(),
    );
    recycle(gradient);
    let [weight, first_moment, second_moment] = [weight, first, second].map(Tensor::from_primitive::<Flex>);
    Stepped {
        weight,
        first_moment,
        second_moment,
    }
}

/// The operations that autodiff knows the gradients of.
#[backend_extension(Flex, Autodiff)]
trait BlockOperations: Backend {
    /// Output, mean and biased variance of a block.
    fn train_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        block: Block,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl BlockOperations for Flex {
    fn train_block(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        block: Block,
        epsilon: f32,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (outputs, _) = forward(block, epsilon, [input, weight, bias, gamma, beta]);
        outputs
    }
}

impl<C: CheckpointStrategy> BlockOperations for Autodiff<Flex, C> {
    fn train_block(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        block: Block,
        epsilon: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let tensors = [input, weight, bias, gamma, beta];
        let nodes = tensors.each_ref().map(|tensor| tensor.node());
        let tensors = tensors.map(|tensor| tensor.into_primitive());
        let ((output, mean, variance), saved) = forward(block, epsilon, tensors);
        let output = match BlockGradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => preparation.finish(Arc::new(saved), output),
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        };
        let [mean, variance] = [mean, variance].map(<FloatTensor<Self>>::new);
        (output, mean, variance)
    }
}

/// A block's inputs: the map channels-last, then weight, bias, gamma and beta.
#[derive(Debug)]
struct Inputs([FlexTensor; 5]);

/// What the backward pass needs again.
#[derive(Debug)]
struct Saved {
    block: Block,
    inputs: Inputs,
    /// Burn's shapes of input and weight, which their gradients have too.
    shapes: [Vec<usize>; 2],
    epsilon: f32,
    state: State,
}

#[derive(Debug)]
struct BlockGradient;

impl Backward<Flex, 5> for BlockGradient {
    type State = Arc<Saved>;

    fn backward(self, operation: Ops<Arc<Saved>, 5>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let saved = operation.state;
        let output_gradient = channels_last(gradients.consume::<Flex>(&operation.node));
        let result = saved.block.backward(
            Isa::detect(),
            floats(&output_gradient),
            saved.inputs.map(),
            &saved.inputs.parameters(saved.epsilon),
            &saved.state,
            operation.parents[0].is_some(),
        );
        recycle(output_gradient);
        let [input_shape, weight_shape] = &saved.shapes;
        let channels = [saved.block.out_channels()];
        let values = [
            result.input.map(|values| from_channels_last(values, input_shape)),
            Some(tensor(result.weight, weight_shape)),
            Some(tensor(result.bias, &channels)),
            Some(tensor(result.gamma, &channels)),
            Some(tensor(result.beta, &channels)),
        ];
        for (parent, value) in operation.parents.into_iter().zip(values) {
            if let (Some(parent), Some(value)) = (parent, value) {
                gradients.register::<Flex>(parent.id, value);
            }
        }
        if let Ok(saved) = Arc::try_unwrap(saved) {
            recycle(saved.inputs.into_map());
        }
    }
}

impl Inputs {
    fn map(&self) -> &[f32] {
        floats(&self.0[0])
    }

    fn into_map(self) -> FlexTensor {
        let [map, ..] = self.0;
        map
    }

    fn parameters(&self, epsilon: f32) -> Parameters<'_> {
        let [_, weight, bias, gamma, beta] = self.0.each_ref().map(floats);
        Parameters {
            weight,
            bias,
            gamma,
            beta,
            epsilon,
        }
    }
}

/// Output, mean and variance, and what the backward pass needs.
fn forward(block: Block, epsilon: f32, tensors: [FlexTensor; 5]) -> ((FlexTensor, FlexTensor, FlexTensor), Saved) {
    let [input, weight, bias, gamma, beta] = tensors;
    let shapes = [&input, &weight].map(|tensor| tensor.shape().to_vec());
    let inputs = Inputs([
        channels_last(input),
        weight.to_contiguous(),
        bias.to_contiguous(),
        gamma.to_contiguous(),
        beta.to_contiguous(),
    ]);
    let result = block.forward(Isa::detect(), inputs.map(), &inputs.parameters(epsilon));
    let channels = block.out_channels();
    let (height, width) = block.output_size();
    let shape = match shapes[0].as_slice() {
        [batch, _] => vec![*batch, channels],
        dims => vec![dims[0], channels, height, width],
    };
    let outputs = (
        from_channels_last(result.output, &shape),
        tensor(result.mean, &[channels]),
        tensor(result.variance, &[channels]),
    );
    let saved = Saved {
        block,
        inputs,
        shapes,
        epsilon,
        state: result.state,
    };
    (outputs, saved)
}

/// `[batch, channels, height, width]` as `[batch, height, width, channels]`, without a copy where its memory is in
/// that order already; `[batch, features]` as it is.
fn channels_last(tensor: FlexTensor) -> FlexTensor {
    match tensor.rank() {
        4 => tensor.permute(&[0, 2, 3, 1]).to_contiguous(),
        _ => tensor.to_contiguous(),
    }
}

/// The tensor of Burn's shape whose memory is channels-last.
fn from_channels_last(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    match *shape {
        [batch, channels, height, width] => tensor(values, &[batch, height, width, channels]).permute(&[0, 3, 1, 2]),
        _ => tensor(values, shape),
    }
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

/// Keeps the memory of a contiguous tensor for later results, if nobody else holds it.
fn recycle(tensor: FlexTensor) {
    if tensor.is_unique()
        && let Ok(values) = tensor.into_data().try_into_vec()
    {
        buffer::recycle(values);
    }
}

/// The numbers of a contiguous tensor.
fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("contiguous 32-bit floats")
}

fn to_flex<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    tensor
        .try_into_primitive::<Flex>()
        .expect("a tensor on the CPU, without autodiff")
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::Activation;

    #[test]
    fn tensors_of_another_shape_are_refused_even_if_they_are_as_long() {
        let device = Device::flex();
        let block = Block::transposed_convolution(2, (4, 2), 3, 5, Activation::Relu);
        let parameters = |weight: [usize; 4]| BlockParameters {
            weight: Tensor::<4>::ones(weight, &device),
            bias: Tensor::zeros([5], &device),
            gamma: Tensor::ones([5], &device),
            beta: Tensor::zeros([5], &device),
            epsilon: 1e-5,
        };
        let folded = [fold_block(
            &block,
            parameters([3, 5, 4, 4]),
            Tensor::zeros([5], &device),
            Tensor::ones([5], &device),
        )];
        let runs = |input: [usize; 4], weight: [usize; 4]| {
            let input = Tensor::<4>::ones(input, &device);
            let trains = catch_unwind(AssertUnwindSafe(|| {
                train_block(block, input.clone(), parameters(weight)).output.dims()
            }));
            let folds = catch_unwind(AssertUnwindSafe(|| run_folded(&folded, input.clone()).dims()));
            (trains.ok(), folds.ok())
        };
        let output = Some([2, 5, 8, 4]);
        assert_eq!(runs([2, 3, 4, 2], [3, 5, 4, 4]), (output, output));
        assert_eq!(runs([2, 3, 2, 4], [3, 5, 4, 4]), (None, None));
        assert_eq!(runs([2, 3, 4, 2], [5, 3, 4, 4]), (None, output));
        assert_eq!(runs([4, 3, 4, 2], [3, 5, 4, 4]), (None, Some([4, 5, 8, 4])));

        let folds = |weight| {
            let fold = || {
                fold_block(
                    &block,
                    parameters(weight),
                    Tensor::zeros([5], &device),
                    Tensor::ones([5], &device),
                )
            };
            catch_unwind(AssertUnwindSafe(fold)).is_ok()
        };
        assert!(folds([3, 5, 4, 4]) && !folds([5, 3, 4, 4]));
    }

    /// Its memory would be taken as it lies, though it is not channels-last.
    #[test]
    fn a_map_without_its_width_is_refused() {
        let device = Device::flex();
        let parameters = BlockParameters {
            weight: Tensor::<3>::ones([5, 3, 4], &device),
            bias: Tensor::zeros([5], &device),
            gamma: Tensor::ones([5], &device),
            beta: Tensor::zeros([5], &device),
            epsilon: 1e-5,
        };
        let input = Tensor::<3>::ones([2, 3, 4], &device);
        let train = || train_block(Block::flattening(2, (4, 1), 3, 5), input, parameters).count;
        assert!(catch_unwind(AssertUnwindSafe(train)).is_err());
    }
}
