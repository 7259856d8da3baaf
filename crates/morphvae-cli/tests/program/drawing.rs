//! When the figures of a run are drawn.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::desk::Desk;

#[test]
fn ctrl_c_leaves_the_figures_of_the_last_finished_epoch() {
    let desk = Desk::new();
    // Epochs of some milliseconds, which nobody could draw one by one.
    let line = "train --dataset strokes --limit 60 --base-channels 1 --grid 1 --epochs 1000000 --out run";
    let child = desk.command(line).stderr(Stdio::piped()).spawn().unwrap();
    let epochs = || fs::read_to_string(desk.path("run/metrics.jsonl")).map_or(0, |text| text.lines().count());
    let start = Instant::now();
    while epochs() < 5 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    if told.contains("figures: those of epoch") {
        println!("skipped: this machine takes long to draw\n{told}");
        return;
    }

    // Those of the last epoch, and not of the best, which is marked in the curve.
    let images = || fs::read(desk.path("run/figures/reconstruction.png")).unwrap();
    let left = images();
    assert!(desk.path("run/figures/learning-curve.png").exists());
    fs::remove_file(desk.path("run/best.safetensors")).unwrap();
    desk.succeed("figures run --grid 1 --quiet");
    assert!(left == images(), "after {} epochs", epochs());
}
