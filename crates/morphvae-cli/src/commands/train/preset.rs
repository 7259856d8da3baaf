//! Settings found to be good for a kind of images.

use morphvae::data::Fit;
use morphvae::probability::Likelihood;
use morphvae::training::RunConfig;

use super::arguments::PresetArgument;

/// Puts a preset over the defaults.
pub fn apply(preset: PresetArgument, config: &mut RunConfig) {
    match preset {
        PresetArgument::Faces => faces(config),
    }
}

/// Found with 1,768 frames of one face, 20 x 28 grey pixels each, and judged by 197 others.
fn faces(config: &mut RunConfig) {
    // Keeps the whole face, and its proportions.
    config.data.fit = Fit::Pad;
    // Room for pose, light and expression.
    config.network.latent = 32;
    // Of grey values, the sharpest: the standard deviation falls with the errors, and they count for ever more.
    config.training.likelihood = Likelihood::Gaussian;
    // Few images need many epochs. With steps as long as usual, single epochs end far off, once errors count for much.
    config.training.epochs = 80;
    config.training.adam.learning_rate = 3e-4;
}
