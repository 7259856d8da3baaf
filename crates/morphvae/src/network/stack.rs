//! Stages one after another.

use burn::module::Module;
use burn::tensor::Tensor;
use morphvae_kernels::extension::{run_folded, run_linear};
use morphvae_kernels::{FoldedBlock, PackedLinear};

use super::Condition;
use super::accelerate::{Operations, ReadyKernel, heads_have_kernels};
use super::layers::{BatchNorm, BatchStatistics, Initializer, StageWeights};
use super::plan::{Shape, Stage};

/// A row of stages with their weights. What goes in and out is `[batch, channels, side, side]`.
#[derive(Module, Debug)]
pub(super) struct Stack {
    stages: Vec<StageWeights>,
}

impl Stack {
    pub fn new(stages: Vec<Stage>, initializer: &mut Initializer) -> Self {
        Self {
            stages: stages.into_iter().map(|stage| initializer.stage(stage)).collect(),
        }
    }

    /// An input with what the first stage is told of it.
    pub fn told(&self, input: Tensor<4>, condition: &Condition) -> Tensor<4> {
        match self.stages.first() {
            Some(first) => condition.join(input, &first.stage),
            None => input,
        }
    }

    /// Through all stages with the batch's own statistics, which are added to `statistics`.
    pub fn train_pass(&self, x: Tensor<4>, operations: Operations, statistics: &mut Vec<BatchStatistics>) -> Tensor<4> {
        self.stages.iter().fold(x, |x, stage| {
            let (x, seen) = stage.train_with(operations, x);
            statistics.extend(seen);
            x
        })
    }

    /// The same with the running statistics.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        self.stages.iter().fold(x, |x, stage| stage.apply(x))
    }

    /// What computes the heads behind this stack, an encoder, where these operations compute it.
    pub fn operations_of_heads(&self, operations: Operations) -> Operations {
        match self.stages.last() {
            Some(last) if heads_have_kernels(&last.stage) => operations,
            _ => Operations::Plain,
        }
    }

    /// The stages, in their order.
    pub fn stages(&self) -> impl Iterator<Item = &StageWeights> {
        self.stages.iter()
    }

    /// The batch norms, in the order in which a training pass meets them.
    pub fn normalizations(&mut self) -> impl Iterator<Item = &mut BatchNorm> {
        self.stages.iter_mut().filter_map(|stage| stage.normalization.as_mut())
    }

    /// The stages made ready to be run again and again, with the running statistics.
    pub fn ready(&self, operations: Operations) -> ReadyStack {
        let mut parts = Vec::new();
        for stage in &self.stages {
            let ready = match operations == Operations::Kernels {
                true => stage.ready(),
                false => None,
            };
            match (ready, parts.last_mut()) {
                (Some(ReadyKernel::Block(block)), Some(Part::Blocks(blocks))) => blocks.push(block),
                (Some(ReadyKernel::Block(block)), _) => parts.push(Part::Blocks(vec![block])),
                (Some(ReadyKernel::Linear(layer)), Some(Part::Linear { layers, output })) => {
                    layers.push(layer);
                    *output = stage.stage.output;
                }
                (Some(ReadyKernel::Linear(layer)), _) => parts.push(Part::Linear {
                    layers: vec![layer],
                    output: stage.stage.output,
                }),
                (None, _) => parts.push(Part::Plain(Box::new(stage.clone()))),
            }
        }
        ReadyStack { parts }
    }
}

/// A [`Stack`] at work: neighbours that have kernels are run as one.
#[derive(Debug)]
pub(super) struct ReadyStack {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Blocks(Vec<FoldedBlock>),
    Linear {
        layers: Vec<PackedLinear>,
        /// That of the last layer.
        output: Shape,
    },
    Plain(Box<StageWeights>),
}

impl ReadyStack {
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        self.parts.iter().fold(x, |x, part| match part {
            Part::Blocks(blocks) => run_folded(blocks, x),
            Part::Linear { layers, output } => {
                let (channels, side) = (output.channels as i32, output.side as i32);
                run_linear(layers, x.flatten(1, 3)).reshape([-1, channels, side, side])
            }
            Part::Plain(stage) => stage.apply(x),
        })
    }
}
