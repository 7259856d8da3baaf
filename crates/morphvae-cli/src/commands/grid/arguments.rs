//! What is typed after `grid`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::arguments::values::{grid, pair};
use crate::arguments::{ImageArguments, ModelArgument};

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
    /// What a conditional model draws: one of its classes [default: that of --base]
    #[arg(long, value_name = "CLASS", conflicts_with = "through", help_heading = "Slice")]
    pub class: Option<String>,
    /// No slice: one row per latent dimension, the most informative first
    #[arg(long, group = "plane", help_heading = "Slice")]
    pub traverse: bool,
    /// At most N rows of --traverse [default: 16]
    #[arg(long, value_name = "N", value_parser = grid(), requires = "traverse", help_heading = "Slice", allow_negative_numbers = true)]
    pub rows: Option<usize>,
    /// Where the other dimensions stay, as a key [default: the encoding nearest to the mean; for two dimensions, the prior's mean]
    #[arg(long, value_name = "KEY", conflicts_with = "components", help_heading = "Slice")]
    pub base: Option<OsString>,
    /// How values are spaced [default: quantile, and linear for --traverse]
    #[arg(long, value_enum, help_heading = "Slice")]
    pub spacing: Option<SpacingArgument>,
    /// Reach of linear spacing, in standard deviations to either side of the encodings' mean; for two dimensions, of the prior's [default: 3]
    #[arg(long, value_name = "R", help_heading = "Slice", allow_negative_numbers = true)]
    pub range: Option<f64>,
    /// Images per side, or per row of --traverse [default: 20, and 11 for --traverse]
    #[arg(long, value_name = "N", value_parser = grid(), help_heading = "Slice", allow_negative_numbers = true)]
    pub size: Option<usize>,

    /// The picture [default: MODEL-grid.png or MODEL-traversals.png]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SpacingArgument {
    /// Equally probable steps of the prior
    Quantile,
    /// Even steps
    Linear,
}
