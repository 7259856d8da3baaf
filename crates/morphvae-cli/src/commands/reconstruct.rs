//! `morphvae reconstruct`

use clap::Args;
use std::path::{Path, PathBuf};

use morphvae::data::write_image;
use morphvae::device::DeviceChoice;
use morphvae::evaluation::reconstruct;
use morphvae::studio::Source;
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::{ImageArguments, ModelArgument, PartArguments};
use crate::console::Console;
use crate::limits::check_out_folder;
use crate::model;
use crate::observer::observer;
use crate::pictures::{names_like, numbered};

#[derive(Debug, Args)]
pub struct ReconstructArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    #[command(flatten)]
    pub part: PartArguments,
    /// Folder for the images
    #[arg(long, value_name = "FOLDER", default_value = "reconstructions")]
    pub out: PathBuf,
    /// Write into an existing folder
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &ReconstructArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    let out = &arguments.out;
    if out.exists() && !arguments.force {
        return Err(Usage::exists(out).into());
    }
    check_out_folder(out)?;
    let model = model::open_on(&arguments.model, choice, console)?;
    let request = arguments.images.request()?;
    if let Source::Folder(path) = model.source(&request, &observer(console))?
        && is_same_folder(&path, out)
    {
        // The names are the same as well.
        let text = format!(
            "{}: the images themselves lie here: choose another --out",
            out.display()
        );
        return Err(Usage(text).into());
    }
    let dataset = model.images(&request, arguments.part.limit, &observer(console))?;
    let (split, _) = request.part_of(dataset, arguments.part.split)?;
    let images = reconstruct(model.inference(), &split)?;
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
