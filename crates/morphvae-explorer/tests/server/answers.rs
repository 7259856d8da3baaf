//! What the server answers to a page, through a real socket.

use std::fs;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::{SHOWN, authority, connect, explorer, facts, get, map, metrics, network, post, request, start};
use base64::prelude::{BASE64_STANDARD, Engine};
use burn::tensor::Device;
use image::{GrayImage, ImageFormat};
use morphvae::data::strokes::strokes;
use morphvae::data::{Fit, Images, decode_image};
use morphvae::evaluation::{Codes, decode, encode};
use morphvae::latent::{Attribute, LatentStatistics};
use morphvae::network::{Architecture, Inference, NetworkConfig, Vae};
use morphvae_explorer::{Explorer, ExplorerError, LatentMap, ModelFacts, Place, ShownImages, Watched, export};
use serde_json::json;

#[test]
fn the_model_is_described() {
    let explorer = explorer(2);
    let reply = get(&explorer, "/api/model");
    let model = reply.json();
    assert_eq!(reply.status, 200);
    assert_eq!(model["latent"], 2);
    assert_eq!((&model["count"], &model["total"]), (&json!(SHOWN), &json!(SHOWN)));
    assert_eq!(model["labelled"], true);
    assert_eq!((&model["watching"], &model["noisy"]), (&json!(false), &json!(true)));
    assert_eq!(model["model_argument"], "");
    assert_eq!(model["classes"].as_array().unwrap().len(), 10);
    assert_eq!(
        (&model["colours"][0], &model["shapes"][0]),
        (&json!("#0570b4"), &json!("disc"))
    );
    for key in ["mean", "deviation", "kl"] {
        assert_eq!(model["statistics"][key].as_array().unwrap().len(), 2);
    }
    // Nothing of the prior is beyond reach.
    for axis in 0..2 {
        let [least, most] = ["least", "most"].map(|end| model["reach"][end][axis].as_f64().unwrap());
        assert!(least <= -3.0 && most >= 3.0, "{least} {most}");
    }
    // All of a plane is filled; of more dimensions, an encoding is a better place to begin at than the mean.
    assert_eq!(model["base"], model["centre"]);
    let space = get(&start(map(3, 1), None), "/api/model").json();
    let base: Vec<f32> = serde_json::from_value(space["base"].clone()).unwrap();
    assert!(map(3, 1).codes().mean.chunks(3).any(|code| code == base));
    assert_eq!(model["components"].as_array().unwrap().len(), 2);
    let typical = model["typical"].as_array().unwrap();
    assert_eq!(typical.len(), 10);
    // Each is the code of an image of its class.
    let map = map(2, 1);
    let labels = map.shown().labels().unwrap();
    for (class, point) in typical.iter().enumerate() {
        let is_it = |code: &[f32]| point[0] == f64::from(code[0]) && point[1] == f64::from(code[1]);
        let mut codes = map.codes().mean.chunks(2).zip(labels);
        assert!(
            codes.any(|(code, &label)| label.map(usize::from) == Some(class) && is_it(code)),
            "{point}"
        );
    }
}

#[test]
fn images_have_names_and_attributes_have_directions() {
    let attribute = Attribute {
        name: "smile".into(),
        model: String::new(),
        images: [1, 1],
        direction: vec![0.5, -2.0],
    };
    let facts = ModelFacts {
        attributes: vec![attribute],
        ..facts()
    };
    let shown = Arc::new(ShownImages::of(&strokes(1, SHOWN, 0).test));
    let codes = encode(&network(2, 1), shown.images()).unwrap();
    let explorer = start(LatentMap::new(network(2, 1), facts, shown, codes).unwrap(), None);
    let expected: Vec<String> = (0..SHOWN).map(|index| format!("test/{index:05}")).collect();
    assert_eq!(get(&explorer, "/api/names").json(), json!(expected));
    let attributes = get(&explorer, "/api/model").json()["attributes"].clone();
    assert_eq!(attributes, json!([{ "name": "smile", "direction": [0.5, -2.0] }]));
}

#[test]
fn points_are_codes_and_labels() {
    let explorer = explorer(3);
    let bytes = get(&explorer, "/api/points").body;
    assert_eq!(bytes.len(), SHOWN * (3 * 4 + 3 * 4 + 2));
    let map = map(3, 1);
    let floats = |numbers: &[f32]| {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    assert_eq!(bytes[..SHOWN * 12], floats(&map.codes().mean));
    assert_eq!(bytes[SHOWN * 12..SHOWN * 24], floats(&map.codes().log_variance));
    let labels = map
        .shown()
        .labels()
        .unwrap()
        .iter()
        .flat_map(|label| label.unwrap().to_le_bytes());
    assert_eq!(bytes[SHOWN * 24..], labels.collect::<Vec<u8>>());
}

#[test]
fn images_without_a_label_are_told_from_the_others() {
    let mut digits = strokes(0, SHOWN, 5).test;
    for label in digits.labels.iter_mut().flatten().step_by(2) {
        *label = None;
    }
    let shown = Arc::new(ShownImages::of(&digits));
    let codes = encode(&network(2, 1), shown.images()).unwrap();
    let map = LatentMap::new(network(2, 1), facts(), shown, codes).unwrap();
    let file = tempfile::tempdir().unwrap();
    let exported = export(&map, &file.path().join("map.html")).unwrap();
    assert_eq!(exported.points, SHOWN);
    let explorer = start(map, None);
    assert_eq!(get(&explorer, "/api/model").json()["labelled"], true);
    let bytes = get(&explorer, "/api/points").body;
    let labels: Vec<u16> = bytes[SHOWN * 16..]
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u16::from_le_bytes(*bytes))
        .collect();
    let expected: Vec<u16> = digits
        .labels
        .unwrap()
        .into_iter()
        .map(|label| label.unwrap_or(65535))
        .collect();
    assert_eq!(labels, expected);
    // The file has the same points.
    let page = fs::read_to_string(file.path().join("map.html")).unwrap();
    assert!(page.contains(&BASE64_STANDARD.encode(&bytes)));
}

#[test]
fn decoded_images_are_the_programs_own() {
    let explorer = explorer(3);
    let points: Vec<[f32; 3]> = (0..200).map(|index| [index as f32 / 50.0 - 2.0, 0.3, -1.0]).collect();
    let expected = decode(&network(3, 1), &points.concat()).unwrap();
    let decoded = post(
        &explorer,
        "/api/decode",
        json!({ "points": points }).to_string().as_bytes(),
    );
    assert_eq!(decoded.status, 200);
    assert!(decoded.headers.contains("content-type: application/octet-stream"));
    assert!(decoded.body == expected.pixels());
    let one = post(
        &explorer,
        "/api/decode",
        json!({ "points": [points[7]] }).to_string().as_bytes(),
    );
    assert!(one.body == expected.image(7));
}

#[test]
fn many_at_once_each_get_their_own_image() {
    let explorer = explorer(2);
    let points: Vec<[f32; 2]> = (0..64).map(|index| [index as f32 / 16.0 - 2.0, 0.7]).collect();
    let expected = decode(&network(2, 1), &points.concat()).unwrap();
    std::thread::scope(|scope| {
        for (index, point) in points.iter().enumerate() {
            let (explorer, expected) = (&explorer, expected.image(index));
            scope.spawn(move || {
                for _ in 0..5 {
                    let reply = post(
                        explorer,
                        "/api/decode",
                        json!({ "points": [point] }).to_string().as_bytes(),
                    );
                    assert!(reply.status == 200 && reply.body == expected);
                }
            });
        }
    });
}

#[test]
fn an_image_is_shown_with_its_reconstruction() {
    let explorer = explorer(2);
    let map = map(2, 1);
    let reply = get(&explorer, "/api/image/11");
    assert_eq!(reply.status, 200);
    let (real, reconstruction) = reply.body.split_at(32 * 32);
    assert!(real == map.shown().image(11, 32).unwrap());
    assert!(reconstruction == decode(&network(2, 1), &map.codes().mean[22..24]).unwrap().pixels());
    for other in [
        format!("/api/image/{SHOWN}"),
        "/api/image/-1".into(),
        "/api/image/1e3".into(),
    ] {
        let reply = get(&explorer, &other);
        assert_eq!(reply.status, 404);
        assert!(reply.error().contains("there are 30"), "{}", reply.error());
    }
}

#[test]
fn bytes_and_files_are_encoded_alike() {
    let explorer = explorer(2);
    let pixels: Vec<u8> = (0..1024_u32).map(|index| (index * 7 % 256) as u8).collect();
    let network = network(2, 1);
    let codes = encode(&network, &Images::new(1, 32, 32, pixels.clone()).unwrap()).unwrap();
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = GrayImage::from_raw(32, 32, pixels.clone()).unwrap();
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    for (address, body) in [("/api/encode/pixels", &pixels[..]), ("/api/encode", &file.into_inner())] {
        let reply = post(&explorer, address, body);
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let json = reply.json();
        let numbers = |key: &str| -> Vec<f32> {
            json[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|number| number.as_f64().unwrap() as f32)
                .collect()
        };
        assert_eq!(numbers("mean"), codes.mean);
        assert_eq!(numbers("log_variance"), codes.log_variance);
        let bytes = |key: &str| BASE64_STANDARD.decode(json[key].as_str().unwrap()).unwrap();
        assert!(bytes("input") == pixels);
        assert!(bytes("image") == decode(&network, &codes.mean).unwrap().pixels());
    }
}

#[test]
fn a_file_as_long_as_the_pixels_of_an_image_is_a_file() {
    let explorer = explorer(2);
    let mut file = std::io::Cursor::new(Vec::new());
    GrayImage::from_pixel(32, 32, image::Luma([200]))
        .write_to(&mut file, ImageFormat::Png)
        .unwrap();
    // What follows a PNG's end means nothing.
    let mut file = file.into_inner();
    assert!(file.len() < 1024);
    file.resize(1024, 0);
    let headers = "Content-Type: application/octet-stream\r\n";
    let reply = request(&explorer, "POST", "/api/encode", headers, &file);
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let input = BASE64_STANDARD.decode(reply.json()["input"].as_str().unwrap()).unwrap();
    assert!(input == [200; 1024]);
    let short = post(&explorer, "/api/encode/pixels", &file[..1023]);
    assert_eq!(short.status, 400);
    assert_eq!(short.error(), "there are 1023 bytes: the pixels of an image are 1024");
}

#[test]
fn an_image_file_becomes_square_as_the_models_own_did() {
    let picture = GrayImage::from_fn(96, 32, |x, y| image::Luma([(2 * x + y) as u8]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    let file = file.into_inner();
    let mut seen = Vec::new();
    for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
        let network = network(2, 1);
        let codes = encode(&network, ShownImages::none(1).images()).unwrap();
        let facts = ModelFacts { fit, ..facts() };
        let map = LatentMap::new(network, facts, ShownImages::none(1).into(), codes).unwrap();
        let explorer = start(map, None);
        let json = post(&explorer, "/api/encode", &file).json();
        let input = BASE64_STANDARD.decode(json["input"].as_str().unwrap()).unwrap();
        assert!(input == decode_image(&file, 32, 1, fit).unwrap().pixels(), "{fit:?}");
        seen.push(input);
    }
    assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
}

#[test]
fn a_path_goes_through_its_keys_in_so_many_frames() {
    let explorer = explorer(2);
    let keys = json!([[-1.0, 0.5], [1.0, 0.25], [0.0, -2.0]]);
    for (kind, cycle) in [
        ("line", true),
        ("spherical", false),
        ("spline", true),
        ("geodesic", false),
    ] {
        let body = json!({ "keys": keys, "path": kind, "cycle": cycle, "frames": 40 }).to_string();
        let reply = post(&explorer, "/api/path", body.as_bytes());
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let json = reply.json();
        assert_eq!(json["points"].as_array().unwrap().len(), 40);
        for (number, frame) in json["keys"].as_array().unwrap().iter().enumerate() {
            assert_eq!(json["points"][frame.as_u64().unwrap() as usize], keys[number], "{kind}");
        }
        assert!(json["motion"]["ratio"].as_f64().unwrap() >= 1.0);
        assert_eq!(json["keys"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn a_model_without_images_is_shown_too() {
    let network = network(2, 1);
    let codes = encode(&network, ShownImages::none(1).images()).unwrap();
    let map = LatentMap::new(network, ModelFacts::default(), ShownImages::none(1).into(), codes).unwrap();
    let explorer = start(map, None);
    let model = get(&explorer, "/api/model").json();
    assert_eq!((&model["count"], &model["labelled"]), (&json!(0), &json!(false)));
    assert_eq!(model["statistics"]["deviation"], json!([1.0, 1.0]));
    assert_eq!(get(&explorer, "/api/points").body, b"");
    assert_eq!(get(&explorer, "/api/image/0").status, 404);
    let points = json!({ "points": [[-1, 1], [1, 1], [-1, -1], [1, -1]] }).to_string();
    assert_eq!(post(&explorer, "/api/decode", points.as_bytes()).body.len(), 4 * 1024);
}

#[test]
fn without_images_the_map_lies_where_the_model_says_that_they_lie() {
    let codes = encode(&network(3, 1), ShownImages::none(1).images()).unwrap();
    let statistics = LatentStatistics {
        mean: vec![5.0, -1.0, 0.0],
        variance: vec![4.0, 1.0, 0.25],
        kl: vec![1.0; 3],
        central: vec![4.0, 0.0, 0.5],
        classes: Vec::new(),
    };
    let facts = ModelFacts {
        statistics: Some(statistics),
        ..facts()
    };
    let map = LatentMap::new(network(3, 1), facts, ShownImages::none(1).into(), codes).unwrap();
    let model = get(&start(map, None), "/api/model").json();
    assert_eq!(model["centre"], json!([5.0, -1.0, 0.0]));
    assert_eq!(model["base"], json!([4.0, 0.0, 0.5]));
    assert_eq!(model["statistics"]["deviation"], json!([2.0, 1.0, 0.5]));
}

#[test]
fn the_page_is_given_out_and_may_load_from_here_only() {
    let explorer = explorer(2);
    for path in ["/", "/page/index.html", "/api/model", "/nothing"] {
        let headers = get(&explorer, path).headers;
        for line in [
            "cache-control: no-store",
            "x-content-type-options: nosniff",
            "default-src 'none'; script-src 'self'",
        ] {
            assert!(headers.contains(line), "{path}: {headers}");
        }
    }
    let page = get(&explorer, "/");
    assert!(
        page.headers.contains("content-type: text/html; charset=utf-8") && page.body.starts_with(b"<!doctype html>")
    );
}

#[test]
fn who_watches_a_training_sees_every_epoch_and_the_map_after_it() {
    let watched = Watched {
        epochs: 3,
        history: vec![metrics(1)],
    };
    let explorer = start(map(2, 1), Some(watched));
    assert_eq!(get(&explorer, "/api/model").json()["watching"], true);
    let mut stream = connect(&explorer);
    let request = format!("GET /api/watch HTTP/1.1\r\nHost: {}\r\n\r\n", authority(&explorer));
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    let mut wait_for = |word: &str| {
        let begin = Instant::now();
        while !text.contains(word) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{text}");
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "the stream ended: {text}");
            text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        assert!(text.contains("text/event-stream"), "{text}");
    };
    wait_for("event: epoch\ndata: {\"epoch\":1,\"epochs\":3,\"metrics\":{");
    explorer.publish(map(2, 9), &metrics(2));
    wait_for("event: epoch\ndata: {\"epoch\":2,\"epochs\":3,\"metrics\":{");
    let decoded = post(&explorer, "/api/decode", br#"{"points":[[0.5,0.5]]}"#);
    assert!(decoded.body == decode(&network(2, 9), &[0.5, 0.5]).unwrap().pixels());
    // Somebody who watches does not keep the server from stopping, and is told of the end.
    explorer.stop();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
}

#[test]
fn a_port_that_is_taken_is_an_error_when_it_was_asked_for() {
    let first = explorer(2);
    let port = authority(&first).rsplit(':').next().unwrap().parse().unwrap();
    let place = Place {
        port: Some(port),
        ..Place::default()
    };
    let error = Explorer::start(&place, map(2, 1), None).unwrap_err();
    assert!(matches!(error, ExplorerError::Bind { .. }));
    assert!(error.to_string().contains("choose another host or port"), "{error}");
    // The usual one may be taken by anybody; then there is another.
    let [one, two] = [(), ()].map(|()| Explorer::start(&Place::default(), map(2, 1), None).unwrap());
    assert_ne!(one.url(), two.url());
    assert_eq!(get(&two, "/").status, 200);
    // A stopped server's port is free again.
    drop(first);
    assert!(Explorer::start(&place, map(2, 1), None).is_ok());
}

#[test]
fn a_conditional_network_draws_the_class_that_is_asked_for() {
    let config = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 2 },
        classes: 10,
        ..NetworkConfig::default()
    };
    let network = || Inference::new(&Vae::new(config.clone(), 1, &Device::flex()).unwrap());
    let digits = strokes(0, SHOWN, 5).test;
    let shown = Arc::new(ShownImages::of(&digits));
    let codes = encode(&network(), shown.examples()).unwrap();
    // Codes that were found without a class are no codes of this network.
    let bare = Codes {
        classes: Vec::new(),
        ..codes.clone()
    };
    assert!(LatentMap::new(network(), facts(), Arc::clone(&shown), bare).is_err());
    let map = LatentMap::new(network(), facts(), shown, codes.clone()).unwrap();
    let file = tempfile::tempdir().unwrap();
    export(&map, &file.path().join("map.html")).unwrap();
    let explorer = start(map, None);
    assert_eq!(get(&explorer, "/api/model").json()["given"], 0);
    let decoded = |given: &str| {
        let body = format!("{{\"points\": [[0.4, -1.0]]{given}}}");
        post(&explorer, "/api/decode", body.as_bytes()).body
    };
    let expected = |class: u16| decode(&network().given(class).unwrap(), &[0.4, -1.0]).unwrap();
    assert!(decoded(", \"given\": 7") == expected(7).pixels() && decoded("") == expected(0).pixels());
    assert!(expected(7) != expected(0));
    // An image is given back as what it is.
    let reply = get(&explorer, "/api/image/3").body;
    let rebuilt = decode(&network(), &config.points(&codes.mean[6..8], &codes.classes[3..4])).unwrap();
    assert!(reply[reply.len() / 2..] == *rebuilt.pixels());
    let path = |given: &str| {
        let keys = "[[0.0, 0.0], [1.0, -1.0]]";
        let body = format!("{{\"keys\": {keys}, \"path\": \"geodesic\", \"cycle\": false, \"frames\": 5{given}}}");
        post(&explorer, "/api/path", body.as_bytes())
    };
    assert_eq!(path(", \"given\": 3").json()["points"][4].as_array().unwrap().len(), 2);
    for reply in [
        path(", \"given\": 10"),
        post(&explorer, "/api/decode", b"{\"points\": [[0, 0]], \"given\": 10}"),
    ] {
        assert!(
            reply.status == 400 && reply.error().contains("no class 10"),
            "{}",
            reply.error()
        );
    }
}
