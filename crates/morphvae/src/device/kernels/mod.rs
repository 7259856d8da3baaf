//! Kernels for GPUs, where Burn's operations would be many. They are written in CubeCL's part of Rust, which is compiled on
//! the device where they first run, for whatever driver it has.

mod adam;
mod batch_norm;
mod blend;

pub(crate) use adam::{AdamStep, step_weight};
pub(crate) use batch_norm::batch_norm;
pub(crate) use blend::blend;

use burn::backend::{Cube, DispatchDevice};
use burn::tensor::{Device, Tensor};
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Whether the kernels run on a device.
pub(crate) fn run_on(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Cube(_))
}

/// What a device has of a tensor.
fn on_device(tensor: Tensor<1>) -> CubeTensor {
    tensor
        .try_into_primitive::<Cube>()
        .expect("a tensor on a GPU, without autodiff")
}

/// A tensor whose memory has its values in their order, and is seen by nobody else, so that it can be written to.
fn owned(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    match tensor.can_mut() {
        true => tensor,
        false => tensor.copy(),
    }
}

/// How many units there are in how many cubes, so that there is one for each value of a tensor, and maybe some more.
fn units(tensor: &CubeTensor) -> (CubeCount, CubeDim) {
    let values = tensor.meta.num_elements();
    let cube = CubeDim::new(&tensor.client, values);
    (calculate_cube_count_elemwise(&tensor.client, values, cube), cube)
}
