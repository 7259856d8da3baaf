//! Trainings that are killed at random moments, continued, replaced and killed again, end as those that nobody touched.
//!
//! A few kills are tried with all other tests. A campaign:
//!
//! ```sh
//! MORPHVAE_KILLS=500 cargo test --release --test program kills -- --ignored --nocapture
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The smallest run with everything in it.
const COMMON: &str = "--dataset strokes --limit 60 --base-channels 1 --grid 1 --threads 1 --quiet";

/// Kills of one folder before it is left alone to end.
const MOST_KILLS: u64 = 6;

/// The ways in which a run may begin: other settings, or other weights.
const KINDS: [&str; 3] = [
    "--batch-size 30",
    "--batch-size 12",
    "--batch-size 20 --init-from first",
];

/// A run's folder: what is in each file, without the times that it took.
type Contents = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Default)]
struct Figures {
    kills: usize,
    /// Processes that had ended before.
    late: usize,
    folders: usize,
    /// Kills that left nothing begun, the run that was there, or the new one.
    nothing: usize,
    old: usize,
    new: usize,
}

struct Campaign {
    desk: tempfile::TempDir,
    wholes: Vec<Contents>,
    /// How long an undisturbed run takes.
    time: Duration,
    state: u64,
    figures: Figures,
}

#[test]
fn a_few_kills_change_nothing() {
    Campaign::new(1).run(5);
}

#[test]
#[ignore = "takes minutes; MORPHVAE_KILLS says how many"]
fn many_kills_change_nothing() {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().expect(name));
    Campaign::new(number("MORPHVAE_SEED", 2)).run(number("MORPHVAE_KILLS", 500) as usize);
}

impl Campaign {
    fn new(seed: u64) -> Self {
        let mut campaign = Self {
            desk: tempfile::tempdir().unwrap(),
            wholes: Vec::new(),
            time: Duration::ZERO,
            state: seed,
            figures: Figures::default(),
        };
        campaign.succeed(&format!("train {COMMON} --seed 7 --epochs 1 --out first"));
        for (index, kind) in KINDS.iter().enumerate() {
            let start = Instant::now();
            campaign.succeed(&format!("train {COMMON} {kind} --out whole-{index}"));
            campaign.time = campaign.time.max(start.elapsed());
            let whole = contents(&campaign.path(&format!("whole-{index}")));
            assert!(whole.len() > 7, "{:?}", whole.keys());
            campaign.wholes.push(whole);
        }
        campaign
    }

    fn run(mut self, kills: usize) {
        let start = Instant::now();
        while self.figures.kills < kills {
            self.disturb_one();
            if self.figures.folders.is_multiple_of(10) {
                println!("{} kills in {:.0} s", self.figures.kills, start.elapsed().as_secs_f64());
            }
        }
        let Figures {
            kills,
            late,
            folders,
            nothing,
            old,
            new,
        } = self.figures;
        println!(
            "{kills} kills in {folders} folders, {late} more came too late: models, metrics, settings, figures and names \
             of files as without. A kill left a run that goes on {} times, nothing begun {nothing} times; of --force, \
             the old run {old} times and the new one {new} times.",
            kills - nothing,
        );
    }

    /// A folder in which one thing after the other is killed, and the last is not.
    fn disturb_one(&mut self) {
        self.figures.folders += 1;
        let run = self.path("run");
        let _ = fs::remove_dir_all(&run);
        for _ in 0..1 + self.below(MOST_KILLS) {
            let kind = self.below(KINDS.len() as u64) as usize;
            let before = kind_of(&run);
            let (line, replaces) = match before {
                None => (format!("train {COMMON} {} --out run", KINDS[kind]), false),
                Some(_) if self.below(2) == 0 => ("train --resume run --quiet --threads 1 --grid 1".to_owned(), false),
                Some(_) => (format!("train {COMMON} {} --out run --force", KINDS[kind]), true),
            };
            if !self.kill(&line) {
                continue;
            }
            let after = kind_of(&run);
            match (before, after) {
                (_, None) => {
                    assert_eq!(before, None, "{line}: a run was lost");
                    self.figures.nothing += 1;
                }
                // Of the same kind, they are the same run.
                (Some(before), Some(after)) if replaces && kind != before => {
                    assert!(
                        after == before || after == kind,
                        "{line}: neither the old run nor the new one"
                    );
                    self.figures.old += usize::from(after == before);
                    self.figures.new += usize::from(after == kind);
                }
                (Some(before), Some(after)) => assert_eq!(before, after, "{line}"),
                (None, Some(after)) => assert_eq!(after, kind, "{line}"),
            }
        }
        let kind = kind_of(&run).unwrap_or_else(|| {
            self.succeed(&format!("train {COMMON} {} --out run", KINDS[0]));
            0
        });
        self.succeed("train --resume run --quiet --threads 1 --grid 1");
        let (now, whole) = (contents(&run), &self.wholes[kind]);
        assert!(
            now.keys().eq(whole.keys()),
            "{:?}\nare not\n{:?}",
            now.keys(),
            whole.keys()
        );
        for (name, bytes) in &now {
            assert!(bytes == &whole[name], "{} is another", name.display());
        }
    }

    /// Starts the program and kills it, sooner or later. Says whether it was in time.
    fn kill(&mut self, line: &str) -> bool {
        let micros = 1.1 * self.time.as_micros() as f64;
        let delay = Duration::from_micros(self.below(micros as u64));
        let mut child = self.command(line).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(delay);
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        // Ended by itself, it ended well.
        let was_killed = output.status.code().is_none();
        assert!(was_killed || output.status.success(), "{line}\n{errors}");
        self.figures.kills += usize::from(was_killed);
        self.figures.late += usize::from(!was_killed);
        was_killed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.desk.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_morphvae"));
        command.current_dir(self.desk.path()).args(line.split_whitespace());
        command
    }

    fn succeed(&self, line: &str) {
        let output = self.command(line).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{errors}");
    }

    /// A number below `limit`: Knuth's MMIX generator, the upper bits.
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % limit
    }
}

/// Which of [`KINDS`] the run is, by its settings; one that is to replace another is the run from when it is whole.
fn kind_of(run: &Path) -> Option<usize> {
    let settings = [run.join(".next/config.toml"), run.join("config.toml")];
    let text = settings.iter().find_map(|path| fs::read_to_string(path).ok())?;
    let size = |kind: &str| kind.split_whitespace().nth(1).unwrap().to_owned();
    let kind = KINDS
        .iter()
        .position(|kind| text.contains(&format!("batch_size = {}\n", size(kind))));
    Some(kind.expect("it is one of them"))
}

fn contents(run: &Path) -> Contents {
    let mut contents = Contents::new();
    let mut folders = vec![run.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(run).unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = match name.to_str().unwrap() {
                "metrics.jsonl" => without_times(&fs::read_to_string(&path).unwrap()),
                // It holds times too; its weights are the model's.
                "checkpoint/latest.safetensors" => Vec::new(),
                _ => fs::read(&path).unwrap(),
            };
            contents.insert(name, bytes);
        }
    }
    contents
}

fn without_times(lines: &str) -> Vec<u8> {
    let mut text = String::new();
    for line in lines.lines() {
        let mut fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        fields.retain(|name, _| name != "seconds" && name != "images_per_second");
        text += &format!("{}\n", serde_json::to_string(&fields).unwrap());
    }
    text.into_bytes()
}
