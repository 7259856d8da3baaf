//! The latent space as plain numbers: encoded images, their statistics and main directions, grids over the prior, and
//! the points of planes and of single dimensions.

mod encodings;
mod principal;
mod prior;
mod slice;
mod statistics;
mod traversal;

pub use encodings::{Encodings, EncodingsError};
pub use principal::PrincipalComponents;
pub use prior::{linear_grid, normal_quantile, quantile_grid};
pub use slice::{Slice, SliceError};
pub use statistics::{ClassStatistics, LatentStatistics};
pub use traversal::{by_information, traversal};
