//! `morphvae restyle`

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use morphvae::figures::clip::{ClipFormat, Look};
use morphvae::figures::{Caption, write_png};
use morphvae::latent::path::PathKind;
use morphvae::studio::{Keys, Morph, Restyled, Stop};
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::ImageArguments;
use crate::arguments::values::whole;
use crate::console::Console;
use crate::interrupt;
use crate::limits::{check_out_file, check_out_folder, check_picture};
use crate::model;
use crate::observer::{all_or_nothing, observer};

#[derive(Debug, Args)]
pub struct RestyleArguments {
    /// A conditional model (a run's folder or a .safetensors), and whose style is taken: image files, test:N and train:N of
    /// a data set, classes, latent points as z:0.3,-1.2, or random. Each makes a row
    #[arg(value_name = "KEY", required = true)]
    pub keys: Vec<OsString>,
    /// Seed of the random keys
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Let the classes flow into one another as a clip, too, style after style: .gif, .apng, .mp4 (with ffmpeg), or a folder
    /// for PNG frames
    #[arg(long, value_name = "FILE")]
    pub clip: Option<PathBuf>,
    /// The picture [default: MODEL-restyled.png]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub images: ImageArguments,
}

pub fn run(arguments: &RestyleArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    all_or_nothing(make(arguments, console), console)
}

fn make(arguments: &RestyleArguments, console: Console) -> anyhow::Result<()> {
    let (named, styles) = model::split(&arguments.keys);
    if styles.is_empty() {
        return Err(
            Usage("nothing says whose style: name an image, test:N, z:X,Y,… or random after the model".into()).into(),
        );
    }
    let request = arguments.images.request()?;
    request.check()?;
    let model = model::open(&named, console)?;
    model.check_conditional()?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-restyled.png", model.stem())));
    check_picture(&out, arguments.force)?;
    if let Some(clip) = &arguments.clip {
        check_clip(clip, arguments.force)?;
    }
    let heard = observer(console);
    let mut keys = Keys::new(&model, &request, arguments.seed, &heard);
    let restyled = Restyled::of(styles, &mut keys, &heard)?;
    let names = restyled.names.join(", ");
    let (title, subtitle) = match styles.len() {
        1 => (
            format!("The style of {names} through all classes"),
            model::learned(&model),
        ),
        _ => ("Styles through all classes".to_owned(), model::learned(&model)),
    };
    // All is drawn before anything is written.
    let sheet = restyled.sheet(&Caption::new(&title, &subtitle))?;
    if let Some(clip) = &arguments.clip {
        let morph = flow(&restyled);
        let walk = morph.along(&restyled.points, model.inference(), &heard)?;
        let timing = walk.write(clip, &Look::default(), &heard)?;
        console.note(format!("{}: {timing}", clip.display()));
    }
    write_png(&out, &sheet)?;
    console.note(format!("drawn in {}", out.display()));
    if arguments.json {
        console.json(&json!({
            "out": out,
            "clip": arguments.clip,
            "styles": restyled.names,
            "classes": restyled.classes,
            "points": restyled.points,
        }))?;
    }
    Ok(())
}

/// A clip through all that is shown. On straight lines a style stays what it is from class to class.
fn flow(restyled: &Restyled) -> Morph {
    let stops = restyled.names.iter().flat_map(|name| {
        let key = move |class| Stop::at(format!("{name}={class}"));
        restyled.classes.iter().map(key)
    });
    Morph {
        path: PathKind::Line,
        ..Morph::through(stops.collect())
    }
}

/// Makes sure that the clip can be written, and that nothing is lost by it unasked.
fn check_clip(clip: &std::path::Path, force: bool) -> anyhow::Result<()> {
    let format = ClipFormat::of(clip)?;
    if clip.exists() && !force {
        return Err(Usage::stands(clip, "--clip").into());
    }
    match format {
        ClipFormat::Frames => check_out_folder(clip),
        _ => check_out_file(clip),
    }
}
