//! A weighted sum of two tensors.

use burn::backend::Cube;
use burn::tensor::Tensor;
use burn_cubecl::cubecl::{self, prelude::*};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;

use super::{on_device, units};

/// So much of one tensor and so much of another of the same length.
pub(crate) fn blend(tensors: [Tensor<1>; 2], [first, second]: [f64; 2]) -> Tensor<1> {
    let [one, other] = tensors.map(|tensor| into_contiguous(on_device(tensor)));
    let shape = one.meta.shape().clone();
    let output = empty_device_contiguous_dtype(one.client.clone(), one.device.clone(), shape, one.dtype);
    let (cubes, cube) = units(&output);
    blend_values::launch(
        &output.client,
        cubes,
        cube,
        one.into_buffer_arg(),
        other.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        first as f32,
        second as f32,
    );
    Tensor::from_primitive::<Cube>(output)
}

#[cube(launch)]
fn blend_values(one: &[f32], other: &[f32], output: &mut [f32], first: f32, second: f32) {
    let at = ABSOLUTE_POS;
    if at < output.len() {
        output[at] = one[at] * first + other[at] * second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::gpu_for_tests;

    #[test]
    fn there_is_so_much_of_each() {
        let Some(device) = gpu_for_tests() else { return };
        let one = Tensor::<1>::from_floats([1.0, -2.0, 8.0], &device);
        let other = Tensor::<1>::from_floats([4.0, 0.0, -16.0], &device);
        let found: Vec<f32> = blend([one, other], [0.5, 0.25]).into_data().try_into_vec().unwrap();
        assert_eq!(found, [1.5, -1.0, 0.0]);
    }
}
