//! Whether new images help, as the program says it.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

/// The bundled model gives the features, so that none has to learn.
const LINE: &str = concat!(
    "augment --labelled 2 --dataset strokes --limit 200 --steps 2 --epochs 2 --features ",
    env!("CARGO_MANIFEST_DIR"),
    "/../../models/mnist-2d.safetensors"
);

#[test]
fn recipes_make_a_table_an_object_a_figure_and_a_data_set() {
    let desk = Desk::new();
    let output = desk.run(&format!("{LINE} --seeds 1 --format npz"));
    let [said, notes] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{notes}");
    for words in [
        "real images",
        "+ distortion",
        "+ all of these",
        "M1 + M2 itself",
        "Generated images",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(notes.contains("2 labelled images of each class"), "{notes}");
    let folder = desk.path("runs/augment-2");
    assert!(image::open(folder.join("recipes.png")).unwrap().width() > 1000);
    assert!(folder.join("data/images.npz").is_file() && folder.join("data/card.json").is_file());

    // Gone on with, everything is there already; one seed more is learned.
    let json = desk.succeed(&format!("{LINE} --seeds 2 --resume --json --quiet"));
    assert_eq!(json.lines().count(), 1);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["labelled"], &report["seeds"]), (&2.into(), &2.into()));
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["recipe"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["real", "distorted", "generated", "distorted-generated"]);
    assert_eq!(names[4..], ["pseudo-labelled", "all"]);
    assert!(names.contains(&report["best"].as_str().unwrap()));
    for row in rows {
        let accuracies: Vec<f64> = row["accuracies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_f64().unwrap())
            .collect();
        let mean = accuracies.iter().sum::<f64>() / 2.0;
        assert!((row["accuracy_mean"].as_f64().unwrap() - mean).abs() < 1e-9);
        assert!(row["accuracy_standard_deviation"].as_f64().unwrap() >= 0.0);
    }
    let kept: Value = serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(kept["rows"], report["rows"]);
    let accuracies = report["semi_supervised"]["accuracies"].as_array().unwrap();
    assert_eq!(accuracies.len(), 2);
    // What labelled images is a model as others are.
    let said = desk.succeed(&format!(
        "classify {} --dataset strokes --limit 20 --json",
        folder.join("semi-supervised/1.safetensors").display()
    ));
    assert!(said.contains("probabilities"), "{said}");
    // The folder is learned from as it is named.
    assert!(folder.join("data/images/train").is_dir());
}

#[test]
fn what_cannot_be_asked_is_one_line() {
    let desk = Desk::new();
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/letter.txt"), "dear").unwrap();
    for index in 0..20 {
        let picture = image::GrayImage::from_fn(32, 32, |x, y| image::Luma([(x * y + index) as u8]));
        picture.save(desk.path(&format!("mine/{index}.png"))).unwrap();
    }
    for (line, status, words) in [
        ("augment", 2, &["--labelled"][..]),
        ("augment --labelled 0", 2, &["--labelled", "from 1 to"]),
        ("augment --labelled 2 --seeds 0", 2, &["--seeds", "from 1 to"]),
        ("augment --labelled 2 --steps 0", 2, &["--steps", "from 1 to"]),
        (
            "augment --labelled 900 --dataset strokes --limit 90",
            2,
            &["900 labelled", "there are", "--labelled"],
        ),
        (
            "augment --labelled 2 --images mine",
            2,
            &["none of the training images has a class"],
        ),
        (
            "augment --labelled 2 --dataset strokes --out mine",
            2,
            &["no empty folder", "another --out"],
        ),
        (
            "augment --labelled 2 --dataset strokes --out mine --force",
            2,
            &["no empty folder"],
        ),
        (
            "augment --labelled 2 --dataset strokes --limit 90 --resume",
            2,
            &["no comparison", "--resume out"],
        ),
        (
            "augment --labelled 2 --dataset strokes --resume --force",
            2,
            &["--resume", "--force"],
        ),
        ("augment --labelled 2 --dataset mnits", 2, &["mnits"]),
        ("augment --labelled 2 --epochs 0", 2, &["--epochs", "from 1 to"]),
        (
            "augment --labelled 2 --dataset strokes --features none",
            1,
            &["none", "cannot read"],
        ),
    ] {
        desk.fail(line, status, words);
    }
    assert!(!desk.path("runs").exists());
    assert_eq!(fs::read(desk.path("mine/letter.txt")).unwrap(), b"dear");
}
