//! Opens a model and writes a clip: `cargo run --release --example morph -- clip.gif 2 4 9`.

use std::error::Error;
use std::path::PathBuf;

use morphvae::figures::clip::Look;
use morphvae::studio::{ImageRequest, Keys, Model, Morph, Stop, unobserved};

fn main() -> Result<(), Box<dyn Error>> {
    // A run's folder or a weight file is opened with `Model::open`.
    let model = Model::bundled()?;
    let mut words = std::env::args_os().skip(1);
    let clip = PathBuf::from(words.next().ok_or("name the clip, and keys")?);
    let stops = words.map(Stop::at).collect();
    let images = ImageRequest::default();
    let mut keys = Keys::new(&model, &images, 0, &unobserved);
    let walk = Morph::through(stops).walk(&mut keys, &unobserved)?;
    let timing = walk.write(&clip, &Look::default(), &unobserved)?;
    println!("{timing}, through {}", walk.names.join(", "));
    Ok(())
}
