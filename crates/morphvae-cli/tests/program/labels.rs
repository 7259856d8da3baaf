//! Labels of a folder's images: some may have none.

use std::fs;

use crate::desk::Desk;

/// Writes an image of stripes; folders are made as needed.
fn draw(desk: &Desk, name: &str, ink: u32, index: u32) {
    let path = desk.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = image::GrayImage::from_fn(32, 32, |x, y| image::Luma([(ink * x + 3 * y + 2 * index) as u8]));
    picture.save(path).unwrap();
}

/// A model of images of which a third have no class.
fn partly_labelled() -> Desk {
    let desk = Desk::new();
    for index in 0..12 {
        draw(&desk, &format!("pets/cat/{index:02}.png"), 2, index);
        draw(&desk, &format!("pets/dog/{index:02}.png"), 6, index);
        draw(&desk, &format!("pets/{index:02}.png"), 4, index);
    }
    desk
}

/// The lines of a table without its header, as fields.
fn rows(desk: &Desk, name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(desk.path(name)).unwrap();
    let fields = |line: &str| line.split(',').map(String::from).collect();
    text.lines().skip(1).map(fields).collect()
}

#[test]
fn a_partly_labelled_folder_is_learned_from_and_used() {
    let desk = partly_labelled();
    let line = "train --images pets --base-channels 2 --epochs 1 --grid 2";
    let told = String::from_utf8(desk.run(&format!("{line} --out plane")).stderr).unwrap();
    assert!(told.contains("\n12 of these 36 images have no class\n"), "{told}");
    let told = String::from_utf8(
        desk.run(&format!("train --images pets/cat {} --out cats", &line[19..]))
            .stderr,
    )
    .unwrap();
    assert!(told.contains("epoch  1") && !told.contains("no class"), "{told}");
    desk.succeed(&format!("{line} --quiet --out space --latent 4"));
    // The model knows its classes and a member of each, and every image counts.
    let info: serde_json::Value = serde_json::from_str(&desk.succeed("info plane --json")).unwrap();
    let card = &info["card"];
    assert_eq!(card["classes"], serde_json::json!(["cat", "dog"]));
    let classes = card["latent_statistics"]["classes"].as_array().unwrap();
    assert!(classes.iter().all(|class| class["images"] == 1), "{classes:?}");
    let evaluated = desk.succeed("evaluate plane --per-image losses.csv --json --quiet");
    assert!(evaluated.contains("\"images\":3"), "{evaluated}");
    let losses = rows(&desk, "losses.csv");
    let classes: Vec<&str> = losses.iter().map(|row| row.last().unwrap().as_str()).collect();
    assert_eq!(classes, ["cat", "dog", ""]);

    desk.succeed("encode plane --images pets --quiet");
    let codes = rows(&desk, "codes.csv");
    assert_eq!(codes.len(), 36);
    for row in &codes {
        let known = match row[0].split_once('/') {
            Some(("cat", _)) => ["0", "cat"],
            Some(("dog", _)) => ["1", "dog"],
            _ => ["", ""],
        };
        assert_eq!([&row[1], row.last().unwrap()], known, "{row:?}");
    }
    for model in ["plane", "space"] {
        desk.succeed(&format!("figures {model} --grid 2 --out {model}-figures --quiet"));
        desk.succeed(&format!("explore {model} --export {model}.html --quiet"));
        desk.succeed(&format!(
            "morph {model} cat dog --frames 4 --path line --on-map --quiet --out {model}.gif"
        ));
    }
    desk.succeed("grid space --traverse --size 3 --quiet");
    desk.succeed("data sheet --images pets --split train --quiet");
    // Where the images without a class lie is where they are told of: a folder of them has none.
    desk.fail("morph plane cat pets", 2, &["pets", "its classes are cat, dog"]);
}

#[test]
fn labels_for_training_images_alone_are_enough_to_begin() {
    let desk = Desk::new();
    for index in 0..6 {
        draw(&desk, &format!("pets/train/cat/{index}.png"), 2, index);
        draw(&desk, &format!("pets/train/{index}.png"), 4, index);
        draw(&desk, &format!("pets/test/{index}.png"), 6, index);
    }
    desk.succeed("train --images pets --base-channels 2 --epochs 1 --grid 2 --quiet --out run");
    desk.succeed("explore run --export map.html --quiet");
    desk.succeed("encode run --quiet");
    assert!(rows(&desk, "codes.csv").iter().all(|row| row[1].is_empty()));
    desk.succeed("encode run --split train --out train.csv --quiet");
    let labelled = rows(&desk, "train.csv").iter().filter(|row| row[1] == "0").count();
    assert_eq!(labelled, 6);
    desk.fail("morph run cat test:0", 2, &["cat", "none of the images", "judged on"]);
}

/// What a run of these images was told of them by the program before it counted as people do (x86-64, Linux).
const FINGERPRINT_BY_BYTES: &str = "33b307895a8fe7e82c2f588a23d58cebf2a9d87728c94330e0ca0eaddb603fde";

#[test]
fn classes_are_counted_as_people_do_and_those_of_old_runs_as_they_were() {
    let desk = Desk::new();
    for index in 0..12 {
        draw(&desk, &format!("pets/s1/{index}.png"), 2, index);
        draw(&desk, &format!("pets/s2/{index}.png"), 6, index);
        draw(&desk, &format!("pets/s10/{index}.png"), 4, index);
    }
    let line = "train --images pets --base-channels 2 --epochs 1 --grid 2 --quiet --out new";
    desk.succeed(line);
    // An old run's settings say nothing of an order; they are enough to begin it again.
    let settings = fs::read_to_string(desk.path("new/config.toml")).unwrap();
    let old = settings.lines().filter(|line| !line.starts_with("order = "));
    let old = old.map(|line| match line.starts_with("fingerprint = ") {
        true => format!("fingerprint = \"{FINGERPRINT_BY_BYTES}\""),
        false => line.to_owned(),
    });
    let old = old.collect::<Vec<_>>().join("\n");
    assert_ne!(old.lines().count(), settings.lines().count());
    fs::create_dir(desk.path("old")).unwrap();
    fs::write(desk.path("old/config.toml"), old).unwrap();
    desk.succeed("train --resume old --quiet");
    desk.succeed("train --resume old --epochs 2 --quiet");

    fs::copy(desk.path("old/model.safetensors"), desk.path("alone.safetensors")).unwrap();
    for (model, numbers) in [
        ("new", [("s1/10.png", "0"), ("s2/2.png", "1"), ("s10/2.png", "2")]),
        ("old", [("s1/10.png", "0"), ("s2/2.png", "2"), ("s10/2.png", "1")]),
        (
            "alone.safetensors",
            [("s1/10.png", "0"), ("s2/2.png", "2"), ("s10/2.png", "1")],
        ),
    ] {
        desk.succeed(&format!("encode {model} --images pets --out codes.csv --force --quiet"));
        let codes = rows(&desk, "codes.csv");
        for (name, label) in numbers {
            let row = codes.iter().find(|row| row[0] == name).unwrap();
            assert_eq!(row[1], label, "{model}: {row:?}");
            assert_eq!(row.last().unwrap(), name.split('/').next().unwrap());
        }
        // Part of the classes have the numbers that all have.
        fs::create_dir_all(desk.path("part")).unwrap();
        let _ = fs::rename(desk.path("pets/s10"), desk.path("part/s10"));
        desk.succeed(&format!("encode {model} --images part --out codes.csv --force --quiet"));
        assert!(
            rows(&desk, "codes.csv").iter().all(|row| row[1] == numbers[2].1),
            "{model}"
        );
        fs::rename(desk.path("part/s10"), desk.path("pets/s10")).unwrap();
    }
    // What was held out before is what is held out.
    for run in ["new", "old"] {
        let judged = desk.succeed(&format!("evaluate {run} --images pets --quiet"));
        assert!(judged.contains("test split, 3 images"), "{judged}");
    }
}

#[test]
fn no_class_has_the_number_of_one_that_the_model_knows() {
    let desk = partly_labelled();
    desk.succeed("train --images pets --base-channels 2 --epochs 1 --grid 2 --quiet --out run");
    for index in 0..4 {
        draw(&desk, &format!("fish/carp/{index}.png"), 3, index);
        draw(&desk, &format!("fish/eel/{index}.png"), 5, index);
        draw(&desk, &format!("bare/{index}.png"), 5, index);
    }
    let numbers = |images: &str, wanted: &[&str]| {
        desk.succeed(&format!("encode run {images} --out codes.csv --force --quiet"));
        let rows = rows(&desk, "codes.csv");
        let mut found: Vec<(usize, String)> = rows
            .iter()
            .map(|row| (row[1].parse().unwrap(), row.last().unwrap().clone()))
            .collect();
        found.sort();
        found.dedup();
        let expected: Vec<(usize, String)> = (2..).zip(wanted.iter().map(ToString::to_string)).collect();
        assert_eq!(found, expected, "{images}");
    };
    // The model's cat and dog are 0 and 1, wherever there are none.
    numbers("--images fish", &["carp", "eel"]);
    numbers(
        "--dataset strokes --limit 100",
        &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    );
    desk.succeed("evaluate run --images fish --per-image losses.csv --quiet");
    assert!(
        rows(&desk, "losses.csv")
            .iter()
            .all(|row| ["2", "3"].contains(&row[1].as_str()))
    );
    desk.succeed("figures run --images fish --grid 2 --out figures --quiet");
    desk.succeed("explore run --images fish --export fish.html --quiet");
    desk.succeed("morph run cat dog --images fish --frames 4 --path line --on-map --quiet --out fish.gif");
    // Images without classes have none.
    desk.succeed("encode run --images bare --out bare.csv --quiet");
    assert!(rows(&desk, "bare.csv").iter().all(|row| row[1].is_empty()));
}
