//! Weights in files: safetensors in and out, PyTorch's `.pth` in.
//!
//! [`read`] takes either, told apart by their bytes, and gives a [`StateDict`]: named arrays of 32-bit floats.
//! [`write_safetensors`] writes one, for this program and for PyTorch. [`match_names`] says how a state dict differs
//! from the one that a network needs. Nothing here knows which network that is. Files are taken to be hostile:
//! nothing stored in them is executed, and no memory is taken on their word.

mod element;
mod error;
mod pytorch;
mod safetensors;
mod serialize;
mod signature;
mod state_dict;

pub use element::ElementType;
pub use error::{Mismatch, Misshapen, WeightsError};
pub use serialize::{Precision, to_safetensors, write_safetensors};
pub use state_dict::{Array, StateDict, batches_tracked, match_names};

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use signature::Signature;

/// Integers stored beside the weights, by name: how many batches each batch norm has seen.
pub type Integers = BTreeMap<String, i64>;

/// Free text stored beside the weights, by key.
pub type Metadata = BTreeMap<String, String>;

/// Largest file that is read: a checkpoint of the largest network stays below it.
const MOST_FILE_BYTES: u64 = 8 << 30;

/// The kind of a weight file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON header and the bytes: <https://huggingface.co/docs/safetensors>.
    Safetensors,
    /// What `torch.save` writes.
    PyTorch,
}

/// All that a weight file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightFile {
    /// The weights.
    pub tensors: StateDict,
    /// The format in which the file holds each of the weights.
    pub element_types: BTreeMap<String, ElementType>,
    /// The single integers in the file.
    pub integers: Integers,
    /// The text in the file; a PyTorch file has none.
    pub metadata: Metadata,
    /// What kind of file it is.
    pub format: Format,
}

/// Reads a weight file, safetensors or PyTorch, whatever its name.
///
/// # Errors
/// [`WeightsError`] when the file cannot be read, is of another kind, contradicts itself, or holds numbers that are no
/// weights. Every message is one line and names the file.
pub fn read(path: &Path) -> Result<WeightFile, WeightsError> {
    let name = path.display().to_string();
    let failed = |source| WeightsError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    // Asked before opening, because opening a pipe waits for its other end.
    let kind = path.metadata().map_err(failed)?;
    if !kind.is_file() {
        let what = if kind.is_dir() {
            "a folder"
        } else {
            "a device or a pipe"
        };
        return Err(WeightsError::NotWeights { file: name, what });
    }
    if kind.len() > MOST_FILE_BYTES {
        return Err(WeightsError::TooLarge {
            file: name,
            bytes: kind.len(),
            limit: MOST_FILE_BYTES,
        });
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    read_up_to(&mut file, signature::HEAD as u64, &mut bytes).map_err(failed)?;
    match Signature::of(&bytes) {
        Signature::Safetensors => {
            read_up_to(&mut file, MOST_FILE_BYTES, &mut bytes).map_err(failed)?;
            safetensors::parse(&bytes, &name)
        }
        Signature::PyTorch => pytorch::read(path, &name, kind.len()),
        Signature::Other(what) => Err(WeightsError::NotWeights { file: name, what }),
    }
}

/// Reads a safetensors file that is in memory already, such as the model compiled into the program. Messages call it
/// `name`.
///
/// # Errors
/// As [`read`], but for those of the file system.
pub fn read_bytes(bytes: &[u8], name: &str) -> Result<WeightFile, WeightsError> {
    let what = match Signature::of(&bytes[..bytes.len().min(signature::HEAD)]) {
        Signature::Safetensors => return safetensors::parse(bytes, name),
        Signature::PyTorch => "a PyTorch file, which is read from disk only",
        Signature::Other(what) => what,
    };
    Err(WeightsError::NotWeights {
        file: name.to_owned(),
        what,
    })
}

fn read_up_to(file: &mut File, limit: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    file.take(limit).read_to_end(bytes).map(|_| ())
}

impl WeightFile {
    fn new(format: Format, metadata: Metadata) -> Self {
        Self {
            tensors: StateDict::new(),
            element_types: BTreeMap::new(),
            integers: Integers::new(),
            metadata,
            format,
        }
    }

    /// Adds a tensor, whose `bytes` are little-endian and as many as its shape needs.
    fn insert(
        &mut self,
        file: &str,
        name: String,
        shape: Vec<usize>,
        element_type: ElementType,
        bytes: &[u8],
    ) -> Result<(), WeightsError> {
        let values = element_type.decode(bytes);
        check_finite(file, &name, &values)?;
        self.element_types.insert(name.clone(), element_type);
        self.tensors.insert(name, Array { shape, values });
        Ok(())
    }

    /// Adds what is no weight, if it is a single 64-bit integer.
    fn insert_integer(
        &mut self,
        file: &str,
        name: String,
        element_type: &str,
        bytes: &[u8],
    ) -> Result<(), WeightsError> {
        match (element_type, bytes.try_into()) {
            ("I64", Ok(bytes)) => {
                self.integers.insert(name, i64::from_le_bytes(bytes));
                Ok(())
            }
            _ => Err(WeightsError::ElementType {
                file: file.to_owned(),
                tensor: error::one_line(&name),
                found: element_type.to_owned(),
            }),
        }
    }
}

/// Refuses weights that are infinite or not numbers.
fn check_finite(file: &str, tensor: &str, values: &[f32]) -> Result<(), WeightsError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(WeightsError::NotFinite {
            file: file.to_owned(),
            tensor: error::one_line(tensor),
            position,
            value: values[position],
        }),
    }
}

#[cfg(test)]
mod tests;
