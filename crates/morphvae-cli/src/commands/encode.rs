//! `morphvae encode`

use std::path::PathBuf;

use morphvae::evaluation::encode;
use morphvae::tables::{Rows, Table};
use serde_json::json;

use crate::Usage;
use crate::arguments::EncodeArguments;
use crate::console::Console;
use crate::images::{asked_split, ids};
use crate::limits::check_out_file;
use crate::model::Model;

pub fn run(arguments: &EncodeArguments, console: Console) -> anyhow::Result<()> {
    let files = files(arguments)?;
    if let Some(file) = files.iter().find(|file| file.exists() && !arguments.force) {
        return Err(Usage::exists(file).into());
    }
    files.iter().try_for_each(|file| check_out_file(file))?;
    let model = Model::open(&arguments.model, console)?;
    let source = model.source(&arguments.images, console)?;
    let dataset = model.load(&source, &arguments.images, arguments.limit, console)?;
    let classes = dataset.classes.clone();
    let (split, which) = asked_split(dataset, arguments.split, &arguments.images)?;
    let codes = encode(&model.inference(), &split.images)?;
    let ids = ids(&split, which);
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
