//! Whether new images help where labels are few.
//!
//! The same small classifier learns by each [`Recipe`] from the same few labelled images and what was made of them, so many
//! steps each, and is judged by test images. Whatever can be chosen is chosen by validation images, with the first seed, and
//! kept for all: a [`Pool`](pool::Pool) has no test image in it. What is known is kept in a folder, so that a comparison that
//! was stopped goes on.

mod bench;
mod error;
mod generator;
mod pool;
mod recipe;
mod record;
mod report;
#[cfg(test)]
mod tests;
mod write;

use std::ops::ControlFlow;
use std::path::Path;

use super::images::note;
use super::{Event, ImageRequest, Observer, Reading, Source, StudioError};
use crate::data::Split;
use bench::{BATCH, Bench};
use pool::Pool;
use record::{Record, Settings, Trial};

pub use error::AugmentError;
pub use recipe::{Generated, Mix, Recipe};
pub use record::check_record;
pub use report::{AugmentReport, AugmentRow};
pub use write::AugmentFiles;

/// Pixels of a side that a folder's images are read with.
const SIDE: usize = 32;

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct AugmentRequest {
    /// Labelled images of each class.
    pub labelled: usize,
    /// How many seeds each recipe is tried with, from 0 on: each draws its own labelled images.
    pub seeds: u64,
    /// Steps of each classifier.
    pub steps: usize,
    /// At most so many images a part.
    pub limit: Option<usize>,
}

/// What becomes of a folder in which a comparison was begun already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// It is an error.
    New,
    /// It is replaced.
    Replace,
    /// It is gone on with.
    Resume,
}

/// A comparison at work.
#[derive(Debug)]
pub struct Augmentation {
    request: AugmentRequest,
    pool: Pool,
    /// What accuracies are of, and nothing else.
    test: Split,
    record: Record,
    settings: Settings,
}

impl Augmentation {
    /// Reads the images that are asked for, or the usual ones, and begins in the folder at `path`. Nothing is written before
    /// that has succeeded.
    ///
    /// # Errors
    /// [`StudioError::Augment`] for a request that these images cannot meet; as [`Source::read`]; as [`check_record`].
    pub fn begin(
        path: &Path,
        beginning: Beginning,
        request: &AugmentRequest,
        images: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        for (what, count) in [("labelled image", request.labelled as u64), ("seed", request.seeds)] {
            if count == 0 {
                return Err(AugmentError::Nothing { what }.into());
            }
        }
        if beginning != Beginning::Resume {
            check_record(path, beginning == Beginning::Replace)?;
        }
        let source = match &images.source {
            Some(source) => source.clone(),
            None => Source::usual(&images.store, observer)?,
        };
        let reading = Reading {
            limit: request.limit,
            ..Reading::of_size(SIDE)
        };
        let mut dataset = source.read(images, &reading, observer)?;
        if let Some(binarization) = images.binarize {
            let side = dataset.train.images.height().max(dataset.train.images.width());
            dataset = dataset.binarized(binarization, side)?;
        }
        let settings = Settings {
            labelled: request.labelled,
            steps: request.steps,
            dataset: dataset.name.clone(),
            images: dataset.fingerprint(),
        };
        let (pool, test) = Pool::of(dataset)?;
        // What cannot be drawn is known before anything is written.
        pool.material(request.labelled, 0)?;
        let record = match beginning {
            Beginning::Resume => Record::resume(path, &settings)?,
            _ => Record::begin(path, &settings, beginning == Beginning::Replace)?,
        };
        Ok(Self {
            request: request.clone(),
            pool,
            test,
            record,
            settings,
        })
    }

    /// Where its results are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.record.path()
    }

    /// What the images are called.
    #[must_use]
    pub fn dataset(&self) -> &str {
        &self.settings.dataset
    }

    /// How many images there are to learn from, to choose by and to judge by.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let [validation, test] = [&self.pool.validation, &self.test].map(|split| split.images.count());
        [self.pool.count(), validation, test]
    }

    /// Lets classifiers learn by every recipe, first as each is tuned, then with every seed, and keeps what comes of each.
    ///
    /// # Errors
    /// [`StudioError::Stopped`] when the observer wants no more: it can then be gone on with. [`StudioError::Classifier`] and
    /// [`StudioError::Training`] when a loss is no longer a number, or a file cannot be written.
    pub fn run(&mut self, observer: &Observer) -> Result<AugmentReport, StudioError> {
        let mut progress = Progress::new(self.trainings(), self.request.steps, observer);
        let bench = Bench::new(&self.pool, self.request.labelled, self.request.steps, 0)?;
        let mut chosen: Vec<(Recipe, Mix)> = Vec::new();
        for recipe in Recipe::ALL {
            let mix = choose(recipe, &chosen, &bench, &mut self.record, &mut progress)?;
            chosen.push((recipe, mix));
        }
        let mut first = Some(bench);
        for seed in 0..self.request.seeds {
            // The first seed's generated images are those that were chosen by.
            let bench = match first.take() {
                Some(bench) => bench,
                None => Bench::new(&self.pool, self.request.labelled, self.request.steps, seed)?,
            };
            for &(recipe, mix) in &chosen {
                if self.record.trial(recipe, seed, &mix, true).is_some() {
                    progress.count();
                    continue;
                }
                let what = format!("seed {} of {}, {recipe}", seed + 1, self.request.seeds);
                let classifier = bench.classifier(&mix, &mut |step| progress.tell(&what, step))?;
                progress.count();
                let test = classifier.judge(&self.test)?.share();
                let validation = bench.validation(&classifier)?;
                note(observer, &format!("{what}: {:.2} % of the test images", 100.0 * test))?;
                self.record.keep(Trial {
                    recipe,
                    seed,
                    mix,
                    validation,
                    test: Some(test),
                })?;
            }
        }
        Ok(self.report(&chosen))
    }

    /// How many classifiers learn in all.
    fn trainings(&self) -> usize {
        let tried: usize = Recipe::ALL
            .map(|recipe| Mix::candidates(recipe, &[]).len())
            .iter()
            .filter(|&&count| count > 1)
            .sum();
        tried + Recipe::ALL.len() * self.request.seeds as usize
    }

    fn report(&self, chosen: &[(Recipe, Mix)]) -> AugmentReport {
        let row = |&(recipe, mix): &(Recipe, Mix)| {
            let trials = (0..self.request.seeds).filter_map(|seed| self.record.trial(recipe, seed, &mix, true));
            AugmentRow::of(recipe, mix, &trials.collect::<Vec<_>>())
        };
        let rows: Vec<AugmentRow> = chosen.iter().map(row).collect();
        let [_, validation_images, test_images] = self.counts();
        AugmentReport {
            dataset: self.settings.dataset.clone(),
            labelled: self.request.labelled,
            seeds: self.request.seeds,
            classes: self.pool.classes.len(),
            validation_images,
            test_images,
            steps: self.request.steps,
            batch_size: BATCH,
            best: report::best(&rows),
            rows,
        }
    }
}

/// The mix of a recipe whose classifier judges most validation images rightly, the first of equals. Where there is one
/// alone, nothing learns.
fn choose(
    recipe: Recipe,
    chosen: &[(Recipe, Mix)],
    bench: &Bench,
    record: &mut Record,
    progress: &mut Progress,
) -> Result<Mix, StudioError> {
    let candidates = Mix::candidates(recipe, chosen);
    if let [alone] = candidates[..] {
        return Ok(alone);
    }
    let mut best = (candidates[0], f64::NEG_INFINITY);
    for mix in candidates {
        let validation = match record.trial(recipe, 0, &mix, false) {
            Some(trial) => trial.validation,
            None => {
                let what = format!("tuning {recipe}");
                let classifier = bench.classifier(&mix, &mut |step| progress.tell(&what, step))?;
                let validation = bench.validation(&classifier)?;
                record.keep(Trial {
                    recipe,
                    seed: 0,
                    mix,
                    validation,
                    test: None,
                })?;
                validation
            }
        };
        progress.count();
        if validation > best.1 {
            best = (mix, validation);
        }
    }
    Ok(best.0)
}

/// How far all of it is, in images that classifiers have learned from.
struct Progress<'a> {
    observer: &'a Observer<'a>,
    trainings: [usize; 2],
    steps: usize,
}

impl<'a> Progress<'a> {
    fn new(trainings: usize, steps: usize, observer: &'a Observer<'a>) -> Self {
        Self {
            observer,
            trainings: [0, trainings],
            steps,
        }
    }

    /// So many steps of a classifier are done.
    fn tell(&self, what: &str, step: usize) -> ControlFlow<()> {
        let [done, of] = self.trainings;
        let event = Event::Augmenting {
            what,
            done: (done * self.steps + step) * BATCH,
            of: of * self.steps * BATCH,
        };
        (self.observer)(event)
    }

    /// One classifier more is done, now or earlier.
    fn count(&mut self) {
        self.trainings[0] += 1;
    }
}
