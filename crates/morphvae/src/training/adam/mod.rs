//! Adam with the penalty added to the gradient (Kingma and Ba, 2015), as PyTorch's `Adam(weight_decay=...)`.
//!
//! The work of a step is moving memory, where that of a pass through the network is arithmetic. So a step is not done at
//! once, but beside the next pass: by other threads, or when the pass needs a weight before they have come to it.

mod step;
mod update;

use std::collections::HashMap;
use std::sync::Arc;

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use step::{Operations, Step};
use update::Update;

use crate::network::{LOG_SCALE, Vae, Values, to_values};
use crate::weights::{Array, StateDict};

/// What decides an Adam step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdamConfig {
    /// Step length.
    pub learning_rate: f64,
    /// Decay of the two running averages.
    pub betas: [f64; 2],
    /// Added to the root of the second average.
    pub epsilon: f64,
    /// Whether it is added to the root of that average as it is, and not of what it becomes by the correction for its
    /// beginning at zero: the order of computation that the paper's section 2 ends with, where it is called ε̂. In the
    /// first steps it then weighs more.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub epsilon_hat: bool,
    /// What the average of the squares begins with: in the paper zero. One that is above makes the first steps short.
    #[serde(default, skip_serializing_if = "is_from_zero")]
    pub first_square: f64,
    /// This times the weight is added to its gradient.
    pub weight_decay: f64,
}

/// Whether epsilon is where runs of earlier programs had it, whose settings do not say.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_usual(epsilon_hat: &bool) -> bool {
    !*epsilon_hat
}

/// Whether the squares begin where those runs had them.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_from_zero(first_square: &f64) -> bool {
    *first_square == 0.0
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            epsilon_hat: false,
            first_square: 0.0,
            weight_decay: 1e-5,
        }
    }
}

/// The optimizer: its settings, the number of steps taken, and two running averages for each weight.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    steps: u64,
    /// What the names of weights begin with that move as fast as a likelihood's scale, if any do.
    quick_weights: Option<String>,
    /// What the last step makes of each weight, by its name.
    updates: HashMap<String, Arc<Update>>,
    /// Those that no thread was given yet, in the order in which the network needs them.
    due: Vec<Arc<Update>>,
}

/// Running averages of a tensor's gradient and of its square, flat.
#[derive(Clone, Debug)]
struct Averages {
    gradient: Tensor<1>,
    square: Tensor<1>,
}

impl Averages {
    /// Those of a weight before its first step.
    fn of_new(weight: &Tensor<1>, first_square: f64) -> Self {
        Self {
            gradient: weight.zeros_like(),
            square: weight.full_like(first_square),
        }
    }
}

/// How many times longer the steps of a likelihood's scale are, and of other weights that are one number for all
/// pixels. Such a one has units to go where a weight has tenths, and until it is there all others learn to make up for it:
/// with a scale's logarithm too high or low, the loss weighs the reconstruction wrongly.
const LONGER: f64 = 10.0;

/// Where the averages stand in a checkpoint: PyTorch's names for them, before the weight's.
const GRADIENT: &str = "exp_avg.";
const SQUARE: &str = "exp_avg_sq.";

impl Adam {
    /// An optimizer that has taken no step.
    #[must_use]
    pub fn new(config: AdamConfig) -> Self {
        Self {
            config,
            steps: 0,
            quick_weights: None,
            updates: HashMap::new(),
            due: Vec::new(),
        }
    }

    /// The same, with longer steps for the weights whose names begin so.
    pub(super) fn with_quick_weights(mut self, names: Option<String>) -> Self {
        self.quick_weights = names;
        self
    }

    /// The same where its network has gone.
    pub(super) fn on(mut self, device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        for update in self.updates.values_mut() {
            let Averages { gradient, square } = update.averages();
            let [gradient, square] = [gradient, square].map(|average| Tensor::from_data(average.into_data(), &device));
            *update = Arc::new(Update::restored(Averages { gradient, square }));
        }
        self.due.clear();
        self
    }

    /// How many steps were taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step: moves every weight that has a gradient, and leaves the others. The gradients of
    /// several backward passes add up. `learning_rate` is that of this step.
    #[must_use]
    pub fn step(&mut self, network: Vae, mut gradients: Vec<Gradients>, learning_rate: f64) -> Vae {
        self.steps += 1;
        let config = AdamConfig {
            learning_rate,
            ..self.config
        };
        let step = Step::new(config, self.steps, Operations::of_device(&network.device()));
        self.due.clear();
        let quick_weights = self.quick_weights.as_deref();
        network.map_parameters(&mut gradients, |name, weight, gradient| {
            let Some(gradient) = gradient else {
                return Values::Now(weight);
            };
            let is_quick = name == LOG_SCALE || quick_weights.is_some_and(|names| name.starts_with(names));
            let step = if is_quick { step.longer(LONGER) } else { step };
            let last = self.updates.remove(name);
            let update = Arc::new(Update::new(move || {
                let averages = last.map_or_else(|| step.averages_of_new(&weight), |last| last.take_averages());
                step.apply(weight, gradient, averages)
            }));
            self.updates.insert(name.into(), Arc::clone(&update));
            self.due.push(Arc::clone(&update));
            Values::Later(Box::new(move || update.take_weight()))
        })
    }

    /// Gives the work of the last step to the threads of rayon's pool, to be done beside what comes next.
    pub(super) fn hand_out(&mut self) {
        for update in self.due.drain(..) {
            rayon::spawn(move || update.finish());
        }
    }

    /// Adds the running averages to a checkpoint's tensors.
    pub(super) fn save(&self, state: &mut StateDict) {
        for (name, update) in &self.updates {
            let averages = update.averages();
            for (kind, tensor) in [(GRADIENT, averages.gradient), (SQUARE, averages.square)] {
                let values = to_values(tensor);
                state.insert(
                    format!("{kind}{name}"),
                    Array {
                        shape: vec![values.len()],
                        values,
                    },
                );
            }
        }
    }

    /// Whether a checkpoint's tensor of this name is a running average.
    pub(super) fn is_average(name: &str) -> bool {
        name.starts_with(GRADIENT) || name.starts_with(SQUARE)
    }

    /// The optimizer after so many steps, with the running averages of `network`'s weights; says what is wrong with them.
    pub(super) fn load(config: AdamConfig, steps: u64, network: &Vae, mut averages: StateDict) -> Result<Self, String> {
        if i64::try_from(steps).is_err() {
            return Err(format!("too many steps: {steps}"));
        }
        let device = network.device().without_autodiff();
        let mut updates = HashMap::new();
        for (name, weight) in &network.state() {
            let mut take = |kind: &str| match averages.remove(&format!("{kind}{name}")) {
                Some(array) if array.values.len() != weight.values.len() => {
                    Err(format!("{kind}{name} has not as many values as {name}"))
                }
                array => Ok(array.map(|array| {
                    let count = array.values.len();
                    Tensor::<1>::from_data(TensorData::new(array.values, [count]), &device)
                })),
            };
            match (take(GRADIENT)?, take(SQUARE)?) {
                (Some(gradient), Some(square)) => {
                    let update = Update::restored(Averages { gradient, square });
                    updates.insert(name.to_owned(), Arc::new(update));
                }
                (None, None) if steps == 0 || may_lack_averages(name) => {}
                _ => return Err(format!("{name} does not have both of its running averages")),
            }
        }
        if let Some(name) = averages.keys().next() {
            return Err(format!("{name} is the average of no weight"));
        }
        Ok(Self {
            config,
            steps,
            quick_weights: None,
            updates,
            due: Vec::new(),
        })
    }
}

/// Whether a network's tensor may never have had a gradient: it is a running statistic, or in the layer for the log
/// variance, which a plain autoencoder does not train.
fn may_lack_averages(name: &str) -> bool {
    name.ends_with(".running_mean") || name.ends_with(".running_var") || name.starts_with("var.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, NetworkConfig};
    use crate::training::step::Told;
    use crate::training::{Training, TrainingConfig};

    /// The weights and averages after some steps, whose work other threads do or none.
    fn train(hand_out: bool) -> StateDict {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 2 },
            ..NetworkConfig::default()
        };
        let network = Vae::new(config, 7, &Device::flex()).unwrap();
        let mut training = Training::new(network, TrainingConfig::default()).unwrap();
        let device = training.network.device();
        let pixels = |step: usize| (0..4 * 1024).map(move |i| ((i * i + step) % 97) as f32 / 96.0);
        for step in 0..4 {
            if hand_out {
                training.optimizer.hand_out();
            }
            let images = TensorData::new(pixels(step).collect(), [4, 1, 32, 32]);
            let noise = Tensor::ones([4, 2], &device);
            (training, _) = training.learn(Told::images(Tensor::from_data(images, &device)), Some(noise), 1.0);
        }
        let mut state = training.network.state();
        training.optimizer.save(&mut state);
        state
    }

    #[test]
    fn a_step_is_the_same_whoever_does_it() {
        let expected = train(false);
        assert!(expected.contains_key("exp_avg.conv1.0.weight"));
        for _ in 0..20 {
            assert!(train(true) == expected);
        }
    }
}
