//! The loop: batches, steps, epochs of M2.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use morphvae_kernels::awake;
use serde::{Deserialize, Serialize};

use super::{SemiSupervisedClassifier, SemiSupervisedConfig, SemiSupervisedData, SemiSupervisedError};
use crate::classification::Adam;
use crate::data::epoch_order;
use crate::network::{Inference, M2, M2Batch, M2Config, M2Terms};
use crate::random::{Purpose, generator, noise_of};

/// The training of an [`M2`] on the features of an unsupervised network: all that a checkpoint holds.
#[derive(Debug)]
pub struct SemiSupervisedTraining {
    pub(super) config: SemiSupervisedConfig,
    pub(super) m1: Arc<Inference>,
    pub(super) m2: M2,
    pub(super) adam: Adam,
    pub(super) position: Position,
    pub(super) history: Vec<SemiSupervisedMetrics>,
}

/// Where in an epoch a training stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    batches: usize,
    /// Images without a label in them.
    images: usize,
    /// Labelled ones, of which each is there in every batch.
    labelled: usize,
    sum: Sums,
    seconds: f64,
}

/// Losses summed over images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sums {
    labelled: f64,
    unlabelled: f64,
    cross_entropy: f64,
}

/// One line of `metrics.jsonl`. Losses are in nats per image, averaged over the epoch's steps as they were taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SemiSupervisedMetrics {
    /// Counted from one.
    pub epoch: usize,
    /// The negative bound of log p(features, class) of the labelled images.
    pub labelled_loss: f64,
    /// The negative bound of log p(features) of the others.
    pub unlabelled_loss: f64,
    /// The classifier's cross-entropy of the labelled images.
    pub cross_entropy: f64,
    /// The share of the validation images that is classified wrongly, where some are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_error: Option<f64>,
    /// The share of the test images that is classified wrongly, where they have labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_error: Option<f64>,
    /// Images without a label learned from in a second; zero where the clock stood still.
    pub images_per_second: f64,
    /// Time of the epoch.
    pub seconds: f64,
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug)]
pub struct SemiSupervisedProgress {
    /// The epoch, counted from one.
    pub epoch: usize,
    /// Images without a label seen in it.
    pub images: usize,
    /// Images in an epoch.
    pub of: usize,
    /// The mean negative bound of these so far, in nats per image.
    pub loss: f64,
}

impl SemiSupervisedTraining {
    /// A training that has not begun, on the features that the data were made of.
    ///
    /// # Errors
    /// [`SemiSupervisedError::Setting`], [`SemiSupervisedError::Conditional`] and [`SemiSupervisedError::Network`].
    pub fn new(
        m1: Arc<Inference>,
        data: &SemiSupervisedData,
        config: SemiSupervisedConfig,
    ) -> Result<Self, SemiSupervisedError> {
        config.validate()?;
        if m1.config().is_conditional() {
            return Err(SemiSupervisedError::Conditional);
        }
        let network = M2Config {
            features: data.latents.clone(),
            classes: data.classes,
            latent: config.latent,
            hidden: config.hidden.clone(),
        };
        let m2 = M2::new(network, config.seed, &m1.network().device())?.train();
        Ok(Self {
            adam: adam(data),
            m2,
            config,
            m1,
            position: Position::default(),
            history: Vec::new(),
        })
    }

    /// One entry for each finished epoch.
    #[must_use]
    pub fn history(&self) -> &[SemiSupervisedMetrics] {
        &self.history
    }

    /// How it learns.
    #[must_use]
    pub fn config(&self) -> &SemiSupervisedConfig {
        &self.config
    }

    /// Whether all epochs are done.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.history.len() >= self.config.epochs
    }

    /// The classifier as it is now.
    ///
    /// # Panics
    /// Never: M2 was made for the latents of M1.
    #[must_use]
    pub fn classifier(&self) -> SemiSupervisedClassifier {
        SemiSupervisedClassifier::new(Arc::clone(&self.m1), &self.m2).expect("M2 was made for M1")
    }

    /// Finishes the current epoch and judges the classifier by the images that the data have for that. `observe` is called
    /// after every batch; when it breaks, the epoch stops there, and a checkpoint taken then goes on from there.
    ///
    /// # Errors
    /// [`SemiSupervisedError::NonFinite`] when the loss stops being a number: go on from the last checkpoint.
    pub fn epoch(
        mut self,
        data: &SemiSupervisedData,
        observe: &mut dyn FnMut(SemiSupervisedProgress) -> ControlFlow<()>,
    ) -> Result<(Self, Option<SemiSupervisedMetrics>), SemiSupervisedError> {
        let (epoch, of) = (self.history.len() + 1, data.unlabelled());
        let order = epoch_order(of, self.config.seed, epoch as u64);
        let before = self.position.seconds;
        let start = Instant::now();
        for chosen in order.chunks(self.config.batch_size).skip(self.position.batches) {
            let unlabelled: Vec<u32> = chosen.iter().map(|&place| data.unlabelled[place as usize]).collect();
            self = awake(|| self.step(data, &unlabelled))?;
            self.position.seconds = before + start.elapsed().as_secs_f64();
            let images = self.position.images;
            let progress = SemiSupervisedProgress {
                epoch,
                images,
                of,
                loss: self.position.sum.unlabelled / images as f64,
            };
            if observe(progress).is_break() {
                return Ok((self, None));
            }
        }
        let [validation_error, test_error] = data.errors(&self.m2.valid());
        let metrics = self.position.metrics(epoch, validation_error, test_error);
        self.history.push(metrics.clone());
        self.position = Position::default();
        Ok((self, Some(metrics)))
    }

    /// One step of the optimizer: these images without a label, and labelled ones.
    fn step(mut self, data: &SemiSupervisedData, unlabelled: &[u32]) -> Result<Self, SemiSupervisedError> {
        let batch = self.batch(data, unlabelled);
        let labelled = batch.classes.len();
        let terms = self.m2.train_pass(&batch).sum();
        let number = |term: &Tensor<1>| f64::from(term.clone().into_scalar::<f32>());
        let sum = Sums {
            labelled: number(&terms.labelled),
            unlabelled: number(&terms.unlabelled),
            cross_entropy: number(&terms.cross_entropy),
        };
        if ![sum.labelled, sum.unlabelled, sum.cross_entropy]
            .iter()
            .all(|sum| sum.is_finite())
        {
            return Err(SemiSupervisedError::NonFinite {
                epoch: self.history.len() + 1,
                learning_rate: self.config.learning_rate,
            });
        }
        let images = data.labelled() + data.unlabelled();
        let weight = self.config.classification_weight * images as f64 / labelled as f64;
        let loss = terms.labelled + terms.unlabelled + terms.cross_entropy.mul_scalar(weight);
        let loss = loss.div_scalar((labelled + unlabelled.len()) as f64);
        self.m2 = self.adam.step(self.m2, loss.backward(), self.config.learning_rate);
        self.position.add(sum, labelled, unlabelled.len());
        Ok(self)
    }

    /// What the next step is shown.
    fn batch(&self, data: &SemiSupervisedData, unlabelled: &[u32]) -> M2Batch {
        let mut generator = generator(self.config.seed, Purpose::SemiSupervisedStep, self.adam.steps() as u64);
        let labelled = data.some_labelled(self.config.batch_size, &mut generator);
        let places: Vec<u32> = labelled
            .iter()
            .map(|(place, _)| *place)
            .chain(unlabelled.iter().copied())
            .collect();
        let deviates = noise_of(&mut generator, places.len() * data.latents.len());
        M2Batch {
            features: data.features.draw(&places, &deviates),
            classes: labelled.iter().map(|(_, class)| *class).collect(),
            noise: noise_of(&mut generator, places.len() * self.config.latent),
        }
    }
}

/// The optimizer of a training that has not begun. Weights have a standard normal prior, of which each image of a step
/// bears its share (equation 8 and what follows on it).
pub(super) fn adam(data: &SemiSupervisedData) -> Adam {
    Adam::default().with_weight_decay(1.0 / (data.labelled() + data.unlabelled()) as f64)
}

impl M2Terms {
    /// Each summed over the batch.
    fn sum(self) -> Self {
        Self {
            labelled: self.labelled.sum(),
            unlabelled: self.unlabelled.sum(),
            cross_entropy: self.cross_entropy.sum(),
        }
    }
}

impl Position {
    fn add(&mut self, sum: Sums, labelled: usize, unlabelled: usize) {
        self.batches += 1;
        self.labelled += labelled;
        self.images += unlabelled;
        self.sum.labelled += sum.labelled;
        self.sum.unlabelled += sum.unlabelled;
        self.sum.cross_entropy += sum.cross_entropy;
    }

    fn metrics(&self, epoch: usize, validation_error: Option<f64>, test_error: Option<f64>) -> SemiSupervisedMetrics {
        let [labelled, unlabelled] = [self.labelled, self.images].map(|images| images.max(1) as f64);
        SemiSupervisedMetrics {
            epoch,
            labelled_loss: self.sum.labelled / labelled,
            unlabelled_loss: self.sum.unlabelled / unlabelled,
            cross_entropy: self.sum.cross_entropy / labelled,
            validation_error,
            test_error,
            images_per_second: if self.seconds > 0.0 {
                unlabelled / self.seconds
            } else {
                0.0
            },
            seconds: self.seconds,
        }
    }
}
