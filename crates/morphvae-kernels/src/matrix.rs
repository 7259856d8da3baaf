//! Products of row-major matrices, one thread each: the caller decides what runs at once.

mod columns;
mod dot;
mod pack;
mod product;
mod row;
mod transpose;

pub(crate) use columns::{Columns, runs_of_panels};
pub(crate) use dot::multiply_by_rows;
pub(crate) use pack::{pack, pack_matrix, pack_padded, pack_transposed, padded_stride};
pub(crate) use product::{Left, Right, multiply};
pub(crate) use row::{multiply_row, nonzero};
pub(crate) use transpose::transpose;
