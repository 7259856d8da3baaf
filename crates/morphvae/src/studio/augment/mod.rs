//! Whether new images help where labels are few.
//!
//! The same small classifier learns by each [`Recipe`] from the same few labelled images and what was made of them, so many
//! steps each, and is judged by test images. All other images to learn from are there without their labels, for a
//! semi-supervised model to label them. Whatever can be chosen is chosen by validation images, with the first seed, and
//! kept for all: a [`Pool`](pool::Pool) has no test image in it. What is known is kept in a folder, so that a comparison that
//! was stopped goes on.

mod bench;
mod error;
mod generator;
mod pool;
mod recipe;
mod record;
mod report;
mod semi_supervised;
#[cfg(test)]
mod tests;
mod write;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::images::note;
use super::run::describe;
use super::semi_supervised::check_features;
use super::{Event, ImageRequest, Model, Observer, Reading, Source, StudioError};
use crate::data::Split;
use crate::evaluation::check_channels;
use crate::semi_supervised::{SemiSupervisedConfig, SemiSupervisedError};
use crate::training::{FewLabels, RunConfig};
use bench::{BATCH, Bench, Seeded};
use pool::Pool;
use record::{FEATURES, Record, Settings, Trial};
use semi_supervised::{Features, PseudoLabels, learned_m1};

pub use error::AugmentError;
pub use recipe::{Generated, Mix, Recipe};
pub use record::check_record;
pub use report::{AugmentReport, AugmentRow, Scores};
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
    /// How the semi-supervised model of each seed learns, M2: by that seed, and not by this.
    pub semi_supervised: SemiSupervisedConfig,
    /// The model whose latents it stands on, M1. It may have seen all images to learn from, but no label; where none is named,
    /// one learns first, once for all seeds.
    pub features: Option<PathBuf>,
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
    /// The model that is named as M1.
    features: Option<Model>,
    /// How M1 learns, where none is named.
    m1: RunConfig,
    /// What each seed has given; empty before that is asked for.
    seeded: Vec<Seeded>,
}

impl Augmentation {
    /// Reads the images that are asked for, or the usual ones, and begins in the folder at `path`. Nothing is written before
    /// that has succeeded.
    ///
    /// # Errors
    /// [`StudioError::Augment`] for a request that these images cannot meet; [`StudioError::SemiSupervised`] for settings or
    /// a model with which nothing can be labelled; as [`Model::open`]; as [`Source::read`]; as [`check_record`].
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
        request.semi_supervised.validate()?;
        if beginning != Beginning::Resume {
            check_record(path, beginning == Beginning::Replace)?;
        }
        let features = request.features.as_deref().map(Model::open).transpose()?;
        features.as_ref().map(check_features).transpose()?;
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
            epochs: request.semi_supervised.epochs,
            features: features.as_ref().map(|model| model.network().fingerprint()),
            dataset: dataset.name.clone(),
            images: dataset.fingerprint(),
        };
        let (pool, test) = Pool::of(dataset)?;
        // What cannot be drawn or labelled is known before anything is written.
        let known = pool.material(request.labelled, 0)?.known;
        if known.iter().all(Option::is_some) {
            return Err(SemiSupervisedError::NothingUnlabelled { images: known.len() }.into());
        }
        if let Some(model) = &features {
            check_channels(model.network().config(), &pool.train.images)?;
        }
        let mut m1 = RunConfig::for_features().with_enough_epochs(pool.count());
        m1.network.channels = pool.shape()[0];
        m1.data.fingerprint.clone_from(&settings.images);
        describe(&source, images, &mut m1);
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
            features,
            m1,
            seeded: Vec::new(),
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

    /// Lets the semi-supervised model of every seed learn, and then classifiers by every recipe, first as each is tuned, then
    /// with every seed. What comes of each is kept.
    ///
    /// # Errors
    /// [`StudioError::Stopped`] when the observer wants no more: it can then be gone on with. [`StudioError::Classifier`] and
    /// [`StudioError::Training`] and [`StudioError::SemiSupervised`] when a loss is no longer a number, or a file cannot be
    /// written.
    pub fn run(&mut self, observer: &Observer) -> Result<AugmentReport, StudioError> {
        self.prepare(observer)?;
        let mut progress = Progress::new(self.trainings(), self.request.steps, observer);
        let bench = Bench::new(&self.pool, &self.seeded[0], self.request.steps, 0);
        let mut chosen: Vec<(Recipe, Mix)> = Vec::new();
        for recipe in Recipe::EACH {
            let mix = choose(recipe, &chosen, &bench, &mut self.record, &mut progress)?;
            chosen.push((recipe, mix));
        }
        let mut first = Some(bench);
        for (seed, seeded) in (0..).zip(&self.seeded) {
            // The first seed's generated images are those that were chosen by.
            let bench = first.take();
            let bench = bench.unwrap_or_else(|| Bench::new(&self.pool, seeded, self.request.steps, seed));
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
        let tried: usize = Recipe::EACH
            .map(|recipe| Mix::candidates(recipe, &[]).len())
            .iter()
            .filter(|&&count| count > 1)
            .sum();
        tried + Recipe::EACH.len() * self.request.seeds as usize
    }

    /// Draws the labelled images of every seed, and lets M1 + M2 label all others, unless that was done.
    fn prepare(&mut self, observer: &Observer) -> Result<(), StudioError> {
        if !self.seeded.is_empty() {
            return Ok(());
        }
        let learned;
        let m1 = match &self.features {
            Some(model) => model,
            None => {
                learned = learned_m1(&self.path().join(FEATURES), &self.m1, &self.pool, observer)?;
                &learned
            }
        };
        let features = Features::of(m1, &self.pool, &self.test, observer)?;
        let mut seeded = Vec::new();
        for seed in 0..self.request.seeds {
            let few = FewLabels {
                labels_for: self.request.labelled,
                learning: SemiSupervisedConfig {
                    seed,
                    ..self.request.semi_supervised.clone()
                },
            };
            let material = self.pool.material(few.labels_for, seed)?;
            let pseudo_labels = features.pseudo_labels(&self.record.classifier(seed), &few, &material, observer)?;
            let right = 100.0 * pseudo_labels.validation;
            let what = format!("seed {} of {}", seed + 1, self.request.seeds);
            note(
                observer,
                &format!("{what}, M1 + M2: {right:.2} % of the validation images"),
            )?;
            seeded.push(Seeded {
                material,
                pseudo_labels,
            });
        }
        self.seeded = seeded;
        Ok(())
    }

    fn report(&self, chosen: &[(Recipe, Mix)]) -> AugmentReport {
        let row = |&(recipe, mix): &(Recipe, Mix)| {
            let trials = (0..self.request.seeds).filter_map(|seed| self.record.trial(recipe, seed, &mix, true));
            AugmentRow::of(recipe, mix, &trials.collect::<Vec<_>>())
        };
        let rows: Vec<AugmentRow> = chosen.iter().map(row).collect();
        let of_semi_supervised = |score: fn(&PseudoLabels) -> f64| -> Vec<f64> {
            self.seeded.iter().map(|seeded| score(&seeded.pseudo_labels)).collect()
        };
        let semi_supervised = Scores::of(
            &of_semi_supervised(|labels| labels.validation),
            of_semi_supervised(|labels| labels.test),
        );
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
            semi_supervised,
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
