//! Convolutions with fewer multiplications.
//!
//! Winograd's minimal filtering ("Fast algorithms for convolutional neural networks", Lavin and Gray, 2016,
//! arXiv:1509.09308): a tile of the input and the filter are each mapped to 6 x 6 values by additions, multiplied value
//! by value, and the sum over channels is mapped back to a tile of 4 x 4 outputs. Summed over channels for all tiles at
//! once, the 36 multiplications are 36 matrix products.
//!
//! Two layers have this form. The 3x3 convolution is F(4x4, 3x3), with 36 multiplications in place of 144. The 4x4
//! transposed convolution with stride 2 is four 2x2 convolutions, one for each parity ("phase") of the output's row and
//! column. Each is a 3x3 convolution of the same input with zero taps at one end, so that all four share one transform
//! of the input; and the value that a zero tap leaves zero needs no multiplication, so that a phase takes 25 products:
//! 100 multiplications in place of 256. Where there are few tiles to a filter, it is the filters that take time, 25
//! products for 4 taps, and F(2x2, 3x3) is better: 9 products for 4 taps, 144 multiplications in place of 256.
//! [`Scheme`] holds what differs; gradients run through the transposed maps.

mod filter;
mod map;
mod scheme;

use crate::buffer::LINE;

pub(crate) use filter::{Filters, filter_gradient, pack_filters};
pub(crate) use map::{Tiles, input_gradient, input_transform, output_gradient_transform, output_transform};
pub(crate) use scheme::{Convolution3x3, F2, F4, Scheme, TransposedConvolution4x4};

/// Floats from one of many matrices of `length` floats to the next: whole cache lines.
pub(crate) fn aligned(length: usize) -> usize {
    length.next_multiple_of(LINE)
}
