//! How fast this machine trains and decodes with a network, and where the time goes.
//!
//! Times are medians: of the steps of a training, of calls of a decoder, of runs of a block. Images are noise, which
//! takes as long as any other.

use std::fs;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor, TensorData};
use morphvae_kernels::{Block, Isa, Linear, Parameters, multiply_add_peak};
use rand::RngExt;

use crate::data::{Images, Split};
use crate::network::{Inference, Kernel, Stage, StageWeights, Vae, kernels};
use crate::random::{Purpose, generator};
use crate::training::{Outcome, Progress, Training, TrainingConfig, TrainingData, TrainingError};

/// Each measurement is repeated at least so often, however long it takes.
const REPETITIONS: usize = 5;
/// Steps of a training that are timed together on a GPU, which is behind with its work whenever another is asked for.
const STEPS_AT_A_TIME: usize = 10;
/// Floating-point operations of a training step for each multiply-add of the forward pass: a multiplication and an
/// addition there, in the gradient of the input and in that of the weight.
const OPERATIONS_PER_MULTIPLY_ADD: usize = 6;

/// How many images a second go through at a batch size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Images at a time.
    pub batch: usize,
    /// The median's images a second.
    pub images_per_second: f64,
}

/// What one stage of the network takes in a training step.
#[derive(Clone, Debug)]
pub struct StageTime {
    /// Its name in a weight file, without its layers: `conv1`.
    pub name: String,
    /// Seconds of the forward pass.
    pub forward: f64,
    /// Seconds of the backward pass.
    pub backward: f64,
    /// Floating-point operations a second in both together, as the layer is defined: a kernel that needs fewer of
    /// them for the same result can exceed what the processor does.
    pub operations_per_second: f64,
}

/// What this machine computes with.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// The vector instructions in use: `avx512`, `avx2`, `neon` or `portable`.
    pub simd: &'static str,
    /// Threads.
    pub threads: usize,
    /// Floating-point operations a second of all threads with nothing but fused multiply-adds.
    pub peak: f64,
}

impl Machine {
    /// Looks and measures.
    #[must_use]
    pub fn measure() -> Self {
        Self {
            simd: Isa::detect().name(),
            threads: rayon::current_num_threads(),
            peak: multiply_add_peak(Isa::detect()),
        }
    }
}

/// Whole training steps, data preparation and optimizer included, for about `time`, with the network's likelihood.
///
/// # Errors
/// [`TrainingError`] when training fails, as it does when its loss leaves the finite numbers, or for a batch of one.
pub fn training(network: &Vae, batch: usize, time: Duration) -> Result<Speed, TrainingError> {
    let config = network.config();
    let images = |count: usize| {
        let pixels = noise(count * config.image_length());
        let bytes = pixels.into_iter().map(|value| (value * 255.0) as u8).collect();
        let images = Images::new(config.channels, config.image_size, config.image_size, bytes);
        let images = images.expect("whole images");
        Arc::new(Split {
            images,
            // One class is as good as another for a conditional network.
            labels: Some(vec![Some(0); count]),
            sources: None,
        })
    };
    let data = TrainingData::new(images(batch * 50), images(1));
    let settings = TrainingConfig {
        epochs: usize::MAX,
        batch_size: batch,
        likelihood: network.likelihood(),
        ..TrainingConfig::default()
    };
    let device = network.device();
    let at_a_time = match device == Device::flex() {
        true => 1,
        false => STEPS_AT_A_TIME,
    };
    let mut training = Training::new(network.clone(), settings)?;
    let mut stopwatch = Stopwatch::new(time);
    let mut steps = 0;
    loop {
        stopwatch.pause();
        let (next, outcome) = training.epoch(&data, &mut |progress| {
            steps += usize::from(matches!(progress, Progress::Train { .. }));
            if steps < at_a_time {
                return ControlFlow::Continue(());
            }
            steps = 0;
            // What goes wrong there is told by whoever reads from it.
            let _ = device.sync();
            stopwatch.lap()
        })?;
        if matches!(outcome, Outcome::Interrupted) {
            let speed = stopwatch.speed(batch * at_a_time);
            return Ok(Speed { batch, ..speed });
        }
        training = next;
    }
}

/// Floating-point operations of a training step for one image, as the layers are defined. The gradient of the images
/// themselves, a third of a percent, is among them although nobody asks for it.
#[must_use]
pub fn training_operations(network: &Vae) -> usize {
    OPERATIONS_PER_MULTIPLY_ADD * network.config().plan().multiply_adds()
}

/// Decoding of points of the latent space, for about `time`.
#[must_use]
pub fn decoding(network: &Inference, batch: usize, time: Duration) -> Speed {
    let shape = [batch, network.config().point()];
    let points = TensorData::new(noise(shape[0] * shape[1]), shape);
    let points = Tensor::<2>::from_data(points, &network.network().device());
    let mut stopwatch = Stopwatch::new(time);
    stopwatch.pause();
    loop {
        black_box(network.decode(points.clone()).into_data());
        if stopwatch.lap().is_break() {
            return stopwatch.speed(batch);
        }
    }
}

/// How likely one image of black and white pixels is, seen from so many points of the latent space, for about `time`: what
/// an importance-weighted estimate of its likelihood is made of. Counted are points, each an image decoded and compared.
#[must_use]
pub fn evaluation(network: &Inference, batch: usize, time: Duration) -> Speed {
    let (config, device) = (network.config(), network.network().device());
    let points = TensorData::new(noise(batch * config.point()), [batch, config.point()]);
    let points = Tensor::<2>::from_data(points, &device);
    let pixels = noise(config.image_length()).into_iter().map(f32::round).collect();
    let shape = [1, config.channels, config.image_size, config.image_size];
    let image = Tensor::<4>::from_data(TensorData::new(pixels, shape), &device);
    let mut stopwatch = Stopwatch::new(time);
    stopwatch.pause();
    loop {
        let location = network.locate(points.clone());
        let image = image.clone().expand(location.dims());
        black_box(network.network().reconstruction_loss(image, location).into_data());
        if stopwatch.lap().is_break() {
            return stopwatch.speed(batch);
        }
    }
}

/// Each stage by itself on the processor, in the order of the network, for about `time` each.
///
/// # Panics
/// When `batch` is zero.
#[must_use]
pub fn stages(network: &Vae, batch: usize, time: Duration) -> Vec<StageTime> {
    let plan = network.config().plan();
    let stages = kernels(&plan, batch).enumerate();
    stages
        .map(|(index, (stage, kernel))| {
            // Nobody asks for the gradient of the images themselves.
            let needs_input = index > 0;
            let (forward, backward) = match kernel {
                Some(Kernel::Block(block)) => block_times(&block, needs_input, time),
                Some(Kernel::Linear(layer)) => linear_times(layer, batch, needs_input, time),
                None => plain_times(stage, batch, needs_input, time),
            };
            let passes = if needs_input { 3 } else { 2 };
            StageTime {
                name: stage.name.clone(),
                forward,
                backward,
                operations_per_second: (2 * passes * batch * stage.multiply_adds()) as f64 / (forward + backward),
            }
        })
        .collect()
}

/// Seconds of the forward and backward pass of a stage that has no kernel.
fn plain_times(stage: &Stage, batch: usize, needs_input: bool, time: Duration) -> (f64, f64) {
    let device = Device::flex().autodiff();
    let weights = StageWeights::fresh(stage, &device);
    let shape = [batch, stage.input.channels, stage.input.side, stage.input.side];
    let input = Tensor::<4>::from_data(TensorData::new(noise(batch * stage.input.length()), shape), &device);
    let input = input.set_require_grad(needs_input);
    let (mut forward, mut backward) = (Stopwatch::new(time), Stopwatch::new(time));
    loop {
        forward.pause();
        let (output, _) = weights.train_pass(input.clone());
        let done = forward.lap().is_break();
        backward.pause();
        black_box(output.sum().backward());
        if backward.lap().is_break() || done {
            return (forward.median(), backward.median());
        }
    }
}

/// Seconds of a block's forward and backward pass.
fn block_times(block: &Block, needs_input: bool, time: Duration) -> (f64, f64) {
    let isa = Isa::detect();
    let [input, weight, channels, gradient] = [
        block.input_length(),
        block.weight_length(),
        block.out_channels(),
        block.output_length(),
    ]
    .map(noise);
    let parameters = Parameters {
        weight: &weight,
        bias: &channels,
        gamma: &channels,
        beta: &channels,
        epsilon: 1e-5,
    };
    let (mut forward, mut backward) = (Stopwatch::new(time), Stopwatch::new(time));
    loop {
        forward.pause();
        let pass = block.forward(isa, &input, &parameters);
        let done = forward.lap().is_break();
        backward.pause();
        black_box(block.backward(isa, &gradient, &input, &parameters, &pass.state, needs_input));
        if backward.lap().is_break() || done {
            return (forward.median(), backward.median());
        }
    }
}

/// Seconds of a linear layer's forward and backward pass.
fn linear_times(layer: Linear, batch: usize, needs_input: bool, time: Duration) -> (f64, f64) {
    let isa = Isa::detect();
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let [input, weight, bias, gradient] = [batch * inputs, outputs * inputs, outputs, batch * outputs].map(noise);
    let (mut forward, mut backward) = (Stopwatch::new(time), Stopwatch::new(time));
    loop {
        forward.pause();
        let output = layer.forward(isa, &input, &weight, &bias);
        let done = forward.lap().is_break();
        backward.pause();
        black_box(layer.backward(isa, &gradient, &input, &weight, &output, needs_input));
        if backward.lap().is_break() || done {
            return (forward.median(), backward.median());
        }
    }
}

/// The most memory that this process ever had, in bytes; unknown where the system does not say.
#[must_use]
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Numbers in [0, 1).
fn noise(count: usize) -> Vec<f32> {
    let mut generator = generator(0, Purpose::Noise, 0);
    (0..count).map(|_| generator.random()).collect()
}

/// Takes the times of something repeated.
#[derive(Debug)]
struct Stopwatch {
    end: Instant,
    last: Instant,
    /// Seconds; the first lap warms up and does not count.
    laps: Vec<f64>,
}

impl Stopwatch {
    fn new(time: Duration) -> Self {
        let now = Instant::now();
        Self {
            end: now + time,
            last: now,
            laps: Vec::new(),
        }
    }

    /// Forgets the time since the last lap.
    fn pause(&mut self) {
        self.last = Instant::now();
    }

    /// Ends a lap; breaks when there were enough.
    fn lap(&mut self) -> ControlFlow<()> {
        let now = Instant::now();
        self.laps.push((now - self.last).as_secs_f64());
        self.last = now;
        if now >= self.end && self.laps.len() > REPETITIONS {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn median(&self) -> f64 {
        let mut laps = self.laps.get(1..).unwrap_or(&[]).to_vec();
        laps.sort_by(f64::total_cmp);
        laps.get(laps.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn speed(&self, batch: usize) -> Speed {
        Speed {
            batch,
            images_per_second: batch as f64 / self.median(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Architecture, NetworkConfig};

    #[test]
    fn the_reference_network_takes_as_many_operations_as_its_layers_say() {
        let network = Vae::new(NetworkConfig::default(), 0, &Device::flex()).unwrap();
        // Output pixels x taps x channels in x channels out, layer by layer.
        let encoder = 1024 * 9 * 64 + 256 * 9 * 64 * 128 + 64 * 9 * 128 * 256 + 16 * 256 * 512 + 2 * 512 * 2;
        let decoder = 2 * 512 + 16 * 512 * 256 + 16 * 16 * 256 * 128 + 64 * 16 * 128 * 64 + 256 * 16 * 64;
        assert_eq!(training_operations(&network), 6 * (encoder + decoder));
    }

    #[test]
    fn every_measurement_ends_with_a_speed() {
        let config = NetworkConfig {
            architecture: Architecture::Reference { base_channels: 2 },
            channels: 3,
            ..NetworkConfig::default()
        };
        let network = Vae::new(config, 0, &Device::flex()).unwrap();
        let time = Duration::from_millis(20);
        assert!(training(&network, 3, time).unwrap().images_per_second > 0.0);
        let inference = Inference::new(&network);
        assert!(decoding(&inference, 2, time).images_per_second > 0.0);
        assert!(evaluation(&inference, 2, time).images_per_second > 0.0);
        let stages = stages(&network, 2, Duration::ZERO);
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "conv1",
                "conv2",
                "conv3",
                "conv4",
                "mean",
                "var",
                "decoder",
                "convTrans1",
                "convTrans2",
                "convTrans3",
                "convTrans4"
            ]
        );
        assert!(stages.iter().all(|stage| stage.operations_per_second > 0.0));
    }
}
