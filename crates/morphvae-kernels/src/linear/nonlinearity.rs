//! What follows on a linear layer's sums, and its slope, which follows from its value.

use crate::elementary::{hyperbolic_tangent, sigmoid, softplus, softplus_slope};
use crate::isa::simd;

/// What each output of a linear layer goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nonlinearity {
    /// Nothing.
    Identity,
    /// max(x, 0).
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// log(1 + exp(x)).
    Softplus,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
}

simd! {
    /// `nonlinearity(sum + bias)`, one bias for each sum.
    pub(super) fn activate<V>(nonlinearity: Nonlinearity, sums: &[f32], bias: &[f32], to: &mut [f32]) {
        match nonlinearity {
            Nonlinearity::Identity => each(sums, bias, to, |sum, bias| sum + bias),
            Nonlinearity::Relu => each(sums, bias, to, |sum, bias| {
                let value = sum + bias;
                // What is not a number stays so.
                if value < 0.0 { 0.0 } else { value }
            }),
            Nonlinearity::Tanh => each(sums, bias, to, |sum, bias| hyperbolic_tangent(sum + bias)),
            Nonlinearity::Softplus => each(sums, bias, to, |sum, bias| softplus(sum + bias)),
            Nonlinearity::Sigmoid => each(sums, bias, to, |sum, bias| sigmoid(sum + bias)),
        }
    }
}

simd! {
    /// The gradients before the nonlinearity, from its values and the gradients of those; they are added to `sums`, too.
    pub(super) fn slopes<V>(
        nonlinearity: Nonlinearity,
        values: &[f32],
        gradient: &[f32],
        to: &mut [f32],
        sums: &mut [f32],
    ) {
        match nonlinearity {
            Nonlinearity::Identity => to.copy_from_slice(gradient),
            Nonlinearity::Relu => each(values, gradient, to, |y, gradient| if y > 0.0 { gradient } else { 0.0 }),
            Nonlinearity::Tanh => each(values, gradient, to, |y, gradient| gradient * ((1.0 - y) * (1.0 + y))),
            Nonlinearity::Softplus => each(values, gradient, to, |y, gradient| gradient * softplus_slope(y)),
            Nonlinearity::Sigmoid => each(values, gradient, to, |y, gradient| gradient * (y * (1.0 - y))),
        }
        for (sum, value) in sums.iter_mut().zip(to) {
            *sum += *value;
        }
    }
}

/// Plain arithmetic, which the compiler turns into vectors.
#[inline(always)]
fn each(ones: &[f32], others: &[f32], to: &mut [f32], function: impl Fn(f32, f32) -> f32) {
    for ((to, one), other) in to.iter_mut().zip(ones).zip(others) {
        *to = function(*one, *other);
    }
}
