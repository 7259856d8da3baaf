//! `morphvae grid`

mod arguments;
mod job;
mod slice;
mod traverse;

use std::path::PathBuf;

use morphvae::figures::{check_manifold, check_traversals};
use morphvae::network::NetworkConfig;

use crate::console::Console;
use crate::limits::{check_figure, check_picture};
use crate::model;
pub use arguments::GridArguments;
use job::Job;

pub fn run(arguments: &GridArguments, console: Console) -> anyhow::Result<()> {
    let images = arguments.images.request()?;
    images.check()?;
    let model = model::open(&arguments.model, console)?;
    let kind = if arguments.traverse { "traversals" } else { "grid" };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-{kind}.png", model.stem())));
    check_picture(&out, arguments.force)?;
    check_size(arguments, model.network().config())?;
    let job = Job {
        arguments,
        network: model.inference(),
        model: &model,
        images,
        out: &out,
        console,
    };
    if arguments.traverse {
        traverse::run(&job)
    } else {
        slice::run(&job)
    }
}

/// Refuses a picture that is larger than can be drawn before it is decoded.
fn check_size(arguments: &GridArguments, network: &NetworkConfig) -> anyhow::Result<()> {
    let side = network.image_size;
    if arguments.traverse {
        let rows = arguments.rows.unwrap_or(traverse::ROWS).min(network.latent);
        let size = arguments.size.unwrap_or(traverse::SIZE);
        return check_figure("--size", size, |size| check_traversals(rows, size, side));
    }
    let size = arguments.size.unwrap_or(slice::SIZE);
    check_figure("--size", size, |size| check_manifold(size, size, side))
}
