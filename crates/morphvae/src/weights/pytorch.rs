//! Reading what `torch.save` wrote.
//!
//! A `.pth` holds a pickle, which is a program for Python's stack machine and may call anything when Python runs it. The
//! `pytorch-reader` crate interprets the few calls that build tensors and dictionaries and turns all others into inert
//! names. As with PyTorch's own `weights_only=True`, a file that has such names is refused.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;

use pytorch_reader::{DType, PickleValue, PytorchError, PytorchReader, Tensor};
use zip::ZipArchive;

use super::error::one_line;
use super::{ElementType, Format, Metadata, WeightFile, WeightsError};

/// Keys under which training scripts and wrappers keep the state dict.
const WRAPPERS: [&str; 4] = ["state_dict", "model_state_dict", "model", "module"];

/// Bytes that an archive may unfold to: as many as any may, or so many times its own. `torch.save` compresses nothing.
const ALWAYS_ALLOWED: u64 = 32 << 20;
const TIMES_THE_FILE: u64 = 4;

/// Reads the state dict in the file of `length` bytes at `path`, which messages call `file`.
pub(super) fn read(path: &Path, file: &str, length: u64) -> Result<WeightFile, WeightsError> {
    let refused = |reason: &str| WeightsError::PyTorch {
        file: file.to_owned(),
        reason: one_line(reason),
    };
    let tensors = open(path, length).map_err(|reason| refused(&reason))?;
    let mut weights = WeightFile::new(Format::PyTorch, Metadata::new());
    for (name, tensor) in tensors {
        let bytes = tensor.read().map_err(|error| refused(&error.to_string()))?;
        match element_type(tensor.dtype()) {
            Some(element_type) => weights.insert(file, name, tensor.shape().to_vec(), element_type, &bytes)?,
            None => weights.insert_integer(file, name, &format!("{:?}", tensor.dtype()), &bytes)?,
        }
    }
    Ok(weights)
}

fn element_type(stored: DType) -> Option<ElementType> {
    match stored {
        DType::F16 => Some(ElementType::F16),
        DType::BF16 => Some(ElementType::BF16),
        DType::F32 => Some(ElementType::F32),
        DType::F64 => Some(ElementType::F64),
        _ => None,
    }
}

/// The tensors by their names in the state dict, none of them read yet, or why they are not to be had.
fn open(path: &Path, length: u64) -> Result<BTreeMap<String, Tensor>, String> {
    check_archive(path, length)?;
    let reader = PytorchReader::new(path).map_err(explain)?;
    let contents = PytorchReader::read_pickle_data(path, None).map_err(explain)?;
    let tensors = reader.into_tensors();
    if count_tensors(&contents)? != tensors.len() {
        return Err("two of its tensors have the same name".into());
    }
    if tensors.is_empty() {
        return Err("it holds no tensors".into());
    }
    // A view may repeat one number without end, so that a small file asks for any amount of memory.
    let claimed = tensors
        .values()
        .map(|tensor| tensor.byte_len() as u64)
        .fold(0, u64::saturating_add);
    if claimed > length {
        return Err(format!(
            "its tensors claim {claimed} bytes and the whole file has {length}"
        ));
    }
    Ok(unwrap(tensors))
}

/// Refuses a compressed archive that would unfold to much more than it is.
fn check_archive(path: &Path, length: u64) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    // What is no archive is of another kind, or for the reader to explain.
    let Ok(mut archive) = ZipArchive::new(file) else {
        return Ok(());
    };
    let count = archive.len();
    let size = |index| archive.by_index_raw(index).map_or(0, |entry| entry.size());
    let unfolded = (0..count).map(size).fold(0, u64::saturating_add);
    let limit = length.saturating_mul(TIMES_THE_FILE).max(ALWAYS_ALLOWED);
    if unfolded > limit {
        return Err(format!(
            "it would unfold to {unfolded} bytes, above the limit of {limit} for a file of {length}"
        ));
    }
    Ok(())
}

fn explain(error: PytorchError) -> String {
    match error {
        PytorchError::InvalidFormat(reason) => reason,
        error => error.to_string(),
    }
}

/// Counts the tensors in a pickle and refuses it if it holds anything beside plain data and what belongs to PyTorch.
fn count_tensors(value: &PickleValue) -> Result<usize, String> {
    match value {
        PickleValue::Unsupported(name) if name == "torch.Tensor" => Ok(1),
        PickleValue::Unsupported(name) if name != "int" && !name.starts_with("torch.") => {
            Err(format!("it holds a {name}, which was not run"))
        }
        PickleValue::List(values) => values.iter().map(count_tensors).sum(),
        PickleValue::Dict(values) => values.values().map(count_tensors).sum(),
        _ => Ok(0),
    }
}

/// Takes a state dict out of the dictionaries around it: `{"epoch": 3, "state_dict": {...}}`.
fn unwrap(tensors: HashMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let mut tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
    while let Some(prefix) = wrapper_of(&tensors) {
        tensors = tensors
            .into_iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor)))
            .collect();
    }
    tensors
}

fn wrapper_of(tensors: &BTreeMap<String, Tensor>) -> Option<String> {
    WRAPPERS
        .iter()
        .map(|wrapper| format!("{wrapper}."))
        .find(|prefix| tensors.keys().any(|name| name.starts_with(prefix)))
}
