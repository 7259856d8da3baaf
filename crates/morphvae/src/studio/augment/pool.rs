//! What may be learned from and chosen by. The test images are not among it.

use std::sync::Arc;

use rand::seq::SliceRandom;

use super::AugmentError;
use crate::data::{DataError, Dataset, Images, Split, prepare};
use crate::random::{Purpose, generator};
use crate::studio::StudioError;

/// One of so many training images is held out to choose by: of MNIST's, the 10,000 that are usual.
const HELD_OUT: usize = 6;

/// The training images of a data set, divided: some to draw labelled ones from, some to choose by.
#[derive(Debug)]
pub(super) struct Pool {
    /// The names of the classes, in the order of the labels.
    pub classes: Vec<String>,
    /// Images to learn from.
    pub train: Arc<Split>,
    /// Images to choose by, all of which have a label.
    pub validation: Arc<Split>,
}

/// What is learned from with one seed.
#[derive(Debug)]
pub(super) struct Material {
    /// So many images of each class.
    pub labelled: Split,
    /// The label of each image to learn from that is one of these, and of no other.
    pub known: Vec<Option<u16>>,
}

impl Pool {
    /// Divides a data set, by chance but the same for every seed, and sets the test images that have a label apart.
    ///
    /// # Errors
    /// [`StudioError::NoClasses`] where images have none; [`AugmentError::TooSmall`].
    pub fn of(dataset: Dataset) -> Result<(Self, Split), StudioError> {
        let Dataset {
            name,
            train,
            test,
            classes,
        } = dataset;
        let test = with_label(&test);
        for (part, split) in [("training", &with_label(&train)), ("test", &test)] {
            if split.images.count() == 0 {
                return Err(StudioError::NoClasses { name, part });
            }
        }
        let mut order: Vec<usize> = (0..train.images.count()).collect();
        order.shuffle(&mut generator(0, Purpose::Labelled, 0));
        let (validation, rest) = order.split_at_mut(train.images.count() / HELD_OUT);
        rest.sort_unstable();
        let validation = with_label(&train.chosen(validation));
        if validation.images.count() == 0 {
            return Err(AugmentError::TooSmall { name }.into());
        }
        let pool = Self {
            classes,
            train: Arc::new(square(train.chosen(rest))?),
            validation: Arc::new(square(validation)?),
        };
        Ok((pool, square(test)?))
    }

    /// How many images there are to learn from, labelled or not.
    pub fn count(&self) -> usize {
        self.train.images.count()
    }

    /// The shape of an image: channels, rows, columns.
    pub fn shape(&self) -> [usize; 3] {
        let images = &self.train.images;
        [images.channels(), images.height(), images.width()]
    }

    /// Draws `count` labelled images of each class.
    ///
    /// # Errors
    /// [`AugmentError::TooFew`].
    pub fn material(&self, count: usize, seed: u64) -> Result<Material, StudioError> {
        let known = self.train.labels_for(count, self.classes.len(), seed);
        let known = known.map_err(|error| match error {
            DataError::FewLabels { class, found, wanted } => AugmentError::TooFew {
                class: self.classes[usize::from(class)].clone(),
                found,
                asked: wanted,
            }
            .into(),
            error => StudioError::from(error),
        })?;
        let places: Vec<usize> = (0..known.len()).filter(|&place| known[place].is_some()).collect();
        Ok(Material {
            labelled: self.train.chosen(&places),
            known,
        })
    }
}

/// The images that have a label.
fn with_label(split: &Split) -> Split {
    let labels = split.labels.iter().flatten().enumerate();
    let places: Vec<usize> = labels
        .filter(|(_, label)| label.is_some())
        .map(|(place, _)| place)
        .collect();
    split.chosen(&places)
}

/// Images that networks take: square ones.
fn square(split: Split) -> Result<Split, StudioError> {
    let images = &split.images;
    if images.height() == images.width() {
        return Ok(split);
    }
    let side = images.height().max(images.width());
    let all: Vec<u32> = (0..=u32::MAX).take(images.count()).collect();
    let pixels = all.iter().flat_map(|&place| prepare(images, &[place], side));
    let images = Images::new(images.channels(), side, side, pixels.map(to_byte).collect())?;
    Ok(Split { images, ..split })
}

/// A pixel in [0, 1] as a byte.
pub(super) fn to_byte(pixel: f32) -> u8 {
    (pixel * 255.0).round() as u8
}
