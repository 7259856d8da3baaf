//! One process trains in a folder; another one there gets a line that names it.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::TINY;
use crate::desk::Desk;

/// Starts what goes on until it is killed.
fn begin(desk: &Desk, line: &str) -> Child {
    desk.command(line).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{} never came",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn end(mut child: Child) {
    assert!(child.try_wait().unwrap().is_none(), "it has ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nobody_disturbs_a_training() {
    let desk = Desk::new();
    let line = format!("train {TINY} --grid 1 --out run");
    let child = begin(&desk, &format!("{line} --epochs 1000"));
    wait_for(&desk.path("run/metrics.jsonl"));
    let config = fs::read(desk.path("run/config.toml")).unwrap();
    let process = format!("process {} trains here", child.id());
    for other in [
        format!("{line} --epochs 1"),
        format!("{line} --epochs 1 --force"),
        "train --resume run --epochs 2000".to_owned(),
    ] {
        desk.fail(&other, 1, &["run: ", &process]);
    }
    assert_eq!(fs::read(desk.path("run/config.toml")).unwrap(), config);
    // Who only reads is no disturbance.
    desk.succeed("evaluate run --json");
    end(child);

    // The claim has died with its process.
    let done = fs::read_to_string(desk.path("run/metrics.jsonl"))
        .unwrap()
        .lines()
        .count();
    desk.succeed(&format!("train --resume run --epochs {} --quiet", done + 1));
    desk.succeed(&format!("{line} --epochs 1 --force"));
    assert!(!desk.path("run/.lock").exists());
}

#[test]
fn of_two_starts_at_once_one_wins() {
    let desk = Desk::new();
    for (before, force) in [("nothing", ""), ("a run", "--force")] {
        let line = format!("train {TINY} --grid 1 --epochs 1000 --out run {force}");
        let mut children = [begin(&desk, &line), begin(&desk, &line)];
        let start = Instant::now();
        let loser = loop {
            let ended = children
                .iter_mut()
                .position(|child| child.try_wait().unwrap().is_some());
            if let Some(loser) = ended {
                break loser;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "both go on over {before}");
            std::thread::sleep(Duration::from_millis(1));
        };
        let [first, second] = children;
        let (loser, winner) = if loser == 0 { (first, second) } else { (second, first) };
        let process = format!(
            "error: run: process {} trains here: wait until it ends, or stop it\n",
            winner.id()
        );
        let output = loser.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), process);
        assert_eq!(output.status.code(), Some(1));
        wait_for(&desk.path("run/metrics.jsonl"));
        end(winner);
        desk.succeed("evaluate run --json");
    }
}

#[test]
fn a_folder_that_vanished_is_not_made_anew() {
    let desk = Desk::new();
    let child = begin(&desk, &format!("train {TINY} --grid 1 --epochs 1000 --out run"));
    wait_for(&desk.path("run/metrics.jsonl"));
    fs::rename(desk.path("run"), desk.path("elsewhere")).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("run was removed or replaced meanwhile"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(!desk.path("run").exists());
    // Where it is now, it goes on.
    let metrics = fs::read_to_string(desk.path("elsewhere/metrics.jsonl")).unwrap();
    let epochs = metrics.lines().count() + 1;
    desk.succeed(&format!("train --resume elsewhere --epochs {epochs} --quiet"));
}
