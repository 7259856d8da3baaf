//! Where grids and traversals run.

use std::fs;

use serde_json::Value;

use crate::TINY;
use crate::desk::Desk;

/// Mean and standard deviation of each dimension of the encodings, as `encode` writes them.
fn encodings(desk: &Desk, run: &str, latent: usize) -> Vec<[f64; 2]> {
    desk.succeed(&format!("encode {run} --out {run}.csv --quiet"));
    let text = fs::read_to_string(desk.path(&format!("{run}.csv"))).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|field| field.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    let of = |dimension: usize| {
        let values = || rows.iter().map(|row| row[2 + dimension]);
        let mean = values().sum::<f64>() / rows.len() as f64;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / rows.len() as f64;
        [mean, variance.sqrt()]
    };
    (0..latent).map(of).collect()
}

fn report(desk: &Desk, line: &str) -> Value {
    serde_json::from_str(&desk.succeed(&format!("{line} --json --quiet --force"))).unwrap()
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
        desk.succeed(&format!(
            "train {TINY} --epochs 1 --latent 5 --objective {objective} --grid 3 --out {objective}"
        ));
        let known = encodings(&desk, objective, 5);
        let grid = report(&desk, &format!("grid {objective} --axes 2,4 --size 3"));
        assert_eq!(grid["around"], "encodings");
        for (dimension, [mean, _]) in known.iter().enumerate() {
            let expected = if [1, 3].contains(&dimension) { 0.0 } else { *mean };
            assert_near(&grid["origin"][dimension], expected);
        }
        // The quantiles of 1/6, 1/2 and 5/6.
        for (key, [mean, deviation], edge) in [("columns", known[1], -0.967_422), ("rows", known[3], 0.967_422)] {
            assert_near(&grid[key][0], mean + edge * deviation);
            assert_near(&grid[key][1], mean);
            assert_near(&grid[key][2], mean - edge * deviation);
        }
        let rows = report(&desk, &format!("grid {objective} --traverse --size 3 --range 2"));
        assert_eq!(rows["around"], "encodings");
        assert_eq!(rows["columns"], serde_json::json!([-2.0, 0.0, 2.0]));
        for shown in rows["shown"].as_array().unwrap() {
            let dimension = shown["dimension"].as_u64().unwrap() as usize - 1;
            let [mean, deviation] = known[dimension];
            assert_near(&shown["values"][0], mean - 2.0 * deviation);
            assert_near(&shown["values"][2], mean + 2.0 * deviation);
            assert_near(&rows["base"][dimension], mean);
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
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 3 --grid 3 --out run"));
    let [mean, _] = encodings(&desk, "run", 3)[2];
    // The same weights without what is known of them.
    let bytes = fs::read(desk.path("run/model.safetensors")).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, tensors) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    header.as_object_mut().unwrap().remove("__metadata__").unwrap();
    let header = header.to_string();
    let bare = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat();
    fs::write(desk.path("bare.safetensors"), bare).unwrap();

    let images = "--dataset strokes";
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
