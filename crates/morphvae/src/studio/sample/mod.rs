//! New images of a model, as many as are wanted, and as a data set that others read.
//!
//! A [`SampleRequest`] says what points are drawn from, a [`Sampler`] draws them: image after image by its number alone, so
//! that the same seed gives the same images, however many there are and whatever draws them. Writing keeps no more than a
//! batch.

mod card;
mod error;
mod nearest;
mod source;
mod write;

use std::ops::Range;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use super::{ImageRequest, Model, Observer, StudioError};
use crate::choice::Choice;
use crate::data::Images;
use crate::evaluation::{decode, draw};
use crate::latent::chosen;
use crate::random::{Purpose, generator};
pub use card::{CARD, Counts, SampleCard, check_place};
pub use error::SampleError;
pub use nearest::{Nearness, NearnessReport};
use source::{Group, Groups};

/// The highest temperature: beyond lies nothing that a decoder has learned of.
pub const MOST_TEMPERATURE: f64 = 10.0;

/// What points of the latent space are drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The prior: the standard normal distribution, or the mixture that a network has learned.
    Prior,
    /// A mixture of Gaussians for each class, fitted to the posteriors of the training images; one for all where these have
    /// no classes.
    Mixture,
    /// A Gaussian for each class, by the means and variances of its encodings that the model's card has; fitted to the
    /// training images where it has none.
    Class,
    /// The posteriors of images: a file, or a folder whose subfolders are classes.
    Images(PathBuf),
}

impl Origin {
    /// What it is called in cards and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::Mixture => "mixture",
            Self::Class => "class",
            Self::Images(_) => "images",
        }
    }
}

/// How many images each class gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// As many as every other, one after the other.
    #[default]
    Even,
    /// By chance, as often as it is met in the data.
    Data,
}

impl Choice for Balance {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Even, "even", "As many of each, one after the other"),
        (Self::Data, "data", "By chance, as often as in the data"),
    ];
}

/// What becomes of the decoder's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelChoice {
    /// Each pixel is the mean of its distribution.
    #[default]
    Mean,
    /// Each pixel is drawn from its distribution.
    Draw,
}

impl Choice for PixelChoice {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Mean, "mean", "Each pixel is the mean of its distribution"),
        (
            Self::Draw,
            "draw",
            "Each pixel is drawn from its distribution: the model's likelihood",
        ),
    ];
}

/// Which images are wanted.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// What their points are drawn from.
    pub from: Origin,
    /// The classes that are wanted; none for all that there are.
    pub classes: Vec<String>,
    /// How many images each class gets.
    pub balance: Balance,
    /// Gaussians of a fitted mixture, at most.
    pub components: usize,
    /// How far from the middle of what they are drawn from points lie, as a factor: 0 is the middle itself.
    pub temperature: f64,
    /// What becomes of the decoder's answer.
    pub pixels: PixelChoice,
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Fit to at most so many images.
    pub limit: Option<usize>,
}

impl Default for SampleRequest {
    fn default() -> Self {
        Self {
            from: Origin::Prior,
            classes: Vec::new(),
            balance: Balance::default(),
            components: 5,
            temperature: 1.0,
            pixels: PixelChoice::default(),
            seed: 0,
            limit: None,
        }
    }
}

/// Draws images of a model.
#[derive(Debug)]
pub struct Sampler<'a> {
    model: &'a Model,
    request: SampleRequest,
    groups: Groups,
}

impl<'a> Sampler<'a> {
    /// Makes ready to draw: reads and encodes images where they are needed, the model's own unless others are asked for,
    /// and fits what is drawn from.
    ///
    /// # Errors
    /// [`StudioError::Sample`] for a request that cannot be met with this model; others when images that it needs cannot
    /// be read; [`StudioError::Stopped`] when the observer wants no more.
    pub fn new(
        model: &'a Model,
        request: &SampleRequest,
        images: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        if !(0.0..=MOST_TEMPERATURE).contains(&request.temperature) {
            return Err(SampleError::Temperature {
                temperature: request.temperature,
            }
            .into());
        }
        Ok(Self {
            model,
            groups: Groups::of(model, request, images, observer)?,
            request: request.clone(),
        })
    }

    /// The names of the classes, in the order of the labels; empty where images have none.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.groups.classes
    }

    /// The images of these numbers, and their labels.
    ///
    /// # Errors
    /// [`StudioError::Network`], unless the network was made wrongly.
    pub fn draw(&self, numbers: Range<u64>) -> Result<(Images, Vec<Option<u16>>), StudioError> {
        let first = numbers.start;
        let drawn: Vec<(Vec<f32>, Option<u16>)> = numbers.into_par_iter().map(|number| self.point(number)).collect();
        let (points, labels): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
        let network = self.model.inference();
        // A conditional network is told the class of each; every point has one.
        let classes: Vec<u16> = labels.iter().flatten().copied().collect();
        let points = network.config().points(&points.concat(), &classes);
        let images = match self.request.pixels {
            PixelChoice::Mean => decode(network, &points)?,
            PixelChoice::Draw => draw(network, &points, self.request.seed, first)?,
        };
        Ok((images, labels))
    }

    /// The point of an image, `[latent]`, and its label.
    fn point(&self, number: u64) -> (Vec<f32>, Option<u16>) {
        let mut generator = generator(self.request.seed, Purpose::Prior, number);
        let groups = &self.groups.list;
        let place = match self.request.balance {
            Balance::Even => (number % groups.len() as u64) as usize,
            Balance::Data => chosen(&self.groups.shares, &mut generator),
        };
        let Group { label, mixture, .. } = &groups[place];
        (mixture.draw(self.request.temperature, &mut generator), *label)
    }
}

#[cfg(test)]
mod tests;
