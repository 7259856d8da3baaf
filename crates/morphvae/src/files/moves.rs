//! Files that change their folders: all of them, or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{make_folder, operations, parent};

/// What kept files from being moved.
#[derive(Debug)]
pub(crate) struct Stuck {
    /// The file that could not be moved.
    pub from: PathBuf,
    /// What the system says.
    pub source: io::Error,
    /// Files that could not even be moved back to where they were, and lie where they were to go.
    pub left: usize,
}

/// Moves each file to a place where nothing stands; folders are made where they are absent. If one cannot be moved, those
/// before it are moved back. Whatever happens, no file is overwritten, and each is in one of its two places, or in both.
///
/// # Errors
/// [`Stuck`] names the first file that cannot be moved.
pub(crate) fn move_all(moves: &[(PathBuf, PathBuf)]) -> Result<(), Stuck> {
    let mut made = Vec::new();
    for (done, (from, to)) in moves.iter().enumerate() {
        let moved = make_folders(to, &mut made).and_then(|()| move_one(from, to));
        if let Err(source) = moved {
            let returned = moves[..done].iter().rev().map(|(from, to)| move_one(to, from));
            let left = returned.filter(Result::is_err).count();
            for folder in made.iter().rev() {
                // One that something lies in stays.
                let _ = operations::remove_dir(folder);
            }
            let from = from.clone();
            return Err(Stuck { from, source, left });
        }
    }
    Ok(())
}

/// Makes the folders that a file is to lie in, and remembers them.
fn make_folders(file: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some(folder) = parent(file) else { return Ok(()) };
    let mut absent: Vec<PathBuf> = folder
        .ancestors()
        .filter(|path| !path.as_os_str().is_empty())
        .take_while(|path| !path.exists())
        .map(Path::to_owned)
        .collect();
    absent.reverse();
    made.extend(absent);
    make_folder(folder)
}

/// A link in the new place never replaces anything, however suddenly it has come there; renaming would.
fn move_one(from: &Path, to: &Path) -> io::Result<()> {
    match operations::hard_link(from, to) {
        Ok(()) => operations::remove_file(from).inspect_err(|_| {
            // It stays where it was.
            let _ = operations::remove_file(to);
        }),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        Err(_) if fs::symlink_metadata(to).is_err() => operations::rename(from, to),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::faults::{Fault, with_fault};

    /// Three files, and where they are to go.
    fn files(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
        let name = |index: usize| {
            let from = folder.join(format!("{index}.png"));
            fs::write(&from, index.to_string()).unwrap();
            (
                from,
                folder
                    .join(["sorted/cat", "sorted/dog", "sorted/cat"][index])
                    .join(format!("{index}.png")),
            )
        };
        (0..3).map(name).collect()
    }

    #[test]
    fn files_lie_where_they_were_to_go() {
        let folder = tempfile::tempdir().unwrap();
        let moves = files(folder.path());
        move_all(&moves).unwrap();
        for (index, (from, to)) in moves.iter().enumerate() {
            assert!(!from.exists());
            assert_eq!(fs::read_to_string(to).unwrap(), index.to_string());
        }
    }

    #[test]
    fn nothing_is_overwritten_and_all_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let moves = files(folder.path());
        let stands = &moves[2].1;
        fs::create_dir_all(stands.parent().unwrap()).unwrap();
        fs::write(stands, "mine").unwrap();
        let stuck = move_all(&moves).unwrap_err();
        assert_eq!(
            (stuck.from, stuck.left, stuck.source.kind()),
            (moves[2].0.clone(), 0, io::ErrorKind::AlreadyExists)
        );
        assert!(moves.iter().all(|(from, _)| from.exists()));
        assert_eq!(fs::read_to_string(stands).unwrap(), "mine");
        assert!(!folder.path().join("sorted/dog").exists());
    }

    #[test]
    fn whatever_fails_no_file_is_lost() {
        for fault in [Fault::Refusal, Fault::FullDisk, Fault::Death] {
            for at in 1.. {
                let folder = tempfile::tempdir().unwrap();
                let moves = files(folder.path());
                let (result, has_struck) = with_fault(fault, at, || move_all(&moves));
                if !has_struck {
                    assert!(result.is_ok() && at > 6);
                    break;
                }
                for (index, (from, to)) in moves.iter().enumerate() {
                    let found = [from, to].into_iter().filter_map(|path| fs::read_to_string(path).ok());
                    let found: Vec<String> = found.collect();
                    assert!(!found.is_empty() && found.iter().all(|text| *text == index.to_string()));
                    // A step that fails alone undoes all; without links files are renamed.
                    if fault == Fault::Refusal && result.is_err() {
                        assert!(from.exists() && !to.exists(), "{at}: {index}");
                    }
                }
            }
        }
    }
}
