//! New images, as data sets.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::codes::numpy;
use crate::desk::Desk;

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn samples_come_in_folders_by_class_with_a_sheet_and_a_card() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let said = desk.succeed("sample run --class 7 --class 3 -n 9 --pixels draw --seed 5 --json --quiet");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&report["from"], &report["images"]["train"]),
        (&"class".into(), &9.into())
    );
    assert_eq!(
        (&report["classes"][7]["train"], &report["seed"]),
        (&4.into(), &5.into())
    );
    assert_eq!(report["out"], "samples");
    let card: Value = serde_json::from_slice(&fs::read(desk.path("samples/card.json")).unwrap()).unwrap();
    assert_eq!(card["model_sha256"].as_str().unwrap().len(), 64);
    let images = desk.path("samples/images");
    assert_eq!(
        (count(&images), count(&images.join("3")), count(&images.join("7"))),
        (2, 5, 4)
    );
    assert!(image::open(desk.path("samples/sheet.png")).unwrap().width() > 600);
    // More of the same begin with these; another seed has others.
    let first = |out: &str| fs::read(desk.path(&format!("{out}/images/3/00000.png"))).unwrap();
    desk.succeed("sample run --class 7 --class 3 -n 11 --pixels draw --seed 5 --threads 3 --out more --quiet");
    desk.succeed("sample run --class 7 --class 3 -n 9 --pixels draw --seed 6 --out other --quiet");
    assert_eq!(first("samples"), first("more"));
    assert_ne!(first("samples"), first("other"));
    // The folder is learned from as it is named.
    let notes = String::from_utf8(desk.run("sample run --class 7 --class 3 -n 60 --force").stderr).unwrap();
    let (_, line) = notes.trim().rsplit_once("learn from them with: morphvae ").unwrap();
    desk.succeed(&format!(
        "{line} --base-channels 2 --epochs 1 --grid 2 --out learned --quiet"
    ));
    assert!(desk.succeed("info learned --json --quiet").contains("[\"3\",\"7\"]"));
}

#[test]
fn idx_files_teach_another_network_and_arrays_are_numpys() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed(
        "sample run --from mixture --dataset strokes --limit 100 -n 50 --test 20 --format idx --out idx --quiet",
    );
    let bytes = |name: &str| fs::metadata(desk.path(&format!("idx/MNIST/raw/{name}"))).unwrap().len();
    assert_eq!(bytes("train-images-idx3-ubyte"), 16 + 50 * 1024);
    assert_eq!(
        [bytes("train-labels-idx1-ubyte"), bytes("t10k-labels-idx1-ubyte")],
        [58, 28]
    );
    desk.succeed("train --images idx --base-channels 2 --epochs 1 --grid 2 --out learned --quiet");
    assert!(
        desk.succeed("evaluate learned --json --quiet")
            .contains("\"images\":20")
    );
    desk.succeed(
        "sample run --from mixture --dataset strokes --limit 100 -n 50 --test 20 --format npz --out npz --quiet",
    );
    let script = "import numpy; made = numpy.load('npz/images.npz'); \
                  print(made['x_train'].shape, made['y_train'][:12], made['classes'][made['y_test'][3]], made['x_test'].dtype)";
    if let Some(said) = numpy(&desk, script) {
        assert_eq!(said, "(50, 32, 32) [0 1 2 3 4 5 6 7 8 9 0 1] 3 uint8");
    }
    // Without labels there is no file of them.
    desk.succeed("sample run -n 3 --format idx --out bare --quiet");
    assert_eq!(count(&desk.path("bare/MNIST/raw")), 1);
}

#[test]
fn samples_are_held_against_the_training_images() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let output = desk.run("sample run -n 20 --nearest --json");
    let [said, notes] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(
        notes.contains("distance from the nearest of 60 training images"),
        "{notes}"
    );
    let card: Value = serde_json::from_str(&said).unwrap();
    let nearest = &card["nearest"];
    assert_eq!(
        (
            &nearest["sample_count"],
            &nearest["test_count"],
            &nearest["train_count"]
        ),
        (&20.into(), &60.into(), &60.into())
    );
    for of in ["samples", "test_images"] {
        let distance = |key: &str| nearest[of][key].as_f64().unwrap();
        assert!(
            0.0 < distance("least") && distance("least") <= distance("median"),
            "{nearest}"
        );
        assert!(distance("twentieth") <= distance("last_twentieth"), "{nearest}");
    }
    assert!(image::open(desk.path("samples/nearest.png")).unwrap().width() > 1000);
    desk.succeed("sample run -n 5 --out others --quiet");
    let card = fs::read_to_string(desk.path("others/card.json")).unwrap();
    assert!(!card.contains("nearest") && !desk.path("others/nearest.png").exists());
}

#[test]
fn what_cannot_be_sampled_is_one_line_and_leaves_nothing() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("sample run -n 3 --out taken --quiet");
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/letter.txt"), "dear").unwrap();
    fs::write(desk.path("afile"), "").unwrap();
    let before = count(&desk.path("."));
    for (line, status, words) in [
        ("sample -n 0", 2, &["0", "from 1 to"][..]),
        ("sample -n 3 --test -1", 2, &["-1", "from 0 to"]),
        ("sample run --out taken", 2, &["taken", "sampled before", "--force"]),
        (
            "sample run --out mine",
            2,
            &["mine", "no empty folder", "another --out"],
        ),
        ("sample run --out mine --force", 2, &["mine", "no empty folder"]),
        ("sample run --out afile", 2, &["afile"]),
        ("sample run --class a", 2, &["a: no such class", "0, 1, 2"]),
        (
            "sample run --from prior --class 7",
            2,
            &["knows no classes", "--from mixture"],
        ),
        ("sample run --temperature 11", 2, &["temperature is 11", "0 to 10"]),
        ("sample run --temperature nan", 2, &["temperature is NaN"]),
        ("sample run --from nowhere.png", 1, &["nowhere.png"]),
        (
            "sample run --from taken/images --class 7",
            2,
            &["no classes", "--class out"],
        ),
        ("sample --format tar", 2, &["tar", "idx"]),
    ] {
        desk.fail(line, status, words);
    }
    assert_eq!(count(&desk.path(".")), before);
    assert_eq!(fs::read(desk.path("mine/letter.txt")).unwrap(), b"dear");
    desk.succeed("sample run -n 4 --out taken --force --quiet");
    assert_eq!(count(&desk.path("taken/images")), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_and_says_so() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    // As a disk with little room, for whoever may mount one.
    fs::create_dir(desk.path("disk")).unwrap();
    let mount = |what: &str| {
        let mut command = std::process::Command::new("sh");
        command
            .current_dir(desk.path("."))
            .args(["-c", what])
            .status()
            .is_ok_and(|status| status.success())
    };
    if !mount("mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null") {
        println!("skipped: only the superuser can make a small disk");
        return;
    }
    for format in ["png", "idx", "npz"] {
        let line = format!("sample run -n 5000 --format {format} --out disk/set");
        let output = desk.run(&line);
        let errors = String::from_utf8(output.stderr).unwrap();
        let last = errors.lines().last().unwrap_or_default();
        let is_clean = count(&desk.path("disk")) == 0;
        if output.status.code() != Some(1) || !last.contains("No space left") || !is_clean {
            mount("umount disk");
            panic!("{format}: {errors}");
        }
    }
    assert!(mount("umount disk"));
}
