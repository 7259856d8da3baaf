//! Whether samples are copies: how near they come to the training images, beside how near test images do.

use std::path::Path;

use serde::Serialize;

use super::Sampler;
use crate::data::{Images, Split, prepare};
use crate::evaluation::{Distances, Nearest, nearest};
use crate::figures::{Caption, pairs, write_png};
use crate::studio::event::tell;
use crate::studio::{Event, ImageRequest, Observer, Part, StudioError};

/// Samples, and test images, that are held against the training images, at most.
const COMPARED: usize = 1000;
/// Images whose nearest are found between two words to the observer.
const STRETCH: usize = 50;
/// Images of a row of the figure, and rows.
const COLUMNS: usize = 10;
const ROWS: usize = 8;

/// How near samples come to the training images. A copy is at no distance; samples that are as far away as test images are
/// none. Means of pixels are smoother than images, and for that alone nearer to all of them.
#[derive(Clone, Debug)]
pub struct Nearness {
    /// The distances.
    pub found: NearnessReport,
    /// The samples that come nearest, the nearest first, and the training images that they come near to.
    samples: Images,
    originals: Images,
}

/// Distances from the nearest training image: Euclidean, of pixels from 0 to 1. Its keys are a contract.
#[derive(Clone, Debug, Serialize)]
pub struct NearnessReport {
    /// Those of samples.
    pub samples: Distances,
    /// Those of test images.
    pub test_images: Distances,
    /// How many samples there were.
    pub sample_count: usize,
    /// How many test images.
    pub test_count: usize,
    /// How many training images.
    pub train_count: usize,
}

impl Sampler<'_> {
    /// Holds the first thousand of `count` samples, and as many test images, against all training images: the model's own,
    /// unless others are asked for.
    ///
    /// # Errors
    /// As [`Sampler::draw`] and [`Model::images`](crate::studio::Model::images); [`StudioError::EmptyPart`] where there are
    /// no training or no test images; [`StudioError::Stopped`] when the observer wants no more.
    pub fn nearest(&self, count: usize, request: &ImageRequest, observer: &Observer) -> Result<Nearness, StudioError> {
        let dataset = self.model.divided_images(request, self.request.limit, observer)?;
        let side = self.model.network().config().image_size;
        let train = of_side(Part::Train.of(&dataset)?, usize::MAX, side)?;
        let test = of_side(Part::Test.of(&dataset)?, COMPARED, side)?;
        let samples = self.draw(0..count.clamp(1, COMPARED) as u64)?.0;
        let of = samples.count() + test.count();
        let near_samples = compare(&samples, &train, [0, of], observer)?;
        let near_test = compare(&test, &train, [samples.count(), of], observer)?;

        let mut order: Vec<usize> = (0..samples.count()).collect();
        order.sort_by(|&one, &other| near_samples[one].distance.total_cmp(&near_samples[other].distance));
        order.truncate(COLUMNS * ROWS);
        let nearest: Vec<usize> = order.iter().map(|&sample| near_samples[sample].index).collect();
        let distances = |near: &[Nearest]| Distances::of(near).expect("there is one at least");
        Ok(Nearness {
            found: NearnessReport {
                samples: distances(&near_samples),
                test_images: distances(&near_test),
                sample_count: samples.count(),
                test_count: test.count(),
                train_count: train.count(),
            },
            samples: samples.chosen(&order),
            originals: train.chosen(&nearest),
        })
    }
}

impl Nearness {
    /// Draws the samples that come nearest beside what they come near to.
    pub(super) fn draw(&self, name: &str, path: &Path) -> Result<(), StudioError> {
        let NearnessReport {
            samples,
            test_images,
            sample_count,
            ..
        } = &self.found;
        let title = format!("{name}: of {sample_count} samples those nearest to a training image");
        let said = |what: &str, distances: &Distances| {
            format!(
                "{what} at {:.2} at least, {:.2} in the middle",
                distances.least, distances.median
            )
        };
        let subtitle = format!("{} · {}", said("samples", samples), said("test images", test_images));
        let blocks = [(&self.samples, "samples"), (&self.originals, "nearest training images")];
        Ok(write_png(
            path,
            &pairs(blocks, COLUMNS, &Caption::new(&title, &subtitle))?,
        )?)
    }
}

/// The first images of a split, at most so many, as the network takes them.
fn of_side(split: &Split, most: usize, side: usize) -> Result<Images, StudioError> {
    let images = &split.images;
    let places: Vec<u32> = (0..=u32::MAX).take(images.count().min(most)).collect();
    let byte = |pixel: f32| (pixel * 255.0).round() as u8;
    let pixels = places
        .iter()
        .flat_map(|&place| prepare(images, &[place], side))
        .map(byte);
    Ok(Images::new(images.channels(), side, side, pixels.collect())?)
}

fn compare(
    images: &Images,
    train: &Images,
    [before, of]: [usize; 2],
    observer: &Observer,
) -> Result<Vec<Nearest>, StudioError> {
    let length = images.image_length();
    let mut found = Vec::with_capacity(images.count());
    for stretch in images.pixels().chunks(STRETCH * length) {
        found.extend(nearest(stretch, train.pixels(), length));
        let done = before + found.len();
        tell(observer, Event::Comparing { done, of })?;
    }
    Ok(found)
}
