//! The settings of a run: what was typed, over those that it began with or the defaults.

use std::path::{Path, PathBuf};

use morphvae::choice::Choice;
use morphvae::figures::Gallery;
use morphvae::network::{Architecture, HiddenActivation};
use morphvae::objective::Objective;
use morphvae::studio::{ImageRequest, Run, Source};
use morphvae::training::{HeldRun, LearningRateSteps, Output, RunConfig, TrainingConfig};

use super::arguments::{ArchitectureArgument, PriorArgument, TrainArguments};
use super::preset;
use crate::answers::Usage;
use crate::arguments::ModelArgument;
use crate::console::Console;
use crate::limits::check_figure;
use crate::model;
use crate::observer::observer;

/// Units of the hidden layer of an `mlp`, unless others are asked for: those of PyTorch's example.
const HIDDEN_UNITS: usize = 400;

/// Samples an image of an importance-weighted bound, unless others are asked for: the fewest of the paper.
const SAMPLES: usize = 5;

/// Pseudo-inputs of the prior `vamp`, unless another number is asked for: that of the paper.
const PSEUDO_INPUTS: usize = 500;

/// What a learning rate that falls is multiplied by, unless another factor is asked for: that of PyTorch's `MultiStepLR`.
const FACTOR: f64 = 0.1;

/// Begins the run that is asked for, or goes on with it.
pub fn run(arguments: &TrainArguments, console: Console) -> anyhow::Result<Run> {
    let run = match &arguments.resume {
        Some(path) => resumed(path, arguments, console),
        None => begun(arguments, console),
    };
    Ok(run?.with_grid(arguments.grid))
}

fn begun(arguments: &TrainArguments, console: Console) -> anyhow::Result<Run> {
    let initial = match &arguments.init_from {
        Some(path) => {
            let model = Some(path.clone());
            Some(model::open(&ModelArgument { model }, console)?.network().clone())
        }
        None => None,
    };
    let mut config = RunConfig {
        init_from: arguments.init_from.clone(),
        ..RunConfig::default()
    };
    if let Some(preset) = arguments.preset {
        preset::apply(preset, &mut config);
    }
    if let Some(network) = &initial {
        config.network = network.config().clone();
        config.conditional = network.config().is_conditional();
        config.training.likelihood = network.likelihood();
        config.training.pseudo_inputs = network.pseudo_inputs();
    }
    apply(arguments, &mut config)?;
    if initial.as_ref().is_some_and(|network| {
        *network.config() != config.network || network.config().is_conditional() != config.conditional
    }) {
        let text = "--init-from decides the network: leave out --latent, --architecture, --base-channels, --hidden, \
                    --activation, --conditional and --image-size";
        return Err(Usage(text.into()).into());
    }
    check(&config, arguments.grid)?;
    let mut request = arguments.images.request()?;
    let source = match request.source {
        Some(source) => source,
        None => Source::usual(&request.store, &observer(console))?,
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| free_name(&source.name(), &config, arguments.force));
    request.source = Some(source);
    // What cannot be written shows before the images are read.
    let folder = HeldRun::claim(&out, arguments.force)?;
    Ok(Run::begin(folder, config, initial, &request, &observer(console))?)
}

fn resumed(path: &Path, arguments: &TrainArguments, console: Console) -> anyhow::Result<Run> {
    let (folder, config) = HeldRun::reopen(path)?;
    if let Some(number) = arguments.labels_for {
        let path = path.display();
        let text = format!(
            "{path}: this run learns without labels: build on it with --labels-for {number} --init-from {path}"
        );
        return Err(Usage(text).into());
    }
    let mut asked = config.clone();
    apply(arguments, &mut asked)?;
    let request = arguments.images.request()?;
    let config = continued(config, asked, &request)?;
    check(&config, arguments.grid)?;
    Ok(Run::resume(folder, config, &request, &observer(console))?)
}

/// A run's settings as it goes on with those that were asked for, and with images from where these lie now.
pub fn continued(config: RunConfig, mut asked: RunConfig, request: &ImageRequest) -> anyhow::Result<RunConfig> {
    if let Some(source) = &request.source {
        source.remember(&request.store, &mut asked.data);
    }
    asked.validate()?;
    asked.data.data_dir = match (&config.data.data_dir, &request.store.data_dir) {
        (Some(_), Some(_)) => Some(request.store.whole_folder()),
        (remembered, _) => remembered.clone(),
    };
    let config = config.continued_as(&asked);
    config.refuse_differences(&asked)?;
    Ok(config)
}

/// Refuses what would fail late, figures larger than can be drawn among it.
fn check(config: &RunConfig, grid: usize) -> anyhow::Result<()> {
    Run::check(config)?;
    check_figure("--grid", grid, |grid| Gallery::check(&config.network, grid))
}

pub fn put<T: Copy>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

/// Puts what was typed over the settings.
fn apply(arguments: &TrainArguments, config: &mut RunConfig) -> Result<(), Usage> {
    let RunConfig {
        conditional,
        data,
        network,
        training,
        ..
    } = config;
    if arguments.limit.is_some() {
        data.limit = arguments.limit;
    }
    put(&mut data.fit, arguments.images.fit);
    data.binarize = arguments.images.binarize.or(data.binarize);
    data.validation = arguments.validation.or(data.validation);
    // A new run's images decide how many there are; this is what a resumed one is asked for.
    let channels = arguments.images.channels.as_deref();
    put(&mut network.channels, channels.and_then(|count| count.parse().ok()));
    put(&mut network.latent, arguments.latent);
    *conditional |= arguments.conditional;
    put(&mut network.image_size, arguments.image_size);
    apply_architecture(arguments, &mut network.architecture)?;
    put(&mut training.epochs, arguments.epochs);
    training.patience = arguments.patience.or(training.patience);
    put(&mut training.batch_size, arguments.batch_size);
    put(&mut training.beta, arguments.beta);
    put(&mut training.warm_up, arguments.warm_up);
    put(&mut training.free_bits, arguments.free_bits);
    put(&mut training.seed, arguments.seed);
    apply_optimizer(arguments, training);
    training.pseudo_inputs = pseudo_inputs(arguments, training.pseudo_inputs)?;
    if arguments.pixel_mean_bias {
        training.output = Output::PixelMeans;
    }
    put(&mut training.objective, arguments.objective);
    let is_new = arguments.resume.is_none();
    if is_new && training.objective.is_importance_weighted() {
        training.samples = SAMPLES;
    }
    put(&mut training.samples, arguments.samples);
    put(&mut training.likelihood, arguments.likelihood);
    if training.objective == Objective::Ae && arguments.beta.is_some() {
        let text = "--beta weighs the KL divergence, and a plain autoencoder has none: leave it out";
        return Err(Usage(text.into()));
    }
    Ok(())
}

/// How many the prior is to be made of, where it was made of so many.
fn pseudo_inputs(arguments: &TrainArguments, before: usize) -> Result<usize, Usage> {
    match (arguments.prior, arguments.pseudo_inputs) {
        (Some(PriorArgument::Standard), None) => Ok(0),
        (Some(PriorArgument::Vamp), None) if before == 0 => Ok(PSEUDO_INPUTS),
        (_, None) => Ok(before),
        (Some(PriorArgument::Vamp), Some(count)) => Ok(count),
        (None, Some(count)) if before > 0 => Ok(count),
        (_, Some(_)) => Err(Usage("--pseudo-inputs are of the prior vamp: add --prior vamp".into())),
    }
}

/// Puts what was typed over Adam's settings and the learning rate's.
fn apply_optimizer(arguments: &TrainArguments, training: &mut TrainingConfig) {
    let adam = &mut training.adam;
    put(&mut adam.learning_rate, arguments.learning_rate);
    put(&mut adam.betas, arguments.adam_betas);
    put(&mut adam.epsilon, arguments.adam_epsilon);
    adam.epsilon_hat |= arguments.adam_epsilon_hat;
    put(&mut adam.first_square, arguments.adam_first_square);
    put(&mut adam.weight_decay, arguments.weight_decay);
    if let Some(epochs) = &arguments.learning_rate_steps {
        training.learning_rate_steps = Some(LearningRateSteps {
            epochs: epochs.clone(),
            factor: arguments.learning_rate_factor.unwrap_or(FACTOR),
        });
    }
}

/// Puts what was typed over the architecture; another one than before begins with its own defaults.
fn apply_architecture(arguments: &TrainArguments, architecture: &mut Architecture) -> Result<(), Usage> {
    match (arguments.architecture, &*architecture) {
        (Some(ArchitectureArgument::Reference), Architecture::Mlp { .. }) => *architecture = Architecture::REFERENCE,
        (Some(ArchitectureArgument::Mlp), Architecture::Reference { .. }) => {
            *architecture = Architecture::Mlp {
                hidden: vec![HIDDEN_UNITS],
                activation: HiddenActivation::default(),
            };
        }
        _ => {}
    }
    let foreign = |option: &str, of: &str| Err(Usage(format!("{option} is of the architecture {of}")));
    match architecture {
        Architecture::Reference { base_channels } => {
            if arguments.hidden.is_some() {
                return foreign("--hidden", "mlp: add --architecture mlp");
            }
            if arguments.activation.is_some() {
                return foreign("--activation", "mlp: add --architecture mlp");
            }
            *base_channels = arguments.base_channels.unwrap_or(*base_channels);
        }
        Architecture::Mlp { hidden, activation } => {
            if arguments.base_channels.is_some() {
                return foreign("--base-channels", "reference: --hidden says how wide an mlp is");
            }
            if let Some(units) = &arguments.hidden {
                hidden.clone_from(units);
            }
            *activation = arguments.activation.unwrap_or(*activation);
        }
    }
    Ok(())
}

/// `runs/mnist-2d`, or with a number behind it when that is taken.
fn free_name(dataset: &str, config: &RunConfig, force: bool) -> PathBuf {
    let kind = match config.training.objective {
        Objective::Vae => String::new(),
        other => format!("-{}", other.name()),
    };
    let name = format!("{dataset}-{}d{kind}", config.network.latent);
    let folder = PathBuf::from("runs");
    let first = folder.join(&name);
    if force || !first.exists() {
        return first;
    }
    (2..)
        .map(|number| folder.join(format!("{name}-{number}")))
        .find(|path| !path.exists())
        .unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use clap::{Parser, ValueEnum};

    use super::super::arguments::PresetArgument;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        train: TrainArguments,
    }

    #[test]
    fn a_preset_is_the_options_that_its_help_names() {
        for preset in PresetArgument::value_variants() {
            let help = preset.to_possible_value().unwrap().get_help().unwrap().to_string();
            let options = help.split_once(": ").unwrap().1;
            let line = format!("train --images folder {options}");
            let typed = Line::parse_from(line.split_whitespace()).train;
            let (mut by_preset, mut by_hand) = (RunConfig::default(), RunConfig::default());
            preset::apply(*preset, &mut by_preset);
            assert!(apply(&typed, &mut by_hand).is_ok());
            assert_eq!(by_preset, by_hand);
        }
    }
}
