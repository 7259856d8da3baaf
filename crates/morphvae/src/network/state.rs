//! Weights in and out under the names that PyTorch gives them, which the plan knows.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::{LOG_SCALE, MOST_PSEUDO_INPUTS, NetworkConfig, NetworkError, PSEUDO_INPUTS, Vae};
use crate::probability::Likelihood;
use crate::weights::{Array, StateDict, match_names};

impl Vae {
    /// The weights and running statistics, named and shaped as PyTorch's for this network.
    #[must_use]
    pub fn state(&self) -> StateDict {
        state_of(self, self.names())
    }

    /// A network with the given weights. The likelihood says whether the scale `likelihood.log_scale` is among them; if
    /// `prior.pseudo_inputs` are, they are its prior.
    ///
    /// # Errors
    /// [`NetworkError::Configuration`] when `config` asks for the impossible; [`NetworkError::Weights`] lists every tensor that
    /// is missing, superfluous or misshapen; [`NetworkError::NotThisNetwork`] for a prior of too many.
    pub fn from_state(
        config: NetworkConfig,
        state: &StateDict,
        likelihood: Likelihood,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        // Takes no memory for weights yet, which the file may not hold.
        let pseudo_inputs = state.get(PSEUDO_INPUTS).and_then(|array| array.shape.first());
        let pseudo_inputs = pseudo_inputs.copied().unwrap_or(0);
        if pseudo_inputs > MOST_PSEUDO_INPUTS {
            let reason = format!("{PSEUDO_INPUTS} are {pseudo_inputs} images, and {MOST_PSEUDO_INPUTS} at most can be");
            return Err(NetworkError::NotThisNetwork { reason });
        }
        if pseudo_inputs > 0 && config.is_conditional() {
            let reason = format!("{PSEUDO_INPUTS} have no class, and it is conditional");
            return Err(NetworkError::NotThisNetwork { reason });
        }
        let network = Self::blank(config, device)?
            .with_likelihood(likelihood)
            .with_blank_pseudo_inputs(pseudo_inputs);
        match_names(&network.names_and_shapes(), state)?;
        let names = network.names();
        Ok(filled(network, names, state))
    }

    /// SHA-256 of all weights in hexadecimal: what belongs to one model, such as a direction of its latent space, is
    /// told by it from what belongs to another.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for (name, array) in &self.state() {
            digest.update(name);
            for value in &array.values {
                digest.update(value.to_le_bytes());
            }
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Every tensor's name and shape, in the order of the network, none of which is made for this.
    fn names_and_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let mut names = Vec::new();
        self.visit(&mut Visitor {
            names: self.names(),
            show: |name, shape, _: &dyn Fn() -> Tensor<1>| names.push((name, shape)),
        });
        names
    }

    /// The names of all tensors in the order in which a module meets its parameters.
    fn names(&self) -> std::vec::IntoIter<String> {
        let mut names: Vec<String> = self.config().plan().tensors().map(|(name, _)| name).collect();
        if self.likelihood().first_log_scale().is_some() {
            names.push(LOG_SCALE.to_owned());
        }
        names.push(PSEUDO_INPUTS.to_owned());
        names.into_iter()
    }

    /// Replaces every tensor by what `change` makes of its name, its values and, where any of `gradients` has one, its gradient.
    /// All of them come flat and without autodiff, and are owned by nobody else, so that they can be changed in place.
    pub(crate) fn map_parameters<F>(self, gradients: &mut [Gradients], change: F) -> Self
    where
        F: FnMut(&str, Tensor<1>, Option<Tensor<1>>) -> Values,
    {
        let names = self.names();
        self.map(&mut Mapper {
            names,
            gradients,
            change,
        })
    }
}

/// Every tensor of a module whose parameters have these names, in the order in which it meets them.
pub(super) fn state_of(module: &impl Module, names: std::vec::IntoIter<String>) -> StateDict {
    let mut state = StateDict::new();
    module.visit(&mut Visitor {
        names,
        show: |name, shape, values: &dyn Fn() -> Tensor<1>| {
            let values = to_values(values());
            state.insert(name, Array { shape, values });
        },
    });
    state
}

/// The same module with what a state has of those tensors, whose shapes must be right.
pub(super) fn filled<M: Module>(module: M, names: std::vec::IntoIter<String>, state: &StateDict) -> M {
    let change = |name: &str, old: Tensor<1>, _| {
        Values::Now(match state.get(name) {
            Some(array) => Tensor::from_data(
                TensorData::new(array.values.clone(), [array.values.len()]),
                &old.device(),
            ),
            None => old,
        })
    };
    module.map(&mut Mapper {
        names,
        gradients: &mut [],
        change,
    })
}

/// Why a parameter's name is known.
const NAMED: &str = "the plan names every tensor";

/// What a parameter becomes: flat and without autodiff.
#[allow(clippy::large_enum_variant, reason = "it is taken apart as soon as it is made")]
pub(crate) enum Values {
    /// These.
    Now(Tensor<1>),
    /// What this gives, which is asked once the parameter is needed.
    Later(Box<dyn FnOnce() -> Tensor<1> + Send + Sync>),
}

/// The numbers of a flat tensor, wherever it lives.
pub(crate) fn to_values(tensor: Tensor<1>) -> Vec<f32> {
    tensor
        .into_data()
        .try_into_vec()
        .expect("the network computes in 32-bit floats")
}

/// Shows every tensor's name and shape to a closure, and its flat values if it asks for them.
struct Visitor<F> {
    names: std::vec::IntoIter<String>,
    show: F,
}

impl<F: FnMut(String, Vec<usize>, &dyn Fn() -> Tensor<1>)> ModuleVisitor for Visitor<F> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = || param.val().inner().reshape([-1]);
        let name = self.names.next().expect(NAMED);
        (self.show)(name, param.lazy_shape().to_vec(), &values);
    }
}

struct Mapper<'a, F> {
    names: std::vec::IntoIter<String>,
    gradients: &'a mut [Gradients],
    change: F,
}

impl<F> ModuleMapper for Mapper<'_, F>
where
    F: FnMut(&str, Tensor<1>, Option<Tensor<1>>) -> Values,
{
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let (shape, device) = (tensor.dims(), tensor.device());
        let (trained, autodiff) = (tensor.is_require_grad(), tensor.is_autodiff());
        let gradients = self.gradients.iter_mut();
        let gradient = gradients
            .filter_map(|gradients| tensor.grad_remove(gradients))
            .reduce(|sum, gradient| sum + gradient);
        let name = self.names.next().expect(NAMED);
        let values = (self.change)(
            &name,
            tensor.inner().reshape([-1]),
            gradient.map(|gradient| gradient.reshape([-1])),
        );
        let finish = move |values: Tensor<1>| {
            let tensor = values.reshape(shape);
            match autodiff {
                true => tensor.autodiff().set_require_grad(trained),
                false => tensor,
            }
        };
        match values {
            Values::Now(values) => Param::from_mapped_value(id, finish(values), mapper),
            Values::Later(values) => {
                Param::uninitialized(id, move |_, _| finish(values()), device, trained, shape.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layers::LayerWeights;
    use crate::network::{Architecture, HiddenActivation};

    #[test]
    fn a_state_makes_the_network_that_it_was_taken_from() {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 3 },
            latent: 5,
            classes: 0,
            channels: 3,
            image_size: 64,
        };
        let state = Vae::new(config.clone(), 7, &Device::flex()).unwrap().state();
        let copy = Vae::from_state(config.clone(), &state, Likelihood::CrossEntropy, &Device::flex()).unwrap();
        assert_eq!(copy.config(), &config);
        assert_eq!(copy.state(), state);
    }

    #[test]
    fn a_learned_scale_is_one_tensor_more() {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 2 },
            ..NetworkConfig::default()
        };
        let device = Device::flex();
        let network = Vae::new(config.clone(), 7, &device).unwrap();
        let plain = network.state();
        assert_eq!(
            network.clone().with_likelihood(Likelihood::ContinuousBernoulli).state(),
            plain
        );
        let state = network.with_likelihood(Likelihood::Gaussian).state();
        assert_eq!(state.len(), plain.len() + 1);
        assert_eq!(state[LOG_SCALE].shape, [1]);
        let copy = Vae::from_state(config.clone(), &state, Likelihood::Gaussian, &device).unwrap();
        assert_eq!(copy.state(), state);
        for (state, likelihood) in [
            (&state, Likelihood::CrossEntropy),
            (&plain, Likelihood::DiscretizedLogistic),
        ] {
            let message = Vae::from_state(config.clone(), state, likelihood, &device)
                .unwrap_err()
                .to_string();
            assert!(message.contains(LOG_SCALE), "{message}");
        }
    }

    #[test]
    fn pseudo_inputs_are_one_tensor_more_by_which_a_prior_is_known() {
        let config = NetworkConfig {
            image_size: 5,
            channels: 3,
            latent: 2,
            classes: 0,
            architecture: Architecture::Mlp {
                hidden: vec![4],
                activation: HiddenActivation::Tanh,
            },
        };
        let device = Device::flex();
        let plain = Vae::new(config.clone(), 7, &device).unwrap();
        for likelihood in [Likelihood::CrossEntropy, Likelihood::Gaussian] {
            let network = plain.clone().with_likelihood(likelihood).with_pseudo_inputs(6, 1);
            let state = network.state();
            assert_eq!(state[PSEUDO_INPUTS].shape, [6, 3, 5, 5]);
            let copy = Vae::from_state(config.clone(), &state, likelihood, &device).unwrap();
            assert_eq!((copy.state(), copy.pseudo_inputs()), (state.clone(), 6));
            // Those that are there stay.
            assert_eq!(network.clone().with_pseudo_inputs(6, 2).state(), state);
            let without = network
                .with_pseudo_inputs(0, 0)
                .with_likelihood(Likelihood::CrossEntropy);
            assert_eq!(without.state(), plain.state());
        }
        let refused = |shape: &[usize]| {
            let mut state = plain.state();
            let values = vec![0.0; shape.iter().product()];
            let shape = shape.to_vec();
            state.insert(PSEUDO_INPUTS.into(), Array { shape, values });
            Vae::from_state(config.clone(), &state, Likelihood::CrossEntropy, &device)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[10_001, 0]).contains("10001 images, and 10000 at most"));
        for shape in [&[][..], &[0, 3, 5, 5], &[2, 75], &[2, 3, 5, 4]] {
            assert!(refused(shape).contains(PSEUDO_INPUTS), "{shape:?}");
        }
    }

    #[test]
    fn nothing_is_made_on_a_files_word() {
        let network = Vae::blank(NetworkConfig::default(), &Device::flex()).unwrap();
        let names = network.names_and_shapes();
        assert_eq!(
            names,
            Vae::new(network.config().clone(), 0, &Device::flex())
                .unwrap()
                .names_and_shapes()
        );
        let LayerWeights::Linear(layer) = &network.mean.layer else {
            panic!("means are linear in the features");
        };
        assert!(!layer.weight.is_initialized());
    }

    #[test]
    fn weights_of_another_network_are_refused_by_name() {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 2 },
            ..NetworkConfig::default()
        };
        let mut state = Vae::new(config.clone(), 7, &Device::flex()).unwrap().state();
        let array = state.remove("conv4.1.bias").unwrap();
        state.insert("conv9.1.bias".into(), array);
        let message = Vae::from_state(config.clone(), &state, Likelihood::CrossEntropy, &Device::flex())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("conv4.1.bias") && message.contains("conv9.1.bias"),
            "{message}"
        );

        state.remove("conv2.0.weight").unwrap();
        let message = Vae::from_state(config.clone(), &state, Likelihood::CrossEntropy, &Device::flex())
            .unwrap_err()
            .to_string();
        assert!(message.contains("conv2.0.weight"), "{message}");
    }
}
