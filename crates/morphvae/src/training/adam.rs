//! Adam with the penalty added to the gradient (Kingma and Ba, 2015), as PyTorch's `Adam(weight_decay=...)`.

use std::collections::HashMap;

use burn::tensor::{Gradients, Tensor, TensorData};
use morphvae_kernels::extension::{self, Stepped};
use serde::{Deserialize, Serialize};

use crate::model::{LOG_SCALE, Vae, to_values};
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

/// How many times longer the steps of a likelihood's scale are. Its logarithm has units to go where a weight has
/// tenths, and until it is there the loss weighs the reconstruction wrongly.
const SCALE_STEPS: f64 = 10.0;

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
        let step = Step {
            config: self.config,
            number: self.steps,
            kernel: extension::runs_on(&network.device()),
        };
        network.map_parameters(Some(&mut gradients), |name, weight, gradient| match gradient {
            None => weight,
            Some(gradient) => {
                // Taken out of the table so that nobody else owns them while they change.
                let averages = self.averages.remove(name).unwrap_or_else(|| Averages {
                    gradient: weight.zeros_like(),
                    square: weight.zeros_like(),
                });
                let step = if name == LOG_SCALE {
                    step.longer(SCALE_STEPS)
                } else {
                    step
                };
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

/// What is the same for all weights in one step.
#[derive(Clone, Copy)]
struct Step {
    config: AdamConfig,
    /// Counted from one.
    number: u64,
    /// Whether one kernel does it all, as on a CPU.
    kernel: bool,
}

impl Step {
    fn longer(mut self, times: f64) -> Self {
        self.config.learning_rate *= times;
        self
    }

    fn apply(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        if self.kernel {
            self.apply_kernel(weight, gradient, averages)
        } else {
            self.apply_plain(weight, gradient, averages)
        }
    }

    /// With Burn's operations: the definition, for every device.
    fn apply_plain(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        let [first, second] = self.config.betas;
        let correction = |base: f64| 1.0 - base.powf(self.number as f64);
        let gradient = gradient + weight.clone().mul_scalar(self.config.weight_decay);
        let square = gradient.clone() * gradient.clone();
        let averages = Averages {
            gradient: averages.gradient.mul_scalar(first) + gradient.mul_scalar(1.0 - first),
            square: averages.square.mul_scalar(second) + square.mul_scalar(1.0 - second),
        };
        let root = averages.square.clone().sqrt().div_scalar(correction(second).sqrt());
        let direction = averages.gradient.clone() / root.add_scalar(self.config.epsilon);
        let rate = self.config.learning_rate / correction(first);
        (weight - direction.mul_scalar(rate), averages)
    }

    /// In one pass over the memory, and in place.
    fn apply_kernel(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        let settings = morphvae_kernels::Adam {
            learning_rate: self.config.learning_rate,
            beta1: self.config.betas[0],
            beta2: self.config.betas[1],
            epsilon: self.config.epsilon,
            weight_decay: self.config.weight_decay,
        };
        // The corrections that need the number have long become one where it no longer fits.
        let number = u32::try_from(self.number).unwrap_or(u32::MAX);
        let moments = [averages.gradient, averages.square];
        let Stepped {
            weight,
            first_moment,
            second_moment,
        } = extension::step_weight(&settings, number, gradient, weight, moments);
        let averages = Averages {
            gradient: first_moment,
            square: second_moment,
        };
        (weight, averages)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_kernel_takes_the_steps_of_the_definition() {
        let device = Device::flex();
        let wave = |offset: f32| Tensor::<1>::from_floats([0.3, -0.1, 1.5, -2.0, 0.0], &device) + offset;
        let averages = || Averages {
            gradient: wave(0.0).zeros_like(),
            square: wave(0.0).zeros_like(),
        };
        let (mut plain, mut kernel) = ((wave(0.0), averages()), (wave(0.0), averages()));
        for number in 1..=5 {
            let step = Step {
                config: AdamConfig {
                    weight_decay: 0.01,
                    ..AdamConfig::default()
                },
                number,
                kernel: true,
            };
            let gradient = wave(number as f32);
            plain = step.apply_plain(plain.0, gradient.clone(), plain.1);
            kernel = step.apply_kernel(kernel.0, gradient, kernel.1);
        }
        for (ours, definition) in to_values(kernel.0).into_iter().zip(to_values(plain.0)) {
            assert!((ours - definition).abs() < 1e-6, "{ours} {definition}");
        }
    }
}
