//! What several verbs are given: images, where data sets lie, a model.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use morphvae::data::catalogue::BINARIZED_MNIST;
use morphvae::data::{Binarization, DataError, Fit};
use morphvae::studio::{ImageRequest, Part, Source, Store, USUAL_SET};

use super::values::{address, one_of, positive};

/// Where images come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images")]
pub struct ImageArguments {
    /// A known data set (see `morphvae data list`), or `strokes`: digits drawn by this program
    #[arg(long, value_name = "NAME", conflicts_with = "images")]
    pub dataset: Option<String>,
    /// A folder of PNG, JPEG, BMP, PGM or WebP images; its subfolders are the classes, and images
    /// beside them have none
    #[arg(long, value_name = "FOLDER")]
    pub images: Option<PathBuf>,
    /// How to make a folder's images square [default: crop, or as the model's own were]
    #[arg(long, value_parser = one_of::<Fit>(), requires = "images", conflicts_with = "dataset")]
    pub fit: Option<Fit>,
    /// Read a folder's images as grey (1) or colour (3) [default: colour if any of them is]
    #[arg(long, value_name = "N", value_parser = PossibleValuesParser::new(["1", "3"]), requires = "images", conflicts_with = "dataset")]
    pub channels: Option<String>,
    /// Make grey values black or white, as a Bernoulli likelihood needs them
    /// [default: as the model's own images were, else not]
    #[arg(long, value_parser = one_of::<Binarization>())]
    pub binarize: Option<Binarization>,
    /// Fail on an unreadable image instead of skipping it
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub store: StoreArguments,
}

impl ImageArguments {
    /// What is asked for.
    pub fn request(&self) -> Result<ImageRequest, DataError> {
        let source = match (&self.dataset, &self.images) {
            // What is known as MNIST under static binarization is a set of its own.
            (None, None) if self.binarize == Some(Binarization::Static) => Some(Source::named(BINARIZED_MNIST)?),
            (Some(name), _) if self.binarize == Some(Binarization::Static) && name == USUAL_SET => {
                Some(Source::named(BINARIZED_MNIST)?)
            }
            (Some(name), _) => Some(Source::named(name)?),
            (None, Some(path)) => Some(Source::Folder(path.clone())),
            (None, None) => None,
        };
        Ok(ImageRequest {
            source,
            fit: self.fit,
            binarize: self.binarize,
            channels: self.channels.as_deref().and_then(|channels| channels.parse().ok()),
            strict: self.strict,
            store: self.store.store(),
        })
    }
}

/// Which of them are used.
#[derive(Debug, Args)]
pub struct PartArguments {
    /// Which images [default: test; a folder named with --images is taken whole, unless it holds `train` and `test`]
    #[arg(long, value_parser = one_of::<Part>())]
    pub split: Option<Part>,
    /// Use at most N images
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
}

/// Where known data sets are kept and fetched from.
#[derive(Clone, Debug, Args)]
pub struct StoreArguments {
    /// Folder of the known data sets, each in its own subfolder [default: the one the run learned from, else data]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Never use the network
    #[arg(long)]
    pub offline: bool,
    /// Fetch data sets only from this address
    #[arg(long, value_name = "URL", conflicts_with = "offline", value_parser = address)]
    pub mirror: Option<String>,
}

impl StoreArguments {
    /// The same for the library.
    pub fn store(&self) -> Store {
        Store {
            data_dir: self.data_dir.clone(),
            offline: self.offline,
            mirror: self.mirror.clone(),
        }
    }
}

/// The model, wherever one is used.
#[derive(Debug, Args)]
pub struct ModelArgument {
    /// A run's folder, a .safetensors or a PyTorch .pth [default: the bundled model of MNIST digits]
    #[arg(value_name = "MODEL")]
    pub model: Option<PathBuf>,
}
