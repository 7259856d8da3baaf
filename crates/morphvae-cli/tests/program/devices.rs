//! Devices: what is there, what is not, and runs that go on on another one.

use std::fs;
use std::process::Output;

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
            let refused = cfg!(feature = "gpu") && device == "software";
            assert_eq!(
                output.status.code(),
                Some(if refused { 1 } else { 2 }),
                "{drivers}: {said}"
            );
            assert!(
                said.starts_with(&format!("error: {device} cannot be used: ")) && said.lines().count() == 1,
                "{said}"
            );
            let why = match cfg!(feature = "gpu") {
                true => "`morphvae devices`",
                false => "feature `gpu`",
            };
            assert!(said.contains(why), "{said}");
        }
    }
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

#[cfg(feature = "gpu")]
mod on_a_gpu {
    use super::*;

    /// Whether there is a GPU that works.
    fn is_there(desk: &Desk) -> bool {
        let report: Value = serde_json::from_str(&desk.succeed("devices --json")).unwrap();
        let devices = report["devices"].as_array().unwrap();
        let gpu = devices.iter().find(|device| device["kind"] == "gpu").unwrap();
        if let Some(reason) = gpu["reason"].as_str() {
            println!("skipped: no GPU can be used: {reason}");
        }
        gpu["usable"] == true
    }

    fn test_loss(desk: &Desk, line: &str) -> f64 {
        let report: Value = serde_json::from_str(&desk.succeed(line)).unwrap();
        report["test_loss"].as_f64().unwrap()
    }

    #[test]
    fn a_run_is_killed_and_goes_on_on_another_device() {
        let desk = Desk::new();
        if !is_there(&desk) {
            return;
        }
        for (run, first, second) in [("there", "gpu", "cpu"), ("back", "cpu", "gpu")] {
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
            let [there, here] = ["software", "cpu"]
                .map(|device| test_loss(&desk, &format!("evaluate {run} --json --quiet --device {device}")));
            assert!((there / here - 1.0).abs() < 1e-4, "{there} {here}");
        }
    }

    #[test]
    fn what_works_on_many_images_works_there() {
        let desk = Desk::new();
        if !is_there(&desk) {
            return;
        }
        desk.trained("run", "--epochs 1 --grid 2");
        let output = desk.run("encode run --limit 20 --out codes.csv --device gpu");
        let said = errors(&output);
        assert!(output.status.success(), "{said}");
        assert!(
            said.starts_with("device: gpu:0, ") && said.contains("warning: "),
            "{said}"
        );
        for line in [
            "decode codes.csv run --out decoded",
            "reconstruct run --limit 3 --out made",
            "sample run -n 5 --out drawn",
            "probe run --limit 60",
            "evaluate run --binarize dynamic --samples 8 --limit 3",
        ] {
            desk.succeed(&format!("{line} --quiet --device gpu"));
        }
    }
}
