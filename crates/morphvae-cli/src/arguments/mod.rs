//! What can be typed: the verbs, their options, and what each says of itself.

mod data;
mod images;
mod models;
mod morph;
mod train;
mod values;

use clap::{Parser, Subcommand};

pub use data::{DataExportArguments, DataListArguments, DataNameArguments, DataSheetArguments, DataVerb};
pub use images::{ImageArguments, ModelArgument, SplitArgument, StoreArguments};
pub use models::{
    AttributeArguments, BenchArguments, DecodeArguments, EncodeArguments, EvaluateArguments, ExploreArguments,
    FiguresArguments, GridArguments, InfoArguments, ReconstructArguments, SpacingArgument,
};
pub use morph::MorphArguments;
pub use train::{ArchitectureArgument, PresetArgument, TrainArguments};
pub use values::LONGEST_REST;
use values::whole;

/// Learn a distribution of small images, and draw anything between them.
#[derive(Debug, Parser)]
#[command(name = "morphvae", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Compute on so many threads (all cores when left out); the results are the same bits
    #[arg(long, global = true, value_name = "N", value_parser = whole::<u16>(1, 1024), allow_negative_numbers = true)]
    pub threads: Option<u16>,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Train a network and draw every figure of the experiment
    #[command(after_help = "Example: morphvae train --dataset strokes --epochs 3 --out runs/first")]
    Train(Box<TrainArguments>),
    /// Judge a model on a whole test split, or on that of its run as --limit left it
    #[command(after_help = "Examples: morphvae evaluate --dataset strokes --limit 500\n          \
                            morphvae evaluate --dataset strokes --per-image losses.csv")]
    Evaluate(EvaluateArguments),
    /// Let one image flow into another: a clip through classes, files or points
    #[command(
        after_help = "Examples: morphvae morph 2 4 9 3 5 3 8\n          \
                      morphvae morph 2 4@hold=1 9 --seconds 5 --out slow.gif",
        override_usage = "morphvae morph [OPTIONS] [MODEL] <KEY> <KEY>..."
    )]
    Morph(Box<MorphArguments>),
    /// Find the direction between two groups of images, for `morph --add`
    #[command(after_help = "Example: morphvae attribute thick --from thin/ --to thick/")]
    Attribute(AttributeArguments),
    /// Draw a model's figures again
    #[command(after_help = "Example: morphvae figures runs/first --grid 30")]
    Figures(FiguresArguments),
    /// Draw a slice of a model's latent space, or what each of its dimensions does
    #[command(after_help = "Examples: morphvae grid --size 24 --spacing linear\n          \
                            morphvae grid --traverse --out dimensions.png\n          \
                            morphvae grid --through z:1.5,0 z:0,-1 z:-0.5,1")]
    Grid(GridArguments),
    /// Send images through a model and write what it gives back
    #[command(after_help = "Example: morphvae reconstruct --dataset strokes --limit 20 --out reconstructions")]
    Reconstruct(ReconstructArguments),
    /// Write where images lie in the latent space, as CSV and NPZ
    #[command(after_help = "Example: morphvae encode --dataset strokes --limit 100 --out codes.csv")]
    Encode(EncodeArguments),
    /// Draw the images that lie at points of the latent space: codes that `encode` wrote, or your own
    #[command(
        after_help = "Examples: morphvae encode --dataset strokes --limit 100 --out codes.csv\n          \
                            morphvae decode codes.csv --out decoded\n          \
                            morphvae decode codes.csv --out images.npz"
    )]
    Decode(DecodeArguments),
    /// Show a model's latent map in a browser, or write it as one file
    #[command(after_help = "Example: morphvae explore runs/first --no-open")]
    Explore(ExploreArguments),
    /// Say what a weight file holds
    #[command(after_help = "Example: morphvae info")]
    Info(InfoArguments),
    /// Measure how fast this machine trains and decodes
    #[command(after_help = "Example: morphvae bench --seconds 1")]
    Bench(BenchArguments),
    /// List, fetch, check and show data sets
    #[command(subcommand)]
    Data(DataVerb),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_option_is_sound_and_explained() {
        Arguments::command().help_expected(true).debug_assert();
    }
}
