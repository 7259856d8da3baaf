//! What a network is made of, stage by stage: the one place that knows its topology.
//!
//! Whatever must know it reads it here: the layers that are made and run, the names and shapes of the weights, what a
//! training takes of memory, and the operations that it takes.

/// The stages of a network, in the order in which their starting weights are drawn and in which an image meets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From images to features.
    pub encoder: Vec<Stage>,
    /// From features to the means of the latents.
    pub mean: Stage,
    /// From features to the logarithms of their variances.
    pub log_variance: Stage,
    /// From latents to images.
    pub decoder: Vec<Stage>,
}

/// A layer and what follows on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What it is called in a weight file, without its layers: `conv1`. In PyTorch it is a `Sequential` of that name whose
    /// layer is `0` and whose batch norm is `1`.
    pub name: String,
    /// How the input becomes a map.
    pub layer: Layer,
    /// Whether the map's channels are normalized over the batch.
    pub batch_norm: bool,
    /// What each value goes through then.
    pub activation: Activation,
    /// Whether of each 2 x 2 values only the largest is kept.
    pub max_pool: bool,
    /// What goes in.
    pub input: Shape,
    /// What comes out.
    pub output: Shape,
}

/// What is learned in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Each output from all inputs.
    Linear,
    /// A convolution in steps of one pixel.
    Convolution {
        /// Side of the square that an output is computed from, in pixels.
        kernel: usize,
        /// Zeros around the input, in pixels.
        padding: usize,
    },
    /// A transposed convolution in steps of two pixels.
    TransposedConvolution {
        /// Side of the square that an input is spread over, in pixels.
        kernel: usize,
        /// What is cut off around the output, in pixels.
        padding: usize,
    },
}

/// What the values of a map go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(x, 0)`
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `log(1 + exp(x))`
    Softplus,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
}

/// The shape of one image's values between two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Values a pixel.
    pub channels: usize,
    /// Side of the square map; 1 for a vector.
    pub side: usize,
}

impl Shape {
    /// A vector of so many values.
    #[must_use]
    pub fn vector(channels: usize) -> Self {
        Self { channels, side: 1 }
    }

    /// How many values it has.
    #[must_use]
    pub fn length(self) -> usize {
        self.channels * self.side * self.side
    }
}

impl Plan {
    /// All stages: the encoder, mean and log variance, the decoder.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        let heads = [&self.mean, &self.log_variance];
        self.encoder.iter().chain(heads).chain(&self.decoder)
    }

    /// The name and the shape of every tensor in a weight file, in the order of the stages.
    pub fn tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> {
        self.stages().flat_map(Stage::tensors)
    }

    /// Numbers that are learned, and the batch norms' running statistics.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.tensors().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// Multiplications, each with an addition, that an image takes through the whole network.
    #[must_use]
    pub fn multiply_adds(&self) -> usize {
        self.stages().map(Stage::multiply_adds).sum()
    }

    /// The name of the bias that ends the decoder, if it is one for each pixel and no batch norm follows.
    #[must_use]
    pub fn output_bias(&self) -> Option<String> {
        let last = self.decoder.last()?;
        (last.layer == Layer::Linear && !last.batch_norm).then(|| format!("{}.0.bias", last.name))
    }

    /// Values in the maps that one image becomes, before each activation and after it.
    #[must_use]
    pub fn maps(&self) -> Vec<usize> {
        self.stages().flat_map(Stage::maps).collect()
    }

    /// The same of the decoder alone: what one latent point becomes.
    #[must_use]
    pub fn decoder_maps(&self) -> Vec<usize> {
        self.decoder.iter().flat_map(Stage::maps).collect()
    }
}

impl Stage {
    /// Values in the map that comes of one input, before the activation, and in what comes out.
    fn maps(&self) -> [usize; 2] {
        [self.map().length(), self.output.length()]
    }

    /// What the layer makes of the input, before batch norm, activation and pooling.
    #[must_use]
    pub fn map(&self) -> Shape {
        Shape {
            channels: self.output.channels,
            side: if self.max_pool {
                2 * self.output.side
            } else {
                self.output.side
            },
        }
    }

    /// The shape of the layer's weight, as PyTorch has it.
    #[must_use]
    pub fn weight_shape(&self) -> Vec<usize> {
        let (inputs, outputs) = (self.input.channels, self.output.channels);
        match self.layer {
            Layer::Linear => vec![self.output.length(), self.input.length()],
            Layer::Convolution { kernel, .. } => vec![outputs, inputs, kernel, kernel],
            Layer::TransposedConvolution { kernel, .. } => vec![inputs, outputs, kernel, kernel],
        }
    }

    /// How many values the layer's bias has, and each tensor of the batch norm.
    #[must_use]
    pub fn width(&self) -> usize {
        match self.layer {
            Layer::Linear => self.output.length(),
            Layer::Convolution { .. } | Layer::TransposedConvolution { .. } => self.output.channels,
        }
    }

    /// What PyTorch takes for the number of inputs of an output when it draws starting weights: the product of all sides
    /// of the weight but the first, even for a transposed convolution, whose second side is the outputs.
    #[must_use]
    pub fn fan_in(&self) -> usize {
        self.weight_shape()[1..].iter().product()
    }

    /// Multiplications, each with an addition, that an image takes through the layer as it is defined.
    #[must_use]
    pub fn multiply_adds(&self) -> usize {
        let pixels = |shape: Shape| shape.side * shape.side;
        let weight: usize = self.weight_shape().iter().product();
        match self.layer {
            Layer::Linear => weight,
            Layer::Convolution { .. } => weight * pixels(self.map()),
            Layer::TransposedConvolution { .. } => weight * pixels(self.input),
        }
    }

    /// The name and shape of each tensor in a weight file.
    pub(super) fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let name = |layer, tensor| format!("{}.{layer}.{tensor}", self.name);
        let mut tensors = vec![
            (name(0, "weight"), self.weight_shape()),
            (name(0, "bias"), vec![self.width()]),
        ];
        if self.batch_norm {
            let normalization = ["weight", "bias", "running_mean", "running_var"];
            tensors.extend(normalization.map(|tensor| (name(1, tensor), vec![self.width()])));
        }
        tensors
    }
}
