//! The likelihood of images under a real model: an estimate from samples of the posterior against the integral over the
//! latent plane.

use std::f64::consts::TAU;
use std::ops::{ControlFlow, Range};

use morphvae::data::Images;
use morphvae::evaluation::{LikelihoodOptions, encode, estimate_likelihood};
use morphvae::network::{Decoder, Inference};
use morphvae::objective::Objective;
use morphvae::studio::Model;

/// Ten test images of MNIST, 32 x 32, each pixel drawn once to be white or black: a bit a pixel.
const DIGITS: &[u8] = include_bytes!("../fixtures/binarized-digits.bits");
const PIXELS: usize = 32 * 32;
/// Those that are judged here, and how many they are.
const JUDGED: Range<usize> = 2..5;
const COUNT: usize = JUDGED.end - JUDGED.start;

/// Around the encoder's mean the plane is summed over finely, elsewhere, as far as the prior reaches, coarsely.
const WINDOW: f64 = 0.6;
const FINE: f64 = 0.025;
const COARSE: f64 = 0.2;
const REACH: f64 = 4.5;

/// The model learned from grey digits and is surer of black and white ones than it should be: samples of its own posteriors
/// miss most of the true ones, and are 1 to 6 nats off.
const SPREAD: f64 = 8.0;

fn digits() -> Images {
    let bits = DIGITS[JUDGED.start * PIXELS / 8..JUDGED.end * PIXELS / 8].iter();
    let pixels = bits.flat_map(|byte| (0..8).map(move |bit| if byte >> (7 - bit) & 1 == 1 { 255 } else { 0 }));
    Images::new(1, 32, 32, pixels.collect()).unwrap()
}

/// Points `step` apart that fill a square.
fn square(centre: [f64; 2], reach: f64, step: f64) -> Vec<[f64; 2]> {
    let count = (reach / step).round() as i32;
    let axis = move |centre: f64| (-count..=count).map(move |index| centre + f64::from(index) * step);
    axis(centre[0])
        .flat_map(|x| axis(centre[1]).map(move |y| [x, y]))
        .collect()
}

/// The sum of `p(x|z) p(z)` over points, times the area that each stands for.
fn sum(network: &Inference, image: &[u8], points: &[[f64; 2]], step: f64) -> f64 {
    let mut sum = 0.0;
    for points in points.chunks(1000) {
        let values: Vec<f32> = points.iter().flatten().map(|&value| value as f32).collect();
        for (decoded, [x, y]) in Decoder::decode(network, &values).chunks(PIXELS).zip(points) {
            let log_likelihood: f64 = (image.iter().zip(decoded))
                .map(|(&white, &decoded)| {
                    f64::from(if white == 255 { decoded } else { 1.0 - decoded })
                        .max(1e-12)
                        .ln()
                })
                .sum();
            sum += (log_likelihood - 0.5 * (x * x + y * y)).exp() / TAU;
        }
    }
    sum * step * step
}

#[test]
fn the_estimate_of_the_bundled_model_is_the_integral_over_the_plane() {
    let model = Model::bundled().unwrap();
    let (network, images) = (model.inference(), digits());
    let options = LikelihoodOptions {
        objective: Objective::Vae,
        samples: 5000,
        spread: SPREAD,
        seed: 0,
    };
    let estimate = estimate_likelihood(network, &images, options, &mut |_| ControlFlow::Continue(()));
    let estimate = estimate.unwrap().unwrap();
    let codes = encode(network, &images).unwrap();
    let mut differences = Vec::new();
    for (index, found) in estimate.per_image.iter().enumerate() {
        let centre = [0, 1].map(|axis| f64::from(codes.mean[2 * index + axis]));
        let beyond: Vec<_> = square(centre, REACH + 3.0, COARSE)
            .into_iter()
            .filter(|[x, y]| (x - centre[0]).abs().max((y - centre[1]).abs()) > WINDOW + COARSE / 2.0)
            .filter(|[x, y]| x.abs().max(y.abs()) < REACH)
            .collect();
        let near = square(centre, WINDOW + COARSE / 2.0 - FINE / 2.0, FINE);
        let image = images.image(index);
        let truth = -(sum(network, image, &near, FINE) + sum(network, image, &beyond, COARSE)).ln();
        println!(
            "image {index}: the integral is {truth:.4} nats, the estimate {:.4} above",
            found - truth
        );
        differences.push(found - truth);
    }
    let mean = differences.iter().sum::<f64>() / COUNT as f64;
    println!("on average {mean:.4} above, of 0.05 allowed");
    assert!(mean.abs() < 0.05, "{differences:?}");
    assert!(estimate.gap() > 0.0);
    // Without the spread, which the effective samples tell.
    let sure = LikelihoodOptions {
        spread: 1.0,
        samples: 500,
        ..options
    };
    let sure = estimate_likelihood(network, &images, sure, &mut |_| ControlFlow::Continue(()));
    let sure = sure.unwrap().unwrap();
    assert!(sure.negative_log_likelihood > estimate.negative_log_likelihood + 1.0);
    assert!(
        sure.effective().0 < 10.0 && estimate.effective().0 > 30.0,
        "{:?}",
        estimate.effective_samples
    );
}
