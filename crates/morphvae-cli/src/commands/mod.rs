//! One file or folder a verb: what is typed after it, and what it does.

mod attribute;
mod augment;
mod bench;
mod classify;
mod data;
mod decode;
mod devices;
mod encode;
mod evaluate;
mod explore;
mod figures;
mod grid;
mod info;
mod morph;
mod probe;
mod reconstruct;
mod reproduce;
mod restyle;
mod sample;
mod train;

use clap::Subcommand;

use morphvae::device::DeviceChoice;

use crate::console::Console;
use crate::device;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Train a network and draw every figure of the experiment
    #[command(after_help = "Example: morphvae train --dataset strokes --epochs 3 --out runs/first")]
    Train(Box<train::TrainArguments>),
    /// Evaluate a model on its test split
    #[command(after_help = "Examples: morphvae evaluate --dataset strokes --limit 100\n          \
                            morphvae evaluate --dataset strokes --limit 100 --per-image losses.csv\n          \
                            morphvae evaluate --dataset strokes --limit 10 --binarize dynamic --samples 100")]
    Evaluate(evaluate::EvaluateArguments),
    /// Ask whether a model's latent space tells classes apart: by straight boundaries, by neighbours
    ///
    /// Softmax regression and the vote of 5 neighbours learn from where the training images are encoded to, and are judged by
    /// where the test images are. Classes are said to be linearly separable where straight boundaries get 99 % of these right,
    /// and nearly so from 95 % on. Images without a class do not count.
    #[command(after_help = "Examples: morphvae probe --dataset strokes --limit 500\n          \
                            morphvae probe --dataset strokes --limit 500 --out probe.png")]
    Probe(probe::ProbeArguments),
    /// Say which class images are of, with probabilities, and sort files into folders by class
    ///
    /// A model of `train --labels-for` has a classifier. One of `train --conditional` takes that class for the image's which
    /// explains it best, with the highest evidence lower bound; such probabilities are nearly always close to 0 or 1. The
    /// table has a line for each image: id, label (the likeliest class), probability, and one column for each class.
    #[command(
        after_help = "Examples: morphvae classify runs/few photo.png other-photos/\n          \
                      morphvae classify runs/few --dataset mnist --out classes.csv\n          \
                      morphvae classify runs/few --images unsorted --move-to sorted\n\n\
                      Such a model comes of: morphvae train --labels-for 10 --out runs/few"
    )]
    Classify(classify::ClassifyArguments),
    /// Let one image flow into another: a clip through classes, files or points
    #[command(
        after_help = "Examples: morphvae morph 2 4 9 3 5 3 8\n          \
                      morphvae morph 2 4@hold=1 9 --seconds 5 --out slow.gif",
        override_usage = "morphvae morph [OPTIONS] [MODEL] <KEY> <KEY>..."
    )]
    Morph(Box<morph::MorphArguments>),
    /// Take the style of an image through all classes of a conditional model: a row, a sheet, a clip
    #[command(
        after_help = "Example: morphvae restyle runs/digits seven.png test:3 random --clip styles.gif\n\n\
                      A conditional model comes of: morphvae train --conditional --out runs/digits",
        override_usage = "morphvae restyle [OPTIONS] <MODEL> <KEY>..."
    )]
    Restyle(restyle::RestyleArguments),
    /// Find the direction from one group of images to another, for `morph --add`
    #[command(after_help = "Example: morphvae attribute thick --from thin/ --to thick/")]
    Attribute(attribute::AttributeArguments),
    /// Draw a model's figures again
    #[command(after_help = "Example: morphvae figures runs/first --grid 30")]
    Figures(figures::FiguresArguments),
    /// Draw a slice of a model's latent space, or what each dimension does
    #[command(after_help = "Examples: morphvae grid --size 24 --spacing linear\n          \
                            morphvae grid --traverse --out dimensions.png\n          \
                            morphvae grid --through z:1.5,0 z:0,-1 z:-0.5,1")]
    Grid(grid::GridArguments),
    /// Reconstruct images with a model
    #[command(after_help = "Example: morphvae reconstruct --dataset strokes --limit 20 --out reconstructions")]
    Reconstruct(reconstruct::ReconstructArguments),
    /// Encode images: write their latent points as CSV and NPZ
    #[command(after_help = "Example: morphvae encode --dataset strokes --limit 100 --out codes.csv")]
    Encode(encode::EncodeArguments),
    /// Decode latent points, from `encode` or your own, into images
    #[command(
        after_help = "Examples: morphvae encode --dataset strokes --limit 100 --out codes.csv\n          \
                            morphvae decode codes.csv --out decoded\n          \
                            morphvae decode codes.csv --out images.npz"
    )]
    Decode(decode::DecodeArguments),
    /// Draw new images from a model, as a data set that others read
    ///
    /// All but --from prior gives labelled images; the labels are as good as the latent space keeps the classes apart,
    /// which `probe` measures. A conditional model draws the class that it is told, from its prior as well. `--format
    /// idx` writes the files that torchvision reads as MNIST, if --test adds the part that it wants as well; `--format
    /// npz` the arrays of Keras's MNIST; `--format png` a folder for each class. A million images take no more memory
    /// than a thousand, and a sampling that fails or is stopped leaves nothing behind.
    #[command(after_help = "Examples: morphvae sample -n 200\n          \
                            morphvae sample --class 7 -n 200 --format npz --out sevens\n          \
                            morphvae sample --from mixture --dataset strokes --limit 500 -n 400 --format idx --out drawn\n          \
                            morphvae train --images drawn --epochs 1 --out runs/drawn")]
    Sample(Box<sample::SampleArguments>),
    /// Measure whether new images help where few have labels, and write the data set that did best
    ///
    /// From K labelled images of each class a small convolutional classifier learns by several recipes: these images as
    /// they are; distorted anew each time (turned, stretched, moved, bent); with others that a conditional network has
    /// generated which learned from the same few; these and those distorted; with the other training images, as a
    /// semi-supervised model labels them which learned from the same few and these without labels; and all of that distorted.
    /// Every recipe has as many steps, and all is done again with other labelled images for each of --seeds. What can be
    /// tuned is tuned with the first seed by validation images, a sixth of the training images; the test images say nothing
    /// but the final accuracies.
    #[command(after_help = "Examples: morphvae augment --labelled 10\n          \
                            morphvae augment --labelled 50 --features runs/augment-10/features\n          \
                            morphvae augment --labelled 4 --dataset strokes --limit 300 --steps 100 --seeds 2 --out tried")]
    Augment(Box<augment::AugmentArguments>),
    /// Train and measure what a paper has, and say how far the numbers are apart
    #[command(after_help = "Examples: morphvae reproduce list\n          \
                            morphvae reproduce davidson-10")]
    Reproduce(reproduce::ReproduceArguments),
    /// Show a model's latent map in a browser, or write it as one file
    #[command(after_help = "Example: morphvae explore runs/first --no-open")]
    Explore(explore::ExploreArguments),
    /// Describe a model
    #[command(after_help = "Example: morphvae info")]
    Info(info::InfoArguments),
    /// Measure how fast this machine trains and decodes
    #[command(after_help = "Example: morphvae bench --seconds 1")]
    Bench(bench::BenchArguments),
    /// List what networks can compute on, and why something cannot be used; with --device, that alone
    #[command(after_help = "Examples: morphvae devices\n          \
                            morphvae devices --device cpu --json")]
    Devices(devices::DevicesArguments),
    /// List, fetch, check and show data sets
    #[command(subcommand)]
    Data(data::DataVerb),
}

impl Verb {
    /// Does what it says, on this device if it works on many images at a time; a few are faster on the processor.
    pub fn run(self, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
        if let Self::Morph(_)
        | Self::Restyle(_)
        | Self::Attribute(_)
        | Self::Figures(_)
        | Self::Grid(_)
        | Self::Classify(_)
        | Self::Augment(_)
        | Self::Explore(_) = self
        {
            device::stay(choice, console);
        }
        match self {
            Self::Train(arguments) => train::run(&arguments, choice, console),
            Self::Evaluate(arguments) => evaluate::run(&arguments, choice, console),
            Self::Probe(arguments) => probe::run(&arguments, choice, console),
            Self::Classify(arguments) => classify::run(&arguments, console),
            Self::Morph(arguments) => morph::run(&arguments, console),
            Self::Restyle(arguments) => restyle::run(&arguments, console),
            Self::Attribute(arguments) => attribute::run(&arguments, console),
            Self::Figures(arguments) => figures::run(&arguments, console),
            Self::Grid(arguments) => grid::run(&arguments, console),
            Self::Reconstruct(arguments) => reconstruct::run(&arguments, choice, console),
            Self::Encode(arguments) => encode::run(&arguments, choice, console),
            Self::Decode(arguments) => decode::run(&arguments, choice, console),
            Self::Sample(arguments) => sample::run(&arguments, choice, console),
            Self::Reproduce(arguments) => reproduce::run(&arguments, choice, console),
            Self::Augment(arguments) => augment::run(&arguments, console),
            Self::Explore(arguments) => explore::run(&arguments, console),
            Self::Info(arguments) => info::run(&arguments, console),
            Self::Bench(arguments) => bench::run(&arguments, choice, console),
            Self::Devices(arguments) => devices::run(&arguments, choice, console),
            Self::Data(verb) => data::run(&verb, console),
        }
    }
}
