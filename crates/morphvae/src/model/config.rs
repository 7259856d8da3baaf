//! How large a network is.

use serde::{Deserialize, Serialize};

use super::ModelError;
use crate::weights::StateDict;

/// The sides that images may have, in pixels.
pub const IMAGE_SIZES: [usize; 3] = [32, 64, 128];

/// The most latent dimensions: beyond it weights no longer fit a laptop.
pub const MOST_LATENTS: usize = 4096;
/// The most base channels, for the same reason.
pub const MOST_BASE_CHANNELS: usize = 512;

/// The most convolutions that an encoder is looked for.
const MOST_STAGES: usize = 16;

/// How wide the widest map is, in base channels. Networks for images above 32 pixels get deeper, not wider.
const MOST_WIDENING: usize = 8;

/// Everything that decides the shapes of a network's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// The side of the square images in pixels: 32, 64 or 128.
    pub image_size: usize,
    /// 1 for grey images, 3 for colour.
    pub channels: usize,
    /// Channels after the first convolution; 64 is the reference network.
    pub base_channels: usize,
    /// Dimensions of the latent space.
    pub latent: usize,
}

impl Default for NetworkConfig {
    /// The reference network: grey images of 32 x 32, 64 base channels, two latent dimensions.
    fn default() -> Self {
        Self {
            image_size: 32,
            channels: 1,
            base_channels: 64,
            latent: 2,
        }
    }
}

impl NetworkConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// [`ModelError::Configuration`] names the first setting that no network can have.
    pub fn validate(&self) -> Result<(), ModelError> {
        let check = |fits: bool, name, value, allowed| {
            if fits {
                Ok(())
            } else {
                Err(ModelError::Configuration { name, value, allowed })
            }
        };
        check(
            IMAGE_SIZES.contains(&self.image_size),
            "the image size",
            self.image_size,
            "32, 64 or 128 pixels",
        )?;
        check(
            matches!(self.channels, 1 | 3),
            "the number of image channels",
            self.channels,
            "1 (grey) or 3 (colour)",
        )?;
        check(
            (1..=MOST_BASE_CHANNELS).contains(&self.base_channels),
            "the number of base channels",
            self.base_channels,
            "from 1 to 512",
        )?;
        check(
            (1..=MOST_LATENTS).contains(&self.latent),
            "the latent size",
            self.latent,
            "from 1 to 4096",
        )
    }

    /// Reads the configuration off the shapes of a network's weights, for files that carry no metadata.
    ///
    /// # Errors
    /// [`ModelError::NotThisNetwork`] when the telling tensors are absent or have impossible shapes.
    pub fn of_weights(weights: &StateDict) -> Result<Self, ModelError> {
        let shape = |name: &str, rank: usize| {
            let array = weights.get(name).ok_or_else(|| ModelError::NotThisNetwork {
                reason: format!("there is no tensor {name}"),
            })?;
            if array.shape.len() == rank {
                Ok(array.shape.clone())
            } else {
                Err(ModelError::NotThisNetwork {
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
            base_channels: first[0],
            latent,
        };
        config.validate().map_err(|error| ModelError::NotThisNetwork {
            reason: error.to_string(),
        })?;
        Ok(config)
    }

    /// Channels after each halving convolution, `[base, 2 base, 4 base, ...]`: three for images of 32 pixels and one
    /// more per doubling, none wider than eight times the base.
    #[must_use]
    pub fn stages(&self) -> Vec<usize> {
        let halvings = (self.image_size / 4).ilog2();
        (0..halvings)
            .map(|stage| self.base_channels * (1 << stage).min(MOST_WIDENING))
            .collect()
    }

    /// Length of the vector between the convolutions and the latent space: eight times the base channels.
    #[must_use]
    pub fn features(&self) -> usize {
        MOST_WIDENING * self.base_channels
    }

    /// Numbers that are learned, and the batch norms' running statistics.
    #[must_use]
    pub fn weights(&self) -> usize {
        // A weight for each pair of channels and place of the kernel; a bias, and four numbers of the batch norm.
        let layer = |inputs: usize, outputs: usize, places: usize| outputs * (inputs * places + 5);
        let head = self.latent * (self.features() + 1);
        let (stages, features) = (self.stages(), self.features());
        let last = stages.last().copied().unwrap_or(self.channels);
        let widths: Vec<usize> = [self.channels].into_iter().chain(stages).collect();
        let stages = widths
            .windows(2)
            .map(|pair| layer(pair[0], pair[1], 9) + layer(pair[1], pair[0], 16));
        let ends = layer(last, features, 16) + layer(features, last, 16);
        stages.sum::<usize>() + ends + 2 * head + layer(self.latent, features, 1)
    }

    /// Numbers in the maps that one image becomes: of each layer before its activation and after it.
    #[must_use]
    pub fn maps(&self) -> Vec<usize> {
        let mut side = self.image_size;
        let mut maps = Vec::new();
        for channels in self.stages() {
            // Into the encoder at this size, and out of the decoder.
            let map = side * side * channels;
            maps.extend([map, map / 4, map, map]);
            side /= 2;
        }
        maps.extend([self.features(); 4]);
        maps.extend([self.image_length(); 2]);
        maps
    }

    /// Numbers in one image: `channels * image_size * image_size`.
    #[must_use]
    pub fn image_length(&self) -> usize {
        self.channels * self.image_size * self.image_size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_network_has_the_published_widths() {
        let config = NetworkConfig::default();
        assert_eq!(config.stages(), [64, 128, 256]);
        assert_eq!(config.features(), 512);
    }

    #[test]
    fn each_doubling_adds_one_stage() {
        let stages = |image_size| {
            NetworkConfig {
                image_size,
                ..NetworkConfig::default()
            }
            .stages()
        };
        assert_eq!(stages(64), [64, 128, 256, 512]);
        assert_eq!(stages(128), [64, 128, 256, 512, 512]);
    }

    #[test]
    fn impossible_numbers_are_named() {
        let config = NetworkConfig {
            latent: 0,
            ..NetworkConfig::default()
        };
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "the latent size is 0, but must be from 1 to 4096"
        );
    }

    #[test]
    fn weights_and_maps_are_counted_without_making_them() {
        use burn::module::Module;
        use burn::tensor::Device;

        for (image_size, channels, base_channels, latent) in [(32, 1, 64, 2), (64, 3, 4, 7), (128, 1, 2, 1)] {
            let config = NetworkConfig {
                image_size,
                channels,
                base_channels,
                latent,
            };
            let network = crate::model::Vae::new(config, 0, &Device::flex()).unwrap();
            assert_eq!(config.weights(), network.num_params(), "{config:?}");
        }
        // Of the reference network: 32 x 32 x 64 first and last.
        assert_eq!(NetworkConfig::default().maps()[0], 65_536);
    }
}
