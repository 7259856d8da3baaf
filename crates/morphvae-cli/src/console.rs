//! Talking to people: notes and progress go to standard error, so that standard output stays for other programs.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use morphvae::data::Skipped;
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

    /// Names the files of a folder that could not be read.
    pub fn skipped(self, files: &Skipped) {
        for (path, reason) in files {
            self.note(format!("skipped {}: {reason}", path.display()));
        }
        if !files.is_empty() {
            self.note(format!(
                "{} image(s) skipped; --strict makes that an error",
                files.len()
            ));
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
            thing: None,
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
                    let _ = write!(out, "{:.0} images/s", finite(state.per_sec()));
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

/// A clock that stands still gives no rate.
fn finite(rate: f64) -> f64 {
    if rate.is_finite() { rate } else { 0.0 }
}

/// Progress of one thing after the other.
#[derive(Debug)]
pub struct Meter {
    shown: Shown,
    unit: Unit,
    thing: Option<Thing>,
}

/// What is under way, with a clock of its own, so that rate and time left are its own.
#[derive(Debug)]
struct Thing {
    what: String,
    total: u64,
    done: u64,
    /// When it was first heard of, and how much was done by then.
    start: (Instant, u64),
}

impl Thing {
    fn new(what: &str, done: u64, total: u64) -> Self {
        Self {
            what: what.to_owned(),
            total,
            done,
            start: (Instant::now(), done),
        }
    }

    fn is(&self, what: &str, done: u64, total: u64) -> bool {
        self.what == what && self.total == total && self.done <= done
    }

    /// So much a second, once time has passed.
    fn rate(&self) -> Option<f64> {
        let (start, before) = self.start;
        let seconds = start.elapsed().as_secs_f64();
        (seconds > 0.0 && self.done > before).then(|| (self.done - before) as f64 / seconds)
    }
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    /// When the last line was written.
    Lines(Instant),
}

impl Meter {
    /// What it counts.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// `done` of `total`, with a word on what and how it goes.
    pub fn update(&mut self, what: &str, done: u64, total: u64, state: &str) {
        let is_new = !self.thing.as_ref().is_some_and(|thing| thing.is(what, done, total));
        let thing = match &mut self.thing {
            Some(thing) if !is_new => thing,
            other => other.insert(Thing::new(what, done, total)),
        };
        thing.done = done;
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_prefix(what.to_owned());
                bar.set_message(state.to_owned());
                if is_new {
                    bar.reset();
                    bar.set_length(total);
                    bar.update(|state| state.set_pos(done));
                    // What was done before is no work of this moment.
                    bar.reset_eta();
                } else {
                    bar.set_position(done);
                }
            }
            Shown::Lines(last) => {
                if last.elapsed() < PLAIN_INTERVAL {
                    return;
                }
                *last = Instant::now();
                let percent = 100 * done / total.max(1);
                let rate = thing
                    .rate()
                    .map_or(String::new(), |rate| format!("  {}", self.unit.rate(rate)));
                let _ = writeln!(io::stderr(), "{what} {percent}%{rate}  {state}");
            }
        }
    }

    /// Takes the bar away and starts anew.
    pub fn clear(&mut self) {
        self.thing = None;
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

/// A count with its thousands apart: `60,000`.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    #[test]
    fn a_new_thing_has_a_rate_of_its_own() {
        let mut meter = Console::new(true).progress(Unit::Images);
        let mut rate = |what, done, total| {
            meter.update(what, done, total, "");
            meter.thing.as_ref().unwrap().rate()
        };
        // Continued in the middle: what was done before was done at another time.
        assert_eq!(rate("epoch 1", 1_000_000, 2_000_000), None);
        sleep(Duration::from_millis(20));
        assert!(rate("epoch 1", 1_000_001, 2_000_000).is_some_and(|rate| rate <= 50.0));
        assert_eq!(rate("testing", 2, 100), None);
        assert_eq!(rate("testing", 2, 100), None);
        sleep(Duration::from_millis(20));
        assert!(rate("testing", 1002, 2000).is_none());
        assert_eq!(rate("epoch 2", 2, 2000), None);
    }

    #[test]
    fn a_clock_that_stands_still_gives_no_rate() {
        assert_eq!([f64::NAN, f64::INFINITY, 7.0].map(finite), [0.0, 0.0, 7.0]);
    }

    #[test]
    fn thousands_are_set_apart() {
        let written = [0, 999, 1000, 20_500, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "20,500", "1,234,567"]);
    }
}
