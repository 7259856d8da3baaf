//! Everything that changes something on disk, each in one place: tests let any of it fail, or the process die there.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

#[cfg(test)]
use super::faults::{Needs, strike};

/// A file to write to.
#[derive(Debug)]
pub struct Output<'a>(&'a File);

impl<'a> Output<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        Self(file)
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(test)]
        strike(Needs::Space, || self.0.write_all(&bytes[..bytes.len() / 2]))?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Output<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

pub(super) fn sync(file: &File) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Space, || Ok(()))?;
    file.sync_all()
}

/// Opens a file to be written, which is made when absent; for nobody else to read when `private`.
pub(super) fn open(path: &Path, private: bool) -> io::Result<File> {
    #[cfg(test)]
    strike(Needs::Space, || Ok(()))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

pub(super) fn truncate(file: &File) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Nothing, || Ok(()))?;
    file.set_len(0)
}

/// Gives a file the mode and the owner of the one that it replaces.
pub(super) fn hand_on(replaced: &Metadata, file: &File) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Nothing, || Ok(()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (replaced.uid(), replaced.gid()) {
            // Only the superuser may give files away: everybody else's stay their own.
            let _ = fchown(file, Some(replaced.uid()), Some(replaced.gid()));
        }
    }
    // File systems that know no modes refuse, and nothing is lost.
    let _ = file.set_permissions(replaced.permissions());
    Ok(())
}

pub(super) fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    #[cfg(test)]
    strike(Needs::Space, || Ok(()))?;
    fs::create_dir_all(path)
}

pub(super) fn hard_link(original: &Path, link: &Path) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Space, || Ok(()))?;
    fs::hard_link(original, link)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Nothing, || Ok(()))?;
    fs::rename(from, to)
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Nothing, || Ok(()))?;
    fs::remove_file(path)
}

pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Nothing, || Ok(()))?;
    fs::remove_dir(path)
}

pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    strike(Needs::Nothing, || super::faults::remove_half(path))?;
    fs::remove_dir_all(path)
}
