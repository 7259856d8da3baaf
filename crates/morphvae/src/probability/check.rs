//! What the tests of all likelihoods share: a loss in 32-bit tensors held against its definition in 64-bit numbers.

use burn::tensor::{Device, Tensor, TensorData};

use crate::network::to_values;

/// A loss of images, locations and the logarithm of the scale.
pub(super) type TensorLoss = fn(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<1>;

/// Its definition for one pixel: value, location and the logarithm of the scale.
pub(super) type Definition = fn(f64, f64, f64) -> f64;

/// The losses of pixels that share a location and a scale.
pub(super) fn losses(loss: TensorLoss, pixels: &[f32], location: f32, log_scale: f32) -> Vec<f64> {
    let device = Device::flex();
    let shape = [pixels.len(), 1, 1, 1];
    let images = Tensor::from_data(TensorData::new(pixels.to_vec(), shape), &device);
    let losses = loss(
        images,
        Tensor::full(shape, location, &device),
        Tensor::full([1], log_scale, &device),
    );
    to_values(losses).into_iter().map(f64::from).collect()
}

/// The derivatives of one pixel's loss by its location and by the logarithm of the scale.
pub(super) fn derivatives(loss: TensorLoss, pixel: f32, location: f32, log_scale: f32) -> [f64; 2] {
    let device = Device::flex().autodiff();
    let image = Tensor::<4>::full([1; 4], pixel, &device);
    let location = Tensor::<4>::full([1; 4], location, &device).require_grad();
    let log_scale = Tensor::<1>::full([1], log_scale, &device).require_grad();
    let gradients = loss(image, location.clone(), log_scale.clone()).backward();
    let by_location = location
        .grad(&gradients)
        .map(|gradient| to_values(gradient.flatten(0, 3))[0]);
    let by_scale = log_scale.grad(&gradients).map(|gradient| to_values(gradient)[0]);
    [by_location, by_scale].map(|derivative| f64::from(derivative.unwrap_or(0.0)))
}

/// Compares values and derivatives at every combination; derivatives with central differences of the definition.
pub(super) fn assert_agrees(
    loss: TensorLoss,
    definition: Definition,
    pixels: &[f32],
    locations: &[f32],
    log_scales: &[f32],
) {
    const STEP: f64 = 1e-6;
    for &location in locations {
        for &log_scale in log_scales {
            let found = losses(loss, pixels, location, log_scale);
            for (&pixel, found) in pixels.iter().zip(found) {
                let place = format!("pixel {pixel}, location {location}, log scale {log_scale}");
                let [x, y, s] = [pixel, location, log_scale].map(f64::from);
                assert_close(found, definition(x, y, s), 1e-5, &place);
                // A step that stays inside where the location is close to an end.
                let step = STEP.min(y / 100.0).min((1.0 - y) / 100.0);
                let by_location = (definition(x, y + step, s) - definition(x, y - step, s)) / (2.0 * step);
                let by_scale = (definition(x, y, s + STEP) - definition(x, y, s - STEP)) / (2.0 * STEP);
                let [found_by_location, found_by_scale] = derivatives(loss, pixel, location, log_scale);
                assert_close(found_by_location, by_location, 1e-3, &format!("by location: {place}"));
                assert_close(found_by_scale, by_scale, 1e-3, &format!("by scale: {place}"));
            }
        }
    }
}

pub(super) fn assert_close(found: f64, truth: f64, tolerance: f64, place: &str) {
    let allowed = tolerance * truth.abs().max(1.0);
    assert!((found - truth).abs() <= allowed, "{place}: {found}, not {truth}");
}

/// The integral over [0, 1] of a function's `values` at an odd number of evenly spaced points, by Simpson's rule.
pub(super) fn integral(values: &[f64]) -> f64 {
    let last = values.len() - 1;
    let weight = |index| match index {
        0 => 1.0,
        index if index == last => 1.0,
        index => 2.0 + 2.0 * f64::from(index as u32 % 2),
    };
    let sum: f64 = values
        .iter()
        .enumerate()
        .map(|(index, value)| weight(index) * value)
        .sum();
    sum / (3.0 * last as f64)
}

/// `count` evenly spaced points from 0 to 1.
pub(super) fn points(count: usize) -> Vec<f32> {
    (0..count)
        .map(|index| (index as f64 / (count - 1) as f64) as f32)
        .collect()
}
