//! `morphvae attribute`

use std::path::Path;

use morphvae::data::{Fit, FolderOptions, read_folder};
use morphvae::evaluation::{Codes, encode};
use morphvae::latent::Attribute;
use morphvae::network::Inference;
use serde_json::json;

use crate::Usage;
use crate::arguments::AttributeArguments;
use crate::console::Console;
use crate::images::tell_skipped;
use crate::keys::attribute_path;
use crate::limits::check_out_file;
use crate::model::Model;

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
    let model = Model::open(&arguments.model, console)?;
    let network = model.inference();
    let fit = arguments.fit.unwrap_or(model.fit()?);
    let group = |folder: &Path| group(&network, folder, fit, arguments.strict, console);
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
    tell_skipped(&read.skipped, console);
    Ok(encode(network, &read.dataset.test.images)?)
}
