//! What came of the recipes.

use serde::Serialize;

use super::record::Trial;
use super::{Mix, Recipe};
use crate::choice::Choice;

/// How well a classifier does that learned by each recipe. Its keys are a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AugmentReport {
    /// What the images are called.
    pub dataset: String,
    /// Labelled images of each class.
    pub labelled: usize,
    /// How many seeds each recipe was tried with.
    pub seeds: u64,
    /// Classes.
    pub classes: usize,
    /// Images that everything was chosen by, labelled.
    pub validation_images: usize,
    /// Images that the accuracies are of.
    pub test_images: usize,
    /// Steps of each classifier.
    pub steps: usize,
    /// Images a step.
    pub batch_size: usize,
    /// The recipes, the plainest first.
    pub rows: Vec<AugmentRow>,
    /// How well M1 + M2 does itself, the semi-supervised model whose labels two of the recipes take.
    pub semi_supervised: Scores,
    /// The recipe that did best on the validation images.
    pub best: Recipe,
}

/// How well a classifier does that learned by one recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AugmentRow {
    /// The recipe.
    pub recipe: Recipe,
    /// How much of what it is made of, chosen by the validation images.
    #[serde(flatten)]
    pub mix: Mix,
    /// How well it does.
    #[serde(flatten)]
    pub scores: Scores,
}

/// How well classifiers of several seeds do. Accuracies are shares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// The mean over the seeds of the test images that are judged rightly.
    pub accuracy_mean: f64,
    /// The deviation from one seed to another; nothing of one seed.
    pub accuracy_standard_deviation: Option<f64>,
    /// The mean over the seeds of the validation images that are judged rightly.
    pub validation_mean: f64,
    /// Of the test images, seed by seed.
    pub accuracies: Vec<f64>,
}

impl Scores {
    /// Of the shares of validation and test images that are judged rightly, seed by seed.
    pub(super) fn of(validations: &[f64], accuracies: Vec<f64>) -> Self {
        Self {
            accuracy_mean: mean(&accuracies),
            accuracy_standard_deviation: deviation(&accuracies),
            validation_mean: mean(validations),
            accuracies,
        }
    }
}

impl AugmentRow {
    /// Of the trials of a recipe, one for each seed.
    pub(super) fn of(recipe: Recipe, mix: Mix, trials: &[&Trial]) -> Self {
        let validations: Vec<f64> = trials.iter().map(|trial| trial.validation).collect();
        let accuracies = trials.iter().filter_map(|trial| trial.test).collect();
        let scores = Scores::of(&validations, accuracies);
        Self { recipe, mix, scores }
    }
}

impl AugmentReport {
    /// The row of a recipe.
    #[must_use]
    pub fn row(&self, recipe: Recipe) -> Option<&AugmentRow> {
        self.rows.iter().find(|row| row.recipe == recipe)
    }

    /// What generated images add, to the real ones and to the distorted ones, and what those add that M1 + M2 labelled: two
    /// sentences.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mean = |recipe| {
            self.row(recipe)
                .map_or(f64::NAN, |row| 100.0 * row.scores.accuracy_mean)
        };
        let gain = |with, without| mean(with) - mean(without);
        let (plain, distorted) = (
            gain(Recipe::Generated, Recipe::Real),
            gain(Recipe::DistortedGenerated, Recipe::Distorted),
        );
        let verdict = match (plain > 0.0, distorted > 0.0) {
            (true, true) => "Generated images help",
            (true, false) => "Generated images help real ones, but not distorted ones",
            (false, true) => "Generated images help distorted images, but not plain ones",
            (false, false) => "Generated images do not help",
        };
        format!(
            "{verdict}: {} points to real images alone, {} to distorted ones. What M1 + M2 labelled adds {} points to real \
             images, and {} to all the rest.",
            signed(plain),
            signed(distorted),
            signed(gain(Recipe::PseudoLabelled, Recipe::Real)),
            signed(gain(Recipe::All, Recipe::DistortedGenerated)),
        )
    }
}

/// The recipe of the row that did best on the validation images, the plainest of equals.
pub(super) fn best(rows: &[AugmentRow]) -> Recipe {
    let better = |best: &AugmentRow, row: &AugmentRow| row.scores.validation_mean > best.scores.validation_mean;
    let best = rows
        .iter()
        .reduce(|best, row| if better(best, row) { row } else { best });
    best.map_or(Recipe::Real, |row| row.recipe)
}

fn signed(points: f64) -> String {
    format!("{points:+.2}").replace('-', "−")
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The deviation that a sample says its source has.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}
