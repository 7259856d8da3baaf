//! The device that a verb computes with.

use std::any::Any;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use morphvae::device::{DeviceChoice, DeviceError, DeviceKind, OpenDevice};

use crate::console::Console;

/// Whether a GPU is at work. Its driver may give up at any moment, which Burn answers with a panic.
static GPU_AT_WORK: AtomicBool = AtomicBool::new(false);

/// Opens the device that is asked for, for work on many images at a time, and says what it is.
pub fn open(choice: DeviceChoice, console: Console) -> Result<OpenDevice, DeviceError> {
    let opened = choice.open()?;
    let processor = DeviceChoice::Cpu.open()?;
    console.note(match opened.kind {
        DeviceKind::Cpu => format!("device: cpu, {}", name(&opened)),
        _ => format!(
            "device: {}, {}, beside {}",
            opened.choice,
            name(&opened),
            name(&processor)
        ),
    });
    if opened.kind != DeviceKind::Cpu {
        console.note("warning: no results of GPUs have been held against the processor's yet");
        GPU_AT_WORK.store(true, Ordering::Relaxed);
        // What there is to say is said once, and in one line.
        panic::set_hook(Box::new(|_| {}));
    }
    Ok(opened)
}

/// What is said of a panic while a GPU was at work; any other goes on its way.
pub fn failure(payload: Box<dyn Any + Send>) -> anyhow::Error {
    if !GPU_AT_WORK.load(Ordering::Relaxed) {
        panic::resume_unwind(payload);
    }
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    anyhow!(
        "the device failed: {}: try again with --device cpu, where a run goes on from its last checkpoint",
        text.unwrap_or("it says no more")
    )
}

/// Says that something is done by the processor, if another device was asked for.
pub fn stay(choice: DeviceChoice, console: Console) {
    if let DeviceChoice::Gpu(_) | DeviceChoice::Software = choice {
        console.note(format!(
            "device: cpu and not {choice}: this is done by the processor alone"
        ));
    }
}

/// What a device is called: `processor with avx512, 2 thread(s)`, or as its driver has it.
pub fn name(device: &OpenDevice) -> String {
    match device.kind {
        DeviceKind::Cpu => format!(
            "processor with {}, {} thread(s)",
            device.name,
            rayon::current_num_threads()
        ),
        _ => device.name.clone(),
    }
}
