//! Where the program is run, and what is said of how it ended.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::{Duration, Instant};

use crate::TINY;

/// Runs that several tests begin with, by the lines that they were trained with. Each is trained by the first who asks.
static TRAINED: LazyLock<Mutex<HashMap<String, Arc<OnceLock<PathBuf>>>>> = LazyLock::new(Mutex::default);

/// A folder of its own, and the program run in it.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// On one thread, unless the line says otherwise: as many tests as there are cores run beside one another.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_morphvae"));
        command.current_dir(self.0.path()).args(line.split_whitespace());
        command.env("RAYON_NUM_THREADS", "1");
        command
    }

    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Runs what must succeed, and returns its standard output.
    pub fn succeed(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(
            output.status.success(),
            "{line}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Puts a run of a tiny network here, as `train TINY OPTIONS --out RUN` does, but trains it only once for all.
    pub fn trained(&self, run: &str, options: &str) {
        self.learned(run, &format!("train {TINY} {options}"));
    }

    /// The same of any training, as `LINE --out RUN` does it.
    pub fn learned(&self, run: &str, line: &str) {
        let whole = Arc::clone(TRAINED.lock().unwrap().entry(line.to_owned()).or_default());
        let whole = whole.get_or_init(|| {
            let place = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join("trained")
                .join(line.replace(' ', ""));
            let _ = fs::remove_dir_all(&place);
            self.succeed(&format!("{line} --out {}", place.display()));
            place
        });
        copy(whole, &self.path(run));
    }

    /// Puts a dozen images into the folder `faces`.
    pub fn faces(&self) {
        self.trained("artist", "--epochs 1 --grid 2");
        self.succeed("reconstruct artist --limit 12 --out faces --quiet");
    }

    /// Kills the program once it has made a file, which it must not survive.
    pub fn kill_when_there_is(&self, name: &str, line: &str) {
        let mut child = self.command(line).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while !self.path(name).exists() && start.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert!(self.path(name).exists(), "{line}\nmade no {name}");
        assert_eq!(status.code(), None, "{line}\nhad ended by itself");
    }

    /// Runs what must fail with `status` and one line that says all of `words`.
    pub fn fail(&self, line: &str, status: i32, words: &[&str]) {
        let output = self.run(line);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}\n{errors}");
        for word in words {
            assert!(errors.contains(word), "{line}\nsays nothing of {word:?}: {errors}");
        }
        let own: Vec<&str> = errors.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(
            own.len() == 1 && errors.lines().last() == Some(own[0]),
            "{line}\n{errors}"
        );
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
