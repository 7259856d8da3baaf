//! Where the decoder's output begins, and how fast it moves.
//!
//! The decoder ends in a batch norm and a sigmoid. So the batch norm's shift and scale, one of each for a channel, are
//! mean and standard deviation of all logits: the brightness and the contrast of whatever is drawn. PyTorch begins
//! with a medium grey of contrast one, and Adam moves both by about a learning rate a step. Until they have come to
//! where the images are, a network that wants most of the logits to be otherwise has one way to get them: a few pixels
//! make up for the difference, at logits far out. There the sigmoid is so flat that no gradient brings them back, and
//! they stay black or white for good. With many images and long steps that passes; with few, or short ones, as faces
//! have, it does not.

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::TrainingError;
use crate::data::{Images, prepare};
use crate::evaluation::check_channels;
use crate::network::{Vae, Values};

/// How the batch norm that ends the decoder begins and moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// As in PyTorch: with a scale of one and a shift of zero, in steps like those of every other weight.
    #[default]
    Standard,
    /// With the brightness and contrast of the images, in steps ten times as long. See [`Output::begin`].
    Fitted,
    /// Without a batch norm: with each pixel's mean over the images, as the first importance-weighted autoencoders (Burda
    /// et al., 2016).
    PixelMeans,
}

/// Images whose pixels are held in memory at once.
const BATCH: usize = 256;

/// The least scale: what is multiplied by nothing learns nothing.
const LEAST_SCALE: f64 = 0.1;

/// Pixels nearer to black and to white than this count as so far away: in logits there is no end to either. Contrast that
/// is missing is soon learned; too much of it pushes single pixels out.
const MARGIN: f64 = 0.05;

/// The same of a pixel's mean, as published.
const MEAN_MARGIN: f64 = 0.001;

/// Levels of grey, from black to white.
const LEVELS: usize = 256;

impl Output {
    /// Whether this is what runs of earlier programs had, whose settings do not say.
    pub(super) fn is_standard(&self) -> bool {
        *self == Self::Standard
    }

    /// `network` with the output that it is to begin with for these images to learn from. A decoder that ends in no
    /// batch norm has nothing to be fitted, and one that does no bias of its own for the means; they are as they were.
    ///
    /// A fitted one has the mean and the standard deviation that the logits of the images' pixels have, for each channel.
    /// Pixels count as a twentieth away from black and from white at least, and the deviation is 0.1 at least, so that
    /// images without any contrast can be learned from, too.
    ///
    /// The last layer's bias for pixel means is their logits, where a mean is from 0.001 to 0.999.
    ///
    /// # Errors
    /// [`TrainingError::Network`] for images of another kind than the network's.
    pub fn begin(self, network: Vae, images: &Images) -> Result<Vae, TrainingError> {
        match self {
            Self::Standard => Ok(network),
            Self::Fitted => {
                check_channels(network.config(), images)?;
                let logits = logits(images, network.config().image_size);
                Ok(begin_at(network, &logits))
            }
            Self::PixelMeans => {
                check_channels(network.config(), images)?;
                let logits = mean_logits(images, network.config().image_size);
                Ok(begin_at_means(network, logits))
            }
        }
    }

    /// What the names of the weights begin with that move in longer steps.
    pub(super) fn quick_weights(self, network: &Vae) -> Option<String> {
        match self {
            Self::Standard | Self::PixelMeans => None,
            Self::Fitted => network.output_name(),
        }
    }
}

/// Mean and standard deviation of the logits of a channel's pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Logits {
    mean: f64,
    deviation: f64,
}

/// Those of each channel of the images, fitted to `size` x `size`.
fn logits(images: &Images, size: usize) -> Vec<Logits> {
    let mut counts = vec![[0_u64; LEVELS]; images.channels()];
    let indices: Vec<u32> = (0..=u32::MAX).take(images.count()).collect();
    for batch in indices.chunks(BATCH) {
        let pixels = prepare(images, batch, size);
        for (channel, plane) in pixels.chunks_exact(size * size).enumerate() {
            let counts = &mut counts[channel % images.channels()];
            for pixel in plane {
                counts[(pixel * 255.0).round() as usize] += 1;
            }
        }
    }
    counts.iter().map(Logits::of).collect()
}

/// The logit of each pixel's mean over the images, fitted to `size` x `size`: `[channels, size, size]`.
fn mean_logits(images: &Images, size: usize) -> Vec<f32> {
    let length = images.channels() * size * size;
    let mut sums = vec![0.0; length];
    let indices: Vec<u32> = (0..=u32::MAX).take(images.count()).collect();
    for batch in indices.chunks(BATCH) {
        for (index, pixel) in prepare(images, batch, size).into_iter().enumerate() {
            sums[index % length] += f64::from(pixel);
        }
    }
    let logit = |sum: f64| {
        let mean = (sum / images.count().max(1) as f64).clamp(MEAN_MARGIN, 1.0 - MEAN_MARGIN);
        (mean / (1.0 - mean)).ln() as f32
    };
    sums.into_iter().map(logit).collect()
}

impl Logits {
    /// Of so many pixels of each level.
    fn of(counts: &[u64; LEVELS]) -> Self {
        let logit = |level: usize| {
            let pixel = (level as f64 / (LEVELS - 1) as f64).clamp(MARGIN, 1.0 - MARGIN);
            (pixel / (1.0 - pixel)).ln()
        };
        let total = counts.iter().sum::<u64>().max(1) as f64;
        let mean_of = |value: &dyn Fn(usize) -> f64| {
            let sum: f64 = counts
                .iter()
                .enumerate()
                .map(|(level, &count)| count as f64 * value(level))
                .sum();
            sum / total
        };
        let mean = mean_of(&logit);
        let variance = mean_of(&|level| (logit(level) - mean).powi(2));
        Self {
            mean,
            deviation: variance.sqrt(),
        }
    }
}

/// The network with these means and deviations for shift and scale of the batch norm that ends its decoder.
fn begin_at(network: Vae, logits: &[Logits]) -> Vae {
    let Some(name) = network.output_name() else {
        return network;
    };
    with_values(network, |parameter| match parameter.strip_prefix(&name) {
        Some("weight") => {
            let scales = logits.iter().map(|channel| channel.deviation.max(LEAST_SCALE) as f32);
            Some(scales.collect())
        }
        Some("bias") => Some(logits.iter().map(|channel| channel.mean as f32).collect()),
        _ => None,
    })
}

/// The network with these logits for the bias of its decoder's last layer, if that has one for each pixel.
fn begin_at_means(network: Vae, logits: Vec<f32>) -> Vae {
    match network.output_bias() {
        Some(name) => with_values(network, |parameter| (parameter == name).then(|| logits.clone())),
        None => network,
    }
}

/// The network with the values that there are for a parameter's name, and its own for all others.
fn with_values(network: Vae, values: impl Fn(&str) -> Option<Vec<f32>>) -> Vae {
    network.map_parameters(&mut [], |parameter, old, _| {
        Values::Now(match values(parameter) {
            Some(values) => {
                let shape = [values.len()];
                Tensor::from_data(TensorData::new(values, shape), &old.device())
            }
            None => old,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::data::Split;
    use crate::network::{Architecture, Condition, HiddenActivation, NetworkConfig, NetworkError, to_values};
    use crate::probability::Likelihood;
    use crate::training::{Training, TrainingConfig, TrainingData};

    fn images(channels: usize, count: usize, pixel: impl Fn(usize) -> u8) -> Images {
        let pixels = (0..count * channels * 1024).map(pixel).collect();
        Images::new(channels, 32, 32, pixels).unwrap()
    }

    fn network(channels: usize) -> Vae {
        let config = NetworkConfig {
            channels,
            architecture: Architecture::Reference { base_channels: 2 },
            ..NetworkConfig::default()
        };
        Vae::new(config, 0, &Device::flex()).unwrap()
    }

    fn moments(values: &[f64]) -> [f64; 2] {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        [mean, (squares / values.len() as f64).sqrt()]
    }

    #[test]
    fn what_is_drawn_before_anything_is_learned_is_as_bright_and_as_rich_in_contrast_as_the_images() {
        // A channel of its own brightness each, and no pixel near an end.
        let images = images(3, 40, |index| {
            let channel = index / 1024 % 3;
            (40 + 60 * channel + index * index % 31) as u8
        });
        let network = Output::Fitted.begin(network(3), &images).unwrap();
        let indices: Vec<u32> = (0..40).collect();
        let pixels = prepare(&images, &indices, 32);
        let shape = [40, 3, 32, 32];
        let batch = Tensor::from_data(TensorData::new(pixels.clone(), shape), &network.device());
        let noise = crate::random::noise(0, crate::random::Purpose::Noise, 0, 80);
        let noise = Tensor::from_data(TensorData::new(noise, [40, 2]), &network.device());
        let drawn = network
            .train_pass(batch, &Condition::none(), Some(noise))
            .reconstruction;
        let drawn = to_values(drawn.flatten::<1>(0, 3));
        for channel in 0..3 {
            let [truth, found] = [&pixels, &drawn].map(|values| {
                let planes = values.chunks_exact(1024).skip(channel).step_by(3);
                let logit = |value: &f32| (f64::from(*value) / (1.0 - f64::from(*value))).ln();
                moments(&planes.flatten().map(logit).collect::<Vec<_>>())
            });
            for (truth, found) in truth.into_iter().zip(found) {
                assert!((truth - found).abs() < 0.01, "channel {channel}: {found}, not {truth}");
            }
        }
    }

    #[test]
    fn without_a_batch_norm_each_pixel_begins_at_its_mean() {
        let config = NetworkConfig {
            image_size: 3,
            channels: 3,
            latent: 2,
            classes: 0,
            architecture: Architecture::Mlp {
                hidden: vec![5],
                activation: HiddenActivation::Tanh,
            },
        };
        // The first pixel is always black, the second always white, the third grey now and then.
        let pixel = |index: usize| match index % 27 {
            0 => 0,
            1 => 255,
            other => (index / 27 * 20 + other) as u8,
        };
        let images = Images::new(3, 3, 3, (0..4 * 27).map(pixel).collect()).unwrap();
        let network = Vae::new(config, 0, &Device::flex()).unwrap();
        let before = network.state();
        assert_eq!(Output::Fitted.begin(network.clone(), &images).unwrap().state(), before);
        let after = Output::PixelMeans.begin(network, &images).unwrap().state();
        let changed: Vec<_> = after.iter().filter(|&(name, array)| before[name] != *array).collect();
        let [(name, bias)] = changed[..] else {
            panic!("{changed:?}");
        };
        assert_eq!(name, "location.0.bias");
        for (index, &found) in bias.values.iter().enumerate() {
            let mean = (0..4).map(|image| f64::from(pixel(image * 27 + index))).sum::<f64>() / 4.0 / 255.0;
            let mean = mean.clamp(0.001, 0.999);
            let drawn = 1.0 / (1.0 + f64::from(-found).exp());
            assert!((drawn - mean).abs() < 1e-6, "{index}: {drawn} {mean}");
        }
    }

    #[test]
    fn the_end_of_the_decoder_is_all_that_is_fitted() {
        let before = network(1).state();
        // A pixel of four is white; black and white count as 1/20 and 19/20.
        let images = images(1, 2, |index| if index % 4 == 0 { 255 } else { 0 });
        assert_eq!(Output::Standard.begin(network(1), &images).unwrap().state(), before);
        let after = Output::Fitted.begin(network(1), &images).unwrap().state();
        let changed = after.iter().filter(|&(name, array)| before[name] != *array);
        let changed: Vec<_> = changed.map(|(name, array)| (name.as_str(), array.values[0])).collect();
        let [("convTrans4.1.bias", shift), ("convTrans4.1.weight", scale)] = changed[..] else {
            panic!("{changed:?}");
        };
        let far = 19_f32.ln();
        assert!((shift + 0.5 * far).abs() < 1e-5, "{shift}");
        assert!((scale - 0.75_f32.sqrt() * far).abs() < 1e-5, "{scale}");
    }

    #[test]
    fn images_without_contrast_are_learned_from() {
        for (level, likelihood) in [
            (0, Likelihood::Gaussian),
            (255, Likelihood::CrossEntropy),
            (90, Likelihood::DiscretizedLogistic),
            (0, Likelihood::ContinuousBernoulli),
        ] {
            let images = images(1, 20, |_| level);
            let network = Output::Fitted.begin(network(1), &images).unwrap();
            assert_eq!(network.state()["convTrans4.1.weight"].values, [LEAST_SCALE as f32]);
            let split = Arc::new(Split {
                images,
                labels: None,
                sources: None,
            });
            let data = TrainingData::new(Arc::clone(&split), split);
            let config = TrainingConfig {
                epochs: 2,
                batch_size: 5,
                likelihood,
                output: Output::Fitted,
                ..TrainingConfig::default()
            };
            let mut training = Training::new(network, config).unwrap();
            while !training.is_finished() {
                training = training.epoch(&data, &mut |_| ControlFlow::Continue(())).unwrap().0;
            }
            let [first, last] = [0, 1].map(|epoch| training.history()[epoch].test_loss);
            assert!(last < first, "{likelihood:?}: {first} {last}");
        }
    }

    #[test]
    fn images_of_another_kind_are_refused() {
        let error = Output::Fitted.begin(network(3), &images(1, 2, |_| 7)).unwrap_err();
        let TrainingError::Network(NetworkError::Channels { expected, found }) = error else {
            panic!("{error}");
        };
        assert_eq!((expected, found), (3, 1));
    }

    #[test]
    fn settings_say_what_is_not_as_in_pytorch() {
        let of = |output| {
            let config = TrainingConfig {
                output,
                ..TrainingConfig::default()
            };
            toml::to_string(&config).unwrap()
        };
        assert!(!of(Output::Standard).contains("output"));
        assert!(of(Output::Fitted).contains("output = \"fitted\""));
    }
}
