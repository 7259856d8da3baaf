//! One seed's images, and classifiers that learn from what a mix makes of them.

use std::cell::OnceCell;
use std::ops::ControlFlow;

use super::generator::Generator;
use super::pool::{Material, Pool};
use super::recipe::{Generated, Mix};
use super::semi_supervised::PseudoLabels;
use crate::classification::{ClassifierConfig, Distortion, TrainedClassifier};
use crate::data::Split;
use crate::studio::StudioError;

/// Images a step.
pub(super) const BATCH: usize = 50;

/// Where the recipes of one seed are followed.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pool: &'a Pool,
    seeded: &'a Seeded,
    seed: u64,
    steps: usize,
    generator: OnceCell<Generator>,
}

/// What a seed decides before any classifier learns.
#[derive(Debug)]
pub(super) struct Seeded {
    pub material: Material,
    pub pseudo_labels: PseudoLabels,
}

/// What a classifier learns from.
#[derive(Debug)]
pub(super) struct Lesson {
    /// Real images, then generated ones, then those that a semi-supervised model labelled.
    pub examples: Split,
    /// What happens to each of them anew before it is learned from.
    pub distortion: Distortion,
}

impl<'a> Bench<'a> {
    /// With what a seed has given, and so many steps of each classifier.
    pub fn new(pool: &'a Pool, seeded: &'a Seeded, steps: usize, seed: u64) -> Self {
        Self {
            pool,
            seeded,
            seed,
            steps,
            generator: OnceCell::new(),
        }
    }

    /// What a mix makes of the images.
    ///
    /// # Errors
    /// [`StudioError::Training`] for a network that cannot learn to generate; [`StudioError::Stopped`] when `check` breaks.
    pub fn lesson(&self, mix: &Mix, check: &mut dyn FnMut() -> ControlFlow<()>) -> Result<Lesson, StudioError> {
        let mut examples = self.seeded.material.labelled.clone();
        if let Some(Generated { times, temperature }) = mix.generated {
            let count = times * examples.images.count();
            let generated = self.generator(check)?.draw(count, temperature, self.seed)?;
            examples = examples.followed_by(&generated)?;
        }
        if let Some(least) = mix.pseudo_labelled {
            examples = examples.followed_by(&self.seeded.pseudo_labels.as_probable_as(least, self.pool))?;
        }
        Ok(Lesson {
            examples,
            distortion: mix.distortion(),
        })
    }

    /// A classifier that has learned what a mix makes of the images. `observe` is told how many steps are done.
    ///
    /// # Errors
    /// As [`Bench::lesson`]; [`StudioError::Classifier`].
    pub fn classifier(
        &self,
        mix: &Mix,
        observe: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<TrainedClassifier, StudioError> {
        let Lesson { examples, distortion } = self.lesson(mix, &mut || observe(0))?;
        let config = ClassifierConfig {
            steps: self.steps,
            batch_size: BATCH,
            seed: self.seed,
            distortion,
            ..ClassifierConfig::default()
        };
        let learned = TrainedClassifier::learn(&examples, self.pool.classes.len(), &config, &mut |done, _| {
            observe(done)
        });
        learned?.ok_or(StudioError::Stopped)
    }

    /// How many of the validation images a classifier judges rightly, as a share.
    ///
    /// # Errors
    /// [`StudioError::Network`], unless it has learned from other images.
    pub fn validation(&self, classifier: &TrainedClassifier) -> Result<f64, StudioError> {
        Ok(classifier.judge(&self.pool.validation)?.share())
    }

    fn generator(&self, check: &mut dyn FnMut() -> ControlFlow<()>) -> Result<&Generator, StudioError> {
        if self.generator.get().is_none() {
            let learned = Generator::learn(
                &self.seeded.material.labelled,
                &self.pool.validation,
                self.pool.classes.len(),
                self.steps * BATCH,
                self.seed,
                check,
            )?;
            let _ = self.generator.set(learned.ok_or(StudioError::Stopped)?);
        }
        Ok(self.generator.get().expect("it was just learned"))
    }
}
