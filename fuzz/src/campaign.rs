//! One target tried with many inputs, and what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;

use crate::allocation::{Taken, Watch};
use crate::mutate::{self, generator};
use crate::options::Options;
use crate::targets::{Subject, Target};

/// Memory that an input may ask for at once: so many times its own length, and so much beyond it.
const ALLOWED_TIMES: usize = 4;
const ALLOWED_BEYOND: usize = 64 << 20;

/// An input may take so long; the machine may have other work, too.
const HANG: Duration = Duration::from_secs(20);

/// Inputs that were met on the way and are kept to go on from, at most.
const MOST_KEPT: usize = 2000;

/// Findings of one kind that are written down, at most; the others are counted.
const MOST_WRITTEN: usize = 5;

/// What panics said, on any thread, until it is fetched.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Has panics written down in place of being printed.
pub fn count_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        let payload = panic.payload_as_str().unwrap_or("no text");
        let mut panics = PANICS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        panics.push(format!("{place}: {payload}"));
    }));
}

/// A target with everything that was seen of it.
pub struct Campaign {
    target: &'static Target,
    subject: Subject,
    /// Where findings are kept, and in a folder of its own the input under way.
    folder: PathBuf,
    kept: Vec<Vec<u8>>,
    /// Answers that were met: an input with another one is kept.
    answers: BTreeSet<String>,
    executions: u64,
    faults: BTreeMap<&'static str, u64>,
    /// The largest piece of memory that any input asked for beyond four times its own length.
    largest_beyond: i64,
    peak: usize,
    slowest: Duration,
    time: Duration,
}

impl Campaign {
    pub fn new(target: &'static Target, options: &Options) -> Self {
        let folder = options.findings.join(target.name);
        let work = folder.join("work");
        fs::create_dir_all(&work).expect("the folder for findings can be made");
        let subject = (target.open)(&work);
        Self {
            target,
            kept: subject.seeds.clone(),
            subject,
            folder,
            answers: BTreeSet::new(),
            executions: 0,
            faults: BTreeMap::new(),
            largest_beyond: i64::MIN,
            peak: 0,
            slowest: Duration::ZERO,
            time: Duration::ZERO,
        }
    }

    /// Tries new inputs until the time is up or there were enough, after the sound ones.
    pub fn run(&mut self, options: &Options) {
        let begin = Instant::now();
        let input = Arc::new(AtomicU64::new(0));
        let watchdog = self.watch(&input);
        for sound in self.subject.seeds.clone() {
            self.execute(&sound);
        }
        for number in 0..options.executions {
            if begin.elapsed() >= options.time {
                break;
            }
            let mut generator = generator(options.seed, self.target.name, number);
            let base = generator.random_range(0..self.kept.len());
            let bytes = mutate::mutate(&self.kept[base], &self.kept, self.target.form, &mut generator);
            input.fetch_add(1, Relaxed);
            if self.execute(&bytes) && self.kept.len() < MOST_KEPT {
                self.kept.push(bytes);
            }
        }
        input.store(u64::MAX, Relaxed);
        watchdog.thread().unpark();
        watchdog.join().expect("the watchdog does not panic");
        self.time = begin.elapsed();
    }

    /// Tries one input and says what came of it.
    pub fn replay(&mut self, bytes: &[u8]) {
        let begin = Instant::now();
        self.execute(bytes);
        self.time = begin.elapsed();
        println!("{:?}", self.answers.first());
    }

    pub fn findings(&self) -> u64 {
        self.faults.values().sum()
    }

    /// A thread that ends the program when one input takes too long: nothing else can stop it.
    fn watch(&self, input: &Arc<AtomicU64>) -> thread::JoinHandle<()> {
        let (input, file, name) = (Arc::clone(input), self.input_path(), self.target.name);
        let kept = self.folder.join("hang");
        thread::spawn(move || {
            let mut last = 0;
            loop {
                thread::park_timeout(HANG);
                match input.load(Relaxed) {
                    u64::MAX => return,
                    now if now == last && now > 0 => {
                        let _ = fs::copy(&file, &kept);
                        println!("{name}: an input takes more than {HANG:?}: {}", kept.display());
                        std::process::exit(1);
                    }
                    now => last = now,
                }
            }
        })
    }

    fn input_path(&self) -> PathBuf {
        self.folder.join("work").join(self.target.file)
    }

    /// Tries one input; whether its answer is new.
    fn execute(&mut self, bytes: &[u8]) -> bool {
        // Written before it is tried, so that it is there should the process die of it.
        let path = self.input_path();
        fs::write(&path, bytes).expect("the input can be written");
        let (watch, begin) = (Watch::start(), Instant::now());
        let check = &mut self.subject.check;
        let answer = panic::catch_unwind(AssertUnwindSafe(|| check(&path, bytes)));
        let (taken, time) = (watch.taken(), begin.elapsed());
        self.executions += 1;
        self.measure(bytes, taken, time);
        let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        if let Some(panic) = panics.first() {
            self.report("panic", panic, bytes);
        }
        match answer {
            Ok(Ok(answer)) => self.answers.insert(without_numbers(&answer)),
            Ok(Err(fault)) => {
                self.report("fault", &fault, bytes);
                false
            }
            Err(_) => false,
        }
    }

    fn measure(&mut self, bytes: &[u8], taken: Taken, time: Duration) {
        let beyond = taken.largest as i64 - (ALLOWED_TIMES * bytes.len()) as i64;
        self.largest_beyond = self.largest_beyond.max(beyond);
        self.peak = self.peak.max(taken.peak);
        self.slowest = self.slowest.max(time);
        if beyond > ALLOWED_BEYOND as i64 {
            let what = format!("{} bytes asked for an input of {}", taken.largest, bytes.len());
            self.report("memory", &what, bytes);
        }
        if time > HANG {
            self.report("hang", &format!("{time:.1?}"), bytes);
        }
    }

    /// Counts a finding, and keeps its input.
    fn report(&mut self, kind: &'static str, what: &str, bytes: &[u8]) {
        let count = self.faults.entry(kind).or_default();
        *count += 1;
        if *count as usize <= MOST_WRITTEN {
            let path = self.folder.join(format!("{kind}-{count}"));
            fs::write(&path, bytes).expect("a finding can be written");
            println!("{}: {kind}: {what}: {}", self.target.name, path.display());
        }
    }
}

/// Answers that differ only in numbers are alike.
fn without_numbers(answer: &str) -> String {
    answer
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .take(200)
        .collect()
}

impl Display for Campaign {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let count = |kind| self.faults.get(kind).copied().unwrap_or(0);
        write!(
            formatter,
            "{:12} {:>9} executions in {:.0} s, {} panics, {} faults, {} over the memory limit, {} hangs; largest \
             allocation beyond 4 x file {:.1} MB of 64, most held {:.1} MB, slowest {:.2} s, {} kinds of answer",
            self.target.name,
            self.executions,
            self.time.as_secs_f64(),
            count("panic"),
            count("fault"),
            count("memory"),
            count("hang"),
            self.largest_beyond.max(0) as f64 / f64::from(1 << 20),
            self.peak as f64 / f64::from(1 << 20),
            self.slowest.as_secs_f64(),
            self.answers.len(),
        )
    }
}
