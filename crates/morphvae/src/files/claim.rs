//! A folder for one process alone.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::operations::{self, Output};
use super::{locked, make_folder};

/// The file in a folder whose lock is the claim; the number of the process stands in it.
const LOCK: &str = ".lock";

/// How often a folder is made that somebody else removes at once.
const ATTEMPTS: usize = 100;

/// Between a lock and the number of its process, about.
const MOMENT: Duration = Duration::from_millis(20);

/// What this process has claimed: whatever it writes asks here, so that no folder is made anew that has vanished.
static HELD: Mutex<Vec<Arc<Held>>> = Mutex::new(Vec::new());

/// A folder that this process alone works in until this is dropped. The claim ends with the process, however that ends.
#[derive(Debug)]
pub struct Claim {
    held: Arc<Held>,
    _made: Made,
}

/// Why a folder cannot be claimed.
#[derive(Debug)]
pub enum ClaimError {
    /// Somebody else has: the process of this number, if it has left one.
    Taken(Option<u32>),
    /// The folder cannot be made or written.
    File(io::Error),
}

#[derive(Debug)]
struct Held {
    folder: PathBuf,
    lock: File,
}

/// Folders that did not exist before, the innermost first.
#[derive(Debug)]
struct Made(Vec<PathBuf>);

impl Claim {
    /// Claims `folder`, which is made when absent. If nothing is in it when the claim ends, it is removed again.
    ///
    /// # Errors
    /// [`ClaimError::Taken`] when somebody else has claimed it; [`ClaimError::File`] with an error of the file system.
    pub fn take(folder: &Path) -> Result<Self, ClaimError> {
        let absent = folder.ancestors().filter(|path| !path.as_os_str().is_empty());
        let made = Made(absent.take_while(|path| !path.exists()).map(Path::to_owned).collect());
        let path = folder.join(LOCK);
        for _ in 0..ATTEMPTS {
            let lock = make_folder(folder).and_then(|()| locked::take(&path));
            let lock = match lock {
                // Whoever made the folder had no use for it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                lock => lock.map_err(ClaimError::File)?,
            };
            let lock = lock.ok_or_else(|| ClaimError::Taken(process(&path)))?;
            let held = Arc::new(Held {
                folder: folder.to_owned(),
                lock,
            });
            registry().push(Arc::clone(&held));
            let claim = Self { held, _made: made };
            claim.sign().map_err(ClaimError::File)?;
            return Ok(claim);
        }
        Err(ClaimError::File(io::ErrorKind::NotFound.into()))
    }

    /// Whether a file of this name in a folder says who has claimed it.
    pub(crate) fn is_lock(name: &str) -> bool {
        name == LOCK
    }

    fn sign(&self) -> io::Result<()> {
        Output::new(&self.held.lock).write_all(std::process::id().to_string().as_bytes())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Removed while it is locked: who opens it still finds it locked, and who comes later makes another. Nor is the
        // file of somebody else removed, who came after the folder had vanished.
        if self.held.is_ours() {
            let _ = operations::remove_file(&self.held.folder.join(LOCK));
        }
        registry().retain(|held| !Arc::ptr_eq(held, &self.held));
    }
}

impl Held {
    fn is_ours(&self) -> bool {
        locked::is_at(&self.lock, &self.folder.join(LOCK))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What is not empty stays.
        for folder in &self.0 {
            let _ = operations::remove_dir(folder);
        }
    }
}

/// That `folder`, if it lies in one that this process has claimed, does so still.
pub fn check(folder: &Path) -> io::Result<()> {
    match registry().iter().find(|held| folder.starts_with(&held.folder)) {
        Some(held) if !held.is_ours() => {
            let text = format!("{} was removed or replaced meanwhile", held.folder.display());
            Err(io::Error::new(io::ErrorKind::NotFound, text))
        }
        _ => Ok(()),
    }
}

fn registry() -> std::sync::MutexGuard<'static, Vec<Arc<Held>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of the process that has the lock.
fn process(path: &Path) -> Option<u32> {
    thread::sleep(MOMENT);
    fs::read_to_string(path).ok()?.parse().ok()
}
