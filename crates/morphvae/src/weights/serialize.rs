//! Writing safetensors.
//!
//! The header is written here and not by the `safetensors` crate, which leaves the order of the metadata to chance: the
//! same weights are always the same bytes.

use std::cmp::Reverse;
use std::io::{self, Write};
use std::path::Path;

use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::{Serialize, Serializer};

use super::error::one_line;
use super::{Array, Integers, Metadata, StateDict, WeightsError, check_finite};
use crate::files::write_atomically;

/// The header's length is a multiple of this, so that the numbers after it are aligned in memory.
const ALIGNMENT: usize = 8;

/// Numbers that are turned into bytes at a time.
const AT_A_TIME: usize = 1 << 14;

/// How many bits are kept of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats throughout.
    Full,
    /// 16-bit floats where most of the bytes are: in tensors of two or more dimensions, unless a value is too large
    /// for them. Biases and batch norms keep 32 bits; they weigh nothing, and variances need the range.
    Half,
}

/// Writes weights, integers and text into a safetensors file at `path`, as [`to_safetensors`] lays it out.
///
/// For PyTorch's `load_state_dict`, pass [`batches_tracked`](super::batches_tracked) as the integers.
///
/// # Errors
/// [`WeightsError::Io`] when the file cannot be written, and those of [`to_safetensors`].
pub fn write_safetensors(
    path: &Path,
    tensors: &StateDict,
    integers: &Integers,
    metadata: &Metadata,
    precision: Precision,
) -> Result<(), WeightsError> {
    let layout = Layout::new(tensors, integers, metadata, precision)?;
    // Written as it comes: a checkpoint is the largest thing in memory already.
    write_atomically(path, |writer| layout.write(writer)).map_err(|source| WeightsError::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// The bytes of a safetensors file with these weights, integers and text; equal input gives equal bytes.
///
/// `format = "pt"` is added to the text, as PyTorch's tools expect it.
///
/// # Errors
/// [`WeightsError::NotFinite`] and [`WeightsError::ValueCount`] for a tensor that could not be read back.
pub fn to_safetensors(
    tensors: &StateDict,
    integers: &Integers,
    metadata: &Metadata,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let layout = Layout::new(tensors, integers, metadata, precision)?;
    let mut bytes = Vec::with_capacity(layout.length());
    layout.write(&mut bytes).expect("memory takes what is written to it");
    Ok(bytes)
}

/// A file's parts in their order.
struct Layout<'a> {
    header: Vec<u8>,
    entries: Vec<Entry<'a>>,
}

impl<'a> Layout<'a> {
    fn new(
        tensors: &'a StateDict,
        integers: &'a Integers,
        metadata: &Metadata,
        precision: Precision,
    ) -> Result<Self, WeightsError> {
        let mut entries = Vec::with_capacity(tensors.len() + integers.len());
        for (name, array) in tensors {
            check(name, array)?;
            let dtype = stored_type(array, precision);
            entries.push(Entry {
                name,
                dtype,
                shape: &array.shape,
                data: Data::Floats(&array.values),
            });
        }
        for (name, integer) in integers {
            entries.push(Entry {
                name,
                dtype: Dtype::I64,
                shape: &[],
                data: Data::Integer(*integer),
            });
        }
        // The widest numbers first, so that all are aligned.
        entries.sort_by_key(|entry| (Reverse(entry.dtype), entry.name));

        let mut metadata = metadata.clone();
        metadata.insert("format".into(), "pt".into());
        let mut header = Vec::new();
        write_header(&entries, &metadata, &mut header).map_err(|error| WeightsError::Safetensors {
            file: "the file to be written".into(),
            reason: error.to_string(),
        })?;
        header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
        Ok(Self { header, entries })
    }

    /// Bytes of the whole file.
    fn length(&self) -> usize {
        size_of::<u64>() + self.header.len() + self.entries.iter().map(Entry::length).sum::<usize>()
    }

    fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        writer.write_all(&(self.header.len() as u64).to_le_bytes())?;
        writer.write_all(&self.header)?;
        self.entries.iter().try_for_each(|entry| entry.write(writer))
    }
}

fn check(name: &str, array: &Array) -> Result<(), WeightsError> {
    let count = array
        .shape
        .iter()
        .try_fold(1, |count: usize, &extent| count.checked_mul(extent));
    if count != Some(array.values.len()) {
        return Err(WeightsError::ValueCount {
            tensor: one_line(name),
            shape: array.shape.clone(),
            values: array.values.len(),
        });
    }
    check_finite("the weights to be written", name, &array.values)
}

fn stored_type(array: &Array, precision: Precision) -> Dtype {
    let fits = || array.values.iter().all(|&value| f16::from_f32(value).is_finite());
    if precision == Precision::Half && array.shape.len() >= 2 && fits() {
        Dtype::F16
    } else {
        Dtype::F32
    }
}

/// One tensor on its way to the file.
struct Entry<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: &'a [usize],
    data: Data<'a>,
}

enum Data<'a> {
    Floats(&'a [f32]),
    Integer(i64),
}

impl Entry<'_> {
    /// Bytes that the numbers take in the file.
    fn length(&self) -> usize {
        match self.data {
            Data::Floats(values) => values.len() * self.dtype.bitsize() / 8,
            Data::Integer(_) => size_of::<i64>(),
        }
    }

    fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let values = match self.data {
            Data::Integer(integer) => return writer.write_all(&integer.to_le_bytes()),
            Data::Floats(values) => values,
        };
        let mut bytes = Vec::new();
        for values in values.chunks(AT_A_TIME) {
            bytes.clear();
            if self.dtype == Dtype::F16 {
                bytes.extend(values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()));
            } else {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            writer.write_all(&bytes)?;
        }
        Ok(())
    }
}

fn write_header(entries: &[Entry], metadata: &Metadata, header: &mut Vec<u8>) -> serde_json::Result<()> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Value<'a> {
        Metadata(&'a Metadata),
        Tensor(TensorInfo),
    }
    let mut end = 0;
    let tensors = entries.iter().map(|entry| {
        let start = end;
        end += entry.length();
        let (dtype, shape) = (entry.dtype, entry.shape.to_vec());
        (
            entry.name,
            Value::Tensor(TensorInfo {
                dtype,
                shape,
                data_offsets: (start, end),
            }),
        )
    });
    let fields = std::iter::once(("__metadata__", Value::Metadata(metadata))).chain(tensors);
    serde_json::Serializer::new(header).collect_map(fields)
}
