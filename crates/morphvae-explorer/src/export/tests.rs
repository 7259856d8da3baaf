use std::fs;
use std::io::Read;
use std::sync::Arc;

use burn::tensor::Device;
use flate2::read::DeflateDecoder;
use morphvae::data::strokes::strokes;
use morphvae::evaluation::{Codes, encode};
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

/// A network that has learned something: the bundled model's, around the middle of its plane.
fn learned() -> (Inference, Plane) {
    let bytes = include_bytes!("../../../../models/mnist-2d.safetensors");
    let model = TrainedModel::from_bytes(bytes, "bundled", &Device::flex()).unwrap();
    let plane = Plane {
        origin: vec![0.0; 2],
        directions: [vec![1.0, 0.0], vec![0.0, 1.0]],
        least: [-1.5, -1.0],
        most: [1.5, 1.0],
    };
    (Inference::new(&model.network), plane)
}

#[test]
fn a_mixture_at_a_corner_is_what_the_decoder_says_there() {
    let (network, plane) = learned();
    let mut survey = Survey::new(&network, &plane);
    let levels = survey.split(32).unwrap();
    let atlas = survey.pack(levels);
    for shares in [[0.0, 0.0], [1.0, 1.0], [0.5, 0.0], [0.25, 1.0]] {
        let decoded = decode(&network, &plane.point(plane.at(shares))).unwrap();
        for (mixed, &decoded) in atlas.mix(shares).into_iter().zip(decoded.image(0)) {
            assert!(mixed.abs_diff(decoded) <= 1, "{mixed} for {decoded} at {shares:?}");
        }
    }
}

#[test]
fn a_closer_tolerance_gives_a_closer_atlas() {
    let (network, plane) = learned();
    let mut survey = Survey::new(&network, &plane);
    let mut differences = Vec::new();
    for tolerance in [24, 4] {
        let levels = survey.split(tolerance).unwrap();
        let atlas = survey.pack(levels);
        let difference = compare(&network, &plane, &atlas);
        assert!(
            difference.mean <= f64::from(tolerance) && difference.worst <= 2 * tolerance,
            "{difference:?}"
        );
        differences.push((atlas.count(), difference.worst));
    }
    assert!(
        differences[1].0 > differences[0].0 && differences[1].1 < differences[0].1,
        "{differences:?}"
    );
}

#[test]
fn every_split_is_told_and_every_image_is_there_once() {
    for (latent, channels) in [(1, 1), (2, 3)] {
        let network = network(latent, channels);
        let codes = Codes {
            latent,
            ..Codes::default()
        };
        let plane = Plane::of(&codes, None);
        assert_eq!(plane.is_line(), latent == 1);
        let mut survey = Survey::new(&network, &plane);
        let levels = survey.split(8).unwrap();
        let atlas = survey.pack(levels);
        let parts = if latent == 1 { 2 } else { 4 };
        let [columns, rows] = atlas.roots.map(|count| count as usize);
        let split = atlas.splits.iter().filter(|&&flag| flag == 1).count();
        assert_eq!(atlas.splits.len(), columns * rows + parts * split);
        assert_eq!(atlas.residuals.len(), atlas.count() * network.config().image_length());
    }
}

fn map(network: Inference, shown: ShownImages) -> LatentMap {
    let codes = encode(&network, shown.images()).unwrap();
    LatentMap::new(network, ModelFacts::default(), Arc::new(shown), codes).unwrap()
}

#[test]
fn a_file_holds_everything_and_says_how_close_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.html");
    for latent in [1, 2, 5] {
        let map = map(network(latent, 1), ShownImages::of(&strokes(60, 30, 0).test));
        let exported = export(&map, &path).unwrap();
        let page = fs::read_to_string(&path).unwrap();
        assert_eq!(exported.bytes, page.len() as u64);
        assert!(
            exported.bytes < 4_000_000 && exported.points == 30 && exported.difference.worst < 24,
            "{exported:?}"
        );

        let embedded = page
            .split("<script id=\"morphvae-data\" type=\"application/json\">")
            .nth(1)
            .unwrap();
        let embedded: Value = serde_json::from_str(embedded.split("</script>").next().unwrap()).unwrap();
        assert_eq!(embedded["model"]["count"], 30);
        assert_eq!(embedded["atlas"]["count"], exported.images);
        let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
        assert_eq!(bytes(&embedded["points"]), map.points());
        let mut pictures = Vec::new();
        DeflateDecoder::new(&bytes(&embedded["pictures"])[..])
            .read_to_end(&mut pictures)
            .unwrap();
        assert_eq!(pictures.len(), 30 * 2 * 32 * 32);
        assert_eq!(pictures[..1024], map.shown().image(0, 32).unwrap());
        assert_eq!(
            pictures[1024..2048],
            *decode(map.network(), &map.codes().mean[..latent]).unwrap().image(0)
        );
    }
}

#[test]
fn a_model_without_images_is_exported_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let exported = export(
        &map(network(2, 3), ShownImages::none(3)),
        &folder.path().join("map.html"),
    )
    .unwrap();
    assert_eq!(exported.points, 0);
}
