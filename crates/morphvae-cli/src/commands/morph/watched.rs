//! A decoder that shows how far the work on a path is, and ends it when somebody pressed Ctrl-C.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use morphvae::latent::path::Decoder;
use morphvae::model::Inference;

use crate::console::{Console, Meter, Unit};
use crate::interrupt;

pub struct Watched<'a> {
    network: &'a Inference,
    progress: Mutex<Progress>,
}

struct Progress {
    meter: Meter,
    what: &'static str,
    done: u64,
    total: u64,
    is_counted: bool,
}

impl<'a> Watched<'a> {
    /// Counts the ways between keys that are found.
    pub fn ways(network: &'a Inference, count: usize, console: Console) -> Self {
        Self::new(network, console.progress(Unit::Ways), "path", count, false)
    }

    /// Counts the images that are decoded, about so many in all.
    pub fn images(network: &'a Inference, count: usize, console: Console) -> Self {
        Self::new(network, console.progress(Unit::Images), "frames", count, true)
    }

    fn new(network: &'a Inference, meter: Meter, what: &'static str, total: usize, is_counted: bool) -> Self {
        let progress = Progress {
            meter,
            what,
            done: 0,
            total: total as u64,
            is_counted,
        };
        Self {
            network,
            progress: Mutex::new(progress),
        }
    }

    /// So many more are done, of images or of ways.
    pub fn advance(&self, count: usize, of_images: bool) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.is_counted == of_images {
            progress.done = (progress.done + count as u64).min(progress.total);
            let Progress {
                meter,
                what,
                done,
                total,
                ..
            } = &mut *progress;
            meter.update(what, *done, *total, "");
        }
    }
}

impl Decoder for Watched<'_> {
    fn latent(&self) -> usize {
        self.network.latent()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let images = Decoder::decode(self.network, points);
        self.advance(points.len() / self.latent(), true);
        images
    }

    fn check(&self) -> ControlFlow<()> {
        interrupt::check()
    }

    fn found(&self) {
        self.advance(1, false);
    }
}
