//! Directions of a latent space along which one attribute changes: from plain to smile.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::evaluation::Codes;
use crate::files::write_atomically;

/// Bytes that an attribute's file may have: far more than the largest latent space needs.
const LARGEST: u64 = 1 << 20;

/// Characters of a reason for not reading a file, at most.
const LONGEST_REASON: usize = 200;

/// A direction of one model's latent space: from the mean of the images without an attribute to the mean of those with
/// it (Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", 2016).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// What it is called: `smile`.
    pub name: String,
    /// The [fingerprint](crate::network::Vae::fingerprint) of the model whose latent space it belongs to.
    pub model: String,
    /// How many images it was found from: without the attribute, and with it.
    pub images: [usize; 2],
    /// Added once to a latent, it gives as much of the attribute as the images with it have, `[latent]`.
    pub direction: Vec<f32>,
}

/// Why an attribute could not be found, read, written or applied.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// Groups of images between which there is no direction.
    #[error("both groups have the same mean, so there is no direction between them: choose other images")]
    NoDirection,
    /// A file that cannot be read.
    #[error("{}: {reason}: name a file that `morphvae attribute` wrote", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An attribute of another model.
    #[error("the attribute {name} belongs to another model: find it anew with `morphvae attribute {name}`")]
    OtherModel {
        /// The attribute.
        name: String,
    },
    /// A file that cannot be written.
    #[error("{}: {source}: check that it may be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Attribute {
    /// The direction between two groups of encoded images of one model.
    ///
    /// # Errors
    /// [`AttributeError::NoDirection`] when the groups have the same mean, as empty ones have.
    pub fn between(name: &str, model: String, without: &Codes, with: &Codes) -> Result<Self, AttributeError> {
        let (from, to) = (mean(without), mean(with));
        let direction: Vec<f32> = from.iter().zip(&to).map(|(from, to)| (to - from) as f32).collect();
        if !direction.iter().any(|value| *value != 0.0) || !direction.iter().all(|value| value.is_finite()) {
            return Err(AttributeError::NoDirection);
        }
        let count = |codes: &Codes| codes.mean.len() / codes.latent.max(1);
        Ok(Self {
            name: name.to_owned(),
            model,
            images: [count(without), count(with)],
            direction,
        })
    }

    /// A latent with so much of the attribute added.
    ///
    /// # Errors
    /// [`AttributeError::OtherModel`] when `model` is not the fingerprint of the model that it was found with, or the
    /// latent has another size.
    pub fn add(&self, model: &str, latent: &[f32], amount: f32) -> Result<Vec<f32>, AttributeError> {
        if self.model != model || self.direction.len() != latent.len() {
            return Err(AttributeError::OtherModel {
                name: self.name.clone(),
            });
        }
        let moved = latent.iter().zip(&self.direction);
        Ok(moved.map(|(value, step)| value + amount * step).collect())
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`AttributeError::Write`] when the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), AttributeError> {
        let json = serde_json::to_vec_pretty(self).expect("an attribute is plain data");
        write_atomically(path, |writer| writer.write_all(&json)).map_err(|source| AttributeError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a file that [`Attribute::write`] wrote.
    ///
    /// # Errors
    /// [`AttributeError::Unreadable`] when it cannot be read or holds no attribute.
    pub fn read(path: &Path) -> Result<Self, AttributeError> {
        let reject = |reason: String| AttributeError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        let mut json = String::new();
        File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut json))
            .map_err(|error| reject(error.to_string()))?;
        if json.len() as u64 > LARGEST {
            return Err(reject("it is larger than any attribute".to_owned()));
        }
        let attribute: Self = serde_json::from_str(&json).map_err(|error| reject(one_line(&error)))?;
        if attribute.direction.iter().all(|value| value.is_finite()) {
            Ok(attribute)
        } else {
            Err(reject("its direction is not finite".to_owned()))
        }
    }
}

/// What is wrong with the JSON, on one line of which a file's own words take little.
fn one_line(error: &serde_json::Error) -> String {
    let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_REASON {
        return line;
    }
    let beginning: String = line.chars().take(LONGEST_REASON).collect();
    format!("{beginning}…")
}

/// The mean of encoded images' means, `[latent]`; zeros for none.
fn mean(codes: &Codes) -> Vec<f64> {
    let mut sum = vec![0.0; codes.latent];
    let points = codes.mean.chunks_exact(codes.latent.max(1));
    let count = points.len().max(1) as f64;
    for point in points {
        for (sum, &value) in sum.iter_mut().zip(point) {
            *sum += f64::from(value);
        }
    }
    sum.into_iter().map(|sum| sum / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_refused_on_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("smile.attribute.json");
        std::fs::write(&path, format!("{{\"na\\n\\nme{}\": 1}}", "x".repeat(9000))).unwrap();
        let error = Attribute::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("unknown field `na me") && error.chars().count() < 500,
            "{error}"
        );
        assert_eq!(error.lines().count(), 1);
    }

    fn codes(mean: &[f32]) -> Codes {
        Codes {
            latent: 2,
            mean: mean.to_vec(),
            log_variance: vec![0.0; mean.len()],
            ..Codes::default()
        }
    }

    fn smile() -> Attribute {
        let (without, with) = (codes(&[0.0, 1.0, 2.0, 3.0]), codes(&[4.0, 2.0]));
        Attribute::between("smile", "abc".to_owned(), &without, &with).unwrap()
    }

    #[test]
    fn it_leads_from_one_mean_to_the_other() {
        let smile = smile();
        assert_eq!(smile.direction, [3.0, 0.0]);
        assert_eq!(smile.images, [2, 1]);
        assert_eq!(smile.add("abc", &[1.0, 1.0], 1.5).unwrap(), [5.5, 1.0]);
    }

    #[test]
    fn it_is_not_added_to_another_model() {
        let error = smile().add("abd", &[1.0, 1.0], 1.0).unwrap_err();
        assert!(error.to_string().contains("smile belongs to another model"), "{error}");
        assert!(smile().add("abc", &[1.0], 1.0).is_err());
    }

    #[test]
    fn it_comes_back_from_its_file_and_other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("smile.attribute.json");
        smile().write(&path).unwrap();
        assert_eq!(Attribute::read(&path).unwrap(), smile());
        let large = format!("{{\"name\": \"{}", "x".repeat(2 << 20));
        for text in ["", "[1, 2]", "{\"name\": \"smile\"}", large.as_str()] {
            std::fs::write(&path, text).unwrap();
            let error = Attribute::read(&path).unwrap_err().to_string();
            assert!(error.contains("smile.attribute.json"), "{error}");
        }
    }

    #[test]
    fn equal_groups_have_no_direction_between_them() {
        let group = codes(&[1.0, 2.0]);
        let nothing = Attribute::between("smile", String::new(), &group, &group);
        assert!(matches!(nothing, Err(AttributeError::NoDirection)));
    }
}
