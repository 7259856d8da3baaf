//! `morphvae bench`

use clap::Args;
use std::time::Duration;

use morphvae::benchmark::{self, Machine, Speed, StageTime};
use morphvae::device::{DeviceChoice, DeviceKind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::arguments::ModelArgument;
use crate::arguments::values::measurement;
use crate::console::Console;
use crate::device;
use crate::model;

#[derive(Debug, Args)]
pub struct BenchArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    /// Time for each measurement
    #[arg(long, value_name = "S", default_value = "3", value_parser = measurement, allow_negative_numbers = true)]
    pub seconds: f64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Images a training step: the first is the default, and its memory and operations are those reported.
const TRAINING: [usize; 3] = [30, 100, 128];
/// Points decoded at a time.
const DECODING: [usize; 3] = [1, 30, 256];
/// The same on a GPU, which wants more at a time.
const TRAINING_ON_A_GPU: [usize; 3] = [30, 128, 1024];
const DECODING_ON_A_GPU: [usize; 3] = [1, 30, 1024];
/// Points at a time from which an image's likelihood is seen.
const EVALUATION: usize = 1000;

/// Why a kernel can be faster than the machine.
const COUNTED: &str = "
GFLOP/s count the multiplications and additions of the layers as they are defined. Wide convolutions are
computed by Winograd's minimal filtering, with 1.8 to 4 times fewer multiplications: their figures, and that
of the whole training, can be above what the machine does with nothing but multiply-adds.";

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Report {
    device: String,
    training: Vec<Value>,
    decoding: Vec<Value>,
    evaluation: Vec<Value>,
    gflops: f64,
    /// Of the processor, where it is what computes.
    peak_gflops: Option<f64>,
    peak_fraction: Option<f64>,
    peak_memory_bytes: Option<u64>,
    threads: usize,
    simd: &'static str,
    blocks: Vec<Value>,
}

pub fn run(arguments: &BenchArguments, choice: DeviceChoice, console: Console) -> anyhow::Result<()> {
    let opened = device::open(choice, console)?;
    let model = model::open(&arguments.model, console)?.on(&opened.device);
    let is_processor = opened.kind == DeviceKind::Cpu;
    let time = Duration::from_secs_f64(arguments.seconds);
    console.note(format!(
        "about {:.0} s; let the machine rest",
        arguments.seconds * if is_processor { 12.0 } else { 7.0 }
    ));

    let network = model.network();
    let (batches, points) = match is_processor {
        true => (TRAINING, DECODING),
        false => (TRAINING_ON_A_GPU, DECODING_ON_A_GPU),
    };
    let first = benchmark::training(network, batches[0], time)?;
    // Later measurements take more memory than training by default does.
    let memory = benchmark::peak_memory();
    let mut training = vec![first];
    for batch in &batches[1..] {
        training.push(benchmark::training(network, *batch, time)?);
    }
    let inference = model.inference();
    let decoding = points.map(|batch| benchmark::decoding(inference, batch, time));
    let evaluation = benchmark::evaluation(inference, EVALUATION, time);
    // The kernels that these are of are the processor's.
    let stages = match is_processor {
        true => benchmark::stages(network, TRAINING[0], time / 4),
        false => Vec::new(),
    };
    let machine = Machine::measure();

    let speed = first.images_per_second * benchmark::training_operations(network) as f64;
    let peak = is_processor.then_some(machine.peak);
    let report = Report {
        device: opened.choice.to_string(),
        training: training.iter().map(speed_json).collect(),
        decoding: decoding.iter().map(speed_json).collect(),
        evaluation: vec![speed_json(&evaluation)],
        gflops: speed * 1e-9,
        peak_gflops: peak.map(|peak| peak * 1e-9),
        peak_fraction: peak.map(|peak| speed / peak),
        peak_memory_bytes: memory,
        threads: machine.threads,
        simd: machine.simd,
        blocks: stages.iter().map(stage_json).collect(),
    };
    if arguments.json {
        return Ok(console.json(&report)?);
    }
    console.print(&match report.peak_gflops {
        Some(peak) => format!(
            "machine   {}, {} thread(s), {peak:.0} GFLOP/s with nothing but multiply-adds\n",
            report.simd, report.threads
        ),
        None => format!("device    {}, {}\n", report.device, device::name(&opened)),
    })?;
    console.print(&speed_lines("training", &training))?;
    console.print(&format!(
        "          {:.0} GFLOP/s at batch {}{}; {}\n",
        report.gflops,
        first.batch,
        report
            .peak_fraction
            .map_or_else(String::new, |fraction| format!(", {:.0} % of that", 100.0 * fraction)),
        memory.map_or_else(
            || "peak memory unknown".to_owned(),
            |bytes| format!("peak memory {:.0} MB", bytes as f64 * 1e-6)
        )
    ))?;
    console.print(&speed_lines("decoding", &decoding))?;
    console.print(&format!(
        "likelihood of an image, {} points at a time  {:6.0} points/s",
        evaluation.batch, evaluation.images_per_second
    ))?;
    if is_processor {
        console.print(&stage_lines(&stages))?;
        console.print(COUNTED)?;
    }
    Ok(())
}

fn speed_json(speed: &Speed) -> Value {
    json!({ "batch": speed.batch, "images_per_second": speed.images_per_second })
}

fn stage_json(stage: &StageTime) -> Value {
    json!({
        "name": stage.name,
        "forward_seconds": stage.forward,
        "backward_seconds": stage.backward,
        "gflops": stage.operations_per_second * 1e-9,
    })
}

fn speed_lines(name: &str, speeds: &[Speed]) -> String {
    let line = |(index, speed): (usize, &Speed)| {
        let name = if index == 0 { name } else { "" };
        format!(
            "{name:9} batch {:3}  {:6.0} images/s\n",
            speed.batch, speed.images_per_second
        )
    };
    speeds
        .iter()
        .enumerate()
        .map(line)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn stage_lines(stages: &[StageTime]) -> String {
    let mut text = format!("\nstage, batch {:3}  forward  backward  GFLOP/s\n", TRAINING[0]);
    for stage in stages {
        text.push_str(&format!(
            "{:15} {:6.2} ms {:6.2} ms  {:7.0}\n",
            stage.name,
            1e3 * stage.forward,
            1e3 * stage.backward,
            stage.operations_per_second * 1e-9
        ));
    }
    text.trim_end().to_owned()
}
