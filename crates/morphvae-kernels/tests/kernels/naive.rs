//! The blocks once more, in `f64` and straight from their definitions.

use morphvae_kernels::{Activation, Block};

/// A layer and its sizes.
#[derive(Clone, Copy, Debug)]
pub enum Layer {
    Convolution { size: (usize, usize) },
    TransposedConvolution { size: (usize, usize), sigmoid: bool },
    Flattening { size: (usize, usize) },
    Expansion { size: (usize, usize) },
}

#[derive(Clone, Copy, Debug)]
pub struct Problem {
    pub layer: Layer,
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// Everything that goes into a block.
#[derive(Clone, Debug)]
pub struct Values {
    pub input: Vec<f32>,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
    pub output_gradient: Vec<f32>,
}

pub const EPSILON: f32 = 1e-5;

/// A result and the size of the terms it is the sum of: rounding errors are measured against that.
#[derive(Clone, Debug)]
pub struct Sum {
    pub values: Vec<f64>,
    pub magnitude: f64,
}

pub struct Answer {
    pub output: Sum,
    pub mean: Sum,
    pub variance: Sum,
    pub input: Sum,
    pub weight: Sum,
    pub gamma: Sum,
    pub beta: Sum,
}

impl Problem {
    pub fn activation(&self) -> Activation {
        match self.layer {
            Layer::Convolution { .. } => Activation::ReluMaxPool,
            Layer::TransposedConvolution { sigmoid: true, .. } => Activation::Sigmoid,
            _ => Activation::Relu,
        }
    }

    pub fn block(&self) -> Block {
        let Self {
            batch, inputs, outputs, ..
        } = *self;
        match self.layer {
            Layer::Convolution { size } => Block::convolution(batch, size, inputs, outputs),
            Layer::TransposedConvolution { size, .. } => {
                Block::transposed_convolution(batch, size, inputs, outputs, self.activation())
            }
            Layer::Flattening { size } => Block::flattening(batch, size, inputs, outputs),
            Layer::Expansion { size } => Block::expansion(batch, size, inputs, outputs),
        }
    }

    /// Height and width of the layer's output, before pooling.
    fn map_size(&self) -> (usize, usize) {
        match self.layer {
            Layer::Convolution { size } | Layer::Expansion { size } => size,
            Layer::TransposedConvolution {
                size: (height, width), ..
            } => (2 * height, 2 * width),
            Layer::Flattening { .. } => (1, 1),
        }
    }

    /// Calls `visit(input index, weight index, map index)` for each product of the layer's definition.
    fn each_product(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Self {
            batch, inputs, outputs, ..
        } = *self;
        let (map_height, map_width) = self.map_size();
        let (height, width, kernel) = match self.layer {
            Layer::Convolution { size: (h, w) } => (h, w, (3, 3)),
            Layer::TransposedConvolution { size: (h, w), .. } => (h, w, (4, 4)),
            Layer::Flattening { size } => (size.0, size.1, size),
            Layer::Expansion { size } => (1, 1, size),
        };
        for b in 0..batch {
            for (y, x) in (0..height * width).map(|p| (p / width, p % width)) {
                for (u, v) in (0..kernel.0 * kernel.1).map(|t| (t / kernel.1, t % kernel.1)) {
                    let (to_y, to_x) = match self.layer {
                        Layer::Convolution { .. } => ((y + 1).wrapping_sub(u), (x + 1).wrapping_sub(v)),
                        Layer::TransposedConvolution { .. } => {
                            ((2 * y + u).wrapping_sub(1), (2 * x + v).wrapping_sub(1))
                        }
                        Layer::Flattening { .. } => (y.wrapping_sub(u), x.wrapping_sub(v)),
                        Layer::Expansion { .. } => (u, v),
                    };
                    if to_y >= map_height || to_x >= map_width {
                        continue;
                    }
                    for i in 0..inputs {
                        for o in 0..outputs {
                            let filter = match self.layer {
                                Layer::Convolution { .. } | Layer::Flattening { .. } => o * inputs + i,
                                _ => i * outputs + o,
                            };
                            visit(
                                ((b * height + y) * width + x) * inputs + i,
                                filter * kernel.0 * kernel.1 + u * kernel.1 + v,
                                ((b * map_height + to_y) * map_width + to_x) * outputs + o,
                            );
                        }
                    }
                }
            }
        }
    }

    /// Runs forward and backward.
    ///
    /// Where the gradient depends on which side of a kink rounding puts a value, the output gradient is set to zero.
    pub fn solve(&self, values: &mut Values) -> Answer {
        let (map_height, map_width) = self.map_size();
        let rows = self.batch * map_height * map_width;
        let channels = self.outputs;

        let mut map = vec![0.0f64; rows * channels];
        let mut map_terms = map.clone();
        self.each_product(|i, w, m| {
            let product = f64::from(values.input[i]) * f64::from(values.weight[w]);
            map[m] += product;
            map_terms[m] += product.abs();
        });
        let map_magnitude = largest(&map_terms);

        let count = rows as f64;
        let mean: Vec<f64> = (0..channels)
            .map(|c| map.iter().skip(c).step_by(channels).sum::<f64>() / count)
            .collect();
        let variance: Vec<f64> = (0..channels)
            .map(|c| {
                map.iter()
                    .skip(c)
                    .step_by(channels)
                    .map(|y| (y - mean[c]).powi(2))
                    .sum::<f64>()
                    / count
            })
            .collect();
        let inverse: Vec<f64> = variance.iter().map(|v| 1.0 / (v + f64::from(EPSILON)).sqrt()).collect();
        let scale: Vec<f64> = (0..channels).map(|c| f64::from(values.gamma[c]) * inverse[c]).collect();
        let largest_scale = largest(&scale);
        let normalized: Vec<f64> = map
            .iter()
            .enumerate()
            .map(|(i, y)| (y - mean[i % channels]) * scale[i % channels] + f64::from(values.beta[i % channels]))
            .collect();
        let noise = (map_magnitude * largest_scale + 1.0) * 2e-6;

        // Activation, and its gradient spread over the map.
        let mut output = vec![0.0f64; values.output_gradient.len()];
        let mut inner = vec![0.0f64; map.len()];
        let pooled = self.activation() == Activation::ReluMaxPool;
        #[allow(clippy::needless_range_loop)] // three tables are walked with one index
        for index in 0..output.len() {
            let (pixel, c) = (index / channels, index % channels);
            let candidates: Vec<usize> = if pooled {
                let (half_height, half_width) = (map_height / 2, map_width / 2);
                let (b, y, x) = (
                    pixel / (half_height * half_width),
                    pixel / half_width % half_height,
                    pixel % half_width,
                );
                [(0, 0), (0, 1), (1, 0), (1, 1)]
                    .map(|(u, v)| ((b * map_height + 2 * y + u) * map_width + 2 * x + v) * channels + c)
                    .to_vec()
            } else {
                vec![index]
            };
            let best = candidates
                .iter()
                .copied()
                .reduce(|a, b| if normalized[b] > normalized[a] { b } else { a })
                .unwrap();
            let runner_up = candidates
                .iter()
                .filter(|i| **i != best)
                .map(|i| normalized[*i])
                .fold(f64::MIN, f64::max);
            let value = normalized[best];
            if self.activation() == Activation::Sigmoid {
                output[index] = 1.0 / (1.0 + (-value).exp());
                inner[best] = f64::from(values.output_gradient[index]) * output[index] * (1.0 - output[index]);
            } else {
                output[index] = value.max(0.0);
                if value.abs() < noise || (value > 0.0 && value - runner_up < noise) {
                    values.output_gradient[index] = 0.0;
                }
                inner[best] = if value > 0.0 {
                    f64::from(values.output_gradient[index])
                } else {
                    0.0
                };
            }
        }

        // Batch normalization's gradient.
        let mut beta = vec![0.0; channels];
        let mut gamma = vec![0.0; channels];
        let (mut beta_terms, mut gamma_terms) = (beta.clone(), gamma.clone());
        for (i, g) in inner.iter().enumerate() {
            let c = i % channels;
            let standard = (map[i] - mean[c]) * inverse[c];
            beta[c] += g;
            beta_terms[c] += g.abs();
            gamma[c] += g * standard;
            gamma_terms[c] += g.abs() * (map_magnitude * inverse[c] * 0.1 + standard.abs());
        }
        let map_gradient: Vec<f64> = (0..map.len())
            .map(|i| {
                let c = i % channels;
                let standard = (map[i] - mean[c]) * inverse[c];
                scale[c] * (inner[i] - beta[c] / count - standard * gamma[c] / count)
            })
            .collect();
        let map_gradient_terms: Vec<f64> = (0..map.len())
            .map(|i| {
                let c = i % channels;
                let standard = map_magnitude * 0.1 * inverse[c] + 1.0;
                scale[c].abs() * (inner[i].abs() + beta_terms[c] / count + standard * gamma_terms[c] / count)
            })
            .collect();

        let mut input = vec![0.0; values.input.len()];
        let mut weight = vec![0.0; values.weight.len()];
        let (mut input_terms, mut weight_terms) = (input.clone(), weight.clone());
        self.each_product(|i, w, m| {
            let (x, g) = (f64::from(values.input[i]), f64::from(values.weight[w]));
            input[i] += g * map_gradient[m];
            weight[w] += x * map_gradient[m];
            input_terms[i] += g.abs() * map_gradient_terms[m];
            weight_terms[w] += x.abs() * map_gradient_terms[m];
        });

        let biased_mean = mean
            .iter()
            .zip(&values.bias)
            .map(|(mean, bias)| mean + f64::from(*bias))
            .collect();
        let sum = |values: Vec<f64>, magnitude: f64| Sum { values, magnitude };
        Answer {
            output: sum(output, map_magnitude * largest_scale + 1.0),
            mean: sum(biased_mean, map_magnitude + 1.0),
            variance: sum(variance, map_magnitude.powi(2)),
            input: sum(input, largest(&input_terms)),
            weight: sum(weight, largest(&weight_terms)),
            gamma: sum(gamma, largest(&gamma_terms)),
            beta: sum(beta, largest(&beta_terms)),
        }
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}
