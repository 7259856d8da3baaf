//! Reading safetensors.
//!
//! The `safetensors` crate parses and checks the header. Two things it lets pass are checked here first: two tensors of
//! one name, and ends so far beyond the file that its own arithmetic overflows.

use std::collections::HashSet;
use std::fmt::{self, Formatter};

use safetensors::{Dtype, SafeTensors};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::one_line;
use super::{ElementType, Format, WeightFile, WeightsError};

/// Bytes before the header: its length.
const LENGTH: usize = 8;

/// Reads a whole safetensors file, which messages call `file`.
pub(super) fn parse(bytes: &[u8], file: &str) -> Result<WeightFile, WeightsError> {
    let damaged = |reason: String| WeightsError::Safetensors {
        file: file.to_owned(),
        reason: one_line(&reason),
    };
    check_extents(bytes).map_err(damaged)?;
    let (header_length, header) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
    let data = &bytes[LENGTH + header_length..];
    let metadata = header.metadata().clone().unwrap_or_default();
    let mut weights = WeightFile::new(Format::Safetensors, metadata.into_iter().collect());
    for (name, info) in header.tensors() {
        let (start, end) = info.data_offsets;
        let values = &data[start..end];
        match element_type(info.dtype) {
            Some(element_type) => weights.insert(file, name, info.shape.clone(), element_type, values)?,
            None => weights.insert_integer(file, name, &format!("{:?}", info.dtype), values)?,
        }
    }
    Ok(weights)
}

fn element_type(stored: Dtype) -> Option<ElementType> {
    match stored {
        Dtype::F16 => Some(ElementType::F16),
        Dtype::BF16 => Some(ElementType::BF16),
        Dtype::F32 => Some(ElementType::F32),
        Dtype::F64 => Some(ElementType::F64),
        _ => None,
    }
}

/// Checks that the header lies within the file, its names differ, and its tensors end where the file does.
fn check_extents(bytes: &[u8]) -> Result<(), String> {
    let (length, rest) = bytes
        .split_first_chunk::<LENGTH>()
        .ok_or_else(|| format!("it is only {} bytes long", bytes.len()))?;
    let claimed = u64::from_le_bytes(*length);
    let (header, data) = usize::try_from(claimed)
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .ok_or_else(|| format!("its header claims {claimed} bytes and {} follow", rest.len()))?;
    let extents: Extents = serde_json::from_slice(header).map_err(|error| format!("its header is wrong: {error}"))?;
    if extents.end == data.len() {
        Ok(())
    } else {
        Err(format!(
            "its tensors claim {} bytes and {} follow the header",
            extents.end,
            data.len()
        ))
    }
}

/// Where the last tensor of a header ends, in bytes after the header.
struct Extents {
    end: usize,
}

impl<'de> Deserialize<'de> for Extents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ExtentsVisitor)
    }
}

struct ExtentsVisitor;

impl<'de> Visitor<'de> for ExtentsVisitor {
    type Value = Extents;

    fn expecting(&self, formatter: &mut Formatter) -> fmt::Result {
        formatter.write_str("a map from names to tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extents, A::Error> {
        #[derive(Deserialize)]
        struct Tensor {
            data_offsets: (usize, usize),
        }
        let (mut names, mut end) = (HashSet::new(), 0);
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
            } else {
                end = end.max(map.next_value::<Tensor>()?.data_offsets.1);
            }
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("the name {name} occurs twice")));
            }
        }
        Ok(Extents { end })
    }
}
