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
use morphvae::evaluation::decode;
use morphvae::files::write_atomically;
use morphvae::latent::Slice;
use morphvae::network::Decoder;
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::map::{Description, LatentMap};
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

/// Why there is no file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
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

/// Writes a map into one file. It is below 4 MB for images of 32 x 32; for larger ones the widest tolerance decides.
///
/// # Errors
/// [`ExportError::Write`] when the file cannot be written.
pub fn export(map: &LatentMap, path: &Path) -> Result<Exported, ExportError> {
    let description = map.description(false);
    let slice = Slice::components(map.components(), description.base, [0, 1]).ok();
    let plane = Plane::of(map.codes(), slice.as_ref());
    // Of a conditional network the first class, which the page is told.
    let decoder = map.network().given_or_first(None).expect(WHOLE);
    let (atlas, packed) = survey(&decoder, &plane);
    let difference = compare(&decoder, &plane, &atlas);
    let (chosen, pictures) = pictures(map);
    let model = Description {
        count: chosen.len(),
        replay: false,
        ..description
    };
    let data = json!({
        "model": model,
        "points": STANDARD.encode(points(map, &chosen)),
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

/// Why points of a map can be decoded.
const WHOLE: &str = "a map's points are of its network's latent space";

/// The closest atlas that is not too large, and its residuals, compressed.
fn survey(decoder: &dyn Decoder, plane: &Plane) -> (Atlas, Vec<u8>) {
    let mut survey = Survey::new(decoder, plane);
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
fn compare(decoder: &dyn Decoder, plane: &Plane, atlas: &Atlas) -> Difference {
    // M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018: R2.
    let places: Vec<[f64; 2]> = (1..=PROBES)
        .map(|step| [0.754_877_666_246_692_7, 0.569_840_290_998_053_3].map(|slope| (0.5 + slope * step as f64).fract()))
        .collect();
    let points: Vec<f32> = places
        .iter()
        .flat_map(|&shares| plane.point(plane.at(shares)))
        .collect();
    let decoded = decode(decoder, &points).expect(WHOLE);
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
fn pictures(map: &LatentMap) -> (Vec<usize>, Vec<u8>) {
    let count = map.shown().count();
    let mut wanted = count.min(MOST_POINTS);
    loop {
        let chosen: Vec<usize> = (0..wanted).map(|index| index * count / wanted).collect();
        let packed = deflate(&both(map, &chosen));
        if packed.len() <= PICTURE_BYTES || wanted <= 1 {
            return (chosen, packed);
        }
        wanted = (wanted * PICTURE_BYTES / packed.len()).clamp(1, wanted - 1);
    }
}

/// Images and their reconstructions, taking turns.
fn both(map: &LatentMap, chosen: &[usize]) -> Vec<u8> {
    let size = map.network().config().image_size;
    let config = map.network().config();
    let points = of_each(&map.codes().points(config), config.point(), chosen);
    let rebuilt = decode(map.network(), &points).expect(WHOLE);
    let images = chosen.iter().filter_map(|&index| map.shown().image(index, size));
    let both = images
        .enumerate()
        .map(|(index, real)| [real, rebuilt.image(index).to_vec()]);
    both.flatten().flatten().collect()
}

/// Means, log variances and labels, as the server gives them.
fn points(map: &LatentMap, chosen: &[usize]) -> Vec<u8> {
    let codes = map.codes();
    let values = [&codes.mean, &codes.log_variance].map(|values| of_each(values, codes.latent, chosen));
    let label = |&index: &usize| map.label(index);
    let numbers = values.iter().flatten().flat_map(|value| value.to_le_bytes());
    numbers
        .chain(chosen.iter().map(label).flat_map(u16::to_le_bytes))
        .collect()
}

/// Of `values`, `[count, width]`, the rows that are chosen.
fn of_each(values: &[f32], width: usize, chosen: &[usize]) -> Vec<f32> {
    let rows = chosen.iter().flat_map(|&index| &values[index * width..][..width]);
    rows.copied().collect()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes all bytes")
}
