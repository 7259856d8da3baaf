//! `morphvae classify`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use morphvae::files::write_atomically;
use morphvae::studio::{Classified, StudioError};
use serde::Serialize;

use crate::answers::Usage;
use crate::arguments::{ImageArguments, ModelArgument, PartArguments};
use crate::console::{Console, grouped};
use crate::interrupt;
use crate::limits::check_new_file;
use crate::model;
use crate::observer::{all_or_nothing, observer};

#[derive(Debug, Args)]
pub struct ClassifyArguments {
    /// A run's folder or a .safetensors of `train --labels-for` or `train --conditional`
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// Image files, and folders of them [default: those of --dataset or --images, else the model's own]
    #[arg(value_name = "IMAGE", conflicts_with_all = ["dataset", "images", "split"])]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub images: ImageArguments,
    #[command(flatten)]
    pub part: PartArguments,
    /// A .csv file for the table [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Move the image files into a folder for each class in this one: all or none, and nothing is overwritten
    #[arg(long, value_name = "FOLDER")]
    pub move_to: Option<PathBuf>,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    dataset: &'a str,
    classes: &'a [String],
    images: Vec<Row<'a>>,
    /// Images whose class is known, and how many of them are taken for another.
    labelled: usize,
    wrong: usize,
    /// The share of these; nothing where no class is known.
    error: Option<f64>,
    moved: Option<usize>,
    out: Option<&'a Path>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    label: &'a str,
    probability: f32,
    probabilities: &'a [f32],
}

pub fn run(arguments: &ClassifyArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    all_or_nothing(classify(arguments, console), console)
}

fn classify(arguments: &ClassifyArguments, console: Console) -> anyhow::Result<()> {
    if let Some(out) = &arguments.out {
        let rule = "the table is written as .csv: choose such an --out";
        check_new_file(out, &["csv"], rule, "--out", arguments.force)?;
    }
    if let Some(path) = arguments.paths.iter().find(|path| !path.exists()) {
        return Err(Usage(format!("{}: there is no such file or folder", path.display())).into());
    }
    let argument = ModelArgument {
        model: Some(arguments.model.clone()),
    };
    let model = model::open(&argument, console)?;
    let part = (arguments.part.split, arguments.part.limit);
    let request = arguments.images.request()?;
    let classified = Classified::of(&model, &arguments.paths, &request, part, &observer(console))?;
    // What is in the way shows before anything is written.
    let moves = match &arguments.move_to {
        Some(folder) => Some(classified.moves(folder).map_err(StudioError::from)?),
        None => None,
    };
    match &arguments.out {
        Some(out) => {
            write_atomically(out, |writer| classified.write_csv(writer))?;
            let images = grouped(classified.ids.len());
            console.note(format!("{images} image(s) classified in {}", out.display()));
        }
        None if arguments.json => {}
        None => {
            let mut table = Vec::new();
            classified.write_csv(&mut table)?;
            io::stdout().write_all(&table)?;
        }
    }
    let accuracy = classified.accuracy();
    let wrong = accuracy.of - accuracy.right;
    let error = (accuracy.of > 0).then_some(1.0 - accuracy.share());
    if let Some(error) = error {
        console.note(format!(
            "{} of {} images with a known class are taken for another: an error of {:.2} %",
            grouped(wrong),
            grouped(accuracy.of),
            100.0 * error
        ));
    }
    if let (Some(moves), Some(folder)) = (&moves, &arguments.move_to) {
        Classified::carry_out(moves).map_err(StudioError::from)?;
        let rest = match classified.ids.len() - moves.len() {
            0 => String::new(),
            rest => format!("; {} lay there already", grouped(rest)),
        };
        console.note(format!(
            "{} file(s) moved into {}{rest}",
            grouped(moves.len()),
            folder.display()
        ));
    }
    if arguments.json {
        let rows = classified.ids.iter().zip(classified.found()).zip(classified.rows());
        console.json(&Report {
            model: model.name(),
            dataset: &classified.dataset,
            classes: &classified.classes,
            images: rows
                .map(|((id, found), probabilities)| Row {
                    id,
                    label: &classified.classes[usize::from(found)],
                    probability: probabilities[usize::from(found)],
                    probabilities,
                })
                .collect(),
            labelled: accuracy.of,
            wrong,
            error,
            moved: moves.as_ref().map(Vec::len),
            out: arguments.out.as_deref(),
        })?;
    }
    Ok(())
}
