//! The loop: batches, steps, epochs.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Adam, TrainingConfig, TrainingError};
use crate::data::{Batches, Binarization, Dataset, EpochDraw, Protocol, Split, epoch_order};
use crate::evaluation::{Evaluation, EvaluationOptions, check_channels, check_classes, evaluate};
use crate::network::{Inference, NetworkConfig, Vae};
use crate::objective::{Loss, Sums};

/// Steps after which a tenth of the running statistics is what they began with: 0.9²² of it.
const SETTLING_STEPS: usize = 22;

/// A training under way: all that a checkpoint holds.
#[derive(Debug)]
pub struct Training {
    pub(super) config: TrainingConfig,
    pub(super) network: Vae,
    pub(super) optimizer: Adam,
    pub(super) position: Position,
    pub(super) history: Vec<EpochMetrics>,
}

/// Where in an epoch a training stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Batches done in the current epoch.
    pub batches: usize,
    /// Images in them.
    pub images: usize,
    /// Their losses, summed over images.
    pub sum: Loss,
    /// Seconds spent on them.
    pub seconds: f64,
}

/// The images of a run.
#[derive(Clone, Debug)]
pub struct TrainingData {
    /// What the network learns from.
    pub train: Arc<Split>,
    /// What it is judged on.
    pub test: Arc<Split>,
    /// What decides which epoch is the best, where the test images must not.
    pub validation: Option<Arc<Split>>,
    /// Whether the grey values of the images to learn from are probabilities, by which they become black or white anew in
    /// each epoch.
    pub drawn_each_epoch: bool,
}

impl TrainingData {
    /// Images as they are.
    #[must_use]
    pub fn new(train: Arc<Split>, test: Arc<Split>) -> Self {
        Self {
            train,
            test,
            validation: None,
            drawn_each_epoch: false,
        }
    }

    /// The images divided and made black and white, `size` x `size`, as a protocol says.
    ///
    /// # Errors
    /// [`TrainingError::Setting`] when nothing, or everything, would be held out; [`TrainingError::Data`] for images that
    /// cannot be binarized.
    pub fn under(protocol: Protocol, mut dataset: Dataset, size: usize) -> Result<Self, TrainingError> {
        let Protocol { binarize, validation } = protocol;
        let train = dataset.train.images.count();
        let mut validation = match validation {
            None => None,
            Some(count) if (1..train.saturating_sub(1)).contains(&count) => Some(dataset.train.hold_out(count)),
            Some(count) => {
                return Err(TrainingError::Setting {
                    name: "the number of images for validation",
                    value: count.to_string(),
                    allowed: "at least 1, and leave 2 of the images to train on",
                });
            }
        };
        if let Some(binarization) = binarize {
            let first = dataset.train.images.count();
            dataset.test = binarization.test(dataset.test, size)?;
            validation = match validation {
                Some(split) => Some(binarization.train(split, size, first)?),
                None => None,
            };
            match binarization {
                Binarization::Dynamic => binarization.check(&dataset.train.images)?,
                _ => dataset.train = binarization.train(dataset.train, size, 0)?,
            }
        }
        Ok(Self {
            validation: validation.map(Arc::new),
            drawn_each_epoch: binarize == Some(Binarization::Dynamic),
            ..Self::new(Arc::new(dataset.train), Arc::new(dataset.test))
        })
    }

    /// Whether a network can learn from these images.
    ///
    /// # Errors
    /// [`TrainingError::Network`] for images of another kind than the network's, and for those without a class where it is
    /// conditional; [`TrainingError::Setting`] when there are fewer than two to train on.
    pub fn check(&self, network: &NetworkConfig) -> Result<(), TrainingError> {
        for split in [Some(&self.train), Some(&self.test), self.validation.as_ref()]
            .into_iter()
            .flatten()
        {
            check_channels(network, &split.images)?;
            check_classes(network, split.as_ref().into())?;
        }
        let count = self.train.images.count();
        if count < 2 {
            return Err(TrainingError::Setting {
                name: "the number of images to train on",
                value: count.to_string(),
                allowed: "at least 2",
            });
        }
        Ok(())
    }
}

/// One line of `metrics.jsonl`. Losses are in nats per image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Counted from one.
    pub epoch: usize,
    /// What was minimized, averaged over the epoch's steps as they were taken.
    pub train_loss: f64,
    /// Its reconstruction term: the cross-entropy or the negative log-likelihood.
    pub train_reconstruction: f64,
    /// Its KL divergence.
    pub train_kl: f64,
    /// The loss of the test images after the epoch.
    pub test_loss: f64,
    /// Its reconstruction term: the cross-entropy or the negative log-likelihood.
    pub test_reconstruction: f64,
    /// Its KL divergence.
    pub test_kl: f64,
    /// The losses of the validation images after the epoch, where some are held out; the lowest makes the best epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Loss>,
    /// Latent dimensions whose mean KL divergence on the test images is above 0.01 nat.
    pub informative_latents: usize,
    /// Training speed, evaluation not counted; zero where the clock stood still.
    pub images_per_second: f64,
    /// Time of the epoch's training, evaluation not counted.
    pub seconds: f64,
}

impl EpochMetrics {
    /// The loss by which epochs are compared: that of the validation images, or of the test images where none are held
    /// out.
    #[must_use]
    pub fn decisive_loss(&self) -> f64 {
        self.validation.map_or(self.test_loss, |loss| loss.loss)
    }
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// Training: images seen in this epoch, of so many, and their mean loss so far.
    Train {
        /// The epoch, counted from one.
        epoch: usize,
        /// Images seen.
        images: usize,
        /// Images in an epoch.
        of: usize,
        /// Mean loss over them.
        loss: Loss,
    },
    /// Judging: validation and test images seen.
    Test {
        /// Images seen.
        images: usize,
        /// Images in these splits.
        of: usize,
    },
}

/// What an epoch gave.
#[derive(Debug)]
pub struct EpochReport {
    /// The line for `metrics.jsonl`.
    pub metrics: EpochMetrics,
    /// The test images as the network now sees them.
    pub evaluation: Evaluation,
}

/// How a call of [`Training::epoch`] ended.
#[derive(Debug)]
pub enum Outcome {
    /// The epoch is done.
    Finished(Box<EpochReport>),
    /// The caller asked to stop; a checkpoint taken now goes on from here.
    Interrupted,
}

impl Training {
    /// A training that has not begun. The network's device decides where it runs.
    ///
    /// # Errors
    /// [`TrainingError::Setting`] when a setting makes no sense.
    pub fn new(network: Vae, config: TrainingConfig) -> Result<Self, TrainingError> {
        config.validate()?;
        config.check_network(network.config())?;
        Ok(Self {
            optimizer: Adam::new(config.adam).with_quick_weights(config.output.quick_weights(&network)),
            network: network
                .with_likelihood(config.likelihood)
                .with_pseudo_inputs(config.pseudo_inputs, config.seed)
                .train(),
            config,
            position: Position::default(),
            history: Vec::new(),
        })
    }

    /// The network as it is now, without autodiff.
    #[must_use]
    pub fn network(&self) -> Vae {
        self.network.valid()
    }

    /// The same training on another device.
    #[must_use]
    pub fn on(mut self, device: &Device) -> Self {
        if self.network.device() != *device {
            self.network = self.network.on(device);
            self.optimizer = self.optimizer.on(device);
        }
        self
    }

    /// One entry for each finished epoch.
    #[must_use]
    pub fn history(&self) -> &[EpochMetrics] {
        &self.history
    }

    /// Steps of the optimizer taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.optimizer.steps()
    }

    /// The finished epoch with the lowest [decisive loss](EpochMetrics::decisive_loss), the first of equals. The first
    /// epochs, after which images are judged by running statistics that are not yet those of the images, and those of the
    /// warm-up, which went down from something else than what is judged, count only as long as there are no others.
    #[must_use]
    pub fn best(&self) -> Option<&EpochMetrics> {
        let losses = |one: &&EpochMetrics, other: &&EpochMetrics| one.decisive_loss().total_cmp(&other.decisive_loss());
        let settled = self.history.get(self.unsettled()..).unwrap_or_default();
        settled.iter().min_by(losses).or(self.history.iter().min_by(losses))
    }

    /// Whether the decisive loss has not improved for as many epochs as the patience lasts.
    #[must_use]
    pub fn has_stalled(&self) -> bool {
        match (self.config.patience, self.best()) {
            (Some(patience), Some(best)) => {
                self.history.len() > self.unsettled() && best.epoch.saturating_add(patience) <= self.history.len()
            }
            _ => false,
        }
    }

    /// How many epochs end before the running statistics have settled and the warm-up is over.
    fn unsettled(&self) -> usize {
        let epochs = self.history.len().max(1);
        let steps = (self.steps() as usize).saturating_sub(self.position.batches) / epochs;
        let settling = SETTLING_STEPS.div_ceil(steps.max(1)) - 1;
        settling.max(self.config.warm_up)
    }

    /// Whether all epochs are done, or no more are wanted since the test loss has stalled.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.history.len() >= self.config.epochs || self.has_stalled()
    }

    /// Finishes the current epoch and judges the network on the validation images, if there are some, and the test images.
    ///
    /// `observe` is called after every batch; when it breaks, the epoch stops there.
    ///
    /// # Errors
    /// The training is lost with an error: go on from its last checkpoint. As [`TrainingData::check`], before anything is
    /// done; [`TrainingError::Setting`] also when more images were seen in this epoch than it has;
    /// [`TrainingError::NonFinite`] when the loss stops being a number; [`TrainingError::Thread`] when no thread can be had.
    pub fn epoch(
        mut self,
        data: &TrainingData,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(Self, Outcome), TrainingError> {
        data.check(self.network.config())?;
        let count = data.train.images.count();
        if self.position.images > count {
            return Err(TrainingError::Setting {
                name: "the number of images seen in this epoch",
                value: self.position.images.to_string(),
                allowed: "at most those of an epoch",
            });
        }
        let epoch = self.history.len() + 1;
        let order = epoch_order(count, self.config.seed, epoch as u64);
        let batches = Batches::new(
            Arc::clone(&data.train),
            self.network.config().image_size,
            self.config.batch_size,
            order,
            self.position.batches,
            data.drawn_each_epoch.then_some(EpochDraw {
                seed: self.config.seed,
                epoch: epoch as u64,
            }),
        )
        .map_err(|source| TrainingError::Thread { source })?;

        let before = self.position.seconds;
        let start = Instant::now();
        let mut losses = Losses::of(&self);
        for batch in batches {
            let (beta, images) = (self.beta(count), batch.count);
            let sums;
            (self, sums) = self.step(batch, beta);
            self.position.batches += 1;
            self.position.images += images;
            losses.unread.push(sums);
            if losses.are_due() || self.position.images == count {
                self.read(&mut losses)?;
            }
            self.position.seconds = before + start.elapsed().as_secs_f64();
            let progress = Progress::Train {
                epoch,
                images: self.position.images,
                of: count,
                loss: self.position.mean(losses.images),
            };
            if observe(progress).is_break() {
                self.read(&mut losses)?;
                return Ok((self, Outcome::Interrupted));
            }
        }

        let options = EvaluationOptions {
            objective: self.config.objective,
            beta: self.config.beta,
            samples: self.config.samples,
            seed: self.config.seed,
        };
        let network = Inference::new(&self.network);
        let validation_count = data.validation.as_ref().map_or(0, |split| split.images.count());
        let of = validation_count + data.test.images.count();
        let mut validation = None;
        if let Some(split) = &data.validation {
            let judged = evaluate(&network, split.as_ref(), options, &mut |images| {
                observe(Progress::Test { images, of })
            })?;
            let Some(judged) = judged else {
                return Ok((self, Outcome::Interrupted));
            };
            self.check_finite(judged.loss.loss, None)?;
            validation = Some(judged.loss);
        }
        let evaluation = evaluate(&network, data.test.as_ref(), options, &mut |images| {
            let images = validation_count + images;
            observe(Progress::Test { images, of })
        })?;
        let Some(evaluation) = evaluation else {
            return Ok((self, Outcome::Interrupted));
        };
        self.check_finite(evaluation.loss.loss, None)?;
        let metrics = self.metrics(epoch, &evaluation, validation);
        self.history.push(metrics.clone());
        self.position = Position::default();
        Ok((self, Outcome::Finished(Box::new(EpochReport { metrics, evaluation }))))
    }

    /// Adds up losses that have not been read yet, those of the last batches.
    fn read(&mut self, losses: &mut Losses) -> Result<(), TrainingError> {
        let first = self.position.batches - losses.unread.len() + 1;
        for (loss, batch) in losses.read().into_iter().zip(first..) {
            self.check_finite(loss.loss, Some(batch))?;
            self.position.sum.loss += loss.loss;
            self.position.sum.reconstruction += loss.reconstruction;
            self.position.sum.kl += loss.kl;
        }
        losses.images = self.position.images;
        Ok(())
    }

    fn metrics(&self, epoch: usize, evaluation: &Evaluation, validation: Option<Loss>) -> EpochMetrics {
        let train = self.position.mean(self.position.images);
        let test = evaluation.loss;
        EpochMetrics {
            epoch,
            train_loss: train.loss,
            train_reconstruction: train.reconstruction,
            train_kl: train.kl,
            test_loss: test.loss,
            test_reconstruction: test.reconstruction,
            test_kl: test.kl,
            validation,
            informative_latents: evaluation.informative_latents(),
            images_per_second: self.position.images_per_second(),
            seconds: self.position.seconds,
        }
    }

    /// That the loss of a batch is a number, or that of the test images.
    pub(super) fn check_finite(&self, loss: f64, batch: Option<usize>) -> Result<(), TrainingError> {
        if loss.is_finite() {
            return Ok(());
        }
        Err(TrainingError::NonFinite {
            loss,
            epoch: self.history.len() + 1,
            batch,
            learning_rate: self.learning_rate(),
        })
    }
}

/// The losses of batches that wait to be read. Whoever reads a number from a GPU waits until it has done all that it was
/// asked for, and meanwhile asks for nothing: so it is done now and then. On the processor nothing waits.
#[derive(Debug)]
struct Losses {
    unread: Vec<Sums>,
    /// Images of the epoch whose losses are read.
    images: usize,
    /// How long they may wait.
    patience: Duration,
    last: Instant,
}

impl Losses {
    fn of(training: &Training) -> Self {
        Self {
            unread: Vec::new(),
            images: training.position.images,
            patience: match training.network.device() == Device::flex() {
                true => Duration::ZERO,
                false => Duration::from_secs(1),
            },
            last: Instant::now(),
        }
    }

    fn are_due(&self) -> bool {
        self.last.elapsed() >= self.patience
    }

    fn read(&mut self) -> Vec<Loss> {
        let losses = Sums::read(std::mem::take(&mut self.unread));
        self.last = Instant::now();
        losses
    }
}

impl Position {
    fn images_per_second(&self) -> f64 {
        if self.seconds > 0.0 {
            self.images as f64 / self.seconds
        } else {
            0.0
        }
    }

    /// Nats per image of so many whose losses are read.
    fn mean(&self, images: usize) -> Loss {
        let images = images.max(1) as f64;
        Loss {
            loss: self.sum.loss / images,
            reconstruction: self.sum.reconstruction / images,
            kl: self.sum.kl / images,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_still_or_goes_backwards_gives_no_absurd_rate() {
        for (seconds, rate) in [(0.0, 0.0), (-1.0, 0.0), (0.5, 800.0)] {
            let position = Position {
                images: 400,
                seconds,
                ..Position::default()
            };
            assert_eq!(position.images_per_second(), rate);
        }
    }
}
