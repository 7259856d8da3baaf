//! The data sets that are known by name: what is in them, where they are published, and what lies on disk.
//!
//! Each set has a folder of its own in the data folder, named as the set: `data/mnist/train-images-idx3-ubyte.gz`. A
//! file may also lie there decompressed, under the same name without `.gz`. The sets of EMNIST come in one archive,
//! which is kept as `data/emnist/gzip.zip`; it may be deleted once the sets wanted from it are there.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::digest::sha256;
use super::{DataError, Dataset, Images, Split, idx, rows};

mod table;

use table::SETS;

/// The set that is MNIST under static binarization.
pub const BINARIZED_MNIST: &str = "binarized-mnist";

/// A data set that is known by name.
#[derive(Debug)]
pub struct KnownSet {
    /// The name that chooses it, and that of its folder.
    pub name: &'static str,
    /// What is in it, in a line.
    pub description: &'static str,
    /// The classes' names, in the order of the labels.
    pub classes: &'static [&'static str],
    /// What its files are.
    pub(super) contents: Contents,
    /// Where the files come from.
    pub(super) source: Source,
}

/// What the files of a set are.
#[derive(Debug)]
pub(super) enum Contents {
    /// Grey images with labels, as IDX.
    Idx {
        /// Training images, training labels, test images, test labels.
        files: [&'static str; 4],
        /// The labels of the first and the last class.
        labels: RangeInclusive<u8>,
        /// Whether rows and columns are swapped in the files.
        transposed: bool,
    },
    /// Black and white images without labels, as rows of text.
    Rows {
        /// Images to train on, for validation, to test on. The second follow the first, so that whoever holds out the last
        /// images for validation has just these.
        files: [&'static str; 3],
        /// Pixels of a side.
        side: usize,
    },
}

impl Contents {
    /// The names of the files.
    pub fn files(&self) -> &[&'static str] {
        match self {
            Self::Idx { files, .. } => files,
            Self::Rows { files, .. } => files,
        }
    }
}

/// Where the files of a set come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Each by itself: the addresses they are appended to, best first, and how each is published.
    Files {
        mirrors: &'static [&'static str],
        published: &'static [Published],
    },
    /// All from one archive, shared with other sets.
    Archive(&'static Archive),
}

/// A zip archive that holds the files of several sets.
#[derive(Debug)]
pub(super) struct Archive {
    /// Its folder in the data folder.
    pub folder: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What stands before a file's name inside.
    pub prefix: &'static str,
    /// The addresses that the name is appended to, best first.
    pub mirrors: &'static [&'static str],
    /// How it is published.
    pub published: Published,
}

/// Length and digest of a file, as published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: &'static str,
}

/// A file of a known set, as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Where it lies, or would lie.
    pub path: PathBuf,
    /// Whether it is there and whole.
    pub condition: Condition,
}

/// Whether a file is there and whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is not there.
    Missing,
    /// It has the published digest.
    Published,
    /// It can be read, but there is no digest for it: decompressed or compressed anew, or taken from an archive.
    Readable,
    /// It cannot be read, and why.
    Damaged(String),
}

/// All known sets.
#[must_use]
pub fn all() -> &'static [KnownSet] {
    &SETS
}

/// The set of this name.
///
/// # Errors
/// [`DataError::UnknownSet`], with the known names and the one that looks most like `name`.
pub fn find(name: &str) -> Result<&'static KnownSet, DataError> {
    all().iter().find(|set| set.name == name).ok_or_else(|| {
        // Strokes are drawn and have no files, but whoever mistypes a name must learn of them too.
        let known: Vec<_> = all().iter().map(|set| set.name).chain(["strokes"]).collect();
        let wanted = name.to_lowercase();
        let distance = |known: &str| {
            if known.contains(&wanted) {
                0
            } else {
                strsim::damerau_levenshtein(&wanted, known)
            }
        };
        let nearest = known.iter().copied().min_by_key(|known| distance(known));
        let nearest = nearest.filter(|known| distance(known) <= known.len() / 2);
        DataError::UnknownSet {
            name: name.to_owned(),
            nearest,
            known,
        }
    })
}

impl KnownSet {
    /// Whether all its files are in a data folder, and whole.
    #[must_use]
    pub fn is_in(&self, data_dir: &Path) -> bool {
        let is_whole = |state: &FileState| matches!(state.condition, Condition::Published | Condition::Readable);
        self.check(data_dir).iter().all(is_whole)
    }

    /// The set's folder in a data folder.
    #[must_use]
    pub fn folder(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.name)
    }

    /// How many bytes are fetched when nothing is on disk.
    #[must_use]
    pub fn download_bytes(&self) -> u64 {
        match &self.source {
            Source::Files { published, .. } => published.iter().map(|file| file.bytes).sum(),
            Source::Archive(archive) => archive.published.bytes,
        }
    }

    /// Looks at each of the set's files and reads it.
    #[must_use]
    pub fn check(&self, data_dir: &Path) -> Vec<FileState> {
        (0..self.contents.files().len())
            .map(|index| self.check_file(index, data_dir))
            .collect()
    }

    /// Reads the set from disk.
    ///
    /// # Errors
    /// [`DataError`] when a file is missing or damaged, or files do not belong together.
    pub fn load(&self, data_dir: &Path) -> Result<Dataset, DataError> {
        let (train, test, last) = match &self.contents {
            Contents::Idx {
                files: [images, labels, test_images, test_labels],
                labels: allowed,
                transposed,
            } => {
                let split = |images, labels| {
                    let split = idx::read_split(
                        &self.path(images, data_dir)?,
                        &self.path(labels, data_dir)?,
                        allowed.clone(),
                    )?;
                    match transposed {
                        true => Ok(Split {
                            images: transpose(&split.images)?,
                            ..split
                        }),
                        false => Ok(split),
                    }
                };
                (split(images, labels)?, split(test_images, test_labels)?, test_images)
            }
            Contents::Rows {
                files: [train, validation, test],
                side,
            } => {
                let images = |file| rows::read(&self.path(file, data_dir)?, *side);
                let all = images(train)?.followed_by(&images(validation)?)?;
                (Split::unlabelled(all), Split::unlabelled(images(test)?), test)
            }
        };
        let shape = |images: &Images| format!("{} x {}", images.height(), images.width());
        if shape(&train.images) != shape(&test.images) {
            return Err(DataError::MixedShapes {
                path: self.path(last, data_dir)?,
                found: shape(&test.images),
                expected: shape(&train.images),
            });
        }
        let classes = self.classes.iter().map(ToString::to_string).collect();
        Ok(Dataset {
            name: self.name.to_owned(),
            train,
            test,
            classes,
        })
    }

    /// Where a file lies that must be there.
    fn path(&self, file: &'static str, data_dir: &Path) -> Result<PathBuf, DataError> {
        self.locate(file, data_dir).ok_or_else(|| DataError::Missing {
            set: self.name,
            file,
            folder: self.folder(data_dir),
        })
    }

    /// Where a file lies: as published, or decompressed.
    fn locate(&self, file: &str, data_dir: &Path) -> Option<PathBuf> {
        let folder = self.folder(data_dir);
        [file, file.trim_end_matches(".gz")]
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
    }

    fn check_file(&self, index: usize, data_dir: &Path) -> FileState {
        let file = self.contents.files()[index];
        let Some(path) = self.locate(file, data_dir) else {
            return FileState {
                path: self.folder(data_dir).join(file),
                condition: Condition::Missing,
            };
        };
        if let Source::Files { published, .. } = &self.source
            && sha256(&path).is_ok_and(|digest| digest == published[index].sha256)
        {
            return FileState {
                path,
                condition: Condition::Published,
            };
        }
        let read = match &self.contents {
            Contents::Idx { .. } if index.is_multiple_of(2) => idx::read_images(&path).map(drop),
            Contents::Idx { .. } => idx::read_labels(&path).map(drop),
            Contents::Rows { side, .. } => rows::read(&path, *side).map(drop),
        };
        let condition = match read {
            Ok(()) => Condition::Readable,
            Err(error) => Condition::Damaged(error.to_string()),
        };
        FileState { path, condition }
    }
}

/// Swaps the rows and columns of every image.
fn transpose(images: &Images) -> Result<Images, DataError> {
    let (height, width) = (images.height(), images.width());
    let mut pixels = Vec::with_capacity(images.pixels().len());
    for plane in images.pixels().chunks_exact(height * width) {
        for column in 0..width {
            pixels.extend((0..height).map(|row| plane[row * width + column]));
        }
    }
    Images::new(images.channels(), width, height, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::idx::tests::{gzip, idx};
    use std::fs;

    #[test]
    fn names_are_found_and_mistyped_names_are_mended() {
        assert_eq!(find("kmnist").unwrap().classes[3], "tsu");
        for (name, hint) in [
            ("fashion", "did you mean \"fashion-mnist\"?"),
            ("MNIST", "did you mean \"mnist\"?"),
            ("stroks", "did you mean \"strokes\"?"),
            ("emnist-letter", "did you mean \"emnist-letters\"?"),
            ("something else altogether", "known sets are mnist, binarized-mnist, "),
        ] {
            let message = find(name).unwrap_err().to_string();
            assert!(message.contains(hint) && !message.contains('\n'), "{message}");
        }
        assert!(
            !find("something else altogether")
                .unwrap_err()
                .to_string()
                .contains("did you mean")
        );
    }

    #[test]
    fn the_table_is_well_formed() {
        for set in all() {
            assert!(
                find(set.name).is_ok_and(|found| std::ptr::eq(found, set)),
                "{} stands there twice",
                set.name
            );
            let classes: std::collections::BTreeSet<_> = set.classes.iter().collect();
            assert_eq!(classes.len(), set.classes.len());
            match &set.contents {
                Contents::Idx { files, labels, .. } => {
                    assert_eq!(classes.len(), labels.clone().count());
                    assert!(files.iter().all(|file| file.ends_with("ubyte.gz")));
                }
                Contents::Rows { files, .. } => {
                    assert!(classes.is_empty() && files.iter().all(|file| file.ends_with(".amat")));
                }
            }
            let (published, mirrors) = match &set.source {
                Source::Files { mirrors, published } => {
                    assert_eq!(published.len(), set.contents.files().len());
                    (*published, mirrors)
                }
                Source::Archive(archive) => (std::slice::from_ref(&archive.published), &archive.mirrors),
            };
            assert!(
                published
                    .iter()
                    .all(|file| file.sha256.len() == 64 && file.bytes > 1000)
            );
            assert!(
                mirrors
                    .iter()
                    .all(|mirror| mirror.starts_with("http") && mirror.ends_with('/'))
            );
        }
        let classes = |name| find(name).unwrap().classes;
        assert_eq!(classes("mnist").concat(), "0123456789");
        assert_eq!(classes("emnist-letters").concat(), "abcdefghijklmnopqrstuvwxyz");
        assert_eq!(
            classes("emnist-balanced").concat(),
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
        );
        assert_eq!(classes("emnist-byclass").len(), 62);
    }

    #[test]
    fn every_file_is_looked_at() {
        let data_dir = tempfile::tempdir().unwrap();
        let set = find("emnist-letters").unwrap();
        let missing = set.load(data_dir.path()).unwrap_err().to_string();
        assert!(missing.contains("emnist-letters-train-images") && missing.contains("data fetch emnist-letters"));
        let folder = set.folder(data_dir.path());
        fs::create_dir(&folder).unwrap();
        fs::write(
            folder.join(set.contents.files()[0]),
            gzip(&idx(0x803, &[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8])),
        )
        .unwrap();
        fs::write(
            folder.join("emnist-letters-train-labels-idx1-ubyte"),
            idx(0x801, &[2], &[1, 26]),
        )
        .unwrap();
        fs::write(folder.join(set.contents.files()[2]), idx(0x803, &[1, 3, 2], &[0; 6])).unwrap();
        let conditions: Vec<_> = set
            .check(data_dir.path())
            .into_iter()
            .map(|state| state.condition)
            .collect();
        assert_eq!(
            conditions,
            [
                Condition::Readable,
                Condition::Readable,
                Condition::Readable,
                Condition::Missing
            ]
        );
        fs::write(folder.join(set.contents.files()[3]), idx(0x801, &[1], &[1])).unwrap();
        let message = set.load(data_dir.path()).unwrap_err().to_string();
        assert!(
            message.contains("images of 2 x 3, but the training images are 2 x 2"),
            "{message}"
        );
        fs::write(folder.join(set.contents.files()[2]), idx(0x803, &[1, 2, 2], &[0; 4])).unwrap();
        let train = set.load(data_dir.path()).unwrap().train;
        assert_eq!(
            (train.images.pixels(), train.labels),
            (&[1, 3, 2, 4, 5, 7, 6, 8][..], Some(vec![Some(0), Some(25)]))
        );
        fs::write(folder.join(set.contents.files()[2]), "").unwrap();
        assert!(matches!(set.check(data_dir.path())[2].condition, Condition::Damaged(_)));
    }

    /// The folder of published data sets, if there is one.
    fn shared_data() -> Option<PathBuf> {
        let shared = std::env::var_os("MORPHVAE_SHARED").map(PathBuf::from)?;
        Some(shared.join("data")).filter(|data| data.join("mnist").is_dir())
    }

    #[test]
    fn the_published_files_are_recognized_and_read() {
        let Some(data_dir) = shared_data() else {
            println!("skipped: MORPHVAE_SHARED names no folder with data/mnist");
            return;
        };
        for (name, first_train, first_test) in
            [("mnist", [5, 0, 4], [7, 2, 1]), ("fashion-mnist", [9, 0, 0], [9, 2, 1])]
        {
            let set = find(name).unwrap();
            let states = set.check(&data_dir);
            assert!(
                states.iter().all(|state| state.condition == Condition::Published),
                "{states:?}"
            );
            let lengths = states.iter().map(|state| fs::metadata(&state.path).unwrap().len());
            assert_eq!(lengths.sum::<u64>(), set.download_bytes());
            let dataset = set.load(&data_dir).unwrap();
            assert_eq!(
                (dataset.train.images.count(), dataset.test.images.count()),
                (60_000, 10_000)
            );
            assert_eq!(dataset.train.labels.unwrap()[..3], first_train.map(Some));
            assert_eq!(dataset.test.labels.unwrap()[..3], first_test.map(Some));
        }
    }
}
