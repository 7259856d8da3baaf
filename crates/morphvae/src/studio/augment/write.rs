//! The results on disk: a report, a figure, and the data set that did best.

use std::ops::ControlFlow;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use super::bench::{Bench, Lesson};
use super::pool::to_byte;
use super::record::{DATA, FIGURE, REPORT, pretty};
use super::{AugmentReport, Augmentation, Mix, Recipe};
use crate::data::{Images, Layout, SetForm, SetWriter, Split, prepare};
use crate::figures::{Caption, RecipeRow, recipes, write_png};
use crate::files::write_atomically;
use crate::studio::event::tell;
use crate::studio::{CARD, Event, Observer, StudioError};

/// Images of a distorted data set, at least: a recipe distorts anew each time, a file once.
const COPIES: usize = 10_000;
/// Images that are written at a time.
const BLOCK: usize = 500;
/// Images of each recipe that the figure shows.
const SHOWN: usize = 10;

/// Where the results are.
#[derive(Clone, Debug, Serialize)]
pub struct AugmentFiles {
    /// The report, as JSON.
    pub report: PathBuf,
    /// The figure.
    pub figure: PathBuf,
    /// The folder of the data set that did best.
    pub data: PathBuf,
}

/// What is known of that data set. Its keys are a contract.
#[derive(Serialize)]
struct Card<'a> {
    program: String,
    dataset: &'a str,
    labelled: usize,
    recipe: Recipe,
    #[serde(flatten)]
    mix: Mix,
    seed: u64,
    validation_accuracy: f64,
    /// Real, generated and pseudo-labelled images, and what else there is of them distorted.
    images: usize,
    distorted_images: usize,
    test_images: usize,
}

impl Augmentation {
    /// Writes what came of the recipes: the report, a figure, and, laid out as is asked for, the data set of the recipe that
    /// did best, with the labelled images of the seed that did, both on the validation images. The test images are its test
    /// part. A recipe that distorts has so many distorted copies after its images that there are 10,000.
    ///
    /// # Errors
    /// [`StudioError::Data`] when the layout cannot hold such images or they cannot be written; [`StudioError::Figure`];
    /// [`StudioError::Stopped`] when the observer wants no more; as [`Augmentation::run`], where that was not done before.
    pub fn write(
        &mut self,
        report: &AugmentReport,
        layout: Layout,
        observer: &Observer,
    ) -> Result<AugmentFiles, StudioError> {
        let files = AugmentFiles {
            report: self.path().join(REPORT),
            figure: self.path().join(FIGURE),
            data: self.path().join(DATA),
        };
        self.prepare(observer)?;
        self.record.write(REPORT, &pretty(report))?;
        self.draw(report, &files, observer)?;
        self.write_best(report, layout, &files, observer)?;
        Ok(files)
    }

    /// Makes sure that the data set can be laid out so.
    ///
    /// # Errors
    /// [`StudioError::Data`] when it cannot.
    pub fn check_layout(&self, layout: Layout) -> Result<(), StudioError> {
        Ok(self.form(layout, 0).check()?)
    }

    fn form(&self, layout: Layout, count: usize) -> SetForm {
        SetForm {
            layout,
            shape: self.pool.shape(),
            counts: [count, self.test.images.count()],
            classes: self.pool.classes.clone(),
        }
    }

    fn draw(&self, report: &AugmentReport, files: &AugmentFiles, observer: &Observer) -> Result<(), StudioError> {
        let bench = self.bench(0);
        let mut rows = Vec::with_capacity(report.rows.len());
        for row in &report.rows {
            let lesson = bench.lesson(&row.mix, &mut going_on(observer))?;
            rows.push(RecipeRow {
                name: row.recipe.title(),
                images: shown(&lesson, report.classes)?,
                accuracies: &row.scores.accuracies,
                mean: row.scores.accuracy_mean,
                deviation: row.scores.accuracy_standard_deviation,
                is_best: row.recipe == report.best,
            });
        }
        let title = format!("{}: {} labelled images of each class", report.dataset, report.labelled);
        let subtitle = format!(
            "the same classifier, {} steps of {} images, by what it learned from · test accuracy of {} seed(s), mean and \
             deviation · M1 + M2 itself: {:.2} %",
            report.steps,
            report.batch_size,
            report.seeds,
            100.0 * report.semi_supervised.accuracy_mean
        );
        Ok(write_png(
            &files.figure,
            &recipes(&rows, &Caption::new(&title, &subtitle))?,
        )?)
    }

    fn write_best(
        &self,
        report: &AugmentReport,
        layout: Layout,
        files: &AugmentFiles,
        observer: &Observer,
    ) -> Result<(), StudioError> {
        let Some(row) = report.row(report.best) else {
            return Ok(());
        };
        let trials = (0..self.request.seeds).filter_map(|seed| self.record.trial(row.recipe, seed, &row.mix, true));
        let Some(trial) = trials.reduce(|best, trial| {
            if trial.validation > best.validation {
                trial
            } else {
                best
            }
        }) else {
            return Ok(());
        };
        let lesson = self.bench(trial.seed).lesson(&row.mix, &mut going_on(observer))?;
        let images = lesson.examples.images.count();
        let count = match row.mix.distortion {
            Some(_) => images.max(COPIES),
            None => images,
        };
        let test_images = self.test.images.count();
        let mut writer = SetWriter::begin(&files.data, self.form(layout, count))?;
        for start in (0..count).step_by(BLOCK) {
            let end = (start + BLOCK).min(count);
            let block = lesson.block(start..end, trial.seed)?;
            writer.append(&block.images, block.labels.as_deref().unwrap_or_default())?;
            let of = count + test_images;
            tell(observer, Event::Sampling { done: end, of })?;
        }
        writer.append(&self.test.images, self.test.labels.as_deref().unwrap_or_default())?;
        let card = Card {
            program: format!("morphvae {}", env!("CARGO_PKG_VERSION")),
            dataset: &report.dataset,
            labelled: report.labelled,
            recipe: row.recipe,
            mix: row.mix,
            seed: trial.seed,
            validation_accuracy: trial.validation,
            images,
            distorted_images: count - images,
            test_images,
        };
        let path = writer.folder().join(CARD);
        write_atomically(&path, |writer| std::io::Write::write_all(writer, &pretty(&card)))
            .map_err(|source| crate::data::DataError::Io { path, source })?;
        writer.finish()?;
        let of = count + test_images;
        tell(observer, Event::Sampling { done: of, of })
    }

    fn bench(&self, seed: u64) -> Bench<'_> {
        Bench::new(&self.pool, &self.seeded[seed as usize], self.request.steps, seed)
    }
}

/// Asks whether to go on while a generator learns again.
fn going_on<'a>(observer: &'a Observer) -> impl FnMut() -> ControlFlow<()> + 'a {
    || {
        observer(Event::Augmenting {
            what: "writing",
            done: 0,
            of: 1,
        })
    }
}

impl Lesson {
    /// The images of these numbers: first all as they are, then, as often as need be, distorted.
    fn block(&self, numbers: std::ops::Range<usize>, seed: u64) -> Result<Split, StudioError> {
        let count = self.examples.images.count();
        let places: Vec<usize> = numbers.clone().map(|number| number % count).collect();
        let mut block = self.examples.chosen(&places);
        let distorted: Vec<Vec<u8>> = (numbers.into_par_iter().zip(&places))
            .map(|(number, &place)| match number < count {
                true => self.examples.images.image(place).to_vec(),
                false => self.distorted(place, seed, number as u64),
            })
            .collect();
        let [channels, height, width] = [block.images.channels(), block.images.height(), block.images.width()];
        block.images = Images::new(channels, height, width, distorted.concat())?;
        Ok(block)
    }

    fn distorted(&self, place: usize, seed: u64, number: u64) -> Vec<u8> {
        let side = self.examples.images.width();
        let mut pixels = prepare(&self.examples.images, &[place as u32], side);
        self.distortion.distort(&mut pixels, side, seed, number);
        pixels.into_iter().map(to_byte).collect()
    }
}

/// An image of each of the first classes, as it is learned from: the last, which is what a recipe adds.
fn shown(lesson: &Lesson, classes: usize) -> Result<Images, StudioError> {
    let labels = lesson.examples.labels.as_deref().unwrap_or_default();
    let last = |class: usize| labels.iter().rposition(|label| label.map(usize::from) == Some(class));
    let places: Vec<usize> = (0..classes).filter_map(last).take(SHOWN).collect();
    let pixels: Vec<Vec<u8>> = places
        .iter()
        .map(|&place| lesson.distorted(place, 0, place as u64))
        .collect();
    let images = &lesson.examples.images;
    Ok(Images::new(
        images.channels(),
        images.height(),
        images.width(),
        pixels.concat(),
    )?)
}
