//! Talking to people: notes and progress go to standard error, so that standard output stays for other programs.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Between two lines of progress when nobody watches a terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Where messages go.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    quiet: bool,
}

impl Console {
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Says one line.
    pub fn note(self, text: impl AsRef<str>) {
        if !self.quiet {
            // Nobody listening is no reason to stop working.
            let _ = writeln!(io::stderr(), "{}", text.as_ref());
        }
    }

    /// Prints one JSON object on standard output.
    pub fn json<T: Serialize>(self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.print(&text)
    }

    /// Prints a result on standard output.
    pub fn print(self, text: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }

    /// Shows how far something is: a bar on a terminal, a line now and then elsewhere.
    pub fn progress(self, unit: Unit) -> Meter {
        let shown = if self.quiet {
            Shown::Nothing
        } else if io::stderr().is_terminal() {
            let bar = ProgressBar::new(0);
            bar.set_style(unit.style());
            Shown::Bar(bar)
        } else {
            Shown::Lines(Instant::now())
        };
        Meter {
            shown,
            unit,
            start: Instant::now(),
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    Images,
    Bytes,
    /// From one key of a clip to the next.
    Ways,
}

impl Unit {
    fn style(self) -> ProgressStyle {
        let template = match self {
            Self::Images => "{prefix} {bar:30.cyan/white} {pos}/{len}  {per_sec:>14}  {eta:>4} left  {msg}",
            Self::Ways => "{prefix} {bar:30.cyan/white} {pos}/{len}  {eta:>4} left",
            Self::Bytes => "{prefix} {bar:30.cyan/white} {bytes}/{total_bytes}  {bytes_per_sec}  {eta:>4} left",
        };
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key(
                "per_sec",
                |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = write!(out, "{:.0} images/s", state.per_sec());
                },
            )
            .progress_chars("━━─")
    }

    fn rate(self, amount: f64) -> String {
        match self {
            Self::Images => format!("{amount:.0} images/s"),
            Self::Bytes => format!("{:.1} MB/s", amount / 1e6),
            Self::Ways => format!("{amount:.1} keys/s"),
        }
    }
}

/// Progress of one thing.
#[derive(Debug)]
pub struct Meter {
    shown: Shown,
    unit: Unit,
    start: Instant,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    /// When the last line was written.
    Lines(Instant),
}

impl Meter {
    /// `done` of `total`, with a word on what and how it goes.
    pub fn update(&mut self, what: &str, done: u64, total: u64, state: &str) {
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                // A new thing starts its own clock, so that rate and time left are its own.
                if done < bar.position() || bar.length() != Some(total) {
                    bar.reset();
                    bar.set_length(total);
                }
                bar.set_prefix(what.to_owned());
                bar.set_message(state.to_owned());
                bar.set_position(done);
            }
            Shown::Lines(last) => {
                if last.elapsed() < PLAIN_INTERVAL {
                    return;
                }
                *last = Instant::now();
                let percent = 100 * done / total.max(1);
                let rate = self.unit.rate(done as f64 / self.start.elapsed().as_secs_f64());
                let _ = writeln!(io::stderr(), "{what} {percent}%  {rate}  {state}");
            }
        }
    }

    /// Takes the bar away and starts anew.
    pub fn clear(&mut self) {
        self.start = Instant::now();
        if let Shown::Bar(bar) = &self.shown {
            bar.reset();
            bar.set_length(0);
            bar.finish_and_clear();
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}
