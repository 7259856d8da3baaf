//! What is typed after `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use morphvae::studio::{Part, USUAL_SET};

use crate::arguments::values::{one_of, positive, whole};
use crate::arguments::{ImageArguments, StoreArguments};

#[derive(Debug, Subcommand)]
pub enum DataVerb {
    /// List the known data sets and what is on disk
    #[command(after_help = "Example: morphvae data list")]
    List(DataListArguments),
    /// Fetch a data set
    #[command(after_help = "Example: morphvae data fetch fashion-mnist")]
    Fetch(DataNameArguments),
    /// Check a data set's files against the published digests
    #[command(after_help = "Example: morphvae data check mnist")]
    Check(DataNameArguments),
    /// Draw a contact sheet of a data set
    #[command(after_help = "Example: morphvae data sheet --dataset strokes --out strokes.png")]
    Sheet(DataSheetArguments),
    /// Write a data set as PNG images, in a folder for each class
    #[command(
        after_help = "Examples: morphvae data export --dataset strokes --limit 500 --out digits\n          \
                      morphvae train --images digits --epochs 3 --out runs/digits"
    )]
    Export(DataExportArguments),
}

#[derive(Debug, Args)]
pub struct DataListArguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DataNameArguments {
    /// The data set's name
    pub name: String,
    #[command(flatten)]
    pub store: StoreArguments,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DataSheetArguments {
    #[command(flatten)]
    pub images: ImageArguments,
    /// Which images
    #[arg(long, value_parser = one_of::<Part>(), default_value = "train")]
    pub split: Part,
    /// How many images
    #[arg(long, value_name = "N", default_value = "200", value_parser = positive(), allow_negative_numbers = true)]
    pub count: usize,
    /// Seed of the digits that `strokes` draws
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// The picture [default: DATASET.png]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct DataExportArguments {
    /// A known data set (see `morphvae data list`), or `strokes`: digits drawn by this program
    #[arg(long, value_name = "NAME", default_value = USUAL_SET)]
    pub dataset: String,
    #[command(flatten)]
    pub store: StoreArguments,
    /// Write at most N images to train on, and N to test on
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Seed of the digits that `strokes` draws
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Folder for `train` and `test` [default: DATASET-images]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write into an existing folder
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
