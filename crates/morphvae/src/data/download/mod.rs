//! Getting the files of a known set over the network: from several mirrors, resumed when cut off, checked at the end.
//!
//! A file is written as `NAME.part` and renamed once its digest is the published one, so that a file under its own name
//! is always whole. Whatever happens on the way, the part that has come is kept, and the next attempt (of this program
//! or the next) asks for the rest only, from whichever mirror answers.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::catalogue::{Archive, Condition, KnownSet, Published, Source};
use super::digest::sha256;
use super::{DataError, FileState};
use crate::files::write_atomically;

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
mod transfer;

use transfer::{Patience, Remote, get};

/// Where a set may come from.
#[derive(Clone, Debug, Default)]
pub struct FetchOptions {
    /// Forbids the network: whatever is not on disk is an error.
    pub offline: bool,
    /// The address of another source, used alone. It is laid out as a data folder, and a data folder behind any web
    /// server will do: `MIRROR/mnist/train-images-idx3-ubyte.gz`, `MIRROR/emnist/gzip.zip`.
    pub mirror: Option<String>,
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file's name.
    pub file: &'a str,
    /// Bytes that are on disk.
    pub bytes: u64,
    /// Bytes that it will have.
    pub total: u64,
}

/// Watches a download, and may stop it with [`ControlFlow::Break`]; what has come is then kept.
pub type Observer<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + 'a;

/// Gets the files of `set` that are missing or damaged in `data_dir`, and says how many there were.
///
/// The network is not touched when all are there. An observer is told of every piece that arrives.
///
/// # Errors
/// [`DataError`] when no mirror gives a file, the network is forbidden, the observer stops, or the disk refuses.
pub fn fetch(
    set: &KnownSet,
    data_dir: &Path,
    options: &FetchOptions,
    observer: &mut Observer<'_>,
) -> Result<usize, DataError> {
    fetch_with(set, data_dir, options, &Patience::default(), observer)
}

fn fetch_with(
    set: &KnownSet,
    data_dir: &Path,
    options: &FetchOptions,
    patience: &Patience,
    observer: &mut Observer<'_>,
) -> Result<usize, DataError> {
    let states = set.check(data_dir);
    let wanted: Vec<(usize, String)> = states
        .iter()
        .enumerate()
        .filter_map(|(index, state)| Some((index, why_fetched(state)?)))
        .collect();
    let mut fetch_one = |name, folder, mirrors, published, why: &str| {
        let remote = remote(name, folder, data_dir, mirrors, published, options);
        if options.offline {
            Err(offline(&remote, why))
        } else {
            get(&remote, patience, observer)
        }
    };
    match &set.source {
        Source::Files { mirrors, published } => {
            for (index, why) in &wanted {
                fetch_one(set.contents.files()[*index], set.name, *mirrors, published[*index], why)?;
            }
        }
        Source::Archive(archive) if !wanted.is_empty() => {
            if let Some(why) = why_archive_is_fetched(archive, data_dir) {
                fetch_one(archive.name, archive.folder, archive.mirrors, archive.published, &why)?;
            }
            for (index, _) in &wanted {
                unpack(archive, set.contents.files()[*index], data_dir, &set.folder(data_dir))?;
            }
        }
        Source::Archive(_) => {}
    }
    Ok(wanted.len())
}

/// Why a file must be fetched, if it must.
fn why_fetched(state: &FileState) -> Option<String> {
    match &state.condition {
        Condition::Missing => Some("the file is missing".to_owned()),
        Condition::Damaged(reason) => Some(format!("the file is damaged ({reason})")),
        Condition::Published | Condition::Readable => None,
    }
}

fn why_archive_is_fetched(archive: &Archive, data_dir: &Path) -> Option<String> {
    match sha256(&data_dir.join(archive.folder).join(archive.name)) {
        Ok(digest) if digest == archive.published.sha256 => None,
        Ok(_) => Some("the file is damaged".to_owned()),
        Err(_) => Some("the file is missing".to_owned()),
    }
}

fn remote(
    name: &'static str,
    folder: &str,
    data_dir: &Path,
    mirrors: &[&str],
    published: Published,
    options: &FetchOptions,
) -> Remote {
    let addresses = match &options.mirror {
        Some(mirror) => vec![format!("{}/{folder}/{name}", mirror.trim_end_matches('/'))],
        None => mirrors.iter().map(|mirror| format!("{mirror}{name}")).collect(),
    };
    Remote {
        name,
        folder: data_dir.join(folder),
        addresses,
        published,
    }
}

fn offline(remote: &Remote, why: &str) -> DataError {
    DataError::Offline {
        file: remote.name,
        folder: remote.folder.clone(),
        reason: why.to_owned(),
        source_url: remote.addresses[0].clone(),
    }
}

/// Takes one file from an archive that has passed its digest.
fn unpack(archive: &Archive, file: &str, data_dir: &Path, folder: &Path) -> Result<(), DataError> {
    let path = data_dir.join(archive.folder).join(archive.name);
    let member = format!("{}{file}", archive.prefix);
    let wrong = |reason: String| DataError::Archive {
        path: path.clone(),
        member: member.clone(),
        reason,
    };
    let opened = File::open(&path).map_err(DataError::io(&path))?;
    let mut zip = zip::ZipArchive::new(io::BufReader::new(opened)).map_err(|error| wrong(error.to_string()))?;
    let mut content = zip.by_name(&member).map_err(|error| wrong(error.to_string()))?;
    let unpacked = folder.join(file);
    write_atomically(&unpacked, |writer| io::copy(&mut content, writer).map(drop)).map_err(DataError::io(&unpacked))
}
