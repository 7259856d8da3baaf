//! Devices: what is there, what is not, and runs that go on on another one.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::TINY;
use crate::desk::Desk;

/// What drivers may be: none, something else than a list of them, and a list of what is none.
const DRIVERS: [&str; 3] = ["nowhere.json", "text.json", "broken.json"];

/// The program where these are the only drivers.
fn run_with(desk: &Desk, drivers: &str, line: &str) -> Output {
    fs::write(desk.path("text.json"), "no JSON").unwrap();
    let driver = r#"{"file_format_version": "1.0.0", "ICD": {"library_path": "./text.json", "api_version": "1.3.0"}}"#;
    fs::write(desk.path("broken.json"), driver).unwrap();
    let mut command = desk.command(line);
    for name in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] {
        command.env(name, desk.path(drivers));
    }
    command.output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_a_gpu_the_processor_is_taken_or_one_line_says_why_not() {
    let desk = Desk::new();
    for drivers in DRIVERS {
        let line = format!("train {TINY} --epochs 1 --grid 2 --device auto --out run --force");
        let output = run_with(&desk, drivers, &line);
        assert!(output.status.success(), "{drivers}: {}", errors(&output));
        for device in ["gpu", "gpu:0", "gpu:3", "software"] {
            let output = run_with(&desk, drivers, &format!("evaluate run --device {device} --json"));
            let said = errors(&output);
            assert_eq!(output.status.code(), Some(2), "{drivers}: {said}");
            assert!(
                said.starts_with(&format!("error: {device} cannot be used: ")) && said.lines().count() == 1,
                "{said}"
            );
            let why = match cfg!(feature = "wgpu") {
                true => "`morphvae devices`",
                false => "feature `gpu`",
            };
            assert!(said.contains(why), "{said}");
        }
    }
}

/// A library that ends every process that loads it, if there is a compiler to make it.
fn deadly_driver(desk: &Desk) -> Option<()> {
    fs::write(
        desk.path("deadly.c"),
        "_Noreturn void abort(void); __attribute__((constructor)) static void end(void) { abort(); }",
    )
    .ok()?;
    let library = desk.path("deadly.so");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(desk.path("deadly.c"))
        .output()
        .ok()?;
    let driver = r#"{"file_format_version": "1.0.0", "ICD": {"library_path": "./deadly.so", "api_version": "1.3.0"}}"#;
    fs::write(desk.path("deadly.json"), driver).ok()?;
    made.status.success().then_some(())
}

#[test]
fn a_driver_that_ends_whoever_loads_it_ends_another_process() {
    let desk = Desk::new();
    if !cfg!(target_os = "linux") || deadly_driver(&desk).is_none() {
        println!("skipped: no C compiler makes a driver");
        return;
    }
    let output = run_with(
        &desk,
        "deadly.json",
        &format!("train {TINY} --epochs 1 --grid 2 --out run"),
    );
    assert!(output.status.success(), "{}", errors(&output));
    for device in ["gpu", "software"] {
        let output = run_with(&desk, "deadly.json", &format!("evaluate run --device {device}"));
        let said = errors(&output);
        assert!(
            said.starts_with(&format!("error: {device} cannot be used: ")) && said.lines().count() == 1,
            "{said}"
        );
    }
    let output = run_with(&desk, "deadly.json", "devices --json");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let usable = |device: &Value| device["usable"] == true;
    assert_eq!(
        report["devices"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|device| usable(device))
            .count(),
        1,
        "{report}"
    );
}

#[test]
fn devices_are_listed_with_what_keeps_them_from_being_used() {
    let desk = Desk::new();
    for drivers in DRIVERS {
        let output = run_with(&desk, drivers, "devices --json");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let devices = report["devices"].as_array().unwrap();
        let kinds: Vec<&str> = devices.iter().map(|device| device["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["cpu", "gpu", "software"]);
        for device in devices {
            let usable = device["usable"].as_bool().unwrap();
            assert_eq!(usable, device["kind"] == "cpu", "{device}");
            assert_eq!(usable, device["reason"].is_null(), "{device}");
            assert_eq!(usable, device["name"].is_string(), "{device}");
        }
        assert!(output.stderr.is_empty(), "{}", errors(&output));
        let text = run_with(&desk, drivers, "devices").stdout;
        assert_eq!(String::from_utf8(text).unwrap().lines().count(), 3);
    }
}

#[test]
fn the_first_line_names_the_device() {
    let desk = Desk::new();
    let line =
        "train --dataset strokes --limit 60 --base-channels 2 --epochs 1 --grid 2 --device cpu --threads 2 --out run";
    let said = errors(&desk.run(line));
    let first = said.lines().next().unwrap();
    assert!(
        first.starts_with("device: cpu, processor with ") && first.ends_with("2 thread(s)"),
        "{said}"
    );
    desk.fail(
        "evaluate run --device cuda",
        2,
        &["cuda", "auto, cpu, gpu, gpu:N or software"],
    );
    // Few images at a time.
    let said = errors(&desk.run("morph run 1 2 --frames 3 --out clip.gif --device gpu"));
    assert!(said.lines().next().unwrap().contains("cpu and not gpu"), "{said}");
}

#[cfg(feature = "wgpu")]
mod on_a_gpu {
    use super::*;

    /// The first GPU that works, or else the driver that computes on the processor, by what is typed for it.
    fn found(desk: &Desk) -> Option<String> {
        let report: Value = serde_json::from_str(&desk.succeed("devices --json")).unwrap();
        let devices = report["devices"].as_array().unwrap();
        let is_usable = |device: &&Value| device["usable"] == true && device["kind"] != "cpu";
        let found = devices.iter().find(is_usable);
        if found.is_none() {
            println!("skipped: no GPU can be used: {report}");
        }
        Some(found?["device"].as_str().unwrap().to_owned())
    }

    fn test_loss(desk: &Desk, line: &str) -> f64 {
        let report: Value = serde_json::from_str(&desk.succeed(line)).unwrap();
        report["test_loss"].as_f64().unwrap()
    }

    #[test]
    fn a_run_is_killed_and_goes_on_on_another_device() {
        let desk = Desk::new();
        let Some(gpu) = found(&desk) else { return };
        for (run, first, second) in [("there", gpu.as_str(), "cpu"), ("back", "cpu", gpu.as_str())] {
            let line = format!("train {TINY} --epochs 100000 --grid 2 --device {first} --out {run}");
            desk.kill_when_there_is(&format!("{run}/metrics.jsonl"), &line);
            let done = || {
                fs::read_to_string(desk.path(run).join("metrics.jsonl"))
                    .unwrap()
                    .lines()
                    .count()
            };
            let asked = done() + 3;
            desk.succeed(&format!(
                "train --resume {run} --epochs {asked} --grid 2 --device {second} --quiet"
            ));
            assert_eq!(done(), asked);
            let [there, here] = [gpu.as_str(), "cpu"]
                .map(|device| test_loss(&desk, &format!("evaluate {run} --json --quiet --device {device}")));
            assert!((there / here - 1.0).abs() < 1e-4, "{there} {here}");
        }
    }

    #[test]
    fn what_works_on_many_images_works_there() {
        let desk = Desk::new();
        let Some(gpu) = found(&desk) else { return };
        desk.trained("run", "--epochs 1 --grid 2");
        let output = desk.run(&format!("encode run --limit 20 --out codes.csv --device {gpu}"));
        let said = errors(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("device: {gpu}, ")), "{said}");
        assert_eq!(said.contains("warning: "), gpu == "software", "{said}");
        for line in [
            "decode codes.csv run --out decoded",
            "reconstruct run --limit 3 --out made",
            "sample run -n 5 --out drawn",
            "probe run --limit 60",
            "evaluate run --binarize dynamic --samples 8 --limit 3",
        ] {
            desk.succeed(&format!("{line} --quiet --device {gpu}"));
        }
    }
}
