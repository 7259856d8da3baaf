//! Learn a distribution of small images with a variational autoencoder, and draw anything between them.
//!
//! What a person does is in [`studio`]:
//!
//! | to | begin with |
//! |---|---|
//! | open a trained network | [`Model`](studio::Model) |
//! | say which images are meant: a data set, a folder, the model's own | [`ImageRequest`](studio::ImageRequest) |
//! | find the latent points of `7`, `anna.png+smile:1.5`, `test:3` or `random` | [`Keys`](studio::Keys) |
//! | flow through them, and write the clip | [`Morph`](studio::Morph) |
//! | ask whether classes lie apart | [`Probe`](studio::Probe) |
//! | draw new images, and write them as a data set | [`Sampler`](studio::Sampler) |
//! | measure whether new images help where few have labels | [`Augmentation`](studio::Augmentation) |
//! | train, in a folder from which it can be resumed | [`Run`](studio::Run) |
//!
//! ```
//! use morphvae::evaluation::decode;
//! use morphvae::studio::{ImageRequest, Keys, Model, unobserved};
//!
//! // MNIST in a latent plane, which comes with the library; `Model::open` reads any other.
//! let model = Model::bundled()?;
//! let images = ImageRequest::default();
//! let mut keys = Keys::new(&model, &images, 0, &unobserved);
//! let [two, nine] = ["2", "9"].map(|key| keys.point(key.as_ref(), 0, &[]));
//! let middle = |(two, nine): (&f32, &f32)| (two + nine) / 2.0;
//! let between: Vec<f32> = two?.iter().zip(&nine?).map(middle).collect();
//! // 1 x 32 x 32 bytes.
//! let image = decode(model.inference(), &between)?;
//! assert_eq!(image.pixels().len(), 1024);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What that stands on: images come in as a [`data::Dataset`]; a [`training::Training`] teaches a [`network::Vae`] with
//! them; [`evaluation`] judges and uses the network; [`latent`] has paths, planes and statistics of its latent space;
//! [`figures`] draws what there is to see. Every error is typed, nothing panics on input, and one seed gives one result.

#![forbid(unsafe_code)]

/// Where tensors are and networks compute: [`Device::flex`] is the CPU, and [`device`] finds others.
pub use burn::tensor::Device;

pub mod benchmark;
pub mod choice;
pub mod classification;
pub mod data;
pub mod device;
pub mod evaluation;
pub mod figures;
pub mod files;
pub mod latent;
mod memory;
pub mod model;
pub mod network;
pub mod objective;
pub mod probability;
pub mod random;
pub mod semi_supervised;
pub mod studio;
pub mod tables;
pub mod training;
pub mod weights;

/// The program's: tests learn as it does.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
