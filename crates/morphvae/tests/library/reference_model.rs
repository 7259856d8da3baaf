//! A model trained by PyTorch, read here: what it encodes and decodes is what PyTorch said.
//!
//! Needs `reference/mnist-2d.pth` and `.npz` in the folder that `MORPHVAE_SHARED` names; skips without.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use morphvae::model::TrainedModel;
use morphvae::network::Condition;

/// An array of 32-bit floats from an NPZ file.
fn array(archive: &mut zip::ZipArchive<File>, name: &str) -> Vec<f32> {
    let mut bytes = Vec::new();
    archive
        .by_name(&format!("{name}.npy"))
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let numbers = bytes[header..].chunks_exact(4);
    numbers
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

#[test]
fn a_pytorch_model_gives_pytorchs_results() {
    let shared = std::env::var_os("MORPHVAE_SHARED").map(PathBuf::from);
    let reference = shared.map(|shared| shared.join("reference"));
    let Some(reference) = reference.filter(|folder| folder.join("mnist-2d.npz").is_file()) else {
        println!("skipped: MORPHVAE_SHARED names no folder with reference/mnist-2d.npz");
        return;
    };
    let (weights, results) = (reference.join("mnist-2d.pth"), reference.join("mnist-2d.npz"));
    let device = Device::flex();
    let network = TrainedModel::read(&weights, &device).unwrap().network;
    let mut archive = zip::ZipArchive::new(File::open(results).unwrap()).unwrap();
    let images = TensorData::new(array(&mut archive, "images"), [16, 1, 32, 32]);
    let posterior = network.encode(Tensor::<4>::from_data(images, &device), &Condition::none());
    let latents = TensorData::new(array(&mut archive, "z"), [16, 2]);
    let decoded = network.decode(Tensor::<2>::from_data(latents, &device));
    for (name, found) in [
        ("mean", posterior.mean.flatten::<1>(0, 1)),
        ("log_variance", posterior.log_variance.flatten::<1>(0, 1)),
        ("decoded", decoded.flatten::<1>(0, 3)),
    ] {
        let found: Vec<f32> = found.into_data().try_into_vec().unwrap();
        let truth = array(&mut archive, name);
        assert_eq!(found.len(), truth.len());
        let worst = found.iter().zip(&truth).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name}: at most {worst:.1e} away");
        assert!(worst <= 1e-4, "{name} is {worst} away");
    }
}
