//! The best epoch is what a run stands for, and what ends it early.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;
use crate::same_files;

/// Learns its few images by heart, in steps that are too long.
const OVERFITTING: &str = "--dataset strokes --limit 60 --base-channels 2 --grid 4 --learning-rate 0.03";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The test loss of every epoch.
fn losses(desk: &Desk, run: &str) -> Vec<f64> {
    let metrics = fs::read_to_string(desk.path(run).join("metrics.jsonl")).unwrap();
    metrics
        .lines()
        .map(|line| json(line)["test_loss"].as_f64().unwrap())
        .collect()
}

/// The epoch with the lowest one, counted from one.
fn best(losses: &[f64]) -> usize {
    (1..=losses.len())
        .min_by(|&one, &other| losses[one - 1].total_cmp(&losses[other - 1]))
        .unwrap()
}

#[test]
fn a_run_stands_for_its_best_epoch() {
    let desk = Desk::new();
    let output = desk.run(&format!("train {OVERFITTING} --epochs 8 --out run --json"));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let losses = losses(&desk, "run");
    let best = best(&losses);
    assert!(1 < best && best < 8, "{losses:?}");
    let (least, last) = (losses[best - 1], losses[7]);
    let report = json(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(
        (&report["epoch"], &report["model"]),
        (&8.into(), &"run/model.safetensors".into())
    );
    let expected = serde_json::json!({ "epoch": best, "test_loss": least, "model": "run/best.safetensors" });
    assert_eq!(report["best"], expected);
    let line = format!("epoch {best} was the best, {:.2} nats below the last", last - least);
    assert!(
        told.contains(&line) && told.contains("model:   run/best.safetensors"),
        "{told}"
    );

    let evaluated = json(&desk.succeed("evaluate run --json"));
    assert_eq!(evaluated["test_loss"], least);
    for (model, loss, says_so) in [
        ("run", least, true),
        ("run/best.safetensors", least, false),
        ("run/model.safetensors", last, false),
    ] {
        let output = desk.run(&format!("info {model} --json"));
        let told = String::from_utf8(output.stderr).unwrap();
        let report = json(&String::from_utf8(output.stdout).unwrap());
        assert_eq!(report["card"]["test"]["loss"], loss, "{model}: {told}");
        let line = format!(
            "run: epoch {best} of 8, the best: its test loss is {:.2} nats below",
            last - least
        );
        assert_eq!(told.contains(&line), says_so, "{told}");
    }
    let info = desk.succeed("info run");
    assert!(info.contains(&format!("{best} epoch(s) of strokes")), "{info}");
    assert!(
        info.contains(&format!(
            "last epoch     8: test loss {last:.2} nats per image, in run/model."
        )),
        "{info}"
    );
    let info = json(&desk.succeed("info run --json"));
    assert_eq!(
        (&info["card"]["epochs"], &info["last"]["epoch"]),
        (&best.into(), &8.into())
    );
    assert_eq!(
        json(&desk.succeed("info run/model.safetensors --json"))["last"],
        Value::Null
    );

    // The figures that training leaves are those of the model that it leaves.
    let sheet = || fs::read(desk.path("run/figures/reconstruction.png")).unwrap();
    let drawn = sheet();
    for line in ["figures run --grid 4 --quiet", "train --resume run --grid 4 --quiet"] {
        fs::remove_dir_all(desk.path("run/figures")).unwrap();
        desk.succeed(line);
        assert!(drawn == sheet(), "{line}");
    }

    // A run of an earlier version.
    fs::remove_file(desk.path("run/best.safetensors")).unwrap();
    let output = desk.run("evaluate run --json");
    assert_eq!(json(&String::from_utf8(output.stdout).unwrap())["test_loss"], last);
    assert!(!String::from_utf8(output.stderr).unwrap().contains("best"));
    let output = desk.run("train --resume run --grid 4");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("best"));
    assert!(drawn != sheet());
}

#[test]
fn a_run_whose_last_epoch_is_the_best_says_nothing_of_it() {
    let desk = Desk::new();
    let output = desk.run("train --dataset strokes --limit 60 --base-channels 2 --grid 4 --epochs 1 --out run");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains("was the best"), "{told}");
    assert!(same_files(
        &desk.path("run/best.safetensors"),
        &desk.path("run/model.safetensors")
    ));
    assert!(!desk.succeed("info run").contains("last epoch"));
    // What is replaced takes its best epoch with it.
    desk.succeed(&format!("train {OVERFITTING} --epochs 1 --out run --force --quiet"));
    assert!(same_files(
        &desk.path("run/best.safetensors"),
        &desk.path("run/model.safetensors")
    ));
}

#[test]
fn patience_ends_a_run_early() {
    let desk = Desk::new();
    // So many steps an epoch that the first one counts.
    let output = desk.run(&format!(
        "train {OVERFITTING} --batch-size 2 --epochs 1000 --patience 3 --out run"
    ));
    let told = String::from_utf8(output.stderr).unwrap();
    let seen = losses(&desk, "run");
    assert_eq!(seen.len(), best(&seen) + 3, "{seen:?}");
    for words in [
        "1000 epoch(s), or until the test loss has not improved for 3",
        "no more epochs, since the test loss has not improved for 3 epoch(s)",
        &format!("epoch {} was the best", best(&seen)),
    ] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    assert!(
        fs::read_to_string(desk.path("run/config.toml"))
            .unwrap()
            .contains("patience = 3")
    );
    let output = desk.run("train --resume run --grid 4");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("not improved for 3 epoch(s)") && told.contains("give a larger --patience"),
        "{told}"
    );
    assert_eq!(losses(&desk, "run"), seen);
    desk.succeed(&format!(
        "train --resume run --grid 4 --patience 4 --epochs {} --quiet",
        seen.len() + 1
    ));
    assert_eq!(losses(&desk, "run").len(), seen.len() + 1);
    for wrong in ["0", "-1", "2.5", "long"] {
        desk.fail(
            &format!("train {OVERFITTING} --patience {wrong}"),
            2,
            &["--patience", wrong, "from 1 to"],
        );
    }
    fs::write(
        desk.path("run/config.toml"),
        fs::read_to_string(desk.path("run/config.toml"))
            .unwrap()
            .replace("patience = 4", "patience = 0"),
    )
    .unwrap();
    desk.fail(
        "train --resume run",
        1,
        &["config.toml: the patience is 0, but must be at least 1"],
    );
}

#[test]
fn epochs_before_the_running_statistics_have_settled_try_no_patience() {
    let desk = Desk::new();
    // Two steps an epoch: the eleventh is the first that counts.
    desk.succeed(
        "train --dataset strokes --limit 60 --base-channels 2 --grid 4 --epochs 12 --patience 1 --out run --quiet",
    );
    assert_eq!(losses(&desk, "run").len(), 12);
    let info = json(&desk.succeed("info run --json"));
    assert!(info["card"]["epochs"].as_u64().unwrap() > 10, "{info}");
}

#[test]
fn a_damaged_best_network_stops_no_training_and_hides_nothing_that_is_whole() {
    let desk = Desk::new();
    desk.succeed(&format!("train {OVERFITTING} --epochs 8 --out run --quiet"));
    let best_path = desk.path("run/best.safetensors");
    let bytes = fs::read(&best_path).unwrap();
    let damaged = &bytes[..bytes.len() / 2];
    fs::write(&best_path, damaged).unwrap();
    for verb in ["info run", "evaluate run", "grid run"] {
        let words = [
            "run/best.safetensors",
            "damaged",
            "is whole: name run/model.safetensors",
        ];
        desk.fail(verb, 1, &words);
    }
    desk.succeed("info run/model.safetensors");

    let output = desk.run("train --resume run --epochs 9");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let losses = losses(&desk, "run");
    assert!(losses.len() == 9 && best(&losses) < 9, "{losses:?}");
    let warnings: Vec<&str> = told.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("run/best.safetensors is a damaged"),
        "{told}"
    );
    assert!(told.contains("model:   run/model.safetensors"), "{told}");
    assert_eq!(fs::read(&best_path).unwrap(), damaged);
    assert!(desk.path("run/figures/learning-curve.png").exists());

    // A checkpoint is needed to go on, and not to begin with what was learned.
    let checkpoint = desk.path("run/checkpoint/latest.safetensors");
    let sound = fs::read(&checkpoint).unwrap();
    fs::write(&checkpoint, &sound[..sound.len() / 2]).unwrap();
    let words = ["latest.safetensors is a damaged", "--init-from run/model.safetensors"];
    desk.fail("train --resume run --epochs 10", 1, &words);
    fs::write(&checkpoint, sound).unwrap();

    // What the message says helps.
    fs::remove_file(&best_path).unwrap();
    assert_eq!(json(&desk.succeed("evaluate run --json"))["test_loss"], losses[8]);
    fs::remove_file(desk.path("run/model.safetensors")).unwrap();
    fs::write(&best_path, damaged).unwrap();
    let told = String::from_utf8(desk.run("info run").stderr).unwrap();
    assert!(
        told.starts_with("error: run/best.safetensors") && !told.contains("whole"),
        "{told}"
    );
}
