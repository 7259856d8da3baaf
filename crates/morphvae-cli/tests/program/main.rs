//! The program as a user meets it: the real binary, a tiny network, a fresh folder for each test.

mod desk;
mod morph;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use desk::Desk;

const TINY: &str = "--dataset strokes --limit 60 --base-channels 2 --quiet";

fn same_files(left: &Path, right: &Path) -> bool {
    fs::read(left).unwrap() == fs::read(right).unwrap()
}

#[test]
fn a_run_leaves_everything_that_it_promises() {
    let desk = Desk::new();
    let json = desk.succeed(&format!("train {TINY} --epochs 2 --out run --json"));
    assert!(json.contains("\"epoch\":2") && json.lines().count() == 1, "{json}");
    for name in [
        "config.toml",
        "metrics.jsonl",
        "model.safetensors",
        "checkpoint/latest.safetensors",
        "figures/reconstruction.png",
        "figures/latent-map.png",
        "figures/images-by-quantile.png",
        "figures/images-on-a-line.png",
        "figures/learning-curve.png",
    ] {
        assert!(desk.path("run").join(name).exists(), "{name} is missing");
    }
    let metrics = fs::read_to_string(desk.path("run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 2);
    let evaluated = desk.succeed("evaluate run --json");
    for key in ["test_loss", "test_reconstruction", "test_kl", "images", "seed"] {
        assert!(evaluated.contains(&format!("\"{key}\":")), "{evaluated}");
    }
    desk.succeed("figures run --grid 4");
    desk.succeed("encode run --limit 5");
    assert_eq!(fs::read_to_string(desk.path("codes.csv")).unwrap().lines().count(), 6);
    desk.succeed("reconstruct run --limit 3");
    assert_eq!(fs::read_dir(desk.path("reconstructions")).unwrap().count(), 3);
    assert!(desk.succeed("info run").contains("2 epoch(s) of strokes"));
}

#[test]
fn every_latent_size_objective_and_image_size_is_drawn() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 1 --grid 4 --out one"));
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 3 --grid 4 --out three"));
    assert!(desk.path("three/figures/latent-map-turning.gif").exists());
    assert_eq!(fs::read_dir(desk.path("three/figures")).unwrap().count(), 4 + 6 + 1);
    desk.succeed(&format!(
        "train {TINY} --epochs 1 --latent 5 --grid 4 --out five --objective ae --image-size 64"
    ));
    let metrics = fs::read_to_string(desk.path("five/metrics.jsonl")).unwrap();
    assert!(metrics.contains("\"test_kl\":0.0"), "{metrics}");
}

#[test]
fn a_plain_autoencoder_is_not_said_to_have_dead_latents() {
    let desk = Desk::new();
    let line = "train --dataset strokes --limit 60 --base-channels 2 --epochs 1 --grid 4";
    let told = desk.run(&format!("{line} --objective ae --out plain")).stderr;
    desk.succeed(&format!("{line} --out variational --quiet"));
    let notes = String::from_utf8(told).unwrap();
    for said in [&notes, &desk.succeed("evaluate plain"), &desk.succeed("info plain")] {
        assert!(!said.contains("informative") && !said.contains("posterior"), "{said}");
        assert!(!said.contains("KL 0"), "{said}");
    }
    assert!(desk.succeed("evaluate plain").contains("plain autoencoder"));
    assert!(desk.succeed("info plain").contains("plain autoencoder"));
    assert!(desk.succeed("evaluate variational").contains("informative latents"));
    assert!(desk.succeed("info variational").contains("+ KL"));
}

#[test]
fn a_likelihood_stays_with_its_model() {
    let desk = Desk::new();
    for (likelihood, has_scale) in [
        ("continuous-bernoulli", false),
        ("gaussian", true),
        ("discretized-logistic", true),
    ] {
        let line = format!("train {TINY} --epochs 2 --likelihood {likelihood} --grid 4 --out {likelihood} --json");
        let trained = desk.succeed(&line);
        let evaluated = desk.succeed(&format!("evaluate {likelihood} --json"));
        let end = |json: &str| json.split_once("\"test_reconstruction\":").unwrap().1[..8].to_owned();
        assert_eq!(end(&trained), end(&evaluated));
        assert!(
            evaluated.contains(&format!("\"likelihood\":\"{likelihood}\"")),
            "{evaluated}"
        );
        assert_eq!(
            !evaluated.contains("\"likelihood_scale\":null"),
            has_scale,
            "{evaluated}"
        );
        assert!(
            desk.succeed(&format!("evaluate {likelihood}"))
                .contains("neg. log-likelihood")
        );
        assert!(desk.succeed(&format!("info {likelihood}")).contains(likelihood));
        desk.fail(
            &format!("train --resume {likelihood} --likelihood cross-entropy"),
            2,
            &["training.likelihood", likelihood, "cross-entropy"],
        );
    }
    // In two parts or at once: the learned scale and its averages are in the checkpoint too.
    desk.succeed(&format!("train {TINY} --epochs 1 --likelihood gaussian --out parts"));
    desk.succeed("train --resume parts --epochs 2 --quiet");
    assert!(same_files(
        &desk.path("parts/model.safetensors"),
        &desk.path("gaussian/model.safetensors")
    ));
}

#[test]
fn a_run_from_before_there_were_likelihoods_goes_on() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    let old: String = config
        .lines()
        .filter(|line| !line.starts_with("likelihood"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(old, config);
    fs::write(desk.path("run/config.toml"), old).unwrap();
    desk.succeed("train --resume run --epochs 2 --quiet");
    assert!(desk.succeed("evaluate run").contains("cross-entropy"));
    assert!(!desk.succeed("info run").contains("likelihood"));
}

#[test]
fn a_preset_lies_under_what_is_typed() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
    desk.succeed("reconstruct run --limit 12 --out faces");
    desk.succeed(
        "train --preset faces --images faces --epochs 1 --base-channels 2 --latent 3 --grid 4 --out preset --quiet",
    );
    let config = fs::read_to_string(desk.path("preset/config.toml")).unwrap();
    for line in ["fit = \"pad\"", "latent = 3", "epochs = 1", "likelihood = \"gaussian\""] {
        assert!(config.contains(line), "{line} is not in\n{config}");
    }
    desk.succeed(
        "train --preset faces --images faces --fit crop --epochs 1 --base-channels 2 --grid 4 --out typed --quiet",
    );
    assert!(
        fs::read_to_string(desk.path("typed/config.toml"))
            .unwrap()
            .contains("fit = \"crop\"")
    );
    desk.fail("train --resume preset --preset faces", 2, &["--preset", "--resume"]);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --threads 1 --out one"));
    desk.succeed(&format!("train {TINY} --epochs 1 --threads 3 --out three"));
    assert!(same_files(
        &desk.path("one/model.safetensors"),
        &desk.path("three/model.safetensors")
    ));
}

#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    let desk = Desk::new();
    let line = "train --dataset strokes --limit 300 --base-channels 2 --quiet --epochs 3";
    desk.succeed(&format!("{line} --out whole"));
    let mut child = desk
        .command(&format!("{line} --out killed"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Somewhere after the first epoch, wherever that happens to be.
    let start = Instant::now();
    while !desk.path("killed/metrics.jsonl").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    desk.succeed("train --resume killed --quiet");
    assert!(same_files(
        &desk.path("whole/model.safetensors"),
        &desk.path("killed/model.safetensors")
    ));
    let metrics = fs::read_to_string(desk.path("killed/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 3);
}

#[test]
fn a_run_is_continued_as_it_began_or_not_at_all() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
    desk.fail("train --resume run --latent 3", 2, &["network.latent = 2, not 3"]);
    desk.fail(
        "train --resume run --dataset mnist --offline",
        2,
        &["data.dataset", "strokes"],
    );
    desk.fail("train --resume nothing", 1, &["nothing/config.toml", "morphvae train"]);
    desk.succeed("train --resume run --epochs 2 --quiet");
    assert_eq!(
        fs::read_to_string(desk.path("run/metrics.jsonl"))
            .unwrap()
            .lines()
            .count(),
        2
    );
}

#[test]
fn a_run_whose_images_have_moved_goes_on_to_the_same_bits() {
    let desk = Desk::new();
    desk.succeed("reconstruct --dataset strokes --limit 12 --out faces --quiet");
    let line = "train --images faces --base-channels 2 --grid 4 --quiet";
    desk.succeed(&format!("{line} --epochs 2 --out whole"));
    desk.succeed(&format!("{line} --epochs 1 --out moved"));
    fs::rename(desk.path("faces"), desk.path("elsewhere")).unwrap();
    desk.fail(
        "train --resume moved --epochs 2",
        1,
        &["faces", "no longer here", "--images"],
    );
    desk.fail(
        "train --resume moved --images nowhere",
        1,
        &["nowhere", "check that it exists"],
    );
    desk.fail("evaluate moved", 1, &["faces", "no longer here", "--images"]);
    desk.fail(
        "train --resume moved --dataset strokes",
        2,
        &["data.dataset", "faces", "strokes"],
    );
    desk.fail(
        "train --resume moved --images elsewhere --channels 3",
        2,
        &["network.channels = 1, not 3"],
    );
    desk.succeed("train --resume moved --images elsewhere --epochs 2 --quiet");
    // The header names the folder; what follows are the weights.
    let weights = |run: &str| {
        let bytes = fs::read(desk.path(&format!("{run}/model.safetensors"))).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + header..].to_owned()
    };
    assert!(weights("whole") == weights("moved"));
    // The new place is remembered.
    desk.succeed("train --resume moved --epochs 3 --quiet");
    desk.succeed("evaluate moved --json");
}

#[test]
fn a_run_does_not_go_on_with_other_images() {
    let desk = Desk::new();
    desk.succeed("reconstruct --dataset strokes --limit 12 --out faces --quiet");
    desk.succeed("train --images faces --base-channels 2 --epochs 1 --grid 4 --out run --quiet");
    let config = fs::read(desk.path("run/config.toml")).unwrap();
    fs::remove_file(desk.path("faces/00000.png")).unwrap();
    desk.fail(
        "train --resume run --epochs 2",
        1,
        &["faces", "no longer the images", "now 10 to train on and 1 to test on"],
    );
    assert_eq!(fs::read(desk.path("run/config.toml")).unwrap(), config);
}

#[test]
fn a_finished_run_is_drawn_again_and_not_cut_short() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 2 --grid 4 --out run"));
    let config = fs::read(desk.path("run/config.toml")).unwrap();
    let drawn = |name: &str| fs::read(desk.path(&format!("run/figures/{name}.png"))).unwrap();
    let sheets = || ["images-by-quantile", "learning-curve", "latent-map", "reconstruction"].map(drawn);
    let before = sheets();
    fs::remove_file(desk.path("run/figures/latent-map.png")).unwrap();
    let output = desk.run("train --resume run --grid 5");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{notes}");
    assert!(
        notes.contains("all 2 epoch(s) are done") && notes.contains("--epochs"),
        "{notes}"
    );
    let after = sheets();
    assert!(before[0] != after[0] && before[1..] == after[1..]);
    desk.fail("train --resume run --epochs 1", 2, &["--epochs is 1", "has done 2"]);
    assert_eq!(fs::read(desk.path("run/config.toml")).unwrap(), config);
}

#[test]
fn wrong_usage_is_refused_with_status_two() {
    let desk = Desk::new();
    desk.fail("train --latent 0", 2, &["--latent"]);
    desk.fail("train --batch-size 0", 2, &["--batch-size"]);
    desk.fail("train --limit -5", 2, &["--limit", "-5"]);
    desk.fail("train --beta -1 --dataset strokes", 2, &["beta is -1", "zero or more"]);
    desk.fail("train --threads 60000", 2, &["--threads", "1024"]);
    desk.fail("train --epochs 2.5", 2, &["--epochs", "2.5", "from 1 to"]);
    desk.fail(
        "train --seed -1",
        2,
        &["--seed", "-1", "from 0 to 18446744073709551615"],
    );
    desk.fail("bench --seconds 0.5", 2, &["--seconds", "0.5", "from 1 to 600"]);
    desk.fail("bench --seconds -1", 2, &["--seconds", "-1", "from 1 to 600"]);
    desk.fail("explore --port 70000", 2, &["--port", "70000", "from 0 to 65535"]);
    desk.fail("train --dataset strokes --fit crop", 2, &["--dataset", "--fit"]);
    desk.fail("data fetch mnist --mirror nowhere", 2, &["nowhere", "http://"]);
    desk.fail("data fetch strokes", 2, &["strokes", "no files"]);
    desk.fail(
        "data sheet --dataset strokes --out sheet.txt",
        2,
        &["sheet.txt", ".png"],
    );
    desk.fail("train --image-size 48", 2, &["--image-size", "64"]);
    desk.fail("train --dataset mnits", 2, &["mnits", "mnist", "strokes"]);
    desk.fail(
        "train --dataset strokes --learning-rate=-1",
        2,
        &["learning rate", "above zero"],
    );
    fs::create_dir(desk.path("mine")).unwrap();
    fs::write(desk.path("mine/letter.txt"), "dear").unwrap();
    desk.fail(&format!("train {TINY} --out mine"), 2, &["mine", "no run's folder"]);
    desk.fail(
        &format!("train {TINY} --out mine/letter.txt"),
        2,
        &["letter.txt", "no run's folder"],
    );
    // Many programs have settings of this name.
    fs::write(desk.path("mine/config.toml"), "[server]\nport = 80\n").unwrap();
    fs::create_dir(desk.path("mine/figures")).unwrap();
    fs::write(desk.path("mine/figures/drawing.png"), "mine").unwrap();
    desk.fail(
        &format!("train {TINY} --out mine --force"),
        2,
        &["mine", "no run's folder"],
    );
    for name in ["letter.txt", "config.toml", "figures/drawing.png"] {
        assert!(desk.path("mine").join(name).exists(), "{name} is lost");
    }
}

#[test]
fn a_run_that_cannot_begin_leaves_no_trace() {
    let desk = Desk::new();
    fs::create_dir(desk.path("empty")).unwrap();
    desk.fail("train --images empty --out new/run", 1, &["empty", "no images"]);
    assert!(!desk.path("new").exists());
    // Not even when it would have replaced another.
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
    desk.fail(&format!("train {TINY} --out run"), 2, &["run", "exists", "--force"]);
    desk.fail("train --images empty --out run --force", 1, &["empty", "no images"]);
    desk.succeed("evaluate run --json");
}

#[test]
fn a_run_starts_from_another_ones_weights_even_after_a_stop() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --seed 7 --out first"));
    desk.fail(
        &format!("train {TINY} --init-from first --latent 3 --out other"),
        2,
        &["--init-from", "--latent"],
    );
    let line = "train --dataset strokes --limit 60 --quiet --epochs 1 --init-from first";
    desk.succeed(&format!("{line} --out second"));
    // A run that stopped before its first step: the settings and the first checkpoint alone.
    desk.succeed(&format!("{line} --batch-size 7 --out whole"));
    let mut child = desk
        .command(&format!("{line} --batch-size 7 --out killed"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !desk.path("killed/config.toml").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    desk.succeed("train --resume killed --quiet");
    assert!(same_files(
        &desk.path("whole/model.safetensors"),
        &desk.path("killed/model.safetensors")
    ));
}

#[test]
fn the_turning_map_is_drawn_when_training_ends() {
    let desk = Desk::new();
    let mut child = desk
        .command(&format!("train {TINY} --epochs 1000 --latent 3 --grid 4 --out run"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !desk.path("run/figures/learning-curve.png").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let turning = desk.path("run/figures/latent-map-turning.gif");
    assert!(desk.path("run/figures/latent-map-015.png").exists() && !turning.exists());
    desk.succeed("figures run --grid 4");
    assert!(turning.exists());
}

#[test]
fn a_place_that_cannot_be_written_shows_before_any_work() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    desk.fail(&format!("train {TINY} --out file/run"), 1, &["file/run", "written"]);
}

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
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
    desk.succeed("reconstruct run --limit 1 --out faces --force");
    desk.fail("train --images faces", 1, &["faces", "1 image(s)", "split"]);
}

#[test]
fn images_of_a_folder_keep_their_names() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
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
    assert!(codes.contains("\ntest/smile/00000.jpg,1,"), "{codes}");
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
    desk.succeed(&format!("train {TINY} --epochs 1 --out run"));
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
    desk.succeed("reconstruct --dataset strokes --limit 12 --out faces --quiet");
    desk.succeed("train --images faces --channels 3 --base-channels 2 --epochs 1 --grid 2 --out run --quiet");
    for line in [
        "evaluate run --dataset strokes",
        "train --init-from run --dataset strokes --limit 20 --out other",
    ] {
        desk.fail(line, 2, &["strokes", "grey", "takes colour ones", "--images"]);
    }
    assert!(!desk.path("other").exists());
    desk.succeed("evaluate run --images faces --quiet");
}

#[test]
fn files_that_are_no_models_are_refused() {
    let desk = Desk::new();
    fs::write(desk.path("page.pth"), "<!DOCTYPE html><html></html>").unwrap();
    desk.fail("info page.pth", 1, &["page.pth"]);
    let mut lie = 9_999_999_999_u64.to_le_bytes().to_vec();
    lie.extend(b"{\"a\":1}");
    fs::write(desk.path("lie.safetensors"), lie).unwrap();
    desk.fail("info lie.safetensors", 1, &["lie.safetensors"]);
    desk.fail("info missing.safetensors", 1, &["missing.safetensors"]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let desk = Desk::new();
    for line in ["data list", "--help", "info --quiet"] {
        let mut child = desk
            .command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{line}: {output:?}"
        );
    }
}

#[test]
fn the_bundled_model_is_used_when_none_is_named() {
    let desk = Desk::new();
    let output = desk.run("info");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("bundled"));
    assert!(String::from_utf8(output.stdout).unwrap().contains("mnist"));
}

#[test]
fn any_plane_of_a_latent_space_is_drawn() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 5 --out run"));
    for (line, plane) in [
        ("--axes 5,2 --size 3 --base z:1,1,1,1,1", "axes"),
        ("--components 2,1 --size 2 --spacing linear", "components"),
        ("--through z:0,0,0,0,0 z:1,0,0,0,0 z:-1,0,0,2,0 --size 2", "through"),
    ] {
        let json = desk.succeed(&format!("grid run {line} --out {plane}.png --json --quiet"));
        assert!(
            json.contains(&format!("\"plane\":\"{plane}\"")) && json.lines().count() == 1,
            "{json}"
        );
        assert!(image::open(desk.path(&format!("{plane}.png"))).unwrap().width() > 1000);
    }
    // The example of the help, as it is typed; a figure is not replaced unasked.
    desk.succeed("grid --size 24 --spacing linear");
    desk.fail("grid", 2, &["mnist-2d-grid.png", "--force"]);
    desk.succeed("grid --size 1 --force");
    fs::remove_file(desk.path("mnist-2d-grid.png")).unwrap();

    desk.fail("grid run --axes 0,1", 2, &["--axes", "numbers from 1"]);
    desk.fail("grid run --axes 1,6", 2, &["no dimension 6", "has 5"]);
    desk.fail("grid run --components 9,1", 2, &["no principal component 9", "has 5"]);
    desk.fail("grid run --axes 2,2", 2, &["dimension 2 is given twice"]);
    desk.fail("grid run --axes 1,2 --components 1,2", 2, &["--axes", "--components"]);
    desk.fail(
        "grid run --through z:1,2 z:0,0 z:1,1",
        2,
        &["z:1,2", "2 number(s)", "5 dimension(s)"],
    );
    desk.fail("grid --through z:1,2 z:0,0 z:2,4", 2, &["one line"]);
    desk.fail("grid --through z:1,2 z:0,0", 2, &["--through", "3"]);
    desk.fail("grid run --base seven", 2, &["seven", "its classes are 0, 1"]);
    desk.fail("grid --base 3", 2, &["--base", "two latent dimensions"]);
    desk.fail("grid --spacing quantile --range 2", 2, &["--range", "linear"]);
    desk.fail("grid --range 0", 2, &["--range is 0"]);
    desk.fail("grid --rows 3", 2, &["--traverse"]);
    desk.fail("grid --out grid.gif", 2, &["grid.gif", ".png"]);
    desk.succeed(&format!("train {TINY} --epochs 1 --latent 1 --grid 4 --out one"));
    desk.fail("grid one", 2, &["one latent dimension", "--traverse"]);
    desk.succeed("grid one --traverse");
}

#[test]
fn traversals_begin_with_the_dimensions_that_carry_most() {
    let desk = Desk::new();
    for objective in ["vae", "ae"] {
        let run = format!("run-{objective}");
        desk.succeed(&format!(
            "train {TINY} --epochs 1 --latent 5 --objective {objective} --out {run}"
        ));
        let output = desk.run(&format!("grid {run} --traverse --rows 2 --json"));
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(
            notes.contains("2 of 5 dimensions") && notes.contains("--rows"),
            "{notes}"
        );
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let [shown, left_out] = ["shown", "left_out"].map(|key| report[key].as_array().unwrap());
        assert_eq!((shown.len(), left_out.len()), (2, 3));
        let measure = if objective == "vae" { "nats" } else { "variance" };
        let amounts = shown
            .iter()
            .chain(left_out)
            .map(|dimension| dimension[measure].as_f64().unwrap());
        let amounts: Vec<f64> = amounts.collect();
        assert!(
            amounts.windows(2).all(|pair| pair[0] >= pair[1]) && amounts[0] > 0.0,
            "{report}"
        );
        assert!(image::open(desk.path(&format!("{run}-traversals.png"))).is_ok());
    }
}
