//! Finds anew what stands for each class of a model, among the test images that it was judged on, without training it:
//! `cargo run --release --example typical -- models/mnist-2d.safetensors data`

use std::error::Error;
use std::path::Path;

use burn::tensor::Device;
use morphvae::data::catalogue;
use morphvae::evaluation::encode;
use morphvae::latent::typical_members;
use morphvae::model::TrainedModel;
use morphvae::network::Inference;
use morphvae::weights::Precision;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, data_dir] = arguments.as_slice() else {
        return Err("give the model, in half precision, and the folder of the known data sets".into());
    };
    let path = Path::new(path);
    let model = TrainedModel::read(path, &Device::flex())?;
    let mut card = model
        .card
        .ok_or("this model has no card: it was not trained by this program")?;
    let test = catalogue::find(&card.dataset)?.load(Path::new(data_dir))?.test;
    let network = Inference::new(&model.network);
    let codes = encode(&network, &test.images)?;
    let labels = test.labels.unwrap_or_default();
    let members = typical_members(&network, &codes.mean, &test.images, &labels, card.classes.len());
    for (class, member) in card.latent_statistics.classes.iter_mut().zip(members) {
        let code = |index: usize| codes.mean[index * codes.latent..][..codes.latent].to_vec();
        class.typical = member.map_or_else(Vec::new, code);
        println!("{}: test image {member:?} at {:?}", class.name, class.typical);
    }
    TrainedModel::write(&model.network, &card, path, Precision::Half)?;
    Ok(())
}
