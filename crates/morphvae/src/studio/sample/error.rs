//! Why images cannot be sampled.

use std::path::PathBuf;

use thiserror::Error;

use crate::latent::MixtureError;

/// Classes that a message names, at most.
const MOST_CLASSES: usize = 12;

/// Why images cannot be sampled.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SampleError {
    /// No image is asked for.
    #[error("no image to train on was asked for: ask for one at least")]
    Nothing,
    /// A temperature that is none.
    #[error(
        "the temperature is {temperature}, but must be a number from 0 to {}",
        super::MOST_TEMPERATURE
    )]
    Temperature {
        /// What was asked for.
        temperature: f64,
    },
    /// A class that is not known.
    #[error("{class}: no such class: {}", listed(classes))]
    UnknownClass {
        /// What was asked for.
        class: String,
        /// Those that are known.
        classes: Vec<String>,
    },
    /// A class of which nothing is known but its name.
    #[error("{class}: no image of this class was encoded, so nothing is known of where it lies")]
    EmptyClass {
        /// The class.
        class: String,
    },
    /// Classes where images have none.
    #[error("{what} has no classes, so none can be chosen")]
    NoClasses {
        /// What has none.
        what: String,
    },
    /// Classes of a prior that knows none.
    #[error("this model's prior knows no classes")]
    PriorWithoutClasses,
    /// The prior, or posteriors, of a plain autoencoder.
    #[error("this is a plain autoencoder, which has learned no {what}")]
    Plain {
        /// What it has not learned.
        what: &'static str,
    },
    /// A mixture that cannot be fitted.
    #[error("{}{source}", named(class.as_deref()))]
    Mixture {
        /// The class that it would be of, if there are classes.
        class: Option<String>,
        /// What is wrong.
        source: MixtureError,
    },
    /// Something stands where the images would go.
    #[error("{}: {}", path.display(), match is_sampling {
        true => "images that were sampled before are here",
        false => "this is no empty folder",
    })]
    Occupied {
        /// Where.
        path: PathBuf,
        /// Whether that was sampled before, so that nothing else is lost with it.
        is_sampling: bool,
    },
}

fn listed(classes: &[String]) -> String {
    if classes.is_empty() {
        return "there are none".to_owned();
    }
    let shown = classes[..classes.len().min(MOST_CLASSES)].join(", ");
    let more = if classes.len() > MOST_CLASSES { ", …" } else { "" };
    format!("there are {shown}{more}")
}

fn named(class: Option<&str>) -> String {
    class.map_or_else(String::new, |class| format!("{class}: "))
}
