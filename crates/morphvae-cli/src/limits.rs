//! What is refused before any work is done, since it would fail after much of it: pictures too large to be drawn, networks
//! too large to be trained, files that cannot be written.

use std::path::Path;

use anyhow::Context;
use morphvae::figures::FigureError;
use morphvae::files::{check_file, check_folder};
use morphvae::memory;
use morphvae::network::NetworkConfig;
use morphvae::training::Footprint;

use crate::Usage;

/// Makes sure that a figure with so many images a side can be drawn. `fits` says whether one can; `option` is what was
/// typed for `asked`.
pub fn check_figure(option: &str, asked: usize, fits: impl Fn(usize) -> Result<(), FigureError>) -> anyhow::Result<()> {
    match fits(asked) {
        Err(FigureError::TooLarge { width, height }) => {
            let most = (1..asked).rev().find(|&count| fits(count).is_ok()).unwrap_or(1);
            let text = format!(
                "{option} is {asked}, which makes a picture of {width} x {height} pixels, larger than can be drawn: give \
                 {most} or less"
            );
            Err(Usage(text).into())
        }
        result => Ok(result?),
    }
}

/// Makes sure that there is memory to train such a network with so many images a step, where that can be known.
pub fn check_memory(network: &NetworkConfig, batch: usize) -> Result<(), Usage> {
    let needed = Footprint::of(network, batch);
    match memory::available() {
        Some(free) if needed.total() > free => Err(Usage(format!(
            "this training would take about {} of memory ({} for the network, {} for the images that it works on at a \
             time), and {} are free: use less of --base-channels, --image-size, --latent or --batch-size",
            gigabytes(needed.total()),
            gigabytes(needed.network),
            gigabytes(needed.batch),
            gigabytes(free),
        ))),
        _ => Ok(()),
    }
}

/// Makes sure that a result can be written to a file.
pub fn check_out_file(path: &Path) -> anyhow::Result<()> {
    check_file(path).with_context(|| not_written(path))
}

/// Makes sure that results can be written into a folder.
pub fn check_out_folder(path: &Path) -> anyhow::Result<()> {
    check_folder(path).with_context(|| not_written(path))
}

fn not_written(path: &Path) -> String {
    format!("{}: this cannot be written", path.display())
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 * 1e-9)
}
