//! Images as M2 learns from them and is judged by them.

use rand::seq::index::sample;

use super::features::{Features, telling_latents};
use super::{SemiSupervisedError, likeliest, probabilities};
use crate::data::Examples;
use crate::evaluation::Codes;
use crate::network::M2;
use crate::random::Generator;

/// Images as an unsupervised network sees them, few of which have a label that is known.
#[derive(Clone, Debug)]
pub struct SemiSupervisedData {
    pub(super) classes: usize,
    /// The latents that are features.
    pub(super) latents: Vec<usize>,
    pub(super) features: Features,
    /// The images whose class is known, and their classes.
    pub(super) labelled: Vec<(u32, u16)>,
    /// All others.
    pub(super) unlabelled: Vec<u32>,
    validation: Option<Judged>,
    test: Option<Judged>,
}

/// Images that a classifier is judged by.
#[derive(Clone, Debug)]
struct Judged {
    /// `[images, features]`
    features: Vec<f32>,
    labels: Vec<Option<u16>>,
}

impl SemiSupervisedData {
    /// Images that M1 has encoded as `codes`; those of another class than these have no label.
    ///
    /// # Errors
    /// [`SemiSupervisedError::NoLabel`], [`SemiSupervisedError::NothingUnlabelled`] and [`SemiSupervisedError::NoFeatures`].
    pub fn of(codes: &Codes, examples: Examples, classes: usize) -> Result<Self, SemiSupervisedError> {
        let images = examples.images.count();
        let (mut labelled, mut unlabelled) = (Vec::new(), Vec::new());
        for place in (0..=u32::MAX).take(images) {
            match examples
                .label(place as usize)
                .filter(|&class| usize::from(class) < classes)
            {
                Some(class) => labelled.push((place, class)),
                None => unlabelled.push(place),
            }
        }
        let is_known = |class: &usize| labelled.iter().any(|(_, known)| usize::from(*known) == *class);
        if let Some(class) = (0..classes).find(|class| !is_known(class)) {
            return Err(SemiSupervisedError::NoLabel { class });
        }
        if unlabelled.is_empty() {
            return Err(SemiSupervisedError::NothingUnlabelled { images });
        }
        let latents = telling_latents(codes);
        if latents.is_empty() {
            return Err(SemiSupervisedError::NoFeatures);
        }
        Ok(Self {
            classes,
            features: Features::of(codes, &latents),
            latents,
            labelled,
            unlabelled,
            validation: None,
            test: None,
        })
    }

    /// The same with labelled images by which the classifier is judged after each epoch, and which decide nothing.
    #[must_use]
    pub fn with_validation(self, codes: &Codes, labels: &[Option<u16>]) -> Self {
        let validation = Some(self.judged(codes, labels));
        Self { validation, ..self }
    }

    /// The same with others, to test on.
    #[must_use]
    pub fn with_test(self, codes: &Codes, labels: &[Option<u16>]) -> Self {
        let test = Some(self.judged(codes, labels));
        Self { test, ..self }
    }

    fn judged(&self, codes: &Codes, labels: &[Option<u16>]) -> Judged {
        Judged {
            features: Features::of(codes, &self.latents).into_means(),
            labels: labels.to_vec(),
        }
    }

    /// How many images have a label that is known.
    #[must_use]
    pub fn labelled(&self) -> usize {
        self.labelled.len()
    }

    /// How many have none.
    #[must_use]
    pub fn unlabelled(&self) -> usize {
        self.unlabelled.len()
    }

    /// How many latents of the unsupervised network are features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.latents.len()
    }

    /// All labelled images, or as many of them where there are more.
    pub(super) fn some_labelled(&self, most: usize, generator: &mut Generator) -> Vec<(u32, u16)> {
        let count = self.labelled.len();
        if count <= most {
            return self.labelled.clone();
        }
        let chosen = sample(generator, count, most);
        chosen.into_iter().map(|place| self.labelled[place]).collect()
    }

    /// The shares of validation and test images that are classified wrongly, of those that have a label.
    pub(super) fn errors(&self, m2: &M2) -> [Option<f64>; 2] {
        [&self.validation, &self.test].map(|judged| judged.as_ref()?.error(m2))
    }
}

impl Judged {
    fn error(&self, m2: &M2) -> Option<f64> {
        let probabilities = probabilities(m2, &self.features);
        let found = probabilities.chunks_exact(m2.config().classes).map(likeliest);
        let judged = || {
            found
                .clone()
                .zip(&self.labels)
                .filter_map(|(found, label)| Some((found, (*label)?)))
        };
        let wrong = judged().filter(|(found, label)| found != label).count();
        Some(judged().count())
            .filter(|&count| count > 0)
            .map(|count| wrong as f64 / count as f64)
    }
}
