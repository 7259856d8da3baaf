//! Tests of reading and writing whole files.

mod hostile;
mod pytorch;
mod round_trip;

use super::*;

/// The message of a failure, after checking that it is one line.
fn message<T: std::fmt::Debug>(result: Result<T, WeightsError>) -> String {
    let message = result.unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.len() < 500, "{message}");
    message
}

/// A safetensors file with the given header and numbers.
fn file_of(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}
