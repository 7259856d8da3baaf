//! A data set as MNIST's files.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{SetForm, bytes};
use crate::data::{IdxKind, Images};
use crate::files::NewFile;

/// Where torchvision looks for the files.
pub(in crate::data) const RAW: &str = "MNIST/raw";

/// Images and labels to train on, and to test on.
pub(in crate::data) const FILES: [[&str; 2]; 2] = [
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
];

/// The classes' names, one a line, which the format has no place for.
pub(in crate::data) const CLASSES: &str = "classes.txt";

/// Bytes that wait to be written, so that many images are written at once.
const BUFFER: usize = 1 << 18;

/// The files of each part that there is.
#[derive(Debug)]
pub(super) struct Files([Option<Part>; 2]);

#[derive(Debug)]
struct Part {
    images: BufWriter<NewFile>,
    labels: Option<BufWriter<NewFile>>,
}

impl Files {
    pub fn begin(folder: &Path, form: &SetForm) -> io::Result<Self> {
        let raw = folder.join(RAW);
        if form.is_labelled() {
            let mut names = NewFile::create(&raw.join(CLASSES))?;
            // A name that breaks the line would move all after it.
            let lines: Vec<String> = form
                .classes
                .iter()
                .map(|class| class.replace(['\n', '\r'], " "))
                .collect();
            names.write_all((lines.join("\n") + "\n").as_bytes())?;
            names.sync()?;
        }
        let mut parts = [None, None];
        for ((part, &count), [images, labels]) in parts.iter_mut().zip(&form.counts).zip(FILES) {
            if count > 0 {
                *part = Some(Part::begin(&raw, [images, labels], count, form)?);
            }
        }
        Ok(Self(parts))
    }

    pub fn append(&mut self, part: usize, images: &Images, labels: &[Option<u16>]) -> io::Result<()> {
        let Some(part) = &mut self.0[part] else {
            return Ok(());
        };
        part.images.write_all(images.pixels())?;
        match &mut part.labels {
            Some(file) => file.write_all(&bytes(labels).collect::<Vec<u8>>()),
            None => Ok(()),
        }
    }

    pub fn finish(self) -> io::Result<()> {
        for part in self.0.into_iter().flatten() {
            for file in [Some(part.images), part.labels].into_iter().flatten() {
                file.into_inner().map_err(io::IntoInnerError::into_error)?.sync()?;
            }
        }
        Ok(())
    }
}

impl Part {
    fn begin(raw: &Path, [images, labels]: [&str; 2], count: usize, form: &SetForm) -> io::Result<Self> {
        let [_, height, width] = form.shape;
        Ok(Self {
            images: file(&raw.join(images), IdxKind::Images, &[count, height, width])?,
            labels: match form.is_labelled() {
                true => Some(file(&raw.join(labels), IdxKind::Labels, &[count])?),
                false => None,
            },
        })
    }
}

/// A file with its header.
fn file(path: &Path, kind: IdxKind, sizes: &[usize]) -> io::Result<BufWriter<NewFile>> {
    let mut file = BufWriter::with_capacity(BUFFER, NewFile::create(path)?);
    file.write_all(&kind.magic().to_be_bytes())?;
    for &size in sizes {
        let size = u32::try_from(size).map_err(|_| io::Error::other("more images than the format can count"))?;
        file.write_all(&size.to_be_bytes())?;
    }
    Ok(file)
}
