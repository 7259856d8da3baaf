//! `morphvae info`

use burn::module::Module;
use clap::Args;
use morphvae::choice::Choice;
use morphvae::data::Protocol;
use morphvae::model::ModelCard;
use morphvae::objective::Objective;
use morphvae::probability::Likelihood;
use morphvae::weights::Format;
use serde_json::json;

use crate::arguments::ModelArgument;
use crate::console::Console;
use crate::model;

#[derive(Debug, Args)]
pub struct InfoArguments {
    #[command(flatten)]
    pub model: ModelArgument,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub fn run(arguments: &InfoArguments, console: Console) -> anyhow::Result<()> {
    let model = model::open(&arguments.model, console)?;
    let network = model.network().config();
    let format = match model.format() {
        Format::Safetensors => "safetensors",
        Format::PyTorch => "PyTorch",
    };
    let parameters = model.network().num_params();
    let last = model.later_epoch();
    if arguments.json {
        let report = json!({
            "model": model.name(), "format": format, "network": network, "parameters": parameters, "card": model.card(),
            "last": last,
        });
        return Ok(console.json(&report)?);
    }
    console.print(&format!(
        "model          {}\nformat         {format}\nimages         {} x {} x {}\nlatent         {} dimension(s)\n\
         architecture   {}, {}\nnumbers        {parameters}",
        model.name(),
        network.channels,
        network.image_size,
        network.image_size,
        network.latent,
        network.architecture.name(),
        network.architecture,
    ))?;
    if network.is_conditional() {
        console.print(&format!("conditional    on {} class(es)", network.classes))?;
    }
    let likelihood = model.network().likelihood();
    if likelihood != Likelihood::CrossEntropy {
        let scale = model.network().likelihood_scale();
        let scale = scale.map_or(String::new(), |scale| format!(", scale {scale:.4}"));
        console.print(&format!("likelihood     {}{scale}", likelihood.name()))?;
    }
    let pseudo_inputs = model.network().pseudo_inputs();
    if pseudo_inputs > 0 {
        console.print(&format!(
            "prior          the VampPrior of {pseudo_inputs} pseudo-inputs"
        ))?;
    }
    if model.protocol() != Protocol::default() {
        console.print(&format!("protocol       {}", model.protocol()))?;
    }
    match model.card() {
        Some(card) => console.print(&format!(
            "objective      {}\ntrained        {} epoch(s) of {}, {} step(s)\ntest loss      {:.2} nats per image{}\n\
             classes        {}",
            objective(card),
            card.epochs,
            card.dataset,
            card.steps,
            card.test.loss,
            terms(card),
            if card.classes.is_empty() {
                "none".to_owned()
            } else {
                card.classes.join(", ")
            },
        ))?,
        None => console.print("trained        elsewhere: the file says nothing of it")?,
    }
    if let Some(classifier) = model.card().and_then(|card| card.classifier.as_ref()) {
        let error = classifier.test_error.map_or(String::new(), |error| {
            format!("; {:.2} % of the test images wrong", 100.0 * error)
        });
        console.print(&format!(
            "classifier     {} labels of each class, {} of {} latents, {} epoch(s){error}",
            classifier.labels_for,
            classifier.m2.features.len(),
            network.latent,
            classifier.epochs,
        ))?;
    }
    if let (Some(last), Some(run)) = (last, model.run()) {
        console.print(&format!(
            "last epoch     {}: test loss {:.2} nats per image, in {}",
            last.epoch,
            last.test_loss,
            run.model_path().display(),
        ))?;
    }
    Ok(())
}

/// What it learned by.
fn objective(card: &ModelCard) -> String {
    match (card.objective, card.samples) {
        (Objective::Vae, 1) => "variational autoencoder".to_owned(),
        (Objective::Vae, samples) => format!("variational autoencoder, {samples} samples an image"),
        (Objective::Ae, _) => "plain autoencoder: no noise, no KL divergence, no prior".to_owned(),
        (Objective::Iwae, samples) => format!("importance-weighted autoencoder, {samples} sample(s) an image"),
        (Objective::Dreg, samples) => {
            format!("importance-weighted autoencoder, doubly reparameterized, {samples} sample(s) an image")
        }
    }
}

/// What the test loss is the sum of, or what would be the sum without importance weights.
fn terms(card: &ModelCard) -> String {
    let reconstruction = format!("{} {:.2}", card.likelihood.term(), card.test.reconstruction);
    match (card.objective.is_variational(), card.objective.is_importance_weighted()) {
        (true, false) => format!(" = {reconstruction} + KL {:.2}", card.test.kl),
        (true, true) => format!("; {reconstruction}, KL {:.2}", card.test.kl),
        (false, _) => format!(" = {reconstruction}"),
    }
}
