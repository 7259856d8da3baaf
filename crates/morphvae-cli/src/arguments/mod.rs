//! What several verbs are given.

mod images;
pub mod values;

pub use images::{ImageArguments, ModelArgument, PartArguments, StoreArguments};
