//! Writes a model in half precision, as the one that is compiled into the program:
//! `cargo run --release --example halve -- runs/mnist-2d/model.safetensors models/mnist-2d.safetensors`

use std::error::Error;
use std::path::Path;

use burn::tensor::Device;
use morphvae::model::TrainedModel;
use morphvae::weights::Precision;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("give the model to read and the file to write".into());
    };
    let model = TrainedModel::read(Path::new(from), &Device::flex())?;
    let card = model
        .card
        .ok_or("this model has no card: it was not trained by this program")?;
    TrainedModel::write(&model.network, &card, Path::new(to), Precision::Half)?;
    Ok(())
}
