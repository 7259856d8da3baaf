//! The blocks: a layer, its batch normalization and its activation.

pub(crate) mod dense;
mod direct;
mod folded;
mod maps;
mod minimal;
mod stem;
mod training;

pub use folded::{FoldedBlock, RunningStatistics};
pub use training::{Forward, Gradients, Parameters, State};

use crate::buffer::length;
use crate::normalization::Window;
use crate::winograd::{F4, Filters, Scheme, Tiles, TransposedConvolution4x4};

/// Tiles of a transposed convolution from which 4x4 outputs of a phase at a time are faster than 2x2.
const FEW_TILES: usize = 48;

/// What follows the batch normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// max(x, 0), then the largest of each 2 x 2 pixels.
    ReluMaxPool,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
}

/// The linear part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Layer {
    /// 3x3, stride 1, padding 1; weight `[out, in, 3, 3]`.
    Convolution,
    /// 4x4, stride 2, padding 1; weight `[in, out, 4, 4]`.
    TransposedConvolution,
    /// The whole map to one pixel; weight `[out, in, height, width]`.
    Flattening,
    /// One pixel to a map of this height and width; weight `[in, out, height, width]`.
    Expansion { height: usize, width: usize },
}

/// How a layer's map and its gradients are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// Products with one large weight matrix.
    Dense,
    /// One product for each image.
    Direct,
    /// A convolution by minimal filtering.
    Minimal,
    /// A transposed convolution by minimal filtering, 4x4 outputs of a phase at a time.
    MinimalTransposed,
    /// The same, 2x2 outputs at a time.
    MinimalFewTiles,
}

/// A layer, its batch normalization and its activation, for one batch size and one size of map.
///
/// The input is `[batch, height, width, in channels]`, the output `[batch, output height, output width, out channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub(crate) layer: Layer,
    pub(crate) activation: Activation,
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
}

impl Block {
    /// 3x3 convolution with padding 1, batch normalization, ReLU and 2x2 max pooling.
    ///
    /// Weight `[out, in, 3, 3]`; the output map is half as high and wide.
    ///
    /// # Panics
    /// If height or width is odd, anything is zero, or input, weight or map would be too large for any memory.
    #[must_use]
    pub fn convolution(batch: usize, (height, width): (usize, usize), in_channels: usize, out_channels: usize) -> Self {
        assert!(
            height.is_multiple_of(2) && width.is_multiple_of(2),
            "a pooled map has even height and width"
        );
        let activation = Activation::ReluMaxPool;
        Self {
            layer: Layer::Convolution,
            activation,
            batch,
            height,
            width,
            in_channels,
            out_channels,
        }
        .checked()
    }

    /// Convolution of the whole map without padding to one pixel, batch normalization and ReLU.
    ///
    /// Weight `[out, in, height, width]`.
    ///
    /// # Panics
    /// If anything is zero, or input, weight or output would be too large for any memory.
    #[must_use]
    pub fn flattening(batch: usize, (height, width): (usize, usize), in_channels: usize, out_channels: usize) -> Self {
        let activation = Activation::Relu;
        Self {
            layer: Layer::Flattening,
            activation,
            batch,
            height,
            width,
            in_channels,
            out_channels,
        }
        .checked()
    }

    /// Linear layer, batch normalization and ReLU. Weight `[out, in]`.
    ///
    /// # Panics
    /// If anything is zero, or input, weight or output would be too large for any memory.
    #[must_use]
    pub fn linear(batch: usize, in_features: usize, out_features: usize) -> Self {
        Self::flattening(batch, (1, 1), in_features, out_features)
    }

    /// Transposed convolution of one pixel to a map of this size, batch normalization and ReLU.
    ///
    /// Weight `[in, out, height, width]`.
    ///
    /// # Panics
    /// If anything is zero, or input, weight or output would be too large for any memory.
    #[must_use]
    pub fn expansion(batch: usize, (height, width): (usize, usize), in_channels: usize, out_channels: usize) -> Self {
        assert!(height > 0 && width > 0, "a map has pixels");
        let layer = Layer::Expansion { height, width };
        Self {
            layer,
            activation: Activation::Relu,
            batch,
            height: 1,
            width: 1,
            in_channels,
            out_channels,
        }
        .checked()
    }

    /// 4x4 transposed convolution with stride 2 and padding 1, batch normalization and an activation without pooling.
    ///
    /// Weight `[in, out, 4, 4]`; the output map is twice as high and wide.
    ///
    /// # Panics
    /// If the activation pools, anything is zero, or input, weight or output would be too large for any memory.
    #[must_use]
    pub fn transposed_convolution(
        batch: usize,
        (height, width): (usize, usize),
        in_channels: usize,
        out_channels: usize,
        activation: Activation,
    ) -> Self {
        assert!(
            activation != Activation::ReluMaxPool,
            "a transposed convolution is not pooled"
        );
        let layer = Layer::TransposedConvolution;
        Self {
            layer,
            activation,
            batch,
            height,
            width,
            in_channels,
            out_channels,
        }
        .checked()
    }

    /// The block, if its sizes are possible. There is no other way to one whose input, weight or map has more floats than
    /// a slice, so that products of its sizes that are no longer than one of these never wrap around.
    fn checked(self) -> Self {
        let sizes = [self.batch, self.height, self.width, self.in_channels, self.out_channels];
        assert!(
            !sizes.contains(&0),
            "batch, height, width and channels are at least one: {self:?}"
        );
        // The map is asked for last: its height and width are no more than twice those of an input that is possible.
        let is_possible = length(self.input_shape()).is_some()
            && length(self.weight_shape()).is_some()
            && length(self.map_shape()).is_some();
        assert!(is_possible, "input, weight and map fit into memory: {self:?}");
        self
    }

    /// Floats of the input.
    #[must_use]
    pub fn input_length(&self) -> usize {
        self.input_shape().iter().product()
    }

    /// Floats of the weight.
    #[must_use]
    pub fn weight_length(&self) -> usize {
        self.weight_shape().iter().product()
    }

    /// PyTorch's shape of the weight; a linear layer's ends with two ones.
    pub(crate) fn weight_shape(&self) -> [usize; 4] {
        let (inputs, outputs) = (self.in_channels, self.out_channels);
        match self.layer {
            Layer::Convolution => [outputs, inputs, 3, 3],
            Layer::TransposedConvolution => [inputs, outputs, 4, 4],
            Layer::Flattening => [outputs, inputs, self.height, self.width],
            Layer::Expansion { height, width } => [inputs, outputs, height, width],
        }
    }

    /// Height and width of the output.
    #[must_use]
    pub fn output_size(&self) -> (usize, usize) {
        let window = self.window();
        match self.activation {
            Activation::ReluMaxPool => (window.height / 2, window.width / 2),
            Activation::Relu | Activation::Sigmoid => (window.height, window.width),
        }
    }

    /// Floats of the output.
    #[must_use]
    pub fn output_length(&self) -> usize {
        let (height, width) = self.output_size();
        self.batch * height * width * self.out_channels
    }

    /// Channels of the output: the length of bias, gamma, beta, mean and variance.
    #[must_use]
    pub fn out_channels(&self) -> usize {
        self.out_channels
    }

    /// Values of each channel over which the batch normalization's statistics go: batch, height and width of the
    /// layer's own output.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batch * self.image_length() / self.out_channels
    }

    /// Multiply-adds of the layer's definition, for the whole batch; `usize::MAX` if there are more.
    #[must_use]
    pub fn multiply_adds(&self) -> usize {
        let applications = match self.layer {
            Layer::Convolution | Layer::TransposedConvolution => self.batch * self.input_pixels(),
            Layer::Flattening | Layer::Expansion { .. } => self.batch,
        };
        applications.saturating_mul(self.weight_length())
    }

    /// Burn's shape of the input; a linear layer's ends with two ones.
    pub(crate) fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.in_channels, self.height, self.width]
    }

    /// The same of the layer's own output, before the activation.
    fn map_shape(&self) -> [usize; 4] {
        let Window {
            height,
            width,
            channels,
        } = self.window();
        [self.batch, channels, height, width]
    }

    pub(crate) fn input_pixels(&self) -> usize {
        self.height * self.width
    }

    /// The size of the layer's own output map, before the activation.
    pub(crate) fn window(&self) -> Window {
        let (height, width) = match self.layer {
            Layer::Convolution => (self.height, self.width),
            Layer::TransposedConvolution => (2 * self.height, 2 * self.width),
            Layer::Flattening => (1, 1),
            Layer::Expansion { height, width } => (height, width),
        };
        Window {
            height,
            width,
            channels: self.out_channels,
        }
    }

    /// Floats of one image's map before the activation.
    pub(crate) fn image_length(&self) -> usize {
        let window = self.window();
        window.height * window.width * window.channels
    }

    /// The groups in which statistics are summed: images, or the whole batch where an image is a single row.
    pub(crate) fn groups(&self) -> usize {
        if self.layer == Layer::Flattening { 1 } else { self.batch }
    }

    /// How the layer's map and its gradients are computed.
    pub(crate) fn algorithm(&self) -> Algorithm {
        // With few channels the matrix products of minimal filtering are too thin.
        let is_thin = self.in_channels.min(self.out_channels) < 16;
        match self.layer {
            Layer::Flattening | Layer::Expansion { .. } => Algorithm::Dense,
            Layer::Convolution | Layer::TransposedConvolution if is_thin => Algorithm::Direct,
            Layer::Convolution => Algorithm::Minimal,
            Layer::TransposedConvolution if self.has_few_tiles() => Algorithm::MinimalFewTiles,
            Layer::TransposedConvolution => Algorithm::MinimalTransposed,
        }
    }

    /// Whether it reads images: a convolution of so few channels that its map is better computed again than kept.
    pub(crate) fn is_stem(&self) -> bool {
        self.layer == Layer::Convolution && self.in_channels <= 3
    }

    /// Whether transforming and reading the filters of 4x4 tiles takes longer than the multiplications that they save.
    fn has_few_tiles(&self) -> bool {
        self.batch * self.tiles::<TransposedConvolution4x4<F4>>().count() < FEW_TILES
    }

    pub(crate) fn tiles<S: Scheme>(&self) -> Tiles {
        Tiles::new::<S>(self.height, self.width)
    }

    /// The weight tensor as a matrix of filters `[in, out]`.
    pub(crate) fn filters(&self) -> Filters {
        let (depth, columns) = (self.in_channels, self.out_channels);
        if self.layer == Layer::TransposedConvolution {
            Filters {
                depth,
                columns,
                depth_stride: columns * 16,
                column_stride: 16,
            }
        } else {
            Filters {
                depth,
                columns,
                depth_stride: 9,
                column_stride: depth * 9,
            }
        }
    }
}
