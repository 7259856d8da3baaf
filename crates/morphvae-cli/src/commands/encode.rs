//! `morphvae encode`

use clap::Args;
use std::path::PathBuf;

use morphvae::device::DeviceChoice;
use morphvae::evaluation::encode;
use morphvae::tables::{Rows, Table};
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::{ImageArguments, ModelArgument, PartArguments};
use crate::console::Console;
use crate::limits::check_out_file;
use crate::model;
use crate::observer::observer;

#[derive(Debug, Args)]
pub struct EncodeArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    #[command(flatten)]
    pub part: PartArguments,
    /// A .csv or .npz file; without an ending, both are written
    #[arg(long, value_name = "FILE", default_value = "codes")]
    pub out: PathBuf,
    /// Replace existing files
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &EncodeArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    let files = files(arguments)?;
    if let Some(file) = files.iter().find(|file| file.exists() && !arguments.force) {
        return Err(Usage::exists(file).into());
    }
    files.iter().try_for_each(|file| check_out_file(file))?;
    let model = model::open_on(&arguments.model, choice, console)?;
    let request = arguments.images.request()?;
    let dataset = model.images(&request, arguments.part.limit, &observer(console))?;
    let classes = dataset.classes.clone();
    let (split, part) = request.part_of(dataset, arguments.part.split)?;
    let codes = encode(model.inference(), &split)?;
    let ids = part.ids(&split);
    let rows = Rows {
        ids: &ids,
        labels: split.labels.as_deref(),
        classes: &classes,
    };
    let table = Table::new(rows, codes.columns())?;
    for file in &files {
        table.write(file)?;
        console.note(format!("{} images encoded in {}", ids.len(), file.display()));
    }
    if arguments.json {
        console.json(&json!({ "images": ids.len(), "latent": codes.latent, "files": files }))?;
    }
    Ok(())
}

fn files(arguments: &EncodeArguments) -> Result<Vec<PathBuf>, Usage> {
    let out = &arguments.out;
    match out
        .extension()
        .map(|ending| ending.to_string_lossy().into_owned())
        .as_deref()
    {
        Some("csv" | "npz") => Ok(vec![out.clone()]),
        None => Ok(vec![out.with_extension("csv"), out.with_extension("npz")]),
        Some(other) => Err(Usage(format!(
            "{}: codes are written as .csv or .npz, not .{other}",
            out.display()
        ))),
    }
}
