//! One file a verb.

pub mod attribute;
pub mod bench;
pub mod data;
pub mod decode;
pub mod encode;
pub mod evaluate;
pub mod explore;
pub mod figures;
pub mod grid;
pub mod info;
pub mod morph;
pub mod reconstruct;
pub mod train;
