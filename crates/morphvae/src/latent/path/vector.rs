//! Arithmetic on points of a latent space.

/// `a * x + b * y`.
pub(super) fn combination(a: f64, x: &[f64], b: f64, y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| a * x + b * y).collect()
}

pub(super) fn scaled(factor: f64, vector: &[f64]) -> Vec<f64> {
    vector.iter().map(|value| factor * value).collect()
}

pub(super) fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

pub(super) fn widened(point: &[f32]) -> Vec<f64> {
    point.iter().copied().map(f64::from).collect()
}

/// The nearest point of single precision: what a curve through finite keys overshoots stays finite.
pub(super) fn narrowed(point: &[f64]) -> Vec<f32> {
    let narrow = |value: &f64| value.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
    point.iter().map(narrow).collect()
}
