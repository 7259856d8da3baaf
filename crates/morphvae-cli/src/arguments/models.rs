//! The verbs that look at a model.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use morphvae::data::Fit;

use super::images::{ImageArguments, ModelArgument, SplitArgument};
use super::values::{grid, one_of, pair, positive, whole};

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Judge by the first N images alone, for a quick look: the numbers are then not those of the split
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Decides the noise: one sample of the posterior an image
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Write the loss of each image and its terms, too: a .csv or an .npz
    #[arg(long, value_name = "FILE")]
    pub per_image: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long, requires = "per_image")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct AttributeArguments {
    /// What the attribute is called
    pub name: String,
    #[command(flatten)]
    pub model: ModelArgument,
    /// A folder of images without it
    #[arg(long, value_name = "FOLDER")]
    pub from: PathBuf,
    /// A folder of images with it
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// How the images are made square [default: as the model's own were]
    #[arg(long, value_parser = one_of::<Fit>())]
    pub fit: Option<Fit>,
    /// Make an unreadable image an error instead of skipping it
    #[arg(long)]
    pub strict: bool,
    /// The attribute's file [default: NAME.attribute.json]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct FiguresArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Images a side of the sheet of continuously changing images
    #[arg(long, value_name = "N", default_value = "20", value_parser = grid(), allow_negative_numbers = true)]
    pub grid: usize,
    /// Folder for the figures [default: the run's own, or MODEL-figures]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write into a folder that exists
    #[arg(long)]
    pub force: bool,
    /// Print the figures' paths as one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct GridArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,

    /// Along two latent dimensions, counted from 1 [default: those in which the encodings spread most]
    #[arg(long, value_name = "I,J", value_parser = pair, group = "plane", help_heading = "Slice", allow_negative_numbers = true)]
    pub axes: Option<[usize; 2]>,
    /// Along two principal components of the encoded images, counted from 1
    #[arg(long, value_name = "I,J", value_parser = pair, group = "plane", help_heading = "Slice", allow_negative_numbers = true)]
    pub components: Option<[usize; 2]>,
    /// In the plane through three keys: classes, image files, test:N, latent points as z:0.3,-1.2, or random
    #[arg(long, value_name = "KEY", num_args = 3, group = "plane", conflicts_with_all = ["spacing", "range", "base"], help_heading = "Slice")]
    pub through: Option<Vec<OsString>>,
    /// No slice: a row for each latent dimension, those that carry most first
    #[arg(long, group = "plane", help_heading = "Slice")]
    pub traverse: bool,
    /// At most N rows of --traverse [default: 16]
    #[arg(long, value_name = "N", value_parser = grid(), requires = "traverse", help_heading = "Slice", allow_negative_numbers = true)]
    pub rows: Option<usize>,
    /// The key where dimensions stay that do not change [default: the encoding nearest to the mean, in a plane the prior's middle]
    #[arg(long, value_name = "KEY", conflicts_with = "components", help_heading = "Slice")]
    pub base: Option<OsString>,
    /// How values are spaced [default: quantile, and linear for --traverse]
    #[arg(long, value_enum, help_heading = "Slice")]
    pub spacing: Option<SpacingArgument>,
    /// Linear spacing reaches R standard deviations to either side of the encodings' mean, in a plane of the prior's [default: 3]
    #[arg(long, value_name = "R", help_heading = "Slice", allow_negative_numbers = true)]
    pub range: Option<f64>,
    /// Images a side, or a row of --traverse [default: 20, and 11 for --traverse]
    #[arg(long, value_name = "N", value_parser = grid(), help_heading = "Slice", allow_negative_numbers = true)]
    pub size: Option<usize>,

    /// The picture [default: MODEL-grid.png or MODEL-traversals.png]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SpacingArgument {
    /// Pieces of the prior that are equally probable
    Quantile,
    /// Even steps
    Linear,
}

#[derive(Debug, Args)]
pub struct ReconstructArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Which images [default: test; a folder named with --images is taken whole, unless it holds `train` and `test`]
    #[arg(long, value_enum)]
    pub split: Option<SplitArgument>,
    /// Use at most N images
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Folder for the images
    #[arg(long, value_name = "FOLDER", default_value = "reconstructions")]
    pub out: PathBuf,
    /// Write into a folder that exists
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct EncodeArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Which images [default: test; a folder named with --images is taken whole, unless it holds `train` and `test`]
    #[arg(long, value_enum)]
    pub split: Option<SplitArgument>,
    /// Use at most N images
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// A .csv or an .npz file; without an ending both are written
    #[arg(long, value_name = "FILE", default_value = "codes")]
    pub out: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DecodeArguments {
    /// The points: a .csv or an .npz as `encode` writes them, or any N x D numbers as .csv, .npy or .npz
    #[arg(value_name = "CODES")]
    pub codes: PathBuf,
    #[command(flatten)]
    pub model: ModelArgument,
    /// A folder for PNG images, which are called as the codes are, or one .npz
    #[arg(long, value_name = "FOLDER|FILE", default_value = "decoded")]
    pub out: PathBuf,
    /// Write into a folder that exists, or replace the file
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ExploreArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Serve at this name or address of this computer; with any but the default, others can reach it
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1", help_heading = "Serving")]
    pub host: String,
    /// Serve at this port [default: 7878, or a free one if that is taken]
    #[arg(long, value_name = "N", value_parser = whole(0, u16::MAX), help_heading = "Serving", allow_negative_numbers = true)]
    pub port: Option<u16>,
    /// Only print the address
    #[arg(long, help_heading = "Serving")]
    pub no_open: bool,
    /// Serve nothing: write the map into one file, which works without the program and without a network
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "port", "no_open"])]
    pub export: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "export")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct InfoArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct BenchArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    /// Time for each measurement
    #[arg(long, value_name = "S", default_value = "3", value_parser = whole::<u16>(1, 600), allow_negative_numbers = true)]
    pub seconds: u16,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
