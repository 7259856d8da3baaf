//! A decoder that shows how far the work on a path is, and ends it when somebody pressed Ctrl-C.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use morphvae::network::{Decoder, Inference, Shape};

use crate::console::{Console, Meter, Unit};
use crate::interrupt;

pub struct Watched<'a> {
    network: &'a Inference,
    progress: Mutex<Progress>,
}

struct Progress {
    meter: Meter,
    what: &'static str,
    counted: Unit,
    done: u64,
    total: u64,
}

impl<'a> Watched<'a> {
    /// Counts the ways between keys that are found.
    pub fn ways(network: &'a Inference, count: usize, console: Console) -> Self {
        Self::new(network, Unit::Ways, "path", count, console)
    }

    /// Counts the images that are decoded, about so many in all.
    pub fn images(network: &'a Inference, count: usize, console: Console) -> Self {
        Self::new(network, Unit::Images, "frames", count, console)
    }

    fn new(network: &'a Inference, counted: Unit, what: &'static str, total: usize, console: Console) -> Self {
        let progress = Progress {
            meter: console.progress(counted),
            what,
            counted,
            done: 0,
            total: total as u64,
        };
        Self {
            network,
            progress: Mutex::new(progress),
        }
    }

    /// So many more are done, of what may be counted here or not.
    pub fn advance(&self, count: usize, unit: Unit) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.counted == unit {
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

    fn image_shape(&self) -> Shape {
        self.network.image_shape()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let images = Decoder::decode(self.network, points);
        self.advance(points.len() / self.latent(), Unit::Images);
        images
    }

    fn check(&self) -> ControlFlow<()> {
        interrupt::check()
    }

    fn found(&self) {
        self.advance(1, Unit::Ways);
    }
}
