//! Batch norms once nothing is learned any more: part of the layers before them.

use super::layers::EPSILON;
use super::{Layer, Stage, Vae};
use crate::weights::StateDict;

impl Vae {
    /// The same network with the running statistics, the scale and the shift of every batch norm worked into the weight and
    /// the bias of the layer before it; what is left of the norm changes nothing. Whoever runs the network elsewhere needs
    /// its layers alone.
    #[must_use]
    pub fn folded(&self) -> Self {
        let mut state = self.state();
        for stage in self.config().plan().stages().filter(|stage| stage.batch_norm) {
            fold(stage, &mut state);
        }
        let folded = Self::from_state(self.config().clone(), &state, self.likelihood(), &self.device());
        folded.expect("the names and shapes are the network's own")
    }
}

fn fold(stage: &Stage, state: &mut StateDict) {
    let name = |layer: usize, tensor: &str| format!("{}.{layer}.{tensor}", stage.name);
    let mut replace = |tensor: &str, value: f32| {
        let array = state.get_mut(&name(1, tensor)).expect(NAMED);
        std::mem::replace(&mut array.values, vec![value; stage.width()])
    };
    let (gamma, beta) = (replace("weight", 1.0), replace("bias", 0.0));
    let mean = replace("running_mean", 0.0);
    let variance = replace("running_var", 1.0 - EPSILON as f32);
    let root = |variance: f32| (f64::from(variance) + EPSILON).sqrt() as f32;
    let scale: Vec<f32> = gamma
        .iter()
        .zip(variance)
        .map(|(gamma, variance)| gamma / root(variance))
        .collect();

    let bias = state.get_mut(&name(0, "bias")).expect(NAMED);
    for (channel, value) in bias.values.iter_mut().enumerate() {
        *value = (*value - mean[channel]) * scale[channel] + beta[channel];
    }
    let weight = state.get_mut(&name(0, "weight")).expect(NAMED);
    // How many numbers in a row belong to one output, after which comes the next one.
    let row: usize = match stage.layer {
        Layer::Linear | Layer::Convolution { .. } => weight.shape[1..].iter().product(),
        Layer::TransposedConvolution { kernel, .. } => kernel * kernel,
    };
    for (index, row) in weight.values.chunks_exact_mut(row).enumerate() {
        row.iter_mut().for_each(|value| *value *= scale[index % scale.len()]);
    }
}

/// Why a tensor is there.
const NAMED: &str = "the plan names every tensor";

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};
    use rand::RngExt;

    use super::*;
    use crate::network::{Architecture, Condition, HiddenActivation, NetworkConfig};
    use crate::random::{Purpose, generator};

    fn uniform<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
        let mut generator = generator(seed, Purpose::Noise, 0);
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| generator.random::<f32>()).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    #[test]
    fn a_folded_network_is_the_same_by_its_layers_alone() {
        let mlp = Architecture::Mlp {
            hidden: vec![6],
            activation: HiddenActivation::Tanh,
        };
        for (channels, classes, architecture) in [
            (3, 0, Architecture::Reference { base_channels: 3 }),
            (1, 4, Architecture::Reference { base_channels: 2 }),
            (1, 0, mlp),
        ] {
            let config = NetworkConfig {
                channels,
                classes,
                architecture,
                ..NetworkConfig::default()
            };
            let (device, side) = (Device::flex(), config.image_size);
            let network = Vae::new(config.clone(), 3, &device).unwrap();
            let images = uniform([6, channels, side, side], 1);
            let condition = Condition::of_classes(&[0, 1, 2, 3, 0, 1], &config, &device);
            let statistics = network.train_pass(images.clone(), &condition, None).statistics;
            let network = network.update_running_statistics(statistics);
            let folded = network.folded();
            let difference = |a: Tensor<2>, b: Tensor<2>| -> f32 { (a - b).abs().max().into_scalar() };
            let [ours, truth] = [&folded, &network].map(|network| network.encode(images.clone(), &condition));
            assert!(difference(ours.mean, truth.mean) < 1e-5);
            assert!(difference(ours.log_variance, truth.log_variance) < 1e-5);
            let points = condition.append(uniform([6, config.latent], 2));
            let [ours, truth] = [&folded, &network].map(|network| network.decode(points.clone()).flatten(1, 3));
            assert!(difference(ours, truth) < 1e-5);
            // What is left of a norm is none.
            for (name, array) in folded.state() {
                let is_norm = name.contains(".1.") && !name.ends_with("running_var");
                assert!(
                    !is_norm
                        || array
                            .values
                            .iter()
                            .all(|&value| value == f32::from(u8::from(name.ends_with("weight"))))
                );
            }
        }
    }
}
