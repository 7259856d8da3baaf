//! The latent space as plain numbers: encoded images, their statistics and main directions, paths through them, and grids
//! over the prior.

mod encodings;
pub mod path;
mod principal;
mod prior;
mod statistics;

pub use encodings::{Encodings, EncodingsError};
pub use principal::PrincipalComponents;
pub use prior::{linear_grid, normal_quantile, quantile_grid};
pub use statistics::{ClassStatistics, LatentStatistics};
