//! What the program says: true, complete, and no longer than need be.

use std::fs;
use std::process::Stdio;

use crate::desk::Desk;

#[test]
fn a_part_of_a_split_is_not_passed_off_as_the_whole() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let said = desk.succeed("evaluate run --limit 7 --quiet");
    assert!(
        said.contains("the first 7 of its 60 images") && said.contains("not the numbers of the whole"),
        "{said}"
    );
    let json = desk.succeed("evaluate run --limit 7 --json --quiet");
    assert!(
        json.contains("\"images\":7") && json.contains("\"of_images\":60"),
        "{json}"
    );
    // As many as there are is the whole.
    for line in ["evaluate run", "evaluate run --limit 100"] {
        assert!(desk.succeed(line).contains("test split, 60 images"));
    }
}

#[test]
fn a_folder_without_splits_has_none_to_choose() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("reconstruct run --limit 3 --out faces/a --quiet");
    for verb in ["reconstruct", "encode"] {
        for split in ["test", "train"] {
            let line = format!("{verb} run --images faces/a --split {split} --out made");
            desk.fail(&line, 2, &["no `train` and `test`", "leave --split out"]);
        }
        desk.succeed(&format!("{verb} run --images faces/a --out made --force"));
        desk.succeed(&format!("{verb} run --split test --out made --force"));
    }
}

#[test]
fn the_command_that_an_attribute_names_works() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.succeed("reconstruct run --limit 2 --out with --quiet");
    desk.succeed("reconstruct run --limit 4 --out without --quiet");
    for out in ["", "--out kept/thick.json"] {
        let output = desk.run(&format!("attribute thick run --from without --to with {out}"));
        let notes = String::from_utf8(output.stderr).unwrap();
        let command = notes
            .trim()
            .rsplit_once("apply it with: morphvae ")
            .unwrap()
            .1
            .to_owned();
        assert!(command.starts_with("morph run KEY KEY+"), "{notes}");
        let command = command.replace("KEY", "with/00000.png");
        desk.succeed(&format!("{command} --frames 3 --out clip.gif --force --quiet"));
    }
    desk.fail(
        "attribute thick run --from without --to with --out thick.txt",
        2,
        &["thick.txt", ".json"],
    );
}

#[test]
fn a_file_of_settings_is_called_what_it_is() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    desk.fail(
        "info run/config.toml",
        1,
        &["config.toml", "TOML", "name the run's folder"],
    );
    desk.fail("info run/metrics.jsonl", 1, &["metrics.jsonl", "JSON"]);
}

#[test]
fn numbers_are_repeated_as_they_were_typed() {
    let desk = Desk::new();
    desk.fail("grid --range 1e300", 2, &["--range is 1e300"]);
    desk.fail("train --dataset strokes --beta=-1e300", 2, &["beta is -1e300"]);
}

#[test]
fn a_mistyped_option_is_not_taken_for_a_value() {
    let desk = Desk::new();
    let output = desk.run("evaluate --limits 5");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        errors.contains("'--limit'") && !errors.contains("as a value"),
        "{errors}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_an_error() {
    let desk = Desk::new();
    for line in ["--help", "morph --help", "--version"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = desk.command(line).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {errors}");
        assert!(errors.starts_with("error: ") && errors.lines().count() == 1, "{errors}");
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_quoted() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let desk = Desk::new();
    let mut command = desk.command("data fetch");
    let output = command.arg(OsStr::from_bytes(b"caf\xe9")).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        errors.contains("caf\\xE9") && errors.contains("UTF-8") && errors.lines().count() == 1,
        "{errors}"
    );
}

#[test]
fn what_exceeds_the_machine_is_explained() {
    let desk = Desk::new();
    desk.trained("run", "--epochs 1 --grid 2");
    let said = desk.succeed("bench run --seconds 0.01 --quiet");
    assert!(
        said.contains("Winograd") && said.contains("fewer multiplications"),
        "{said}"
    );
}

/// The examples that the help of these verbs gives, in one folder, in their order.
#[test]
fn examples_of_codes_and_data_work_as_they_are_typed() {
    examples_work(&[
        "encode",
        "decode",
        "info",
        "sample",
        "data list",
        "data sheet",
        "data export",
    ]);
}

#[test]
fn examples_of_judging_work_as_they_are_typed() {
    examples_work(&["evaluate", "probe", "reconstruct"]);
}

/// Types the examples of each verb's help, one after the other.
fn examples_work(verbs: &[&str]) {
    let desk = Desk::new();
    for verb in verbs {
        let help = desk.succeed(&format!("{verb} --help"));
        let (_, examples) = help.rsplit_once("Example").unwrap();
        let (_, examples) = examples.split_once(": ").unwrap();
        for example in examples.trim().lines().map(str::trim) {
            let line = example.strip_prefix("morphvae ").unwrap();
            // As a user would type them one after the other, who has seen what is there already.
            let line = match line.split(' ').next() {
                Some("encode" | "decode") => format!("{line} --force"),
                // Learning is tried by other tests, and takes long at this size.
                Some("train") => format!("{line} --base-channels 2 --grid 2"),
                _ => line.to_owned(),
            };
            desk.succeed(&line);
        }
    }
}
