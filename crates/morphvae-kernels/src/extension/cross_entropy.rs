//! The cross-entropy as an operation.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::{channels_last, floats, from_channels_last, recycle, tensor};
use crate::Isa;

/// [`crate::cross_entropy`] of `[batch, channels, height, width]`: one number for each image, `[batch]`. Gradients flow
/// to the reconstruction, and none to the images.
///
/// # Panics
/// If the tensors differ in shape, or are on a device where the kernels do not run.
#[must_use]
pub fn cross_entropy(images: Tensor<4>, reconstruction: Tensor<4>, delta: f32) -> Tensor<1> {
    assert_eq!(
        images.dims(),
        reconstruction.dims(),
        "a reconstruction is as large as its image"
    );
    Tensor::from_dispatch(Dispatch::cross_entropy(
        images.into_dispatch(),
        reconstruction.into_dispatch(),
        delta,
    ))
}

#[backend_extension(Flex, Autodiff)]
trait CrossEntropyOperation: Backend {
    fn cross_entropy(images: FloatTensor<Self>, reconstruction: FloatTensor<Self>, delta: f32) -> FloatTensor<Self>;
}

impl CrossEntropyOperation for Flex {
    fn cross_entropy(images: FlexTensor, reconstruction: FlexTensor, delta: f32) -> FlexTensor {
        let saved = Saved::new(images, reconstruction, delta);
        let losses = saved.losses();
        recycle(saved.reconstruction);
        losses
    }
}

impl<C: CheckpointStrategy> CrossEntropyOperation for Autodiff<Flex, C> {
    fn cross_entropy(images: FloatTensor<Self>, reconstruction: FloatTensor<Self>, delta: f32) -> FloatTensor<Self> {
        let node = reconstruction.node();
        let saved = Saved::new(images.into_primitive(), reconstruction.into_primitive(), delta);
        let losses = saved.losses();
        match CrossEntropyGradient.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(preparation) => preparation.finish(saved, losses),
            OpsKind::UnTracked(preparation) => preparation.finish(losses),
        }
    }
}

#[derive(Clone, Debug)]
struct Saved {
    /// A view of one image, repeated, is that one image.
    images: FlexTensor,
    reconstruction: FlexTensor,
    /// Whether both are channels-last; else they are as Burn's shapes say.
    is_channels_last: bool,
    /// Burn's shape of the reconstruction.
    shape: Vec<usize>,
    delta: f32,
}

impl Saved {
    fn new(images: FlexTensor, reconstruction: FlexTensor, delta: f32) -> Self {
        let images = match images.layout().strides() {
            [0, ..] if images.shape()[0] > 1 => images.narrow(0, 0, 1).to_contiguous(),
            _ => images,
        };
        // Pixels may be summed in any order that both have.
        let is_channels_last = !(images.is_contiguous() && reconstruction.is_contiguous());
        let in_order = |tensor| {
            if is_channels_last {
                channels_last(tensor)
            } else {
                tensor
            }
        };
        Self {
            shape: reconstruction.shape().to_vec(),
            images: in_order(images),
            reconstruction: in_order(reconstruction),
            is_channels_last,
            delta,
        }
    }

    fn losses(&self) -> FlexTensor {
        let (images, reconstruction) = (floats(&self.images), floats(&self.reconstruction));
        let batch = self.shape[0];
        let losses = crate::cross_entropy(Isa::detect(), images, reconstruction, batch, self.delta);
        tensor(losses, &[batch])
    }
}

#[derive(Debug)]
struct CrossEntropyGradient;

impl Backward<Flex, 1> for CrossEntropyGradient {
    type State = Saved;

    fn backward(self, operation: Ops<Saved, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let weights = gradients.consume::<Flex>(&operation.node).to_contiguous();
        let [Some(parent)] = operation.parents else { return };
        let saved = operation.state;
        let gradient = crate::cross_entropy_gradient(
            Isa::detect(),
            floats(&saved.images),
            floats(&saved.reconstruction),
            floats(&weights),
            saved.delta,
        );
        let gradient = match saved.is_channels_last {
            true => from_channels_last(gradient, &saved.shape),
            false => tensor(gradient, &saved.shape),
        };
        gradients.register::<Flex>(parent.id, gradient);
    }
}
