//! What a classifier may learn from where labels are few, and what of it can be tuned.

use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::classification::Distortion;

/// What a classifier learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// The labelled images as they are.
    Real,
    /// The labelled images, turned, stretched, moved and bent anew each time.
    Distorted,
    /// The labelled images, and images of a conditional network that has learned from them.
    Generated,
    /// Both: these and those, distorted.
    DistortedGenerated,
    /// The labelled images, and those of the others that a semi-supervised model is sure of, as it labels them.
    PseudoLabelled,
    /// All of that, distorted.
    All,
}

impl Choice for Recipe {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Real, "real", "real images"),
        (Self::Distorted, "distorted", "+ distortion"),
        (Self::Generated, "generated", "+ generated"),
        (Self::DistortedGenerated, "distorted-generated", "+ both"),
        (Self::PseudoLabelled, "pseudo-labelled", "+ labelled by M1 + M2"),
        (Self::All, "all", "+ all of these"),
    ];
}

impl Recipe {
    /// Each of them, the plainest first.
    pub const EACH: [Self; 6] = [
        Self::Real,
        Self::Distorted,
        Self::Generated,
        Self::DistortedGenerated,
        Self::PseudoLabelled,
        Self::All,
    ];

    /// What it is called where people read.
    #[must_use]
    pub fn title(self) -> &'static str {
        let found = Self::CHOICES.iter().find(|(recipe, ..)| *recipe == self);
        found.map_or("", |(.., title)| title)
    }
}

/// How much of what a recipe is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// How far images are distorted: a factor on what is usual for digits. Absent where they are not.
    pub distortion: Option<f64>,
    /// Images that were generated; absent where there are none.
    pub generated: Option<Generated>,
    /// The least probability with which a semi-supervised model labels an image that is learned from; absent where there are
    /// none of these.
    pub pseudo_labelled: Option<f64>,
}

/// Images that were generated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// How many there are for each real one.
    pub times: usize,
    /// How far from the middle of the prior they are drawn, as a factor.
    pub temperature: f64,
}

/// How far images are distorted, where that is chosen.
const DISTORTIONS: [f64; 2] = [1.0, 0.5];
/// How many images are generated, and how far from the middle.
const GENERATED: [Generated; 4] = [
    Generated {
        times: 1,
        temperature: 0.7,
    },
    Generated {
        times: 1,
        temperature: 1.0,
    },
    Generated {
        times: 10,
        temperature: 0.7,
    },
    Generated {
        times: 10,
        temperature: 1.0,
    },
];
/// How sure a semi-supervised model has to be.
const PROBABILITIES: [f64; 3] = [0.9, 0.99, 0.999];

impl Mix {
    /// What is tried of a recipe; `chosen` are the mixes of those before it.
    pub(super) fn candidates(recipe: Recipe, chosen: &[(Recipe, Self)]) -> Vec<Self> {
        let before = |recipe| chosen.iter().find(|(before, _)| *before == recipe).map(|(_, mix)| *mix);
        let distorted = before(Recipe::Distorted).unwrap_or_default();
        let generated = |mix: Self| {
            let with = |generated| Self {
                generated: Some(generated),
                ..mix
            };
            GENERATED.map(with).to_vec()
        };
        match recipe {
            Recipe::Real => vec![Self::default()],
            Recipe::Distorted => DISTORTIONS
                .map(|factor| Self {
                    distortion: Some(factor),
                    ..Self::default()
                })
                .to_vec(),
            Recipe::Generated => generated(Self::default()),
            Recipe::DistortedGenerated => generated(distorted),
            Recipe::PseudoLabelled => PROBABILITIES
                .map(|least| Self {
                    pseudo_labelled: Some(least),
                    ..Self::default()
                })
                .to_vec(),
            Recipe::All => vec![Self {
                pseudo_labelled: before(Recipe::PseudoLabelled).and_then(|mix| mix.pseudo_labelled),
                ..before(Recipe::DistortedGenerated).unwrap_or_default()
            }],
        }
    }

    /// What happens to images before they are learned from.
    pub(super) fn distortion(&self) -> Distortion {
        self.distortion
            .map_or(Distortion::NONE, |factor| Distortion::default().times(factor))
    }
}
