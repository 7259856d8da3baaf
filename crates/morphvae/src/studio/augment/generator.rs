//! A conditional network that learns from few labelled images, and draws more.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;

use crate::data::{Images, Split};
use crate::evaluation::decode;
use crate::network::{Architecture, HiddenActivation, Inference, NetworkConfig, Vae};
use crate::random::{Purpose, noise};
use crate::studio::StudioError;
use crate::training::{Outcome, Training, TrainingConfig, TrainingData};

/// Images of an epoch, at least: fewer are learned from several times in it.
const EPOCH: usize = 1000;
/// Validation images that say after an epoch whether it was the best.
const JUDGES: usize = 1000;
/// Epochs without a better one after which the training ends.
const PATIENCE: usize = 5;
/// Units of the hidden layers.
const HIDDEN: [usize; 2] = [256, 128];
const LATENT: usize = 8;

/// Draws images of each class.
#[derive(Debug)]
pub(super) struct Generator {
    network: Inference,
    classes: usize,
}

impl Generator {
    /// Teaches a network the labelled images, of which it sees at most `images` in all, and keeps it as it was when its
    /// evidence lower bound of the validation images was highest; nothing when `check` breaks.
    ///
    /// # Errors
    /// [`StudioError::Training`] when there can be no such network, or the loss is no longer a number.
    pub fn learn(
        labelled: &Split,
        validation: &Split,
        classes: usize,
        images: usize,
        seed: u64,
        check: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Self>, StudioError> {
        let count = labelled.images.count();
        let repeated: Vec<usize> = (0..count * EPOCH.div_ceil(count)).map(|place| place % count).collect();
        let mut judges = validation.clone();
        judges.truncate(JUDGES);
        let data = TrainingData::new(Arc::new(labelled.chosen(&repeated)), Arc::new(judges));
        let network = NetworkConfig {
            channels: labelled.images.channels(),
            image_size: labelled.images.width(),
            latent: LATENT,
            classes,
            architecture: Architecture::Mlp {
                hidden: HIDDEN.to_vec(),
                activation: HiddenActivation::Relu,
            },
        };
        let config = TrainingConfig {
            epochs: images.div_ceil(repeated.len()),
            patience: Some(PATIENCE),
            seed,
            ..TrainingConfig::default()
        };
        let network = Vae::new(network, seed, &Device::flex()).map_err(crate::training::TrainingError::from)?;
        let mut training = Training::new(network, config)?;
        let mut best = training.network();
        while !training.is_finished() {
            let outcome;
            (training, outcome) = training.epoch(&data, &mut |_| check())?;
            match outcome {
                Outcome::Interrupted => return Ok(None),
                Outcome::Finished(_) if training.best() == training.history().last() => best = training.network(),
                Outcome::Finished(_) => {}
            }
        }
        Ok(Some(Self {
            network: Inference::new(&best),
            classes,
        }))
    }

    /// Draws `count` images from the prior, one class after the other.
    ///
    /// # Errors
    /// [`StudioError::Network`], unless the network was made wrongly.
    pub fn draw(&self, count: usize, temperature: f64, seed: u64) -> Result<Split, StudioError> {
        let config = self.network.config();
        let classes: Vec<u16> = (0..self.classes as u16).cycle().take(count).collect();
        let latents: Vec<f32> = (0..count as u64)
            .flat_map(|number| noise(seed, Purpose::Prior, number, config.latent))
            .map(|noise| temperature as f32 * noise)
            .collect();
        let images: Images = decode(&self.network, &config.points(&latents, &classes))?;
        Ok(Split {
            images,
            labels: Some(classes.into_iter().map(Some).collect()),
            sources: None,
        })
    }
}
