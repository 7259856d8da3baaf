//! The device that a verb computes with.

use std::any::Any;
use std::io;
use std::panic;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use morphvae::device::{DeviceChoice, DeviceError, DeviceKind, OpenDevice, Unusable};

use crate::console::Console;

/// Whether a GPU is at work. Its driver may give up at any moment, which Burn answers with a panic.
static GPU_AT_WORK: AtomicBool = AtomicBool::new(false);

/// How long a driver may take to show that it works; it compiles its first kernels meanwhile.
const PATIENCE: Duration = Duration::from_secs(120);

/// Begins the program anew where Mesa would say, each time that somebody looks for devices, that there is no desktop to ask
/// which is preferred: what keeps it from asking has to be in the environment before the program begins.
#[cfg(all(target_os = "linux", feature = "wgpu"))]
pub fn ask_no_desktop(choice: DeviceChoice) {
    use std::env;
    use std::os::unix::process::CommandExt;

    let is_set = |name| env::var_os(name).is_some();
    if choice == DeviceChoice::Cpu || is_set("XDG_RUNTIME_DIR") || is_set("NODEVICE_SELECT") {
        return;
    }
    if let Ok(program) = env::current_exe() {
        // It comes back only if it cannot, and then Mesa may say what it likes.
        let _ = Command::new(program)
            .args(env::args_os().skip(1))
            .env("NODEVICE_SELECT", "1")
            .exec();
    }
}

/// Nobody would ask.
#[cfg(not(all(target_os = "linux", feature = "wgpu")))]
pub fn ask_no_desktop(_: DeviceChoice) {}

/// Opens the device that is asked for, for work on many images at a time, and says what it is.
pub fn open(choice: DeviceChoice, console: Console) -> Result<OpenDevice, DeviceError> {
    let opened = match choice {
        DeviceChoice::Auto => try_out(DeviceChoice::Gpu(None)).or_else(|_| DeviceChoice::Cpu.open())?,
        choice => try_out(choice)?,
    };
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
    if opened.kind == DeviceKind::Software {
        console
            .note("warning: this is the processor posing as a GPU: to try things out, for --device cpu is much faster");
    }
    if opened.kind != DeviceKind::Cpu {
        GPU_AT_WORK.store(true, Ordering::Relaxed);
        // What there is to say is said once, and in one line.
        panic::set_hook(Box::new(|_| {}));
    }
    Ok(opened)
}

/// Opens a device, if it works in another process first: a broken driver ends the one that tries it, or never answers.
pub fn try_out(choice: DeviceChoice) -> Result<OpenDevice, DeviceError> {
    let needs_driver = cfg!(feature = "wgpu") && choice != DeviceChoice::Cpu;
    if needs_driver {
        let refused = |says: String| {
            let reason = Unusable::Refused { says };
            Err(DeviceError { choice, reason })
        };
        match trial(choice) {
            Ok(Some(status)) if status.success() => {}
            Ok(Some(status)) => return refused(format!("its driver ended the program that tried it ({status})")),
            Ok(None) => return refused(format!("its driver gave no answer in {} s", PATIENCE.as_secs())),
            Err(error) => return refused(format!("it cannot be tried: {error}")),
        }
    }
    choice.open()
}

/// How this program ended when it only opened a device, if it did.
fn trial(choice: DeviceChoice) -> io::Result<Option<ExitStatus>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["devices", "--device", &choice.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
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
