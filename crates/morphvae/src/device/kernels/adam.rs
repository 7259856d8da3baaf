//! A step of Adam for one weight.

use burn::backend::Cube;
use burn::tensor::Tensor;
use burn_cubecl::cubecl::{self, prelude::*};
use burn_cubecl::kernel::into_contiguous;

use super::{on_device, owned, units};

/// What decides a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamStep {
    /// Step length, over what the first average is short of by its beginning at zero.
    pub rate: f64,
    /// Decay of the two running averages.
    pub betas: [f64; 2],
    /// What the second average's root is divided by, since that average began at zero.
    pub correction: f64,
    /// Added to that root.
    pub epsilon: f64,
    /// This times the weight is added to its gradient.
    pub weight_decay: f64,
}

/// A weight and its running averages after a step, all flat; they are changed in place where nobody else holds them.
pub(crate) fn step_weight(
    step: AdamStep,
    gradient: Tensor<1>,
    weight: Tensor<1>,
    averages: [Tensor<1>; 2],
) -> (Tensor<1>, [Tensor<1>; 2]) {
    let gradient = into_contiguous(on_device(gradient));
    let [average, square] = averages;
    let [weight, average, square] = [weight, average, square].map(|tensor| owned(on_device(tensor)));
    let (cubes, cube) = units(&weight);
    let [first, second] = step.betas;
    move_weight::launch(
        &weight.client,
        cubes,
        cube,
        gradient.into_buffer_arg(),
        weight.clone().into_buffer_arg(),
        average.clone().into_buffer_arg(),
        square.clone().into_buffer_arg(),
        step.weight_decay as f32,
        first as f32,
        (1.0 - first) as f32,
        second as f32,
        (1.0 - second) as f32,
        step.correction as f32,
        step.epsilon as f32,
        step.rate as f32,
    );
    let [weight, average, square] = [weight, average, square].map(Tensor::from_primitive::<Cube>);
    (weight, [average, square])
}

#[cube(launch)]
fn move_weight(
    gradients: &[f32],
    weights: &mut [f32],
    averages: &mut [f32],
    squares: &mut [f32],
    weight_decay: f32,
    first: f32,
    first_rest: f32,
    second: f32,
    second_rest: f32,
    correction: f32,
    epsilon: f32,
    rate: f32,
) {
    let at = ABSOLUTE_POS;
    if at < weights.len() {
        let gradient = gradients[at] + weights[at] * weight_decay;
        let average = averages[at] * first + gradient * first_rest;
        let square = squares[at] * second + gradient * gradient * second_rest;
        averages[at] = average;
        squares[at] = square;
        weights[at] -= average / (square.sqrt() / correction + epsilon) * rate;
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::device::gpu_for_tests;

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn steps_are_those_of_64_bits_and_what_others_hold_stays() {
        let Some(device) = gpu_for_tests() else { return };
        // One value, part of a cube, and several cubes.
        for count in [1, 77, 10_001] {
            let wave = |offset: usize| -> Vec<f32> {
                let wave = (0..count).map(|i| ((i * i + offset) % 97) as f32 / 50.0 - 1.0);
                wave.collect()
            };
            let tensor = |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [count]), &device);
            let mut weight = tensor(&wave(0));
            let mut averages = [Tensor::zeros([count], &device), Tensor::full([count], 0.5, &device)];
            let mut truth: Vec<[f64; 3]> = wave(0).iter().map(|&value| [f64::from(value), 0.0, 0.5]).collect();
            for number in 1..=5 {
                let gradient = wave(31 * number);
                let step = AdamStep {
                    rate: 1e-2 / (1.0 - 0.9_f64.powi(number as i32)),
                    betas: [0.9, 0.999],
                    correction: (1.0 - 0.999_f64.powi(number as i32)).sqrt(),
                    epsilon: 1e-4,
                    weight_decay: 0.01,
                };
                let (held, before) = (weight.clone(), values(weight.clone()));
                (weight, averages) = step_weight(step, tensor(&gradient), weight, averages);
                assert!(values(held) == before);
                for ([weight, average, square], &gradient) in truth.iter_mut().zip(&gradient) {
                    let gradient = f64::from(gradient) + 0.01 * *weight;
                    *average = 0.9 * *average + 0.1 * gradient;
                    *square = 0.999 * *square + 0.001 * gradient * gradient;
                    *weight -= step.rate * *average / (square.sqrt() / step.correction + 1e-4);
                }
            }
            let [average, square] = averages;
            for (place, found) in [weight, average, square].into_iter().enumerate() {
                for (found, truth) in values(found).into_iter().zip(&truth) {
                    let truth = truth[place];
                    assert!(
                        (f64::from(found) - truth).abs() < 1e-5,
                        "{count} {place}: {found} {truth}"
                    );
                }
            }
        }
    }
}
