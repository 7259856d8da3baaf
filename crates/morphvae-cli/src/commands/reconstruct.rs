//! `morphvae reconstruct`

use image::{Rgb, RgbImage};
use morphvae::data::Images;
use morphvae::evaluation::reconstruct;
use morphvae::figures::write_png;
use serde_json::json;

use crate::Usage;
use crate::arguments::ReconstructArguments;
use crate::console::Console;
use crate::images::split;
use crate::model::Model;

pub fn run(arguments: &ReconstructArguments, console: Console) -> anyhow::Result<()> {
    if arguments.out.exists() && !arguments.force {
        return Err(Usage::exists(&arguments.out).into());
    }
    let model = Model::open(&arguments.model, console)?;
    let dataset = model.dataset(&arguments.images, arguments.limit, console)?;
    let split = split(dataset, arguments.split);
    let images = reconstruct(&model.inference(), &split.images)?;
    for index in 0..images.count() {
        write_png(&arguments.out.join(format!("{index:05}.png")), &picture(&images, index))?;
    }
    console.note(format!("{} images in {}", images.count(), arguments.out.display()));
    if arguments.json {
        console.json(&json!({ "images": images.count(), "out": arguments.out }))?;
    }
    Ok(())
}

fn picture(images: &Images, index: usize) -> RgbImage {
    let (width, plane, bytes) = (images.width(), images.width() * images.height(), images.image(index));
    RgbImage::from_fn(width as u32, images.height() as u32, |x, y| {
        let place = y as usize * width + x as usize;
        // A grey image has one plane, which stands for all three.
        Rgb([0, 1, 2].map(|channel| bytes[(channel * plane + place) % bytes.len().max(1)]))
    })
}
