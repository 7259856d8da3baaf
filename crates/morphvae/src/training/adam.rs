//! Adam with the penalty added to the gradient (Kingma and Ba, 2015), as PyTorch's `Adam(weight_decay=...)`.

use std::collections::HashMap;

use burn::tensor::{Gradients, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::model::{Vae, to_values};
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
    /// This times the weight is added to its gradient.
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: 1e-5,
        }
    }
}

/// The optimizer: its settings, the number of steps taken, and two running averages for each weight.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    steps: u64,
    averages: HashMap<String, Averages>,
}

/// Running averages of a tensor's gradient and of its square, flat.
#[derive(Debug)]
struct Averages {
    gradient: Tensor<1>,
    square: Tensor<1>,
}

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
            averages: HashMap::new(),
        }
    }

    /// How many steps were taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Takes one step: moves every weight that has a gradient, and leaves the others.
    #[must_use]
    pub fn step(&mut self, network: Vae, mut gradients: Gradients) -> Vae {
        self.steps += 1;
        let step = Step::new(self.config, self.steps);
        network.map_parameters(Some(&mut gradients), |name, weight, gradient| match gradient {
            None => weight,
            Some(gradient) => {
                // Taken out of the table so that nobody else owns them while they change.
                let averages = self.averages.remove(name).unwrap_or_else(|| Averages {
                    gradient: weight.zeros_like(),
                    square: weight.zeros_like(),
                });
                let (weight, averages) = step.apply(weight, gradient, averages);
                self.averages.insert(name.into(), averages);
                weight
            }
        })
    }

    /// Adds the running averages to a checkpoint's tensors.
    pub(super) fn save(&self, state: &mut StateDict) {
        for (name, averages) in &self.averages {
            for (kind, tensor) in [(GRADIENT, &averages.gradient), (SQUARE, &averages.square)] {
                let values = to_values(tensor.clone());
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

    /// Takes the running averages of `network`'s weights out of a checkpoint's tensors; says what is wrong with them.
    pub(super) fn load(config: AdamConfig, steps: u64, network: &Vae, mut state: StateDict) -> Result<Self, String> {
        let device = network.device().without_autodiff();
        let mut averages = HashMap::new();
        for (name, weight) in &network.state() {
            let mut take = |kind: &str| match state.remove(&format!("{kind}{name}")) {
                Some(array) if array.values.len() != weight.values.len() => {
                    Err(format!("{kind}{name} has not as many values as {name}"))
                }
                array => Ok(array.map(|array| {
                    let count = array.values.len();
                    Tensor::<1>::from_data(TensorData::new(array.values, [count]), &device)
                })),
            };
            // Running statistics, and all weights before the first step, have no averages.
            if let (Some(gradient), Some(square)) = (take(GRADIENT)?, take(SQUARE)?) {
                averages.insert(name.to_owned(), Averages { gradient, square });
            }
        }
        Ok(Self {
            config,
            steps,
            averages,
        })
    }
}

/// The numbers that are the same for all weights in one step.
#[derive(Clone, Copy)]
struct Step {
    config: AdamConfig,
    /// The learning rate over the first average's bias correction.
    rate: f64,
    /// One over the root of the second average's bias correction.
    square_scale: f64,
}

impl Step {
    fn new(config: AdamConfig, number: u64) -> Self {
        let [first, second] = config.betas;
        let power = |base: f64| base.powf(number as f64);
        Self {
            config,
            rate: config.learning_rate / (1.0 - power(first)),
            square_scale: 1.0 / (1.0 - power(second)).sqrt(),
        }
    }

    fn apply(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        let [first, second] = self.config.betas;
        let gradient = gradient + weight.clone().mul_scalar(self.config.weight_decay);
        let square = gradient.clone() * gradient.clone();
        let averages = Averages {
            gradient: averages.gradient.mul_scalar(first) + gradient.mul_scalar(1.0 - first),
            square: averages.square.mul_scalar(second) + square.mul_scalar(1.0 - second),
        };
        let root = averages.square.clone().sqrt().mul_scalar(self.square_scale);
        let direction = averages.gradient.clone() / root.add_scalar(self.config.epsilon);
        (weight - direction.mul_scalar(self.rate), averages)
    }
}
