//! `morphvae devices`

use clap::Args;
use morphvae::device::{DeviceChoice, DeviceError, OpenDevice, Unusable, choices};
use serde::Serialize;
use serde_json::json;

use crate::console::Console;
use crate::device;

#[derive(Debug, Args)]
pub struct DevicesArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A device in `--json`; its keys are a contract.
#[derive(Serialize)]
struct Row {
    /// What is typed behind --device.
    device: String,
    /// What its driver calls it, where that works.
    name: Option<String>,
    /// `cpu`, `gpu` or `software`.
    kind: &'static str,
    usable: bool,
    /// Why it cannot be used.
    reason: Option<String>,
}

pub fn run(arguments: &DevicesArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    let found = match choice {
        DeviceChoice::Auto => all(),
        // How `device::try_out` tries a device.
        one => vec![one.open()],
    };
    let rows: Vec<Row> = found.into_iter().map(Row::of).collect();
    if arguments.json {
        return Ok(console.json(&json!({ "devices": rows }))?);
    }
    for row in rows {
        let found = row
            .name
            .or(row.reason.map(|reason| format!("cannot be used: {reason}")));
        console.print(&format!("{:<9} {}", row.device, found.unwrap_or_default()))?;
    }
    Ok(())
}

/// All devices that this machine has or might have, each opened or with the reason why it cannot be.
fn all() -> Vec<Result<OpenDevice, DeviceError>> {
    let any_gpu = DeviceChoice::Gpu(None);
    match device::try_out(any_gpu) {
        // Whoever looks for a driver that ends programs is ended, too.
        Err(error) if matches!(error.reason, Unusable::Refused { .. }) => {
            vec![
                DeviceChoice::Cpu.open(),
                Err(error),
                device::try_out(DeviceChoice::Software),
            ]
        }
        _ => choices().into_iter().map(device::try_out).collect(),
    }
}

impl Row {
    fn of(found: Result<OpenDevice, DeviceError>) -> Self {
        match found {
            Ok(opened) => Self {
                device: opened.choice.to_string(),
                name: Some(device::name(&opened)),
                kind: opened.kind.name(),
                usable: true,
                reason: None,
            },
            Err(error) => Self {
                device: error.choice.to_string(),
                name: None,
                kind: error.choice.kind().name(),
                usable: false,
                reason: Some(error.reason.to_string()),
            },
        }
    }
}
