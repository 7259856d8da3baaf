//! The latent map in a browser: a local server and its one page.
//!
//! A [`LatentMap`] is a network with the images that are shown in its latent space. An [`Explorer`] serves one to
//! browsers on this computer; while a training is watched, [`Explorer::publish`] puts a new map in place after each
//! epoch. Nothing a client sends can change anything here but what that client is answered.
//!
//! - `export`: a map as one file, which needs no server;
//! - `map`: what the page shows, and the points that it asks for;
//! - `page`: the files of the page;
//! - `replay`: where the images lay after each epoch of a run;
//! - `worker`: the thread that encodes and decodes, many requests in one pass;
//! - `server`: connections and their limits, who may ask, and what each address answers.

#![forbid(unsafe_code)]

mod export;
mod map;
mod page;
mod replay;
mod server;
mod worker;

pub use export::{Difference, ExportError, Exported, Shift, export};
pub use map::{
    Description, LatentMap, MOST_SHOWN, MapError, ModelFacts, NamedDirection, Reach, ShownImages, Statistics,
};
pub use replay::Replay;
pub use server::{Explorer, ExplorerError, Place, USUAL_PORT, Watched};
