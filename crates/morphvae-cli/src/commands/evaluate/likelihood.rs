//! `morphvae evaluate --samples`: the likelihood of the images.

use std::path::Path;

use anyhow::bail;
use morphvae::data::Split;
use morphvae::evaluation::{LikelihoodEstimate, LikelihoodOptions, estimate_likelihood};
use morphvae::figures::{Caption, bound_curve, write_png};
use morphvae::studio::Model;
use serde::Serialize;

use crate::console::{Console, Unit, grouped};
use crate::interrupt;

/// What `--json` prints more with `--samples`; its keys are a contract.
#[derive(Serialize)]
pub struct LikelihoodReport {
    /// `-log p(x)`, nats per image.
    nll: f64,
    nll_standard_error: f64,
    samples: usize,
    elbo: f64,
    /// How far the ELBO lies below the estimate.
    gap: f64,
    kl_per_latent: Vec<f64>,
    /// Whether all of it is given the class of each image.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    conditional: bool,
    active_units: usize,
    /// The median over the images.
    effective_samples: f64,
    images_below_10_effective_samples: usize,
    bits_per_dimension: Option<f64>,
}

/// Estimates the likelihood of the images.
pub fn estimate(
    model: &Model,
    split: &Split,
    options: LikelihoodOptions,
    console: Console,
) -> anyhow::Result<LikelihoodEstimate> {
    let total = split.images.count() as u64;
    let mut meter = console.progress(Unit::Images);
    let estimate = estimate_likelihood(model.inference(), split, options, &mut |done| {
        meter.update("sampling", done as u64, total, "");
        interrupt::check()
    })?;
    drop(meter);
    let Some(estimate) = estimate else { bail!("stopped") };
    Ok(estimate)
}

/// The same for `--json`.
pub fn report(model: &Model, estimate: &LikelihoodEstimate) -> LikelihoodReport {
    let (effective_samples, images_below_10_effective_samples) = estimate.effective();
    LikelihoodReport {
        nll: estimate.negative_log_likelihood,
        nll_standard_error: estimate.standard_error,
        samples: estimate.samples,
        elbo: estimate.elbo,
        gap: estimate.gap(),
        kl_per_latent: estimate.kl_per_latent.clone(),
        conditional: model.network().config().is_conditional(),
        active_units: estimate.active_units,
        effective_samples,
        images_below_10_effective_samples,
        bits_per_dimension: estimate.bits_per_dimension(model.network().likelihood()),
    }
}

/// The same for people.
pub fn lines(report: &LikelihoodReport) -> String {
    let mut most: Vec<f64> = report.kl_per_latent.clone();
    most.sort_by(|one, other| other.total_cmp(one));
    let shown: Vec<String> = most.iter().take(10).map(|kl| format!("{kl:.2}")).collect();
    let more = match most.len() > shown.len() {
        true => ", ..",
        false => "",
    };
    let bits = match report.bits_per_dimension {
        Some(bits) => format!("\nbits per dimension   {bits:.3}"),
        None => String::new(),
    };
    let what = match report.conditional {
        true => "log p(x | class)",
        false => "log p(x)",
    };
    format!(
        "{what:<19}  {:.2} nats, standard error {:.2} ({} samples of the posterior an image)\n\
         ELBO                 {:.2} nats, {:.2} below: the posteriors' divergence from the true ones\n\
         effective samples    {:.0}, the median of the images; fewer than 10 of {}\n\
         KL per dimension     {}{more} nats, the largest first\n\
         active units         {} of {} (variance of the means above 0.01){bits}",
        -report.nll,
        report.nll_standard_error,
        grouped(report.samples),
        report.elbo,
        report.gap,
        report.effective_samples,
        report.images_below_10_effective_samples,
        shown.join(", "),
        report.active_units,
        report.kl_per_latent.len(),
    )
}

/// Draws the bound by the number of samples.
pub fn draw(file: &Path, estimate: &LikelihoodEstimate, what: &str) -> anyhow::Result<()> {
    let caption = Caption::new("The bound below log p(x), by the number of samples", what);
    let picture = bound_curve(&estimate.bounds, estimate.standard_error, &caption)?;
    Ok(write_png(file, &picture)?)
}
