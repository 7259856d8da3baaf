//! Learn a distribution of small images with a variational autoencoder, and draw anything between them.
//!
//! Images come in as a [`data::Dataset`]; a [`training::Training`] teaches a [`network::Vae`] with them; [`evaluation`]
//! judges and uses the network; a [`model::TrainedModel`] is a network as a file holds it; [`figures`] draws what there is
//! to see.
//!
//! ```
//! use std::{ops::ControlFlow, sync::Arc};
//! use morphvae::Device;
//! use morphvae::data::strokes;
//! use morphvae::network::{Architecture, NetworkConfig, Vae};
//! use morphvae::training::{Outcome, Training, TrainingConfig, TrainingData};
//!
//! // A narrow network and few images, so that this ends in a second.
//! let architecture = Architecture::Reference { base_channels: 2 };
//! let network = NetworkConfig { architecture, ..NetworkConfig::default() };
//! let config = TrainingConfig { epochs: 1, ..TrainingConfig::default() };
//! let digits = strokes::strokes(60, 30, 0);
//! let data = TrainingData { train: Arc::new(digits.train), test: Arc::new(digits.test) };
//!
//! let training = Training::new(Vae::new(network, 0, &Device::flex())?, config)?;
//! let (training, outcome) = training.epoch(&data, &mut |_| ControlFlow::Continue(()))?;
//! if let Outcome::Finished(report) = outcome {
//!     println!("{:.1} nats per image", report.metrics.test_loss);
//! }
//! assert!(training.is_finished());
//! # Ok::<(), morphvae::training::TrainingError>(())
//! ```

#![forbid(unsafe_code)]

/// Where tensors are and networks compute: [`Device::flex`] is the CPU.
pub use burn::tensor::Device;

pub mod benchmark;
pub mod choice;
pub mod data;
pub mod evaluation;
pub mod figures;
pub mod files;
pub mod latent;
pub mod memory;
pub mod model;
pub mod network;
pub mod objective;
pub mod probability;
pub mod random;
pub mod tables;
pub mod training;
pub mod weights;
