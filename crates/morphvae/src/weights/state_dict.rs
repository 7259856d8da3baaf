//! Named arrays, as PyTorch's `state_dict` has them.

use std::collections::BTreeMap;

use super::error::{Mismatch, Misshapen};
use super::{Integers, WeightsError};

/// The end of the names under which PyTorch's batch norms count their batches. This network makes no use of them.
const BATCHES_TRACKED: &str = ".num_batches_tracked";

/// Weights by name, in the order of their names.
pub type StateDict = BTreeMap<String, Array>;

/// A tensor at rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Extents, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// The numbers in row-major order.
    pub values: Vec<f32>,
}

/// Checks that `found` holds exactly the tensors that are expected, by name and shape.
///
/// Counts of batches (`*.num_batches_tracked`), which PyTorch writes and nobody reads, may be there or not.
///
/// # Errors
/// [`WeightsError::Mismatch`] lists every tensor that is missing, superfluous or misshapen.
pub fn match_names(expected: &[(String, Vec<usize>)], found: &StateDict) -> Result<(), WeightsError> {
    let expected: BTreeMap<&str, &[usize]> = expected
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    let mut mismatch = Mismatch::default();
    for (&name, &shape) in &expected {
        match found.get(name) {
            None => mismatch.missing.push(name.to_owned()),
            Some(array) if array.shape != shape => mismatch.misshapen.push(Misshapen {
                name: name.to_owned(),
                found: array.shape.clone(),
                expected: shape.to_owned(),
            }),
            Some(_) => {}
        }
    }
    mismatch.extra = found
        .keys()
        .filter(|name| !expected.contains_key(name.as_str()) && !name.ends_with(BATCHES_TRACKED))
        .cloned()
        .collect();
    if mismatch == Mismatch::default() {
        Ok(())
    } else {
        Err(WeightsError::Mismatch(mismatch))
    }
}

/// The `num_batches_tracked` of every batch norm among `tensors`, all set to `batches`.
///
/// PyTorch's `load_state_dict` insists on them, so a file that it is to read needs them beside the weights.
#[must_use]
pub fn batches_tracked(tensors: &StateDict, batches: i64) -> Integers {
    tensors
        .keys()
        .filter_map(|name| name.strip_suffix(".running_mean"))
        .map(|layer| (format!("{layer}{BATCHES_TRACKED}"), batches))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dict(entries: &[(&str, &[usize])]) -> StateDict {
        entries
            .iter()
            .map(|(name, shape)| {
                let values = vec![0.0; shape.iter().product()];
                (
                    (*name).to_owned(),
                    Array {
                        shape: shape.to_vec(),
                        values,
                    },
                )
            })
            .collect()
    }

    #[test]
    fn every_difference_is_named_on_one_line() {
        let expected = [("a", vec![2, 3]), ("b", vec![]), ("c", vec![1])].map(|(name, shape)| (name.to_owned(), shape));
        let found = dict(&[("a", &[3, 2]), ("c", &[1]), ("d", &[1]), ("c.num_batches_tracked", &[])]);
        assert_eq!(
            match_names(&expected, &found).unwrap_err().to_string(),
            "the weights do not fit the network: missing: b; not expected: d; wrong shape: a is [3, 2] instead of [2, 3]"
        );
        assert!(match_names(&expected, &dict(&[("a", &[2, 3]), ("b", &[]), ("c", &[1])])).is_ok());
    }

    #[test]
    fn each_batch_norm_counts_its_batches() {
        let tensors = dict(&[("conv1.0.weight", &[1]), ("conv1.1.running_mean", &[1])]);
        let expected = [("conv1.1.num_batches_tracked".to_owned(), 7)];
        assert_eq!(batches_tracked(&tensors, 7), expected.into());
    }
}
