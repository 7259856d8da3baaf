//! The latent space as plain numbers: encoded images, their statistics and main directions, attributes, paths from
//! image to image, and the prior.

mod attribute;
mod encodings;
pub mod path;
mod principal;
mod prior;
mod statistics;
mod typical;

pub use attribute::{Attribute, AttributeError};
pub use encodings::{Encodings, EncodingsError};
pub use principal::PrincipalComponents;
pub use prior::{linear_grid, normal_quantile, prior_sample, quantile_grid};
pub use statistics::{ClassStatistics, LatentStatistics};
pub use typical::typical_members;
