//! Where the program is run, and what is said of how it ended.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder of its own, and the program run in it.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_morphvae"));
        command.current_dir(self.0.path()).args(line.split_whitespace());
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
