//! Linear layers, forward and backward, against their definition in `f64`, on each instruction set; and the same bits for
//! any number of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use morphvae_kernels::{Isa, Linear, LinearGradients, Nonlinearity, PackedLinear};
use proptest::prelude::*;

/// Rounding errors may reach this share of the sum of the absolute terms of an element.
const TOLERANCE: f64 = 1e-6;

const ALL: [Nonlinearity; 5] = [
    Nonlinearity::Identity,
    Nonlinearity::Relu,
    Nonlinearity::Tanh,
    Nonlinearity::Softplus,
    Nonlinearity::Sigmoid,
];

#[derive(Clone, Copy, Debug)]
struct Problem {
    nonlinearity: Nonlinearity,
    batch: usize,
    inputs: usize,
    outputs: usize,
}

struct Values {
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    output_gradient: Vec<f32>,
}

/// A result and, for each element, the sum of the absolute terms that it is made of.
struct Sum {
    values: Vec<f64>,
    magnitudes: Vec<f64>,
}

impl Sum {
    fn of(length: usize, terms: impl Fn(usize) -> Vec<f64>) -> Self {
        let (mut values, mut magnitudes) = (Vec::new(), Vec::new());
        for index in 0..length {
            let terms = terms(index);
            values.push(terms.iter().sum());
            magnitudes.push(terms.iter().map(|term| term.abs()).sum());
        }
        Self { values, magnitudes }
    }

    fn agrees(&self, name: &str, found: &[f32], problem: Problem) -> Result<(), TestCaseError> {
        prop_assert_eq!(found.len(), self.values.len(), "length of {}", name);
        for (index, found) in found.iter().enumerate() {
            let error = (f64::from(*found) - self.values[index]).abs();
            prop_assert!(
                error <= TOLERANCE * self.magnitudes[index] + 1e-30,
                "{name}[{index}] of {problem:?}: {found} in place of {}",
                self.values[index]
            );
        }
        Ok(())
    }
}

impl Problem {
    fn layer(self) -> Linear {
        Linear::new(self.inputs, self.outputs, self.nonlinearity)
    }

    /// Pseudorandom values in -1..1 from a linear congruential generator, so that a failure is reproduced by its seed.
    fn values(self, mut seed: u64) -> Values {
        let mut random = |length: usize| {
            let mut next = || {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (seed >> 40) as f32 / (1u64 << 23) as f32 - 1.0
            };
            (0..length).map(|_| next()).collect::<Vec<_>>()
        };
        Values {
            input: random(self.batch * self.inputs),
            weight: random(self.inputs * self.outputs),
            bias: random(self.outputs),
            output_gradient: random(self.batch * self.outputs),
        }
    }

    /// The weighted sums with their biases, `[batch, out]`.
    fn sums(self, values: &Values) -> Sum {
        let Self {
            batch, inputs, outputs, ..
        } = self;
        Sum::of(batch * outputs, |index| {
            let (b, o) = (index / outputs, index % outputs);
            let product = |i| f64::from(values.input[b * inputs + i]) * f64::from(values.weight[o * inputs + i]);
            let bias = f64::from(values.bias[o]);
            (0..inputs).map(product).chain([bias]).collect()
        })
    }

    /// None of these is steeper than one, so that errors of the sums do not grow.
    fn activate(self, x: f64) -> f64 {
        match self.nonlinearity {
            Nonlinearity::Identity => x,
            Nonlinearity::Relu => x.max(0.0),
            Nonlinearity::Tanh => x.tanh(),
            Nonlinearity::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Nonlinearity::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }

    /// The slope where the nonlinearity has the value `y`, and a bound of its terms.
    fn slope(self, y: f64) -> (f64, f64) {
        match self.nonlinearity {
            Nonlinearity::Identity => (1.0, 1.0),
            Nonlinearity::Relu => (f64::from(u8::from(y > 0.0)), 1.0),
            Nonlinearity::Tanh => (1.0 - y * y, 1.0),
            Nonlinearity::Softplus => (-(-y).exp_m1(), 1.0),
            Nonlinearity::Sigmoid => (y * (1.0 - y), 1.0),
        }
    }

    fn output(self, values: &Values) -> Sum {
        let sums = self.sums(values);
        let values: Vec<f64> = sums.values.iter().map(|x| self.activate(*x)).collect();
        let magnitudes = sums.magnitudes.iter().zip(&values);
        let magnitudes = magnitudes.map(|(magnitude, value)| magnitude + value.abs()).collect();
        Sum { values, magnitudes }
    }

    /// Gradients of input, weight and bias, from the output that the kernel found.
    fn gradients(self, values: &Values, output: &[f32]) -> [Sum; 3] {
        let Self {
            batch, inputs, outputs, ..
        } = self;
        let slopes: Vec<f64> = output
            .iter()
            .zip(&values.output_gradient)
            .map(|(y, gradient)| f64::from(*gradient) * self.slope(f64::from(*y)).0)
            .collect();
        let input = Sum::of(batch * inputs, |index| {
            let (b, i) = (index / inputs, index % inputs);
            let term = |o| slopes[b * outputs + o] * f64::from(values.weight[o * inputs + i]);
            (0..outputs).map(term).collect()
        });
        let weight = Sum::of(outputs * inputs, |index| {
            let (o, i) = (index / inputs, index % inputs);
            let term = |b| slopes[b * outputs + o] * f64::from(values.input[b * inputs + i]);
            (0..batch).map(term).collect()
        });
        let bias = Sum::of(outputs, |o| (0..batch).map(|b| slopes[b * outputs + o]).collect());
        [input, weight, bias]
    }
}

fn run(isa: Isa, problem: Problem, values: &Values) -> (Vec<f32>, LinearGradients) {
    let (
        layer,
        Values {
            input,
            weight,
            bias,
            output_gradient,
        },
    ) = (problem.layer(), values);
    let output = layer.forward(isa, input, weight, bias);
    let gradients = layer.backward(isa, output_gradient, input, weight, &output, true);
    (output, gradients)
}

fn agrees(problem: Problem, seed: u64) -> Result<(), TestCaseError> {
    let values = problem.values(seed);
    let expected = problem.output(&values);
    for isa in Isa::available() {
        let (output, gradients) = run(isa, problem, &values);
        expected.agrees("output", &output, problem)?;
        let [input, weight, bias] = problem.gradients(&values, &output);
        input.agrees("input gradient", gradients.input.as_deref().unwrap_or(&[]), problem)?;
        weight.agrees("weight gradient", &gradients.weight, problem)?;
        bias.agrees("bias gradient", &gradients.bias, problem)?;

        let (
            layer,
            Values {
                input,
                weight,
                output_gradient,
                bias,
            },
        ) = (problem.layer(), &values);
        let without_input = layer.backward(isa, output_gradient, input, weight, &output, false);
        prop_assert!(without_input.input.is_none());
        prop_assert_eq!(&without_input.weight, &gradients.weight);

        let packed = PackedLinear::new(isa, layer, weight, bias);
        expected.agrees("packed output", &packed.forward(input), problem)?;
    }
    Ok(())
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![1usize..40, Just(64), Just(65), Just(127), Just(130)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn layers_agree_with_their_definition(
        nonlinearity in proptest::sample::select(ALL.to_vec()),
        batch in prop_oneof![1usize..30, Just(97), Just(120)],
        inputs in size(),
        outputs in size(),
        seed in any::<u64>(),
    ) {
        agrees(Problem { nonlinearity, batch, inputs, outputs }, seed)?;
    }
}

#[test]
fn layers_agree_where_their_paths_change() -> Result<(), TestCaseError> {
    let sizes = [
        // The smallest.
        (1, 1, 1),
        // Depths beyond one block of the product and of the sums along rows, with few rows and with many.
        (1, 1100, 33),
        (3, 1100, 33),
        (13, 300, 9),
        // So many rows that packed layers divide them, once evenly and once not.
        (960, 9, 40),
        (1003, 5, 300),
        // Rows that are summed in parts.
        (129, 3, 150),
    ];
    for (seed, (batch, inputs, outputs)) in sizes.into_iter().enumerate() {
        for nonlinearity in [Nonlinearity::Relu, Nonlinearity::Sigmoid] {
            agrees(
                Problem {
                    nonlinearity,
                    batch,
                    inputs,
                    outputs,
                },
                seed as u64,
            )?;
        }
    }
    Ok(())
}

#[test]
fn the_bits_are_the_same_for_any_number_of_threads() {
    for (batch, inputs, outputs) in [(1, 70, 90), (7, 300, 200), (100, 130, 310), (1003, 40, 600)] {
        let problem = Problem {
            nonlinearity: Nonlinearity::Softplus,
            batch,
            inputs,
            outputs,
        };
        let values = problem.values(9);
        for isa in Isa::available() {
            let results = [1, 2, 3, 7].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let (output, gradients) = run(isa, problem, &values);
                    let packed = PackedLinear::new(isa, problem.layer(), &values.weight, &values.bias);
                    let LinearGradients { input, weight, bias } = gradients;
                    let all = [output, input.unwrap(), weight, bias, packed.forward(&values.input)];
                    all.map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
                })
            });
            assert!(
                results.iter().all(|result| *result == results[0]),
                "{isa:?} {problem:?}"
            );
        }
    }
}

/// A diverging training is found by its loss, which no activation must keep finite.
#[test]
fn what_is_not_a_number_comes_out() {
    for nonlinearity in ALL {
        for batch in [1, 2, 20] {
            let problem = Problem {
                nonlinearity,
                batch,
                inputs: 5,
                outputs: 35,
            };
            let mut values = problem.values(3);
            values.input[0] = f32::NAN;
            for isa in Isa::available() {
                let (output, _) = run(isa, problem, &values);
                let packed = PackedLinear::new(isa, problem.layer(), &values.weight, &values.bias);
                for output in [output, packed.forward(&values.input)] {
                    let (first, rest) = output.split_at(35);
                    assert!(first.iter().all(|value| value.is_nan()), "{isa:?} {problem:?}");
                    assert!(rest.iter().all(|value| value.is_finite()), "{isa:?} {problem:?}");
                }
            }
        }
    }
}

#[test]
fn no_rows_give_no_output_and_no_gradient() {
    for isa in Isa::available() {
        let layer = Linear::new(2, 3, Nonlinearity::Tanh);
        assert!(layer.forward(isa, &[], &[1.0; 6], &[1.0; 3]).is_empty());
        assert!(
            PackedLinear::new(isa, layer, &[1.0; 6], &[1.0; 3])
                .forward(&[])
                .is_empty()
        );
        let gradients = layer.backward(isa, &[], &[], &[1.0; 6], &[], true);
        assert_eq!(gradients.input, Some(Vec::new()));
        assert_eq!((gradients.weight, gradients.bias), (vec![0.0; 6], vec![0.0; 3]));
    }
}

#[test]
fn slices_of_other_lengths_are_refused() {
    let refuses = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    for isa in Isa::available() {
        let layer = Linear::new(2, 3, Nonlinearity::Relu);
        let (input, weight, bias, output) = ([1.0; 8], [1.0; 6], [1.0; 3], [1.0; 12]);
        let forward = |input: &[f32], weight: &[f32], bias: &[f32]| drop(layer.forward(isa, input, weight, bias));
        assert!(!refuses(&|| forward(&input, &weight, &bias)));
        assert!(refuses(&|| forward(&input[1..], &weight, &bias)));
        assert!(refuses(&|| forward(&input, &weight[1..], &bias)));
        assert!(refuses(&|| forward(&input, &weight, &bias[1..])));
        let backward = |gradient: &[f32], input: &[f32], output: &[f32]| {
            drop(layer.backward(isa, gradient, input, &weight, output, true));
        };
        assert!(!refuses(&|| backward(&output, &input, &output)));
        assert!(refuses(&|| backward(&output[3..], &input, &output)));
        assert!(refuses(&|| backward(&output, &input[2..], &output)));
        assert!(refuses(&|| backward(&output, &input, &output[1..])));
        assert!(refuses(&|| drop(PackedLinear::new(isa, layer, &weight[1..], &bias))));
        assert!(refuses(&|| drop(PackedLinear::new(isa, layer, &weight, &bias[1..]))));
        let packed = PackedLinear::new(isa, layer, &weight, &bias);
        assert!(refuses(&|| drop(packed.forward(&input[1..]))));
    }
    for (inputs, outputs) in [(0, 1), (1, 0), (usize::MAX / 2, 4), (1 << 40, 1 << 40)] {
        assert!(refuses(&|| _ = Linear::new(inputs, outputs, Nonlinearity::Relu)));
    }
}
