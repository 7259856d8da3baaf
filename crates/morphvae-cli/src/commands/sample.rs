//! `morphvae sample`

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use clap::Args;
use morphvae::data::{Layout, SetForm};
use morphvae::device::DeviceChoice;
use morphvae::evaluation::Distances;
use morphvae::studio::{
    Balance, Counts, Model, NearnessReport, Origin, PixelChoice, SampleRequest, Sampler, StudioError, check_place,
};
use serde_json::json;

use crate::arguments::values::{MOST, one_of, positive, whole};
use crate::arguments::{ImageArguments, ModelArgument};
use crate::console::{Console, grouped};
use crate::interrupt;
use crate::limits::check_out_folder;
use crate::model;
use crate::observer::{all_or_nothing, observer};

/// Components of a mixture that are enough for any.
const MOST_COMPONENTS: usize = 1000;

#[derive(Debug, Args)]
pub struct SampleArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    /// How many images
    #[arg(short = 'n', long, value_name = "N", default_value = "1000", value_parser = positive(), allow_negative_numbers = true)]
    pub count: usize,
    /// As many more to test on, as a part of its own
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole(0, MOST), allow_negative_numbers = true)]
    pub test: usize,
    /// Where images are drawn: from the `prior`; from a `mixture` of Gaussians for each class, fitted to the encodings of
    /// the training images; from a single Gaussian for each `class`, which needs no images; or around an image FILE or a
    /// folder of them [default: prior, or class where --class is given]
    #[arg(long, value_name = "prior|mixture|class|FILE", value_parser = origin)]
    pub from: Option<Origin>,
    /// Only images of this class; may be given several times
    #[arg(long, value_name = "NAME")]
    pub class: Vec<String>,
    /// How many images each class gets
    #[arg(long, value_parser = one_of::<Balance>(), default_value = "even")]
    pub balance: Balance,
    /// Gaussians of each mixture, at most
    #[arg(long, value_name = "N", default_value = "5", value_parser = whole(1, MOST_COMPONENTS), allow_negative_numbers = true)]
    pub components: usize,
    /// A factor, from 0 to 10, on how far points lie from the middle: below 1 images are more typical and less varied
    #[arg(long, value_name = "T", default_value = "1", allow_negative_numbers = true)]
    pub temperature: f64,
    /// What pixels are
    #[arg(long, value_parser = one_of::<PixelChoice>(), default_value = "mean")]
    pub pixels: PixelChoice,
    /// How the images lie in the folder
    #[arg(long, value_parser = one_of::<Layout>(), default_value = "png")]
    pub format: Layout,
    /// The same seed gives the same images, and a larger set begins with the smaller one
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// A folder for the images, a contact sheet and a card that says how they were made
    #[arg(long, value_name = "FOLDER", default_value = "samples")]
    pub out: PathBuf,
    /// Also hold samples against the training images, as the card and a picture then say: copies would be at no distance
    #[arg(long)]
    pub nearest: bool,
    /// Replace images that were sampled before
    #[arg(long)]
    pub force: bool,
    /// Fit to at most N images
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Print one JSON object: the card, and where the images are
    #[arg(long)]
    pub json: bool,
}

fn origin(text: &str) -> Result<Origin, Infallible> {
    Ok(match text {
        "prior" => Origin::Prior,
        "mixture" => Origin::Mixture,
        "class" => Origin::Class,
        path => Origin::Images(path.into()),
    })
}

impl SampleArguments {
    fn request(&self) -> SampleRequest {
        let usual = match self.class.is_empty() {
            true => Origin::Prior,
            false => Origin::Class,
        };
        SampleRequest {
            from: self.from.clone().unwrap_or(usual),
            classes: self.class.clone(),
            balance: self.balance,
            components: self.components,
            temperature: self.temperature,
            pixels: self.pixels,
            seed: self.seed,
            limit: self.limit,
        }
    }
}

pub fn run(arguments: &SampleArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    all_or_nothing(make(arguments, choice, console), console)
}

fn make(arguments: &SampleArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    let out = &arguments.out;
    check_place(out, arguments.force).map_err(StudioError::from)?;
    check_out_folder(out)?;
    let model = model::open_on(&arguments.model, choice, console)?;
    check_form(arguments, &model)?;
    let observer = observer(console);
    let images = arguments.images.request()?;
    let sampler = Sampler::new(&model, &arguments.request(), &images, &observer)?;
    let counts = Counts {
        train: arguments.count,
        test: arguments.test,
    };
    let nearness = match arguments.nearest {
        true => Some(sampler.nearest(counts.train, &images, &observer)?),
        false => None,
    };
    let card = sampler.write(out, arguments.format, counts, nearness.as_ref(), &observer)?;
    console.note(format!(
        "{} images{} in {}",
        grouped(counts.train),
        match counts.test {
            0 => String::new(),
            test => format!(" to train on and {} to test on", grouped(test)),
        },
        out.display()
    ));
    if let Some(nearest) = &card.nearest {
        console.note(compared(nearest));
    }
    match (arguments.format, sampler.classes().is_empty()) {
        (Layout::Npz, _) => {}
        (Layout::Idx, true) => console.note("they have no labels; --from mixture or --from class gives them some"),
        (layout, _) => console.note(format!(
            "learn from them with: morphvae train --images {}",
            learned(layout, out)
        )),
    }
    if arguments.json {
        let mut report = json!(card);
        report["out"] = json!(out);
        console.json(&report)?;
    }
    Ok(())
}

/// How near samples come to the training images.
fn compared(nearest: &NearnessReport) -> String {
    let said = |what: &str, Distances { least, median, .. }: &Distances| {
        format!("{what} {median:.2} in the middle, {least:.2} at least")
    };
    format!(
        "distance from the nearest of {} training images: {}; {}",
        grouped(nearest.train_count),
        said("samples", &nearest.samples),
        said("test images", &nearest.test_images)
    )
}

/// Refuses what the format cannot hold before any image is read for it.
fn check_form(arguments: &SampleArguments, model: &Model) -> Result<(), StudioError> {
    let config = model.network().config();
    let form = SetForm {
        layout: arguments.format,
        shape: [config.channels, config.image_size, config.image_size],
        counts: [arguments.count, arguments.test],
        classes: Vec::new(),
    };
    Ok(form.check()?)
}

/// The folder that is read as images.
fn learned(layout: Layout, out: &Path) -> String {
    let folder = match layout {
        Layout::Png => out.join("images"),
        Layout::Idx | Layout::Npz => out.to_owned(),
    };
    folder.display().to_string()
}
