//! A network with everything that the page shows of it.

mod description;
mod error;
mod shown;

use std::sync::Arc;

use morphvae::data::Fit;
use morphvae::evaluation::Codes;
use morphvae::figures::class_marks;
use morphvae::latent::{LatentStatistics, PrincipalComponents, typical_members};
use morphvae::network::Inference;

use crate::Replay;
pub use description::{Description, ModelFacts, NamedDirection, Reach, Statistics};
pub use error::MapError;
pub use shown::{MOST_SHOWN, ShownImages};

/// Principal directions that the page can lay its plane along.
const DIRECTIONS: usize = 3;

/// What the page takes for the label of a point that has none.
pub(crate) const NO_LABEL: u16 = u16::MAX;

/// A network, what is known of it, and images in its latent space.
#[derive(Debug)]
pub struct LatentMap {
    network: Arc<Inference>,
    facts: ModelFacts,
    shown: Arc<ShownImages>,
    codes: Codes,
    statistics: Statistics,
    reach: Reach,
    components: PrincipalComponents,
    base: Vec<f64>,
    typical: Vec<Vec<f64>>,
    replay: Option<Replay>,
}

impl LatentMap {
    /// Puts a network together with the images that are shown in its latent space; `codes` are those of `shown`.
    ///
    /// # Errors
    /// [`MapError`] when images, codes and network do not belong together.
    pub fn new(
        network: impl Into<Arc<Inference>>,
        facts: ModelFacts,
        shown: Arc<ShownImages>,
        codes: Codes,
    ) -> Result<Self, MapError> {
        let network = network.into();
        let config = network.config();
        let expected = shown.count() * config.latent;
        let told = if config.is_conditional() { shown.count() } else { 0 };
        if codes.mean.len() != expected || codes.log_variance.len() != expected || codes.classes.len() != told {
            return Err(MapError::Codes {
                images: shown.count(),
                latent: config.latent,
                numbers: codes.mean.len(),
            });
        }
        if shown.images().channels() != config.channels {
            return Err(MapError::Channels {
                expected: config.channels,
                found: shown.images().channels(),
            });
        }
        let known = match shown.count() {
            0 => facts
                .statistics
                .clone()
                .filter(|known| known.mean.len() == config.latent),
            _ => Some(shown.statistics(&codes, &facts.classes)),
        };
        let typical = typical(&network, &facts, &shown, &codes);
        let central = known.as_ref().and_then(LatentStatistics::central);
        let statistics = known.map_or_else(|| Statistics::of_prior(config.latent), |known| Statistics::of(&known));
        let mut components = PrincipalComponents::of(&codes.mean, config.latent, DIRECTIONS);
        if shown.count() == 0 {
            // Images that are not shown have a middle all the same.
            components.mean.clone_from(&statistics.mean);
        }
        Ok(Self {
            base: central.unwrap_or_else(|| components.mean.clone()),
            reach: Reach::of(&codes, &statistics),
            statistics,
            components,
            typical,
            network,
            facts,
            shown,
            codes,
            replay: None,
        })
    }

    /// The same with how its run went, where there is something to see of it.
    #[must_use]
    pub fn with_replay(self, replay: Option<Replay>) -> Self {
        let latent = self.network.config().latent;
        let replay = replay.filter(|replay| replay.moves_in(latent));
        Self { replay, ..self }
    }

    /// How the run went, if that is known.
    #[must_use]
    pub fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Inference {
        &self.network
    }

    /// How far its latent space is known.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The images that are shown in its latent space.
    #[must_use]
    pub fn shown(&self) -> &ShownImages {
        &self.shown
    }

    /// How an image file becomes square for it.
    #[must_use]
    pub fn fit(&self) -> Fit {
        self.facts.fit
    }

    /// Where they lie.
    #[must_use]
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// What the page is told first; `watching` says whether more epochs will come.
    #[must_use]
    pub fn description(&self, watching: bool) -> Description<'_> {
        let config = self.network.config();
        let hexadecimal = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
        let ModelFacts {
            name,
            dataset,
            classes,
            objective,
            epochs,
            test_loss,
            statistics: _,
            fit,
            attributes,
            command,
            argument,
        } = &self.facts;
        let marks = class_marks(classes.len());
        Description {
            name,
            dataset,
            classes,
            colours: marks.iter().map(|mark| hexadecimal(mark.colour)).collect(),
            shapes: marks.iter().map(|mark| mark.shape.name()).collect(),
            latent: config.latent,
            channels: config.channels,
            image_size: config.image_size,
            fit: *fit,
            given: config.is_conditional().then_some(0),
            noisy: objective.is_variational(),
            epochs: *epochs,
            test_loss: *test_loss,
            count: self.shown.count(),
            total: self.shown.total(),
            labelled: self.shown.labels().is_some(),
            watching,
            replay: self.replay.is_some(),
            statistics: &self.statistics,
            reach: &self.reach,
            components: &self.components.directions,
            centre: &self.components.mean,
            base: &self.base,
            typical: &self.typical,
            attributes: attributes.iter().map(NamedDirection::of).collect(),
            command,
            model_argument: argument,
        }
    }

    /// The shown images' codes and labels as the page takes them, little endian: 32-bit means `[count, latent]`, log
    /// variances `[count, latent]`, 16-bit labels `[count]`, 65535 where there is none.
    #[must_use]
    pub fn points(&self) -> Vec<u8> {
        let numbers = self.codes.mean.iter().chain(&self.codes.log_variance);
        let labels = (0..self.shown.count()).flat_map(|index| self.label(index).to_le_bytes());
        numbers.flat_map(|number| number.to_le_bytes()).chain(labels).collect()
    }

    /// The label of a shown image as the page takes it.
    pub(crate) fn label(&self, index: usize) -> u16 {
        let label = self.shown.labels().and_then(|labels| labels[index]);
        label.unwrap_or(NO_LABEL)
    }
}

/// A latent for each class: its most typical member's, as the model knows it or as it is found among the shown images,
/// and the prior's middle for a class without members; none where nothing is known of classes.
fn typical(network: &Inference, facts: &ModelFacts, shown: &ShownImages, codes: &Codes) -> Vec<Vec<f64>> {
    let latent = network.config().latent;
    let widened = |point: &[f32]| point.iter().copied().map(f64::from).collect();
    let known = facts.statistics.as_ref().map_or(&[][..], |known| &known.classes);
    let points: Vec<&[f32]> = if known.iter().any(|class| class.typical.len() == latent) {
        known.iter().map(|class| &class.typical[..]).collect()
    } else {
        let labels = shown.labels().unwrap_or_default();
        let points = codes.points(network.config());
        let members = typical_members(network, &points, shown.images(), labels, facts.classes.len());
        let code = |index: usize| &codes.mean[index * latent..][..latent];
        members.into_iter().map(|member| member.map_or(&[][..], code)).collect()
    };
    let or_middle = |point: &[f32]| {
        if point.len() == latent {
            widened(point)
        } else {
            vec![0.0; latent]
        }
    };
    points.into_iter().map(or_middle).collect()
}
