//! Products of row-major matrices, one thread each: the caller decides what runs at once.

mod dot;
mod pack;
mod product;

pub(crate) use dot::multiply_by_rows;
pub(crate) use pack::pack;
pub(crate) use product::{Left, Right, multiply};
