//! `morphvae devices`

use clap::Args;
use morphvae::device::{DeviceError, OpenDevice, devices};
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

pub fn run(arguments: &DevicesArguments, console: Console) -> anyhow::Result<()> {
    let rows: Vec<Row> = devices().into_iter().map(Row::of).collect();
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
