//! The latent map as one file, which works without the program and without a network.
//!
//! In place of the decoder there is an [`atlas`] of decoded images that the page mixes; how far that is from the decoder
//! is measured and said, in the file and to whoever made it.

mod atlas;
mod bundle;
mod plane;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use morphvae::data::{Images, prepare};
use morphvae::evaluation::{Codes, decode};
use morphvae::files::write_atomically;
use morphvae::model::Inference;
use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use atlas::{Atlas, ROOT, STEP, Survey};
use plane::Plane;

/// Tolerances that are tried, in grey levels, until the atlas would be too large.
const TOLERANCES: [u8; 5] = [24, 12, 8, 6, 4];
/// Compressed bytes of the atlas, at most, where the widest tolerance allows.
const ATLAS_BYTES: usize = 1_700_000;
/// Compressed bytes of the encoded images' pictures, at most.
const PICTURE_BYTES: usize = 900_000;
/// Encoded images, at most.
const MOST_POINTS: usize = 3000;
/// Places at which the atlas is compared with the decoder.
const PROBES: usize = 2000;
/// The label of an image without one.
const UNLABELLED: u16 = u16::MAX;

/// Why there is no file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Encoded images that are none, or do not belong to the images.
    #[error("{codes} encoded images were given for {images} images: give one for each, and one at least")]
    Mismatch {
        /// Encoded images.
        codes: usize,
        /// Images.
        images: usize,
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

/// What a file shows.
#[derive(Clone, Debug)]
pub struct Material<'a> {
    /// The network.
    pub network: &'a Inference,
    /// What the page is told about the model, as the server tells it. The number of points is counted anew.
    pub facts: Map<String, Value>,
    /// The images that are points of the map, of any size.
    pub images: &'a Images,
    /// Where they lie.
    pub codes: &'a Codes,
    /// Their classes, where they have any.
    pub labels: Option<&'a [u16]>,
    /// The mean of the encoded images, `[latent]`.
    pub centre: &'a [f64],
    /// Their principal directions, `[count][latent]`.
    pub components: &'a [Vec<f64>],
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exported {
    /// Size of the file.
    pub bytes: u64,
    /// Encoded images in it.
    pub points: usize,
    /// Decoded images in it, which others are mixed from.
    pub images: usize,
    /// How far mixed images are from decoded ones.
    pub difference: Difference,
}

/// How far an atlas is from the decoder, in grey levels of 255, at places that have nothing to do with its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Over all pixels.
    pub mean: f64,
    /// That of the worst pixel of all.
    pub worst: u8,
    /// How many places there were.
    pub places: usize,
}

/// Writes the file. The widest tolerance decides where images are large; otherwise it is below 4 MB.
///
/// # Errors
/// [`ExportError::Mismatch`] for encoded images of other images; [`ExportError::Write`] when the file cannot be written.
pub fn write(path: &Path, material: &Material) -> Result<Exported, ExportError> {
    let codes = material.codes.mean.len() / material.codes.latent.max(1);
    let images = material.images.count();
    if codes == 0 || codes != images {
        return Err(ExportError::Mismatch { codes, images });
    }
    let plane = Plane::of(material.codes, material.centre, material.components);
    let (atlas, packed) = survey(material.network, &plane);
    let difference = compare(material.network, &plane, &atlas);
    let (chosen, pictures) = pictures(material);
    let mut model = material.facts.clone();
    model.insert("count".into(), chosen.len().into());
    model.insert("watching".into(), false.into());
    let data = json!({
        "model": model,
        "points": STANDARD.encode(points(material, &chosen)),
        "pictures": STANDARD.encode(pictures),
        "atlas": {
            "plane": plane,
            "roots": atlas.roots,
            "root_side": ROOT,
            "step": STEP,
            "line": plane.is_line(),
            "count": atlas.count(),
            "difference": difference,
            "splits": STANDARD.encode(deflate(&atlas.splits)),
            "residuals": STANDARD.encode(packed),
        },
    });
    let page = bundle::bundle(&data.to_string());
    write_atomically(path, |writer| writer.write_all(page.as_bytes())).map_err(|source| ExportError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(Exported {
        bytes: page.len() as u64,
        points: chosen.len(),
        images: atlas.count(),
        difference,
    })
}

/// The closest atlas that is not too large, and its residuals, compressed.
fn survey(network: &Inference, plane: &Plane) -> (Atlas, Vec<u8>) {
    let mut survey = Survey::new(network, plane);
    let mut best = None;
    for tolerance in TOLERANCES {
        let Some(levels) = survey.split(tolerance) else { break };
        let atlas = survey.pack(levels);
        let packed = deflate(&atlas.residuals);
        if best.is_some() && packed.len() > ATLAS_BYTES {
            break;
        }
        best = Some((atlas, packed));
    }
    best.expect("the first atlas is always made")
}

/// Compares what the page will mix with what the decoder says, at places spread evenly over the plane.
fn compare(network: &Inference, plane: &Plane, atlas: &Atlas) -> Difference {
    // M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018: R2.
    let places: Vec<[f64; 2]> = (1..=PROBES)
        .map(|step| [0.754_877_666_246_692_7, 0.569_840_290_998_053_3].map(|slope| (0.5 + slope * step as f64).fract()))
        .collect();
    let points: Vec<f32> = places
        .iter()
        .flat_map(|&shares| plane.point(plane.at(shares)))
        .collect();
    let decoded = decode(network, &points);
    let (mut sum, mut worst) = (0_u64, 0);
    for (index, &shares) in places.iter().enumerate() {
        for (mixed, &decoded) in atlas.mix(shares).into_iter().zip(decoded.image(index)) {
            let difference = mixed.abs_diff(decoded);
            sum += u64::from(difference);
            worst = worst.max(difference);
        }
    }
    Difference {
        mean: sum as f64 / decoded.pixels().len() as f64,
        worst,
        places: PROBES,
    }
}

/// Which images are shown, and for each its picture and what the network makes of it, compressed: as many as fit,
/// evenly taken.
fn pictures(material: &Material) -> (Vec<usize>, Vec<u8>) {
    let count = material.images.count();
    let mut wanted = count.min(MOST_POINTS);
    loop {
        let chosen: Vec<usize> = (0..wanted).map(|index| index * count / wanted).collect();
        let packed = deflate(&both(material, &chosen));
        if packed.len() <= PICTURE_BYTES || wanted == 1 {
            return (chosen, packed);
        }
        wanted = (wanted * PICTURE_BYTES / packed.len()).clamp(1, wanted - 1);
    }
}

/// Images and their reconstructions, taking turns.
fn both(material: &Material, chosen: &[usize]) -> Vec<u8> {
    let config = material.network.config();
    let latent = config.latent;
    let means: Vec<f32> = chosen
        .iter()
        .flat_map(|&index| &material.codes.mean[index * latent..][..latent])
        .copied()
        .collect();
    let rebuilt = decode(material.network, &means);
    let indices: Vec<u32> = chosen.iter().map(|&index| index as u32).collect();
    let real = prepare(material.images, &indices, config.image_size);
    let mut bytes = Vec::with_capacity(2 * real.len());
    for (index, image) in real.chunks_exact(config.image_length()).enumerate() {
        bytes.extend(image.iter().map(|value| (value * 255.0).round() as u8));
        bytes.extend_from_slice(rebuilt.image(index));
    }
    bytes
}

/// Means, log variances and labels, little endian, as the server gives them.
fn points(material: &Material, chosen: &[usize]) -> Vec<u8> {
    let codes = material.codes;
    let mut bytes = Vec::with_capacity(chosen.len() * (8 * codes.latent + 2));
    for values in [&codes.mean, &codes.log_variance] {
        for &index in chosen {
            let values = &values[index * codes.latent..][..codes.latent];
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    for &index in chosen {
        let label = material.labels.and_then(|labels| labels.get(index)).copied();
        bytes.extend(label.unwrap_or(UNLABELLED).to_le_bytes());
    }
    bytes
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes all bytes")
}
