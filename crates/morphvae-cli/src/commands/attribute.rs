//! `morphvae attribute`

use clap::Args;
use std::path::{Path, PathBuf};

use morphvae::data::{Fit, FolderOptions, read_folder};
use morphvae::evaluation::{Codes, encode};
use morphvae::latent::Attribute;
use morphvae::network::Inference;
use morphvae::studio::keys::attribute_path;
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::ModelArgument;
use crate::arguments::values::one_of;
use crate::console::Console;
use crate::limits::check_out_file;
use crate::model;

#[derive(Debug, Args)]
pub struct AttributeArguments {
    /// The attribute's name
    pub name: String,
    #[command(flatten)]
    pub model: ModelArgument,
    /// A folder of images without the attribute
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,
    /// A folder of images with the attribute
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// How to make the images square [default: as the model's own were]
    #[arg(long, value_parser = one_of::<Fit>())]
    pub fit: Option<Fit>,
    /// Fail on an unreadable image instead of skipping it
    #[arg(long)]
    pub strict: bool,
    /// The attribute's file [default: NAME.attribute.json]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &AttributeArguments, console: Console) -> anyhow::Result<()> {
    let name = &arguments.name;
    if name.is_empty()
        || !name
            .chars()
            .all(|letter| letter.is_alphanumeric() || "-_".contains(letter))
    {
        return Err(Usage(format!("{name}: an attribute's name has letters, digits, - and _ only")).into());
    }
    let out = arguments.out.clone().unwrap_or_else(|| attribute_path(name));
    if !out.to_string_lossy().ends_with(".json") {
        let text = format!(
            "{}: an attribute's file ends in .json: choose such an --out",
            out.display()
        );
        return Err(Usage(text).into());
    }
    if out.exists() && !arguments.force {
        return Err(Usage::exists(&out).into());
    }
    check_out_file(&out)?;
    let model = model::open(&arguments.model, console)?;
    let network = model.inference();
    let fit = arguments.fit.unwrap_or(model.fit());
    let group = |folder: &Path| group(network, folder, fit, arguments.strict, console);
    let (without, with) = (group(&arguments.from)?, group(&arguments.to)?);
    let attribute = Attribute::between(name, model.network().fingerprint(), &without, &with)?;
    attribute.write(&out)?;
    let [from, to] = attribute.images;
    console.note(format!(
        "{name}: from {from} image(s) to {to}, in {}; apply it with: {}",
        out.display(),
        example(arguments)
    ));
    if arguments.json {
        console.json(&json!({ "attribute": name, "images": [from, to], "file": out }))?;
    }
    Ok(())
}

/// A command that uses the attribute, with the model and the file that it takes.
fn example(arguments: &AttributeArguments) -> String {
    let model = arguments.model.model.as_ref();
    let model = model.map_or(String::new(), |model| format!("{} ", model.display()));
    let file = arguments.out.as_ref().map(|out| out.display().to_string());
    let attribute = file.unwrap_or_else(|| arguments.name.clone());
    format!("morphvae morph {model}KEY KEY+{attribute}:1.5")
}

/// Where a folder's images lie in the latent space.
fn group(network: &Inference, folder: &Path, fit: Fit, strict: bool, console: Console) -> anyhow::Result<Codes> {
    let config = network.config();
    let options = FolderOptions {
        channels: Some(config.channels),
        fit,
        strict,
        // Nothing is learned from them, so nothing is held out.
        test_fraction: 1.0,
        ..FolderOptions::new(config.image_size)
    };
    let read = read_folder(folder, &options)?;
    console.skipped(&read.skipped);
    Ok(encode(network, &read.dataset.test.images)?)
}
