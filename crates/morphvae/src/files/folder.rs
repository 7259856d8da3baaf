//! Folders that are whole or not there.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::operations::{self, Output};
use super::{claim, destination, is_unfinished, leftovers, locked, make_folder, no_folder, parent, unfinished_name};

/// The file in an unfinished folder that is locked as long as its process lives.
const LOCK: &str = ".lock";

/// What a folder that gives way is called besides its name, until the one that replaces it is in its place.
const OLD: &str = ".old";

/// A folder that is on its way to its place: its files are written beside it, and it is renamed once it is whole.
///
/// Dropped before it is finished, it is removed with all that is in it, and what stood in its place before is untouched.
#[derive(Debug)]
pub(crate) struct UnfinishedFolder {
    destination: PathBuf,
    path: PathBuf,
    is_in_place: bool,
    /// Unlocked when this is dropped, or the process dies.
    _lock: File,
}

impl UnfinishedFolder {
    /// An empty folder beside `path`, or beside what a symbolic link there leads to. What dead processes left of the same
    /// is removed.
    ///
    /// # Errors
    /// Any error of the file system; also when something else than a folder stands there.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let destination = destination(path)?;
        if destination.exists() && !destination.is_dir() {
            return Err(no_folder(&destination));
        }
        if let Some(folder) = parent(&destination) {
            claim::check(folder)?;
            make_folder(folder)?;
        }
        tidy(&destination);
        let path = unfinished_name(&destination);
        if path.exists() {
            let text = format!("{} is being written already", destination.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        make_folder(&path)?;
        let lock = locked::wait_for(&path.join(LOCK), false).inspect_err(|_| {
            // The error that led here is the one worth reporting.
            let _ = operations::remove_dir_all(&path);
        })?;
        Ok(Self {
            destination,
            path,
            is_in_place: false,
            _lock: lock,
        })
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the folder into place. Whatever folder stands there gives way, once this one can take its place.
    ///
    /// # Errors
    /// Any error of the file system; what stood there stands there still.
    pub fn finish(mut self) -> io::Result<()> {
        let old = old_name(&self.destination);
        let is_replacing = fs::symlink_metadata(&self.destination).is_ok();
        if is_replacing {
            operations::rename(&self.destination, &old)?;
        }
        if let Err(error) = operations::rename(&self.path, &self.destination) {
            if is_replacing {
                let _ = operations::rename(&old, &self.destination);
            }
            return Err(error);
        }
        self.is_in_place = true;
        // The folder is whole; what is left beside it or in it harms nobody.
        let _ = operations::remove_file(&self.destination.join(LOCK));
        if is_replacing {
            let _ = operations::remove_dir_all(&old);
        }
        Ok(())
    }
}

impl Drop for UnfinishedFolder {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = operations::remove_dir_all(&self.path);
        }
    }
}

/// Removes what dead processes left of a folder. One that gave way to another that never came stands again.
fn tidy(destination: &Path) {
    let Some(name) = destination.file_name().and_then(|name| name.to_str()) else {
        return;
    };
    let folder = parent(destination).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let found = entry.file_name().to_string_lossy().into_owned();
        let is_of =
            |end: &str| found.starts_with(&format!(".{name}{end}{}", leftovers::INFIX)) && is_unfinished(&found);
        let path = entry.path();
        let is_abandoned = || locked::take(&path.join(LOCK)).is_ok_and(|lock| lock.is_some());
        // What cannot be moved or removed is in nobody's way.
        if is_of(OLD) && !destination.exists() {
            let _ = operations::rename(&path, destination);
        } else if path.is_dir() && (is_of(OLD) || is_of("") && is_abandoned()) {
            let _ = operations::remove_dir_all(&path);
        }
    }
}

fn old_name(destination: &Path) -> PathBuf {
    let mut name = destination.file_name().unwrap_or_default().to_owned();
    name.push(OLD);
    unfinished_name(&destination.with_file_name(name))
}

/// A file in a folder that is not finished.
#[derive(Debug)]
pub(crate) struct NewFile(File);

impl NewFile {
    /// Makes it.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = parent(path) {
            make_folder(folder)?;
        }
        operations::open(path, false).map(Self)
    }

    /// Forces it onto the disk.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn sync(&self) -> io::Result<()> {
        operations::sync(&self.0)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Output::new(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for NewFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::{Fault, with_fault};
    use super::*;

    /// Writes a folder of two files.
    fn write(path: &Path, text: &str) -> io::Result<()> {
        let folder = UnfinishedFolder::beside(path)?;
        for name in ["one", "deep/two"] {
            let mut file = NewFile::create(&folder.path().join(name))?;
            file.write_all(text.as_bytes())?;
            file.sync()?;
        }
        folder.finish()
    }

    fn text(path: &Path) -> Option<String> {
        let [one, two] = ["one", "deep/two"].map(|name| fs::read_to_string(path.join(name)).ok());
        assert_eq!(one, two);
        one
    }

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_folder_is_whole_or_not_there_whatever_fails() {
        let place = tempfile::tempdir().unwrap();
        for (standing, fault) in [
            (None, Fault::FullDisk),
            (None, Fault::Refusal),
            (Some("old"), Fault::FullDisk),
            (Some("old"), Fault::Refusal),
            (Some("old"), Fault::Death),
        ] {
            for at in 1.. {
                let path = place.path().join(format!("{fault:?}-{}-{at}", standing.is_some()));
                if let Some(text) = standing {
                    write(&path, text).unwrap();
                }
                let (result, has_struck) = with_fault(fault, at, || write(&path, "new"));
                // A dead process leaves something beside it, which the next one clears away; but of what stood there
                // nothing is lost.
                if fault == Fault::Death {
                    tidy(&path);
                }
                let found = text(&path);
                match (&result, standing) {
                    (Ok(()), _) => assert_eq!(found.as_deref(), Some("new")),
                    // After the last renaming all that is left is tidying up.
                    (Err(_), Some(_)) if fault == Fault::Death => assert!(found.is_some()),
                    (Err(_), standing) => assert_eq!(found.as_deref(), standing, "{fault:?} at {at}"),
                }
                if fault == Fault::FullDisk {
                    let left = place.path().read_dir().unwrap().flatten();
                    let hidden = left.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
                    assert_eq!(hidden.count(), 0, "{at}");
                }
                if !has_struck {
                    break;
                }
                assert!(at < 100);
            }
        }
    }

    #[test]
    fn what_is_dropped_leaves_nothing_and_what_is_finished_no_lock() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/folder");
        drop(UnfinishedFolder::beside(&path).unwrap());
        assert_eq!(entries(&place.path().join("a")), 0);
        write(&path, "text").unwrap();
        assert_eq!(entries(&path), 2);
    }

    #[test]
    fn what_dead_processes_left_is_removed_and_what_lives_is_not() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("set");
        let dead = place.path().join(".set.part-4194999");
        let living = place.path().join(".set.part-4194998");
        let other = place.path().join(".settings.part-4194999");
        for folder in [&dead, &living, &other] {
            fs::create_dir_all(folder).unwrap();
        }
        let _lock = locked::wait_for(&living.join(LOCK), false).unwrap();
        write(&path, "new").unwrap();
        assert_eq!(
            [&dead, &living, &other].map(|folder| folder.exists()),
            [false, true, true]
        );
        // Between giving way and being replaced.
        let gone = place.path().join(".set.old.part-4194999");
        fs::rename(&path, &gone).unwrap();
        tidy(&path);
        assert_eq!(text(&path).as_deref(), Some("new"));
    }
}
