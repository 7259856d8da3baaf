//! Settings found to be good for a kind of images.

use morphvae::data::Fit;
use morphvae::objective::Likelihood;
use morphvae::training::RunConfig;

use crate::arguments::PresetArgument;

/// Puts a preset over the defaults.
pub fn apply(preset: PresetArgument, config: &mut RunConfig) {
    match preset {
        PresetArgument::Faces => faces(config),
    }
}

fn faces(config: &mut RunConfig) {
    // Keeps the whole face and its proportions.
    config.data.fit = Fit::Pad;
    config.network.latent = 32;
    config.training.likelihood = Likelihood::Gaussian;
    config.training.epochs = 100;
}
