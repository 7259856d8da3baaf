use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use flate2::read::DeflateDecoder;
use morphvae::data::strokes::strokes;
use morphvae::evaluation::encode;
use morphvae::model::TrainedModel;
use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};
use serde_json::Value;

use super::*;
use crate::{ModelFacts, ShownImages};

fn network(latent: usize, channels: usize) -> Inference {
    let config = NetworkConfig {
        latent,
        channels,
        architecture: Architecture::Reference { base_channels: 2 },
        ..NetworkConfig::default()
    };
    Inference::new(&Vae::new(config, 3, &Device::flex()).unwrap())
}

fn map(network: Inference, shown: ShownImages) -> LatentMap {
    let codes = encode(&network, shown.images()).unwrap();
    LatentMap::new(network, ModelFacts::default(), Arc::new(shown), codes).unwrap()
}

fn strokes_map(network: Inference) -> LatentMap {
    map(network, ShownImages::of(&strokes(60, 30, 0).test))
}

/// What a file holds for its page.
fn embedded(path: &Path) -> Value {
    let page = fs::read_to_string(path).unwrap();
    let start = "<script id=\"morphvae-data\" type=\"application/json\">";
    let data = page.split(start).nth(1).unwrap();
    serde_json::from_str(data.split("</script>").next().unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

fn inflated(value: &Value) -> Vec<u8> {
    let mut found = Vec::new();
    DeflateDecoder::new(&bytes(value)[..]).read_to_end(&mut found).unwrap();
    found
}

#[test]
fn the_bundled_network_is_rounded_to_less_than_the_eye_sees() {
    let bytes = include_bytes!("../../../../models/mnist-2d.safetensors");
    let model = TrainedModel::from_bytes(bytes, "bundled", &Device::flex()).unwrap();
    let rounded = Rounded::of(&model.network);
    let map = strokes_map(Inference::new(&model.network));
    let difference = Difference::between(map.network(), &rounded.network, map.reach());
    assert!(difference.mean < 0.5 && difference.worst <= 8, "{difference:?}");
    let shift = Shift::between(&map, &rounded.network);
    assert!(shift.mean < 0.02, "{shift:?}");
    // In text it is a third larger.
    assert!(rounded.packed.len() < 5_300_000, "{} bytes", rounded.packed.len());
}

#[test]
fn a_file_holds_everything_and_says_how_close_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.html");
    for latent in [1, 2, 5] {
        let map = strokes_map(network(latent, 1));
        let exported = export(&map, &path).unwrap();
        assert_eq!(exported.bytes, fs::metadata(&path).unwrap().len());
        assert_eq!(exported.points, 30);
        assert!(exported.difference.worst < 4, "{exported:?}");

        let embedded = embedded(&path);
        assert_eq!(embedded["model"]["count"], 30);
        assert_eq!(embedded["difference"]["worst"], exported.difference.worst);
        assert_eq!(bytes(&embedded["points"]), map.points());
        let pictures = inflated(&embedded["pictures"]);
        assert_eq!(pictures.len(), 30 * 32 * 32);
        assert_eq!(pictures[..1024], map.shown().image(0, 32).unwrap());
        // A step for each column, a bias for each output, and two bytes a weight.
        let weights = inflated(&embedded["network"]["weights"]);
        assert!(weights.len() > 2 * exported.weights && weights.len() < 3 * exported.weights);
    }
}

#[test]
fn a_model_without_images_is_exported_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.html");
    let exported = export(&map(network(2, 3), ShownImages::none(3)), &path).unwrap();
    assert_eq!((exported.points, exported.shift.mean), (0, 0.0));
}
