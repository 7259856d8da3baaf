//! `explore` and `train --watch`: the real binary, asked over a real connection.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const TINY: &str = "--dataset strokes --limit 60 --base-channels 2 --epochs 2 --grid 2";

/// The program in a folder, with nothing that a browser could be opened on.
fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_morphvae"));
    command.current_dir(folder).args(line.split_whitespace());
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads lines until one holds an address.
fn address(output: impl Read + Send + 'static) -> String {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let found = lines.find_map(|line| line.split("http://").nth(1).map(str::to_owned));
    // Whoever writes on must not find the pipe closed.
    std::thread::spawn(move || lines.count());
    found.expect("an address").trim().to_owned()
}

fn get(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Presses Ctrl-C.
fn interrupt(child: &mut Child) -> ExitStatus {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(20) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    panic!("Ctrl-C did not end it");
}

#[test]
fn a_map_is_served_without_a_screen_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing is on disk, so that there are no images to show.
    let mut child = command(folder.path(), "explore --offline --quiet").spawn().unwrap();
    let host = address(child.stdout.take().unwrap());
    let model = get(&host, "/api/model");
    assert!(
        model.starts_with("HTTP/1.1 200") && model.contains("\"name\":\"mnist-2d\""),
        "{model}"
    );
    assert!(
        model.contains("\"count\":0") && model.contains("\"model_argument\":\"\""),
        "{model}"
    );
    // A client that holds its connection does not keep the program.
    let _idle = TcpStream::connect(&host).unwrap();
    assert!(interrupt(&mut child).success());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_address_is_an_object_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path(), "explore --no-open --json --offline --quiet")
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(interrupt(&mut child).success());
    let report: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(
        report["url"].as_str().unwrap().starts_with("http://127.0.0.1:"),
        "{report}"
    );
}

#[test]
fn images_that_are_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), "explore --dataset mnist --offline --quiet")
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.starts_with("error: ") && errors.lines().count() == 1, "{errors}");
}

#[test]
fn a_watched_training_ends_with_the_same_bits_and_its_map_stays() {
    let folder = tempfile::tempdir().unwrap();
    let alone = command(folder.path(), &format!("train {TINY} --out alone --quiet"))
        .status()
        .unwrap();
    assert!(alone.success());
    let mut child = command(folder.path(), &format!("train {TINY} --out watched --watch"))
        .spawn()
        .unwrap();
    let host = address(child.stderr.take().unwrap());
    let begin = Instant::now();
    let mut model = String::new();
    // From the network as it begins to the last epoch's.
    while !model.contains("\"epochs\":2") {
        assert!(begin.elapsed() < Duration::from_secs(60), "{model}");
        model = get(&host, "/api/model");
        assert!(
            model.contains("\"watching\":true") && model.contains("\"count\":60"),
            "{model}"
        );
    }
    while !folder.path().join("watched/figures/learning-curve.png").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut run = TcpStream::connect(&host).unwrap();
    write!(run, "GET /api/watch HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut events = String::new();
    while !events.contains("\"epoch\":2,") {
        let mut bytes = [0; 4096];
        let count = run.read(&mut bytes).unwrap();
        events.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert_eq!(events.matches("event: epoch").count(), 2, "{events}");
    // A training that is not quite over would go on; either way nothing is lost.
    let status = interrupt(&mut child);
    assert!(status.success() || status.code() == Some(130));
    let model = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    assert!(model("alone") == model("watched"));
}

#[test]
fn a_map_is_exported_once_and_again_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| command(folder.path(), line).output().unwrap();
    assert!(run(&format!("train {TINY} --out run")).status.success());
    let line = "explore run --export sub/map.html --json";
    let exported = run(line);
    let report: serde_json::Value = serde_json::from_slice(&exported.stdout).unwrap();
    let size = fs::metadata(folder.path().join("sub/map.html")).unwrap().len();
    assert!(
        exported.status.success() && report["bytes"] == size && report["points"].as_u64().unwrap() > 0,
        "{report}"
    );
    assert_eq!(report["out"], "sub/map.html");
    assert_eq!(run("explore run --export map.txt").status.code(), Some(2));
    let refused = run(line);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("sub/map.html: this exists: replace it with --force"));
    assert!(run(&format!("{line} --force")).status.success());
    assert_eq!(run("explore --export map.html --port 80").status.code(), Some(2));
}
