//! How a network learns: what of a run's settings decides its steps.

use serde::{Deserialize, Serialize};

use super::{AdamConfig, Output, TrainingError};
use crate::choice::Choice;
use crate::network::{MOST_PSEUDO_INPUTS, NetworkConfig};
use crate::objective::{MOST_SAMPLES, Objective};
use crate::probability::Likelihood;

/// How a network learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Times that every image is seen.
    pub epochs: usize,
    /// Ends the training earlier, once the loss of the validation images, or else of the test images, has not improved for
    /// so many epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Images a step, at least two: batch normalization makes all alike of one.
    pub batch_size: usize,
    /// Which loss is minimized.
    pub objective: Objective,
    /// Samples of each image's posterior, in training and in the test loss: of the importance-weighted bound, or to
    /// average the reconstruction over.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub samples: usize,
    /// Pseudo-inputs that the prior is made of, the VampPrior; 0 for the standard normal distribution. See
    /// [`Vae::with_pseudo_inputs`](crate::network::Vae::with_pseudo_inputs).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pseudo_inputs: usize,
    /// How images are held against what the decoder says.
    #[serde(default)]
    pub likelihood: Likelihood,
    /// How the end of the decoder begins and moves. [`Training::new`](super::Training::new) takes a network as it is; who
    /// makes one calls [`Output::begin`], as [`RunConfig::beginning`](super::RunConfig::beginning) does.
    #[serde(default, skip_serializing_if = "Output::is_standard")]
    pub output: Output,
    /// Weight of the KL divergence; 1 makes the loss the negative evidence lower bound.
    pub beta: f64,
    /// Epochs in which that weight rises from zero, evenly and a little with each step. The test images are judged by the
    /// whole of it from the beginning; see [`Training::best`](super::Training::best).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warm_up: usize,
    /// Nats of each latent dimension's KL divergence, averaged over a batch, below which it is not pulled down any further;
    /// see [`Terms::with_free_bits`](crate::objective::Terms::with_free_bits). The test loss has none of it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub free_bits: f64,
    /// Decides every random number of the run.
    pub seed: u64,
    /// The optimizer.
    pub adam: AdamConfig,
    /// When its learning rate falls, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate_steps: Option<LearningRateSteps>,
}

/// A learning rate that falls in steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRateSteps {
    /// Numbers of epochs, in ascending order: after each of them it falls.
    pub epochs: Vec<usize>,
    /// What it is multiplied by then.
    pub factor: f64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 5,
            patience: None,
            batch_size: 30,
            objective: Objective::Vae,
            samples: 1,
            pseudo_inputs: 0,
            likelihood: Likelihood::CrossEntropy,
            output: Output::Standard,
            beta: 1.0,
            warm_up: 0,
            free_bits: 0.0,
            seed: 0,
            adam: AdamConfig::default(),
            learning_rate_steps: None,
        }
    }
}

/// The samples of a run that does not say.
fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_one(samples: &usize) -> bool {
    *samples == 1
}

/// Whether a number of epochs or pseudo-inputs is what runs of earlier programs had, whose settings do not say.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_zero(epochs: &usize) -> bool {
    *epochs == 0
}

/// The same of a number of nats.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_nothing(nats: &f64) -> bool {
    *nats == 0.0
}

impl TrainingConfig {
    /// The learning rate once so many epochs are done.
    #[must_use]
    pub fn learning_rate(&self, done: usize) -> f64 {
        let falls = self.learning_rate_steps.iter().flat_map(|steps| {
            let passed = steps.epochs.iter().filter(move |&&epoch| epoch <= done);
            passed.map(|_| steps.factor)
        });
        falls.fold(self.adam.learning_rate, |rate, factor| rate * factor)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`TrainingError::Setting`] names the first that makes no sense.
    pub fn validate(&self) -> Result<(), TrainingError> {
        self.check_length()?;
        self.check_loss()?;
        self.check_optimizer()
    }

    /// Checks what may be otherwise with another network.
    pub(super) fn check_network(&self, network: &NetworkConfig) -> Result<(), TrainingError> {
        let plan = network.plan();
        check(
            self.output != Output::PixelMeans || plan.output_bias().is_some(),
            "the decoder's output",
            "pixel-means".to_owned(),
            "standard or fitted where it has no bias for each pixel, as a reference network",
        )?;
        let compares = plan.encoder.iter().any(|stage| stage.batch_norm);
        check(
            self.pseudo_inputs == 0 || !compares,
            PSEUDO_INPUTS,
            self.pseudo_inputs.to_string(),
            "0 for an encoder with batch norms, such as that of a reference network",
        )?;
        check(
            self.pseudo_inputs == 0 || !network.is_conditional(),
            PSEUDO_INPUTS,
            self.pseudo_inputs.to_string(),
            "0 for a conditional network: they have no class",
        )?;
        check(
            self.objective.is_variational() || !network.is_conditional(),
            "the objective",
            self.objective.name().to_owned(),
            "a variational one for a conditional network: without a prior nothing keeps the class out of the latents",
        )
    }

    fn check_length(&self) -> Result<(), TrainingError> {
        check(
            self.epochs > 0,
            "the number of epochs",
            self.epochs.to_string(),
            "at least 1",
        )?;
        check(self.patience != Some(0), "the patience", "0".to_owned(), "at least 1")?;
        check(
            self.batch_size > 1,
            "the batch size",
            self.batch_size.to_string(),
            "at least 2, for batch normalization compares images",
        )?;
        check(
            self.warm_up <= self.epochs,
            "the warm-up",
            format!("{} epoch(s)", self.warm_up),
            "no longer than the training",
        )
    }

    fn check_loss(&self) -> Result<(), TrainingError> {
        check(
            not_negative(self.beta),
            "beta",
            shown(self.beta),
            "finite, and zero or more",
        )?;
        check(
            not_negative(self.free_bits),
            FREE_BITS,
            shown(self.free_bits),
            "finite, and zero or more",
        )?;
        let has_divergence = self.objective.is_variational();
        check(
            has_divergence || self.warm_up == 0,
            "the warm-up",
            format!("{} epoch(s)", self.warm_up),
            "zero for a plain autoencoder, which has no KL divergence",
        )?;
        check(
            self.free_bits == 0.0 || self.objective == Objective::Vae && self.pseudo_inputs == 0,
            FREE_BITS,
            shown(self.free_bits),
            "zero but for a variational autoencoder with a standard normal prior",
        )?;
        check(
            (1..=MOST_SAMPLES).contains(&self.samples),
            SAMPLES,
            self.samples.to_string(),
            "from 1 to 10000",
        )?;
        check(
            has_divergence || self.samples == 1,
            SAMPLES,
            self.samples.to_string(),
            "1 for a plain autoencoder, which draws none",
        )?;
        check(
            self.pseudo_inputs <= MOST_PSEUDO_INPUTS,
            PSEUDO_INPUTS,
            self.pseudo_inputs.to_string(),
            "at most 10000",
        )?;
        check(
            has_divergence || self.pseudo_inputs == 0,
            PSEUDO_INPUTS,
            self.pseudo_inputs.to_string(),
            "0 for a plain autoencoder, which has no prior",
        )
    }

    fn check_optimizer(&self) -> Result<(), TrainingError> {
        let AdamConfig {
            learning_rate,
            betas,
            epsilon,
            epsilon_hat: _,
            first_square,
            weight_decay,
        } = self.adam;
        check(
            positive(learning_rate),
            "the learning rate",
            shown(learning_rate),
            "finite, and above zero",
        )?;
        check(
            not_negative(weight_decay),
            "the weight decay",
            shown(weight_decay),
            "finite, and zero or more",
        )?;
        check(
            positive(epsilon),
            "Adam's epsilon",
            shown(epsilon),
            "finite, and above zero",
        )?;
        for beta in betas {
            check(
                (0.0..1.0).contains(&beta),
                "a beta of Adam",
                shown(beta),
                "from 0 to below 1",
            )?;
        }
        check(
            not_negative(first_square),
            "Adam's first square",
            shown(first_square),
            "finite, and zero or more",
        )?;
        self.learning_rate_steps
            .as_ref()
            .map_or(Ok(()), LearningRateSteps::check)
    }
}

impl LearningRateSteps {
    fn check(&self) -> Result<(), TrainingError> {
        let epochs: Vec<String> = self.epochs.iter().map(ToString::to_string).collect();
        let ascend = self.epochs.windows(2).all(|pair| pair[0] < pair[1]);
        check(
            ascend && self.epochs.first().is_some_and(|&first| first > 0),
            "the list of epochs after which the learning rate falls",
            format!("[{}]", epochs.join(", ")),
            "numbers from 1 in ascending order",
        )?;
        check(
            self.factor > 0.0 && self.factor <= 1.0,
            "the factor by which the learning rate falls",
            shown(self.factor),
            "above 0, and at most 1",
        )
    }
}

/// What messages call the free bits.
const FREE_BITS: &str = "the number of free nats a latent dimension";

/// What they call the pseudo-inputs.
const PSEUDO_INPUTS: &str = "the number of pseudo-inputs";

/// What they call the samples.
const SAMPLES: &str = "the number of samples an image";

fn check(fits: bool, name: &'static str, value: String, allowed: &'static str) -> Result<(), TrainingError> {
    if fits {
        Ok(())
    } else {
        Err(TrainingError::Setting { name, value, allowed })
    }
}

/// Neither three hundred digits nor as many zeros.
fn shown(value: f64) -> String {
    format!("{value:?}")
}

fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn not_negative(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::data::strokes::strokes;
    use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
    use crate::training::{Training, TrainingData};

    fn falling(epochs: &[usize], factor: f64) -> TrainingConfig {
        TrainingConfig {
            epochs: 3,
            learning_rate_steps: Some(LearningRateSteps {
                epochs: epochs.to_vec(),
                factor,
            }),
            ..TrainingConfig::default()
        }
    }

    #[test]
    fn the_schedule_of_the_first_importance_weighted_autoencoders_is_one_of_steps() {
        // 3^i epochs at 10^(-3 - i/7), for i from 0 to 7.
        let config = falling(&[1, 4, 13, 40, 121, 364, 1093], 10_f64.powf(-1.0 / 7.0));
        let mut done = 0;
        for stage in 0..8 {
            for epoch in [done, done + 3_usize.pow(stage) - 1] {
                let truth = 10_f64.powf(-3.0 - f64::from(stage) / 7.0);
                let found = config.learning_rate(epoch);
                assert!((found - truth).abs() < 1e-12, "epoch {epoch}: {found} {truth}");
            }
            done += 3_usize.pow(stage);
        }
        assert_eq!(done, 3280);
    }

    #[test]
    fn a_step_is_taken_at_the_rate_of_its_epoch() {
        let network = NetworkConfig {
            latent: 2,
            architecture: Architecture::Mlp {
                hidden: vec![4],
                activation: HiddenActivation::Tanh,
            },
            ..NetworkConfig::default()
        };
        let digits = strokes(60, 10, 0);
        let data = TrainingData::new(Arc::new(digits.train), Arc::new(digits.test));
        // A rate of so little that no weight moves any more.
        let network = Vae::new(network, 0, &Device::flex()).unwrap();
        let mut training = Training::new(network, falling(&[2], 1e-30)).unwrap();
        let mut states = vec![training.network().state()];
        while !training.is_finished() {
            training = training.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap().0;
            states.push(training.network().state());
        }
        assert!(states[0] != states[1] && states[1] != states[2], "nothing was learned");
        assert!(states[2] == states[3], "the rate has not fallen");
    }

    #[test]
    fn a_schedule_that_is_none_is_refused() {
        for (epochs, factor, said) in [
            (&[2, 2][..], 0.5, "falls is [2, 2], but must be numbers from 1"),
            (&[3, 1], 0.5, "falls is [3, 1]"),
            (&[0, 1], 0.5, "falls is [0, 1]"),
            (&[], 0.5, "falls is []"),
            (&[1], 0.0, "falls is 0.0, but must be above 0, and at most 1"),
            (&[1], f64::NAN, "falls is NaN"),
            (&[1], 1.5, "falls is 1.5"),
        ] {
            let message = falling(epochs, factor).validate().unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
        falling(&[1, 2, 9], 1.0).validate().unwrap();
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        let mut config = falling(&[1, 2], 0.63);
        config.adam.epsilon_hat = true;
        config.adam.first_square = 1.0;
        config.output = Output::PixelMeans;
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<TrainingConfig>(&text).unwrap(), config);
        let usual = toml::to_string(&TrainingConfig::default()).unwrap();
        for setting in ["learning_rate_steps", "epsilon_hat", "first_square", "output"] {
            assert!(!usual.contains(setting), "{usual}");
        }
    }
}
