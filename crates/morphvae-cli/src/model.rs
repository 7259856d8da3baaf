//! The model that a command works with.

use morphvae::studio::{Model, StudioError};

use crate::arguments::ModelArgument;
use crate::console::Console;

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
