//! Which classes images are of, as a model sees them.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::images::{ImageRequest, Part, Source};
use super::{Event, Model, Observer, StudioError};
use crate::classification::Accuracy;
use crate::data::{Dataset, Images, Split, class_folders, read_image};
use crate::evaluation::class_probabilities;
use crate::files::{Stuck, check_folder, move_all};
use crate::semi_supervised::likeliest;

/// Why files cannot be sorted into folders.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MoveError {
    /// Images that are no files of their own.
    #[error("{name}: these images are no files, so that none can be moved: name image files or a folder of them")]
    NoFiles {
        /// What the images are called.
        name: String,
    },
    /// Something stands where a file is to go.
    #[error("{}: this exists, and nothing is overwritten; no file was moved", path.display())]
    Stands {
        /// The place.
        path: PathBuf,
    },
    /// Two files of one name and one class.
    #[error("{} and {} would both become {}; no file was moved", first.display(), second.display(), path.display())]
    Twins {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// The place.
        path: PathBuf,
    },
    /// A file or a folder with which the system does not help.
    #[error(
        "{}: {source}; {}", path.display(),
        if *left == 0 { "no file was moved".to_owned() } else { format!("{left} file(s) were moved and cannot be moved back") }
    )]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// Files that stay where they were to go, though others do not go there.
        left: usize,
    },
}

/// Images, and how probable each class is.
#[derive(Clone, Debug)]
pub struct Classified {
    /// What the images are called.
    pub dataset: String,
    /// A name for each image: its file, or its number.
    pub ids: Vec<String>,
    /// The names of the model's classes.
    pub classes: Vec<String>,
    /// The probability of each class for each image, `[images, classes]`.
    pub probabilities: Vec<f32>,
    /// The class of each image, where that is known and one of the model's.
    pub labels: Vec<Option<u16>>,
    /// The file of each image, where images are files of their own.
    files: Option<Vec<PathBuf>>,
}

/// Images that are to be classified.
struct Asked {
    name: String,
    split: Split,
    ids: Vec<String>,
    files: Option<Vec<PathBuf>>,
}

impl Classified {
    /// Classifies these files and folders or, if there are none, a part of the images that are asked for, else of the model's
    /// own; at most `limit`. A model that was trained with few labels has a classifier; a conditional one takes that class
    /// for the image's which explains it best.
    ///
    /// # Errors
    /// [`StudioError::NoClassifier`] for any other model; as [`Model::images`]; [`StudioError::Stopped`].
    pub fn of(
        model: &Model,
        paths: &[PathBuf],
        request: &ImageRequest,
        (part, limit): (Option<Part>, Option<usize>),
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        model.check_classifier()?;
        let mut asked = match paths {
            [] => Asked::for_part(model, request, part, limit, observer)?,
            paths => Asked::for_paths(model, paths, request, observer)?,
        };
        if let Some(limit) = limit {
            asked.split.truncate(limit);
            asked.ids.truncate(limit);
            asked.files.iter_mut().for_each(|files| files.truncate(limit));
        }
        let Asked {
            name,
            split,
            ids,
            files,
        } = asked;
        let classes = model.card().map_or_else(Vec::new, |card| card.classes.clone());
        let labels = split.labels.as_deref().unwrap_or_default().iter();
        let labels = labels.map(|label| label.filter(|&label| usize::from(label) < classes.len()));
        Ok(Self {
            dataset: name,
            probabilities: model.class_probabilities(&split, observer)?,
            labels: labels.chain(std::iter::repeat(None)).take(ids.len()).collect(),
            ids,
            classes,
            files,
        })
    }

    /// The likeliest class of each image.
    pub fn found(&self) -> impl Iterator<Item = u16> {
        self.rows().map(likeliest)
    }

    /// The probabilities of each image.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.probabilities.chunks_exact(self.classes.len().max(1))
    }

    /// How many of the images whose class is known are taken for what they are.
    #[must_use]
    pub fn accuracy(&self) -> Accuracy {
        let known = || {
            self.found()
                .zip(&self.labels)
                .filter_map(|(found, label)| Some((found, (*label)?)))
        };
        Accuracy {
            right: known().filter(|(found, label)| found == label).count(),
            of: known().count(),
        }
    }

    /// Writes a line for each image: its id, its likeliest class, the probability of that, and those of all classes.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_csv(&self, writer: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(writer);
        let header = ["id", "label", "probability"].map(String::from);
        csv.write_record(header.iter().chain(&self.classes)).map_err(io_error)?;
        for ((id, found), row) in self.ids.iter().zip(self.found()).zip(self.rows()) {
            let found = usize::from(found);
            csv.write_field(id).map_err(io_error)?;
            csv.write_field(&self.classes[found]).map_err(io_error)?;
            csv.write_field(shortest(&row[found])).map_err(io_error)?;
            csv.write_record(row.iter().map(shortest)).map_err(io_error)?;
        }
        csv.flush()
    }

    /// Where each file is to go so that the files lie in a folder for each class, in `folder`: from, and to. Files that lie
    /// there already are left out.
    ///
    /// # Errors
    /// [`MoveError`] when something stands in the way, two files would have one place, or nothing can be written there.
    pub fn moves(&self, folder: &Path) -> Result<Vec<(PathBuf, PathBuf)>, MoveError> {
        let Some(files) = &self.files else {
            return Err(MoveError::NoFiles {
                name: self.dataset.clone(),
            });
        };
        let folders = class_folders(&self.classes);
        let mut taken: HashMap<PathBuf, &PathBuf> = HashMap::new();
        let mut moves = Vec::new();
        for (from, class) in files.iter().zip(self.found()) {
            let to = folder
                .join(&folders[usize::from(class)])
                .join(from.file_name().unwrap_or_default());
            if is_same_file(from, &to) {
                continue;
            }
            if let Some(first) = taken.insert(to.clone(), from) {
                let (first, second) = (first.clone(), from.clone());
                return Err(MoveError::Twins {
                    first,
                    second,
                    path: to,
                });
            }
            if fs::symlink_metadata(&to).is_ok() {
                return Err(MoveError::Stands { path: to });
            }
            moves.push((from.clone(), to));
        }
        check_folder(folder).map_err(|source| MoveError::File {
            path: folder.to_owned(),
            source,
            left: 0,
        })?;
        Ok(moves)
    }

    /// Moves files as [`Classified::moves`] says: all of them or, as far as the system allows, none.
    ///
    /// # Errors
    /// [`MoveError::File`] names the first that cannot be moved.
    pub fn carry_out(moves: &[(PathBuf, PathBuf)]) -> Result<(), MoveError> {
        move_all(moves).map_err(|Stuck { from, source, left }| MoveError::File {
            path: from,
            source,
            left,
        })
    }
}

impl Model {
    /// Makes sure that classes can be told apart.
    ///
    /// # Errors
    /// [`StudioError::NoClassifier`].
    fn check_classifier(&self) -> Result<(), StudioError> {
        match self.semi_supervised_classifier().is_some() || self.network().config().is_conditional() {
            true => Ok(()),
            false => Err(StudioError::NoClassifier {
                name: self.name().to_owned(),
            }),
        }
    }

    /// How probable each class is for each image of a split, `[images, classes]`.
    fn class_probabilities(&self, split: &Split, observer: &Observer) -> Result<Vec<f32>, StudioError> {
        let of = split.images.count();
        if let Some(classifier) = self.semi_supervised_classifier() {
            return Ok(classifier.probabilities_of(&self.encoded(split, [0, of], observer)?));
        }
        let probabilities = class_probabilities(self.inference(), &split.images, &mut |done| {
            observer(Event::Encoding { done, of })
        })?;
        probabilities.ok_or(StudioError::Stopped)
    }
}

impl Asked {
    /// A part of a data set or a folder.
    fn for_part(
        model: &Model,
        request: &ImageRequest,
        part: Option<Part>,
        limit: Option<usize>,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        let source = model.source(request, observer)?;
        let dataset = model.images(
            &ImageRequest {
                source: Some(source.clone()),
                ..request.clone()
            },
            limit,
            observer,
        )?;
        let name = dataset.name.clone();
        let (split, part) = request.part_of(dataset, part)?;
        Ok(Self {
            name,
            ids: part.ids(&split),
            files: files_of(&split, &source),
            split,
        })
    }

    /// Image files, and all images of folders.
    fn for_paths(
        model: &Model,
        paths: &[PathBuf],
        request: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        let config = model.network().config();
        let (mut pixels, mut labels, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            if !path.is_dir() {
                let fit = request.fit.unwrap_or(model.fit());
                pixels.extend_from_slice(read_image(path, config.image_size, config.channels, fit)?.pixels());
                labels.push(None);
                files.push(path.clone());
                continue;
            }
            let source = Source::Folder(path.clone());
            let Dataset { train, test, .. } = model.images(
                &ImageRequest {
                    source: Some(source.clone()),
                    ..request.clone()
                },
                None,
                observer,
            )?;
            for split in [train, test] {
                let count = split.images.count();
                let Some(of_split) = files_of(&split, &source) else {
                    return Err(MoveError::NoFiles {
                        name: path.display().to_string(),
                    }
                    .into());
                };
                pixels.extend_from_slice(split.images.pixels());
                labels.extend(split.labels.unwrap_or_else(|| vec![None; count]));
                files.extend(of_split);
            }
        }
        Ok(Self {
            name: paths[0].display().to_string(),
            split: Split {
                images: Images::new(config.channels, config.image_size, config.image_size, pixels)?,
                labels: Some(labels),
                sources: None,
            },
            ids: files.iter().map(|file| file.display().to_string()).collect(),
            files: Some(files),
        })
    }
}

/// Where the files of a split lie, where they are a folder's.
fn files_of(split: &Split, source: &Source) -> Option<Vec<PathBuf>> {
    let Source::Folder(folder) = source else { return None };
    let files = split.sources.as_ref()?;
    Some(files.iter().map(|file| folder.join(file)).collect())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The shortest text that reads back as the same number, small ones with an exponent.
fn shortest(value: &f32) -> String {
    format!("{value:?}")
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
