//! Writing files so that a reader never meets half of one, and folders so that one process alone writes into them.

mod claim;
#[cfg(test)]
pub(crate) mod faults;
mod folder;
mod leftovers;
mod locked;
mod moves;
mod operations;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub(crate) use claim::{Claim, ClaimError};
pub(crate) use folder::{NewFile, UnfinishedFolder};
pub(crate) use leftovers::{is_unfinished, sweep};
pub(crate) use moves::{Stuck, move_all};
pub use operations::Output;
pub(crate) use operations::{remove_dir_all, remove_file, rename};

/// Symbolic links that are followed before they are taken for a circle, as systems do.
const MOST_LINKS: usize = 40;

/// Writes a file beside `path` and renames it into place once it is complete.
///
/// `write` receives a buffered writer. If it fails, or the program dies, whatever stood at `path` before is untouched. A
/// file that is replaced hands on its mode, and its owner where that is allowed; a symbolic link stays, and what it leads
/// to is replaced. The folder that is to hold the file is made when absent, unless this process works in it alone, as a training does in its run's.
///
/// # Errors
/// Any error of the file system, or the one that `write` returned; the unfinished file is removed.
pub fn write_atomically<F>(path: &Path, write: F) -> io::Result<()>
where
    F: FnOnce(&mut BufWriter<Output<'_>>) -> io::Result<()>,
{
    // That its folder has vanished meanwhile is what is to be known then.
    write_beside(path, write).map_err(|error| {
        parent(path)
            .and_then(|folder| claim::check(folder).err())
            .unwrap_or(error)
    })
}

fn write_beside<F>(path: &Path, write: F) -> io::Result<()>
where
    F: FnOnce(&mut BufWriter<Output<'_>>) -> io::Result<()>,
{
    let unfinished = Unfinished::beside(path)?;
    let mut writer = BufWriter::new(Output::new(&unfinished.file));
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    operations::sync(&unfinished.file)?;
    unfinished.finish()
}

/// Makes sure that a file can be written at `path`, for those who would otherwise learn of it only after long work.
/// Nothing is left there.
///
/// # Errors
/// Any error of the file system; also when something else than a file stands there, or a file where a folder should be.
pub fn check_file(path: &Path) -> io::Result<()> {
    let destination = destination(path)?;
    match parent(&destination) {
        Some(folder) if !folder.exists() => check_folder(folder),
        _ => Unfinished::beside(&destination).map(drop),
    }
}

/// The same of files in a folder, which is made when they are written.
///
/// # Errors
/// As [`check_file`].
pub fn check_folder(folder: &Path) -> io::Result<()> {
    // A link that leads nowhere is there, too.
    let is_there = |path: &&Path| fs::symlink_metadata(path).is_ok();
    let there = folder.ancestors().find(is_there).unwrap_or(Path::new("."));
    match fs::metadata(there) {
        Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", there.display()))),
        Ok(metadata) if !metadata.is_dir() => return Err(no_folder(there)),
        Ok(_) => {}
    }
    Unfinished::beside(&there.join("check")).map(drop)
}

/// A file that is on its way to its place: for what is written by another program, which must be told a path.
///
/// Dropped before it is finished, it is removed, and whatever stood in its place before is untouched. It is locked as
/// long as its process lives: by that, what dead processes left is known and removed.
#[derive(Debug)]
pub(crate) struct Unfinished {
    destination: PathBuf,
    /// What is to be replaced, as it is now.
    replaced: Option<Metadata>,
    path: PathBuf,
    file: File,
    is_in_place: bool,
}

impl Unfinished {
    /// An empty file beside `path`, or beside what a symbolic link there leads to; the folder is made when absent.
    ///
    /// # Errors
    /// Any error of the file system; also when something else than a file stands there.
    pub fn beside(path: &Path) -> io::Result<Self> {
        if let Some(folder) = parent(path) {
            claim::check(folder)?;
        }
        let destination = destination(path)?;
        if let Some(folder) = parent(&destination) {
            make_folder(folder)?;
        }
        leftovers::sweep_once(parent(&destination).unwrap_or(Path::new(".")));
        let replaced = fs::metadata(&destination).ok();
        match &replaced {
            Some(metadata) if metadata.is_dir() => return Err(io::Error::other("a folder stands there")),
            Some(metadata) if !metadata.is_file() => return Err(io::Error::other("a device or a pipe stands there")),
            _ => {}
        }
        let path = unfinished_name(&destination);
        // What nobody else could read must not be readable while it is written.
        let file = locked::wait_for(&path, replaced.is_some())?;
        Ok(Self {
            destination,
            replaced,
            path,
            file,
            is_in_place: false,
        })
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renames what was written into place.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(replaced) = &self.replaced {
            operations::hand_on(replaced, &self.file)?;
        }
        operations::rename(&self.path, &self.destination)?;
        self.is_in_place = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_in_place {
            // The error that led here is the one worth reporting.
            let _ = operations::remove_file(&self.path);
        }
    }
}

/// Where a path leads, over symbolic links; what the last of them names need not exist.
fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        // What cannot be read as a link is none, or is not there.
        let Ok(link) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    Err(io::Error::other("symbolic links lead in a circle"))
}

/// The folder that `path` lies in, unless that is the one we are in.
fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// Makes a folder and those that it lies in, where they are absent.
fn make_folder(folder: &Path) -> io::Result<()> {
    operations::create_dir_all(folder).map_err(|error| {
        // "File exists" is what the system says of a file where a folder should be.
        match folder.ancestors().find(|path| path.exists()) {
            Some(path) if !path.is_dir() => no_folder(path),
            _ => error,
        }
    })
}

fn no_folder(path: &Path) -> io::Error {
    let text = format!("{} is a file, and no folder", path.display());
    io::Error::new(io::ErrorKind::NotADirectory, text)
}

/// `figure.png` is written as `.figure.png.part-PID`, so that two programs never write into one another's file.
pub(crate) fn unfinished_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!("{}{}", leftovers::INFIX, std::process::id()));
    path.with_file_name(name)
}

/// A folder in memory, where there is such a place: thousands of files take longer to come to a disk than to be made.
#[cfg(test)]
pub(crate) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
