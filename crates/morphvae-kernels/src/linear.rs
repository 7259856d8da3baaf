//! Linear layers without a batch normalization: products with a weight, a bias and a nonlinearity, all in one.

mod nonlinearity;
mod packed;

use rayon::prelude::*;

pub use nonlinearity::Nonlinearity;
pub use packed::PackedLinear;

use crate::blocks::dense::{outer_products, times_matrix};
use crate::buffer::{Buffer, length, result};
use crate::disjoint::Disjoint;
use crate::isa::Isa;
use crate::matrix::{Left, Right, multiply, multiply_by_rows, pack_transposed, runs_of_panels};
use crate::tasks::{Tasks, for_each_task, in_pool};

/// Columns of the output that a task computes, about.
const COLUMNS: usize = 64;
/// Rows of the output that are computed at once: their products stay in the first cache.
const ROWS: usize = 96;
/// Rows from which transposing the weight costs less than sums over lanes.
const MANY: usize = 12;
/// Columns whose gradients a task carries through the nonlinearity, and rows summed in `f32` before the sum goes on in
/// `f64`.
const SLOPE_COLUMNS: usize = 128;
const SLOPE_ROWS: usize = 64;

/// `nonlinearity(weight · x + bias)` of each row of a batch.
///
/// ```
/// use morphvae_kernels::{Isa, Linear, Nonlinearity};
///
/// let layer = Linear::new(3, 2, Nonlinearity::Relu);
/// let (weight, bias) = ([1.0, 0.0, 2.0, -1.0, 0.0, 0.0], [0.5, 0.0]);
/// let input = [1.0, 2.0, 3.0];
/// let output = layer.forward(Isa::detect(), &input, &weight, &bias);
/// assert_eq!(output, [7.5, 0.0]);
/// let gradients = layer.backward(Isa::detect(), &[1.0, 1.0], &input, &weight, &output, true);
/// assert_eq!(gradients.weight, [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    nonlinearity: Nonlinearity,
}

/// The gradients of a linear layer's input and parameters, in the layouts of those.
#[derive(Debug)]
pub struct LinearGradients {
    /// `[batch, in]`; `None` where it was not asked for.
    pub input: Option<Vec<f32>>,
    /// `[out, in]`
    pub weight: Vec<f32>,
    /// `[out]`
    pub bias: Vec<f32>,
}

impl Linear {
    /// A layer of so many inputs and outputs.
    ///
    /// # Panics
    /// If either is zero, or the weight would be too large for any memory.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize, nonlinearity: Nonlinearity) -> Self {
        assert!(inputs > 0 && outputs > 0, "a layer has an input and an output");
        assert!(
            length([inputs, outputs]).is_some(),
            "a weight of {outputs} x {inputs} fits into memory"
        );
        Self {
            inputs,
            outputs,
            nonlinearity,
        }
    }

    /// Values that go in, of each row.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values that come out, of each row.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Runs the layer: `input` is `[batch, in]`, `weight` `[out, in]`, `bias` `[out]`, and the result `[batch, out]`.
    ///
    /// # Panics
    /// If a slice has another length than that, or the result would be too large for any memory.
    #[must_use]
    pub fn forward(&self, isa: Isa, input: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let batch = self.check(input, weight);
        assert_eq!(bias.len(), self.outputs, "there is one bias for each output");
        let Some(length) = length([batch, self.outputs]) else {
            panic!("an output of {batch} x {} fits into memory", self.outputs)
        };
        in_pool(|| {
            let mut output = result(length);
            self.run(isa, input, weight, bias, &mut output);
            output
        })
    }

    fn run(&self, isa: Isa, input: &[f32], weight: &[f32], bias: &[f32], output: &mut [f32]) {
        let Self { inputs, outputs, .. } = *self;
        let batch = output.len() / outputs;
        let runs: Vec<_> = runs_of_panels(isa, outputs, COLUMNS).collect();
        let output = Disjoint::new(output);
        for_each_task(runs.len(), |run| {
            let range = runs[run].clone();
            let width = range.len();
            let weight = &weight[range.start * inputs..range.end * inputs];
            let packed = (batch >= MANY).then(|| pack_transposed(isa, weight, inputs));
            for first in (0..batch).step_by(ROWS) {
                let rows = (batch - first).min(ROWS);
                let input = &input[first * inputs..][..rows * inputs];
                let mut products = Buffer::take([rows, width]);
                if let Some(packed) = &packed {
                    let (left, right) = (Left::rows(input, inputs), Right::Packed(packed));
                    multiply(isa, left, right, rows, width, inputs, &mut products, width, false);
                } else {
                    multiply_by_rows(isa, input, weight, inputs, &mut products, width);
                }
                for (row, products) in products.chunks_exact(width).enumerate() {
                    // SAFETY: each task has columns that no other one has.
                    let to = unsafe { output.part((first + row) * outputs + range.start, width) };
                    nonlinearity::activate(isa, self.nonlinearity, products, &bias[range.clone()], to);
                }
            }
        });
    }

    /// The gradients, from that of the output and what the forward pass was given and gave.
    ///
    /// `needs_input` asks for the gradient of the input, which costs as much as the forward pass.
    ///
    /// # Panics
    /// If a slice has another length than the layer and the batch say.
    #[must_use]
    pub fn backward(
        &self,
        isa: Isa,
        output_gradient: &[f32],
        input: &[f32],
        weight: &[f32],
        output: &[f32],
        needs_input: bool,
    ) -> LinearGradients {
        let batch = self.check(input, weight);
        for values in [output, output_gradient] {
            // A batch and its outputs are as many numbers as a slice that is here, so that nothing wraps around.
            let is_whole = values.len().is_multiple_of(self.outputs) && values.len() / self.outputs == batch;
            assert!(
                is_whole,
                "output and gradient are {batch} rows of {} values",
                self.outputs
            );
        }
        if batch == 0 {
            return LinearGradients {
                input: needs_input.then(Vec::new),
                weight: vec![0.0; weight.len()],
                bias: vec![0.0; self.outputs],
            };
        }
        in_pool(|| {
            let (sums, bias) = self.slopes(isa, output_gradient, output);
            let (weight, input) = rayon::join(
                || outer_products(isa, &sums, input, batch, self.outputs),
                || {
                    needs_input.then(|| {
                        let mut gradient = result(input.len());
                        times_matrix(isa, &sums, weight, batch, self.outputs, &mut gradient);
                        gradient
                    })
                },
            );
            LinearGradients { input, weight, bias }
        })
    }

    /// The gradients of the weighted sums, `[batch, out]`, and of the bias.
    fn slopes(&self, isa: Isa, gradient: &[f32], output: &[f32]) -> (Buffer, Vec<f32>) {
        let outputs = self.outputs;
        let mut slopes = Buffer::take([output.len()]);
        let parts = Disjoint::new(&mut slopes);
        let mut bias = vec![0.0; outputs];
        let columns = bias.par_chunks_mut(SLOPE_COLUMNS).enumerate();
        columns.for_each_task(|(task, bias)| {
            let width = bias.len();
            let mut sums = [0.0f64; SLOPE_COLUMNS];
            let rows = gradient
                .chunks_exact(outputs)
                .zip(output.chunks_exact(outputs))
                .enumerate();
            let mut partial = [0.0f32; SLOPE_COLUMNS];
            for (row, (gradient, output)) in rows {
                let first = task * SLOPE_COLUMNS;
                // SAFETY: each task has columns that no other one has.
                let to = unsafe { parts.part(row * outputs + first, width) };
                let (gradient, output) = (&gradient[first..][..width], &output[first..][..width]);
                nonlinearity::slopes(isa, self.nonlinearity, output, gradient, to, &mut partial[..width]);
                if row % SLOPE_ROWS == SLOPE_ROWS - 1 {
                    flush(&mut partial, &mut sums);
                }
            }
            flush(&mut partial, &mut sums);
            for (bias, sum) in bias.iter_mut().zip(sums) {
                #[allow(clippy::cast_possible_truncation, reason = "gradients are f32")]
                let value = sum as f32;
                *bias = value;
            }
        });
        (slopes, bias)
    }

    /// Rows of the input.
    fn check(&self, input: &[f32], weight: &[f32]) -> usize {
        assert_eq!(
            weight.len(),
            self.inputs * self.outputs,
            "the weight has the length of {self:?}"
        );
        assert!(
            input.len().is_multiple_of(self.inputs),
            "the input is whole rows of {} values",
            self.inputs
        );
        input.len() / self.inputs
    }
}

/// Adds partial sums to the sums, and begins them anew.
fn flush(partial: &mut [f32], sums: &mut [f64]) {
    for (sum, partial) in sums.iter_mut().zip(partial) {
        *sum += f64::from(std::mem::take(partial));
    }
}
