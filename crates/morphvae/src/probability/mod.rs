//! Distributions: what an encoder says of an image, and what a decoder says of its pixels, in nats.
//!
//! A [`Posterior`] is held against the standard normal prior by its [`kl_divergence`], and a sample of it against any by its
//! [`log_ratio`]. What the decoder says of a pixel is the location of
//! a distribution, and [`Likelihood`] names which; there is one file for each.

mod continuous_bernoulli;
mod cross_entropy;
mod discretized_logistic;
mod draw;
mod gaussian;
mod kl;
mod likelihood;
mod posterior;
mod ratio;
mod scale;

#[cfg(test)]
mod check;

pub use continuous_bernoulli::{continuous_bernoulli, continuous_bernoulli_mean};
pub(crate) use cross_entropy::DELTA;
pub use cross_entropy::cross_entropy;
pub use discretized_logistic::discretized_logistic;
pub use gaussian::gaussian;
pub use kl::kl_divergence;
pub use likelihood::Likelihood;
pub use posterior::Posterior;
pub use ratio::{log_ratio, marginal_divergence};
pub(crate) use scale::bounded;
