//! How far latent spaces tell classes apart, as the program says it.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

/// Writes an image of stripes; folders are made as needed.
fn draw(desk: &Desk, name: &str, ink: u32, index: u32) {
    let path = desk.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let picture = image::GrayImage::from_fn(32, 32, |x, y| image::Luma([(ink * x + 3 * y + 2 * index) as u8]));
    picture.save(path).unwrap();
}

fn models(desk: &Desk, line: &str) -> Vec<Value> {
    let json = desk.succeed(&format!("probe {line} --json --quiet"));
    assert_eq!(json.lines().count(), 1);
    let report: Value = serde_json::from_str(&json).unwrap();
    report["models"].as_array().unwrap().clone()
}

#[test]
fn several_models_make_one_table_one_object_and_one_figure() {
    let desk = Desk::new();
    desk.trained("plain", "--epochs 1 --grid 2 --objective ae");
    desk.trained("space", "--epochs 1 --grid 3 --latent 5 --objective vae");
    let line = "plain space --dataset strokes --limit 60";
    let found = models(&desk, line);
    assert_eq!(found.len(), 2);
    for (model, (name, objective, latent)) in found.iter().zip([("plain", "ae", 2), ("space", "vae", 5)]) {
        assert_eq!(
            (&model["model"], &model["objective"]),
            (&name.into(), &objective.into())
        );
        assert_eq!((&model["latent"], &model["neighbours"]), (&latent.into(), &5.into()));
        assert_eq!(
            (&model["train_images"], &model["test_images"]),
            (&60.into(), &60.into())
        );
        for accuracy in ["linear_accuracy", "neighbour_accuracy"] {
            assert!((0.0..=1.0).contains(&model[accuracy].as_f64().unwrap()), "{model}");
        }
    }
    // The same bits for any number of threads.
    assert_eq!(models(&desk, &format!("{line} --threads 3")), found);

    let output = desk.run(&format!("probe {line} --out probe.png"));
    let [said, notes] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("linear") && lines[0].contains("neighbours"), "{said}");
    assert!(
        lines[1].starts_with("plain  AE ") && lines[2].starts_with("space  VAE "),
        "{said}"
    );
    assert!(
        lines[4].starts_with("plain: ") && lines[5].starts_with("space: "),
        "{said}"
    );
    assert!(
        lines[4].contains("linearly separable: softmax regression on 2 dimensions gets "),
        "{said}"
    );
    assert!(notes.contains("drawn in probe.png"), "{notes}");
    assert!(image::open(desk.path("probe.png")).unwrap().width() > 1000);

    desk.fail("probe plain --out probe.png", 2, &["probe.png", "--force"]);
    desk.fail("probe plain --out probe.gif", 2, &["probe.gif", ".png"]);
    desk.fail("probe plain --force", 2, &["--out"]);
}

#[test]
fn without_a_model_it_is_the_bundled_one() {
    let desk = Desk::new();
    let output = desk.run("probe --dataset strokes --limit 200");
    assert!(String::from_utf8(output.stderr).unwrap().contains("bundled"));
    let said = String::from_utf8(output.stdout).unwrap();
    // One model needs no name before its sentence.
    assert!(
        said.lines().last().unwrap().contains("separable: softmax regression"),
        "{said}"
    );
}

#[test]
fn only_images_with_a_class_count() {
    let desk = Desk::new();
    for index in 0..20 {
        draw(&desk, &format!("pets/cat/{index:02}.png"), 2, index);
        draw(&desk, &format!("pets/dog/{index:02}.png"), 6, index);
        draw(&desk, &format!("pets/{index:02}.png"), 4, index);
    }
    desk.succeed("train --images pets --base-channels 2 --epochs 1 --grid 2 --quiet --out run");
    // The run's own division, whether its folder is named or not; the others have no class.
    for line in ["run", "run --images pets"] {
        let model = &models(&desk, line)[0];
        assert_eq!(
            (&model["train_images"], &model["test_images"]),
            (&36.into(), &4.into()),
            "{line}"
        );
    }
    // A folder that is divided already is taken so.
    for index in 0..6 {
        draw(&desk, &format!("split/train/cat/{index}.png"), 2, index);
        draw(&desk, &format!("split/train/dog/{index}.png"), 6, index);
        draw(&desk, &format!("split/test/cat/{index}.png"), 2, index + 7);
    }
    let model = &models(&desk, "run --images split")[0];
    assert_eq!((&model["train_images"], &model["test_images"]), (&12.into(), &6.into()));
}

#[test]
fn where_there_are_no_classes_none_are_told_apart() {
    let desk = Desk::new();
    for index in 0..10 {
        draw(&desk, &format!("bare/{index}.png"), 2, index);
        draw(&desk, &format!("cats/cat/{index}.png"), 2, index);
        draw(&desk, &format!("half/train/cat/{index}.png"), 2, index);
        draw(&desk, &format!("half/train/dog/{index}.png"), 6, index);
        draw(&desk, &format!("half/test/{index}.png"), 6, index);
    }
    desk.succeed("train --images bare --base-channels 2 --epochs 1 --grid 2 --quiet --out run");
    let words = [
        "bare",
        "none of the training images has a class",
        "--dataset",
        "--images",
    ];
    desk.fail("probe run", 2, &words);
    desk.fail("probe --images bare", 2, &words);
    desk.fail(
        "probe --images half",
        2,
        &["half", "none of the test images has a class"],
    );
    desk.fail("probe --images cats", 1, &["one class", "nothing to tell apart"]);
    desk.fail("probe --images nowhere", 1, &["nowhere"]);
    desk.fail("probe run nowhere --dataset strokes", 1, &["nowhere"]);
    desk.fail("probe run --dataset mnits", 2, &["mnits", "mnist"]);
    desk.fail("probe --limit 0", 2, &["--limit"]);
}
