//! Whether classes lie apart in a model's latent space.

use super::event::tell;
use super::{Event, ImageRequest, Model, Observer, StudioError};
use crate::data::Split;
use crate::latent::probe::{Findings, LabelledPoints, NearestNeighbours, SoftmaxRegression};
use crate::network::BATCH;
use crate::objective::Objective;

/// Neighbours that vote.
pub const NEIGHBOURS: usize = 5;

/// Points whose neighbours are found between two words to the observer.
const STRETCH: usize = 10 * BATCH;

/// A model's latent space, probed: two classifiers learned from where the training images are encoded to, the posteriors'
/// means, and were judged by where the test images are. The network itself learns nothing.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What the images are called.
    pub dataset: String,
    /// The names of their classes, in the order of the labels.
    pub classes: Vec<String>,
    /// What the network learned by; absent for weights from elsewhere.
    pub objective: Option<Objective>,
    /// Where the test images that have a class lie.
    pub test: LabelledPoints,
    /// What straight boundaries say of them.
    pub regression: SoftmaxRegression,
    /// How both classifiers do.
    pub findings: Findings,
}

impl Probe {
    /// Probes a model with the images that are asked for, or else its own, at most `limit` a part. Images without a class
    /// do not count. A folder is divided as a training would divide it: the model's own folder as it was.
    ///
    /// # Errors
    /// As [`Model::images`]; [`StudioError::NoClasses`] for a part in which no image has a class; [`StudioError::Probe`] when
    /// all are of one, or a network's answer is no number; [`StudioError::Stopped`] when the observer wants no more.
    pub fn of(
        model: &Model,
        request: &ImageRequest,
        limit: Option<usize>,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        let dataset = model.divided_images(request, limit, observer)?;
        for (part, split) in [("training", &dataset.train), ("test", &dataset.test)] {
            if !split.labels.iter().flatten().any(Option::is_some) {
                let name = dataset.name.clone();
                return Err(StudioError::NoClasses { name, part });
            }
        }
        let of = dataset.train.images.count() + dataset.test.images.count();
        let points = |split: &Split, before| {
            let means = model.encoded(split, [before, of], observer)?.mean;
            let labels = split.labels.as_deref().unwrap_or_default();
            Ok::<_, StudioError>(LabelledPoints::new(&means, model.network().config().latent, labels)?)
        };
        let train = points(&dataset.train, 0)?;
        let test = points(&dataset.test, dataset.train.images.count())?;
        let regression = SoftmaxRegression::fit(&train)?;
        let voters = NearestNeighbours::new(&train, NEIGHBOURS)?;
        let mut neighbours = Vec::with_capacity(test.count());
        while neighbours.len() < test.count() {
            let end = (neighbours.len() + STRETCH).min(test.count());
            neighbours.extend(voters.classify(&test.part(neighbours.len()..end))?);
            let of = test.count();
            tell(observer, Event::Comparing { done: end, of })?;
        }
        let findings = Findings::of(&train, &test, &regression, &voters, &neighbours)?;
        Ok(Self {
            dataset: dataset.name,
            classes: dataset.classes,
            objective: model.card().map(|card| card.objective),
            test,
            regression,
            findings,
        })
    }
}
