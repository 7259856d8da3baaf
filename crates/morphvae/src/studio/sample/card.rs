//! What is known of a sampled data set.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{Balance, NearnessReport, Origin, PixelChoice, SampleError, SampleRequest, Sampler};
use crate::choice::Choice;
use crate::data::Layout;

/// The card's name in the set's folder.
pub const CARD: &str = "card.json";

/// What the card says of the program, by which it is known.
const PROGRAM: &str = "morphvae ";

/// Bytes of a card that are looked at.
const LONGEST_CARD: u64 = 1 << 24;

/// How a data set was sampled: enough to sample it again. Its keys are a contract.
#[derive(Clone, Debug, Serialize)]
pub struct SampleCard {
    /// The program and its version.
    pub program: String,
    /// The model's name, as it was given.
    pub model: String,
    /// The [fingerprint](crate::network::Vae::fingerprint) of its weights: their SHA-256.
    pub model_sha256: String,
    /// What points were drawn from: `prior`, `mixture`, `class`, `images`.
    pub from: &'static str,
    /// The images that were encoded for it: their name, and how many; absent where none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded: Option<Encoded>,
    /// Gaussians of each mixture that was fitted, at most; absent where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<usize>,
    /// How far points lie from the middle of what they were drawn from, as a factor.
    pub temperature: f64,
    /// Whether pixels are means or draws.
    pub pixels: PixelChoice,
    /// How many images each class gets.
    pub balance: Balance,
    /// What decided everything that was drawn.
    pub seed: u64,
    /// How the set lies in its folder.
    pub format: &'static str,
    /// 1 for grey, 3 for colour.
    pub channels: usize,
    /// Rows and columns of an image.
    pub side: usize,
    /// All images.
    pub images: Counts,
    /// Those of each class, in the order of the labels; empty where images have no labels.
    pub classes: Vec<ClassCounts>,
    /// How near they come to the training images; absent where it was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearnessReport>,
}

/// Images that were encoded.
#[derive(Clone, Debug, Serialize)]
pub struct Encoded {
    /// What they are called.
    pub name: String,
    /// How many there are.
    pub images: usize,
}

/// How many images there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To train on.
    pub train: usize,
    /// To test on.
    pub test: usize,
}

/// How many images of a class there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCounts {
    /// The class.
    pub name: String,
    /// How many.
    #[serde(flatten)]
    pub images: Counts,
}

impl SampleCard {
    pub(super) fn of(sampler: &Sampler, layout: Layout, images: Counts, classes: &[Counts]) -> Self {
        let SampleRequest {
            from,
            balance,
            components,
            temperature,
            pixels,
            seed,
            ..
        } = &sampler.request;
        let (model, groups) = (sampler.model, &sampler.groups);
        let config = model.network().config();
        let of_class = |(name, &images): (&String, &Counts)| ClassCounts {
            name: name.clone(),
            images,
        };
        Self {
            program: format!("{PROGRAM}{}", env!("CARGO_PKG_VERSION")),
            model: model.name().to_owned(),
            model_sha256: model.network().fingerprint(),
            from: from.name(),
            encoded: groups.fitted.clone().map(|(name, images)| Encoded { name, images }),
            components: (*from == Origin::Mixture).then_some(*components),
            temperature: *temperature,
            pixels: *pixels,
            balance: *balance,
            seed: *seed,
            format: layout.name(),
            channels: config.channels,
            side: config.image_size,
            images,
            classes: groups.classes.iter().zip(classes).map(of_class).collect(),
            nearest: None,
        }
    }
}

/// Makes sure that a data set can be put at `path`: nothing is there, or an empty folder, or, where that may be `replaced`, a
/// set that was sampled before.
///
/// # Errors
/// [`SampleError::Occupied`] when something else is there.
pub fn check_place(path: &Path, replaced: bool) -> Result<(), SampleError> {
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if fs::symlink_metadata(path).is_err() || is_empty() {
        return Ok(());
    }
    let is_sampling = path.is_dir() && is_card(&path.join(CARD)).unwrap_or(false);
    match is_sampling && replaced {
        true => Ok(()),
        false => Err(SampleError::Occupied {
            path: path.to_owned(),
            is_sampling,
        }),
    }
}

/// Whether a file is the card of a sampled data set.
fn is_card(path: &Path) -> io::Result<bool> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_CARD).read_to_string(&mut text)?;
    let card: Value = serde_json::from_str(&text)?;
    let program = card.get("program").and_then(Value::as_str);
    Ok(card.get("from").is_some() && program.is_some_and(|program| program.starts_with(PROGRAM)))
}
