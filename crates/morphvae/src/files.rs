//! Writing files so that a reader never meets half of one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a file beside `path` and renames it into place once it is complete.
///
/// `write` receives a buffered writer. If it fails, or the program dies, whatever stood at `path` before is untouched.
/// The folder that is to hold the file is made when absent.
///
/// # Errors
/// Any error of the file system, or the one that `write` returned; the unfinished file is removed.
pub fn write_atomically<F>(path: &Path, write: F) -> io::Result<()>
where
    F: FnOnce(&mut BufWriter<File>) -> io::Result<()>,
{
    let unfinished = Unfinished::beside(path)?;
    write_and_sync(unfinished.path(), write)?;
    unfinished.finish()
}

/// A file that is on its way to `path`: for what is written by another program, which must be told a path.
///
/// Dropped before it is finished, it is removed, and whatever stood at `path` before is untouched.
#[derive(Debug)]
pub struct Unfinished<'a> {
    path: &'a Path,
    unfinished: PathBuf,
}

impl<'a> Unfinished<'a> {
    /// A place beside `path`, whose folder is made when absent.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn beside(path: &'a Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        Ok(Self {
            path,
            unfinished: unfinished_name(path),
        })
    }

    /// Where to write.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.unfinished
    }

    /// Renames what was written into place.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn finish(self) -> io::Result<()> {
        fs::rename(&self.unfinished, self.path)
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove; after an error, that one is worth reporting.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Makes sure that files can be written into `folder`, which need not exist yet, and leaves everything as it was: for
/// programs that work for long before they write.
///
/// # Errors
/// Any error of the file system that a later write would meet as well.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    let absent = folder.ancestors().filter(|path| !path.as_os_str().is_empty());
    let absent: Vec<&Path> = absent.take_while(|path| !path.exists()).collect();
    let probe = unfinished_name(&folder.join("probe"));
    let result = fs::create_dir_all(folder)
        .and_then(|()| File::create(&probe))
        .and_then(|_| fs::remove_file(&probe));
    for path in absent {
        // What was not made cannot be removed; a folder that somebody else has filled meanwhile stays.
        let _ = fs::remove_dir(path);
    }
    result
}

fn write_and_sync<F>(path: &Path, write: F) -> io::Result<()>
where
    F: FnOnce(&mut BufWriter<File>) -> io::Result<()>,
{
    let mut writer = BufWriter::new(File::create(path)?);
    write(&mut writer)?;
    writer.flush()?;
    writer.get_ref().sync_all()
}

/// `figure.png` is written as `.figure.png.part-PID`, so that two programs never write into one another's file.
fn unfinished_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".part-{}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept.txt");
        fs::write(&path, "old").unwrap();
        let failed = write_atomically(&path, |writer| {
            writer.write_all(b"new")?;
            Err(io::Error::other("the disk is on fire"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn asking_whether_a_folder_can_be_written_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let entries = || fs::read_dir(folder.path()).unwrap().count();
        check_writable(folder.path()).unwrap();
        check_writable(&folder.path().join("a/b/c")).unwrap();
        assert_eq!(entries(), 0);
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(check_writable(&folder.path().join("file")).is_err());
        assert!(check_writable(&folder.path().join("file/a/b")).is_err());
        assert_eq!(entries(), 1);
    }

    #[test]
    fn a_finished_write_replaces_the_file_and_makes_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/new.txt");
        write_atomically(&path, |writer| writer.write_all(b"one")).unwrap();
        write_atomically(&path, |writer| writer.write_all(b"two")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }
}
