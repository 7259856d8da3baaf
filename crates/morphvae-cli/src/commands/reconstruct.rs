//! `morphvae reconstruct`

use std::path::Path;

use morphvae::data::write_image;
use morphvae::evaluation::reconstruct;
use serde_json::json;

use crate::Usage;
use crate::arguments::ReconstructArguments;
use crate::console::Console;
use crate::images::{Source, asked_split};
use crate::limits::check_out_folder;
use crate::model::Model;
use crate::pictures::{names_like, numbered};

pub fn run(arguments: &ReconstructArguments, console: Console) -> anyhow::Result<()> {
    let out = &arguments.out;
    if out.exists() && !arguments.force {
        return Err(Usage::exists(out).into());
    }
    check_out_folder(out)?;
    let model = Model::open(&arguments.model, console)?;
    let source = model.source(&arguments.images, console)?;
    if let Source::Folder { path, .. } = &source
        && is_same_folder(path, out)
    {
        // The names are the same as well.
        let text = format!(
            "{}: the images themselves lie here: choose another --out",
            out.display()
        );
        return Err(Usage(text).into());
    }
    let dataset = model.load(&source, &arguments.images, arguments.limit, console)?;
    let (split, _) = asked_split(dataset, arguments.split, &arguments.images)?;
    let images = reconstruct(&model.inference(), &split.images)?;
    let names = match &split.sources {
        Some(sources) => names_like(sources),
        None => numbered(images.count()),
    };
    for (index, name) in names.iter().enumerate() {
        write_image(&images, index, &out.join(name))?;
    }
    console.note(format!("{} images in {}", images.count(), out.display()));
    if arguments.json {
        console.json(&json!({ "images": images.count(), "out": out }))?;
    }
    Ok(())
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
