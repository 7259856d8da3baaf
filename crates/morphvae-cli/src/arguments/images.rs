//! What several verbs are given: images, where data sets lie, a model.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use morphvae::data::Fit;

use super::values::{address, one_of};

/// Where images come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images")]
pub struct ImageArguments {
    /// A known data set (see `morphvae data list`) or `strokes`, digits drawn by this program
    #[arg(long, value_name = "NAME", conflicts_with = "images")]
    pub dataset: Option<String>,
    /// A folder of PNG, JPEG, BMP, PGM or WebP images; its subfolders are the labels, and images beside
    /// them have none
    #[arg(long, value_name = "FOLDER")]
    pub images: Option<PathBuf>,
    /// How a folder's images are made square [default: crop, or as the model's own were]
    #[arg(long, value_parser = one_of::<Fit>(), requires = "images", conflicts_with = "dataset")]
    pub fit: Option<Fit>,
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
