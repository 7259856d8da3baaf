//! Data sets and folders of images, whole and broken.

use std::fs;

use crate::desk::Desk;

#[test]
fn damaged_data_sets_are_named() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("data/mnist")).unwrap();
    let names = [
        "train-images-idx3",
        "train-labels-idx1",
        "t10k-images-idx3",
        "t10k-labels-idx1",
    ];
    let write = |name: &str, bytes: &[u8]| fs::write(desk.path(&format!("data/mnist/{name}")), bytes).unwrap();
    for name in names {
        write(&format!("{name}-ubyte.gz"), b"this is no gzip file");
    }
    desk.fail("data check mnist", 1, &["4 of 4 files", "morphvae data fetch mnist"]);
    desk.fail(
        "train --dataset mnist --offline",
        1,
        &["train-images-idx3-ubyte", "damaged ("],
    );
    // Not even where no data set is named are they passed over.
    let advice = "morphvae data fetch mnist --data-dir data`";
    desk.fail("train", 1, &["train-images-idx3-ubyte.gz", "no gzip", advice]);
    for name in names {
        fs::remove_file(desk.path(&format!("data/mnist/{name}-ubyte.gz"))).unwrap();
    }
    // A header that promises two thousand million images, and nothing behind it.
    let promise = [0, 0, 8, 3, 0x80, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28];
    write("train-images-idx3-ubyte", &promise);
    desk.fail("train --dataset mnist --offline", 1, &["train-images-idx3-ubyte"]);
    // A set of which a file is missing is no reason to take another, either.
    fs::remove_file(desk.path("data/mnist/train-images-idx3-ubyte")).unwrap();
    write("t10k-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 7]);
    desk.fail("train --offline", 1, &["train-images-idx3-ubyte.gz", "missing"]);
}

#[test]
fn strokes_are_learned_from_only_where_nothing_was_named() {
    let desk = Desk::new();
    let line = "--offline --limit 20 --base-channels 2 --epochs 1 --grid 2";
    desk.fail(
        &format!("train {line} --data-dir elsewhere"),
        1,
        &["elsewhere/mnist/train-images-idx3-ubyte.gz", "missing"],
    );
    let output = desk.run(&format!("train {line}"));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("data set: strokes") && notes.contains("missing"),
        "{notes}"
    );
    assert!(desk.path("runs/strokes-2d/model.safetensors").exists());
    desk.fail(
        "data sheet --offline",
        1,
        &["data/mnist/train-images-idx3-ubyte.gz", "missing"],
    );
}

#[test]
fn programs_learn_of_every_data_set() {
    let list: serde_json::Value = serde_json::from_str(&Desk::new().succeed("data list --json")).unwrap();
    let sets = list["sets"].as_array().unwrap();
    let find = |name: &str| sets.iter().find(|set| set["name"] == name).unwrap();
    assert_eq!(find("mnist")["download_bytes"], 11_594_722);
    assert_eq!(find("mnist")["on_disk"], false);
    assert_eq!(
        (&find("strokes")["on_disk"], &find("strokes")["download_bytes"]),
        (&true.into(), &0.into())
    );
}

#[test]
fn folders_without_enough_images_are_refused() {
    let desk = Desk::new();
    fs::create_dir(desk.path("faces")).unwrap();
    desk.fail("train --images faces", 1, &["faces", "no images"]);
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("reconstruct run --limit 1 --out faces --force");
    desk.fail("train --images faces", 1, &["faces", "1 image(s)", "split"]);
}

#[test]
fn images_of_a_folder_keep_their_names() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("reconstruct run --limit 4 --out faces/test/plain");
    desk.succeed("reconstruct run --limit 2 --out faces/test/smile");
    desk.succeed("reconstruct run --limit 2 --out faces/train/plain");
    fs::rename(
        desk.path("faces/test/plain/00003.png"),
        desk.path("faces/test/plain/Anna, left.png"),
    )
    .unwrap();
    // Named alike but for the ending: both must come out.
    fs::rename(
        desk.path("faces/test/smile/00001.png"),
        desk.path("faces/test/smile/00000.jpg"),
    )
    .unwrap();

    desk.succeed("encode run --images faces");
    let codes = fs::read_to_string(desk.path("codes.csv")).unwrap();
    let ids: Vec<&str> = codes
        .lines()
        .skip(1)
        .map(|line| line.split(".png").next().unwrap())
        .collect();
    let plain = ["00000", "00001", "00002"].map(|name| format!("test/plain/{name}"));
    assert_eq!(ids[..3], plain);
    assert_eq!(ids[3], "\"test/plain/Anna, left");
    // Behind the ten digits that the model knows.
    assert!(codes.contains("\ntest/smile/00000.jpg,11,"), "{codes}");
    let archive = fs::read(desk.path("codes.npz")).unwrap();
    let wide: Vec<u8> = "test/smile/00000.jpg"
        .chars()
        .flat_map(|letter| u32::from(letter).to_le_bytes())
        .collect();
    assert!(archive.windows(wide.len()).any(|window| window == wide));

    desk.succeed("reconstruct run --images faces --out out");
    for name in [
        "plain/00000.png",
        "plain/Anna, left.png",
        "smile/00000.png.png",
        "smile/00000.jpg.png",
    ] {
        assert!(desk.path("out/test").join(name).exists(), "{name} is missing");
    }
    desk.succeed("reconstruct run --images faces --split train --out out --force");
    assert!(desk.path("out/train/plain/00001.png").exists());
    desk.fail(
        "reconstruct run --images faces --out faces --force",
        2,
        &["faces", "another --out"],
    );
    // A folder that is not split is taken whole, a single image too.
    desk.succeed("encode run --images faces/test/smile --out whole.csv");
    assert_eq!(
        fs::read_to_string(desk.path("whole.csv")).unwrap().lines().count(),
        1 + 2
    );
    desk.succeed("reconstruct run --images faces/train/plain --limit 1 --out one");
    desk.fail(
        "encode run --images faces/test/smile --split train --out none.csv",
        2,
        &["smile", "leave --split out"],
    );
    // A data set's images have no files, and numbers for names.
    desk.succeed("encode run --limit 2 --out few.csv");
    assert!(
        fs::read_to_string(desk.path("few.csv"))
            .unwrap()
            .contains("\ntest/00001,")
    );
}

#[test]
fn a_folder_of_images_is_learned_from() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("reconstruct run --limit 12 --out faces/a");
    desk.succeed("reconstruct run --limit 12 --out faces/b");
    fs::write(desk.path("faces/a/broken.png"), "not a picture").unwrap();
    let line = "train --images faces --base-channels 2 --epochs 1";
    desk.fail(&format!("{line} --strict"), 1, &["broken.png"]);
    let output = desk.run(&format!("{line} --out named --force"));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("broken.png") && notes.contains("1 image(s) skipped"),
        "{notes}"
    );
    desk.succeed("evaluate named --json");
}

#[test]
fn a_model_is_judged_on_images_that_it_has_not_seen() {
    let desk = Desk::new();
    fs::create_dir(desk.path("faces")).unwrap();
    for index in 0..40_u8 {
        let picture = image::GrayImage::from_fn(20, 28, |x, y| image::Luma([(x * y) as u8 / 4 + index]));
        picture.save(desk.path(&format!("faces/{index:05}.png"))).unwrap();
    }
    let line = "train --images faces --fit pad --base-channels 2 --epochs 1 --grid 4 --limit 2 --quiet";
    desk.succeed(&format!("{line} --out run"));
    let judged = |line: &str| desk.succeed(&format!("evaluate run {line} --quiet"));
    assert!(judged("").contains("faces, test split, 2 images"));
    // The images of the run by name: those held out, without its limit, wherever they lie.
    assert!(judged("--images faces").contains("faces, test split, 4 images"));
    fs::rename(desk.path("faces"), desk.path("moved")).unwrap();
    assert!(judged("--images moved").contains("moved, test split, 4 images"));
    fs::remove_file(desk.path("moved/00000.png")).unwrap();
    assert!(judged("--images moved").contains("moved, all images, 39 images"));
    assert!(judged("--dataset strokes").contains("strokes, test split, 2000 images"));
}

#[test]
fn a_network_for_colour_is_not_given_a_grey_data_set() {
    let desk = Desk::new();
    desk.faces();
    desk.succeed("train --images faces --channels 3 --base-channels 2 --epochs 1 --grid 2 --out run --quiet");
    for line in [
        "evaluate run --dataset strokes",
        "train --init-from run --dataset strokes --limit 20 --out other",
    ] {
        desk.fail(line, 2, &["strokes", "grey", "takes colour ones", "--images"]);
    }
    assert!(!desk.path("other").exists());
    desk.succeed("evaluate run --images faces --quiet");
    // Colours are not black and white by chance; the option that reads them as grey is named.
    let line = "train --images faces --channels 3 --base-channels 2 --binarize dynamic --out binary";
    desk.fail(line, 2, &["have colours", "--channels 1"]);
}
