//! The latent space as plain numbers: encoded images, their statistics and main directions, attributes, paths from image
//! to image, the prior and mixtures to draw from, the points of planes and of single dimensions, and whether classes lie apart.

mod attribute;
mod matrix;
mod mixture;
pub mod path;
mod principal;
mod prior;
pub mod probe;
mod slice;
mod statistics;
mod traversal;
mod typical;

pub use attribute::{Attribute, AttributeError};
pub use mixture::{Fit, FitOptions, Gaussian, MOST_FITTED_DIMENSIONS, Mixture, MixtureError, chosen, fit, posterior};
pub use principal::PrincipalComponents;
pub use prior::{class_sample, linear_grid, normal_quantile, prior_sample, quantile_grid};
pub use slice::{Slice, SliceError};
pub use statistics::{ClassStatistics, Extent, LatentStatistics};
pub use traversal::{by_information, traversal};
pub use typical::typical_members;
