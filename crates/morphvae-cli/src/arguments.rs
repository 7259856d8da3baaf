//! What can be typed: the verbs, their options, and what each says of itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use morphvae::latent::path::MOST_STEPS;
use morphvae::model::{MOST_BASE_CHANNELS, MOST_LATENTS};

use crate::commands::morph::LONGEST_REST;

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

#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    pub images: ImageArguments,
    /// Use at most N images for training, and N for testing
    #[arg(long, value_name = "N", value_parser = whole(2, MOST), allow_negative_numbers = true)]
    pub limit: Option<usize>,

    /// Dimensions of the latent space [default: 2]
    #[arg(long, value_name = "D", value_parser = whole(1, MOST_LATENTS), help_heading = "Network", allow_negative_numbers = true)]
    pub latent: Option<usize>,
    /// Channels after the first convolution [default: 64]
    #[arg(long, value_name = "N", value_parser = whole(1, MOST_BASE_CHANNELS), help_heading = "Network", allow_negative_numbers = true)]
    pub base_channels: Option<usize>,
    /// Side of the images in pixels [default: 32]
    #[arg(long, value_parser = PossibleValuesParser::new(["32", "64", "128"]), help_heading = "Network")]
    pub image_size: Option<String>,

    /// Begin with settings found to be good; options that are typed go before them
    #[arg(long, conflicts_with = "resume", help_heading = "Training")]
    pub preset: Option<PresetArgument>,
    /// Times that every image is seen [default: 5]
    #[arg(long, value_name = "N", value_parser = positive(), help_heading = "Training", allow_negative_numbers = true)]
    pub epochs: Option<usize>,
    /// Images a step [default: 30]
    #[arg(long, value_name = "N", value_parser = whole(2, MOST), help_heading = "Training", allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Variational autoencoder, or the plain one without noise and KL [default: vae]
    #[arg(long, help_heading = "Training")]
    pub objective: Option<ObjectiveArgument>,
    /// How images are held against what the decoder says [default: cross-entropy]
    #[arg(long, help_heading = "Training")]
    pub likelihood: Option<LikelihoodArgument>,
    /// Weight of the KL divergence [default: 1]
    #[arg(long, value_name = "β", help_heading = "Training", allow_negative_numbers = true)]
    pub beta: Option<f64>,
    /// Step length of Adam [default: 0.001]
    #[arg(long, value_name = "RATE", help_heading = "Training", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,
    /// Penalty added to the gradient [default: 0.00001]
    #[arg(long, value_name = "P", help_heading = "Training", allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,
    /// Decides every random number of the run [default: 0]
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), help_heading = "Training", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Start from this model's weights
    #[arg(long, value_name = "MODEL", conflicts_with = "resume", help_heading = "Training")]
    pub init_from: Option<PathBuf>,

    /// Go on with a run that was stopped; --images says where its folder of images lies now, if that has moved
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "force"], help_heading = "Output")]
    pub resume: Option<PathBuf>,
    /// The run's folder [default: runs/DATASET-Dd]
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace the run that is there
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Images a side of the sheet of continuously changing images
    #[arg(long, value_name = "N", default_value = "20", value_parser = grid(), help_heading = "Output", allow_negative_numbers = true)]
    pub grid: usize,
    /// Show the latent map in a browser while it forms, and after that until Ctrl-C
    #[arg(long, help_heading = "Watching")]
    pub watch: bool,
    /// Serve it at this port [default: 7878, or a free one if that is taken]
    #[arg(
        long,
        value_name = "N",
        value_parser = whole(0, u16::MAX),
        requires = "watch",
        help_heading = "Watching",
        allow_negative_numbers = true
    )]
    pub port: Option<u16>,
    /// Only print the address
    #[arg(long, requires = "watch", help_heading = "Watching")]
    pub no_open: bool,
    /// Print the last epoch's metrics as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectiveArgument {
    /// Variational autoencoder
    Vae,
    /// Plain autoencoder
    Ae,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LikelihoodArgument {
    /// Grey values as probabilities of ink; of them this is no likelihood
    CrossEntropy,
    /// A density of grey values with its weight at either end
    ContinuousBernoulli,
    /// A Gaussian density with a learned standard deviation
    Gaussian,
    /// 256 levels around a logistic variable with a learned scale
    DiscretizedLogistic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetArgument {
    /// A folder of faces: --fit pad --latent 32 --likelihood gaussian --epochs 80 --learning-rate 0.0003
    Faces,
}

/// Where images come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images")]
pub struct ImageArguments {
    /// A known data set (see `morphvae data list`) or `strokes`, digits drawn by this program
    #[arg(long, value_name = "NAME", conflicts_with = "images")]
    pub dataset: Option<String>,
    /// A folder of PNG, JPEG, BMP, PGM or WebP images; its subfolders are the labels
    #[arg(long, value_name = "FOLDER")]
    pub images: Option<PathBuf>,
    /// How a folder's images are made square [default: crop, or as the model's own were]
    #[arg(long, value_enum, requires = "images", conflicts_with = "dataset")]
    pub fit: Option<FitArgument>,
    /// Take a folder's images as grey (1) or colour (3) [default: colour if any of them is]
    #[arg(long, value_name = "N", value_parser = PossibleValuesParser::new(["1", "3"]), requires = "images", conflicts_with = "dataset")]
    pub channels: Option<String>,
    /// Make an unreadable image an error instead of skipping it
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub store: StoreArguments,
}

impl ImageArguments {
    /// Those of a verb that takes known sets only.
    pub fn of_store(store: &StoreArguments) -> Self {
        Self {
            dataset: None,
            images: None,
            fit: None,
            channels: None,
            strict: false,
            store: store.clone(),
        }
    }
}

/// Where known data sets are kept and fetched from.
#[derive(Clone, Debug, Args)]
pub struct StoreArguments {
    /// Folder of the known data sets, each in a folder of its own [default: the one that a run learned from, else data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Never use the network
    #[arg(long)]
    pub offline: bool,
    /// Fetch data sets from this address only
    #[arg(long, value_name = "URL", conflicts_with = "offline", value_parser = address)]
    pub mirror: Option<String>,
}

impl StoreArguments {
    /// The folder of the known data sets.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.as_deref().unwrap_or(Path::new("data"))
    }

    /// The same, with another folder where none was typed.
    pub fn or_in(&self, data_dir: Option<&Path>) -> Self {
        Self {
            data_dir: self.data_dir.clone().or_else(|| data_dir.map(Path::to_owned)),
            ..self.clone()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FitArgument {
    /// Cut the longer side
    Crop,
    /// Add borders to the shorter side
    Pad,
    /// Change the proportions
    Stretch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SplitArgument {
    /// The images that networks learn from
    Train,
    /// The images that they are judged on
    Test,
}

/// The model, wherever one is used.
#[derive(Debug, Args)]
pub struct ModelArgument {
    /// A run's folder, a .safetensors or a PyTorch .pth [default: the bundled model of MNIST digits]
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
}

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
pub struct MorphArguments {
    /// The model (a run's folder, a .safetensors or a .pth; the bundled one when left out), and what the clip goes
    /// through: classes, image files, test:N and train:N of a data set, latent points as z:0.3,-1.2, or random. What
    /// follows a + is added to that key alone: anna.png+smile:1.5. What follows an @ is of its time, as in --keys:
    /// anna.png@hold=1,ease=in
    #[arg(value_name = "KEY", required_unless_present = "list")]
    pub keys: Vec<OsString>,
    /// Read the keys from a file, one a line, files beside it: anna.png time=2 hold=0.5 ease=in. The time and the ease
    /// are of the way to the next key, in seconds; a # begins a comment
    #[arg(long = "keys", value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Add so much of an attribute to every key, as smile:1.5; it lies in smile.attribute.json
    #[arg(long, value_name = "NAME:AMOUNT", value_parser = clap::value_parser!(crate::keys::Amount))]
    pub add: Vec<crate::keys::Amount>,
    /// Decides the random keys
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,

    /// How to get from key to key
    #[arg(long, value_enum, default_value = "geodesic", help_heading = "Path")]
    pub path: PathArgument,
    /// Space the frames by equal visible change [default]
    #[arg(long, conflicts_with = "uneven", help_heading = "Path")]
    pub even: bool,
    /// Space the frames by equal steps of the path
    #[arg(long, help_heading = "Path")]
    pub uneven: bool,
    /// How the speed changes between two keys
    #[arg(long, value_enum, default_value = "linear", help_heading = "Path")]
    pub ease: EaseArgument,
    /// Draw the path over the latent map as well
    #[arg(long, help_heading = "Path")]
    pub on_map: bool,

    /// Frames of the whole way through all keys [default: 20 from key to key]
    #[arg(long, value_name = "N", value_parser = whole(1, MOST_STEPS), conflicts_with = "seconds", help_heading = "Clip", allow_negative_numbers = true)]
    pub frames: Option<usize>,
    /// Length of the clip with all its rests, there and back if it bounces [default: about 1 from key to key]
    #[arg(long, value_name = "SECONDS", value_parser = length, help_heading = "Clip", allow_negative_numbers = true)]
    pub seconds: Option<f64>,
    /// Frames a second
    #[arg(long, value_name = "N", default_value_t = 25.0, value_parser = rate, help_heading = "Clip", allow_negative_numbers = true)]
    pub fps: f64,
    /// Rest so long on each key [default: 0.2]
    #[arg(long, value_name = "SECONDS", value_parser = rest, help_heading = "Clip", allow_negative_numbers = true)]
    pub hold: Option<f64>,
    /// What comes after the last key [default: cycle, and once for a folder of frames]
    #[arg(long = "loop", value_enum, help_heading = "Clip")]
    pub repeat: Option<RepeatArgument>,
    /// Draw each pixel N x N pixels large [default: so that the clip is about 160 pixels wide]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1, 64), help_heading = "Clip", allow_negative_numbers = true)]
    pub scale: Option<usize>,
    /// Colours for grey images
    #[arg(long, value_enum, default_value = "grey", help_heading = "Clip")]
    pub colormap: ColormapArgument,

    /// The clip: .gif, .apng, .mp4 (with ffmpeg), or a folder for PNG frames [default: morph-KEYS.gif]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Draw no contact sheet beside the clip
    #[arg(long, help_heading = "Output")]
    pub no_sheet: bool,
    /// Replace what exists
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub images: ImageArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PathArgument {
    /// Straight ahead
    Line,
    /// Around the origin
    Spherical,
    /// A smooth curve through all keys
    Spline,
    /// The way along which the images change least
    Geodesic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EaseArgument {
    /// The same speed all the way
    Linear,
    /// Slow at both keys
    #[value(alias = "in-out")]
    Smoothstep,
    /// Slow at the first key
    In,
    /// Slow at the second key
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RepeatArgument {
    /// Nothing: the clip ends
    Once,
    /// Back the same way
    Bounce,
    /// On to the first key
    Cycle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColormapArgument {
    /// As they are
    Grey,
    /// Dark ink on paper
    Ink,
    /// Violet, green, yellow
    Viridis,
    /// Black, violet, pale yellow
    Magma,
    /// Black, red, pale yellow
    Inferno,
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
    #[arg(long, value_enum)]
    pub fit: Option<FitArgument>,
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

    /// Along two latent dimensions, counted from 1 [default: 1,2]
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
    /// The key where dimensions stay that do not change [default: the middle of the encodings, in a plane of the prior]
    #[arg(long, value_name = "KEY", conflicts_with = "components", help_heading = "Slice")]
    pub base: Option<OsString>,
    /// How values are spaced [default: quantile, and linear for --traverse]
    #[arg(long, value_enum, help_heading = "Slice")]
    pub spacing: Option<SpacingArgument>,
    /// Linear spacing reaches R standard deviations to either side, of the encodings or in a plane of the prior [default: 3]
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
    #[arg(long, value_enum, default_value = "train")]
    pub split: SplitArgument,
    /// How many images
    #[arg(long, value_name = "N", default_value = "200", value_parser = positive(), allow_negative_numbers = true)]
    pub count: usize,
    /// Decides the digits that `strokes` draws
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// The picture [default: DATASET.png]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct DataExportArguments {
    /// A known data set (see `morphvae data list`) or `strokes`, digits drawn by this program
    #[arg(long, value_name = "NAME", default_value = crate::images::DEFAULT)]
    pub dataset: String,
    #[command(flatten)]
    pub store: StoreArguments,
    /// Write at most N images to train on, and N to test on
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    /// Decides the digits that `strokes` draws
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,
    /// Folder for `train` and `test` [default: DATASET-images]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write into a folder that exists
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn address(text: &str) -> Result<String, &'static str> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(text.to_owned())
    } else {
        Err("an address begins with http:// or https://")
    }
}

fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.1..=100.0).contains(rate));
    rate.ok_or("frames a second are a number from 0.1 to 100")
}

fn rest(text: &str) -> Result<f64, String> {
    let rest = text
        .parse()
        .ok()
        .filter(|rest: &f64| (0.0..=LONGEST_REST).contains(rest));
    rest.ok_or_else(|| format!("a rest is a number of seconds from 0 to {LONGEST_REST}"))
}

fn length(text: &str) -> Result<f64, &'static str> {
    let seconds = text
        .parse()
        .ok()
        .filter(|&seconds: &f64| seconds > 0.0 && seconds <= 3600.0);
    seconds.ok_or("a length is more than 0 seconds, up to 3600")
}

/// Two numbers from 1, such as `1,4`, as indices from 0.
fn pair(text: &str) -> Result<[usize; 2], &'static str> {
    let wrong = "give two numbers from 1 with a comma between them, such as 1,4";
    let index = |number: &str| number.trim().parse::<usize>().ok()?.checked_sub(1);
    let (one, other) = text.split_once(',').ok_or(wrong)?;
    match (index(one), index(other)) {
        (Some(one), Some(other)) => Ok([one, other]),
        _ => Err(wrong),
    }
}

/// As good as endless.
const MOST: usize = 1_000_000_000;

fn positive() -> impl Fn(&str) -> Result<usize, String> + Clone {
    whole(1, MOST)
}

fn grid() -> impl Fn(&str) -> Result<usize, String> + Clone {
    whole(1, 100)
}

/// Whole numbers from `least` to `most`, which clap's own parser names only to those who typed a whole number.
fn whole<T>(least: T, most: T) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| (&least..=&most).contains(&number));
        number.ok_or_else(|| format!("give a whole number from {least} to {most}"))
    }
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
