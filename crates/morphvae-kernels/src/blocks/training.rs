//! Forward and backward passes with the statistics of the batch.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::maps::{MapGradient, Maps};
use super::{Activation, Algorithm, Block, dense, direct, minimal, stem};
use crate::buffer::{Buffer, result};
use crate::isa::Isa;
use crate::normalization::{
    Affine, Backward, Group, Normalization, activate, activation_sums, moments, normalization_gradient,
};
use crate::tasks::{Tasks, in_pool};
use crate::winograd::{Convolution3x3, F2, F4, Scheme, TransposedConvolution4x4, pack_filters};

/// A block's parameters, in PyTorch's layouts.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    /// The layer's weight; its layout stands at the block's constructor.
    pub weight: &'a [f32],
    /// The layer's bias, `[out channels]`.
    pub bias: &'a [f32],
    /// The batch normalization's scale, `[out channels]`.
    pub gamma: &'a [f32],
    /// The batch normalization's shift, `[out channels]`.
    pub beta: &'a [f32],
    /// Added to the variance before its square root.
    pub epsilon: f32,
}

/// What a forward pass gives.
#[derive(Debug)]
pub struct Forward {
    /// `[batch, output height, output width, out channels]`.
    pub output: Vec<f32>,
    /// Mean of the layer's output over batch, height and width, `[out channels]`.
    pub mean: Vec<f32>,
    /// Its biased variance, `[out channels]`.
    pub variance: Vec<f32>,
    /// What the backward pass needs again.
    pub state: State,
}

/// What a forward pass keeps for the backward pass, besides the input and the parameters.
#[derive(Debug)]
pub struct State {
    block: Block,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Map(Map),
    /// Of a stem, which makes its map again.
    Patches {
        patches: stem::Patches,
        normalization: Normalization,
    },
}

#[derive(Debug)]
struct Map {
    /// The layer's output without its bias, which the normalization takes away.
    map: Buffer,
    normalization: Normalization,
    /// The block's output where the backward pass needs it: with a sigmoid.
    output: Vec<f32>,
}

/// The gradients of a block's input and parameters, in the layouts of those.
#[derive(Debug)]
pub struct Gradients {
    /// `None` where it was not asked for.
    pub input: Option<Vec<f32>>,
    /// Gradient of the weight.
    pub weight: Vec<f32>,
    /// Zeros: the normalization takes away whatever the bias adds.
    pub bias: Vec<f32>,
    /// Gradient of the batch normalization's scale.
    pub gamma: Vec<f32>,
    /// Gradient of the batch normalization's shift.
    pub beta: Vec<f32>,
}

impl Block {
    /// Runs the block with the statistics of this batch.
    ///
    /// # Panics
    /// If a slice has another length than the block says.
    #[must_use]
    pub fn forward(&self, isa: Isa, input: &[f32], parameters: &Parameters<'_>) -> Forward {
        self.check(input, parameters);
        in_pool(|| self.forward_in_pool(isa, input, parameters))
    }

    fn forward_in_pool(&self, isa: Isa, input: &[f32], parameters: &Parameters<'_>) -> Forward {
        if self.is_stem() {
            return self.stem_forward(isa, input, parameters);
        }
        let (map, parts) = self.layer_map(isa, input, parameters.weight, |map| {
            moments(isa, map, self.out_channels)
        });
        let Some(moments) = parts.into_iter().reduce(|joined, part| joined.join(&part)) else {
            unreachable!("a block has at least one group")
        };
        let variance = moments.variance();
        let normalization = normalization(moments.mean(), &variance, parameters);

        let mut output = result(self.output_length());
        let (group, group_output) = (map.len() / self.groups(), output.len() / self.groups());
        output
            .par_chunks_mut(group_output)
            .zip(map.par_chunks(group))
            .for_each_task(|(output, map)| {
                activate(isa, self.activation, self.window(), map, &normalization.affine, output);
            });
        let kept = if self.activation == Activation::Sigmoid {
            output.clone()
        } else {
            Vec::new()
        };
        let map = Map {
            map,
            normalization,
            output: kept,
        };
        self.passed(output, moments.mean(), &variance, parameters, Kept::Map(map))
    }

    fn stem_forward(&self, isa: Isa, input: &[f32], parameters: &Parameters<'_>) -> Forward {
        let patches = stem::Patches::new(isa, self, input);
        let (mean, variance) = patches.moments(self, parameters.weight);
        let normalization = normalization(&mean, &variance, parameters);
        let filters = stem::Filters::new(isa, self, parameters.weight, &normalization.affine);
        let mut output = result(self.output_length());
        stem::forward(isa, self, input, &filters, &mut output);
        let kept = Kept::Patches { patches, normalization };
        self.passed(output, &mean, &variance, parameters, kept)
    }

    /// The layer's map, and what `see` says of each group's while it is still in a cache.
    fn layer_map<T: Send>(
        &self,
        isa: Isa,
        input: &[f32],
        weight: &[f32],
        see: impl Fn(&[f32]) -> T + Sync,
    ) -> (Buffer, Vec<T>) {
        let mut map = Buffer::take([self.batch, self.image_length()]);
        let group = map.len() / self.groups();
        let groups: Vec<_> = map.chunks_mut(group).map(|map| Mutex::new((map, None))).collect();
        self.layer_forward(isa, input, weight, &|index, fill| {
            let mut group = groups[index].lock().unwrap_or_else(PoisonError::into_inner);
            let (map, seen) = &mut *group;
            fill(map);
            *seen = Some(see(map));
        });
        let groups = groups.into_iter();
        let seen = groups.filter_map(|group| group.into_inner().unwrap_or_else(PoisonError::into_inner).1);
        let seen: Vec<_> = seen.collect();
        (map, seen)
    }

    /// The gradients, from the gradient of the output and what the forward pass was given and left.
    ///
    /// `needs_input` asks for the gradient of the input, which costs as much as the forward pass.
    ///
    /// # Panics
    /// If a slice has another length than the block says, or the state is of another block.
    #[must_use]
    pub fn backward(
        &self,
        isa: Isa,
        output_gradient: &[f32],
        input: &[f32],
        parameters: &Parameters<'_>,
        state: &State,
        needs_input: bool,
    ) -> Gradients {
        self.check(input, parameters);
        assert_eq!(
            output_gradient.len(),
            self.output_length(),
            "the output's gradient is as long as the output"
        );
        assert_eq!(state.block, *self, "the state is that of this block's forward pass");
        in_pool(|| self.backward_in_pool(isa, output_gradient, input, parameters, state, needs_input))
    }

    fn backward_in_pool(
        &self,
        isa: Isa,
        output_gradient: &[f32],
        input: &[f32],
        parameters: &Parameters<'_>,
        state: &State,
        needs_input: bool,
    ) -> Gradients {
        match &state.kept {
            Kept::Map(map) => self.backward_through_map(isa, output_gradient, input, parameters, map, needs_input),
            Kept::Patches { patches, normalization } => {
                let mut gradients =
                    stem::backward(isa, self, output_gradient, input, parameters, normalization, patches);
                if needs_input {
                    // Nobody trains images, so this need not be fast.
                    let (map, _) = self.layer_map(isa, input, parameters.weight, |_| ());
                    let map = Map {
                        map,
                        normalization: normalization.clone(),
                        output: Vec::new(),
                    };
                    let through = self.backward_through_map(isa, output_gradient, input, parameters, &map, true);
                    gradients.input = through.input;
                }
                gradients
            }
        }
    }

    fn backward_through_map(
        &self,
        isa: Isa,
        output_gradient: &[f32],
        input: &[f32],
        parameters: &Parameters<'_>,
        Map {
            map,
            normalization,
            output,
        }: &Map,
        needs_input: bool,
    ) -> Gradients {
        let window = self.window();
        let group = map.len() / self.groups();
        let group_output = output_gradient.len() / self.groups();
        let of_group = |index: usize| Group {
            map: &map[index * group..][..group],
            output: if output.is_empty() {
                &[]
            } else {
                &output[index * group_output..][..group_output]
            },
            gradient: &output_gradient[index * group_output..][..group_output],
        };

        let parts: Vec<_> = (0..self.groups())
            .into_par_iter()
            .with_max_len(1)
            .map(|index| activation_sums(isa, self.activation, window, of_group(index), normalization))
            .collect();
        let mut sums = vec![0.0f64; self.out_channels];
        let mut products = vec![0.0f64; self.out_channels];
        for (part_sums, part_products) in parts {
            for c in 0..self.out_channels {
                sums[c] += part_sums[c];
                products[c] += part_products[c];
            }
        }
        let rows = map.len() / self.out_channels;
        let backward = map_backward(normalization, &sums, &products, rows);

        let map_gradient = |index: usize, map_gradient: &mut [f32]| {
            let normalization = (&normalization.affine, &backward);
            normalization_gradient(
                isa,
                self.activation,
                window,
                of_group(index),
                normalization,
                map_gradient,
            );
        };
        let (input, weight) = self.layer_backward(isa, input, parameters.weight, &map_gradient, needs_input);
        #[allow(clippy::cast_possible_truncation, reason = "gradients are f32")]
        let (gamma, beta) = (
            products
                .iter()
                .zip(&normalization.inverse_deviation)
                .map(|(p, d)| (p * f64::from(*d)) as f32)
                .collect(),
            sums.iter().map(|sum| *sum as f32).collect(),
        );
        Gradients {
            input,
            weight,
            bias: vec![0.0; self.out_channels],
            gamma,
            beta,
        }
    }

    fn check(&self, input: &[f32], parameters: &Parameters<'_>) {
        assert_eq!(input.len(), self.input_length(), "the input has the length of {self:?}");
        assert_eq!(
            parameters.weight.len(),
            self.weight_length(),
            "the weight has the length of {self:?}"
        );
        for values in [parameters.bias, parameters.gamma, parameters.beta] {
            assert_eq!(
                values.len(),
                self.out_channels,
                "bias, gamma and beta have one value for each output channel"
            );
        }
    }

    /// What a forward pass gives, with the mean of a map without its bias.
    #[allow(clippy::cast_possible_truncation, reason = "statistics are handed over as f32")]
    fn passed(
        &self,
        output: Vec<f32>,
        mean: &[f64],
        variance: &[f64],
        parameters: &Parameters<'_>,
        kept: Kept,
    ) -> Forward {
        let biased = mean.iter().zip(parameters.bias);
        Forward {
            output,
            mean: biased.map(|(mean, bias)| (mean + f64::from(*bias)) as f32).collect(),
            variance: variance.iter().map(|variance| *variance as f32).collect(),
            state: State { block: *self, kept },
        }
    }

    fn layer_forward(&self, isa: Isa, input: &[f32], weight: &[f32], maps: &Maps<'_>) {
        match self.algorithm() {
            Algorithm::Dense => dense::forward(isa, self, input, weight, maps),
            Algorithm::Direct => {
                let packed = direct::pack_weight(isa, self, weight, 0..self.out_channels);
                direct::forward(isa, self, input, &packed, maps);
            }
            Algorithm::Minimal => self.minimal_forward::<Convolution3x3>(isa, input, weight, maps),
            Algorithm::MinimalTransposed => {
                self.minimal_forward::<TransposedConvolution4x4<F4>>(isa, input, weight, maps);
            }
            Algorithm::MinimalFewTiles => {
                self.minimal_forward::<TransposedConvolution4x4<F2>>(isa, input, weight, maps);
            }
        }
    }

    fn minimal_forward<S: Scheme>(&self, isa: Isa, input: &[f32], weight: &[f32], maps: &Maps<'_>) {
        let filters = pack_filters::<S>(isa, weight, self.filters());
        minimal::forward::<S>(isa, self, input, &filters, maps);
    }

    fn layer_backward(
        &self,
        isa: Isa,
        input: &[f32],
        weight: &[f32],
        map_gradient: &MapGradient<'_>,
        needs_input: bool,
    ) -> (Option<Vec<f32>>, Vec<f32>) {
        let backward = match self.algorithm() {
            Algorithm::Dense => dense::backward,
            Algorithm::Direct => direct::backward,
            Algorithm::Minimal => minimal::backward::<Convolution3x3>,
            Algorithm::MinimalTransposed => minimal::backward::<TransposedConvolution4x4<F4>>,
            Algorithm::MinimalFewTiles => minimal::backward::<TransposedConvolution4x4<F2>>,
        };
        backward(isa, self, input, weight, map_gradient, needs_input)
    }
}

/// Batch normalization of a map with these statistics.
#[allow(clippy::cast_possible_truncation, reason = "applied to f32 maps")]
fn normalization(mean: &[f64], variance: &[f64], parameters: &Parameters<'_>) -> Normalization {
    let inverse: Vec<f64> = variance
        .iter()
        .map(|variance| 1.0 / (variance + f64::from(parameters.epsilon)).sqrt())
        .collect();
    let scale: Vec<f64> = inverse
        .iter()
        .zip(parameters.gamma)
        .map(|(inverse, gamma)| inverse * f64::from(*gamma))
        .collect();
    let shift = (0..mean.len())
        .map(|c| (f64::from(parameters.beta[c]) - scale[c] * mean[c]) as f32)
        .collect();
    Normalization {
        affine: Affine {
            scale: scale.iter().map(|scale| *scale as f32).collect(),
            shift,
        },
        mean: mean.iter().map(|mean| *mean as f32).collect(),
        inverse_deviation: inverse.iter().map(|inverse| *inverse as f32).collect(),
    }
}

/// The part of the map's gradient that goes through the statistics.
///
/// With n rows, sums S of the activation's gradients and P of their products with y - mean:
/// `scale * (g - S / n - (y - mean) * inverse_deviation² * P / n)`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "applied to f32 maps"
)]
fn map_backward(normalization: &Normalization, sums: &[f64], products: &[f64], rows: usize) -> Backward {
    let channels = sums.len();
    let (mut slope, mut constant) = (vec![0.0; channels], vec![0.0; channels]);
    for c in 0..channels {
        let scale = f64::from(normalization.affine.scale[c]) / rows as f64;
        let through_variance = -scale * f64::from(normalization.inverse_deviation[c]).powi(2) * products[c];
        slope[c] = through_variance as f32;
        constant[c] = (-scale * sums[c] - through_variance * f64::from(normalization.mean[c])) as f32;
    }
    Backward { slope, constant }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::buffer::recycle;

    fn parameters<'a>(weight: &'a [f32], channels: &'a [f32]) -> Parameters<'a> {
        Parameters {
            weight,
            bias: channels,
            gamma: channels,
            beta: channels,
            epsilon: 1e-5,
        }
    }

    #[test]
    fn the_state_of_another_block_is_refused() {
        let stems = [Block::convolution(8, (4, 4), 1, 4), Block::convolution(2, (8, 8), 1, 4)];
        let relu = Block::transposed_convolution(2, (2, 2), 3, 1, Activation::Relu);
        let sigmoid = Block::transposed_convolution(2, (2, 2), 3, 1, Activation::Sigmoid);
        for [block, other] in [stems, [sigmoid, relu]] {
            // Everything but the state is as long for the one as for the other.
            let [input, weight, channels, gradient] = [
                block.input_length(),
                block.weight_length(),
                block.out_channels(),
                block.output_length(),
            ]
            .map(|length| vec![0.5; length]);
            let parameters = parameters(&weight, &channels);
            let isa = Isa::detect();
            let of_other = other.forward(isa, &input, &parameters).state;
            let backward = || block.backward(isa, &gradient, &input, &parameters, &of_other, false);
            assert!(catch_unwind(AssertUnwindSafe(backward)).is_err(), "{block:?}");
        }
    }

    #[test]
    fn results_in_used_memory_are_written_whole() {
        let numbers = |length: usize| {
            (0..length)
                .map(|index| ((index * 37) % 101) as f32 / 50.0 - 1.0)
                .collect::<Vec<_>>()
        };
        for block in [
            Block::convolution(8, (16, 16), 16, 17),
            Block::convolution(24, (16, 16), 1, 4),
            Block::transposed_convolution(8, (4, 4), 33, 16, Activation::Relu),
            Block::transposed_convolution(24, (8, 8), 4, 1, Activation::Sigmoid),
            Block::flattening(9, (4, 4), 40, 500),
            Block::expansion(9, (4, 4), 500, 40),
        ] {
            let [input, weight, channels, gradient] = [
                block.input_length(),
                block.weight_length(),
                block.out_channels(),
                block.output_length(),
            ]
            .map(numbers);
            let parameters = parameters(&weight, &channels);
            let run = |isa| {
                let forward = block.forward(isa, &input, &parameters);
                let gradients = block.backward(isa, &gradient, &input, &parameters, &forward.state, true);
                [forward.output, gradients.weight, gradients.input.unwrap_or_default()]
            };
            for isa in Isa::available() {
                let clean = run(isa);
                assert!(clean.iter().flatten().all(|value| value.is_finite()), "{block:?}");
                for result in &clean {
                    recycle(vec![f32::NAN; result.len()]);
                }
                assert_eq!(run(isa), clean, "{block:?} {isa:?}");
            }
        }
    }
}
