//! The latent map in a browser.

#![forbid(unsafe_code)]

pub mod export;
pub mod page;
