//! What the system refuses, and what it is asked to keep.

use std::fs;
use std::process::{Command, Stdio};

use crate::TINY;
use crate::desk::Desk;

#[test]
fn a_file_where_a_folder_should_be_is_called_one() {
    let desk = Desk::new();
    fs::write(desk.path("afile"), "").unwrap();
    for line in [
        "morph z:0,0 z:1,1 --frames 2 --out afile/x.gif".to_owned(),
        "grid --size 2 --out afile/x.png".to_owned(),
        format!("train {TINY} --out afile/run"),
    ] {
        desk.fail(&line, 1, &["afile/", "afile is a file, and no folder"]);
    }
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_mode_and_a_link_its_place() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let desk = Desk::new();
    fs::create_dir(desk.path("films")).unwrap();
    fs::write(desk.path("films/clip.gif"), "old").unwrap();
    fs::set_permissions(desk.path("films/clip.gif"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("films/clip.gif", desk.path("link.gif")).unwrap();
    desk.succeed("morph z:0,0 z:1,1 --path line --frames 2 --out link.gif --force --quiet");
    assert!(desk.path("link.gif").is_symlink());
    assert!(fs::read(desk.path("films/clip.gif")).unwrap().starts_with(b"GIF89a"));
    assert_eq!(fs::metadata(desk.path("films/clip.gif")).unwrap().mode() & 0o777, 0o640);
    symlink("films/later.png", desk.path("dangling.png")).unwrap();
    desk.succeed("grid --size 2 --out dangling.png --force --quiet");
    assert!(desk.path("dangling.png").is_symlink());
    assert!(image::open(desk.path("films/later.png")).is_ok());
}

#[test]
fn more_threads_than_cores_are_warned_of() {
    let desk = Desk::new();
    let cores = std::thread::available_parallelism().unwrap().get();
    let said = |line: &str| String::from_utf8(desk.run(line).stderr).unwrap();
    let warning = said(&format!("info --threads {}", cores + 1));
    assert!(
        warning.contains(&format!("warning: {} threads share {cores} core(s)", cores + 1)),
        "{warning}"
    );
    assert!(!said(&format!("info --threads {cores}")).contains("warning"));
    assert!(!said(&format!("info --quiet --threads {}", cores + 1)).contains("warning"));
}

#[test]
fn settings_that_are_no_numbers_are_told_once() {
    let desk = Desk::new();
    let words = &["beta is NaN, but must be finite, and zero or more"];
    desk.fail(&format!("train {TINY} --beta nan"), 2, words);
    desk.fail(
        &format!("train {TINY} --learning-rate inf"),
        2,
        &["the learning rate is inf, but must be finite, and above zero"],
    );
    desk.trained("run", "--epochs 1 --grid 2");
    desk.fail("train --resume run --beta nan", 2, words);
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    fs::write(desk.path("run/config.toml"), config.replace("beta = 1.0", "beta = nan")).unwrap();
    desk.fail("train --resume run", 1, words);
    desk.fail("train --resume run --beta nan", 1, &["config.toml: beta is NaN"]);
    desk.fail("train --resume run --latent 3", 1, &["config.toml"]);
    fs::write(desk.path("run/config.toml"), config).unwrap();
    desk.fail("train --resume run --latent 5000", 2, &["latent", "5000"]);
}

/// As a user who may have few threads; the superuser may have as many as there are.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_cannot_be_had_is_one_line() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    fs::set_permissions(desk.path("."), fs::Permissions::from_mode(0o777)).unwrap();
    let program = desk.path("morphvae");
    fs::copy(env!("CARGO_BIN_EXE_morphvae"), &program).unwrap();
    // Nobody else is that user, whose threads are counted.
    let user = ["--reuid", "61234", "--regid", "61234", "--clear-groups", "--"];
    let can = Command::new("setpriv")
        .args(user)
        .args(["prlimit", "--nproc=1", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !can {
        println!("skipped: only the superuser with setpriv and prlimit can try this");
        return;
    }
    let line = "train --dataset strokes --limit 60 --base-channels 2 --epochs 1 --grid 1 --quiet --threads 4 --force --out run";
    let mut refused = 0;
    for most in 1..=9 {
        let output = Command::new("setpriv")
            .args(user)
            .args(["prlimit", &format!("--nproc={most}")])
            .arg(&program)
            .args(line.split_whitespace())
            .current_dir(desk.path("."))
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        println!("{most}: {:?} {errors}", output.status.code());
        if output.status.success() {
            continue;
        }
        refused += 1;
        assert_eq!(output.status.code(), Some(1), "{most}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{most}: {errors}");
        assert!(
            errors.starts_with("error: ") && errors.contains("thread"),
            "{most}: {errors}"
        );
    }
    assert!(refused > 2);
}

#[test]
fn what_a_dead_process_left_of_a_file_is_removed_by_the_next() {
    let desk = Desk::new();
    let left = desk.path(".clip.gif.part-4194999");
    std::fs::write(&left, "half").unwrap();
    desk.succeed("morph 2 4 --frames 4 --path line --no-sheet --quiet --out clip.gif");
    assert!(desk.path("clip.gif").exists() && !left.exists());
}
