//! `morphvae encode`

use std::path::PathBuf;

use morphvae::data::Split;
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
    let source = model.source(&arguments.images, console)?;
    let dataset = model.load(&source, &arguments.images, arguments.limit, console)?;
    let split = split(dataset, arguments.split)?;
    let codes = encode(&model.inference(), &split.images)?;
    let ids = ids(&split, arguments.split);
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

/// The file that each image was read from, with `/` between its folders; `test/00000` and so on where there are none.
fn ids(split: &Split, which: SplitArgument) -> Vec<String> {
    if let Some(sources) = &split.sources {
        let name = |source: &PathBuf| {
            let parts: Vec<_> = source.iter().map(|part| part.to_string_lossy()).collect();
            parts.join("/")
        };
        return sources.iter().map(name).collect();
    }
    let part = match which {
        SplitArgument::Train => "train",
        SplitArgument::Test => "test",
    };
    (0..split.images.count())
        .map(|index| format!("{part}/{index:05}"))
        .collect()
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
