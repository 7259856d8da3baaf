//! What labels images that have no label: M1 + M2, a semi-supervised classifier of each seed.
//!
//! M1 needs no label, and serves all seeds. M2 learns from the labelled images of its seed, and from all others without their
//! labels. Both are kept, so that a comparison that goes on does not learn them again.

use std::path::Path;
use std::sync::Arc;

use super::AugmentError;
use super::pool::{Material, Pool};
use crate::data::{Examples, Split};
use crate::evaluation::Codes;
use crate::model::{ClassifierCard, ModelCard};
use crate::semi_supervised::{SemiSupervisedData, SemiSupervisedTraining, likeliest};
use crate::studio::images::note;
use crate::studio::model::encoded;
use crate::studio::run::Run;
use crate::studio::semi_supervised::{check_features, write_classifier};
use crate::studio::{Event, Model, Observer, StudioError};
use crate::training::{FewLabels, HeldRun, RunConfig, RunFolder, TrainingData};

/// M1, and where it puts all images.
#[derive(Debug)]
pub(super) struct Features<'a> {
    m1: &'a Model,
    pool: &'a Pool,
    test: &'a Split,
    /// Those to learn from, to choose by and to judge by.
    codes: [Codes; 3],
}

/// What a seed's M2 says of the images to learn from that have no label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PseudoLabels {
    /// The place of each, its likeliest class, and how probable that is.
    pub labels: Vec<(usize, u16, f32)>,
    /// The shares of the validation and the test images that it judges rightly.
    pub validation: f64,
    pub test: f64,
}

/// The network in the folder at `path`, which learns from the images of the pool first unless it has. No label is seen; the
/// validation images say which epoch was the best.
///
/// # Errors
/// As [`Run::resume`] and [`Run::epoch`]; [`StudioError::Stopped`] when the observer wants no more, to go on from there.
pub(super) fn learned_m1(
    path: &Path,
    config: &RunConfig,
    pool: &Pool,
    observer: &Observer,
) -> Result<Model, StudioError> {
    let data = TrainingData::new(Arc::clone(&pool.train), Arc::clone(&pool.validation));
    let classes = pool.classes.clone();
    let run = match RunFolder::open(path) {
        Ok(_) => {
            let (folder, config) = HeldRun::reopen(path)?;
            Run::resume_with(folder, config, data, classes)?
        }
        Err(_) => Run::begin_with(HeldRun::claim(path, false)?, config.clone(), None, data, classes)?,
    };
    if !run.training().is_finished() {
        note(observer, "M1 learns from all images, without labels")?;
    }
    drop(run.train(observer)?);
    Model::open(path)
}

impl<'a> Features<'a> {
    /// Lets M1 encode all images.
    ///
    /// # Errors
    /// [`StudioError::Network`] for images of another kind than the network's; [`StudioError::Stopped`].
    pub fn of(m1: &'a Model, pool: &'a Pool, test: &'a Split, observer: &Observer) -> Result<Self, StudioError> {
        let splits = [pool.train.as_ref(), pool.validation.as_ref(), test];
        let counts = splits.map(|split| split.images.count());
        let of = counts.iter().sum();
        let encode = |part: usize| {
            let before = counts[..part].iter().sum();
            encoded(m1.inference(), splits[part], [before, of], observer)
        };
        let codes = [encode(0)?, encode(1)?, encode(2)?];
        Ok(Self { m1, pool, test, codes })
    }

    /// What M1 + M2 says with these labels, from the file at `path`, where it is written first if it is not there.
    ///
    /// # Errors
    /// [`StudioError::SemiSupervised`] when nothing can be learned; [`AugmentError::Damaged`] for a file of other labels;
    /// [`StudioError::Training`] when it cannot be written; [`StudioError::Stopped`].
    pub fn pseudo_labels(
        &self,
        path: &Path,
        few: &FewLabels,
        material: &Material,
        observer: &Observer,
    ) -> Result<PseudoLabels, StudioError> {
        if !path.is_file() {
            self.learn(path, few, material, observer)?;
        }
        let model = Model::open(path)?;
        let is_own = |card: &&ClassifierCard| {
            (&card.learning, card.labels_for, card.m2.classes)
                == (&few.learning, few.labels_for, self.pool.classes.len())
                && model.network().fingerprint() == self.m1.network().fingerprint()
        };
        let card = model.card().and_then(|card| card.classifier.as_ref()).filter(is_own);
        let (Some(classifier), Some(card)) = (model.semi_supervised_classifier(), card) else {
            return Err(AugmentError::Damaged {
                path: path.to_owned(),
                reason: "this is no classifier of this comparison".to_owned(),
            }
            .into());
        };
        let right = |error: Option<f64>| 1.0 - error.unwrap_or(1.0);
        let [validation, test] = [card.validation_error, card.test_error].map(right);
        let probabilities = classifier.probabilities_of(&self.codes[0]);
        let rows = probabilities.chunks_exact(card.m2.classes).enumerate();
        let unlabelled = rows.filter(|(place, _)| material.known[*place].is_none());
        let label = |(place, row): (usize, &[f32])| {
            let class = likeliest(row);
            (place, class, row[usize::from(class)])
        };
        Ok(PseudoLabels {
            labels: unlabelled.map(label).collect(),
            validation,
            test,
        })
    }

    fn learn(&self, path: &Path, few: &FewLabels, material: &Material, observer: &Observer) -> Result<(), StudioError> {
        let Pool {
            classes,
            train,
            validation,
        } = self.pool;
        let examples = Examples {
            images: &train.images,
            labels: Some(&material.known),
        };
        let labels = |split: &'_ Split| split.labels.clone().unwrap_or_default();
        // Their labels decide nothing: they say how often it errs.
        let data = SemiSupervisedData::of(&self.codes[0], examples, classes.len())?
            .with_validation(&self.codes[1], &labels(validation))
            .with_test(&self.codes[2], &labels(self.test));
        let mut training = SemiSupervisedTraining::new(self.m1.shared_inference(), &data, few.learning.clone())?;
        let metrics = loop {
            let finished;
            (training, finished) = training.epoch(&data, &mut |progress| observer(Event::SemiSupervised(progress)))?;
            let metrics = finished.ok_or(StudioError::Stopped)?;
            if training.is_finished() {
                break metrics;
            }
        };
        let card = ModelCard {
            classes: classes.clone(),
            ..check_features(self.m1)?.clone()
        };
        write_classifier(&training.classifier(), card, few, &metrics, path)
    }
}

impl PseudoLabels {
    /// The images of a pool that have no label, as far as their classes are this probable, with these classes.
    pub fn as_probable_as(&self, least: f64, pool: &Pool) -> Split {
        let sure = self
            .labels
            .iter()
            .filter(|(.., probability)| f64::from(*probability) >= least);
        let (places, classes): (Vec<usize>, Vec<Option<u16>>) =
            sure.map(|&(place, class, _)| (place, Some(class))).unzip();
        Split {
            labels: Some(classes),
            sources: None,
            ..pool.train.chosen(&places)
        }
    }
}
