//! Where grids and traversals run.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

/// Where images lie, by what `encode` writes.
struct Encodings {
    /// The middle of each dimension.
    means: Vec<f64>,
    /// The standard deviation of each dimension.
    deviations: Vec<f64>,
    /// The encoding that is fewest deviations off the mean.
    central: Vec<f64>,
}

fn encodings(desk: &Desk, run: &str, latent: usize) -> Encodings {
    desk.succeed(&format!("encode {run} --out {run}.csv --quiet"));
    let text = fs::read_to_string(desk.path(&format!("{run}.csv"))).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| {
            line.split(',')
                .skip(2)
                .take(latent)
                .map(|field| field.parse().unwrap())
                .collect()
        })
        .collect();
    let of = |dimension: usize| {
        let values = || rows.iter().map(|row| row[dimension]);
        let mean = values().sum::<f64>() / rows.len() as f64;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows.len() as f64;
        [mean, variance.sqrt()]
    };
    let known: Vec<[f64; 2]> = (0..latent).map(of).collect();
    let widest = known.iter().map(|[_, deviation]| *deviation).fold(0.0, f64::max);
    let distance = |row: &Vec<f64>| -> f64 {
        let dimensions = row
            .iter()
            .zip(&known)
            .filter(|(_, [_, deviation])| *deviation > 0.1 * widest);
        dimensions
            .map(|(value, [mean, deviation])| ((value - mean) / deviation).powi(2))
            .sum()
    };
    let central = rows
        .iter()
        .min_by(|one, other| distance(one).total_cmp(&distance(other)));
    Encodings {
        means: known.iter().map(|[mean, _]| *mean).collect(),
        deviations: known.iter().map(|[_, deviation]| *deviation).collect(),
        central: central.unwrap().clone(),
    }
}

fn report(desk: &Desk, line: &str) -> Value {
    serde_json::from_str(&desk.succeed(&format!("{line} --json --quiet --force"))).unwrap()
}

/// A model's card and the rest of what is told of it.
fn report_info(desk: &Desk, model: &str) -> Value {
    serde_json::from_str(&desk.succeed(&format!("info {model} --json"))).unwrap()
}

/// The same weights with a changed header.
fn with_header(bytes: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, tensors) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    change(&mut header);
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat()
}

/// The model as an earlier version would have written it.
fn forget_central(bytes: &[u8]) -> Vec<u8> {
    with_header(bytes, |header| {
        let mut card: Value = serde_json::from_str(header["__metadata__"]["morphvae"].as_str().unwrap()).unwrap();
        card["latent_statistics"]
            .as_object_mut()
            .unwrap()
            .remove("central")
            .unwrap();
        header["__metadata__"]["morphvae"] = card.to_string().into();
    })
}

fn assert_near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!(
        (found - expected).abs() < 1e-4 * expected.abs().max(1.0),
        "{found} {expected}"
    );
}

#[test]
fn pictures_of_many_dimensions_run_where_the_encodings_lie() {
    let desk = Desk::new();
    for objective in ["vae", "ae"] {
        desk.trained(
            objective,
            &format!("--epochs 1 --grid 3 --latent 5 --objective {objective}"),
        );
        let known = encodings(&desk, objective, 5);
        let grid = report(&desk, &format!("grid {objective} --axes 2,4 --size 3"));
        assert_eq!(grid["around"], "encodings");
        for (dimension, value) in known.central.iter().enumerate() {
            let expected = if [1, 3].contains(&dimension) { 0.0 } else { *value };
            assert_near(&grid["origin"][dimension], expected);
        }
        // The quantiles of 1/6, 1/2 and 5/6.
        for (key, dimension, edge) in [("columns", 1, -0.967_422), ("rows", 3, 0.967_422)] {
            let (middle, deviation) = (known.means[dimension], known.deviations[dimension]);
            assert_near(&grid[key][0], middle + edge * deviation);
            assert_near(&grid[key][1], middle);
            assert_near(&grid[key][2], middle - edge * deviation);
        }
        let rows = report(&desk, &format!("grid {objective} --traverse --size 3 --range 2"));
        assert_eq!(rows["around"], "encodings");
        assert_eq!(rows["columns"], serde_json::json!([-2.0, 0.0, 2.0]));
        for shown in rows["shown"].as_array().unwrap() {
            let dimension = shown["dimension"].as_u64().unwrap() as usize - 1;
            let (middle, deviation) = (known.means[dimension], known.deviations[dimension]);
            assert_near(&shown["values"][0], middle - 2.0 * deviation);
            assert_near(&shown["values"][2], middle + 2.0 * deviation);
            assert_near(&rows["base"][dimension], known.central[dimension]);
        }
        // Unless it is told otherwise, along the two dimensions that reach farthest.
        let mut order: Vec<usize> = (0..5).collect();
        order.sort_by(|&one, &other| known.deviations[other].total_cmp(&known.deviations[one]));
        let (mut widest, line) = ([order[0], order[1]], format!("grid {objective} --size 3"));
        widest.sort_unstable();
        let grid = report(&desk, &line);
        assert_eq!(grid["along"], serde_json::json!(widest.map(|axis| axis + 1)));
        for (key, dimension) in [("columns", widest[0]), ("rows", widest[1])] {
            assert_near(&grid[key][1], known.means[dimension]);
        }
        let said = String::from_utf8(desk.run(&format!("{line} --force")).stderr).unwrap();
        let [one, other] = widest.map(morphvae::figures::dimension_name);
        assert!(said.contains(&format!("along {one} and {other}, in which")), "{said}");
        // The plane of the components lies around the encodings' mean and goes through the central one: what is between
        // the two stands on the plane.
        let grid = report(&desk, &format!("grid {objective} --components 1,2 --size 3"));
        assert_eq!(grid["along"], serde_json::json!([1, 2]));
        let numbers = |value: &Value| -> Vec<f64> {
            let numbers = value.as_array().unwrap().iter();
            numbers.map(|number| number.as_f64().unwrap()).collect()
        };
        let from_origin = |point: &[f64]| -> Vec<f64> {
            let pairs = point.iter().zip(numbers(&grid["origin"]));
            pairs.map(|(value, origin)| value - origin).collect()
        };
        let along = |axis: usize, offset: &[f64]| -> f64 {
            let pairs = numbers(&grid["directions"][axis]).into_iter().zip(offset);
            pairs.map(|(part, value)| part * value).sum()
        };
        let to_central = from_origin(&known.central);
        let beside: f64 = to_central.iter().map(|value| value * value).sum::<f64>()
            - [0, 1].map(|axis| along(axis, &to_central).powi(2)).iter().sum::<f64>();
        assert!(
            beside.abs() < 1e-6 * to_central.iter().map(|value| value * value).sum::<f64>().max(1.0),
            "{beside}"
        );
        for (axis, key) in ["columns", "rows"].into_iter().enumerate() {
            let middle = along(axis, &from_origin(&known.means));
            assert!((middle - grid[key][1].as_f64().unwrap()).abs() < 1e-4, "{middle}");
        }
        // A file of an earlier version knows of none, and has the mean.
        let central = known.central.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let without = format!("{objective}-old.safetensors");
        let bytes = fs::read(desk.path(&format!("{objective}/model.safetensors"))).unwrap();
        fs::write(desk.path(&without), forget_central(&bytes)).unwrap();
        let grid = report(&desk, &format!("grid {without} --axes 2,4 --size 3"));
        let info = report_info(&desk, objective);
        assert_eq!(info["card"]["latent_statistics"]["central"], serde_json::json!(central));
        for dimension in [0, 2, 4] {
            let mean = &info["card"]["latent_statistics"]["mean"][dimension];
            assert_near(&grid["origin"][dimension], mean.as_f64().unwrap());
        }
    }
}

#[test]
fn pictures_of_a_plane_run_over_the_prior() {
    let desk = Desk::new();
    let grid = report(&desk, "grid --size 3");
    assert_eq!(
        (&grid["around"], &grid["origin"]),
        (&"prior".into(), &serde_json::json!([0.0, 0.0]))
    );
    assert_near(&grid["columns"][0], -0.967_422);
    assert_eq!(
        report(&desk, "grid --traverse --size 3")["shown"][0]["values"],
        serde_json::json!([-3.0, 0.0, 3.0])
    );
}

#[test]
fn without_a_card_images_say_where_they_lie_if_there_are_any() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 3 --latent 3");
    let mean = report_info(&desk, "run")["card"]["latent_statistics"]["mean"][2]
        .as_f64()
        .unwrap();
    // The same weights without what is known of them.
    let bytes = fs::read(desk.path("run/model.safetensors")).unwrap();
    let bare = with_header(&bytes, |header| {
        header.as_object_mut().unwrap().remove("__metadata__").unwrap();
    });
    fs::write(desk.path("bare.safetensors"), bare).unwrap();

    desk.succeed("data export --dataset strokes --limit 60 --seed 1 --out others --quiet");
    let images = "--images others";
    let grid = report(&desk, &format!("grid bare.safetensors --size 2 {images}"));
    assert_eq!(grid["around"], "encodings");
    // Of other strokes than the run's sixty, but of the same kind.
    assert!((grid["origin"][2].as_f64().unwrap() - mean).abs() < 0.5, "{grid}");
    let nowhere = "--offline --data-dir nowhere";
    let grid = report(&desk, &format!("grid bare.safetensors --size 2 {nowhere}"));
    assert_eq!((&grid["around"], &grid["origin"][2]), (&"prior".into(), &0.0.into()));
    let rows = report(&desk, &format!("grid bare.safetensors --traverse --size 3 {nowhere}"));
    assert_eq!(rows["shown"][2]["values"], serde_json::json!([-3.0, 0.0, 3.0]));
}
