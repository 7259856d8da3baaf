//! Linear layers that are only run.

use super::{Linear, nonlinearity};
use crate::buffer::{length, result};
use crate::isa::Isa;
use crate::matrix::Columns;

/// A linear layer that is only run, with its weight packed: for any batch size.
///
/// A single row goes another way than many, so that the last bits of its output depend on whether it comes alone.
#[derive(Debug)]
pub struct PackedLinear {
    isa: Isa,
    layer: Linear,
    matrix: Columns,
    bias: Vec<f32>,
}

impl PackedLinear {
    /// Packs a weight, `[out, in]`, with its bias, `[out]`.
    ///
    /// # Panics
    /// If a slice has another length than the layer says.
    #[must_use]
    pub fn new(isa: Isa, layer: Linear, weight: &[f32], bias: &[f32]) -> Self {
        layer.check(&[], weight);
        assert_eq!(bias.len(), layer.outputs, "there is one bias for each output");
        let matrix = Columns::pack(isa, layer.inputs, layer.outputs, |k, n| weight[n * layer.inputs + k]);
        Self {
            isa,
            layer,
            matrix,
            bias: bias.to_vec(),
        }
    }

    /// Runs the layer on `[batch, in]`: `[batch, out]`.
    ///
    /// # Panics
    /// If the input is not whole rows, or of so many that the output would be too large for any memory.
    #[must_use]
    pub fn forward(&self, input: &[f32]) -> Vec<f32> {
        let Linear {
            inputs,
            outputs,
            nonlinearity,
        } = self.layer;
        assert!(
            input.len().is_multiple_of(inputs),
            "the input is whole rows of {inputs} values"
        );
        let rows = input.len() / inputs;
        let Some(length) = length([rows, outputs]) else {
            panic!("an output of {rows} x {outputs} fits into memory")
        };
        let mut output = result(length);
        self.matrix.multiply(input, rows, &mut output, |range, sums, to| {
            nonlinearity::activate(self.isa, nonlinearity, sums, &self.bias[range], to);
        });
        output
    }

    /// The layer that was packed.
    #[must_use]
    pub fn layer(&self) -> &Linear {
        &self.layer
    }
}
