//! Adam for classifiers (Kingma and Ba, 2015), by its definition.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::network::to_values;

/// Decays of the running averages, and what is added to the root of the second.
const DECAYS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Running averages of each weight's gradient and of its square, and how many steps were taken.
#[derive(Debug, Default)]
pub(crate) struct Adam {
    steps: i32,
    averages: HashMap<ParamId, [Tensor<1>; 2]>,
    weight_decay: f64,
}

impl Adam {
    /// One that adds so many times the weight to its gradient.
    pub fn with_weight_decay(self, weight_decay: f64) -> Self {
        Self { weight_decay, ..self }
    }

    /// How many steps were taken.
    pub fn steps(&self) -> i32 {
        self.steps
    }

    /// Moves every weight that has a gradient.
    pub fn step<M: Module>(&mut self, network: M, mut gradients: Gradients, learning_rate: f64) -> M {
        self.steps += 1;
        network.map(&mut Step {
            adam: self,
            gradients: &mut gradients,
            learning_rate,
        })
    }

    /// The running averages of each of a network's weights, in the order in which it meets them; zeros before the first
    /// step.
    pub fn averages(&self, network: &impl Module) -> Vec<[Vec<f32>; 2]> {
        let mut kept = Kept {
            adam: self,
            averages: Vec::new(),
        };
        network.visit(&mut kept);
        kept.averages
    }

    /// The same optimizer for a network of the same weights, after so many steps.
    ///
    /// # Panics
    /// When there are averages for fewer weights than the network has.
    pub fn with_averages(mut self, steps: i32, averages: Vec<[Vec<f32>; 2]>, network: &impl Module) -> Self {
        self.steps = steps;
        network.visit(&mut Taken {
            adam: &mut self,
            averages: averages.into_iter(),
        });
        self
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
        let weight = weight.inner();
        let gradient = match self.adam.weight_decay {
            0.0 => gradient,
            decay => gradient + weight.clone().mul_scalar(decay),
        };
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
        let moved = weight - step.reshape(shape);
        Param::from_mapped_value(id, moved.autodiff().set_require_grad(true), mapper)
    }
}

/// Collects the averages of each weight.
struct Kept<'a> {
    adam: &'a Adam,
    averages: Vec<[Vec<f32>; 2]>,
}

impl ModuleVisitor for Kept<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let averages = self.adam.averages.get(&param.id).cloned();
        let zeros = || [(); 2].map(|()| vec![0.0; param.lazy_shape().iter().product()]);
        self.averages
            .push(averages.map_or_else(zeros, |averages| averages.map(to_values)));
    }
}

/// Gives each weight its averages.
struct Taken<'a> {
    adam: &'a mut Adam,
    averages: std::vec::IntoIter<[Vec<f32>; 2]>,
}

impl ModuleVisitor for Taken<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let device = param.lazy_device().without_autodiff();
        let averages = self.averages.next().expect("every weight has averages");
        let averages = averages.map(|values| {
            let shape = [values.len()];
            Tensor::from_data(TensorData::new(values, shape), &device)
        });
        self.adam.averages.insert(param.id, averages);
    }
}
