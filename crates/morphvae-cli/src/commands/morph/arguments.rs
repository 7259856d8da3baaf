//! What is typed after `morph`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use morphvae::figures::clip::{Colormap, Repeat};
use morphvae::latent::path::{Ease, MOST_STEPS, PathKind};
use morphvae::studio::Amount;

use crate::arguments::ImageArguments;
use crate::arguments::values::{length, one_of, rate, rest, whole};

#[derive(Debug, Args)]
pub struct MorphArguments {
    /// The model (a run's folder, a .safetensors or a .pth; the bundled one when left out), and what the clip goes
    /// through: classes, image files, test:N and train:N of a data set, latent points as z:0.3,-1.2, or random. What
    /// follows a + is added to that key alone: anna.png+smile:1.5. What follows a = is the class that a conditional model
    /// draws it as: anna.png=7, z:0.3,-1.2=7. What follows an @ is of its time, as in --keys:
    /// anna.png@hold=1,ease=in
    #[arg(value_name = "KEY", required_unless_present = "list")]
    pub keys: Vec<OsString>,
    /// Read the keys from a file, one per line: anna.png time=2 hold=0.5 ease=in. Image files are looked for beside it;
    /// time (in seconds) and ease apply to the way to the next key; a # starts a comment
    #[arg(long = "keys", value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Add this much of an attribute to every key, such as smile:1.5, read from smile.attribute.json
    #[arg(long, value_name = "NAME:AMOUNT", value_parser = clap::value_parser!(Amount))]
    pub add: Vec<Amount>,
    /// Seed of the random keys
    #[arg(long, value_name = "N", value_parser = whole(0, u64::MAX), default_value_t = 0, allow_negative_numbers = true)]
    pub seed: u64,

    /// How to get from key to key
    #[arg(long, value_parser = one_of::<PathKind>(), default_value = "geodesic", help_heading = "Path")]
    pub path: PathKind,
    /// Space the frames by equal visible change [default]
    #[arg(long, conflicts_with = "uneven", help_heading = "Path")]
    pub even: bool,
    /// Space the frames by equal steps of the path
    #[arg(long, help_heading = "Path")]
    pub uneven: bool,
    /// How the speed changes between two keys
    #[arg(long, value_parser = one_of::<Ease>(), default_value = "linear", help_heading = "Path")]
    pub ease: Ease,
    /// Draw the path over the latent map as well
    #[arg(long, help_heading = "Path")]
    pub on_map: bool,

    /// Frames of the whole way through all keys [default: 20 from key to key]
    #[arg(long, value_name = "N", value_parser = whole(1, MOST_STEPS), conflicts_with = "seconds", help_heading = "Clip", allow_negative_numbers = true)]
    pub frames: Option<usize>,
    /// Length of the clip with all its rests, there and back if it bounces [default: about 1 from key to key]
    #[arg(long, value_name = "SECONDS", value_parser = length, help_heading = "Clip", allow_negative_numbers = true)]
    pub seconds: Option<f64>,
    /// Frames per second
    #[arg(long, value_name = "N", default_value_t = 25.0, value_parser = rate, help_heading = "Clip", allow_negative_numbers = true)]
    pub fps: f64,
    /// Pause on each key [default: 0.2]
    #[arg(long, value_name = "SECONDS", value_parser = rest, help_heading = "Clip", allow_negative_numbers = true)]
    pub hold: Option<f64>,
    /// What comes after the last key [default: cycle, and once for a folder of frames]
    #[arg(long = "loop", value_parser = one_of::<Repeat>(), help_heading = "Clip")]
    pub repeat: Option<Repeat>,
    /// Draw each pixel N x N pixels large [default: so that the clip is about 160 pixels wide]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1, 64), help_heading = "Clip", allow_negative_numbers = true)]
    pub scale: Option<usize>,
    /// Colours for grey images
    #[arg(long, value_parser = one_of::<Colormap>(), default_value = "grey", help_heading = "Clip")]
    pub colormap: Colormap,

    /// The clip: .gif, .apng, .mp4 (with ffmpeg), or a folder for PNG frames [default: morph-KEYS.gif]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Draw no contact sheet beside the clip
    #[arg(long, help_heading = "Output")]
    pub no_sheet: bool,
    /// Replace existing files
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub images: ImageArguments,
}
