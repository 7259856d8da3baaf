//! Where networks compute: on this machine's processor, or on a GPU that is there and works.
//!
//! [`DeviceChoice`] is what somebody asks for, and [`DeviceChoice::open`] finds and tries it. Nothing of a GPU is touched
//! before, and nothing panics: what cannot be used is a [`DeviceError`]. GPUs need the feature `gpu`, or `wgpu` where kernels
//! need no tuning; without them there is the processor alone.

#[cfg(feature = "wgpu")]
mod gpu;
#[cfg(feature = "wgpu")]
pub(crate) mod kernels;

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use morphvae_kernels::Isa;
use thiserror::Error;

/// Which device is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU that works, or else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// A GPU by its place among those that [`choices`] finds, counted from 0; without one the first that works.
    Gpu(Option<usize>),
    /// A Vulkan driver that computes on the processor.
    Software,
}

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// This machine's processor.
    Cpu,
    /// A GPU.
    Gpu,
    /// A Vulkan driver that computes on the processor.
    Software,
}

/// A device that is ready to be used.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// How it is asked for.
    pub choice: DeviceChoice,
    /// What kind it is.
    pub kind: DeviceKind,
    /// What its driver calls it; the instructions that kernels are made of, if it is the processor.
    pub name: String,
    /// Where tensors are made.
    pub device: Device,
}

/// Why there is no such device.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{choice} cannot be used: {reason}")]
pub struct DeviceError {
    /// What was asked for.
    pub choice: DeviceChoice,
    /// Why it cannot be had.
    pub reason: Unusable,
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// The library was built for the processor alone.
    #[error("this program was built without support of GPUs: build it with cargo's feature `gpu`")]
    NotBuilt,
    /// No driver offers it.
    #[error("no driver for {INTERFACE} offers it: {found}")]
    Missing {
        /// What is there instead.
        found: String,
    },
    /// Its driver offers it, and it does not work.
    #[error("it does not work: {says}")]
    Refused {
        /// What its driver says.
        says: String,
    },
}

/// What GPUs are reached through.
const INTERFACE: &str = match cfg!(target_os = "macos") {
    true => "Metal",
    false => match cfg!(windows) {
        true => "Vulkan or DirectX 12",
        false => "Vulkan",
    },
};

impl DeviceChoice {
    /// Opens the device after it has been found and tried. Drivers run in this process, which a broken one may end.
    ///
    /// # Errors
    /// [`DeviceError`], but never for [`DeviceChoice::Auto`] and [`DeviceChoice::Cpu`].
    pub fn open(self) -> Result<OpenDevice, DeviceError> {
        match self {
            Self::Auto => gpu(None).or_else(|_| Ok(processor())),
            Self::Cpu => Ok(processor()),
            Self::Gpu(place) => gpu(place),
            Self::Software => software(),
        }
    }

    /// The kind of device that is asked for; for [`DeviceChoice::Auto`] the one that is always there.
    #[must_use]
    pub fn kind(self) -> DeviceKind {
        match self {
            Self::Auto | Self::Cpu => DeviceKind::Cpu,
            Self::Gpu(_) => DeviceKind::Gpu,
            Self::Software => DeviceKind::Software,
        }
    }
}

/// All that can be asked for here: the processor, each GPU by its place (or any, where there is none), and what poses as one.
#[must_use]
pub fn choices() -> Vec<DeviceChoice> {
    let mut choices = vec![DeviceChoice::Cpu];
    match gpu_count() {
        0 => choices.push(DeviceChoice::Gpu(None)),
        count => choices.extend((0..count).map(|place| DeviceChoice::Gpu(Some(place)))),
    }
    choices.push(DeviceChoice::Software);
    choices
}

fn processor() -> OpenDevice {
    OpenDevice {
        choice: DeviceChoice::Cpu,
        kind: DeviceKind::Cpu,
        name: Isa::detect().name().to_owned(),
        device: Device::flex(),
    }
}

/// The first GPU that works, or else the driver that computes on the processor.
#[cfg(all(test, feature = "wgpu"))]
pub(crate) fn gpu_for_tests() -> Option<Device> {
    let opened = [DeviceChoice::Gpu(None), DeviceChoice::Software].map(DeviceChoice::open);
    if let [Err(gpu), Err(software)] = &opened {
        println!("skipped: {gpu}; {software}");
    }
    opened.into_iter().flatten().next().map(|opened| opened.device)
}

#[cfg(feature = "wgpu")]
use gpu::{gpu, gpu_count, software};

#[cfg(not(feature = "wgpu"))]
use none::{gpu, gpu_count, software};

/// What there is of GPUs where the library was built without.
#[cfg(not(feature = "wgpu"))]
mod none {
    use super::{DeviceChoice, DeviceError, OpenDevice, Unusable};

    pub fn gpu_count() -> usize {
        0
    }

    pub fn gpu(place: Option<usize>) -> Result<OpenDevice, DeviceError> {
        Err(not_built(DeviceChoice::Gpu(place)))
    }

    pub fn software() -> Result<OpenDevice, DeviceError> {
        Err(not_built(DeviceChoice::Software))
    }

    fn not_built(choice: DeviceChoice) -> DeviceError {
        let reason = Unusable::NotBuilt;
        DeviceError { choice, reason }
    }
}

impl DeviceKind {
    /// Its name: `cpu`, `gpu` or `software`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Software => "software",
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Gpu(None) => formatter.write_str("gpu"),
            Self::Gpu(Some(place)) => write!(formatter, "gpu:{place}"),
            Self::Software => formatter.write_str("software"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(None)),
            "software" => Ok(Self::Software),
            other => {
                let place = other.strip_prefix("gpu:").and_then(|place| place.parse().ok());
                place
                    .map(|place| Self::Gpu(Some(place)))
                    .ok_or("a device is auto, cpu, gpu, gpu:N or software")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_as_it_is_written() {
        for text in ["auto", "cpu", "gpu", "gpu:0", "gpu:12", "software"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "GPU",
            "gpu:",
            "gpu:-1",
            "gpu:x",
            "cuda",
            "gpu:99999999999999999999999",
        ] {
            assert!(text.parse::<DeviceChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_processor_is_always_there() {
        let cpu = DeviceChoice::Cpu.open().unwrap();
        assert_eq!((cpu.kind, cpu.device), (DeviceKind::Cpu, Device::flex()));
        let auto = DeviceChoice::Auto.open().unwrap();
        assert_ne!(auto.kind, DeviceKind::Software);
        let choices = choices();
        assert_eq!(choices[0], DeviceChoice::Cpu);
        assert!(matches!(choices[1], DeviceChoice::Gpu(_)));
        assert_eq!(choices.last(), Some(&DeviceChoice::Software));
    }

    #[test]
    fn what_is_not_there_says_so() {
        let choice = DeviceChoice::Gpu(Some(77));
        let error = choice.open().unwrap_err();
        let expected = match cfg!(feature = "wgpu") {
            true => matches!(error.reason, Unusable::Missing { .. }),
            false => error.reason == Unusable::NotBuilt,
        };
        assert!(expected, "{error}");
        assert!(error.to_string().starts_with("gpu:77 cannot be used: "), "{error}");
    }
}
