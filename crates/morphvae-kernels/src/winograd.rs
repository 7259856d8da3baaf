//! Convolutions with fewer multiplications.
//!
//! Winograd's minimal filtering ("Fast algorithms for convolutional neural networks", Lavin and Gray, 2016,
//! arXiv:1509.09308): a tile of the input and the filter are each mapped to 6 x 6 values by additions, multiplied value
//! by value, and the sum over channels is mapped back to a tile of 4 x 4 outputs. Summed over channels for all tiles at
//! once, the 36 multiplications are 36 matrix products.
//!
//! Two layers have this form: the 3x3 convolution as F(4x4, 3x3), with 36 multiplications in place of 144; and the
//! 4x4 transposed convolution with stride 2, whose four phases are 2x2 convolutions, as four F(2x2, 2x2), with 36
//! in place of 64. [`Scheme`] holds what differs; gradients run through the transposed maps.

mod filter;
mod map;
mod scheme;

pub(crate) use filter::{Filters, filter_gradient, pack_filters};
pub(crate) use map::{Tiles, input_gradient, input_transform, output_gradient_transform, output_transform};
pub(crate) use scheme::{Convolution3x3, Scheme, TransposedConvolution4x4};

/// Values per tile and axis after a transform.
pub(crate) const POSITIONS: usize = 6;
/// Matrix products per layer.
pub(crate) const PRODUCTS: usize = POSITIONS * POSITIONS;
/// Outputs per tile and axis.
pub(crate) const OUTPUTS: usize = 4;
