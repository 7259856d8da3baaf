//! No numbers that safe code passes make a kernel leave a slice: they are refused, or everything is as long as it should
//! be. Under AddressSanitizer (`just sanitize`) a kernel that does is found at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use morphvae_kernels::{
    Activation, Adam, Block, FoldedBlock, Isa, Parameters, RunningStatistics, adam_step, cross_entropy,
    cross_entropy_gradient,
};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Layer {
    Convolution,
    TransposedConvolution,
    Flattening,
    Expansion,
}

/// What a block is made of, possible or not.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    layer: Layer,
    batch: usize,
    height: usize,
    width: usize,
    inputs: usize,
    outputs: usize,
}

impl Sizes {
    fn block(self) -> Block {
        let (batch, size, inputs, outputs) = (self.batch, (self.height, self.width), self.inputs, self.outputs);
        match self.layer {
            Layer::Convolution => Block::convolution(batch, size, inputs, outputs),
            Layer::TransposedConvolution => {
                Block::transposed_convolution(batch, size, inputs, outputs, Activation::Sigmoid)
            }
            Layer::Flattening => Block::flattening(batch, size, inputs, outputs),
            Layer::Expansion => Block::expansion(batch, size, inputs, outputs),
        }
    }

    /// Floats of input, weight and output, and of the layer's map before pooling; `None` if a slice cannot have them all.
    fn lengths(self) -> Option<[usize; 4]> {
        let (batch, inputs, outputs) = (self.batch, self.inputs, self.outputs);
        let (height, width) = (self.height, self.width);
        let [input, weight, map] = match self.layer {
            Layer::Convolution => [(height, width), (3, 3), (height, width)],
            Layer::TransposedConvolution => [(height, width), (4, 4), (height.checked_mul(2)?, width.checked_mul(2)?)],
            Layer::Flattening => [(height, width), (height, width), (1, 1)],
            Layer::Expansion => [(1, 1), (height, width), (height, width)],
        };
        let pooled = match self.layer {
            Layer::Convolution => (height / 2, width / 2),
            _ => map,
        };
        let length = |images: usize, (height, width): (usize, usize), channels: usize| {
            let factors = [images, height, width, channels].map(|factor| factor as u128);
            let length = factors.into_iter().try_fold(1u128, u128::checked_mul)?;
            (length <= isize::MAX as u128 / 4).then_some(length as usize)
        };
        Some([
            length(batch, input, inputs)?,
            length(inputs, weight, outputs)?,
            length(batch, pooled, outputs)?,
            length(batch, map, outputs)?,
        ])
    }
}

/// Small sizes, and such whose products wrap around to small ones: a high power of two and a little more.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        6 => proptest::sample::select(vec![1usize, 2, 3, 4, 8, 16, 17]),
        3 => (usize::BITS - 10..usize::BITS, 0usize..5).prop_map(|(power, more)| (1 << power) + more),
        1 => any::<usize>().prop_map(|size| size.max(1)),
    ]
}

fn sizes<S: Strategy<Value = usize>>(size: impl Fn() -> S) -> impl Strategy<Value = Sizes> {
    let layer = prop_oneof![
        Just(Layer::Convolution),
        Just(Layer::TransposedConvolution),
        Just(Layer::Flattening),
        Just(Layer::Expansion),
    ];
    (layer, size(), size(), size(), size(), size()).prop_map(|(layer, batch, height, width, inputs, outputs)| {
        // What is pooled must be even.
        let even = |size: usize| match layer {
            Layer::Convolution => size.div_ceil(2).saturating_mul(2) & !1,
            _ => size,
        };
        Sizes {
            layer,
            batch,
            height: even(height),
            width: even(width),
            inputs,
            outputs,
        }
    })
}

/// A block's slices.
struct Values {
    input: Vec<f32>,
    weight: Vec<f32>,
    channels: Vec<f32>,
    output_gradient: Vec<f32>,
}

impl Values {
    fn new(block: &Block) -> Self {
        let values = |length: usize| (0..length).map(|index| (index % 13) as f32 / 6.5 - 1.0).collect();
        Self {
            input: values(block.input_length()),
            weight: values(block.weight_length()),
            channels: vec![1.0; block.out_channels()],
            output_gradient: values(block.output_length()),
        }
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters {
            weight: &self.weight,
            bias: &self.channels,
            gamma: &self.channels,
            beta: &self.channels,
            epsilon: 1e-5,
        }
    }

    fn fold(&self, isa: Isa, block: &Block) -> FoldedBlock {
        let statistics = RunningStatistics {
            mean: &self.channels,
            variance: &self.channels,
        };
        FoldedBlock::new(isa, block, &self.parameters(), &statistics)
    }
}

/// Runs all that a block can do, with slices as long as it says itself.
fn run(block: &Block) {
    let values = Values::new(block);
    for isa in Isa::available() {
        let forward = block.forward(isa, &values.input, &values.parameters());
        assert_eq!(forward.output.len(), block.output_length());
        let (gradient, input) = (&values.output_gradient, &values.input);
        let gradients = block.backward(isa, gradient, input, &values.parameters(), &forward.state, true);
        assert_eq!(
            gradients.input.map(|gradient| gradient.len()),
            Some(block.input_length())
        );
        assert_eq!(gradients.weight.len(), block.weight_length());
        let folded = values.fold(isa, block);
        assert_eq!(folded.forward(&values.input).len(), block.output_length());
        // The folded block takes its batch from the input.
        let twice = values.input.repeat(2);
        assert_eq!(folded.forward(&twice).len(), 2 * block.output_length());
        assert!(folded.forward(&[]).is_empty());
    }
}

fn is_refused<T>(call: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_block_is_possible_only_if_a_slice_can_be_as_long_as_each_of_its_arrays(sizes in sizes(size)) {
        let block = catch_unwind(|| sizes.block()).ok();
        if let Some(block) = block
            && [block.input_length(), block.weight_length(), block.output_length(), block.out_channels()]
                .iter()
                .all(|length| *length <= 1 << 14)
        {
            run(&block);
        }
        let found = block.map(|block| [block.input_length(), block.weight_length(), block.output_length()]);
        let expected = sizes.lengths();
        prop_assert_eq!(found, expected.map(|[input, weight, output, _]| [input, weight, output]));
        if let (Some(block), Some([.., map])) = (block, expected) {
            prop_assert_eq!(block.rows(), map / sizes.outputs);
        }
    }

    #[test]
    fn slices_of_another_length_are_refused(
        sizes in sizes(|| 1usize..6),
        which in 0usize..4,
        by in prop_oneof![Just(-1isize), Just(1), -40isize..40],
    ) {
        let block = sizes.block();
        let isa = Isa::detect();
        let right = Values::new(&block);
        let mut wrong = Values::new(&block);
        let slice = match which {
            0 => &mut wrong.input,
            1 => &mut wrong.weight,
            2 => &mut wrong.channels,
            _ => &mut wrong.output_gradient,
        };
        let length = slice.len();
        slice.resize(length.saturating_add_signed(by), 0.0);
        prop_assume!(slice.len() != length);

        let is_gradient = which == 3;
        prop_assert_eq!(is_refused(|| block.forward(isa, &wrong.input, &wrong.parameters())), !is_gradient);
        let state = block.forward(isa, &right.input, &right.parameters()).state;
        let backward =
            || block.backward(isa, &wrong.output_gradient, &wrong.input, &wrong.parameters(), &state, true);
        prop_assert!(is_refused(backward));
        let folds = matches!(which, 1 | 2);
        prop_assert_eq!(is_refused(|| wrong.fold(isa, &block)), folds);
        let image = block.input_length() / sizes.batch;
        let is_whole = wrong.input.len().is_multiple_of(image);
        prop_assert_eq!(is_refused(|| right.fold(isa, &block).forward(&wrong.input)), !is_whole);
    }

    #[test]
    fn adam_and_the_cross_entropy_take_slices_that_belong_together(
        lengths in proptest::collection::vec(prop_oneof![2 => Just(12usize), 1 => 0usize..20], 4),
        batch in prop_oneof![1 => Just(3usize), 1 => size(), 1 => 0usize..20],
    ) {
        let settings = Adam { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
        let mut slices: Vec<_> = lengths.iter().map(|length| vec![0.5f32; *length]).collect();
        let is_one_length = lengths.iter().all(|length| *length == lengths[0]);
        let is_whole = |batch: usize| {
            let pixels = lengths[1];
            let is_whole = pixels > 0 && batch > 0 && pixels.is_multiple_of(batch);
            // As many images, or one.
            is_whole && (lengths[0] == pixels || lengths[0] == pixels / batch)
        };
        for isa in Isa::available() {
            let (images, reconstruction, weights) = (&slices[0], &slices[1], &slices[2]);
            let losses = || cross_entropy(isa, images, reconstruction, batch, 1e-7).len();
            prop_assert_eq!(catch_unwind(AssertUnwindSafe(losses)).ok(), is_whole(batch).then_some(batch));
            let gradient = || cross_entropy_gradient(isa, images, reconstruction, weights, 1e-7).len();
            let expected = is_whole(weights.len()).then_some(reconstruction.len());
            prop_assert_eq!(catch_unwind(AssertUnwindSafe(gradient)).ok(), expected);
            let [parameter, gradient, first, second] = slices.get_disjoint_mut([0, 1, 2, 3]).unwrap();
            let step = || adam_step(isa, &settings, 1, parameter, gradient, first, second);
            prop_assert_eq!(is_refused(step), !is_one_length);
        }
    }
}

/// Blocks that once left their slices: each length is small, because its product wraps around.
#[test]
#[cfg(target_pointer_width = "64")]
fn sizes_whose_lengths_wrap_around_are_refused() {
    let activation = Activation::Relu;
    // An input of 4 floats and an output of 16; a weight of 8192.
    assert!(is_refused(|| run(&Block::transposed_convolution(
        1,
        (1, (1 << 62) + 1),
        4,
        4,
        activation
    ))));
    assert!(is_refused(|| run(&Block::transposed_convolution(
        1,
        (4, 8),
        (1 << 59) + 256,
        2,
        activation
    ))));
    // A map whose height alone wraps around, in each way of computing it.
    for channels in [4, 16] {
        assert!(is_refused(|| run(&Block::transposed_convolution(
            1,
            ((1 << 63) + 1, 1),
            channels,
            channels,
            activation
        ))));
        assert!(is_refused(|| run(&Block::convolution(
            1,
            ((1 << 62) + 2, 2),
            channels,
            channels
        ))));
    }
    assert!(is_refused(|| run(&Block::flattening(4, (1, 1), (1 << 62) + 3, 4))));
    assert!(is_refused(|| run(&Block::linear((1 << 62) + 1, 4, 4))));
    assert!(is_refused(|| run(&Block::expansion(4, ((1 << 62) + 1, 1), 4, 1))));
}
