//! Estimates against likelihoods that are known.

use std::f64::consts::TAU;
use std::ops::ControlFlow;

use burn::tensor::Device;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
use crate::random::generator;

/// Directions of the images that the two latents of a linear decoder move them in, and how far.
const DIRECTIONS: [[f64; 4]; 2] = [[0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5]];
const SCALES: [f64; 2] = [2.0, 0.7];
/// How far the latents are turned against those directions: the true posterior is then no product.
const TURN: f64 = 0.5;
const BIAS: [f64; 4] = [0.1, -0.3, 0.7, 0.2];
const DEVIATION: f64 = 0.4;

/// A linear decoder with Gaussian noise, `x = W z + b + noise` where `W` is the directions times the scales times a turn:
/// probabilistic principal components (Tipping and Bishop, 1999), under which `x` is Gaussian.
fn decode(latent: [f64; 2]) -> [f64; 4] {
    let turned = turn(latent, TURN);
    std::array::from_fn(|pixel| {
        BIAS[pixel]
            + (0..2)
                .map(|axis| DIRECTIONS[axis][pixel] * SCALES[axis] * turned[axis])
                .sum::<f64>()
    })
}

fn turn([x, y]: [f64; 2], angle: f64) -> [f64; 2] {
    let (sine, cosine) = angle.sin_cos();
    [cosine * x - sine * y, sine * x + cosine * y]
}

fn draw(image: u64) -> [f64; 4] {
    let mut random = generator(6, Purpose::Prior, image);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    decode([normal(), normal()]).map(|pixel| pixel + DEVIATION * normal())
}

/// How far an image lies along each direction, and its squared distance from their plane.
fn along(image: &[f64; 4]) -> ([f64; 2], f64) {
    let difference: [f64; 4] = std::array::from_fn(|pixel| image[pixel] - BIAS[pixel]);
    let along = DIRECTIONS.map(|direction| direction.iter().zip(difference).map(|(a, b)| a * b).sum::<f64>());
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    (along, squares(&difference) - squares(&along))
}

/// The variance of an image along each direction.
fn variances() -> [f64; 2] {
    SCALES.map(|scale| scale * scale + DEVIATION * DEVIATION)
}

fn log_likelihood(image: &[f64; 4]) -> f64 {
    let (along, beside) = along(image);
    let normal = |squares: f64, variance: f64, count: f64| -0.5 * (squares / variance + count * (TAU * variance).ln());
    let plane = along
        .iter()
        .zip(variances())
        .map(|(value, variance)| normal(value * value, variance, 1.0));
    plane.sum::<f64>() + normal(beside, DEVIATION * DEVIATION, 2.0)
}

/// An encoder that is not quite right: beside the mean of the true posterior, wider, and without its correlations.
fn encode(image: &[f64; 4]) -> ([f32; 2], [f32; 2]) {
    let (along, _) = along(image);
    let mean = turn(
        std::array::from_fn(|axis| SCALES[axis] * along[axis] / variances()[axis]),
        -TURN,
    );
    let principal = variances().map(|variance| DEVIATION * DEVIATION / variance);
    let (sine, cosine) = TURN.sin_cos();
    let variance = [
        cosine * cosine * principal[0] + sine * sine * principal[1],
        sine * sine * principal[0] + cosine * cosine * principal[1],
    ];
    (
        mean.map(|value| value as f32 + 0.05),
        variance.map(|value| (1.5 * value).ln() as f32),
    )
}

/// `-log p(x|z)`
fn loss(image: &[f64; 4], point: &[f32]) -> f32 {
    let decoded = decode([point[0].into(), point[1].into()]);
    let squares: f64 = image.iter().zip(decoded).map(|(x, y)| (x - y) * (x - y)).sum();
    (0.5 * squares / DEVIATION.powi(2) + 4.0 * (DEVIATION.ln() + 0.5 * TAU.ln())) as f32
}

#[test]
fn of_a_linear_decoder_the_estimate_is_the_closed_form() {
    let images: Vec<_> = (0..10).map(draw).collect();
    let truth = images.iter().map(log_likelihood).sum::<f64>() / images.len() as f64;
    let estimates: Vec<f64> = (0..20)
        .map(|seed| {
            let options = LikelihoodOptions {
                objective: Objective::Vae,
                samples: 1500,
                spread: 1.0,
                seed,
            };
            let mut bounds = Bounds::default();
            let mut standard = |points: &[f32]| points.chunks(2).map(|point| -0.5 * squares(point)).collect();
            for (index, image) in images.iter().enumerate() {
                let (mean, log_variance) = encode(image);
                let mut compare = |points: Vec<f32>| points.chunks(2).map(|point| loss(image, point)).collect();
                let posterior = Encoded {
                    mean: &mean,
                    log_variance: &log_variance,
                    index,
                };
                bounds.add(&posterior.bounds(options, &mut standard, &mut compare));
            }
            let found = bounds.means();
            // More samples, a tighter bound.
            assert!(
                found.windows(2).all(|pair| pair[1].mean > pair[0].mean - 0.01),
                "{found:?}"
            );
            assert!(found[0].mean < truth - 0.1);
            found.last().unwrap().mean
        })
        .collect();
    let mean = estimates.iter().sum::<f64>() / estimates.len() as f64;
    let error = standard_error(&estimates, mean);
    println!("log p(x): {truth:.5} nats; estimated {mean:.5}, standard error {error:.5}");
    assert!(
        error < 0.005 && (mean - truth).abs() <= 3.0 * error,
        "{mean} ± {error}: {truth}"
    );
}

/// Binary images of 4 x 4, and a network of 2 latents that was never trained.
fn small() -> (Inference, Images) {
    let config = NetworkConfig {
        image_size: 4,
        architecture: Architecture::Mlp {
            hidden: vec![7],
            activation: HiddenActivation::Tanh,
        },
        latent: 2,
        ..NetworkConfig::default()
    };
    let pixels = (0..5 * 16)
        .map(|index| if index * index % 7 < 3 { 255 } else { 0 })
        .collect();
    let network = Vae::new(config, 1, &Device::flex()).unwrap();
    (Inference::new(&network), Images::new(1, 4, 4, pixels).unwrap())
}

fn options(samples: usize) -> LikelihoodOptions {
    LikelihoodOptions {
        objective: Objective::Vae,
        samples,
        spread: 1.0,
        seed: 3,
    }
}

fn estimate(network: &Inference, images: &Images, samples: usize) -> LikelihoodEstimate {
    let mut go_on = |_| ControlFlow::Continue(());
    estimate_likelihood(network, images, options(samples), &mut go_on)
        .unwrap()
        .unwrap()
}

/// The density of the prior of a network at a point.
fn prior_density(network: &Inference) -> impl Fn([f64; 2]) -> f64 {
    let components = match network.prior() {
        None => vec![([0.0; 2], [1.0; 2])],
        Some(Posterior { mean, log_variance }) => {
            let (means, logs) = (to_values(mean.flatten(0, 1)), to_values(log_variance.flatten(0, 1)));
            let pair = |values: &[f32]| [values[0].into(), values[1].into()];
            (means.chunks(2).zip(logs.chunks(2)))
                .map(|(mean, logs)| (pair(mean), pair(logs).map(f64::exp)))
                .collect()
        }
    };
    move |point: [f64; 2]| {
        let density = |(mean, variance): &([f64; 2], [f64; 2])| {
            (0..2)
                .map(|axis| {
                    let distance = (point[axis] - mean[axis]).powi(2) / variance[axis];
                    (-0.5 * distance).exp() / (TAU * variance[axis]).sqrt()
                })
                .product::<f64>()
        };
        components.iter().map(density).sum::<f64>() / components.len() as f64
    }
}

#[test]
fn in_a_plane_the_estimate_is_the_integral() {
    let (network, images) = small();
    let learned = Inference::new(&network.network().clone().with_pseudo_inputs(4, 2));
    assert!(network.prior().is_none() && learned.prior().is_some());
    // A sum over points a tenth apart, far beyond where the prior ends.
    let (step, reach) = (0.1, 70);
    let axis: Vec<f64> = (-reach..=reach).map(|index| f64::from(index) * step).collect();
    let points: Vec<[f64; 2]> = axis.iter().flat_map(|&x| axis.iter().map(move |&y| [x, y])).collect();
    let values = points.iter().flatten().map(|&value| value as f32).collect();
    let pixels = to_values(network.decode(network.latents(values)).flatten::<1>(0, 3));
    for network in [network, learned] {
        let density = prior_density(&network);
        let found = estimate(&network, &images, 5000);
        for (index, estimated) in found.per_image.iter().enumerate() {
            let likelihood: f64 = (points.iter().zip(pixels.chunks(16)))
                .map(|(&point, decoded)| {
                    let pixels = images.image(index).iter().zip(decoded);
                    let white = |(&white, &decoded): (&u8, &f32)| match white {
                        255 => f64::from(decoded),
                        _ => f64::from(1.0 - decoded),
                    };
                    density(point) * pixels.map(white).product::<f64>()
                })
                .sum();
            let truth = -(likelihood * step * step).ln();
            assert!(
                (truth - estimated).abs() < 0.05,
                "image {index}: {estimated}, and truly {truth}"
            );
        }
        assert!(found.gap() > 0.0);
        assert_eq!(found.bits_per_dimension(Likelihood::CrossEntropy), None);
    }
}

#[test]
fn an_image_is_estimated_alike_among_others_and_alone() {
    let (network, images) = small();
    let all = estimate(&network, &images, 1200);
    let mut first = images.clone();
    first.truncate(2);
    let some = estimate(&network, &first, 1200);
    for (one, other) in all.per_image.iter().zip(&some.per_image) {
        assert!((one - other).abs() < 1e-9);
    }
    assert_eq!(all.bounds.len(), 12);
    assert_eq!(all.bounds.last().unwrap().samples, 1200);
}

#[test]
fn what_has_no_likelihood_says_so() {
    let (network, images) = small();
    let grey = Images::new(1, 4, 4, vec![9; 16]).unwrap();
    let mut go_on = |_| ControlFlow::Continue(());
    let mut message = |images: &Images, options| {
        estimate_likelihood(&network, images, options, &mut go_on)
            .unwrap_err()
            .to_string()
    };
    let plain = LikelihoodOptions {
        objective: Objective::Ae,
        ..options(5)
    };
    assert!(message(&grey, options(5)).contains("grey pixels"));
    assert!(message(&images, plain).contains("plain autoencoder"));
    assert!(message(&images, options(0)).contains("at least 1"));
    for spread in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = LikelihoodOptions { spread, ..options(5) };
        assert!(message(&images, options).contains("above zero"));
    }
}
