//! What kind of network it is and how large, and the plan that follows from it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::NetworkError;
use super::plan::{Activation, Layer, Plan, Shape, Stage};
use crate::choice::Choice;
use crate::weights::StateDict;

/// The sides that the reference network's images may have, in pixels.
pub const REFERENCE_SIDES: [usize; 3] = [32, 64, 128];
/// The largest side of any network's images, in pixels.
pub const LARGEST_SIDE: usize = 128;
/// The most latent dimensions: beyond it weights no longer fit a laptop.
pub const MOST_LATENTS: usize = 4096;
/// The most base channels, for the same reason.
pub const MOST_BASE_CHANNELS: usize = 512;
/// The most hidden layers of an encoder of linear layers.
pub const MOST_HIDDEN_LAYERS: usize = 8;
/// The most units of one of them.
pub const MOST_HIDDEN_UNITS: usize = 8192;
/// The most classes that a network is told of.
pub const MOST_CLASSES: usize = 1000;

/// The most convolutions that an encoder is looked for.
const MOST_STAGES: usize = 16;

/// How wide the widest map of the reference network is, in base channels. Networks for images above 32 pixels get
/// deeper, not wider.
const MOST_WIDENING: usize = 8;

/// The side of the map that the reference network's last convolution turns into a vector.
const LAST_MAP: usize = 4;

/// The version in which configurations are written. Those before have none, and are of the reference network.
const VERSION: u32 = 1;

/// Everything that decides the shapes of a network's weights and what is done with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct NetworkConfig {
    /// The side of the square images in pixels.
    pub image_size: usize,
    /// 1 for grey images, 3 for colour.
    pub channels: usize,
    /// Dimensions of the latent space.
    pub latent: usize,
    /// The classes that a conditional network is told of, encoder and decoder alike; 0 for a network that is told nothing.
    pub classes: usize,
    /// What lies between.
    pub architecture: Architecture,
}

/// A family of networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// The convolutional network of the original experiment, for images of 32, 64 or 128 pixels.
    Reference {
        /// Channels after the first convolution; 64 is the reference itself.
        base_channels: usize,
    },
    /// Linear layers without batch norm, for images of any side (Kingma and Welling, 2014, appendix C.2).
    Mlp {
        /// Units of each hidden layer of the encoder; the decoder has the same ones in reverse.
        hidden: Vec<usize>,
        /// What they go through.
        activation: HiddenActivation,
    },
}

/// What the hidden units of an [`Architecture::Mlp`] go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HiddenActivation {
    /// `max(x, 0)`
    #[default]
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `log(1 + exp(x))`
    Softplus,
}

impl Choice for HiddenActivation {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Relu, "relu", "max(x, 0)"),
        (Self::Tanh, "tanh", "The hyperbolic tangent"),
        (Self::Softplus, "softplus", "log(1 + exp(x))"),
    ];
}

impl Architecture {
    /// The reference network: 64 base channels.
    pub const REFERENCE: Self = Self::Reference { base_channels: 64 };

    /// As on the command line and in files: `reference`, `mlp`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reference { .. } => "reference",
            Self::Mlp { .. } => "mlp",
        }
    }
}

impl fmt::Display for Architecture {
    /// In a few words: `64 base channels`, `400 relu units`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference { base_channels } => write!(formatter, "{base_channels} base channels"),
            Self::Mlp { hidden, activation } => {
                let units: Vec<String> = hidden.iter().map(ToString::to_string).collect();
                write!(formatter, "{} {} units", units.join(", "), activation.name())
            }
        }
    }
}

impl Default for NetworkConfig {
    /// The reference network: grey images of 32 x 32, 64 base channels, two latent dimensions.
    fn default() -> Self {
        Self {
            image_size: 32,
            channels: 1,
            latent: 2,
            classes: 0,
            architecture: Architecture::REFERENCE,
        }
    }
}

impl NetworkConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// [`NetworkError::Configuration`] names the first setting that no network can have.
    pub fn validate(&self) -> Result<(), NetworkError> {
        let check = |fits: bool, name, value, allowed| {
            if fits {
                Ok(())
            } else {
                Err(NetworkError::Configuration { name, value, allowed })
            }
        };
        match &self.architecture {
            Architecture::Reference { base_channels } => {
                check(
                    REFERENCE_SIDES.contains(&self.image_size),
                    "the image size",
                    self.image_size,
                    "32, 64 or 128 pixels for the reference network",
                )?;
                check(
                    (1..=MOST_BASE_CHANNELS).contains(base_channels),
                    "the number of base channels",
                    *base_channels,
                    "from 1 to 512",
                )?;
            }
            Architecture::Mlp { hidden, .. } => {
                check(
                    (1..=LARGEST_SIDE).contains(&self.image_size),
                    "the image size",
                    self.image_size,
                    "from 1 to 128 pixels",
                )?;
                check(
                    (1..=MOST_HIDDEN_LAYERS).contains(&hidden.len()),
                    "the number of hidden layers",
                    hidden.len(),
                    "from 1 to 8",
                )?;
                for &units in hidden {
                    check(
                        (1..=MOST_HIDDEN_UNITS).contains(&units),
                        "the number of hidden units",
                        units,
                        "from 1 to 8192",
                    )?;
                }
            }
        }
        check(
            matches!(self.channels, 1 | 3),
            "the number of image channels",
            self.channels,
            "1 (grey) or 3 (colour)",
        )?;
        check(
            (1..=MOST_LATENTS).contains(&self.latent),
            "the latent size",
            self.latent,
            "from 1 to 4096",
        )?;
        check(
            self.classes <= MOST_CLASSES,
            "the number of classes of a conditional network",
            self.classes,
            "at most 1000",
        )
    }

    /// Reads the configuration off the shapes of a reference network's weights, for files that carry no metadata.
    ///
    /// # Errors
    /// [`NetworkError::NotThisNetwork`] when the telling tensors are absent or have impossible shapes.
    pub fn of_weights(weights: &StateDict) -> Result<Self, NetworkError> {
        let shape = |name: &str, rank: usize| {
            let array = weights.get(name).ok_or_else(|| NetworkError::NotThisNetwork {
                reason: format!("there is no tensor {name}"),
            })?;
            if array.shape.len() == rank {
                Ok(array.shape.clone())
            } else {
                Err(NetworkError::NotThisNetwork {
                    reason: format!("{name} has the shape {:?}, not one of {rank} dimensions", array.shape),
                })
            }
        };
        let first = shape("conv1.0.weight", 4)?;
        let latent = shape("mean.0.weight", 2)?[0];
        // Every convolution but the last halves the image, down to 4 x 4. One in between may be missing: that is for
        // whoever compares all names to tell.
        let last = (2..=MOST_STAGES).rfind(|stage| weights.contains_key(&format!("conv{stage}.0.weight")));
        let config = Self {
            image_size: 2 << last.unwrap_or(1),
            channels: first[1],
            latent,
            classes: 0,
            architecture: Architecture::Reference {
                base_channels: first[0],
            },
        };
        config.validate().map_err(|error| NetworkError::NotThisNetwork {
            reason: error.to_string(),
        })?;
        Ok(config)
    }

    /// The stages of this network, whose configuration must be valid.
    #[must_use]
    pub fn plan(&self) -> Plan {
        match &self.architecture {
            Architecture::Reference { base_channels } => self.reference_plan(*base_channels),
            Architecture::Mlp { hidden, activation } => self.mlp_plan(hidden, *activation),
        }
    }

    /// Convolutions that halve the map down to 4 x 4 and one that makes a vector of that; and all of it backwards.
    fn reference_plan(&self, base_channels: usize) -> Plan {
        let halvings = (self.image_size / LAST_MAP).ilog2() as usize;
        let features = Shape::vector(MOST_WIDENING * base_channels);
        let mut shapes = vec![self.image_shape()];
        shapes.extend((0..halvings).map(|stage| Shape {
            channels: base_channels * (1 << stage).min(MOST_WIDENING),
            side: self.image_size >> (stage + 1),
        }));
        shapes.push(features);

        let encoder = shapes.windows(2).enumerate().map(|(index, pair)| {
            let last = index == halvings;
            Stage {
                name: format!("conv{}", index + 1),
                layer: match last {
                    true => Layer::Convolution {
                        kernel: LAST_MAP,
                        padding: 0,
                    },
                    false => Layer::Convolution { kernel: 3, padding: 1 },
                },
                batch_norm: true,
                activation: Activation::Relu,
                max_pool: !last,
                input: pair[0],
                output: pair[1],
            }
        });
        let first = Stage {
            batch_norm: true,
            ..linear("decoder", Shape::vector(self.point()), features, Activation::Relu)
        };
        let others = shapes.windows(2).rev().enumerate().map(|(index, pair)| Stage {
            name: format!("convTrans{}", index + 1),
            layer: Layer::TransposedConvolution {
                kernel: 4,
                padding: usize::from(index > 0),
            },
            batch_norm: true,
            activation: match index == halvings {
                true => Activation::Sigmoid,
                false => Activation::Relu,
            },
            max_pool: false,
            input: pair[1],
            output: pair[0],
        });
        Plan {
            encoder: encoder.collect(),
            mean: self.head("mean", self.told(features)),
            log_variance: self.head("var", self.told(features)),
            decoder: [first].into_iter().chain(others).collect(),
        }
    }

    fn mlp_plan(&self, hidden: &[usize], activation: HiddenActivation) -> Plan {
        let activation = match activation {
            HiddenActivation::Relu => Activation::Relu,
            HiddenActivation::Tanh => Activation::Tanh,
            HiddenActivation::Softplus => Activation::Softplus,
        };
        let hidden: Vec<Shape> = hidden.iter().map(|&units| Shape::vector(units)).collect();
        let layers = |name: &str, from: Shape, units: &[Shape]| -> Vec<Stage> {
            let inputs = [from].into_iter().chain(units.iter().copied());
            let stage = |(index, (input, &output))| linear(&format!("{name}{}", index + 1), input, output, activation);
            inputs.zip(units).enumerate().map(stage).collect()
        };
        let reversed: Vec<Shape> = hidden.iter().rev().copied().collect();
        let features = reversed[0];
        let mut decoder = layers("decoder", Shape::vector(self.point()), &reversed);
        let last = decoder[decoder.len() - 1].output;
        decoder.push(linear("location", last, self.image_shape(), Activation::Sigmoid));
        Plan {
            encoder: layers("encoder", self.told(self.image_shape()), &hidden),
            mean: self.head("mean", features),
            log_variance: self.head("var", features),
            decoder,
        }
    }

    fn head(&self, name: &str, features: Shape) -> Stage {
        linear(name, features, Shape::vector(self.latent), Activation::Identity)
    }

    /// What goes into a linear layer that is told the class, where the network is.
    fn told(&self, input: Shape) -> Shape {
        match self.classes {
            0 => input,
            classes => Shape::vector(input.length() + classes),
        }
    }

    /// The shape of an image.
    #[must_use]
    pub fn image_shape(&self) -> Shape {
        Shape {
            channels: self.channels,
            side: self.image_size,
        }
    }

    /// Numbers in one image: `channels * image_size * image_size`.
    #[must_use]
    pub fn image_length(&self) -> usize {
        self.image_shape().length()
    }
}

/// A linear layer without batch norm.
pub(super) fn linear(name: &str, input: Shape, output: Shape, activation: Activation) -> Stage {
    Stage {
        name: name.to_owned(),
        layer: Layer::Linear,
        batch_norm: false,
        activation,
        max_pool: false,
        input,
        output,
    }
}

/// A configuration as files have it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    architecture: Option<Name>,
    image_size: usize,
    channels: usize,
    latent: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    classes: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_channels: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hidden: Option<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<HiddenActivation>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde shows settings by reference")]
fn is_zero(classes: &usize) -> bool {
    *classes == 0
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Reference,
    Mlp,
}

impl From<NetworkConfig> for Written {
    fn from(config: NetworkConfig) -> Self {
        let mut written = Self {
            version: Some(VERSION),
            architecture: None,
            image_size: config.image_size,
            channels: config.channels,
            latent: config.latent,
            classes: config.classes,
            base_channels: None,
            hidden: None,
            activation: None,
        };
        match config.architecture {
            Architecture::Reference { base_channels } => {
                written.architecture = Some(Name::Reference);
                written.base_channels = Some(base_channels);
            }
            Architecture::Mlp { hidden, activation } => {
                written.architecture = Some(Name::Mlp);
                written.hidden = Some(hidden);
                written.activation = Some(activation);
            }
        }
        written
    }
}

impl TryFrom<Written> for NetworkConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if let Some(version) = written.version
            && version > VERSION
        {
            return Err(format!(
                "this network's configuration has version {version}, and this program knows those up to {VERSION}: take a \
                 newer one"
            ));
        }
        let missing = |name: &str| format!("missing field `{name}`");
        let foreign =
            |name: &str, architecture: &str| format!("`{name}` is no setting of the architecture {architecture}");
        let architecture = match (
            written.architecture,
            written.base_channels,
            written.hidden,
            written.activation,
        ) {
            (None | Some(Name::Reference), Some(base_channels), None, None) => {
                Architecture::Reference { base_channels }
            }
            (None | Some(Name::Reference), None, ..) => return Err(missing("base_channels")),
            (None | Some(Name::Reference), _, Some(_), _) => return Err(foreign("hidden", "reference")),
            (None | Some(Name::Reference), .., Some(_)) => return Err(foreign("activation", "reference")),
            (Some(Name::Mlp), Some(_), ..) => return Err(foreign("base_channels", "mlp")),
            (Some(Name::Mlp), None, None, _) => return Err(missing("hidden")),
            (Some(Name::Mlp), None, Some(hidden), activation) => Architecture::Mlp {
                hidden,
                activation: activation.unwrap_or_default(),
            },
        };
        Ok(Self {
            image_size: written.image_size,
            channels: written.channels,
            latent: written.latent,
            classes: written.classes,
            architecture,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mlp(hidden: &[usize]) -> Architecture {
        Architecture::Mlp {
            hidden: hidden.to_vec(),
            activation: HiddenActivation::Tanh,
        }
    }

    fn names_and_outputs(stages: &[Stage]) -> Vec<(&str, usize, usize)> {
        let of = |stage| -> (&str, usize, usize) {
            let Stage { name, output, .. }: &Stage = stage;
            (name, output.channels, output.side)
        };
        stages.iter().map(of).collect()
    }

    #[test]
    fn the_reference_network_is_the_published_one() {
        let plan = NetworkConfig::default().plan();
        assert_eq!(
            names_and_outputs(&plan.encoder),
            [
                ("conv1", 64, 16),
                ("conv2", 128, 8),
                ("conv3", 256, 4),
                ("conv4", 512, 1)
            ]
        );
        assert_eq!(
            names_and_outputs(&plan.decoder),
            [
                ("decoder", 512, 1),
                ("convTrans1", 256, 4),
                ("convTrans2", 128, 8),
                ("convTrans3", 64, 16),
                ("convTrans4", 1, 32)
            ]
        );
        // Of 32 x 32 x 64 values, before the first pooling.
        assert_eq!(plan.maps()[0], 65_536);
    }

    #[test]
    fn each_doubling_adds_one_stage() {
        let widths = |image_size| {
            let config = NetworkConfig {
                image_size,
                ..NetworkConfig::default()
            };
            let plan = config.plan();
            plan.encoder
                .iter()
                .map(|stage| stage.output.channels)
                .collect::<Vec<_>>()
        };
        assert_eq!(widths(64), [64, 128, 256, 512, 512]);
        assert_eq!(widths(128), [64, 128, 256, 512, 512, 512]);
    }

    #[test]
    fn linear_layers_go_from_the_image_and_back_to_it() {
        let config = NetworkConfig {
            image_size: 28,
            channels: 3,
            latent: 5,
            classes: 0,
            architecture: mlp(&[20, 10]),
        };
        let plan = config.plan();
        assert_eq!(
            names_and_outputs(&plan.encoder),
            [("encoder1", 20, 1), ("encoder2", 10, 1)]
        );
        assert_eq!(
            names_and_outputs(&plan.decoder),
            [("decoder1", 10, 1), ("decoder2", 20, 1), ("location", 3, 28)]
        );
        let image = 3 * 28 * 28;
        let weights = [(image, 20), (20, 10), (10, 5), (10, 5), (5, 10), (10, 20), (20, image)];
        assert_eq!(
            plan.multiply_adds(),
            weights.map(|(inputs, outputs)| inputs * outputs).iter().sum::<usize>()
        );
        assert_eq!(
            plan.weights(),
            weights
                .map(|(inputs, outputs)| (inputs + 1) * outputs)
                .iter()
                .sum::<usize>()
        );
    }

    #[test]
    fn what_goes_into_a_stage_came_out_of_the_one_before() {
        let mlp = NetworkConfig {
            architecture: mlp(&[7]),
            ..NetworkConfig::default()
        };
        let conditional = NetworkConfig {
            classes: 3,
            ..NetworkConfig::default()
        };
        for config in [NetworkConfig::default(), mlp, conditional] {
            let Plan {
                encoder,
                mean,
                log_variance,
                decoder,
            } = config.plan();
            let told = |shape: Shape| Shape::vector(shape.length() + config.classes);
            let features = told(encoder[encoder.len() - 1].output);
            assert_eq!(
                [encoder[0].input, mean.input, log_variance.input],
                [config.image_shape(), features, features]
            );
            assert_eq!(decoder[0].input, told(mean.output));
            assert_eq!(decoder[decoder.len() - 1].output, config.image_shape());
            for pair in encoder.windows(2).chain(decoder.windows(2)) {
                assert_eq!(pair[0].output, pair[1].input);
            }
        }
    }

    #[test]
    fn impossible_numbers_are_named() {
        let message = |config: NetworkConfig| config.validate().unwrap_err().to_string();
        let latent = NetworkConfig {
            latent: 0,
            ..NetworkConfig::default()
        };
        assert_eq!(message(latent), "the latent size is 0, but must be from 1 to 4096");
        let layers = NetworkConfig {
            architecture: mlp(&[]),
            ..NetworkConfig::default()
        };
        assert_eq!(
            message(layers),
            "the number of hidden layers is 0, but must be from 1 to 8"
        );
        let units = NetworkConfig {
            architecture: mlp(&[400, 0]),
            ..NetworkConfig::default()
        };
        assert_eq!(
            message(units),
            "the number of hidden units is 0, but must be from 1 to 8192"
        );
    }

    #[test]
    fn configurations_of_earlier_programs_are_read() {
        let read = |text: &str| toml::from_str::<NetworkConfig>(text).map_err(|error| error.message().to_owned());
        let early = "image_size = 64\nchannels = 3\nbase_channels = 8\nlatent = 4\n";
        let config = NetworkConfig {
            image_size: 64,
            channels: 3,
            latent: 4,
            classes: 0,
            architecture: Architecture::Reference { base_channels: 8 },
        };
        assert_eq!(read(early), Ok(config.clone()));
        for config in [
            config,
            NetworkConfig {
                architecture: mlp(&[3, 2]),
                ..NetworkConfig::default()
            },
        ] {
            assert_eq!(read(&toml::to_string(&config).unwrap()), Ok(config));
        }
        for (line, complaint) in [
            ("version = 2", "take a newer one"),
            ("hidden = [3]", "`hidden` is no setting of the architecture reference"),
            (
                "architecture = \"mlp\"",
                "`base_channels` is no setting of the architecture mlp",
            ),
            ("layers = 3", "unknown field"),
        ] {
            let message = read(&format!("{early}{line}\n")).unwrap_err();
            assert!(message.contains(complaint), "{message}");
        }
    }

    #[test]
    fn weights_are_counted_without_making_them() {
        use burn::module::Module;
        use burn::tensor::Device;

        for (image_size, channels, latent, architecture) in [
            (32, 1, 2, Architecture::REFERENCE),
            (64, 3, 7, Architecture::Reference { base_channels: 4 }),
            (128, 1, 1, Architecture::Reference { base_channels: 2 }),
            (9, 3, 2, mlp(&[6, 4])),
        ] {
            let config = NetworkConfig {
                image_size,
                channels,
                latent,
                classes: 0,
                architecture,
            };
            let network = crate::network::Vae::new(config.clone(), 0, &Device::flex()).unwrap();
            assert_eq!(config.plan().weights(), network.num_params(), "{config:?}");
        }
    }
}
