//! Runs that go on, and those that may not.

use std::fs;

use crate::desk::Desk;
use crate::{TINY, same_files};

#[test]
fn a_run_from_before_there_were_likelihoods_goes_on() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    let old: String = config
        .lines()
        .filter(|line| !line.starts_with("likelihood"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(old, config);
    fs::write(desk.path("run/config.toml"), old).unwrap();
    desk.succeed("train --resume run --epochs 2 --grid 2 --quiet");
    assert!(desk.succeed("evaluate run").contains("cross-entropy"));
    assert!(!desk.succeed("info run").contains("likelihood"));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --grid 2 --threads 1 --out one"));
    desk.succeed(&format!("train {TINY} --epochs 1 --grid 2 --threads 3 --out three"));
    assert!(same_files(
        &desk.path("one/model.safetensors"),
        &desk.path("three/model.safetensors")
    ));
}

#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    let desk = Desk::new();
    let line = "train --dataset strokes --limit 200 --base-channels 2 --grid 2 --quiet --epochs 6";
    desk.succeed(&format!("{line} --out whole"));
    // Somewhere after the first epoch, wherever that happens to be.
    desk.kill_when_there_is("killed/metrics.jsonl", &format!("{line} --out killed"));
    let epochs = || {
        fs::read_to_string(desk.path("killed/metrics.jsonl"))
            .unwrap()
            .lines()
            .count()
    };
    assert!((1..6).contains(&epochs()), "{} epochs", epochs());
    desk.succeed("train --resume killed --grid 2 --quiet");
    assert!(same_files(
        &desk.path("whole/model.safetensors"),
        &desk.path("killed/model.safetensors")
    ));
    assert_eq!(epochs(), 6);
}

#[test]
fn a_run_is_continued_as_it_began_or_not_at_all() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.fail("train --resume run --latent 3", 2, &["network.latent = 2, not 3"]);
    desk.fail(
        "train --resume run --dataset mnist --offline",
        2,
        &["data.dataset", "strokes"],
    );
    desk.fail("train --resume nothing", 1, &["nothing/config.toml", "morphvae train"]);
    desk.succeed("train --resume run --epochs 2 --grid 2 --quiet");
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
    desk.faces();
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
    desk.succeed("train --resume moved --images elsewhere --epochs 2 --grid 2 --quiet");
    // The header names the folder; what follows are the weights.
    let weights = |run: &str| {
        let bytes = fs::read(desk.path(&format!("{run}/model.safetensors"))).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[8 + header..].to_owned()
    };
    assert!(weights("whole") == weights("moved"));
    // The new place is remembered.
    desk.succeed("train --resume moved --epochs 3 --grid 2 --quiet");
    desk.succeed("evaluate moved --json");
}

#[test]
fn a_run_does_not_go_on_with_other_images() {
    let desk = Desk::new();
    desk.faces();
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
    desk.fail(
        "train --resume run --epochs 1",
        2,
        &["1 epoch(s) were asked for", "has done 2", "--epochs"],
    );
    assert_eq!(fs::read(desk.path("run/config.toml")).unwrap(), config);
}

#[test]
fn a_run_begins_where_its_images_are_even_after_a_stop() {
    let desk = Desk::new();
    desk.faces();
    desk.succeed(
        "train --images faces --likelihood gaussian --base-channels 2 --grid 4 --quiet --epochs 1 --out whole",
    );
    let config = fs::read_to_string(desk.path("whole/config.toml")).unwrap();
    assert!(config.contains("output = \"fitted\""), "{config}");
    // Settings are all that is left by a run which stopped before its first checkpoint. Those of earlier programs do
    // not say how the output begins.
    fs::create_dir(desk.path("killed")).unwrap();
    fs::write(desk.path("killed/config.toml"), &config).unwrap();
    fs::create_dir(desk.path("old")).unwrap();
    fs::write(
        desk.path("old/config.toml"),
        config.replace("output = \"fitted\"\n", ""),
    )
    .unwrap();
    for run in ["killed", "old"] {
        desk.succeed(&format!("train --resume {run} --grid 4 --quiet"));
        let is_same = same_files(
            &desk.path("whole/model.safetensors"),
            &desk.path(&format!("{run}/model.safetensors")),
        );
        assert_eq!(is_same, run == "killed", "{run}");
    }
    assert!(
        !fs::read_to_string(desk.path("old/config.toml"))
            .unwrap()
            .contains("output")
    );
}

#[test]
fn the_well_known_experiment_and_what_begins_with_weights_are_not_fitted() {
    let desk = Desk::new();
    desk.faces();
    let line = "train --base-channels 2 --grid 4 --quiet --epochs 1";
    for (run, options, is_fitted) in [
        ("strokes", "--dataset strokes --limit 60", false),
        (
            "density",
            "--dataset strokes --limit 60 --likelihood continuous-bernoulli",
            true,
        ),
        ("folder", "--images faces", true),
    ] {
        desk.succeed(&format!("{line} {options} --out {run}"));
        let config = fs::read_to_string(desk.path(run).join("config.toml")).unwrap();
        assert_eq!(config.contains("output = \"fitted\""), is_fitted, "{run}: {config}");
    }
    desk.succeed("train --images faces --grid 4 --quiet --epochs 1 --init-from strokes --out again");
    assert!(
        !fs::read_to_string(desk.path("again/config.toml"))
            .unwrap()
            .contains("output")
    );
}

#[test]
fn a_run_starts_from_another_ones_weights_even_after_a_stop() {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} --epochs 1 --grid 2 --seed 7 --out first"));
    desk.fail(
        &format!("train {TINY} --init-from first --latent 3 --out other"),
        2,
        &["--init-from", "--latent"],
    );
    let line = "train --dataset strokes --limit 60 --grid 2 --quiet --epochs 1 --init-from first";
    desk.succeed(&format!("{line} --out second"));
    // A run that stopped before its first step: the settings and the first checkpoint alone.
    desk.succeed(&format!("{line} --batch-size 7 --out whole"));
    desk.kill_when_there_is("killed/config.toml", &format!("{line} --batch-size 7 --out killed"));
    assert!(!desk.path("killed/metrics.jsonl").exists());
    desk.succeed("train --resume killed --quiet");
    assert!(same_files(
        &desk.path("whole/model.safetensors"),
        &desk.path("killed/model.safetensors")
    ));
}
