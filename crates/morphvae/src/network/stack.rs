//! Stages one after another.

use burn::module::Module;
use burn::tensor::Tensor;
use morphvae_kernels::FoldedBlock;
use morphvae_kernels::extension::run_folded;

use super::accelerate::{Operations, kernel};
use super::layers::{BatchNorm, BatchStatistics, Initializer, StageWeights};
use super::plan::Stage;

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

    /// Through all stages with the batch's own statistics, which are added to `statistics`.
    pub fn train_pass(&self, x: Tensor<4>, operations: Operations, statistics: &mut Vec<BatchStatistics>) -> Tensor<4> {
        self.stages.iter().fold(x, |x, stage| {
            let kernel = match operations {
                Operations::Kernels => kernel(&stage.stage, x.dims()[0]),
                Operations::Plain => None,
            };
            let (x, seen) = match kernel {
                Some(kernel) => {
                    let (x, seen) = stage.train_with(kernel, x);
                    (x, Some(seen))
                }
                None => stage.train_pass(x),
            };
            statistics.extend(seen);
            x
        })
    }

    /// The same with the running statistics.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        self.stages.iter().fold(x, |x, stage| stage.apply(x))
    }

    /// The batch norms, in the order in which a training pass meets them.
    pub fn normalizations(&mut self) -> impl Iterator<Item = &mut BatchNorm> {
        self.stages.iter_mut().filter_map(|stage| stage.normalization.as_mut())
    }

    /// The stages made ready to be run again and again, with the running statistics.
    pub fn ready(&self, operations: Operations) -> ReadyStack {
        let mut parts = Vec::new();
        for stage in &self.stages {
            let folded = match operations {
                Operations::Kernels => stage.fold(),
                Operations::Plain => None,
            };
            match (folded, parts.last_mut()) {
                (Some(block), Some(Part::Kernels(blocks))) => blocks.push(block),
                (Some(block), _) => parts.push(Part::Kernels(vec![block])),
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
    Kernels(Vec<FoldedBlock>),
    Plain(Box<StageWeights>),
}

impl ReadyStack {
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        self.parts.iter().fold(x, |x, part| match part {
            Part::Kernels(blocks) => run_folded(blocks, x),
            Part::Plain(stage) => stage.apply(x),
        })
    }
}
