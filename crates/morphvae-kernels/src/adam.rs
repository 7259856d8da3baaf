//! One pass of the Adam optimizer over a parameter.

use crate::isa::{Isa, simd};

/// Adam's settings (Kingma and Ba, 2015, arXiv:1412.6980), named as in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// L2 penalty, added to the gradient.
    pub weight_decay: f64,
}

/// The factors of a step that are the same for all weights.
#[derive(Clone, Copy)]
struct Factors {
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    step_size: f32,
    inverse_root_correction: f32,
    epsilon: f32,
    weight_decay: f32,
}

/// Updates a parameter and its moments in place, as `torch.optim.Adam` does; `step` counts from 1.
///
/// It all happens on this thread, which waits for memory most of the time. Several would soon wait for the same memory;
/// beside one that computes, it costs little.
///
/// # Panics
/// If the slices differ in length, or `step` is zero.
pub fn adam_step(
    isa: Isa,
    settings: &Adam,
    step: u32,
    parameter: &mut [f32],
    gradient: &[f32],
    first_moment: &mut [f32],
    second_moment: &mut [f32],
) {
    assert!(step > 0, "steps count from 1");
    let length = parameter.len();
    assert!(
        gradient.len() == length && first_moment.len() == length && second_moment.len() == length,
        "parameter, gradient and moments have the same length"
    );
    let power = |beta: f64| 1.0 - beta.powf(f64::from(step));
    #[allow(clippy::cast_possible_truncation, reason = "applied to f32 weights")]
    let factors = Factors {
        beta1: settings.beta1 as f32,
        one_minus_beta1: (1.0 - settings.beta1) as f32,
        beta2: settings.beta2 as f32,
        one_minus_beta2: (1.0 - settings.beta2) as f32,
        step_size: (settings.learning_rate / power(settings.beta1)) as f32,
        inverse_root_correction: (1.0 / power(settings.beta2).sqrt()) as f32,
        epsilon: settings.epsilon as f32,
        weight_decay: settings.weight_decay as f32,
    };
    update(isa, factors, parameter, gradient, first_moment, second_moment);
}

simd! {
    fn update<V>(factors: Factors, parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let (beta1, one_minus_beta1) = (V::splat(factors.beta1), V::splat(factors.one_minus_beta1));
        let (beta2, one_minus_beta2) = (V::splat(factors.beta2), V::splat(factors.one_minus_beta2));
        let (step_size, epsilon) = (V::splat(factors.step_size), V::splat(factors.epsilon));
        let (correction, decay) = (V::splat(factors.inverse_root_correction), V::splat(factors.weight_decay));
        for i in (0..parameter.len()).step_by(V::LANES) {
            let weight = V::load(&parameter[i..]);
            let slope = weight.multiply_add(decay, V::load(&gradient[i..]));
            let mean = V::load(&first[i..]).multiply_add(beta1, one_minus_beta1 * slope);
            let square = V::load(&second[i..]).multiply_add(beta2, one_minus_beta2 * slope * slope);
            mean.store(&mut first[i..]);
            square.store(&mut second[i..]);
            let denominator = square.square_root().multiply_add(correction, epsilon);
            (weight - step_size * mean / denominator).store(&mut parameter[i..]);
        }
    }
}
