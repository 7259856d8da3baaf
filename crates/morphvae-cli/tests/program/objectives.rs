//! What is minimized, and how that is said, kept and continued.

use std::fs;

use super::desk::Desk;
use super::{TINY, same_files};

/// That a run that was stopped after an epoch ends as one that was not.
fn goes_on_to_the_same_bits(options: &str) {
    let desk = Desk::new();
    let images = "--dataset strokes --limit 40 --quiet --grid 1";
    let network = match options.contains("mlp") {
        true => "",
        false => "--base-channels 2",
    };
    for (epochs, out) in [(2, "whole"), (1, "parts")] {
        desk.succeed(&format!(
            "train {images} {network} {options} --epochs {epochs} --out {out}"
        ));
    }
    desk.succeed("train --resume parts --epochs 2 --grid 1 --quiet");
    for file in ["model.safetensors", "best.safetensors"] {
        assert!(
            same_files(&desk.path("whole").join(file), &desk.path("parts").join(file)),
            "{options}: {file}"
        );
    }
}

#[test]
fn a_warm_up_goes_on_where_it_was() {
    goes_on_to_the_same_bits("--warm-up 1 --free-bits 0.2 --beta 2");
}

#[test]
fn a_learning_rate_that_falls_and_another_adam_go_on_where_they_were() {
    for options in [
        "--learning-rate-steps 1 --learning-rate-factor 0.5 --adam-betas 0.99,0.999 --adam-epsilon 0.0001 \
         --adam-epsilon-hat --adam-first-square 1",
        "--architecture mlp --hidden 20 --image-size 8 --pixel-mean-bias",
    ] {
        goes_on_to_the_same_bits(options);
    }
}

#[test]
fn several_samples_go_on_where_they_were() {
    for options in [
        "--objective iwae",
        "--objective dreg --samples 3 --warm-up 1",
        "--samples 2",
    ] {
        goes_on_to_the_same_bits(&format!("--architecture mlp --hidden 20 --image-size 8 {options}"));
    }
}

#[test]
fn a_bound_is_called_one_and_judged_by_its_samples() {
    let desk = Desk::new();
    let line = format!("train {TINY} --objective iwae --samples 4 --epochs 1 --grid 2 --out run --json");
    let trained: serde_json::Value = serde_json::from_str(&desk.succeed(&line)).unwrap();
    let of = |json: &serde_json::Value, key: &str| json[key].as_f64().unwrap();
    assert!(of(&trained, "train_loss") < of(&trained, "train_reconstruction") + of(&trained, "train_kl"));
    assert!(of(&trained, "test_loss") < of(&trained, "test_reconstruction") + of(&trained, "test_kl"));
    let judged: serde_json::Value = serde_json::from_str(&desk.succeed("evaluate run --json")).unwrap();
    assert_eq!(judged["loss_samples"], 4);
    for key in ["test_loss", "test_reconstruction", "test_kl"] {
        assert!((of(&judged, key) - of(&trained, key)).abs() < 1e-9, "{key}");
    }
    let text = desk.succeed("evaluate run");
    assert!(
        text.contains("importance-weighted bound, 4 samples of the posterior"),
        "{text}"
    );
    let info = desk.succeed("info run");
    assert!(info.contains("importance-weighted autoencoder, 4 sample(s)"), "{info}");
}

#[test]
fn a_learned_prior_is_kept_drawn_from_and_trained_on() {
    let options = "--architecture mlp --hidden 20 --prior vamp --pseudo-inputs 7 --image-size 8";
    for objective in ["vae", "dreg"] {
        goes_on_to_the_same_bits(&format!("{options} --objective {objective}"));
    }
    let desk = Desk::new();
    let images = "--dataset strokes --limit 60 --quiet --grid 2";
    desk.succeed(&format!("train {images} {options} --epochs 1 --out run"));
    let info = desk.succeed("info run");
    assert!(info.contains("the VampPrior of 7 pseudo-inputs"), "{info}");
    desk.succeed("evaluate run");
    desk.succeed("morph run random random --path line --no-sheet --out clip.gif");
    let grid = desk.succeed("grid run --size 2 --out grid.png --json");
    assert!(!grid.contains("\"prior\""), "{grid}");
    desk.succeed(&format!("train {images} --init-from run --epochs 1 --out on"));
    assert!(desk.succeed("info on").contains("of 7 pseudo-inputs"));
    desk.succeed(&format!(
        "train {images} --init-from run --prior standard --epochs 1 --out off"
    ));
    assert!(!desk.succeed("info off").contains("pseudo-inputs"));
    desk.fail(
        "train --resume run --epochs 2 --pseudo-inputs 8",
        2,
        &["training.pseudo_inputs = 7, not 8"],
    );
}

#[test]
fn nonsense_is_refused_in_one_line_before_anything_is_written() {
    let desk = Desk::new();
    for (options, said) in [
        (
            "--warm-up 3 --epochs 2",
            "the warm-up is 3 epoch(s), but must be no longer than the training",
        ),
        (
            "--free-bits -1",
            "the number of free nats a latent dimension is -1.0, but must be finite",
        ),
        (
            "--objective ae --warm-up 1",
            "the warm-up is 1 epoch(s), but must be zero for a plain autoencoder",
        ),
        (
            "--objective ae --free-bits 0.1",
            "the number of free nats a latent dimension is 0.1, but must be zero but for",
        ),
        (
            "--objective iwae --free-bits 0.1",
            "the number of free nats a latent dimension is 0.1, but must be zero but for",
        ),
        (
            "--prior vamp",
            "the number of pseudo-inputs is 500, but must be 0 for an encoder with batch norms",
        ),
        (
            "--objective ae --prior vamp --pseudo-inputs 3",
            "the number of pseudo-inputs is 3, but must be 0 for a plain autoencoder",
        ),
        ("--pseudo-inputs 3", "--pseudo-inputs are of the prior vamp"),
        ("--prior vamp --pseudo-inputs 0", "a whole number from 1 to 10000"),
        (
            "--objective ae --samples 2",
            "the number of samples an image is 2, but must be 1 for a plain autoencoder",
        ),
        (
            "--learning-rate-steps 3,2",
            "falls is [3, 2], but must be numbers from 1",
        ),
        (
            "--learning-rate-steps 3 --learning-rate-factor 2",
            "falls is 2.0, but must be above 0, and at most 1",
        ),
        ("--learning-rate-factor 0.5", "--learning-rate-steps"),
        ("--adam-betas 0.9", "two numbers from 0 to below 1"),
        (
            "--adam-betas 0.9,1",
            "a beta of Adam is 1.0, but must be from 0 to below 1",
        ),
        (
            "--adam-first-square -1",
            "Adam's first square is -1.0, but must be finite",
        ),
        (
            "--pixel-mean-bias",
            "the decoder's output is pixel-means, but must be standard or fitted",
        ),
        ("--samples 0", "a whole number from 1 to 10000"),
    ] {
        desk.fail(&format!("train {TINY} {options} --out run"), 2, &[said]);
        assert!(!desk.path("run").exists(), "{options}");
    }
}

#[test]
fn what_is_minimized_stays_as_the_run_began() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    for setting in ["warm_up", "free_bits", "samples", "pseudo_inputs"] {
        assert!(!config.contains(setting), "{setting} is named though it is as usual");
    }
    desk.fail(
        "train --resume run --epochs 2 --warm-up 1",
        2,
        &["training.warm_up = nothing, not 1"],
    );
    desk.fail(
        "train --resume run --epochs 2 --free-bits 0.5",
        2,
        &["training.free_bits = nothing, not 0.5"],
    );
}
