//! The arithmetic of a step for one weight.

use burn::tensor::{Device, Tensor};
use morphvae_kernels::extension::{self, Stepped};

use super::{AdamConfig, Averages};
#[cfg(feature = "wgpu")]
use crate::device::kernels::{self, AdamStep};

/// What takes a step for one weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operations {
    /// Burn's own operations, on any device.
    Plain,
    /// One kernel of the processor.
    Cpu,
    /// One kernel of a GPU.
    #[cfg(feature = "wgpu")]
    Gpu,
}

impl Operations {
    /// The fastest ones for a device.
    pub fn of_device(device: &Device) -> Self {
        #[cfg(feature = "wgpu")]
        if kernels::run_on(device) {
            return Self::Gpu;
        }
        match extension::runs_on(device) {
            true => Self::Cpu,
            false => Self::Plain,
        }
    }
}

/// What is the same for all weights in one step.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub config: AdamConfig,
    /// Counted from one.
    pub number: u64,
    pub operations: Operations,
}

impl Step {
    pub fn new(mut config: AdamConfig, number: u64, operations: Operations) -> Self {
        if config.epsilon_hat {
            // Beside the corrected root it is as many times larger as that is.
            config.epsilon /= (1.0 - config.betas[1].powf(number as f64)).sqrt();
        }
        Self {
            config,
            number,
            operations,
        }
    }

    /// The averages of a weight before its first step.
    pub fn averages_of_new(&self, weight: &Tensor<1>) -> Averages {
        Averages::of_new(weight, self.config.first_square)
    }

    pub fn longer(mut self, times: f64) -> Self {
        self.config.learning_rate *= times;
        self
    }

    pub fn apply(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        match self.operations {
            Operations::Plain => self.apply_plain(weight, gradient, averages),
            Operations::Cpu => self.apply_cpu(weight, gradient, averages),
            #[cfg(feature = "wgpu")]
            Operations::Gpu => self.apply_gpu(weight, gradient, averages),
        }
    }

    /// With Burn's operations: the definition, for every device.
    fn apply_plain(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        let [first, second] = self.config.betas;
        let gradient = gradient + weight.clone().mul_scalar(self.config.weight_decay);
        let square = gradient.clone() * gradient.clone();
        let averages = Averages {
            gradient: averages.gradient.mul_scalar(first) + gradient.mul_scalar(1.0 - first),
            square: averages.square.mul_scalar(second) + square.mul_scalar(1.0 - second),
        };
        let root = averages
            .square
            .clone()
            .sqrt()
            .div_scalar(self.correction(second).sqrt());
        let direction = averages.gradient.clone() / root.add_scalar(self.config.epsilon);
        let rate = self.config.learning_rate / self.correction(first);
        (weight - direction.mul_scalar(rate), averages)
    }

    /// Which part of an average over all time one is that decays so and began at zero.
    fn correction(&self, decay: f64) -> f64 {
        1.0 - decay.powf(self.number as f64)
    }

    #[cfg(feature = "wgpu")]
    fn apply_gpu(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
        let [first, second] = self.config.betas;
        let step = AdamStep {
            rate: self.config.learning_rate / self.correction(first),
            betas: self.config.betas,
            correction: self.correction(second).sqrt(),
            epsilon: self.config.epsilon,
            weight_decay: self.config.weight_decay,
        };
        let averages = [averages.gradient, averages.square];
        let (weight, [gradient, square]) = kernels::step_weight(step, gradient, weight, averages);
        (weight, Averages { gradient, square })
    }

    /// In one pass over the memory, and in place.
    fn apply_cpu(&self, weight: Tensor<1>, gradient: Tensor<1>, averages: Averages) -> (Tensor<1>, Averages) {
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
    use crate::network::to_values;

    #[test]
    fn the_kernel_takes_the_steps_of_the_definition() {
        let device = Device::flex();
        let wave = |offset: f32| Tensor::<1>::from_floats([0.3, -0.1, 1.5, -2.0, 0.0], &device) + offset;
        let start = || (wave(0.0), Averages::of_new(&wave(0.0), 0.0));
        let (mut plain, mut kernel) = (start(), start());
        for number in 1..=5 {
            let config = AdamConfig {
                weight_decay: 0.01,
                ..AdamConfig::default()
            };
            let step = Step::new(config, number, Operations::Cpu);
            let gradient = wave(number as f32);
            plain = step.apply_plain(plain.0, gradient.clone(), plain.1);
            kernel = step.apply_cpu(kernel.0, gradient, kernel.1);
        }
        for (ours, definition) in to_values(kernel.0).into_iter().zip(to_values(plain.0)) {
            assert!((ours - definition).abs() < 1e-6, "{ours} {definition}");
        }
    }

    #[test]
    fn the_first_importance_weighted_autoencoder_took_these_steps() {
        // As the published code writes them, in 64 bits: α √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + ε), where v begins at 1.
        let config = AdamConfig {
            betas: [0.99, 0.999],
            epsilon: 1e-4,
            epsilon_hat: true,
            first_square: 1.0,
            weight_decay: 0.0,
            ..AdamConfig::default()
        };
        let device = Device::flex();
        for operations in [Operations::Plain, Operations::Cpu] {
            let start = Tensor::<1>::from_floats([0.3], &device);
            let (mut truth, mut mean, mut square) = (f64::from(0.3_f32), 0.0, 1.0);
            let mut averages = Step::new(config, 1, operations).averages_of_new(&start);
            let mut weight = start;
            for number in 1..=20 {
                let step = Step::new(config, number, operations);
                let gradient = 3.0 * (number as f32).sin();
                (weight, averages) = step.apply(weight, Tensor::from_floats([gradient], &device), averages);
                let (gradient, time) = (f64::from(gradient), number as i32);
                mean = 0.99 * mean + 0.01 * gradient;
                square = 0.999 * square + 0.001 * gradient * gradient;
                let rate = 1e-3 * (1.0 - 0.999_f64.powi(time)).sqrt() / (1.0 - 0.99_f64.powi(time));
                truth -= rate * mean / (square.sqrt() + 1e-4);
            }
            let moved = f64::from(to_values(weight)[0]);
            assert!((moved - 0.3).abs() > 1e-4, "{operations:?}: {moved}");
            assert!((moved - truth).abs() < 1e-6, "{operations:?}: {moved} {truth}");
        }
    }

    #[test]
    fn epsilon_weighs_more_in_the_first_steps_where_the_root_is_not_corrected() {
        let hat = |number| {
            let config = AdamConfig {
                epsilon_hat: true,
                ..AdamConfig::default()
            };
            Step::new(config, number, Operations::Cpu).config.epsilon
        };
        assert!((hat(1) - 1e-8 / 0.001_f64.sqrt()).abs() < 1e-15);
        assert!((hat(1_000_000) - 1e-8).abs() < 1e-15);
    }
}
