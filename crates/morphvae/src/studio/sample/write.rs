//! Samples as a data set in a folder, with a sheet of the first and a card.

use std::io::Write;
use std::path::Path;

use super::card::{CARD, Counts, SampleCard};
use super::{Nearness, Origin, SampleError, Sampler};
use crate::data::{DataError, Images, Layout, SetForm, SetWriter};
use crate::figures::{Caption, Labels, class_sheet, contact_sheet, write_png};
use crate::files::write_atomically;
use crate::studio::event::{Event, tell};
use crate::studio::{Observer, StudioError};

/// Images that are drawn and written at a time.
const BATCH: usize = 500;

/// The sheet's name in the set's folder.
const SHEET: &str = "sheet.png";

/// The name of the figure of samples beside the training images that they come nearest to.
const NEAREST: &str = "nearest.png";

/// Images in a row of the sheet.
const COLUMNS: usize = 20;
/// Rows of the sheet where images have no labels.
const ROWS: usize = 10;
/// Classes that it shows, at most.
const MOST_CLASSES: usize = 40;

impl Sampler<'_> {
    /// Writes so many images to train on and to test on as a data set at `path`, in place of a folder that is there, with
    /// a sheet of the first images, a card and, where it was measured, how near they come to the training images: all of it,
    /// or, where anything fails, nothing. How many there are takes no memory (but a byte an image for the labels in an NPZ).
    ///
    /// # Errors
    /// [`SampleError::Nothing`] when there is no image to train on; [`StudioError::Data`] when the layout cannot hold such
    /// images or they cannot be written; [`StudioError::Figure`] for the sheet; [`StudioError::Stopped`] when the observer
    /// wants no more.
    pub fn write(
        &self,
        path: &Path,
        layout: Layout,
        counts: Counts,
        nearness: Option<&Nearness>,
        observer: &Observer,
    ) -> Result<SampleCard, StudioError> {
        if counts.train == 0 {
            return Err(SampleError::Nothing.into());
        }
        let config = self.model.network().config();
        let form = SetForm {
            layout,
            shape: [config.channels, config.image_size, config.image_size],
            counts: [counts.train, counts.test],
            classes: self.classes().to_vec(),
        };
        let mut writer = SetWriter::begin(path, form)?;
        let mut shown = Shown::new(self);
        let mut by_class = vec![Counts::default(); self.classes().len()];
        let of = counts.train + counts.test;
        for start in batches(counts) {
            let is_train = start < counts.train;
            let end = (start + BATCH).min(if is_train { counts.train } else { of });
            let (images, labels) = self.draw(start as u64..end as u64)?;
            for label in labels.iter().flatten() {
                let counts = &mut by_class[usize::from(*label)];
                *(if is_train { &mut counts.train } else { &mut counts.test }) += 1;
            }
            shown.keep(&images, &labels);
            writer.append(&images, &labels)?;
            tell(observer, Event::Sampling { done: end, of })?;
        }
        shown.draw(self, &writer.folder().join(SHEET))?;
        if let Some(nearness) = nearness {
            nearness.draw(&self.model.stem(), &writer.folder().join(NEAREST))?;
        }
        let card = SampleCard {
            nearest: nearness.map(|nearness| nearness.found.clone()),
            ..SampleCard::of(self, layout, counts, &by_class)
        };
        write_card(&card, &writer.folder().join(CARD))?;
        writer.finish()?;
        Ok(card)
    }
}

/// Where batches begin, none of which is of both parts.
fn batches(counts: Counts) -> impl Iterator<Item = usize> {
    let train = (0..counts.train).step_by(BATCH);
    train.chain((counts.train..counts.train + counts.test).step_by(BATCH))
}

fn write_card(card: &SampleCard, path: &Path) -> Result<(), DataError> {
    let mut json = serde_json::to_vec_pretty(card).expect("a card is plain data");
    json.push(b'\n');
    write_atomically(path, |writer| writer.write_all(&json)).map_err(|source| DataError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The first images, for the sheet.
struct Shown {
    pixels: Vec<u8>,
    labels: Vec<Option<u16>>,
    /// Images that are still wanted of each class, or of all where there are no labels.
    wanted: Vec<usize>,
}

impl Shown {
    fn new(sampler: &Sampler) -> Self {
        let mut wanted = vec![COLUMNS * ROWS; usize::from(sampler.classes().is_empty())];
        wanted.resize(wanted.len() + sampler.classes().len(), 0);
        let labels = sampler.groups.list.iter().filter_map(|group| group.label);
        for label in labels.take(MOST_CLASSES) {
            wanted[usize::from(label)] = COLUMNS;
        }
        Self {
            pixels: Vec::new(),
            labels: Vec::new(),
            wanted,
        }
    }

    fn keep(&mut self, images: &Images, labels: &[Option<u16>]) {
        for (index, label) in labels.iter().enumerate() {
            let wanted = self.wanted.get_mut(label.map_or(0, usize::from));
            if let Some(left) = wanted.filter(|left| **left > 0) {
                *left -= 1;
                self.pixels.extend_from_slice(images.image(index));
                self.labels.push(*label);
            }
        }
    }

    fn draw(self, sampler: &Sampler, path: &Path) -> Result<(), StudioError> {
        let config = sampler.model.network().config();
        let images = Images::new(config.channels, config.image_size, config.image_size, self.pixels)?;
        let title = sampler.model.stem();
        let subtitle = sampler.description();
        let caption = Caption::new(&title, &subtitle);
        let classes = sampler.classes();
        let picture = if classes.is_empty() {
            contact_sheet(&images, COLUMNS, &caption)?
        } else {
            let labels = Labels {
                indices: &self.labels,
                classes,
            };
            class_sheet(&images, labels, COLUMNS, &caption)?
        };
        Ok(write_png(path, &picture)?)
    }
}

impl Sampler<'_> {
    /// What is drawn from, for the sheet.
    fn description(&self) -> String {
        let is_of_classes = !self.classes().is_empty();
        let from = match (&self.request.from, is_of_classes) {
            (Origin::Prior, _) => "samples from the prior",
            (Origin::Mixture, true) => "samples from a mixture of Gaussians for each class",
            (Origin::Mixture, false) => "samples from a mixture of Gaussians",
            (Origin::Class, true) => "samples from a Gaussian for each class",
            (Origin::Class, false) => "samples from a Gaussian",
            (Origin::Images(_), _) => "samples around given images",
        };
        let temperature = match self.request.temperature {
            1.0 => String::new(),
            temperature => format!(" · temperature {temperature}"),
        };
        format!("{from}{temperature} · seed {}", self.request.seed)
    }
}
