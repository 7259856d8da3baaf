//! What is said of an error: one line, what to do, and the exit status.

use std::io;
use std::path::Path;

use anyhow::Error;
use morphvae::data::DataError;
use morphvae::device::{DeviceError, Unusable};
use morphvae::evaluation::LikelihoodError;
use morphvae::figures::clip::ClipError;
use morphvae::latent::path::PathError;
use morphvae::network::NetworkError;
use morphvae::semi_supervised::SemiSupervisedError;
use morphvae::studio::{AugmentError, KeyError, MoveError, SampleError, StudioError};
use morphvae::training::TrainingError;

/// A request that cannot be met however the files are: exit status 2, as for options that do not parse.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

impl Usage {
    /// Something stands where a result is to go.
    pub fn exists(path: &Path) -> Self {
        Self::stands(path, "--out")
    }

    /// The same of a result that goes where something else than --out says.
    pub fn stands(path: &Path, other: &str) -> Self {
        Self(format!(
            "{}: this exists: replace it with --force, or choose another {other}",
            path.display()
        ))
    }
}

/// The error and its causes without repetition: library errors quote their cause already.
pub fn one_line(error: &Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if cause.contains(&line) {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    if let Some(advice) = error.chain().find_map(advice_of) {
        line = format!("{line}: {advice}");
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// 2 for wrong usage, 1 for all else that went wrong.
pub fn exit_code(error: &Error) -> u8 {
    let is_usage = error.chain().any(|cause| {
        cause.is::<Usage>()
            || cause.downcast_ref().is_some_and(is_request)
            || cause.downcast_ref().is_some_and(is_network_request)
            || cause.downcast_ref().is_some_and(is_data_request)
            || cause.downcast_ref().is_some_and(is_clip_request)
            || cause.downcast_ref().is_some_and(is_training_request)
            || cause.downcast_ref().is_some_and(is_likelihood_request)
            || cause.downcast_ref().is_some_and(is_device_request)
    });
    if is_usage { 2 } else { 1 }
}

pub fn is_broken_pipe(error: &Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// What to do, where an option helps.
fn advice_of(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    let studio = cause.downcast_ref().and_then(advice);
    let training = || cause.downcast_ref().and_then(training_advice).map(str::to_owned);
    let likelihood = || cause.downcast_ref().and_then(likelihood_advice).map(str::to_owned);
    let device = || cause.downcast_ref().and_then(device_advice).map(str::to_owned);
    studio.or_else(training).or_else(likelihood).or_else(device)
}

fn advice(error: &StudioError) -> Option<String> {
    use StudioError as Studio;

    let text = match error {
        Studio::UnknownImages { .. } => "name images with --images or --dataset",
        Studio::LostImages { .. } => "name their new place with --images",
        Studio::DamagedSet { set, data_dir, .. } => {
            return Some(format!(
                "fetch it again with `morphvae data fetch {set} --data-dir {}`",
                data_dir.display()
            ));
        }
        Studio::DamagedCheckpoint { network, .. } => {
            return Some(format!("begin another with --init-from {}", network.display()));
        }
        Studio::Channels { .. } => "name a folder of images with --images, or use another model",
        Studio::NotDivided { .. } => "leave --split out to take all its images",
        Studio::EmptyPart { .. } => "leave --split out",
        Studio::NoClasses { .. } => "name a --dataset, or a folder with --images whose subfolders are the classes",
        Studio::FewLabels { .. } => "give less of --labels-for, or more images with a label",
        Studio::NoCard { .. } => "name a run's folder or a .safetensors of this program",
        Studio::NoClassifier { .. } => "train one with --labels-for N, or with --conditional",
        Studio::Move(MoveError::Stands { .. } | MoveError::Twins { .. }) => {
            "choose another --move-to, or rename the file"
        }
        Studio::Key(KeyError::NotText { .. }) => "--add adds attributes to it",
        Studio::Memory { .. } => {
            "use less of --base-channels, --hidden, --image-size, --latent, --batch-size or --samples"
        }
        Studio::OtherImages { .. } => "bring those back, or start another run",
        Studio::EpochsDone { .. } => "give more --epochs, or leave it out",
        Studio::Augment(error) => return augment_advice(error).map(str::to_owned),
        Studio::Sample(error) => return sample_advice(error).map(str::to_owned),
        Studio::Listed { source, .. } => return advice(source),
        Studio::Training(error) => return training_advice(error).map(str::to_owned),
        Studio::Data(error) => return data_advice(error).map(str::to_owned),
        _ => return None,
    };
    Some(text.to_owned())
}

fn augment_advice(error: &AugmentError) -> Option<&'static str> {
    Some(match error {
        AugmentError::TooFew { .. } => "ask for fewer with --labelled",
        AugmentError::TooSmall { .. } => "bring more, or a larger --limit",
        AugmentError::NotBegun { .. } => "leave --resume out, or name its folder with --out",
        AugmentError::Damaged { .. } => "begin again with --force",
        _ => return None,
    })
}

fn sample_advice(error: &SampleError) -> Option<&'static str> {
    Some(match error {
        SampleError::PriorWithoutClasses => "choose --from mixture or --from class",
        SampleError::NoClasses { .. } => "leave --class out",
        SampleError::Plain { .. } => "choose --from mixture or --from class",
        SampleError::Occupied { is_sampling: true, .. } => "replace them with --force, or choose another --out",
        SampleError::Occupied { .. } => "choose another --out",
        _ => return None,
    })
}

fn training_advice(error: &TrainingError) -> Option<&'static str> {
    Some(match error {
        TrainingError::NonFinite { .. } => "try a smaller --learning-rate or --beta",
        TrainingError::OtherSettings { .. } => "leave the option out, or start another run",
        TrainingError::Exists { .. } => "continue it with --resume, replace it with --force, or choose another --out",
        TrainingError::NotARun { .. } => "choose another --out",
        TrainingError::NoCheckpoint { .. } => "begin it again with --force",
        TrainingError::Data(error) => return data_advice(error),
        _ => return None,
    })
}

fn data_advice(error: &DataError) -> Option<&'static str> {
    match error {
        DataError::BinarizationOfColours { .. } => Some("--channels 1"),
        DataError::ColourIdx => Some("choose --format png or npz"),
        DataError::ManyLabels { .. } => Some("choose --format png"),
        _ => None,
    }
}

fn likelihood_advice(error: &LikelihoodError) -> Option<&'static str> {
    match error {
        LikelihoodError::GreyPixels => Some("`--binarize dynamic`, or `train --likelihood discretized-logistic`"),
        _ => None,
    }
}

fn device_advice(error: &DeviceError) -> Option<&'static str> {
    match error.reason {
        Unusable::NotBuilt => None,
        _ => Some("`morphvae devices` lists what can be used, and --device cpu always can"),
    }
}

/// Whether what was asked for cannot be, however the files are.
fn is_request(error: &StudioError) -> bool {
    use StudioError as Studio;

    match error {
        Studio::Unfinished { .. }
        | Studio::UnknownImages { .. }
        | Studio::Channels { .. }
        | Studio::NotDivided { .. }
        | Studio::EmptyPart { .. }
        | Studio::NoClasses { .. }
        | Studio::OtherClasses { .. }
        | Studio::Key(_)
        | Studio::FewLabels { .. }
        | Studio::NoCard { .. }
        | Studio::NoClassifier { .. }
        | Studio::Move(MoveError::NoFiles { .. } | MoveError::Stands { .. } | MoveError::Twins { .. })
        | Studio::Morph(_)
        | Studio::Sample(_)
        | Studio::Memory { .. }
        | Studio::EpochsDone { .. }
        | Studio::Path(PathError::Steps { .. }) => true,
        Studio::Augment(error) => !matches!(error, AugmentError::Damaged { .. }),
        Studio::Listed { source, .. } => is_request(source),
        Studio::Model { source, .. } | Studio::Network(source) => is_network_request(source),
        Studio::Data(error) => is_data_request(error),
        Studio::Clip(error) => is_clip_request(error),
        Studio::Training(error) => is_training_request(error),
        Studio::SemiSupervised(error) => is_semi_supervised_request(error),
        _ => false,
    }
}

fn is_network_request(error: &NetworkError) -> bool {
    matches!(
        error,
        NetworkError::Configuration { .. } | NetworkError::Unlabelled { .. }
    )
}

fn is_data_request(error: &DataError) -> bool {
    matches!(
        error,
        DataError::UnknownSet { .. }
            | DataError::Binarization { .. }
            | DataError::BinarizationOfColours { .. }
            | DataError::ColourIdx
            | DataError::ManyLabels { .. }
    )
}

fn is_likelihood_request(error: &LikelihoodError) -> bool {
    match error {
        LikelihoodError::Network(error) => is_network_request(error),
        _ => true,
    }
}

fn is_device_request(error: &DeviceError) -> bool {
    !matches!(error.reason, Unusable::Refused { .. })
}

fn is_clip_request(error: &ClipError) -> bool {
    matches!(
        error,
        ClipError::UnknownEnding { .. } | ClipError::ColoursMapped | ClipError::TooLarge { .. }
    )
}

fn is_semi_supervised_request(error: &SemiSupervisedError) -> bool {
    match error {
        SemiSupervisedError::Network(error) => is_network_request(error),
        SemiSupervisedError::NonFinite { .. }
        | SemiSupervisedError::Checkpoint { .. }
        | SemiSupervisedError::Weights(_) => false,
        _ => true,
    }
}

fn is_training_request(error: &TrainingError) -> bool {
    match error {
        TrainingError::Network(error) => is_network_request(error),
        TrainingError::Data(error) => is_data_request(error),
        TrainingError::SemiSupervised(error) => is_semi_supervised_request(error),
        TrainingError::Setting { .. }
        | TrainingError::OtherSettings { .. }
        | TrainingError::Exists { .. }
        | TrainingError::NotARun { .. } => true,
        _ => false,
    }
}
