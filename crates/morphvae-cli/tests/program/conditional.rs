//! Models that are told the class of each image.

use std::fs;

use morphvae::weights;

use crate::desk::Desk;

const CONDITIONAL: &str = "--conditional --epochs 2 --grid 2";

#[test]
fn a_conditional_run_is_told_as_many_classes_as_there_are() {
    let desk = Desk::new();
    desk.trained("run", CONDITIONAL);
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    assert!(
        config.starts_with("conditional = true") && config.contains("\nclasses = 10"),
        "{config}"
    );
    assert!(desk.succeed("info run").contains("conditional    on 10 class(es)"));
    // The names are PyTorch's, and only what the class joins is wider.
    let file = weights::read(&desk.path("run/model.safetensors")).unwrap();
    let shape = |name: &str| file.tensors[name].shape.clone();
    assert_eq!(shape("decoder.0.weight")[1], 2 + 10);
    assert_eq!(shape("mean.0.weight")[1], shape("decoder.0.weight")[0] + 10);
    // It goes on as it began, and as nothing else.
    desk.fail("train --resume run --epochs 1", 2, &["this run has done 2"]);
    desk.trained("plain", "--epochs 1 --grid 2");
    desk.fail("train --resume plain --conditional", 2, &["started with conditional"]);
    desk.fail(
        "train --init-from plain --conditional --dataset strokes",
        2,
        &["--conditional"],
    );
}

#[test]
fn a_class_is_chosen_where_something_is_drawn() {
    let desk = Desk::new();
    desk.trained("run", CONDITIONAL);
    let drawn = |line: &str, out: &str| {
        desk.succeed(&format!("{line} --out {out} --force --quiet"));
        fs::read(desk.path(out)).unwrap()
    };
    let [zero, seven] = ["0", "7"].map(|class| drawn(&format!("grid run --size 3 --class {class}"), "grid.png"));
    assert!(zero != seven);
    desk.fail(
        "grid run --size 3 --out grid.png --force",
        2,
        &["conditional", "--class 0"],
    );
    desk.fail("grid run --class x", 2, &["\"x\" is no class", "0, 1, 2"]);
    // A base has a class of its own.
    drawn("grid run --traverse --size 3 --base test:3", "rows.png");
    drawn("grid run --size 3 --through z:0,0=1 test:3=9 random", "plane.png");

    desk.succeed("encode run --limit 3 --out codes.npz --quiet");
    desk.succeed("decode codes.npz run --class 4 --out fours --quiet");
    desk.fail("decode codes.npz run --out decoded", 2, &["conditional", "--class 0"]);
    assert_eq!(fs::read_dir(desk.path("fours/test")).unwrap().count(), 3);

    // Of image files nobody knows the class.
    desk.succeed(
        "morph run fours/test/00000.png 7 z:0.3,-0.2=1 test:2=5 random --path line --frames 5 --on-map --out clip.gif \
         --quiet",
    );
    desk.succeed("morph run 7 test:2=5 --loop once --frames 3 --no-sheet --out geodesic.gif --quiet");
    desk.fail("morph run z:0.3,-0.2 7", 2, &["say of which class", "z:0.3,-0.2=9"]);
    desk.fail("morph run test:2=x 7", 2, &["\"x\" is no class", "0, 1, 2"]);
    desk.succeed("reconstruct run --limit 3 --out again --quiet");
    desk.succeed("probe run --limit 60 --quiet");
    // Of the prior, of what the card says of each class, and of images whose classes nobody says.
    for from in [
        "prior --class 7",
        "class",
        "fours --pixels draw",
        "fours/test/00000.png --class 9",
    ] {
        desk.succeed(&format!(
            "sample run --count 3 --from {from} --out samples --force --quiet"
        ));
    }
    desk.succeed("bench run --seconds 0.01 --quiet");
    desk.succeed("figures run --out figures --grid 2 --quiet");
}

#[test]
fn a_style_goes_through_all_classes() {
    let desk = Desk::new();
    desk.trained("run", CONDITIONAL);
    let json = desk.succeed("restyle run test:3 z:1,0 --clip clip.apng --json --quiet");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let points = json["points"].as_array().unwrap();
    assert_eq!(points.len(), 2 * 10);
    // The style stays, and the class goes on.
    for (index, point) in points.iter().enumerate() {
        let point: Vec<f64> = point
            .as_array()
            .unwrap()
            .iter()
            .filter_map(serde_json::Value::as_f64)
            .collect();
        let (latents, classes) = point.split_at(2);
        let first: Vec<f64> = (0..2)
            .filter_map(|axis| points[index / 10 * 10][axis].as_f64())
            .collect();
        assert_eq!(latents, first);
        assert!(
            classes
                .iter()
                .enumerate()
                .all(|(class, &weight)| weight == f64::from(u8::from(class == index % 10)))
        );
    }
    assert!(desk.path("run-restyled.png").is_file() && desk.path("clip.apng").is_file());
    desk.fail("restyle run test:3", 2, &["run-restyled.png", "exists"]);
    desk.fail("restyle run", 2, &["whose style"]);
    desk.fail("restyle 3 7", 2, &["not conditional"]);
}

#[test]
fn what_is_not_conditional_takes_no_class_and_what_is_takes_no_image_without() {
    let desk = Desk::new();
    desk.fail("grid --class 7", 2, &["not conditional"]);
    desk.fail("morph 7=3 4", 2, &["not conditional"]);
    desk.trained("run", CONDITIONAL);
    desk.succeed("reconstruct run --limit 12 --out bare --quiet");
    desk.fail(
        "train --images bare --conditional",
        2,
        &["bare", "has a class", "subfolders"],
    );
    desk.fail("evaluate run --images bare", 2, &["12 of 12 images", "conditional"]);
    // Some with a class, and some without.
    fs::create_dir(desk.path("bare/cat")).unwrap();
    fs::copy(desk.path("bare/00001.png"), desk.path("bare/cat/0.png")).unwrap();
    desk.fail(
        "train --images bare --conditional",
        2,
        &["images have no class", "conditional"],
    );
    desk.fail(
        "train --dataset strokes --conditional --objective ae",
        2,
        &["the objective is ae"],
    );
    desk.fail(
        "train --dataset strokes --conditional --architecture mlp --prior vamp",
        2,
        &["pseudo-inputs", "conditional"],
    );
    let said = desk.succeed("evaluate run --limit 5 --binarize threshold --samples 10");
    assert!(said.contains("log p(x | class)"), "{said}");
}
