//! Times each block of the reference network forward and backward, Adam and decoding.
//!
//! `cargo run --release -p morphvae-kernels --example blocks -- [BATCH] [ROUNDS] [ISA]`

use std::time::Instant;

use morphvae_kernels::{Activation, Adam, Block, FoldedBlock, Isa, Parameters, RunningStatistics, adam_step};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let batch = arguments
        .next()
        .map_or(30, |text| text.parse().expect("BATCH is a number"));
    let rounds: usize = arguments
        .next()
        .map_or(15, |text| text.parse().expect("ROUNDS is a number"));
    let isa = arguments.next().map_or(Isa::detect(), |name| {
        Isa::by_name(&name).expect("ISA is on this processor")
    });
    println!("{isa:?}, {} threads, batch {batch}", rayon::current_num_threads());
    training(isa, batch, rounds);
    adam(isa, batch, rounds);
    for batch in [1, 30, 256] {
        decoding(isa, batch, rounds);
    }
}

fn encoder(batch: usize) -> Vec<(&'static str, Block)> {
    vec![
        ("conv1", Block::convolution(batch, (32, 32), 1, 64)),
        ("conv2", Block::convolution(batch, (16, 16), 64, 128)),
        ("conv3", Block::convolution(batch, (8, 8), 128, 256)),
        ("conv4", Block::flattening(batch, (4, 4), 256, 512)),
    ]
}

fn decoder(batch: usize) -> Vec<(&'static str, Block)> {
    vec![
        ("decoder", Block::linear(batch, 2, 512)),
        ("convTrans1", Block::expansion(batch, (4, 4), 512, 256)),
        (
            "convTrans2",
            Block::transposed_convolution(batch, (4, 4), 256, 128, Activation::Relu),
        ),
        (
            "convTrans3",
            Block::transposed_convolution(batch, (8, 8), 128, 64, Activation::Relu),
        ),
        (
            "convTrans4",
            Block::transposed_convolution(batch, (16, 16), 64, 1, Activation::Sigmoid),
        ),
    ]
}

struct Values {
    input: Vec<f32>,
    weight: Vec<f32>,
    channels: Vec<f32>,
    gradient: Vec<f32>,
}

fn values(block: &Block) -> Values {
    let wave = |length: usize| {
        (0..length)
            .map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0)
            .collect::<Vec<_>>()
    };
    Values {
        input: wave(block.input_length()),
        weight: wave(block.weight_length()),
        channels: vec![0.5; block.out_channels()],
        gradient: wave(block.output_length()),
    }
}

impl Values {
    fn parameters(&self) -> Parameters<'_> {
        let (weight, channels) = (&self.weight, &self.channels);
        Parameters {
            weight,
            bias: channels,
            gamma: channels,
            beta: channels,
            epsilon: 1e-5,
        }
    }
}

fn training(isa: Isa, batch: usize, rounds: usize) {
    let blocks: Vec<_> = encoder(batch).into_iter().chain(decoder(batch)).collect();
    let values: Vec<_> = blocks.iter().map(|(_, block)| values(block)).collect();
    let mut forward_times = vec![Vec::new(); blocks.len()];
    let mut backward_times = vec![Vec::new(); blocks.len()];
    let mut step_times = Vec::new();
    for _ in 0..rounds {
        let step = Instant::now();
        let mut states = Vec::new();
        for ((index, (_, block)), values) in blocks.iter().enumerate().zip(&values) {
            let start = Instant::now();
            states.push(block.forward(isa, &values.input, &values.parameters()));
            forward_times[index].push(start.elapsed().as_secs_f64());
        }
        for (index, (_, block)) in blocks.iter().enumerate().rev() {
            let start = Instant::now();
            let (values, state) = (&values[index], states.pop().expect("one state per block").state);
            let gradients = block.backward(
                isa,
                &values.gradient,
                &values.input,
                &values.parameters(),
                &state,
                index > 0,
            );
            backward_times[index].push(start.elapsed().as_secs_f64());
            std::hint::black_box(gradients);
        }
        step_times.push(step.elapsed().as_secs_f64());
    }
    println!(
        "{:12} {:>9} {:>9} {:>9} {:>9}",
        "block", "fwd ms", "GFLOP/s", "bwd ms", "GFLOP/s"
    );
    for (index, (name, block)) in blocks.iter().enumerate() {
        let flops = 2e-9 * block.multiply_adds() as f64;
        let (forward, backward) = (median(&mut forward_times[index]), median(&mut backward_times[index]));
        let backward_flops = flops * if index > 0 { 2.0 } else { 1.0 };
        println!(
            "{name:12} {:9.3} {:9.1} {:9.3} {:9.1}",
            1e3 * forward,
            flops / forward,
            1e3 * backward,
            backward_flops / backward
        );
    }
    let step = median(&mut step_times);
    println!(
        "all blocks   {:9.3} ms, {:.0} images/s; best {:.3} ms",
        1e3 * step,
        batch as f64 / step,
        1e3 * step_times[0]
    );
}

fn adam(isa: Isa, batch: usize, rounds: usize) {
    let settings = Adam {
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 1e-5,
    };
    let lengths: Vec<_> = encoder(batch)
        .into_iter()
        .chain(decoder(batch))
        .map(|(_, block)| block.weight_length())
        .collect();
    let mut arrays: Vec<_> = lengths.iter().map(|n| [(); 4].map(|()| vec![0.5f32; *n])).collect();
    let mut times = Vec::new();
    for step in 1..=rounds {
        let start = Instant::now();
        for [parameter, gradient, first, second] in &mut arrays {
            adam_step(isa, &settings, step as u32, parameter, gradient, first, second);
        }
        times.push(start.elapsed().as_secs_f64());
    }
    println!(
        "adam         {:9.3} ms for {} weights",
        1e3 * median(&mut times),
        lengths.iter().sum::<usize>()
    );
}

fn decoding(isa: Isa, batch: usize, rounds: usize) {
    let blocks: Vec<_> = decoder(1)
        .iter()
        .map(|(_, block)| {
            let values = values(block);
            let statistics = RunningStatistics {
                mean: &values.channels,
                variance: &values.channels,
            };
            FoldedBlock::new(isa, block, &values.parameters(), &statistics)
        })
        .collect();
    let latent = vec![0.3; batch * 2];
    let mut times = Vec::new();
    for _ in 0..rounds * (1 + 30 / batch) {
        let start = Instant::now();
        let image = blocks.iter().fold(latent.clone(), |map, block| block.forward(&map));
        times.push(start.elapsed().as_secs_f64());
        std::hint::black_box(image);
    }
    let time = median(&mut times);
    println!(
        "decoding batch {batch:3}: {:9.3} ms, {:.0} images/s",
        1e3 * time,
        batch as f64 / time
    );
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[if std::env::var_os("BEST").is_some() {
        0
    } else {
        times.len() / 2
    }]
}
