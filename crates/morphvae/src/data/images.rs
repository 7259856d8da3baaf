//! Images in memory, and the splits of a data set made of them.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::DataError;

/// Images of one size, 8 bits a channel, in the order `[count, channels, height, width]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// Takes `pixels` as images of `channels` x `height` x `width`.
    ///
    /// # Errors
    /// [`DataError::Shape`] when a side is zero or `pixels` does not hold a whole number of images.
    pub fn new(channels: usize, height: usize, width: usize, pixels: Vec<u8>) -> Result<Self, DataError> {
        let image_length = channels * height * width;
        if image_length == 0 || !pixels.len().is_multiple_of(image_length) {
            return Err(DataError::Shape {
                channels,
                height,
                width,
                bytes: pixels.len(),
            });
        }
        Ok(Self {
            channels,
            height,
            width,
            pixels,
        })
    }

    /// How many images there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pixels.len() / self.image_length()
    }

    /// 1 for grey, 3 for colour.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows of an image.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes of one image: `channels * height * width`.
    #[must_use]
    pub fn image_length(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The bytes of image `index`, `[channels, height, width]`.
    ///
    /// # Panics
    /// When `index` is not below [`Images::count`], as indexing a slice does.
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.image_length()..][..self.image_length()]
    }

    /// All bytes, `[count, channels, height, width]`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Keeps the first `count` images.
    pub fn truncate(&mut self, count: usize) {
        self.pixels.truncate(count * self.image_length());
    }
}

/// Images with, where they are known, their labels and the files they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The images.
    pub images: Images,
    /// The label of each image that has one, an index into [`Dataset::classes`]; none where no image has.
    pub labels: Option<Vec<Option<u16>>>,
    /// The file that each image was read from, relative to the folder that was named; none for images that are no files
    /// of their own.
    pub sources: Option<Vec<PathBuf>>,
}

impl Split {
    /// Keeps the first `count` images, with their labels and sources.
    pub fn truncate(&mut self, count: usize) {
        self.images.truncate(count);
        if let Some(labels) = &mut self.labels {
            labels.truncate(count);
        }
        if let Some(sources) = &mut self.sources {
            sources.truncate(count);
        }
    }
}

/// Images to train on and images to test on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The name shown to people: `mnist`, `strokes`, the folder's name.
    pub name: String,
    /// What the network learns from.
    pub train: Split,
    /// What it is judged on.
    pub test: Split,
    /// The classes' names, in the order of the labels; empty for images without labels.
    pub classes: Vec<String>,
}

impl Dataset {
    /// SHA-256 of all images and labels in hexadecimal: the same for the same data, wherever it came from.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for split in [&self.train, &self.test] {
            let Images {
                channels,
                height,
                width,
                pixels,
            } = &split.images;
            for size in [*channels, *height, *width, pixels.len()] {
                digest.update((size as u64).to_le_bytes());
            }
            digest.update(pixels);
            for label in split.labels.iter().flatten() {
                // No class has the last number.
                digest.update(label.unwrap_or(u16::MAX).to_le_bytes());
            }
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
