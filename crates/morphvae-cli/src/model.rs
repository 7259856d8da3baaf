//! The model that a command works with.

use std::ffi::OsString;
use std::path::Path;

use morphvae::device::DeviceChoice;
use morphvae::model::ModelCard;
use morphvae::studio::{Model, StudioError};
use morphvae::training::{RunFolder, TrainingError};

use crate::arguments::ModelArgument;
use crate::console::Console;
use crate::device;

/// Opens the model that is named, or the bundled one, and says which it is where that is not plain.
pub fn open(argument: &ModelArgument, console: Console) -> Result<Model, StudioError> {
    let Some(path) = &argument.model else {
        console.note("no MODEL named: using the bundled one, MNIST digits in a latent plane");
        return Model::bundled();
    };
    let model = Model::open(path)?;
    if let (Some(card), Some(last), Some(run)) = (model.card(), model.later_epoch(), model.run()) {
        console.note(format!(
            "{}: epoch {} of {}, the best: its test loss is {:.2} nats below that of the last, which is {}",
            model.name(),
            card.epochs,
            last.epoch,
            last.test_loss - card.test.loss,
            run.model_path().display(),
        ));
    }
    Ok(model)
}

/// The same on the device that is asked for.
pub fn open_on(argument: &ModelArgument, choice: DeviceChoice, console: Console) -> anyhow::Result<Model> {
    let device = device::open(choice, console)?;
    Ok(open(argument, console)?.on(&device.device))
}

/// The model, if the first word is one, and the keys. A folder without a run is none: a class may have its name.
pub fn split(words: &[OsString]) -> (ModelArgument, &[OsString]) {
    let is_run = |path: &Path| !matches!(RunFolder::open(path), Err(TrainingError::NoRun { .. }));
    let is_model = |word: &OsString| {
        let path = Path::new(word);
        let ending = path.extension().and_then(|ending| ending.to_str());
        matches!(ending, Some("safetensors" | "pth" | "pt")) || (path.is_dir() && is_run(path))
    };
    match words.split_first() {
        Some((first, keys)) if is_model(first) => (
            ModelArgument {
                model: Some(first.into()),
            },
            keys,
        ),
        _ => (ModelArgument { model: None }, words),
    }
}

/// What it learned, for the line below a title: `mnist · 5 epochs`.
pub fn learned(model: &Model) -> String {
    match model.card() {
        None => model.stem(),
        Some(ModelCard { dataset, epochs: 1, .. }) => format!("{dataset} · 1 epoch"),
        Some(ModelCard { dataset, epochs, .. }) => format!("{dataset} · {epochs} epochs"),
    }
}
