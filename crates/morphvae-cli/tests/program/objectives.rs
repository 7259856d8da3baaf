//! What is minimized, and how that is said, kept and continued.

use std::fs;

use super::desk::Desk;
use super::{TINY, same_files};

/// That a run that was stopped after an epoch ends as one that was not.
fn goes_on_to_the_same_bits(options: &str) {
    let desk = Desk::new();
    desk.succeed(&format!("train {TINY} {options} --epochs 2 --grid 2 --out whole"));
    desk.succeed(&format!("train {TINY} {options} --epochs 1 --grid 2 --out parts"));
    desk.succeed("train --resume parts --epochs 2 --grid 2 --quiet");
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
            "the number of free nats a latent dimension is 0.1, but must be zero for a plain",
        ),
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
    for setting in ["warm_up", "free_bits"] {
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
