//! `morphvae explore`

use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use morphvae::data::Dataset;
use morphvae::evaluation::encode;
use morphvae::latent::{Attribute, AttributeError};
use morphvae::studio::keys::attribute_path;
use morphvae::studio::{Model, StudioError};
use morphvae_explorer::{Difference, Explorer, Exported, LatentMap, ModelFacts, Place, Replay, ShownImages, export};
use serde::Serialize;
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::values::whole;
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::Console;
use crate::limits::check_out_file;
use crate::observer::observer;
use crate::{browser, interrupt, model};

#[derive(Debug, Args)]
pub struct ExploreArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Show a slider for an attribute: its name, or the file that `attribute` wrote; may be repeated
    #[arg(long = "attribute", value_name = "NAME")]
    pub attributes: Vec<String>,
    /// Serve at this name or address of this computer; other than by default, others can then reach it
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1", help_heading = "Serving")]
    pub host: String,
    /// Serve at this port [default: 7878, or a free one if that is taken]
    #[arg(long, value_name = "N", value_parser = whole(0, u16::MAX), help_heading = "Serving", allow_negative_numbers = true)]
    pub port: Option<u16>,
    /// Print the address without opening a browser
    #[arg(long, help_heading = "Serving")]
    pub no_open: bool,
    /// Serve nothing: write the map, and the network with it, as one file that works without the program and offline
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "port", "no_open"])]
    pub export: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "export")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// How a way through a latent space is drawn without a browser.
pub const MORPH: &str = "morphvae morph";

pub fn run(arguments: &ExploreArguments, console: Console) -> anyhow::Result<()> {
    if let Some(file) = &arguments.export {
        return write(file, arguments, console);
    }
    let place = Place {
        host: arguments.host.clone(),
        port: arguments.port,
    };
    place.check()?;
    let map = latent_map(arguments, console)?;
    // From here on Ctrl-C is the way to end this; until then it ends the program as it ends any other.
    interrupt::listen()?;
    let explorer = Explorer::start(&place, map, None)?;
    console.note("the latent map is served at this address until Ctrl-C:");
    if arguments.json {
        console.json(&json!({ "url": explorer.url() }))?;
    } else {
        console.print(explorer.url())?;
    }
    if !arguments.no_open {
        browser::open(explorer.url(), console);
    }
    interrupt::wait();
    explorer.stop();
    Ok(())
}

/// What `--json` prints of a file.
#[derive(Serialize)]
struct Report<'a> {
    out: &'a Path,
    #[serde(flatten)]
    exported: Exported,
}

/// The map as one file.
fn write(file: &Path, arguments: &ExploreArguments, console: Console) -> anyhow::Result<()> {
    if !file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("html"))
    {
        let text = format!("{}: the map is written as .html: name such a file", file.display());
        return Err(Usage(text).into());
    }
    if file.exists() && !arguments.force {
        let text = format!(
            "{}: this exists: replace it with --force, or name another file",
            file.display()
        );
        return Err(Usage(text).into());
    }
    check_out_file(file)?;
    let exported = export(&latent_map(arguments, console)?, file)?;
    let Difference { mean, worst, .. } = exported.difference;
    console.note(format!(
        "{} ({:.1} MB): the network is in it, rounded so that its images differ by {mean:.2} grey levels of 255 on average and \
         {worst} at worst",
        file.display(),
        exported.bytes as f64 / 1e6,
    ));
    if arguments.json {
        console.json(&Report { out: file, exported })?;
    }
    Ok(())
}

/// The model with the images that it was judged on, or without any where there are none to be had.
fn latent_map(arguments: &ExploreArguments, console: Console) -> anyhow::Result<LatentMap> {
    let model = model::open(&arguments.model, console)?;
    let dataset = images(&model, arguments, console)?;
    let network = model.inference();
    let attributes = attributes(&model, &arguments.attributes)?;
    let shown = dataset.as_ref().map(|dataset| ShownImages::of(&dataset.test));
    let shown = shown.unwrap_or_else(|| ShownImages::none(network.config().channels));
    let codes = encode(network, shown.examples())?;
    let card = model.card();
    let of_card = || card.map(|card| (card.dataset.clone(), card.classes.clone()));
    let of_data = dataset.map(|dataset| (dataset.name, dataset.classes));
    let (dataset, classes) = of_data.or_else(of_card).unwrap_or_default();
    let facts = ModelFacts {
        name: model.stem(),
        dataset,
        classes,
        objective: card.map(|card| card.objective).unwrap_or_default(),
        epochs: card.map(|card| card.epochs),
        test_loss: card.map(|card| card.test.loss),
        statistics: card.map(|card| card.latent_statistics.clone()),
        fit: arguments.images.fit.unwrap_or(model.fit()),
        attributes,
        command: MORPH.into(),
        argument: model.path().map_or_else(String::new, |_| model.name().to_owned()),
    };
    let replay = model.run().and_then(|run| Replay::read(&run.figures_path()));
    let map = LatentMap::new(model.shared_inference(), facts, Arc::new(shown), codes)?;
    Ok(map.with_replay(replay))
}

/// The attributes that were named, which must be this model's.
fn attributes(model: &Model, names: &[String]) -> Result<Vec<Attribute>, AttributeError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (fingerprint, latent) = (model.network().fingerprint(), model.network().config().latent);
    let read = |name: &String| {
        let attribute = Attribute::read(&attribute_path(name))?;
        // Nothing of it is added; what is asked is whether it could be.
        attribute.add(&fingerprint, &vec![0.0; latent], 0.0)?;
        Ok(attribute)
    };
    names.iter().map(read).collect()
}

/// The images that were named, which must be there; otherwise those of the model, if they can be had.
fn images(model: &Model, arguments: &ExploreArguments, console: Console) -> Result<Option<Dataset>, StudioError> {
    let request = arguments.images.request()?;
    match model.images(&request, None, &observer(console)) {
        Ok(dataset) => Ok(Some(dataset)),
        Err(error) if !request.forgives(&error) => Err(error),
        Err(error) => {
            console.note(format!("the map shows decoded images alone, since {error}"));
            Ok(None)
        }
    }
}
