//! The latent map as one file, which works without the program and without a network connection.
//!
//! The network itself is in the file, and the page computes with it ([`weights`]); how far that is from the program's own is
//! measured and said, in the file and to whoever made it ([`difference`]).

mod bundle;
mod difference;
#[cfg(test)]
mod tests;
mod weights;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use morphvae::files::write_atomically;
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::map::{Description, LatentMap};
pub use difference::{Difference, Shift};
use weights::{Rounded, deflate};

/// Compressed bytes of the shown images' pictures, at most.
const PICTURE_BYTES: usize = 650_000;
/// Shown images, at most.
const MOST_POINTS: usize = 3000;
/// Weights, at most: browsers read no longer files.
const MOST_WEIGHTS: usize = 100_000_000;

/// Why there is no file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A network that is too large for any page.
    #[error("the network has {weights} weights, and a page holds {MOST_WEIGHTS} at most: serve the map instead")]
    TooLarge {
        /// How many weights it has.
        weights: usize,
    },
    /// A file that could not be written.
    #[error("{}: {source}: check that it may be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exported {
    /// Size of the file.
    pub bytes: u64,
    /// Shown images in it.
    pub points: usize,
    /// Weights of the network in it.
    pub weights: usize,
    /// How far the images that it decodes are from the program's.
    pub difference: Difference,
    /// How far the places where it puts images are from the program's.
    pub shift: Shift,
}

/// Writes a map into one file: about a byte and a half for each weight of the network, and a megabyte more.
///
/// # Errors
/// [`ExportError::TooLarge`] for a network that no page holds, [`ExportError::Write`] when the file cannot be written.
pub fn export(map: &LatentMap, path: &Path) -> Result<Exported, ExportError> {
    let network = map.network().network();
    let weights = network.config().plan().weights();
    if weights > MOST_WEIGHTS {
        return Err(ExportError::TooLarge { weights });
    }
    let rounded = Rounded::of(network);
    let difference = Difference::between(map.network(), &rounded.network, map.reach());
    let shift = Shift::between(map, &rounded.network);
    let (chosen, pictures) = pictures(map);
    let model = Description {
        count: chosen.len(),
        ..map.description(false)
    };
    let likelihood = network.likelihood();
    let data = json!({
        "model": model,
        "points": STANDARD.encode(points(map, &chosen)),
        "classes": STANDARD.encode(classes(map, &chosen)),
        "names": chosen.iter().map(|&index| &map.shown().names()[index]).collect::<Vec<_>>(),
        "pictures": STANDARD.encode(pictures),
        "replay": map.replay().map(|replay| STANDARD.encode(deflate(&replay.bytes()))),
        "difference": difference,
        "shift": shift,
        "network": {
            "stages": rounded.stages,
            "likelihood": likelihood,
            "scale": network.likelihood_scale(),
            "weights": STANDARD.encode(&rounded.packed),
        },
        "worker": bundle::scripts("worker.js"),
    });
    let page = bundle::bundle(&data.to_string());
    write_atomically(path, |writer| writer.write_all(page.as_bytes())).map_err(|source| ExportError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(Exported {
        bytes: page.len() as u64,
        points: chosen.len(),
        weights: rounded.count,
        difference,
        shift,
    })
}

/// Why points of a map can be decoded.
const WHOLE: &str = "a map's points are of its network's latent space";

/// Which images are shown, and their pictures, compressed: as many as fit, evenly taken.
fn pictures(map: &LatentMap) -> (Vec<usize>, Vec<u8>) {
    let count = map.shown().count();
    let size = map.network().config().image_size;
    let mut wanted = count.min(MOST_POINTS);
    loop {
        let chosen: Vec<usize> = (0..wanted).map(|index| index * count / wanted).collect();
        let images = chosen.iter().filter_map(|&index| map.shown().image(index, size));
        let packed = deflate(&images.flatten().collect::<Vec<u8>>());
        if packed.len() <= PICTURE_BYTES || wanted <= 1 {
            return (chosen, packed);
        }
        wanted = (wanted * PICTURE_BYTES / packed.len()).clamp(1, wanted - 1);
    }
}

/// Means, log variances and labels, as the server gives them.
fn points(map: &LatentMap, chosen: &[usize]) -> Vec<u8> {
    let codes = map.codes();
    let rows = |values: &[f32]| -> Vec<f32> {
        let row = |&index: &usize| &values[index * codes.latent..][..codes.latent];
        chosen.iter().flat_map(row).copied().collect()
    };
    let numbers = [rows(&codes.mean), rows(&codes.log_variance)].concat();
    let labels = chosen.iter().map(|&index| map.label(index));
    let numbers = numbers.into_iter().flat_map(f32::to_le_bytes);
    numbers.chain(labels.flat_map(u16::to_le_bytes)).collect()
}

/// Of a conditional network what it is told of each image, 16 bits each.
fn classes(map: &LatentMap, chosen: &[usize]) -> Vec<u8> {
    let told = chosen.iter().filter_map(|&index| map.codes().classes.get(index));
    told.flat_map(|class| class.to_le_bytes()).collect()
}
