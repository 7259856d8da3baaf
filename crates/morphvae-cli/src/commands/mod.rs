//! One file a verb.

pub mod bench;
pub mod data;
pub mod encode;
pub mod evaluate;
pub mod explore;
pub mod figures;
pub mod info;
pub mod reconstruct;
pub mod train;
