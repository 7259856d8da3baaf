//! The settings of a run: what was typed, over those that it began with or the defaults.

use std::path::{Path, PathBuf};

use morphvae::data::{Fit, NameOrder};
use morphvae::figures::Gallery;
use morphvae::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
use morphvae::objective::Objective;
use morphvae::probability::Likelihood;
use morphvae::training::{DataConfig, HeldRun, Output, RunConfig, TrainingConfig};

use super::preset;
use crate::Usage;
use crate::arguments::{ArchitectureArgument, ModelArgument, StoreArguments, TrainArguments};
use crate::console::Console;
use crate::images::Source;
use crate::limits::{check_figure, check_memory};
use crate::model::Model;

/// Units of the hidden layer of an `mlp`, unless others are asked for: those of PyTorch's example.
const HIDDEN_UNITS: usize = 400;

/// Images of the smallest step.
const LEAST_BATCH: usize = 2;

/// A run as it was asked for, before any image is read.
pub struct Plan {
    pub run: HeldRun,
    pub config: RunConfig,
    pub source: Source,
    pub beginning: Beginning,
}

/// Where a run begins.
pub enum Beginning {
    /// With a fresh network or with the one that was named.
    New(Option<Box<Vae>>),
    /// Where it stopped.
    Resumed,
}

impl Plan {
    pub fn of(arguments: &TrainArguments, console: Console) -> anyhow::Result<Self> {
        match &arguments.resume {
            Some(path) => Self::resumed(path, arguments),
            None => Self::new(arguments, console),
        }
    }

    fn new(arguments: &TrainArguments, console: Console) -> anyhow::Result<Self> {
        let initial = match &arguments.init_from {
            Some(path) => Some(
                Model::open(
                    &ModelArgument {
                        model: Some(path.clone()),
                    },
                    console,
                )?
                .trained
                .network,
            ),
            None => None,
        };
        let mut config = defaults();
        config.init_from.clone_from(&arguments.init_from);
        if let Some(preset) = arguments.preset {
            preset::apply(preset, &mut config);
        }
        if let Some(network) = &initial {
            config.network = network.config().clone();
            config.training.likelihood = network.likelihood();
        }
        apply(arguments, &mut config)?;
        if initial
            .as_ref()
            .is_some_and(|network| *network.config() != config.network)
        {
            let text = "--init-from decides the network: leave out --latent, --architecture, --base-channels, --hidden, \
                        --activation and --image-size";
            return Err(Usage(text.into()).into());
        }
        config.validate()?;
        check_limits(&config, arguments.grid)?;

        let source = match Source::named(&arguments.images)? {
            Some(source) => source,
            None => Source::default(&arguments.images.store, console)?,
        };
        remember(&source, &arguments.images.store, &mut config.data);
        let source = match source {
            Source::Folder { path, .. } => {
                config.data.order = Some(NameOrder::Natural);
                Source::Folder {
                    path,
                    // Typed or of a preset.
                    fit: config.data.fit,
                }
            }
            known => known,
        };
        if initial.is_none() {
            config.training.output = output(&source, config.training.likelihood);
        }
        let out = arguments
            .out
            .clone()
            .unwrap_or_else(|| free_name(&config, arguments.force));
        Ok(Self {
            // What cannot be written shows before the images are read.
            run: HeldRun::claim(&out, arguments.force)?,
            config,
            source,
            beginning: Beginning::New(initial.map(Box::new)),
        })
    }

    fn resumed(path: &Path, arguments: &TrainArguments) -> anyhow::Result<Self> {
        let (run, config) = HeldRun::reopen(path)?;
        let mut asked = config.clone();
        apply(arguments, &mut asked)?;
        let named = Source::named(&arguments.images)?;
        if let Some(source) = &named {
            remember(source, &arguments.images.store, &mut asked.data);
        }
        asked.validate()?;
        asked.data.data_dir = match (&config.data.data_dir, &arguments.images.store.data_dir) {
            (Some(_), Some(_)) => Some(whole_path(arguments.images.store.data_dir())),
            (remembered, _) => remembered.clone(),
        };
        let config = config.continued_as(&asked);
        config.refuse_differences(&asked)?;
        check_limits(&config, arguments.grid)?;
        Ok(Self {
            run,
            source: match named {
                Some(Source::Folder { path, .. }) => Source::Folder {
                    path,
                    fit: config.data.fit,
                },
                _ => Source::of_config(&config.data)?,
            },
            config,
            beginning: Beginning::Resumed,
        })
    }
}

/// Refuses what would fail late: figures larger than can be drawn, and networks that no number of images fits beside.
fn check_limits(config: &RunConfig, grid: usize) -> anyhow::Result<()> {
    check_figure("--grid", grid, |grid| Gallery::check(&config.network, grid))?;
    Ok(check_memory(&config.network, LEAST_BATCH)?)
}

/// Fresh networks are fitted to their images, but for the well-known experiment: what learns a known set by the
/// cross-entropy begins as PyTorch does.
fn output(source: &Source, likelihood: Likelihood) -> Output {
    match source {
        Source::Known { .. } | Source::Strokes if likelihood == Likelihood::CrossEntropy => Output::Standard,
        _ => Output::Fitted,
    }
}

fn defaults() -> RunConfig {
    RunConfig {
        init_from: None,
        data: DataConfig {
            dataset: String::new(),
            data_dir: None,
            images: None,
            fit: Fit::default(),
            order: None,
            limit: None,
            fingerprint: String::new(),
        },
        network: NetworkConfig::default(),
        training: TrainingConfig::default(),
    }
}

/// Writes into the settings where the images come from.
fn remember(source: &Source, store: &StoreArguments, data: &mut DataConfig) {
    data.dataset = source.name();
    (data.data_dir, data.images) = match source {
        Source::Folder { path, .. } => (None, Some(whole_path(path))),
        Source::Known { .. } => (Some(whole_path(store.data_dir())), None),
        Source::Strokes => (None, None),
    };
}

/// A path that means the same from any folder.
fn whole_path(path: &Path) -> PathBuf {
    let whole = path.canonicalize().or_else(|_| std::path::absolute(path));
    whole.unwrap_or_else(|_| path.to_owned())
}

/// Puts what was typed over the settings.
fn apply(arguments: &TrainArguments, config: &mut RunConfig) -> Result<(), Usage> {
    fn put<T: Copy>(setting: &mut T, given: Option<T>) {
        if let Some(given) = given {
            *setting = given;
        }
    }
    let RunConfig {
        data,
        network,
        training,
        ..
    } = config;
    if arguments.limit.is_some() {
        data.limit = arguments.limit;
    }
    put(&mut data.fit, arguments.images.fit);
    // A new run's images decide how many there are; this is what a resumed one is asked for.
    let channels = arguments.images.channels.as_deref();
    put(&mut network.channels, channels.and_then(|count| count.parse().ok()));
    put(&mut network.latent, arguments.latent);
    put(&mut network.image_size, arguments.image_size);
    apply_architecture(arguments, &mut network.architecture)?;
    put(&mut training.epochs, arguments.epochs);
    training.patience = arguments.patience.or(training.patience);
    put(&mut training.batch_size, arguments.batch_size);
    put(&mut training.beta, arguments.beta);
    put(&mut training.seed, arguments.seed);
    put(&mut training.adam.learning_rate, arguments.learning_rate);
    put(&mut training.adam.weight_decay, arguments.weight_decay);
    put(&mut training.objective, arguments.objective);
    put(&mut training.likelihood, arguments.likelihood);
    if training.objective == Objective::Ae && arguments.beta.is_some() {
        let text = "--beta weighs the KL divergence, and a plain autoencoder has none: leave it out";
        return Err(Usage(text.into()));
    }
    Ok(())
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
fn free_name(config: &RunConfig, force: bool) -> PathBuf {
    let kind = match config.training.objective {
        Objective::Vae => "",
        Objective::Ae => "-ae",
    };
    let name = format!("{}-{}d{kind}", config.data.dataset, config.network.latent);
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

    use super::*;
    use crate::arguments::{Arguments, PresetArgument, Verb};

    #[test]
    fn a_preset_is_the_options_that_its_help_names() {
        for preset in PresetArgument::value_variants() {
            let help = preset.to_possible_value().unwrap().get_help().unwrap().to_string();
            let options = help.split_once(": ").unwrap().1;
            let line = format!("morphvae train --images folder {options}");
            let Verb::Train(typed) = Arguments::parse_from(line.split_whitespace()).verb else {
                panic!("{line} trains");
            };
            let (mut by_preset, mut by_hand) = (defaults(), defaults());
            preset::apply(*preset, &mut by_preset);
            assert!(apply(&typed, &mut by_hand).is_ok());
            assert_eq!(by_preset, by_hand);
        }
    }
}
