//! A decoder that tells how far the work on a path is, and ends it when the observer wants no more.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use super::super::{Event, Observer, StudioError};
use crate::network::{Decoder, Inference, Shape};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Ways,
    Images,
}

pub(super) struct Watched<'a> {
    network: &'a Inference,
    observer: &'a Observer<'a>,
    counted: Counted,
    of: usize,
    /// Held while it is told, so that no later count is told before an earlier one.
    done: Mutex<usize>,
}

impl<'a> Watched<'a> {
    /// Counts the ways between keys that are found.
    pub fn ways(network: &'a Inference, of: usize, observer: &'a Observer<'a>) -> Self {
        Self::new(network, Counted::Ways, of, observer)
    }

    /// Counts the images that are decoded, about so many in all.
    pub fn images(network: &'a Inference, of: usize, observer: &'a Observer<'a>) -> Self {
        Self::new(network, Counted::Images, of, observer)
    }

    fn new(network: &'a Inference, counted: Counted, of: usize, observer: &'a Observer<'a>) -> Self {
        Self {
            network,
            observer,
            counted,
            of,
            done: Mutex::new(0),
        }
    }

    /// So many more images are decoded.
    ///
    /// # Errors
    /// [`StudioError::Stopped`] when the observer wants no more.
    pub fn decoded(&self, count: usize) -> Result<(), StudioError> {
        match self.advance(count, Counted::Images) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StudioError::Stopped),
        }
    }

    fn advance(&self, count: usize, what: Counted) -> ControlFlow<()> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if what == self.counted {
            *done = (*done + count).min(self.of);
        }
        let (done, of) = (*done, self.of);
        (self.observer)(match self.counted {
            Counted::Ways => Event::Searching { done, of },
            Counted::Images => Event::Decoding { done, of },
        })
    }
}

impl Decoder for Watched<'_> {
    fn latent(&self) -> usize {
        self.network.latent()
    }

    fn image_shape(&self) -> Shape {
        self.network.image_shape()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let images = Decoder::decode(self.network, points);
        // What the observer answers is asked for before the next images.
        let _ = self.advance(points.len() / self.latent(), Counted::Images);
        images
    }

    fn check(&self) -> ControlFlow<()> {
        self.advance(0, self.counted)
    }

    fn found(&self) {
        let _ = self.advance(1, Counted::Ways);
    }
}
