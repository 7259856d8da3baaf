//! Images in memory, and the splits of a data set made of them.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{Binarization, DataError};

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

    /// The colour of one pixel of image `index`, grey or not.
    pub(crate) fn colour(&self, index: usize, column: usize, row: usize) -> [u8; 3] {
        let image = self.image(index);
        let plane = self.width * self.height;
        let pixel = row * self.width + column;
        match self.channels {
            1 => [image[pixel]; 3],
            _ => [0, 1, 2].map(|channel| image[channel * plane + pixel]),
        }
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

    /// These images, and then `others`.
    ///
    /// # Errors
    /// [`DataError::Shape`] when they are of another size.
    pub fn followed_by(mut self, others: &Self) -> Result<Self, DataError> {
        if [self.channels, self.height, self.width] != [others.channels, others.height, others.width] {
            return Err(DataError::Shape {
                channels: self.channels,
                height: self.height,
                width: self.width,
                bytes: others.pixels.len(),
            });
        }
        self.pixels.extend_from_slice(&others.pixels);
        Ok(self)
    }

    /// Whether every pixel is black or white: 0 or 255.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.pixels.iter().all(|&pixel| pixel == 0 || pixel == 255)
    }

    /// The same of images that a network of this size takes as they are: what has to be resized turns grey.
    #[must_use]
    pub fn is_binary_at(&self, side: usize) -> bool {
        self.is_binary() && self.height == side && self.width == side
    }

    /// The images of these places, in this order.
    ///
    /// # Panics
    /// As [`Images::image`].
    #[must_use]
    pub fn chosen(&self, places: &[usize]) -> Self {
        let pixels = places.iter().flat_map(|&place| self.image(place)).copied().collect();
        Self { pixels, ..*self }
    }

    /// Takes all images from number `first` on away, and returns them.
    fn split_off(&mut self, first: usize) -> Self {
        let pixels = self.pixels.split_off(first * self.image_length());
        Self { pixels, ..*self }
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

/// Images, and the labels of those that have one, where they are known.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// The images.
    pub images: &'a Images,
    /// The label of each image that has one; none where no image has.
    pub labels: Option<&'a [Option<u16>]>,
}

impl Examples<'_> {
    /// The label of image `index`, if it has one.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<u16> {
        *self.labels?.get(index)?
    }
}

impl<'a> From<&'a Images> for Examples<'a> {
    fn from(images: &'a Images) -> Self {
        Self { images, labels: None }
    }
}

impl<'a> From<&'a Split> for Examples<'a> {
    fn from(split: &'a Split) -> Self {
        Self {
            images: &split.images,
            labels: split.labels.as_deref(),
        }
    }
}

impl Split {
    /// Images of which nothing is known.
    pub(super) fn unlabelled(images: Images) -> Self {
        Self {
            images,
            labels: None,
            sources: None,
        }
    }

    /// These images, and then `others`; what is known of one part alone, labels or sources, is lost.
    ///
    /// # Errors
    /// [`DataError::Shape`] when they are of another size.
    pub fn followed_by(self, others: &Self) -> Result<Self, DataError> {
        fn both<T: Clone>(first: Option<Vec<T>>, others: Option<&Vec<T>>) -> Option<Vec<T>> {
            Some([first?.as_slice(), others?].concat())
        }
        Ok(Self {
            images: self.images.followed_by(&others.images)?,
            labels: both(self.labels, others.labels.as_ref()),
            sources: both(self.sources, others.sources.as_ref()),
        })
    }

    /// Takes the last `count` images away, with their labels and sources, and returns them: all, if there are no more.
    #[must_use]
    pub fn hold_out(&mut self, count: usize) -> Self {
        let first = self.images.count().saturating_sub(count);
        Self {
            images: self.images.split_off(first),
            labels: self.labels.as_mut().map(|labels| labels.split_off(first)),
            sources: self.sources.as_mut().map(|sources| sources.split_off(first)),
        }
    }

    /// The images of these places, in this order, with their labels and sources.
    ///
    /// # Panics
    /// As [`Images::image`].
    #[must_use]
    pub fn chosen(&self, places: &[usize]) -> Self {
        fn of<T: Clone>(all: Option<&Vec<T>>, places: &[usize]) -> Option<Vec<T>> {
            all.map(|all| places.iter().map(|&place| all[place].clone()).collect())
        }
        Self {
            images: self.images.chosen(places),
            labels: of(self.labels.as_ref(), places),
            sources: of(self.sources.as_ref(), places),
        }
    }

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
    /// All images black and white, `size` x `size`, drawn once where that is by chance.
    ///
    /// # Errors
    /// [`DataError::Binarization`] for images that cannot be binarized so.
    pub fn binarized(self, binarization: Binarization, size: usize) -> Result<Self, DataError> {
        Ok(Self {
            train: binarization.train(self.train, size, 0)?,
            test: binarization.test(self.test, size)?,
            ..self
        })
    }

    /// The same images with the classes of `first`, those of a model, before all others, whether there are images of them
    /// or not: so a class has one number for a model, and no two classes share one. Images without classes have none then
    /// either.
    #[must_use]
    pub fn numbered_after(mut self, first: &[String]) -> Self {
        if self.classes.is_empty() {
            return self;
        }
        let others = self.classes.iter().filter(|class| !first.contains(class));
        let classes: Vec<String> = first.iter().chain(others).cloned().collect();
        let number = |class| classes.iter().position(|known| known == class);
        let numbers: Option<Vec<u16>> = (self.classes.iter())
            .map(|class| number(class)?.try_into().ok())
            .collect();
        // More classes than there are numbers is what no model has.
        let Some(numbers) = numbers else { return self };
        for split in [&mut self.train, &mut self.test] {
            for label in split.labels.iter_mut().flatten().flatten() {
                *label = numbers[usize::from(*label)];
            }
        }
        self.classes = classes;
        self
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(classes: &[&str], labels: Option<&[Option<u16>]>) -> Dataset {
        let count = labels.map_or(1, <[_]>::len);
        let split = Split {
            images: Images::new(1, 1, 1, vec![0; count]).unwrap(),
            labels: labels.map(<[_]>::to_vec),
            sources: None,
        };
        Dataset {
            name: "pets".to_owned(),
            train: split.clone(),
            test: split,
            classes: names(classes),
        }
    }

    fn names(classes: &[&str]) -> Vec<String> {
        classes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn classes_have_a_models_numbers_and_others_come_after_them() {
        let labels = [Some(0), None, Some(1), Some(2)];
        let pets = dataset(&["cat", "dog", "eel"], Some(&labels));
        for (first, classes, expected) in [
            (
                &["dog", "owl"][..],
                &["dog", "owl", "cat", "eel"][..],
                [Some(2), None, Some(0), Some(3)],
            ),
            (
                &["ant"],
                &["ant", "cat", "dog", "eel"],
                [Some(1), None, Some(2), Some(3)],
            ),
            (&[], &["cat", "dog", "eel"], labels),
        ] {
            let found = pets.clone().numbered_after(&names(first));
            assert_eq!(found, dataset(classes, Some(&expected)));
        }
        let bare = dataset(&[], None);
        assert_eq!(bare.clone().numbered_after(&names(&["cat"])), bare);
    }
}
