//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::targets::{TARGETS, Target};

/// How it is called.
pub const USAGE: &str = "usage: morphvae-fuzz TARGET|all [--seconds N] [--executions N] [--seed N] [--findings FOLDER]
       morphvae-fuzz TARGET --replay FILE
       morphvae-fuzz list";

/// What is to be done.
pub struct Options {
    /// The targets, one after the other.
    pub targets: Vec<&'static Target>,
    /// How long each is tried.
    pub time: Duration,
    /// How many new inputs of each are tried at most, however fast the machine is.
    pub executions: u64,
    /// Decides every input.
    pub seed: u64,
    /// Where inputs that fail are kept.
    pub findings: PathBuf,
    /// One input to try in place of new ones.
    pub replay: Option<PathBuf>,
}

impl Options {
    /// Reads the arguments after the program's name; the error says what is wrong.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let name = arguments.next().ok_or("name a target")?;
        let mut options = Self {
            targets: TARGETS
                .iter()
                .filter(|target| name == "all" || name == target.name)
                .collect(),
            time: Duration::from_secs(60),
            executions: u64::MAX,
            seed: 0,
            findings: PathBuf::from("target/fuzz"),
            replay: None,
        };
        if options.targets.is_empty() && name != "list" {
            return Err(format!("there is no target {name}"));
        }
        while let Some(option) = arguments.next() {
            let value = arguments.next().ok_or(format!("{option} needs a value"))?;
            let number = || value.parse().map_err(|error| format!("{option} {value}: {error}"));
            match option.as_str() {
                "--seconds" => options.time = Duration::from_secs(number()?),
                "--executions" => options.executions = number()?,
                "--seed" => options.seed = number()?,
                "--findings" => options.findings = PathBuf::from(value),
                "--replay" => options.replay = Some(PathBuf::from(value)),
                _ => return Err(format!("there is no option {option}")),
            }
        }
        if options.replay.is_some() && options.targets.len() != 1 {
            return Err("--replay needs one target".to_owned());
        }
        Ok(options)
    }
}
