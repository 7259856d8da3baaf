//! What is typed after `train`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use morphvae::network::{
    HiddenActivation, LARGEST_SIDE, MOST_BASE_CHANNELS, MOST_HIDDEN_UNITS, MOST_LATENTS, MOST_PSEUDO_INPUTS,
};
use morphvae::objective::{MOST_SAMPLES, Objective};
use morphvae::probability::Likelihood;

use crate::arguments::ImageArguments;
use crate::arguments::values::{MOST, decays, grid, one_of, positive, whole};

#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    pub images: ImageArguments,
    /// Use at most N images for training, and N for testing
    #[arg(long, value_name = "N", value_parser = whole(2, MOST), allow_negative_numbers = true)]
    pub limit: Option<usize>,

    /// Hold out the last N training images, and let them decide which epoch is the best and when patience ends
    /// [default: the test images do]
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub validation: Option<usize>,

    /// Dimensions of the latent space [default: 2]
    #[arg(long, value_name = "D", value_parser = whole(1, MOST_LATENTS), help_heading = "Network", allow_negative_numbers = true)]
    pub latent: Option<usize>,
    /// Convolutions, or linear layers alone [default: reference]
    #[arg(long, help_heading = "Network")]
    pub architecture: Option<ArchitectureArgument>,
    /// Channels after the first convolution of the reference network [default: 64]
    #[arg(long, value_name = "N", value_parser = whole(1, MOST_BASE_CHANNELS), help_heading = "Network", allow_negative_numbers = true)]
    pub base_channels: Option<usize>,
    /// Units of each hidden layer of an mlp, starting at the image [default: 400]
    #[arg(long, value_name = "N,..", value_delimiter = ',', value_parser = whole(1, MOST_HIDDEN_UNITS), help_heading = "Network", allow_negative_numbers = true)]
    pub hidden: Option<Vec<usize>>,
    /// Activation of an mlp's hidden units [default: relu]
    #[arg(long, value_parser = one_of::<HiddenActivation>(), help_heading = "Network")]
    pub activation: Option<HiddenActivation>,
    /// Tell the network the class of each image: latents are then style, and a class is chosen when something is drawn
    #[arg(long, help_heading = "Network")]
    pub conditional: bool,
    /// Learn to classify from all images and the labels of N of each class (semi-supervised, M1 + M2 of Kingma et al., 2014):
    /// the latents of the network that --init-from names, which needs no labels and stays as it is, become the features of a
    /// classifier. Without --init-from such a network is trained first, an mlp with 32 latents, beside --out. --latent,
    /// --hidden, --epochs, --batch-size, --learning-rate and --seed are then the classifier's; the seed chooses the labels
    #[arg(
        long,
        value_name = "N",
        value_parser = positive(),
        help_heading = "Network",
        allow_negative_numbers = true,
        conflicts_with_all = [
            "conditional", "architecture", "base_channels", "activation", "image_size", "preset", "patience", "objective",
            "samples", "prior", "pseudo_inputs", "likelihood", "beta", "warm_up", "free_bits", "learning_rate_steps",
            "adam_betas", "adam_epsilon", "adam_epsilon_hat", "adam_first_square", "weight_decay", "pixel_mean_bias", "watch",
        ]
    )]
    pub labels_for: Option<usize>,
    /// Side of the images in pixels: 32, 64 or 128, or anything up to 128 for an mlp [default: 32]
    #[arg(long, value_name = "N", value_parser = whole(1, LARGEST_SIDE), help_heading = "Network", allow_negative_numbers = true)]
    pub image_size: Option<usize>,

    /// Start from settings that work well for one kind of images; options you give override them
    #[arg(long, conflicts_with = "resume", help_heading = "Training")]
    pub preset: Option<PresetArgument>,
    /// Passes over the training images [default: 5]
    #[arg(long, value_name = "N", value_parser = positive(), help_heading = "Training", allow_negative_numbers = true)]
    pub epochs: Option<usize>,
    /// Stop early once the test loss, or that of --validation, has not improved for N epochs [default: never]
    #[arg(long, value_name = "N", value_parser = positive(), help_heading = "Training", allow_negative_numbers = true)]
    pub patience: Option<usize>,
    /// Images per step [default: 30]
    #[arg(long, value_name = "N", value_parser = whole(2, MOST), help_heading = "Training", allow_negative_numbers = true)]
    pub batch_size: Option<usize>,
    /// Variational autoencoder, the plain one without noise and KL, or importance-weighted [default: vae]
    #[arg(long, value_parser = one_of::<Objective>(), help_heading = "Training")]
    pub objective: Option<Objective>,
    /// Samples of each image's posterior, in a step and in the test loss [default: 1; 5 for iwae and dreg]
    #[arg(long, value_name = "K", value_parser = whole(1, MOST_SAMPLES), help_heading = "Training", allow_negative_numbers = true)]
    pub samples: Option<usize>,
    /// The prior: how encodings are to be distributed [default: standard]
    #[arg(long, help_heading = "Training")]
    pub prior: Option<PriorArgument>,
    /// Images that the prior vamp is made of [default: 500]
    #[arg(long, value_name = "N", value_parser = whole(1, MOST_PSEUDO_INPUTS), help_heading = "Training", allow_negative_numbers = true)]
    pub pseudo_inputs: Option<usize>,
    /// How images are held against what the decoder says [default: cross-entropy]
    #[arg(long, value_parser = one_of::<Likelihood>(), help_heading = "Training")]
    pub likelihood: Option<Likelihood>,
    /// Weight of the KL divergence [default: 1]
    #[arg(long, value_name = "β", help_heading = "Training", allow_negative_numbers = true)]
    pub beta: Option<f64>,
    /// Let that weight rise from zero over the first N epochs [default: 0]
    #[arg(long, value_name = "N", value_parser = whole(0, MOST), help_heading = "Training", allow_negative_numbers = true)]
    pub warm_up: Option<usize>,
    /// Pull no latent dimension's mean KL divergence below so many nats [default: 0]
    #[arg(long, value_name = "NATS", help_heading = "Training", allow_negative_numbers = true)]
    pub free_bits: Option<f64>,
    /// Learning rate of Adam [default: 0.001]
    #[arg(long, value_name = "RATE", help_heading = "Training", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,
    /// Let the learning rate fall after these numbers of epochs
    #[arg(long, value_name = "EPOCH,..", value_delimiter = ',', value_parser = positive(), help_heading = "Training", allow_negative_numbers = true)]
    pub learning_rate_steps: Option<Vec<usize>>,
    /// Multiply it by this each time [default: 0.1]
    #[arg(
        long,
        value_name = "F",
        requires = "learning_rate_steps",
        help_heading = "Training",
        allow_negative_numbers = true
    )]
    pub learning_rate_factor: Option<f64>,
    /// Decay of Adam's running averages of the gradient and of its square [default: 0.9,0.999]
    #[arg(long, value_name = "A,B", value_parser = decays, help_heading = "Training", allow_negative_numbers = true)]
    pub adam_betas: Option<[f64; 2]>,
    /// Added to the root of Adam's average of squares [default: 1e-8]
    #[arg(long, value_name = "E", help_heading = "Training", allow_negative_numbers = true)]
    pub adam_epsilon: Option<f64>,
    /// Add it before that average is corrected for beginning at zero
    #[arg(long, help_heading = "Training")]
    pub adam_epsilon_hat: bool,
    /// What the average of squares begins with [default: 0]
    #[arg(long, value_name = "V", help_heading = "Training", allow_negative_numbers = true)]
    pub adam_first_square: Option<f64>,
    /// L2 penalty, added to the gradient [default: 0.00001]
    #[arg(long, value_name = "P", help_heading = "Training", allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,
    /// Seed of every random number in the run [default: 0]
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), help_heading = "Training", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Start an mlp's last bias at the logits of the training images' mean pixels
    #[arg(long, help_heading = "Training")]
    pub pixel_mean_bias: bool,
    /// Start from this model's weights
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["resume", "pixel_mean_bias"], help_heading = "Training")]
    pub init_from: Option<PathBuf>,

    /// Continue a stopped run; --images says where its folder of images is now, if it has moved
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "force"], help_heading = "Output")]
    pub resume: Option<PathBuf>,
    /// The run's folder [default: runs/DATASET-Dd]
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace an existing run
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Images per side of the sheet of continuously changing images
    #[arg(long, value_name = "N", default_value = "20", value_parser = grid(), help_heading = "Output", allow_negative_numbers = true)]
    pub grid: usize,
    /// Show the latent map in a browser while it forms, and afterwards until Ctrl-C
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
    /// Print the address without opening a browser
    #[arg(long, requires = "watch", help_heading = "Watching")]
    pub no_open: bool,
    /// Print the last epoch's metrics, and which epoch was the best, as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArchitectureArgument {
    /// Convolutions with batch norm, as in the original experiment
    Reference,
    /// Linear layers without batch norm
    Mlp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PriorArgument {
    /// The standard normal distribution
    Standard,
    /// A mixture of the posteriors of learned images, for an mlp
    Vamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetArgument {
    /// A folder of faces: --fit pad --latent 32 --likelihood gaussian --epochs 80 --learning-rate 0.0003
    Faces,
}
