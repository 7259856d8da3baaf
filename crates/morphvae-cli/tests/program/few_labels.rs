//! Classifiers from few labels, and images sorted by them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::desk::Desk;
use crate::same_files;

/// A tiny network whose latents are features.
const FEATURES: &str = "train --dataset strokes --limit 200 --architecture mlp --hidden 24 --image-size 16 --latent 4 \
                        --epochs 8 --batch-size 20 --grid 2 --quiet";
const FEW: &str = "train --labels-for 3 --init-from m1 --hidden 8 --latent 2 --batch-size 50 --quiet";

/// A folder with a classifier in `few`.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.learned("m1", FEATURES);
    desk.succeed(&format!("{FEW} --epochs 2 --out few"));
    desk
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.file_name().to_string_lossy().into_owned()),
        }
    }
    found.sort();
    found
}

#[test]
fn a_classifier_stands_beside_its_network_and_goes_on_to_the_same_bits() {
    let desk = desk();
    let config = fs::read_to_string(desk.path("few/config.toml")).unwrap();
    for line in [
        "init_from = \"m1\"",
        "[semi_supervised]",
        "labels_for = 3",
        "hidden = [8]",
    ] {
        assert!(config.contains(line), "{line} is not in\n{config}");
    }
    let metrics = fs::read_to_string(desk.path("few/metrics.jsonl")).unwrap();
    assert!(
        metrics.lines().count() == 2 && metrics.contains("\"test_error\":"),
        "{metrics}"
    );
    // In parts, the settings chosen anew.
    desk.succeed(&format!("{FEW} --epochs 1 --threads 3 --out parts"));
    desk.succeed("train --resume parts --epochs 2 --quiet");
    assert!(same_files(
        &desk.path("few/model.safetensors"),
        &desk.path("parts/model.safetensors")
    ));
    desk.fail("train --resume parts --epochs 1", 2, &["has done 2"]);
    desk.fail("train --resume parts --labels-for 4", 2, &["labels_for = 3, not 4"]);
    desk.fail("train --resume parts --seed 4", 2, &["seed = 0, not 4"]);
    // Another seed knows other labels.
    let json = desk.succeed(&format!("{FEW} --epochs 2 --seed 1 --out other --json"));
    assert!(
        json.contains("\"labels_for\":3") && json.contains("\"epoch\":2"),
        "{json}"
    );
    assert!(!same_files(
        &desk.path("few/model.safetensors"),
        &desk.path("other/model.safetensors")
    ));
    // Whatever takes a model takes the network.
    for line in [
        "evaluate few",
        "info few",
        "morph few test:0 test:1 --frames 3 --out clip.gif",
        "figures few --grid 2 --out drawn",
    ] {
        desk.succeed(&format!("{line} --quiet"));
    }
    assert!(desk.succeed("info few").contains("3 labels of each class"));
}

#[test]
fn images_are_classified_with_probabilities() {
    let desk = desk();
    let output = desk.run("classify few --limit 40");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("of 40 images with a known class"), "{notes}");
    let table = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "id,label,probability,0,1,2,3,4,5,6,7,8,9");
    assert_eq!(lines.len(), 41);
    for line in &lines[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        let probabilities: Vec<f64> = cells[3..].iter().map(|cell| cell.parse().unwrap()).collect();
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{line}");
        let best = cells[1].parse::<usize>().unwrap();
        assert_eq!(cells[2], cells[3 + best]);
        assert!(
            probabilities.iter().all(|&other| other <= probabilities[best]),
            "{line}"
        );
    }
    assert!(lines[1].starts_with("test/00000,"));
    desk.succeed("classify few --limit 40 --out table.csv --quiet");
    assert_eq!(fs::read_to_string(desk.path("table.csv")).unwrap(), table);
    let json: Value = serde_json::from_str(&desk.succeed("classify few --limit 40 --json --quiet")).unwrap();
    assert_eq!(
        (json["labelled"].as_u64(), json["images"][0]["id"].as_str()),
        (Some(40), Some("test/00000"))
    );
    assert!((json["error"].as_f64().unwrap() - json["wrong"].as_f64().unwrap() / 40.0).abs() < 1e-9);
    // A conditional model classifies, too.
    desk.trained("told", "--conditional --epochs 2 --grid 2");
    assert_eq!(desk.succeed("classify told --limit 5 --quiet").lines().count(), 6);
}

#[test]
fn files_are_sorted_all_or_none_and_nothing_is_overwritten() {
    let desk = desk();
    desk.succeed("reconstruct few --limit 12 --out unsorted --quiet");
    let before = files(&desk.path("unsorted"));
    assert_eq!(before.len(), 12);
    let sort = "classify few unsorted --move-to sorted --quiet";
    // One of them stands there already.
    let table = desk.succeed("classify few unsorted --quiet");
    let first: Vec<&str> = table.lines().nth(1).unwrap().split(',').collect();
    let (name, class) = (first[0].rsplit('/').next().unwrap(), first[1]);
    let stands = desk.path(&format!("sorted/{class}/{name}"));
    fs::create_dir_all(stands.parent().unwrap()).unwrap();
    fs::write(&stands, "mine").unwrap();
    desk.fail(sort, 2, &[name, "exists", "nothing is overwritten"]);
    assert_eq!(fs::read_to_string(&stands).unwrap(), "mine");
    assert_eq!(files(&desk.path("unsorted")), before);
    fs::remove_file(&stands).unwrap();

    let output = desk.run("classify few unsorted --move-to sorted");
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("12 file(s) moved into sorted")
    );
    assert!(files(&desk.path("unsorted")).is_empty());
    assert_eq!(files(&desk.path("sorted")), before);
    assert!(desk.path(&format!("sorted/{class}/{name}")).is_file());
    // Where they are, they stay.
    let output = desk.run("classify few sorted --move-to sorted");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(
        notes.contains("0 file(s) moved") && notes.contains("12 lay there already"),
        "{notes}"
    );

    // Two files that would become one; a folder that is none; images that are no files.
    fs::create_dir(desk.path("twins")).unwrap();
    let file = desk.path(&format!("sorted/{class}/{name}"));
    fs::copy(&file, desk.path("twins").join(name)).unwrap();
    let twins = format!("classify few sorted/{class}/{name} twins/{name}");
    desk.fail(
        &format!("{twins} --move-to again"),
        2,
        &["would both become", "no file was moved"],
    );
    fs::write(desk.path("taken"), "").unwrap();
    desk.fail(
        &format!("{twins} --limit 1 --move-to taken"),
        1,
        &["taken", "no file was moved"],
    );
    desk.fail(
        "classify few --dataset strokes --limit 3 --move-to again",
        2,
        &["no files"],
    );
    assert!(file.is_file() && !desk.path("again").exists());
}

#[test]
fn what_cannot_be_learned_or_told_is_one_line() {
    let desk = Desk::new();
    desk.learned("m1", FEATURES);
    desk.fail(
        "train --labels-for 100 --init-from m1",
        2,
        &["100 image(s) of each class", "--labels-for"],
    );
    // That shows before a network is trained for it.
    desk.fail(
        "train --labels-for 100 --dataset strokes --limit 60 --out few",
        2,
        &["100 image(s) of each class", "--labels-for"],
    );
    assert!(!desk.path("few-features").exists());
    desk.fail("train --resume m1 --labels-for 3", 2, &["--init-from m1"]);
    desk.fail("train --labels-for 0 --init-from m1", 2, &["--labels-for"]);
    desk.fail(
        "train --labels-for 3 --conditional",
        2,
        &["--labels-for", "--conditional"],
    );
    desk.fail(
        "train --labels-for 3 --init-from m1 --beta 2",
        2,
        &["--labels-for", "--beta"],
    );
    desk.fail(
        "train --labels-for 3 --init-from m1 --learning-rate 0",
        2,
        &["the learning rate is 0"],
    );
    desk.succeed("reconstruct m1 --limit 12 --out bare --quiet");
    desk.fail(
        "train --labels-for 3 --init-from m1 --images bare",
        2,
        &["bare", "has a class"],
    );
    desk.trained("plain", "--objective ae --epochs 1 --grid 2");
    desk.fail("train --labels-for 3 --init-from plain", 2, &["plain autoencoder"]);
    desk.trained("told", "--conditional --epochs 2 --grid 2");
    desk.fail("train --labels-for 3 --init-from told", 2, &["conditional"]);
    assert!(!desk.path("runs").exists());
    desk.fail("classify m1", 2, &["m1", "no classes apart", "--labels-for"]);
    desk.fail("classify m1 nothing.png", 2, &["nothing.png", "no such file"]);
    desk.fail("classify", 2, &["MODEL"]);
    desk.fail("classify m1 --out table.txt", 2, &["table.txt", ".csv"]);
}
