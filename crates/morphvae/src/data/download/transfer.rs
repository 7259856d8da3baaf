//! One file over HTTP, from the first of several addresses that gives the published bytes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Response;

use super::{Observer, Progress};
use crate::data::DataError;
use crate::data::catalogue::Published;
use crate::data::digest::sha256;

/// A file as it is published, where it belongs, and where it may be had.
pub(super) struct Remote {
    pub name: &'static str,
    pub folder: PathBuf,
    /// Best first.
    pub addresses: Vec<String>,
    pub published: Published,
}

/// How long a mirror is waited for.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// To look up a host and connect to it.
    pub connect: Duration,
    /// Between two signs of life; also the span over which `slowest` is measured.
    pub silence: Duration,
    /// Bytes per second below which a mirror is given up.
    pub slowest: u64,
    /// How often the mirrors are gone through without [`WORTHWHILE`] bytes gained.
    pub rounds: u32,
    /// The pause after the first round; it doubles with each.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            silence: Duration::from_secs(20),
            slowest: 2048,
            rounds: 3,
            pause: Duration::from_secs(1),
        }
    }
}

/// Bytes gained that make another series of rounds worth its while: a large file may be cut off any number of times.
const WORTHWHILE: u64 = 1 << 20;

/// Why an attempt did not give the file.
enum Failure {
    /// Another attempt may go better.
    Passing(String),
    /// This address will not give it.
    Hopeless(String),
    /// Nothing will.
    Final(DataError),
}

impl Remote {
    fn part(&self) -> PathBuf {
        self.folder.join(format!("{}.part", self.name))
    }
}

/// Gets a file, trying the addresses in turn and going on where the last attempt was cut off.
pub(super) fn get(remote: &Remote, patience: &Patience, observer: &mut Observer<'_>) -> Result<(), DataError> {
    let part_path = remote.part();
    let io_error = |error| DataError::io(&part_path)(error);
    let made: Vec<&Path> = remote
        .folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    fs::create_dir_all(&remote.folder).map_err(DataError::io(&remote.folder))?;
    let part = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&part_path);
    let part = part.map_err(io_error)?;
    // A file system without locks is no reason not to fetch.
    if let Err(TryLockError::WouldBlock) = part.try_lock() {
        return Err(DataError::Busy { path: part_path });
    }
    let mut attempt = Attempt {
        remote,
        patience,
        agent: agent(patience),
        part,
        part_path: part_path.clone(),
        answered: false,
    };
    match try_all(&mut attempt, observer) {
        Ok(()) => {
            attempt.part.sync_all().map_err(io_error)?;
            let path = remote.folder.join(remote.name);
            fs::rename(&part_path, &path).map_err(DataError::io(&path))
        }
        Err(error) => {
            if attempt.part.metadata().is_ok_and(|metadata| metadata.len() == 0) {
                // Nothing has come, so there is nothing to keep, nor a folder that holds nothing else (another is not
                // removed). The error that is returned matters more than these.
                let _ = fs::remove_file(&part_path).and_then(|()| fs::remove_dir(&remote.folder));
                for folder in made {
                    let _ = fs::remove_dir(folder);
                }
            }
            Err(error)
        }
    }
}

/// Goes through the addresses, round after round, until one gives the file or none is likely to.
fn try_all(attempt: &mut Attempt<'_>, observer: &mut Observer<'_>) -> Result<(), DataError> {
    let remote = attempt.remote;
    let mut candidates: Vec<Candidate<'_>> = remote.addresses.iter().map(|address| Candidate::new(address)).collect();
    let (mut rounds, mut pause) = (0, attempt.patience.pause);
    let mut furthest = attempt.length()?;
    loop {
        for Candidate {
            address,
            reason,
            hopeless,
        } in candidates.iter_mut().filter(|candidate| !candidate.hopeless)
        {
            match attempt.download_and_check(address, observer) {
                Ok(()) => return Ok(()),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(why)) => *reason = why,
                Err(Failure::Hopeless(why)) => (*reason, *hopeless) = (why, true),
            }
        }
        rounds += 1;
        let reached = attempt.length()?;
        if reached >= furthest + WORTHWHILE {
            (furthest, rounds, pause) = (reached, 0, attempt.patience.pause);
        }
        if rounds == attempt.patience.rounds || candidates.iter().all(|candidate| candidate.hopeless) {
            let tried = candidates
                .into_iter()
                .map(|candidate| (candidate.address.to_owned(), candidate.reason))
                .collect();
            return Err(DataError::Fetch {
                file: remote.name,
                folder: remote.folder.clone(),
                tried,
            });
        }
        sleep(pause);
        pause *= 2;
    }
}

/// An address, and why it has not given the file.
struct Candidate<'a> {
    address: &'a str,
    reason: String,
    hopeless: bool,
}

impl<'a> Candidate<'a> {
    fn new(address: &'a str) -> Self {
        Self {
            address,
            reason: String::new(),
            hopeless: false,
        }
    }
}

fn agent(patience: &Patience) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("morphvae/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .timeout_per_write(Some(patience.silence))
        .build()
        .into()
}

/// What one attempt after the other works with.
struct Attempt<'a> {
    remote: &'a Remote,
    patience: &'a Patience,
    agent: Agent,
    part: File,
    part_path: PathBuf,
    /// Whether any server has answered yet.
    answered: bool,
}

impl Attempt<'_> {
    fn length(&self) -> Result<u64, DataError> {
        Ok(self.part.metadata().map_err(DataError::io(&self.part_path))?.len())
    }

    fn disk(&self, error: io::Error) -> Failure {
        Failure::Final(DataError::io(&self.part_path)(error))
    }

    /// Downloads what is missing and compares the whole with the published digest.
    fn download_and_check(&mut self, address: &str, observer: &mut Observer<'_>) -> Result<(), Failure> {
        let resumed = self.length().map_err(Failure::Final)? > 0;
        match self.download_rest(address, observer).and_then(|()| self.check()) {
            // What came earlier, perhaps from elsewhere, may be at fault: this address has a right to be judged alone.
            Err(Failure::Hopeless(_)) if resumed && self.length().map_err(Failure::Final)? == 0 => {
                self.download_rest(address, observer).and_then(|()| self.check())
            }
            result => result,
        }
    }

    /// Empties the file when its digest is not the published one.
    fn check(&mut self) -> Result<(), Failure> {
        let published = self.remote.published.sha256;
        let digest = sha256(&self.part_path).map_err(|error| self.disk(error))?;
        if digest == published {
            return Ok(());
        }
        self.part.set_len(0).map_err(|error| self.disk(error))?;
        Err(Failure::Hopeless(format!(
            "it sent wrong bytes (SHA-256 {digest}, published is {published})"
        )))
    }

    /// Asks for the bytes that are not there yet, and appends them.
    fn download_rest(&mut self, address: &str, observer: &mut Observer<'_>) -> Result<(), Failure> {
        let total = self.remote.published.bytes;
        let mut have = self.length().map_err(Failure::Final)?;
        if have > total {
            self.part.set_len(0).map_err(|error| self.disk(error))?;
            have = 0;
        }
        self.report(have, observer)?;
        if have == total {
            return Ok(());
        }
        let response = self
            .request(address, have)
            .map_err(|error| self.connection_failure(&error))?;
        self.answered = true;
        let start = match response.status().as_u16() {
            200 => 0,
            206 if starts_at(&response, have) => have,
            206 | 416 => {
                self.part.set_len(0).map_err(|error| self.disk(error))?;
                return Err(Failure::Passing("it would not go on where it was cut off".to_owned()));
            }
            408 | 429 | 500.. => return Err(Failure::Passing(format!("HTTP {}", response.status()))),
            _ => return Err(Failure::Hopeless(format!("HTTP {}", response.status()))),
        };
        self.receive(response, start, observer)
    }

    fn request(&self, address: &str, have: u64) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = self.agent.get(address);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let this_machine = ["://localhost", "://127.", "://[::1]"]
            .iter()
            .any(|host| address.contains(host));
        if this_machine {
            // A proxy named in the environment cannot reach a server that listens on this machine only.
            request = request.config().proxy(None).build();
        }
        // The library looks hosts up in a thread of its own, and panics where none can be had.
        let _ = thread::Builder::new().spawn(|| ())?.join();
        request.call()
    }

    /// Writes the body of `response` from byte `start` of the file on.
    fn receive(
        &mut self,
        response: Response<ureq::Body>,
        start: u64,
        observer: &mut Observer<'_>,
    ) -> Result<(), Failure> {
        let total = self.remote.published.bytes;
        let html = || Failure::Hopeless("it sent an HTML page in place of the file".to_owned());
        if response.body().mime_type() == Some("text/html") {
            return Err(html());
        }
        if let Some(length) = response.body().content_length()
            && start + length != total
        {
            return Err(wrong_size(start + length, total));
        }
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut have = start;
        let mut pace = Pace::new();
        let mut first = true;
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) => {
                    let why = self.connection_reason(&ureq::Error::from(error));
                    return Err(Failure::Passing(format!(
                        "cut off after {have} of {total} bytes: {why}"
                    )));
                }
            };
            if first {
                // Only now is it certain that something came which may take the place of what was there.
                if start == 0 && buffer[..count].trim_ascii_start().starts_with(b"<") {
                    return Err(html());
                }
                self.part.set_len(start).map_err(|error| self.disk(error))?;
                self.part
                    .seek(SeekFrom::Start(start))
                    .map_err(|error| self.disk(error))?;
                first = false;
            }
            if count == 0 {
                break;
            }
            have += count as u64;
            if have > total {
                return Err(wrong_size(have, total));
            }
            self.part
                .write_all(&buffer[..count])
                .map_err(|error| self.disk(error))?;
            self.report(have, observer)?;
            if pace.is_below(self.patience, count as u64) {
                return Err(Failure::Passing(format!(
                    "too slow: given up after {have} of {total} bytes"
                )));
            }
        }
        if have < total {
            return Err(Failure::Passing(format!("cut off after {have} of {total} bytes")));
        }
        Ok(())
    }

    fn report(&self, bytes: u64, observer: &mut Observer<'_>) -> Result<(), Failure> {
        let progress = Progress {
            file: self.remote.name,
            bytes,
            total: self.remote.published.bytes,
        };
        if observer(progress).is_break() {
            return Err(Failure::Final(DataError::Stopped {
                path: self.part_path.clone(),
            }));
        }
        Ok(())
    }

    /// Without a network there is no point in waiting for one; a connection that was there and is lost may come back.
    fn connection_failure(&self, error: &ureq::Error) -> Failure {
        let reason = self.connection_reason(error);
        if self.answered {
            Failure::Passing(reason)
        } else {
            Failure::Hopeless(reason)
        }
    }

    fn connection_reason(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                format!("no connection within {:?}", self.patience.connect)
            }
            ureq::Error::Timeout(_) => format!("silent for {:?}", self.patience.silence),
            ureq::Error::HostNotFound => "there is no such host, or no network".to_owned(),
            // One line, whatever a library says.
            ureq::Error::Io(error) => error.to_string().replace('\n', " "),
            other => other.to_string().replace('\n', " "),
        }
    }
}

fn wrong_size(found: u64, published: u64) -> Failure {
    Failure::Hopeless(format!(
        "it sends {found} bytes or more, but the published file has {published}"
    ))
}

/// Whether a partial answer starts at byte `start`.
fn starts_at(response: &Response<ureq::Body>, start: u64) -> bool {
    let range = response
        .headers()
        .get("Content-Range")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    range.starts_with(&format!("bytes {start}-"))
}

/// Measures the speed over one span of patience after the other.
struct Pace {
    since: Instant,
    bytes: u64,
}

impl Pace {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            bytes: 0,
        }
    }

    /// Counts `bytes`, and says whether the span that they end was too slow.
    fn is_below(&mut self, patience: &Patience, bytes: u64) -> bool {
        self.bytes += bytes;
        let elapsed = self.since.elapsed();
        if elapsed < patience.silence {
            return false;
        }
        let slow = (self.bytes as f64) < patience.slowest as f64 * elapsed.as_secs_f64();
        *self = Self::new();
        slow
    }
}
