//! `morphvae decode`

use clap::Args;
use std::path::PathBuf;

use anyhow::bail;
use morphvae::data::{Images, write_image, write_images};
use morphvae::device::DeviceChoice;
use morphvae::evaluation::decode;
use morphvae::network::{Decoder, Inference, Shape};
use morphvae::tables::Points;
use serde_json::json;

use crate::answers::Usage;
use crate::arguments::ModelArgument;
use crate::console::{Console, Meter, Unit};
use crate::interrupt;
use crate::limits::{check_out_file, check_out_folder};
use crate::model;
use crate::pictures::{names_like, numbered, paths_of};

#[derive(Debug, Args)]
pub struct DecodeArguments {
    /// The points: a .csv or an .npz as `encode` writes them, or any N x D numbers as .csv, .npy or .npz
    #[arg(value_name = "CODES")]
    pub codes: PathBuf,
    #[command(flatten)]
    pub model: ModelArgument,
    /// What a conditional model draws at the points: one of its classes [default: what the points say after the latents]
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// A folder for PNG images, named like the codes, or one .npz
    #[arg(long, value_name = "FOLDER|FILE", default_value = "decoded")]
    pub out: PathBuf,
    /// Write into an existing folder, or replace an existing file
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Points decoded before their images are written.
const BATCH: usize = 100;

pub fn run(arguments: &DecodeArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    let out = &arguments.out;
    let is_archive = is_archive(arguments)?;
    if out.exists() && !arguments.force {
        return Err(Usage::exists(out).into());
    }
    match is_archive {
        true => check_out_file(out),
        false => check_out_folder(out),
    }?;
    let points = Points::read(&arguments.codes)?;
    let model = model::open_on(&arguments.model, choice, console)?;
    let given = match &arguments.class {
        Some(class) => Some(model.inference().given(model.class(class)?)?),
        None => None,
    };
    let network: &Inference = model.inference();
    let decoder: &dyn Decoder = match &given {
        Some(given) => given,
        None => network,
    };
    let latent = decoder.latent();
    if points.latent != latent {
        let config = network.config();
        if config.is_conditional() && points.latent == config.latent {
            let class = model.card().and_then(|card| card.classes.first());
            let text = format!(
                "{}: {} is conditional: say which of its classes is drawn, as --class {}",
                arguments.codes.display(),
                model.name(),
                class.map_or("NAME", String::as_str)
            );
            return Err(Usage(text).into());
        }
        let text = format!(
            "{}: these points have {} coordinates, but the latent space of {} has {latent} dimension(s): name the model \
             that they belong to",
            arguments.codes.display(),
            points.latent,
            model.name(),
        );
        return Err(Usage(text).into());
    }
    let job = Job {
        decoder,
        points: &points,
    };
    let meter = console.progress(Unit::Images);
    if is_archive {
        job.write_archive(out, meter)?;
    } else {
        job.write_folder(out, meter)?;
    }
    console.note(format!("{} images in {}", points.count(), out.display()));
    if arguments.json {
        console.json(&json!({ "images": points.count(), "latent": latent, "out": out }))?;
    }
    Ok(())
}

/// Whether one `.npz` is asked for, and not a folder.
fn is_archive(arguments: &DecodeArguments) -> Result<bool, Usage> {
    let out = &arguments.out;
    match out.extension().and_then(|ending| ending.to_str()) {
        Some("npz") => Ok(true),
        Some(ending @ ("npy" | "csv" | "png" | "gif" | "zip")) if !out.is_dir() => Err(Usage(format!(
            "{}: images are written into a folder or as one .npz, not as .{ending}",
            out.display()
        ))),
        _ => Ok(false),
    }
}

struct Job<'a> {
    decoder: &'a dyn Decoder,
    points: &'a Points,
}

impl Job<'_> {
    /// The images, a batch after the other, until all are there or somebody presses Ctrl-C.
    fn batches(&self, mut meter: Meter) -> impl Iterator<Item = Images> {
        let (total, mut done) = (self.points.count() as u64, 0);
        let batches = self.points.values.chunks(BATCH * self.points.latent);
        let running = batches.take_while(|_| interrupt::check().is_continue());
        running.map(move |points| {
            let images = decode(self.decoder, points).expect("points are rows of the latent space");
            done += images.count() as u64;
            meter.update("decoding", done, total, "");
            images
        })
    }

    fn write_folder(&self, out: &std::path::Path, meter: Meter) -> anyhow::Result<()> {
        let names: Vec<PathBuf> = match &self.points.ids {
            Some(ids) => names_like(&paths_of(ids)?),
            None => numbered(self.points.count()),
        };
        let mut names = names.iter();
        for images in self.batches(meter) {
            for (index, name) in (0..images.count()).zip(&mut names) {
                write_image(&images, index, &out.join(name))?;
            }
        }
        stop_if_asked()
    }

    fn write_archive(&self, out: &std::path::Path, meter: Meter) -> anyhow::Result<()> {
        let Shape { channels, side } = self.decoder.image_shape();
        let shape = [channels, side, side];
        let ids = match &self.points.ids {
            Some(ids) => ids.clone(),
            None => (0..self.points.count()).map(|index| format!("{index:05}")).collect(),
        };
        let written = write_images(out, &ids, shape, self.batches(meter));
        stop_if_asked()?;
        Ok(written?)
    }
}

fn stop_if_asked() -> anyhow::Result<()> {
    if interrupt::check().is_break() {
        bail!("stopped");
    }
    Ok(())
}
