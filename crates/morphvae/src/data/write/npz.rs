//! A data set as arrays for NumPy, under the names that Keras's MNIST has.

use std::io::{self, BufWriter};
use std::path::Path;

use super::image::interleaved;
use super::{PARTS, SetForm, bytes};
use crate::data::Images;
use crate::files::NewFile;
use crate::tables::NpzWriter;

/// The archive's name in the set's folder.
const FILE: &str = "images.npz";

/// An archive whose arrays come one after the other: images of a part, then their labels, which wait till then, a byte an
/// image.
#[derive(Debug)]
pub(super) struct Archive {
    archive: NpzWriter<BufWriter<NewFile>>,
    /// The part whose images are being written.
    part: Option<usize>,
    left: usize,
    labels: Vec<u8>,
    form: SetForm,
}

impl Archive {
    pub fn begin(folder: &Path, form: &SetForm) -> io::Result<Self> {
        Ok(Self {
            archive: NpzWriter::new(BufWriter::new(NewFile::create(&folder.join(FILE))?)),
            part: None,
            left: 0,
            labels: Vec::new(),
            form: form.clone(),
        })
    }

    pub fn append(&mut self, part: usize, images: &Images, labels: &[Option<u16>]) -> io::Result<()> {
        if self.part != Some(part) {
            self.begin_part(part)?;
        }
        for index in 0..images.count() {
            match images.channels() {
                1 => self.archive.append(images.image(index))?,
                _ => self.archive.append(&interleaved(images, index))?,
            }
        }
        self.labels.extend(bytes(labels));
        self.left -= images.count();
        if self.left == 0 && self.form.is_labelled() {
            let name = format!("y_{}", PARTS[part]);
            self.archive.array(&name, "|u1", &[self.labels.len()], &self.labels)?;
            self.labels.clear();
        }
        Ok(())
    }

    /// Images are `[count, height, width]`, or `[count, height, width, 3]` in colour.
    fn begin_part(&mut self, part: usize) -> io::Result<()> {
        let [channels, height, width] = self.form.shape;
        let count = self.form.counts[part];
        let sides = [count, height, width, channels];
        let sides = &sides[..if channels == 1 { 3 } else { 4 }];
        let length = sides.iter().map(|&side| side as u64).product();
        (self.part, self.left) = (Some(part), count);
        self.archive.begin(&format!("x_{}", PARTS[part]), "|u1", sides, length)
    }

    pub fn finish(mut self, form: &SetForm) -> io::Result<()> {
        if form.is_labelled() {
            self.archive.texts("classes", &form.classes)?;
        }
        let file = self.archive.finish()?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync()
    }
}
