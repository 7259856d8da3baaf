//! The GPUs of this machine.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError};

use burn::backend::{CubeDevice, WgpuBackend, WgpuDevice, WgpuDeviceKind};
use burn::tensor::wgpu::WgpuInitError;
use burn::tensor::{Device, Tensor};

use super::{DeviceChoice, DeviceError, DeviceKind, OpenDevice, Unusable};

/// The interfaces that are asked for devices, the best first. OpenGL is none of them: it lacks some of what kernels need.
#[cfg(target_os = "macos")]
const INTERFACES: [WgpuBackend; 1] = [WgpuBackend::Metal];
#[cfg(windows)]
const INTERFACES: [WgpuBackend; 2] = [WgpuBackend::Vulkan, WgpuBackend::Dx12];
#[cfg(not(any(target_os = "macos", windows)))]
const INTERFACES: [WgpuBackend; 1] = [WgpuBackend::Vulkan];

/// Kinds of real GPUs, the fastest first.
const GPUS: [WgpuDeviceKind; 3] = [
    WgpuDeviceKind::DiscreteGpu(0),
    WgpuDeviceKind::IntegratedGpu(0),
    WgpuDeviceKind::VirtualGpu(0),
];

/// How many GPUs there are.
pub fn gpu_count() -> usize {
    quietly(gpus).map_or(0, |gpus| gpus.len())
}

/// The GPU at a place, or the first that works.
pub fn gpu(place: Option<usize>) -> Result<OpenDevice, DeviceError> {
    let choice = DeviceChoice::Gpu(place);
    let gpus = quietly(gpus).map_err(|says| refused(choice, says))?;
    let found = match gpus.len() {
        0 => "there is no GPU, or its driver is not installed".to_owned(),
        1 => "the only GPU is gpu:0".to_owned(),
        count => format!("the GPUs are gpu:0 to gpu:{}", count - 1),
    };
    let mut error = None;
    for (number, gpu) in gpus.iter().enumerate() {
        if place.is_none_or(|place| place == number) {
            match open(gpu, DeviceChoice::Gpu(Some(number)), DeviceKind::Gpu) {
                Ok(device) => return Ok(device),
                Err(why) => error = error.or(Some(why)),
            }
        }
    }
    Err(error.unwrap_or_else(|| missing(choice, found)))
}

/// The first driver that computes on the processor.
pub fn software() -> Result<OpenDevice, DeviceError> {
    let choice = DeviceChoice::Software;
    let drivers = quietly(|| found(&[WgpuDeviceKind::Cpu])).map_err(|says| refused(choice, says))?;
    match drivers.first() {
        Some(driver) => open(driver, choice, DeviceKind::Software),
        None => Err(missing(
            choice,
            "no driver that computes on the processor is installed".to_owned(),
        )),
    }
}

fn missing(choice: DeviceChoice, found: String) -> DeviceError {
    let reason = Unusable::Missing { found };
    DeviceError { choice, reason }
}

fn refused(choice: DeviceChoice, says: String) -> DeviceError {
    let reason = Unusable::Refused { says };
    DeviceError { choice, reason }
}

/// The GPUs on the first interface that has any.
fn gpus() -> Vec<WgpuDevice> {
    found(&GPUS)
}

/// The devices of some kinds on the first interface that has any.
fn found(kinds: &[WgpuDeviceKind]) -> Vec<WgpuDevice> {
    let on = |interface: WgpuBackend| {
        let of = |kind: &WgpuDeviceKind| {
            let any = CubeDevice::Wgpu(WgpuDevice::new(kind.clone()).on(interface));
            CubeDevice::enumerate(any.to_id())
        };
        let found = kinds.iter().flat_map(of).map(CubeDevice::from_id);
        let found = found.filter_map(|device| match device {
            CubeDevice::Wgpu(device) => Some(device),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    INTERFACES
        .into_iter()
        .map(on)
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// Opens a device and computes something on it: a matrix product, the most intricate kernel there is.
fn open(found: &WgpuDevice, choice: DeviceChoice, kind: DeviceKind) -> Result<OpenDevice, DeviceError> {
    let opened = quietly(|| {
        let device = initialized(found)?;
        let halves = Tensor::<2>::ones([32, 32], &device).mul_scalar(0.5);
        let sum = halves.clone().matmul(halves).sum();
        match sum.try_into_scalar::<f32>() {
            Ok(8192.0) => {}
            Ok(wrong) => return Err(format!("it makes {wrong} of a product whose sum is 8192")),
            Err(error) => return Err(error.to_string()),
        }
        Ok(OpenDevice {
            choice,
            kind,
            name: device.identity().map_or_else(String::new, |identity| identity.name),
            device,
        })
    });
    opened.unwrap_or_else(Err).map_err(|says| refused(choice, says))
}

/// The device, made ready by the first who asks.
fn initialized(found: &WgpuDevice) -> Result<Device, String> {
    let options = Device::wgpu_options()
        .device_kind(kind(&found.kind))
        .graphics_api(found.backend);
    match options.init() {
        Ok(device) => Ok(device),
        // It was opened before.
        Err(WgpuInitError::Registration { .. }) => Ok(Device::from(found.clone())),
        Err(error) => Err(error.to_string()),
    }
}

/// What Burn's options call a kind.
fn kind(kind: &WgpuDeviceKind) -> burn::tensor::DeviceKind {
    use burn::tensor::DeviceKind;

    match *kind {
        WgpuDeviceKind::DiscreteGpu(place) => DeviceKind::DiscreteGpu(place),
        WgpuDeviceKind::IntegratedGpu(place) => DeviceKind::IntegratedGpu(place),
        WgpuDeviceKind::VirtualGpu(place) => DeviceKind::VirtualGpu(place),
        WgpuDeviceKind::Cpu => DeviceKind::Cpu,
        _ => DeviceKind::DefaultDevice,
    }
}

/// Held while devices are looked for and tried, by one thread at a time.
static TRYING: Mutex<()> = Mutex::new(());

/// Does what drivers may make panic, and says why it did: nobody shall hear of a device that is only tried.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let _alone = TRYING.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()));
        text.unwrap_or_else(|| "its driver fails".to_owned())
    })
}
