//! Whether classes lie apart in a latent space: two classifiers on frozen encodings.
//!
//! [`SoftmaxRegression`] divides them by straight boundaries, [`NearestNeighbours`] by whatever shape they have; both learn
//! from [`LabelledPoints`] of the training images, and [`Findings`] say how they do on others, and what that means.

mod error;
mod findings;
mod minimize;
mod neighbours;
mod points;
mod softmax;
#[cfg(test)]
mod tests;

pub use error::ProbeError;
pub use findings::{Accuracy, Findings, Neighbourhood, Separability};
pub use neighbours::NearestNeighbours;
pub use points::LabelledPoints;
pub use softmax::SoftmaxRegression;
