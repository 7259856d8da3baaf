//! Linear layers as an operation.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::{floats, recycle, tensor, to_flex};
use crate::tasks::awake;
use crate::{Isa, Linear, PackedLinear, buffer};

/// Runs a linear layer: `input` is `[batch, in]`, `weight` `[out, in]`, `bias` `[out]`, and the result `[batch, out]`.
/// Gradients flow to all three.
///
/// # Panics
/// If a tensor has another shape than the layer says, or is on a device where the kernels do not run.
#[must_use]
pub fn train_linear(layer: Linear, input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    let dims = [input.dims(), weight.dims()];
    let expected = [[dims[0][0], layer.inputs()], [layer.outputs(), layer.inputs()]];
    assert_eq!(dims, expected, "input and weight have the shapes of {layer:?}");
    Tensor::from_dispatch(Dispatch::linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        layer,
    ))
}

/// A linear layer that is only run: see [`PackedLinear::new`]. The tensors have no autodiff.
///
/// # Panics
/// As [`train_linear`].
#[must_use]
pub fn pack_linear(layer: Linear, weight: Tensor<2>, bias: Tensor<1>) -> PackedLinear {
    assert_eq!(
        weight.dims(),
        [layer.outputs(), layer.inputs()],
        "the weight has the shape of {layer:?}"
    );
    let [weight, bias] = [to_flex(weight), to_flex(bias)].map(|tensor| tensor.to_contiguous());
    PackedLinear::new(Isa::detect(), layer, floats(&weight), floats(&bias))
}

/// Runs layers one after the other on `[batch, in]` of the first, without autodiff: `[batch, out]` of the last.
///
/// # Panics
/// If the input is not of the first layer's width, or is on a device where the kernels do not run.
#[must_use]
pub fn run_linear(layers: &[PackedLinear], input: Tensor<2>) -> Tensor<2> {
    let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
        return input;
    };
    let [batch, width] = input.dims();
    assert_eq!(
        width,
        first.layer().inputs(),
        "the input has the width of the first layer"
    );
    let input = to_flex(input).to_contiguous();
    let output = awake(|| {
        let first = first.forward(floats(&input));
        layers[1..].iter().fold(first, |values, layer| {
            let output = layer.forward(&values);
            buffer::recycle(values);
            output
        })
    });
    Tensor::from_primitive::<Flex>(tensor(output, &[batch, last.layer().outputs()]))
}

#[backend_extension(Flex, Autodiff)]
trait LinearOperation: Backend {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layer: Linear,
    ) -> FloatTensor<Self>;
}

impl LinearOperation for Flex {
    fn linear(input: FlexTensor, weight: FlexTensor, bias: FlexTensor, layer: Linear) -> FlexTensor {
        Saved::forward(layer, [input, weight], &bias).output
    }
}

impl<C: CheckpointStrategy> LinearOperation for Autodiff<Flex, C> {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layer: Linear,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let saved = Saved::forward(
            layer,
            [input.into_primitive(), weight.into_primitive()],
            &bias.into_primitive(),
        );
        let output = saved.output.clone();
        match LinearGradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => preparation.finish(Arc::new(saved), output),
            OpsKind::UnTracked(preparation) => preparation.finish(output),
        }
    }
}

/// What the backward pass needs again.
#[derive(Debug)]
struct Saved {
    layer: Linear,
    input: FlexTensor,
    weight: FlexTensor,
    output: FlexTensor,
}

impl Saved {
    fn forward(layer: Linear, tensors: [FlexTensor; 2], bias: &FlexTensor) -> Self {
        let [input, weight] = tensors.map(|tensor| tensor.to_contiguous());
        let batch = input.shape()[0];
        let bias = bias.to_contiguous();
        let output = layer.forward(Isa::detect(), floats(&input), floats(&weight), floats(&bias));
        Self {
            layer,
            input,
            weight,
            output: tensor(output, &[batch, layer.outputs()]),
        }
    }
}

#[derive(Debug)]
struct LinearGradient;

impl Backward<Flex, 3> for LinearGradient {
    type State = Arc<Saved>;

    fn backward(self, operation: Ops<Arc<Saved>, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let saved = operation.state;
        let (layer, batch) = (saved.layer, saved.input.shape()[0]);
        let output_gradient = gradients.consume::<Flex>(&operation.node).to_contiguous();
        let result = layer.backward(
            Isa::detect(),
            floats(&output_gradient),
            floats(&saved.input),
            floats(&saved.weight),
            floats(&saved.output),
            operation.parents[0].is_some(),
        );
        recycle(output_gradient);
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let values = [
            result.input.map(|values| tensor(values, &[batch, inputs])),
            Some(tensor(result.weight, &[outputs, inputs])),
            Some(tensor(result.bias, &[outputs])),
        ];
        for (parent, value) in operation.parents.into_iter().zip(values) {
            if let (Some(parent), Some(value)) = (parent, value) {
                gradients.register::<Flex>(parent.id, value);
            }
        }
        if let Ok(Saved { input, output, .. }) = Arc::try_unwrap(saved) {
            recycle(input);
            recycle(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use burn::tensor::Device;

    use super::*;
    use crate::Nonlinearity;

    #[test]
    fn gradients_reach_whoever_asks_for_them_and_views_are_taken_as_they_look() {
        let device = Device::flex().autodiff();
        let layer = Linear::new(2, 1, Nonlinearity::Relu);
        // Transposed in memory.
        let input = Tensor::<2>::from_floats([[1.0, 3.0], [2.0, -9.0]], &device).transpose();
        let weight = Tensor::<2>::from_floats([[2.0, 1.0]], &device).require_grad();
        let bias = Tensor::<1>::from_floats([0.5], &device).require_grad();
        let output = train_linear(layer, input, weight.clone(), bias.clone());
        assert_eq!(output.clone().into_data().try_into_vec::<f32>().unwrap(), [4.5, 0.0]);
        let gradients = output.sum().backward();
        let weight = weight.grad(&gradients).unwrap();
        let bias = bias.grad(&gradients).unwrap();
        assert_eq!(weight.into_data().try_into_vec::<f32>().unwrap(), [1.0, 2.0]);
        assert_eq!(bias.into_data().try_into_vec::<f32>().unwrap(), [1.0]);
    }

    #[test]
    fn tensors_of_another_shape_are_refused_even_if_they_are_as_long() {
        let device = Device::flex();
        let layer = Linear::new(2, 3, Nonlinearity::Tanh);
        let packed = [pack_linear(
            layer,
            Tensor::ones([3, 2], &device),
            Tensor::zeros([3], &device),
        )];
        let runs = |input: [usize; 2], weight: [usize; 2]| {
            let (input, weight) = (Tensor::<2>::ones(input, &device), Tensor::<2>::ones(weight, &device));
            let bias = Tensor::zeros([3], &device);
            let train = || train_linear(layer, input.clone(), weight.clone(), bias.clone()).dims();
            let pack = || pack_linear(layer, weight.clone(), bias.clone()).layer().outputs();
            let run = || run_linear(&packed, input.clone()).dims();
            [
                catch_unwind(AssertUnwindSafe(train)).is_ok(),
                catch_unwind(AssertUnwindSafe(pack)).is_ok(),
                catch_unwind(AssertUnwindSafe(run)).is_ok(),
            ]
        };
        assert_eq!(runs([4, 2], [3, 2]), [true, true, true]);
        assert_eq!(runs([4, 2], [2, 3]), [false, false, true]);
        assert_eq!(runs([2, 4], [3, 2]), [false, true, false]);
    }
}
