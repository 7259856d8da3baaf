//! Fast CPU kernels to train small convolutional networks, on plain `f32` slices.
//!
//! A [`Block`] is a layer, its batch normalization and its activation: the five blocks of a convolutional variational
//! autoencoder. [`Block::forward`] and [`Block::backward`] train it, [`FoldedBlock`] runs it with its running
//! statistics, [`Linear`] is a layer without batch normalization, [`cross_entropy`] is a loss, and [`adam_step`] updates parameters. Maps are channels-last,
//! `[batch, height, width, channels]`; parameters are in PyTorch's layouts.
//!
//! The kernels use the instructions of the processor they find themselves on ([`Isa::detect`]) and the rayon pool that
//! they are called in, the global one by default. Work is divided by the problem alone, never by the number of threads, and sums are added in a fixed order: the
//! same bits come out for any number of threads.
//!
//! # Example
//!
//! ```
//! use morphvae_kernels::{Block, Isa, Parameters};
//!
//! let block = Block::linear(2, 3, 4); // two rows, three features in, four out
//! let parameters =
//!     Parameters { weight: &[0.1; 12], bias: &[0.0; 4], gamma: &[1.0; 4], beta: &[0.0; 4], epsilon: 1e-5 };
//! let input = [1.0, 2.0, 3.0, -1.0, 0.0, 1.0];
//! let forward = block.forward(Isa::detect(), &input, &parameters);
//! assert_eq!(forward.output.len(), 8);
//! let gradients = block.backward(Isa::detect(), &[1.0; 8], &input, &parameters, &forward.state, true);
//! assert_eq!(gradients.weight.len(), 12);
//! ```
#![deny(missing_docs)]

mod adam;
mod blocks;
mod buffer;
mod cross_entropy;
mod disjoint;
mod elementary;
#[cfg(feature = "burn")]
pub mod extension;
mod isa;
mod linear;
mod lowering;
mod matrix;
mod normalization;
mod peak;
mod tasks;
mod winograd;

pub use adam::{Adam, adam_step};
pub use blocks::{Activation, Block, FoldedBlock, Forward, Gradients, Parameters, RunningStatistics, State};
pub use cross_entropy::{cross_entropy, cross_entropy_gradient};
pub use isa::Isa;
pub use linear::{Linear, LinearGradients, Nonlinearity, PackedLinear};
pub use peak::multiply_add_peak;
pub use tasks::awake;
