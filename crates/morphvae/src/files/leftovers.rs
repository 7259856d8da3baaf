//! What dead processes left unfinished.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::locked;

/// Between the name of a file and the number of the process that writes it.
pub const INFIX: &str = ".part-";

/// Folders that were looked through already.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes the unfinished files in `folder` whose processes are dead.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_unfinished(&entry.file_name().to_string_lossy()) {
            // What cannot be removed is in nobody's way.
            let _ = locked::remove_if_abandoned(&entry.path());
        }
    }
}

/// The same, once: folders may be large, and many files be written into them.
pub fn sweep_once(folder: &Path) {
    let is_first = SWEPT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(folder.to_owned());
    if is_first {
        sweep(folder);
    }
}

/// Whether a file of this name is one on its way to its place: `.figure.png.part-123`.
pub fn is_unfinished(name: &str) -> bool {
    let parts = name.strip_prefix('.').and_then(|name| name.rsplit_once(INFIX));
    parts.is_some_and(|(name, process)| !name.is_empty() && process.parse::<u32>().is_ok())
}
