//! Every block, forward and backward, against a naive `f64` twin, on each instruction set by name; and the same bits
//! for any number of threads.

use crate::naive::{EPSILON, Layer, Problem, Sum, Values};
use morphvae_kernels::{Adam, FoldedBlock, Forward, Gradients, Isa, Parameters, RunningStatistics, adam_step};
use proptest::prelude::*;

/// Rounding errors may reach this share of the sum of the absolute terms of the largest element.
const TOLERANCE: f64 = 1e-6;

/// Pseudorandom values in -1..1 from a linear congruential generator, so that a failure is reproduced by its seed.
fn values(length: usize, seed: &mut u64) -> Vec<f32> {
    let mut next = || {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn random_values(problem: &Problem, mut seed: u64) -> Values {
    let block = problem.block();
    let mut random = |length| values(length, &mut seed);
    let mut result = Values {
        input: random(block.input_length()),
        weight: random(block.weight_length()),
        bias: random(problem.outputs),
        gamma: random(problem.outputs),
        beta: random(problem.outputs),
        output_gradient: random(block.output_length()),
    };
    // A map whose mean is far from zero is the hard case for its variance.
    result.input.iter_mut().for_each(|value| *value += 0.5);
    result
}

fn parameters(values: &Values) -> Parameters<'_> {
    let Values {
        weight,
        bias,
        gamma,
        beta,
        ..
    } = values;
    Parameters {
        weight,
        bias,
        gamma,
        beta,
        epsilon: EPSILON,
    }
}

fn run(isa: Isa, problem: &Problem, values: &Values) -> (Forward, Gradients) {
    let block = problem.block();
    let forward = block.forward(isa, &values.input, &parameters(values));
    let gradients = block.backward(
        isa,
        &values.output_gradient,
        &values.input,
        &parameters(values),
        &forward.state,
        true,
    );
    (forward, gradients)
}

/// The largest error as a share of the tolerance.
fn margin(name: &str, found: &[f32], expected: &Sum, tolerance: f64) -> Result<f64, TestCaseError> {
    prop_assert_eq!(found.len(), expected.values.len(), "length of {}", name);
    let mut worst: f64 = 0.0;
    for (index, (found, expected_value)) in found.iter().zip(&expected.values).enumerate() {
        let error = (f64::from(*found) - expected_value).abs() / (tolerance * expected.magnitude + 1e-12);
        prop_assert!(
            error <= 1.0,
            "{name}[{index}]: {found} in place of {expected_value}, {error} of the tolerance"
        );
        worst = worst.max(error);
    }
    Ok(worst)
}

fn agrees(problem: Problem, seed: u64) -> Result<(), TestCaseError> {
    let mut values = random_values(&problem, seed);
    let answer = problem.solve(&mut values);
    for isa in Isa::available() {
        let (forward, gradients) = run(isa, &problem, &values);
        let input = gradients.input.as_deref().unwrap_or(&[]);
        let margins = [
            margin("output", &forward.output, &answer.output, TOLERANCE)?,
            margin("mean", &forward.mean, &answer.mean, TOLERANCE)?,
            margin("variance", &forward.variance, &answer.variance, TOLERANCE)?,
            margin("input gradient", input, &answer.input, TOLERANCE)?,
            margin("weight gradient", &gradients.weight, &answer.weight, TOLERANCE)?,
            margin("gamma gradient", &gradients.gamma, &answer.gamma, TOLERANCE)?,
            margin("beta gradient", &gradients.beta, &answer.beta, TOLERANCE)?,
        ];
        prop_assert!(gradients.bias.iter().all(|value| *value == 0.0));
        println!(
            "{isa:?} {problem:?}: used {:.0?} % of the tolerances",
            margins.map(|margin| 100.0 * margin)
        );

        let without_input = problem.block().backward(
            isa,
            &values.output_gradient,
            &values.input,
            &parameters(&values),
            &forward.state,
            false,
        );
        prop_assert!(without_input.input.is_none());
        prop_assert_eq!(&without_input.weight, &gradients.weight);

        // With the batch's own statistics as running statistics, inference is the forward pass.
        let statistics = RunningStatistics {
            mean: &forward.mean,
            variance: &forward.variance,
        };
        let folded = FoldedBlock::new(isa, &problem.block(), &parameters(&values), &statistics);
        // A mean that was rounded to f32 lies so many deviations off as it is itself away from zero.
        let means = forward.mean.iter().zip(&forward.variance);
        let deviations = means.map(|(mean, variance)| f64::from(mean.abs() / (variance + EPSILON).sqrt()));
        margin(
            "folded output",
            &folded.forward(&values.input),
            &answer.output,
            TOLERANCE * (1.0 + deviations.fold(0.0, f64::max)),
        )?;
    }
    Ok(())
}

fn layers() -> impl Strategy<Value = Layer> {
    let size = || (1usize..6, 1usize..6);
    prop_oneof![
        size().prop_map(|(h, w)| Layer::Convolution { size: (2 * h, 2 * w) }),
        (size(), any::<bool>()).prop_map(|(size, sigmoid)| Layer::TransposedConvolution { size, sigmoid }),
        size().prop_map(|size| Layer::Flattening { size }),
        size().prop_map(|size| Layer::Expansion { size }),
    ]
}

fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![
        1usize..10,
        Just(16),
        Just(17),
        Just(23),
        Just(24),
        Just(32),
        Just(35),
        Just(48)
    ]
}

/// The smallest problems that reach every kernel, for checkers that run them slowly.
///
/// `just sanitize` runs them under AddressSanitizer; under Miri the first problem alone takes a minute.
#[test]
fn small_blocks_agree() -> Result<(), TestCaseError> {
    let transposed = |size, sigmoid| Layer::TransposedConvolution { size, sigmoid };
    let problems = [
        (Layer::Convolution { size: (4, 2) }, 2, 1, 5),
        (Layer::Convolution { size: (6, 2) }, 2, 17, 16),
        (transposed((2, 3), true), 2, 5, 1),
        (transposed((1, 2), false), 1, 16, 17),
        // Enough tiles for minimal filtering in inference.
        (transposed((1, 2), false), 8, 16, 17),
        (Layer::Flattening { size: (2, 2) }, 3, 3, 9),
        (Layer::Expansion { size: (2, 1) }, 3, 3, 9),
    ];
    for (seed, (layer, batch, inputs, outputs)) in problems.into_iter().enumerate() {
        let problem = Problem {
            layer,
            batch,
            inputs,
            outputs,
        };
        agrees(problem, seed as u64)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_agree_with_their_naive_twins(
        layer in layers(), batch in 1usize..6, inputs in channels(), outputs in channels(), seed in any::<u64>(),
    ) {
        agrees(Problem { layer, batch, inputs, outputs }, seed)?;
    }
}

#[test]
fn blocks_agree_where_their_paths_change() -> Result<(), TestCaseError> {
    let problems = [
        // The smallest of each; batch 1 of one pixel has no variance at all.
        Problem {
            layer: Layer::Flattening { size: (1, 1) },
            batch: 1,
            inputs: 1,
            outputs: 1,
        },
        Problem {
            layer: Layer::Flattening { size: (1, 1) },
            batch: 1,
            inputs: 2,
            outputs: 40,
        },
        Problem {
            layer: Layer::Expansion { size: (1, 1) },
            batch: 1,
            inputs: 1,
            outputs: 1,
        },
        Problem {
            layer: Layer::Convolution { size: (2, 2) },
            batch: 1,
            inputs: 1,
            outputs: 1,
        },
        // So many tiles that the filters' gradients are summed in parts, of which one is shorter; the last with small tiles.
        Problem {
            layer: Layer::Convolution { size: (14, 14) },
            batch: 5,
            inputs: 16,
            outputs: 17,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (14, 14),
                sigmoid: false,
            },
            batch: 5,
            inputs: 17,
            outputs: 16,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (6, 6),
                sigmoid: false,
            },
            batch: 9,
            inputs: 17,
            outputs: 16,
        },
        // The ends of the reference network: one channel and three.
        Problem {
            layer: Layer::Convolution { size: (32, 32) },
            batch: 2,
            inputs: 1,
            outputs: 64,
        },
        Problem {
            layer: Layer::Convolution { size: (16, 16) },
            batch: 3,
            inputs: 3,
            outputs: 64,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (16, 16),
                sigmoid: true,
            },
            batch: 2,
            inputs: 64,
            outputs: 1,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (8, 8),
                sigmoid: true,
            },
            batch: 3,
            inputs: 24,
            outputs: 3,
        },
        // Minimal filtering with several chunks of images: 16 or 4 tiles each, 256 or 92 at a time.
        Problem {
            layer: Layer::Convolution { size: (16, 16) },
            batch: 37,
            inputs: 16,
            outputs: 16,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (8, 8),
                sigmoid: false,
            },
            batch: 35,
            inputs: 16,
            outputs: 16,
        },
        // Depths beyond one block of the product and of the sums along rows.
        Problem {
            layer: Layer::Flattening { size: (4, 4) },
            batch: 7,
            inputs: 70,
            outputs: 9,
        },
        Problem {
            layer: Layer::Expansion { size: (4, 4) },
            batch: 4,
            inputs: 300,
            outputs: 18,
        },
    ];
    for (seed, problem) in problems.into_iter().enumerate() {
        agrees(problem, seed as u64)?;
    }
    Ok(())
}

#[test]
fn every_instruction_set_is_tested_or_named_as_missing() {
    for name in Isa::NAMES {
        println!(
            "{name}: {}",
            if Isa::by_name(name).is_some() {
                "tested"
            } else {
                "SKIPPED, not on this processor"
            }
        );
    }
    assert!(Isa::by_name("portable").is_some());
    assert_eq!(Isa::available().last(), Some(&Isa::detect()));
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    let problems = [
        Problem {
            layer: Layer::Convolution { size: (8, 8) },
            batch: 5,
            inputs: 3,
            outputs: 20,
        },
        Problem {
            layer: Layer::Convolution { size: (16, 16) },
            batch: 40,
            inputs: 17,
            outputs: 32,
        },
        Problem {
            layer: Layer::Flattening { size: (4, 4) },
            batch: 7,
            inputs: 20,
            outputs: 70,
        },
        Problem {
            layer: Layer::Expansion { size: (4, 4) },
            batch: 7,
            inputs: 33,
            outputs: 20,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (8, 8),
                sigmoid: false,
            },
            batch: 40,
            inputs: 16,
            outputs: 19,
        },
        Problem {
            layer: Layer::TransposedConvolution {
                size: (8, 8),
                sigmoid: true,
            },
            batch: 5,
            inputs: 16,
            outputs: 3,
        },
    ];
    for (seed, problem) in problems.into_iter().enumerate() {
        let values = random_values(&problem, seed as u64);
        for isa in Isa::available() {
            let results = [1, 2, 3, 7].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let (forward, gradients) = run(isa, &problem, &values);
                    let statistics = RunningStatistics {
                        mean: &forward.mean,
                        variance: &forward.variance,
                    };
                    let folded = FoldedBlock::new(isa, &problem.block(), &parameters(&values), &statistics);
                    let inference = folded.forward(&values.input);
                    let Gradients {
                        input,
                        weight,
                        gamma,
                        beta,
                        ..
                    } = gradients;
                    let input = input.unwrap();
                    let all = [
                        forward.output,
                        forward.mean,
                        forward.variance,
                        input,
                        weight,
                        gamma,
                        beta,
                        inference,
                    ];
                    all.map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
                })
            });
            for result in &results[1..] {
                assert!(*result == results[0], "{isa:?} {problem:?}");
            }
        }
    }
}

/// A diverging training is found by its loss, which a ReLU must not keep finite.
#[test]
fn what_is_not_a_number_comes_out() {
    for (layer, inputs) in [
        (Layer::Convolution { size: (4, 4) }, 1),
        (Layer::Convolution { size: (4, 4) }, 5),
        (Layer::Convolution { size: (8, 8) }, 16),
        (Layer::Flattening { size: (2, 2) }, 3),
        (
            Layer::TransposedConvolution {
                size: (2, 2),
                sigmoid: true,
            },
            16,
        ),
    ] {
        let problem = Problem {
            layer,
            batch: 2,
            inputs,
            outputs: 19,
        };
        let mut values = random_values(&problem, 3);
        for (spoilt, isa) in [f32::NAN, f32::INFINITY]
            .into_iter()
            .flat_map(|spoilt| Isa::available().into_iter().map(move |isa| (spoilt, isa)))
        {
            values.input[0] = spoilt;
            let forward = problem.block().forward(isa, &values.input, &parameters(&values));
            let channels = forward.output.chunks_exact(19);
            let mut hidden = [true; 19];
            for pixel in channels {
                hidden
                    .iter_mut()
                    .zip(pixel)
                    .for_each(|(hidden, value)| *hidden &= !value.is_nan());
            }
            assert!(hidden.iter().all(|hidden| !hidden), "{isa:?} {problem:?} {spoilt}");
        }
    }
}

#[test]
fn adam_follows_its_formula() {
    let settings = Adam {
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 1e-2,
    };
    for isa in Isa::available() {
        for length in [0, 1, 7, 8, 9, 67, 40_000] {
            let mut seed = 5;
            let start = values(length, &mut seed);
            let mut parameter = start.clone();
            let (mut first, mut second) = (vec![0.0; length], vec![0.0; length]);
            let mut expected: Vec<[f64; 3]> = start.iter().map(|value| [f64::from(*value), 0.0, 0.0]).collect();
            for step in 1..=5u32 {
                let gradient = values(length, &mut seed);
                adam_step(isa, &settings, step, &mut parameter, &gradient, &mut first, &mut second);
                for (state, gradient) in expected.iter_mut().zip(&gradient) {
                    let [weight, mean, square] = state;
                    let slope = f64::from(*gradient) + settings.weight_decay * *weight;
                    *mean = 0.9 * *mean + 0.1 * slope;
                    *square = 0.999 * *square + 0.001 * slope * slope;
                    let corrected = *mean / (1.0 - 0.9f64.powi(step as i32));
                    let root = (*square / (1.0 - 0.999f64.powi(step as i32))).sqrt();
                    *weight -= 1e-3 * corrected / (root + 1e-8);
                }
            }
            for (i, [weight, mean, square]) in expected.into_iter().enumerate() {
                // Where the gradient is nearly zero the step's direction is ill conditioned: 2e-3 of a step.
                assert!(
                    (f64::from(parameter[i]) - weight).abs() < 2e-6,
                    "{isa:?} {length} weight {i}"
                );
                assert!(
                    (f64::from(first[i]) - mean).abs() < 1e-6,
                    "{isa:?} {length} first moment {i}"
                );
                assert!(
                    (f64::from(second[i]) - square).abs() < 1e-6 * square + 1e-9,
                    "{isa:?} {length} second {i}"
                );
            }
        }
    }
}
