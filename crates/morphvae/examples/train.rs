//! Trains on a folder of images: `cargo run --release --example train -- FOLDER RUN`.

use std::env;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;

use morphvae::network::Architecture;
use morphvae::studio::{Event, ImageRequest, Run};
use morphvae::training::{HeldRun, Progress, RunConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = env::args_os().skip(1).map(PathBuf::from);
    let (Some(images), Some(folder)) = (paths.next(), paths.next()) else {
        return Err("name a folder of images and one for the run".into());
    };
    let mut config = RunConfig::default();
    config.network.architecture = Architecture::Reference { base_channels: 8 };
    config.training.epochs = 2;
    // Told from the threads that work; `Break` stops them, and the run can be resumed.
    let observer = |event: Event| {
        if let Event::Training(Progress::Train {
            epoch,
            images,
            of,
            loss,
        }) = event
        {
            println!("epoch {epoch}: {images} of {of} images, {:.1} nats", loss.loss);
        }
        ControlFlow::Continue(())
    };
    let folder = HeldRun::claim(&folder, false)?;
    let run = Run::begin(folder, config, None, &ImageRequest::folder(images), &observer)?;
    let standing = run.train(&observer)?.finish(&observer)?;
    println!("{} and {} figures", standing.model.display(), standing.figures.len());
    Ok(())
}
