//! One file a verb.

pub mod bench;
pub mod data;
pub mod encode;
pub mod evaluate;
pub mod figures;
pub mod grid;
pub mod info;
pub mod reconstruct;
pub mod train;
