//! What is asked for within the stated ranges, but cannot be: refused before anything is written or computed.

use std::fs;

use crate::TINY;
use crate::desk::Desk;

#[test]
fn figures_too_large_to_draw_are_refused_before_a_run_begins() {
    let desk = Desk::new();
    desk.fail(
        &format!("train {TINY} --image-size 128 --grid 100 --out run"),
        2,
        &["--grid is 100", "13034 x", "give 75 or less"],
    );
    // One dimension has a sheet with gaps.
    desk.fail(
        &format!("train {TINY} --image-size 128 --latent 1 --grid 90 --out run"),
        2,
        &["--grid is 90", "or less"],
    );
    assert!(!desk.path("run").exists());
    desk.trained("run", "--epochs 1 --grid 2 --image-size 128");
    let model = fs::read(desk.path("run/model.safetensors")).unwrap();
    let checkpoint = fs::read(desk.path("run/checkpoint/latest.safetensors")).unwrap();
    desk.fail(
        "train --resume run --epochs 2 --grid 76",
        2,
        &["--grid is 76", "give 75"],
    );
    desk.fail("figures run --grid 76", 2, &["--grid is 76", "give 75"]);
    desk.fail("grid run --size 100", 2, &["--size is 100", "give 75"]);
    assert_eq!(fs::read(desk.path("run/model.safetensors")).unwrap(), model);
    assert_eq!(
        fs::read(desk.path("run/checkpoint/latest.safetensors")).unwrap(),
        checkpoint
    );
    // Few rows leave room for many columns.
    desk.succeed("grid run --traverse --size 100 --quiet");
}

/// The largest size that a message names is not refused, and one more is. (That it can be drawn is tried in the library.)
#[test]
fn the_largest_size_that_is_named_is_the_largest() {
    let desk = Desk::new();
    let line = "train --images nothing --base-channels 2 --image-size 128 --out run";
    desk.fail(&format!("{line} --grid 76"), 2, &["give 75 or less"]);
    // Images are what is looked for next.
    desk.fail(&format!("{line} --grid 75"), 1, &["nothing"]);
}

#[test]
fn a_training_that_no_memory_would_hold_is_refused() {
    let desk = Desk::new();
    let digits = "train --dataset strokes --base-channels 512 --image-size 128 --latent 4096 --out run";
    // As many steps as images would do it on any machine, once they are counted.
    if cfg!(target_os = "linux") {
        desk.fail(
            &format!("{digits} --batch-size 1000000000"),
            2,
            &[
                "of memory",
                "for the network",
                "free",
                "--base-channels",
                "--batch-size",
            ],
        );
    }
    assert!(!desk.path("run").exists());
}

#[test]
fn ranges_are_the_true_ones() {
    let desk = Desk::new();
    desk.fail("train --latent abc", 2, &["--latent", "from 1 to 4096"]);
    desk.fail("train --latent 4097", 2, &["--latent", "from 1 to 4096"]);
    desk.fail("train --base-channels 513", 2, &["--base-channels", "from 1 to 512"]);
    desk.fail("train --batch-size 1", 2, &["--batch-size", "from 2 to 1000000000"]);
    desk.fail("train --limit 1", 2, &["--limit", "from 2 to"]);
    desk.fail("grid --size 101", 2, &["--size", "from 1 to 100"]);
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_any_work() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "mine").unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    // Models and images are missing: whoever would work first would say so.
    for line in [
        "grid --out file/a.png",
        "grid --traverse --out file/a/b.png",
        "morph nothing.pth 1 2 --out file/a.gif",
        "morph nothing.pth 1 2 --out file/a/frames",
        "reconstruct nothing.pth --out file/a",
        "decode nothing.npz --out file/a.npz",
        "decode nothing.npz --out file/a",
        "encode nothing.pth --out file/codes",
        "encode nothing.pth --out file/a/codes.csv",
        "evaluate nothing.pth --per-image file/a.csv",
        "attribute smile nothing.pth --from empty --to empty --out file/a.json",
        "figures --dataset mnist --offline --out file/a",
        "explore nothing.pth --export file/a.html",
        "data sheet --images nothing --out file/a.png",
        "data export --dataset mnist --offline --out file/a",
        "train --images nothing --out file/a",
    ] {
        desk.fail(line, 1, &["file", "is a file, and no folder"]);
    }
    for (name, line) in [
        ("a.png", "grid --force --out a.png"),
        ("a.gif", "morph nothing.pth 1 2 --no-sheet --force --out a.gif"),
    ] {
        fs::create_dir(desk.path(name)).unwrap();
        desk.fail(line, 1, &[name, "a folder stands there"]);
        fs::remove_dir(desk.path(name)).unwrap();
    }
    // Nothing was left, not even of what could be written and failed later.
    desk.fail("grid nothing.pth --out new/folder/a.png", 1, &["nothing.pth"]);
    desk.fail("reconstruct nothing.pth --out other/new/folder", 1, &["nothing.pth"]);
    let names = |folder: &str| -> Vec<_> {
        let entries = fs::read_dir(desk.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("."), ["empty", "file"]);
    assert!(names("empty").is_empty());
    assert_eq!(fs::read(desk.path("file")).unwrap(), b"mine");
}

#[test]
fn what_was_named_is_looked_for_even_where_it_is_not_needed() {
    let desk = Desk::new();
    for line in ["morph 2 4", "grid", "grid --traverse"] {
        desk.fail(
            &format!("{line} --dataset nothing"),
            2,
            &["no data set named", "known sets"],
        );
        desk.fail(&format!("{line} --images nothing"), 1, &["nothing"]);
    }
    let empty = desk.command("morph 2").arg("").output().unwrap();
    assert!(
        String::from_utf8_lossy(&empty.stderr).contains("error: \"\": no class"),
        "{empty:?}"
    );
    desk.fail(
        "train --images nothing --objective ae --beta 2",
        2,
        &["--beta weighs", "leave it out"],
    );
    // Before images that are not there: where to serve.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for line in [
        "explore --no-open --images nothing",
        "train --watch --no-open --images nothing",
    ] {
        desk.fail(&format!("{line} --port {port}"), 1, &["cannot serve", "choose another"]);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_and_no_folder_is_refused_at_once() {
    let desk = Desk::new();
    std::os::unix::fs::symlink("circle", desk.path("circle")).unwrap();
    std::os::unix::fs::symlink("nowhere/at/all", desk.path("nowhere")).unwrap();
    for out in ["circle/a", "nowhere", "circle"] {
        desk.fail(
            &format!("reconstruct --dataset mnist --offline --out {out}"),
            1,
            &[out, "cannot be written"],
        );
    }
    desk.fail("decode /dev/null", 1, &["a device or a pipe"]);
}
