//! A network's weights as the page takes them: a matrix of whole numbers for each stage, with a step for each of its columns.
//!
//! The page computes every stage as a product of matrices, for which rows and columns are put in its own order: pixels with
//! their channels side by side. `page/layers.js` reads what this writes.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use morphvae::Device;
use morphvae::network::{Activation, Inference, Layer, Shape, Stage, Vae};
use serde::Serialize;

/// The largest whole number of a column: of 8 bits, and of 16 in a small stage, where that costs nothing.
const LARGEST: f32 = 127.0;
const LARGEST_OF_FEW: f32 = 32_000.0;
/// A stage with fewer weights is small.
const FEW: usize = 1 << 16;

/// A network whose weights are rounded.
pub(super) struct Rounded {
    /// The network with the weights that the page has.
    pub network: Inference,
    /// How many weights there are.
    pub count: usize,
    /// What the page is told of the stages.
    pub stages: Stages,
    /// All steps and biases, 32-bit numbers, stage by stage; then, stage by stage, the low bytes of all whole numbers and
    /// their high bytes. Compressed.
    pub packed: Vec<u8>,
}

/// The stages of a network, in the order in which their numbers are packed.
#[derive(Serialize)]
pub(super) struct Stages {
    encoder: Vec<PackedStage>,
    mean: PackedStage,
    log_variance: PackedStage,
    decoder: Vec<PackedStage>,
}

/// A stage as the page computes it. Its keys are a contract with the page.
#[derive(Serialize)]
struct PackedStage {
    layer: &'static str,
    kernel: usize,
    padding: usize,
    activation: &'static str,
    pool: bool,
    /// Channels and side.
    input: [usize; 2],
    output: [usize; 2],
}

/// What is packed so far.
#[derive(Default)]
struct Numbers {
    floats: Vec<u8>,
    levels: Vec<u8>,
}

impl Rounded {
    /// Rounds a network's weights.
    pub fn of(network: &Vae) -> Self {
        let folded = network.folded();
        let plan = folded.config().plan();
        let mut state = folded.state();
        let mut numbers = Numbers::default();
        let mut pack = |stage: &Stage| {
            let [bias, weight] = ["bias", "weight"].map(|tensor| format!("{}.0.{tensor}", stage.name));
            let bias = &state[&bias].values;
            let order = Order(stage);
            let mut biases = Vec::with_capacity(bias.len());
            biases.extend((0..bias.len()).map(|index| bias[order.bias(index)]));
            let weight = &mut state.get_mut(&weight).expect("the plan names every tensor").values;
            let largest = if weight.len() < FEW { LARGEST_OF_FEW } else { LARGEST };
            numbers.add(order, &biases, weight, largest);
            PackedStage::of(stage)
        };
        let stages = Stages {
            encoder: plan.encoder.iter().map(&mut pack).collect(),
            mean: pack(&plan.mean),
            log_variance: pack(&plan.log_variance),
            decoder: plan.decoder.iter().map(&mut pack).collect(),
        };
        let rounded = Vae::from_state(folded.config().clone(), &state, folded.likelihood(), &Device::flex());
        Self {
            network: Inference::new(&rounded.expect("the names and shapes are the network's own")),
            count: numbers.levels.len() / 2,
            stages,
            packed: deflate(&[numbers.floats, numbers.levels].concat()),
        }
    }
}

impl Numbers {
    /// Rounds a stage's weights, in place, and takes them.
    fn add(&mut self, order: Order, biases: &[f32], weight: &mut [f32], largest: f32) {
        let [rows, columns] = order.size();
        let mut steps = vec![0.0_f32; columns];
        for (place, column) in order.places() {
            steps[column] = steps[column].max(weight[place].abs());
        }
        steps.iter_mut().for_each(|step| *step /= largest);
        let mut low = Vec::with_capacity(rows * columns);
        let mut high = Vec::with_capacity(rows * columns);
        for (place, column) in order.places() {
            let step = steps[column];
            let level = if step > 0.0 {
                (weight[place] / step).round()
            } else {
                0.0
            };
            weight[place] = level * step;
            // The nearest multiple of 256 and the rest: of small numbers the first is zero, and takes no room.
            let above = (level as i16 + 128) >> 8;
            low.push((level as i16 - 256 * above) as u8);
            high.push(above as u8);
        }
        self.floats
            .extend(steps.iter().chain(biases).flat_map(|number| number.to_le_bytes()));
        self.levels.extend(low);
        self.levels.extend(high);
    }
}

/// Where the numbers of a stage's matrix lie in PyTorch's tensors.
#[derive(Clone, Copy)]
struct Order<'a>(&'a Stage);

impl Order<'_> {
    /// Rows and columns.
    fn size(self) -> [usize; 2] {
        let (input, output) = (self.0.input, self.0.output);
        match self.0.layer {
            Layer::Linear => [input.length(), output.length()],
            Layer::Convolution { kernel, .. } => [kernel * kernel * input.channels, output.channels],
            Layer::TransposedConvolution { kernel, .. } => [input.channels, kernel * kernel * output.channels],
        }
    }

    /// The place of each number in the weight, row after row, and its column.
    fn places(self) -> impl Iterator<Item = (usize, usize)> {
        let [rows, columns] = self.size();
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (self.place(row, column), column)))
    }

    fn place(self, row: usize, column: usize) -> usize {
        let (input, output) = (self.0.input, self.0.output);
        match self.0.layer {
            Layer::Linear => planar(output, column) * input.length() + planar(input, row),
            Layer::Convolution { kernel, .. } => {
                let (tap, channel) = (row / input.channels, row % input.channels);
                (column * input.channels + channel) * kernel * kernel + tap
            }
            Layer::TransposedConvolution { kernel, .. } => {
                let (tap, channel) = (column / output.channels, column % output.channels);
                (row * output.channels + channel) * kernel * kernel + tap
            }
        }
    }

    fn bias(self, index: usize) -> usize {
        match self.0.layer {
            Layer::Linear => planar(self.0.output, index),
            Layer::Convolution { .. } | Layer::TransposedConvolution { .. } => index,
        }
    }
}

/// Where a value of a map lies in PyTorch's order, channel after channel.
fn planar(shape: Shape, index: usize) -> usize {
    (index % shape.channels) * shape.side * shape.side + index / shape.channels
}

impl PackedStage {
    fn of(stage: &Stage) -> Self {
        let (layer, kernel, padding) = match stage.layer {
            Layer::Linear => ("linear", 1, 0),
            Layer::Convolution { kernel, padding } => ("convolution", kernel, padding),
            Layer::TransposedConvolution { kernel, padding } => ("transposed", kernel, padding),
        };
        let sizes = |shape: Shape| [shape.channels, shape.side];
        Self {
            layer,
            kernel,
            padding,
            activation: match stage.activation {
                Activation::Identity => "identity",
                Activation::Relu => "relu",
                Activation::Tanh => "tanh",
                Activation::Softplus => "softplus",
                Activation::Sigmoid => "sigmoid",
            },
            pool: stage.max_pool,
            input: sizes(stage.input),
            output: sizes(stage.output),
        }
    }
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes all bytes")
}
