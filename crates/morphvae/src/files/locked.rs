//! Files that are locked as long as their process lives.
//!
//! Where a file system knows no locks, everybody is taken to be alone, as before there were any.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::operations;

/// The file at `path`, made when absent, empty, and locked; `None` when somebody else has locked it.
pub fn take(path: &Path) -> io::Result<Option<File>> {
    lock(path, false, |file| match file.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        Ok(()) | Err(TryLockError::Error(_)) => true,
    })
}

/// The same, but waits for whoever has locked it: another thread that writes the same, or one that looks for leftovers.
pub fn wait_for(path: &Path, private: bool) -> io::Result<File> {
    let file = lock(path, private, |file| {
        let _ = file.lock();
        true
    });
    file?.ok_or(io::ErrorKind::WouldBlock.into())
}

fn lock(path: &Path, private: bool, lock: impl Fn(&File) -> bool) -> io::Result<Option<File>> {
    loop {
        let file = operations::open(path, private)?;
        if !lock(&file) {
            return Ok(None);
        }
        // Whoever had it may have removed it after we opened it.
        if is_at(&file, path) {
            operations::truncate(&file)?;
            return Ok(Some(file));
        }
    }
}

/// Removes the file at `path` if nobody has locked it; where locks are unknown, nobody can tell.
pub fn remove_if_abandoned(path: &Path) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    if file.try_lock().is_ok() && is_at(&file, path) {
        operations::remove_file(path)?;
    }
    Ok(())
}

/// Whether `path` still leads to this file.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(own), Ok(other)) => identity(own) == identity(other),
        _ => false,
    }
}

/// Whether `path` still leads to a file, which will be this one.
#[cfg(not(unix))]
pub fn is_at(_: &File, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
