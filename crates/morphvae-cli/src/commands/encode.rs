//! `morphvae encode`

use std::path::PathBuf;

use morphvae::evaluation::encode;
use morphvae::latent::Encodings;
use serde_json::json;

use crate::Usage;
use crate::arguments::{EncodeArguments, SplitArgument};
use crate::console::Console;
use crate::images::split;
use crate::model::Model;

pub fn run(arguments: &EncodeArguments, console: Console) -> anyhow::Result<()> {
    let files = files(arguments)?;
    if let Some(file) = files.iter().find(|file| file.exists() && !arguments.force) {
        return Err(Usage::exists(file).into());
    }
    let model = Model::open(&arguments.model, console)?;
    let dataset = model.dataset(&arguments.images, arguments.limit, console)?;
    let split = split(dataset, arguments.split);
    let codes = encode(model.network(), &split.images)?;
    let part = match arguments.split {
        SplitArgument::Train => "train",
        SplitArgument::Test => "test",
    };
    let ids: Vec<String> = (0..split.images.count())
        .map(|index| format!("{part}/{index:05}"))
        .collect();
    let encodings = Encodings::new(&ids, split.labels.as_deref(), &codes)?;
    for file in &files {
        if file.extension().is_some_and(|ending| ending == "csv") {
            encodings.write_csv(file)?;
        } else {
            encodings.write_npz(file)?;
        }
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
