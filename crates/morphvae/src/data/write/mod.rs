//! Images out.
//!
//! [`write_image`] and [`write_images`] write what is in memory. A [`SetWriter`] writes a whole data set as it is made,
//! batch by batch, in one of three [`Layout`]s: however many images there are, it holds none of them but those that it is
//! given.

mod folders;
mod idx;
mod image;
mod npz;

use std::io;
use std::path::Path;

use super::{DataError, Images};
use crate::choice::Choice;
use crate::files::UnfinishedFolder;
pub use folders::class_folders;
pub(super) use idx::{CLASSES, FILES, RAW};
pub use image::{write_image, write_images};

/// How a data set lies in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `images/CLASS/00000.png`, as torchvision's `ImageFolder` and this program read folders; below `images/train` and
    /// `images/test` where there are both.
    Png,
    /// `MNIST/raw/train-images-idx3-ubyte` and so on, as torchvision's `MNIST` and this program read them, and the classes'
    /// names in `classes.txt`. Grey images alone.
    Idx,
    /// `images.npz` with `x_train` and `y_train`, `x_test` and `y_test`, as in the file that Keras loads MNIST from, and
    /// `classes`.
    Npz,
}

impl Choice for Layout {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Png, "png", "PNG files in a folder for each class, below images/"),
        (
            Self::Idx,
            "idx",
            "MNIST's files, as torchvision reads them; grey images alone",
        ),
        (
            Self::Npz,
            "npz",
            "images.npz with x_train, y_train and so on, as Keras reads MNIST",
        ),
    ];
}

/// What a data set will be.
#[derive(Clone, Debug)]
pub struct SetForm {
    /// How it lies in its folder.
    pub layout: Layout,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// Images to train on, and images to test on.
    pub counts: [usize; 2],
    /// The names of the classes, in the order of the labels; empty where no image has a label.
    pub classes: Vec<String>,
}

/// The names of the parts.
const PARTS: [&str; 2] = ["train", "test"];

/// Classes whose labels fit in a byte.
pub(super) const MOST_BYTE_LABELS: usize = 256;

impl SetForm {
    /// Makes sure that there can be such a set.
    ///
    /// # Errors
    /// [`DataError::ColourIdx`] and [`DataError::ManyLabels`] for what a layout cannot hold; [`DataError::Option`] for images
    /// that are neither grey nor colour.
    pub fn check(&self) -> Result<(), DataError> {
        let [channels, ..] = self.shape;
        image::colour(channels)?;
        if self.layout == Layout::Idx && channels != 1 {
            return Err(DataError::ColourIdx);
        }
        if self.layout != Layout::Png && self.classes.len() > MOST_BYTE_LABELS {
            return Err(DataError::ManyLabels {
                layout: self.layout.name(),
                classes: self.classes.len(),
            });
        }
        Ok(())
    }

    /// Whether images have labels.
    fn is_labelled(&self) -> bool {
        !self.classes.is_empty()
    }
}

/// A data set on its way to its folder, where it comes whole or not at all.
#[derive(Debug)]
pub struct SetWriter {
    /// Before their folder: what is given up is closed before it is removed.
    files: Files,
    folder: UnfinishedFolder,
    form: SetForm,
    written: [usize; 2],
}

/// What is being written.
#[derive(Debug)]
enum Files {
    Png(folders::Folders),
    Idx(idx::Files),
    Npz(Box<npz::Archive>),
}

impl SetWriter {
    /// Begins a set that will stand at `path`, in place of a folder that is there.
    ///
    /// # Errors
    /// As [`SetForm::check`]; [`DataError::Io`] when nothing can be written there.
    pub fn begin(path: &Path, form: SetForm) -> Result<Self, DataError> {
        form.check()?;
        let begin = || -> io::Result<_> {
            let folder = UnfinishedFolder::beside(path)?;
            let files = match form.layout {
                Layout::Png => Files::Png(folders::Folders::new(folder.path(), &form)),
                Layout::Idx => Files::Idx(idx::Files::begin(folder.path(), &form)?),
                Layout::Npz => Files::Npz(Box::new(npz::Archive::begin(folder.path(), &form)?)),
            };
            Ok((folder, files))
        };
        let (folder, files) = begin().map_err(DataError::io(path))?;
        Ok(Self {
            folder,
            form,
            written: [0; 2],
            files,
        })
    }

    /// Where the set is until it is finished: for further files that belong to it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the next images, all of one part, with the label of each: first those to train on, then those to test on.
    ///
    /// # Errors
    /// [`DataError::Io`] when they cannot be written, are of another shape or more than were announced, or have labels where
    /// the set has none or the other way round.
    pub fn append(&mut self, images: &Images, labels: &[Option<u16>]) -> Result<(), DataError> {
        let part = usize::from(self.written[0] == self.form.counts[0]);
        let first = self.written[part];
        let result = self
            .form
            .admits(images, labels, self.form.counts[part] - first)
            .and_then(|()| match &mut self.files {
                Files::Png(folders) => folders.append(part, first, images, labels),
                Files::Idx(files) => files.append(part, images, labels),
                Files::Npz(archive) => archive.append(part, images, labels),
            });
        self.written[part] += images.count();
        result.map_err(DataError::io(self.folder.path()))
    }

    /// Puts the set in its place.
    ///
    /// # Errors
    /// [`DataError::Io`] when it cannot be, or images are missing.
    pub fn finish(self) -> Result<(), DataError> {
        let path = self.folder.path().to_owned();
        let Self {
            folder,
            form,
            written,
            files,
        } = self;
        let finish = || {
            if written != form.counts {
                return Err(io::Error::other("images are missing"));
            }
            match files {
                Files::Png(_) => {}
                Files::Idx(files) => files.finish()?,
                Files::Npz(archive) => archive.finish(&form)?,
            }
            folder.finish()
        };
        finish().map_err(DataError::io(&path))
    }
}

impl SetForm {
    fn admits(&self, images: &Images, labels: &[Option<u16>], left: usize) -> io::Result<()> {
        let is_known = |label: &Option<u16>| match label {
            Some(label) => usize::from(*label) < self.classes.len(),
            None => !self.is_labelled(),
        };
        let is_right = [images.channels(), images.height(), images.width()] == self.shape
            && images.count() <= left
            && images.count() == labels.len()
            && labels.iter().all(is_known);
        match is_right {
            true => Ok(()),
            false => Err(io::Error::other("images of another shape or other labels, or too many")),
        }
    }
}

/// The label of each image in a byte.
fn bytes(labels: &[Option<u16>]) -> impl Iterator<Item = u8> {
    labels.iter().flatten().map(|&label| label as u8)
}

#[cfg(test)]
mod tests;
