//! Known data sets: where they are found again, and as image files.

use std::fs;

use crate::desk::Desk;

/// A data folder with a small MNIST.
fn write_mnist(desk: &Desk, folder: &str) {
    let folder = desk.path(folder).join("mnist");
    fs::create_dir_all(&folder).unwrap();
    for (part, count) in [("train", 30_u8), ("t10k", 12)] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
        images.extend((0..usize::from(count) * 784).map(|place| (place * 7 % 251) as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count];
        labels.extend((0..count).map(|index| index % 10));
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

#[test]
fn a_run_remembers_where_its_data_set_was() {
    let desk = Desk::new();
    write_mnist(&desk, "elsewhere");
    let line = "train --dataset mnist --base-channels 2 --epochs 1 --grid 2 --offline --quiet";
    desk.succeed(&format!("{line} --data-dir elsewhere --out run"));
    for line in [
        "encode run",
        "evaluate run",
        "reconstruct run",
        "evaluate run --dataset mnist",
        "figures run --grid 2",
    ] {
        desk.succeed(&format!("{line} --offline --quiet"));
    }
    assert!(!desk.path("data").exists());
    desk.succeed("train --resume run --epochs 2 --offline --quiet");
    // From another folder, too.
    fs::create_dir(desk.path("away")).unwrap();
    let mut command = desk.command("evaluate ../run --offline --quiet");
    assert!(command.current_dir(desk.path("away")).status().unwrap().success());
    // What is typed goes before what is remembered, also when it is wrong.
    desk.fail("evaluate run --offline --data-dir nowhere", 1, &["nowhere"]);
    // A data set that has moved is looked for in the usual place.
    fs::rename(desk.path("elsewhere"), desk.path("data")).unwrap();
    desk.succeed("evaluate run --offline --quiet");
    desk.succeed("train --resume run --epochs 3 --data-dir data --offline --quiet");
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    let data = fs::canonicalize(desk.path("data")).unwrap();
    assert!(
        config.contains(&format!("data_dir = \"{}\"", data.display())),
        "{config}"
    );
    // Runs of earlier programs say nothing of it.
    let is_new = |line: &&str| !line.starts_with("data_dir");
    let old: Vec<&str> = config.lines().filter(is_new).collect();
    fs::write(desk.path("run/config.toml"), old.join("\n")).unwrap();
    desk.succeed("evaluate run --offline --quiet");
    desk.succeed("train --resume run --epochs 4 --offline --quiet");
}

#[test]
fn what_cannot_be_fetched_leaves_no_folder() {
    let desk = Desk::new();
    desk.fail("data fetch mnist --offline", 1, &["data/mnist"]);
    // Nobody listens there.
    desk.fail(
        "data fetch mnist --mirror http://127.0.0.1:9 --quiet",
        1,
        &["127.0.0.1:9"],
    );
    assert_eq!(fs::read_dir(desk.path("")).unwrap().count(), 0);
    fs::create_dir(desk.path("mine")).unwrap();
    desk.fail(
        "data fetch mnist --data-dir mine --mirror http://127.0.0.1:9",
        1,
        &["127.0.0.1:9"],
    );
    assert_eq!(fs::read_dir(desk.path("mine")).unwrap().count(), 0);
}

#[test]
fn a_data_set_becomes_image_files_that_can_be_learned_from() {
    let desk = Desk::new();
    let report = desk.succeed("data export --dataset strokes --limit 40 --seed 3 --out digits --json --quiet");
    assert!(
        report.contains("\"train\":40") && report.contains("\"test\":40"),
        "{report}"
    );
    let count = |folder: &str| {
        let classes = fs::read_dir(desk.path(folder))
            .unwrap()
            .map(|class| class.unwrap().path());
        classes
            .map(|class| fs::read_dir(class).unwrap().count())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (count("digits/train").iter().sum::<usize>(), count("digits/test").len()),
        (40, 10)
    );
    desk.succeed("train --images digits --base-channels 2 --epochs 1 --grid 2 --out run --quiet");
    assert!(desk.succeed("info run").contains("0, 1, 2, 3, 4, 5, 6, 7, 8, 9"));
    // The same images as those of the set itself: a network judges both alike.
    let loss = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(&desk.succeed(line)).unwrap();
        report["test_loss"].as_f64().unwrap()
    };
    desk.succeed("train --dataset strokes --limit 40 --seed 3 --base-channels 2 --epochs 1 --grid 2 --out set --quiet");
    let [own, files] = ["", "--images digits"].map(|images| loss(&format!("evaluate set {images} --json --quiet")));
    assert!((own - files).abs() < 1e-3 * own, "{own} is not {files}");

    desk.fail(
        "data export --dataset strokes --limit 2 --out digits",
        2,
        &["digits", "--force"],
    );
    desk.fail("data export --dataset mnits", 2, &["mnits", "mnist"]);
    write_mnist(&desk, "sets");
    desk.succeed("data export --data-dir sets --offline --quiet");
    let sizes = image::image_dimensions(desk.path("mnist-images/train/3/00013.png")).unwrap();
    assert_eq!(sizes, (28, 28));
}
