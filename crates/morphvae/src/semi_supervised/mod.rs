//! A classifier that learns from all images and the labels of few (Kingma, Rezende, Mohamed and Welling, "Semi-supervised
//! learning with deep generative models", 2014): M1 + M2.
//!
//! M1 is an unsupervised variational autoencoder, which needs no label. Its latents, those by which images differ, are the
//! features of another model, [`M2`], whose decoder is told a class beside latents of its own: an image without a
//! label is explained by all classes, each as far as the classifier of M2 takes it for the image's. That classifier is what
//! is wanted. Features are drawn from M1's posterior anew in each step, so that M2 never sees the same image twice.
//!
//! [`SemiSupervisedClassifier::learn`] does all of it; a [`SemiSupervisedTraining`] does it epoch by epoch, and can be kept.

mod checkpoint;
mod data;
mod features;
mod learning;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::module::Module;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::{Examples, Images};
use crate::evaluation::{Codes, decode, encode};
use crate::network::{Inference, M2, M2Config, NetworkError};
use crate::weights::WeightsError;
pub use data::SemiSupervisedData;
use features::Features;
pub use learning::{SemiSupervisedMetrics, SemiSupervisedProgress, SemiSupervisedTraining};

/// Images that are classified at a time.
const BATCH: usize = 1000;

/// How M2 learns. The defaults were found with 10 labels of each class of MNIST, on images held out of its training part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SemiSupervisedConfig {
    /// Dimensions of M2's own latents.
    pub latent: usize,
    /// Units of each hidden layer of its classifier, its encoder and its decoder.
    pub hidden: Vec<usize>,
    /// The paper's α: the cross-entropy of the labelled images of a step, averaged over them, weighs this times the number
    /// of all images (equation 9).
    pub classification_weight: f64,
    /// Times that each image without a label is seen.
    pub epochs: usize,
    /// Images without a label in a step. Beside them are all labelled ones, or as many of them, drawn anew, where there are
    /// more.
    pub batch_size: usize,
    /// Step length of Adam.
    pub learning_rate: f64,
    /// Decides everything by chance.
    pub seed: u64,
}

impl Default for SemiSupervisedConfig {
    fn default() -> Self {
        Self {
            latent: 10,
            hidden: vec![200],
            classification_weight: 0.1,
            epochs: 150,
            batch_size: 400,
            learning_rate: 3e-3,
            seed: 0,
        }
    }
}

/// Why nothing can be learned from few labels.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SemiSupervisedError {
    /// A setting that makes no sense.
    #[error("{name} is {value}, but must be {allowed}")]
    Setting {
        /// What.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A class of which no image is known.
    #[error("none of these images is known to be of class {class} (from 0): give labels of each class")]
    NoLabel {
        /// The class.
        class: usize,
    },
    /// Images that all have a label.
    #[error("all of these {images} images have a label: there is nothing to be learned from others")]
    NothingUnlabelled {
        /// How many images there are.
        images: usize,
    },
    /// An unsupervised network that says the same of all images.
    #[error("no latent of this network tells images apart, so that it has no features: its posterior has collapsed")]
    NoFeatures,
    /// A network that is told the class: its latents are to say nothing of it.
    #[error(
        "the latents of a conditional network leave out the class: features are those of one that is not conditional"
    )]
    Conditional,
    /// A network without posteriors to draw features from.
    #[error("features are drawn from posteriors, and a plain autoencoder has none: use a variational one")]
    Plain,
    /// A loss that is no number.
    #[error("the loss is no longer a number in epoch {epoch}, at a learning rate of {learning_rate:e}")]
    NonFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The learning rate that led there.
        learning_rate: f64,
    },
    /// A checkpoint that does not hold what it must.
    #[error("{name}: no checkpoint of a semi-supervised training: {reason}")]
    Checkpoint {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A network that cannot be, or images that it does not take.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A checkpoint that cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

impl SemiSupervisedConfig {
    /// Checks every number that is not the network's own.
    ///
    /// # Errors
    /// [`SemiSupervisedError::Setting`] names the first that makes no sense.
    pub fn validate(&self) -> Result<(), SemiSupervisedError> {
        let check = |fits: bool, name, value: String, allowed| match fits {
            true => Ok(()),
            false => Err(SemiSupervisedError::Setting { name, value, allowed }),
        };
        let (weight, rate) = (self.classification_weight, self.learning_rate);
        check(
            self.epochs > 0,
            "the number of epochs",
            self.epochs.to_string(),
            "at least 1",
        )?;
        check(
            self.batch_size > 0,
            "the batch size",
            self.batch_size.to_string(),
            "at least 1",
        )?;
        check(
            weight > 0.0 && weight.is_finite(),
            "the weight of the classification",
            format!("{weight:?}"),
            "finite, and above zero",
        )?;
        check(
            rate > 0.0 && rate.is_finite(),
            "the learning rate",
            format!("{rate:?}"),
            "finite, and above zero",
        )
    }
}

/// M1 and M2 at work: the probability of each class for an image.
#[derive(Clone, Debug)]
pub struct SemiSupervisedClassifier {
    m1: Arc<Inference>,
    m2: M2,
}

impl SemiSupervisedClassifier {
    /// Of both networks.
    ///
    /// # Errors
    /// [`NetworkError::NotThisNetwork`] where M2 has features that M1 has no latent for, or M1 is conditional.
    pub fn new(m1: Arc<Inference>, m2: &M2) -> Result<Self, NetworkError> {
        let latent = m1.config().latent;
        let reason = match m2.config().features.last() {
            _ if m1.config().is_conditional() => "M2 stands on a network that is not conditional".to_owned(),
            Some(&last) if last >= latent => format!("M2 takes latent {last} (from 0), and there are {latent}"),
            _ => return Ok(Self { m1, m2: m2.valid() }),
        };
        Err(NetworkError::NotThisNetwork { reason })
    }

    /// Learns to tell `classes` apart from all images and the labels of some, with the features of the unsupervised network
    /// `m1`. The same images, settings and seed give the same classifier, whatever the number of threads. `observe` is told
    /// after each step how many images were learned from, of how many in all epochs; nothing is returned when it breaks.
    ///
    /// # Errors
    /// [`SemiSupervisedError`] for settings, images or a network that nothing can be learned with.
    pub fn learn(
        m1: Arc<Inference>,
        examples: Examples,
        classes: usize,
        config: &SemiSupervisedConfig,
        observe: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Option<Self>, SemiSupervisedError> {
        let codes = encode(&m1, examples.images)?;
        let data = SemiSupervisedData::of(&codes, examples, classes)?;
        let mut training = SemiSupervisedTraining::new(m1, &data, config.clone())?;
        while !training.is_finished() {
            let done = training.history().len();
            let finished;
            (training, finished) = training.epoch(&data, &mut |progress| {
                observe(done * progress.of + progress.images, config.epochs * progress.of)
            })?;
            if finished.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(training.classifier()))
    }

    /// The unsupervised network that gives the features.
    #[must_use]
    pub fn m1(&self) -> &Inference {
        &self.m1
    }

    /// The network that knows the classes.
    #[must_use]
    pub fn m2(&self) -> &M2 {
        &self.m2
    }

    /// The probability of each class for each image, of any size: `[images, classes]`.
    ///
    /// # Errors
    /// [`NetworkError::Channels`] for images of another kind than the network's.
    pub fn probabilities(&self, images: &Images) -> Result<Vec<f32>, NetworkError> {
        Ok(self.probabilities_of(&encode(&self.m1, images)?))
    }

    /// The same for images that the unsupervised network has encoded.
    #[must_use]
    pub fn probabilities_of(&self, codes: &Codes) -> Vec<f32> {
        let features = Features::of(codes, &self.m2.config().features).into_means();
        probabilities(&self.m2, &features)
    }

    /// The images that both decoders make of latents of M2, `[images, latent]`, and classes. Those latents of M1 that are no
    /// features are zero, as they nearly are for every image.
    #[must_use]
    pub fn draw(&self, latents: Vec<f32>, classes: &[u16]) -> Images {
        let M2Config { features, .. } = self.m2.config();
        let drawn = self.m2.decode(latents, classes);
        let latent = self.m1.config().latent;
        let mut points = vec![0.0; classes.len() * latent];
        for (point, drawn) in points.chunks_exact_mut(latent).zip(drawn.chunks_exact(features.len())) {
            for (&place, &value) in features.iter().zip(drawn) {
                point[place] = value;
            }
        }
        decode(self.m1.as_ref(), &points).expect("these are whole points")
    }

    /// The likeliest class of each image, the first of equal ones.
    ///
    /// # Errors
    /// As [`SemiSupervisedClassifier::probabilities`].
    pub fn classify(&self, images: &Images) -> Result<Vec<u16>, NetworkError> {
        let classes = self.m2.config().classes;
        let probabilities = self.probabilities(images)?;
        Ok(probabilities.chunks_exact(classes).map(likeliest).collect())
    }
}

/// What a classifier says of features, `[images, features]`.
fn probabilities(m2: &M2, features: &[f32]) -> Vec<f32> {
    let batches = features.chunks(BATCH * m2.config().features.len());
    batches.flat_map(|batch| m2.probabilities(batch.to_vec())).collect()
}

/// The place of the largest probability, the first of equal ones.
#[must_use]
pub fn likeliest(probabilities: &[f32]) -> u16 {
    let places = probabilities.iter().enumerate().rev();
    let best = places.max_by(|(_, one), (_, other)| one.total_cmp(other));
    best.map_or(0, |(place, _)| place as u16)
}
