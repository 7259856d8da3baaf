//! Adam for a classifier (Kingma and Ba, 2015), by its definition.

use std::collections::HashMap;

use burn::module::{ModuleMapper, Param, ParamId};
use burn::tensor::{Gradients, Tensor};

use crate::network::Classifier;

/// Decays of the running averages, and what is added to the root of the second.
const DECAYS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Running averages of each weight's gradient and of its square, and how many steps were taken.
#[derive(Debug, Default)]
pub(super) struct Adam {
    steps: i32,
    averages: HashMap<ParamId, [Tensor<1>; 2]>,
}

impl Adam {
    /// Moves every weight that has a gradient.
    pub fn step(&mut self, network: Classifier, mut gradients: Gradients, learning_rate: f64) -> Classifier {
        self.steps += 1;
        network.changed(&mut Step {
            adam: self,
            gradients: &mut gradients,
            learning_rate,
        })
    }
}

struct Step<'a> {
    adam: &'a mut Adam,
    gradients: &'a mut Gradients,
    learning_rate: f64,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, weight, mapper) = param.consume();
        let Some(gradient) = weight.grad_remove(self.gradients) else {
            return Param::from_mapped_value(id, weight, mapper);
        };
        let shape = weight.shape();
        let gradient: Tensor<1> = gradient.reshape([-1]);
        let zeros = || [gradient.zeros_like(), gradient.zeros_like()];
        let [first, second] = self.adam.averages.remove(&id).unwrap_or_else(zeros);
        let [decay, square_decay] = DECAYS;
        let first = first.mul_scalar(decay) + gradient.clone().mul_scalar(1.0 - decay);
        let second = second.mul_scalar(square_decay) + (gradient.clone() * gradient).mul_scalar(1.0 - square_decay);
        // Averages that begin with zero are too small at first.
        let [missing, square_missing] = DECAYS.map(|decay| 1.0 - decay.powi(self.adam.steps));
        let root = second.clone().div_scalar(square_missing).sqrt().add_scalar(EPSILON);
        let step = first.clone().mul_scalar(self.learning_rate / missing) / root;
        self.adam.averages.insert(id, [first, second]);
        let moved = weight.inner() - step.reshape(shape);
        Param::from_mapped_value(id, moved.autodiff().set_require_grad(true), mapper)
    }
}
