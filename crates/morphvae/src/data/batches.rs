//! Batches of images for training, prepared while the network works on the one before.

use std::io;
use std::iter::FusedIterator;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use rand::seq::SliceRandom;

use super::protocol::draw_for_epoch;
use super::resize::Resizer;
use super::{Examples, Images, Split};
use crate::random::{Purpose, generator};

/// How many finished batches may wait for the network.
const WAITING: usize = 2;

/// Some images of a split, as the network takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[count, channels, size, size]` in [0, 1].
    pub pixels: Vec<f32>,
    /// Which images of the split these are.
    pub indices: Vec<u32>,
    /// The label of each that has one, `[count]`.
    pub labels: Vec<Option<u16>>,
    /// How many there are.
    pub count: usize,
}

/// Which draw of black and white pixels an epoch sees, where grey values are probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochDraw {
    /// The run's seed.
    pub seed: u64,
    /// The epoch.
    pub epoch: u64,
}

/// The batches of one epoch, in order, the last one smaller when the images do not come out even, or larger by one: what
/// is normalized by the statistics of its batch cannot be alone in it.
///
/// A thread of its own prepares them a little ahead. It ends with the last batch, or when this is dropped.
#[derive(Debug)]
pub struct Batches {
    finished: Option<Receiver<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl Batches {
    /// Starts to prepare `split`'s images in the given order, `batch_size` at a time and `size` pixels square, from
    /// batch `first_batch` on (0 for a whole epoch, more to go on in the middle of one). Pixels are white or black as
    /// `drawn` says, or grey as they are.
    ///
    /// # Errors
    /// What the system says when it gives no thread.
    ///
    /// # Panics
    /// When `batch_size` is zero, or `order` names an image that the split does not have.
    pub fn new(
        split: Arc<Split>,
        size: usize,
        batch_size: usize,
        order: Vec<u32>,
        first_batch: usize,
        drawn: Option<EpochDraw>,
    ) -> io::Result<Self> {
        assert!(batch_size > 0, "a batch holds at least one image");
        let count = split.images.count();
        assert!(
            order.iter().all(|&index| (index as usize) < count),
            "the order names images beyond {count}"
        );
        let (send, finished) = sync_channel(WAITING);
        let prepare = move || {
            let resizer = resizer(&split.images, size);
            for range in ranges(order.len(), batch_size).skip(first_batch) {
                let indices = &order[range];
                let mut pixels = fit(&resizer, &split.images, indices, size);
                if let Some(EpochDraw { seed, epoch }) = drawn {
                    let images = pixels.chunks_exact_mut(split.images.channels() * size * size);
                    for (image, &index) in images.zip(indices) {
                        draw_for_epoch(image, seed, epoch, index);
                    }
                }
                let examples = Examples::from(&*split);
                let batch = Batch {
                    pixels,
                    labels: indices.iter().map(|&index| examples.label(index as usize)).collect(),
                    indices: indices.to_vec(),
                    count: indices.len(),
                };
                if send.send(batch).is_err() {
                    return; // nobody waits for more
                }
            }
        };
        let thread = thread::Builder::new().name("batches".into()).spawn(prepare)?;
        Ok(Self {
            finished: Some(finished),
            thread: Some(thread),
        })
    }
}

/// Where the batches of `count` images begin and end.
fn ranges(count: usize, batch_size: usize) -> impl Iterator<Item = Range<usize>> {
    let one_is_left = batch_size > 1 && count > 1 && count % batch_size == 1;
    let batches = count.div_ceil(batch_size) - usize::from(one_is_left);
    (0..batches).map(move |batch| {
        let end = if batch + 1 == batches {
            count
        } else {
            (batch + 1) * batch_size
        };
        batch * batch_size..end
    })
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.finished.as_ref()?.recv().ok()
    }
}

impl FusedIterator for Batches {}

impl Drop for Batches {
    fn drop(&mut self) {
        // Without a receiver the thread's next batch has nowhere to go, and it ends.
        self.finished = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The images named by `indices`, fitted to `size` x `size`: `[indices, channels, size, size]` in [0, 1].
///
/// # Panics
/// When an index is not below the number of images, as indexing a slice does.
#[must_use]
pub fn prepare(images: &Images, indices: &[u32], size: usize) -> Vec<f32> {
    fit(&resizer(images, size), images, indices, size)
}

fn resizer(images: &Images, size: usize) -> Resizer {
    Resizer::new((images.height(), images.width()), size)
}

fn fit(resizer: &Resizer, images: &Images, indices: &[u32], size: usize) -> Vec<f32> {
    let length = images.channels() * size * size;
    let mut pixels = vec![0.0; indices.len() * length];
    for (&index, out) in indices.iter().zip(pixels.chunks_exact_mut(length.max(1))) {
        resizer.resize(images.image(index as usize), images.channels(), out);
    }
    pixels
}

/// The order in which an epoch visits `count` images: the numbers below `count`, shuffled anew for each epoch.
#[must_use]
pub fn epoch_order(count: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..=u32::MAX).take(count).collect();
    order.shuffle(&mut generator(seed, Purpose::Order, epoch));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `count` images of one channel and 2 x 3 pixels, each with its own number for a colour.
    fn split(count: u32) -> Arc<Split> {
        let pixels = (0..count).flat_map(|index| [index as u8; 6]).collect();
        Arc::new(Split {
            images: Images::new(1, 2, 3, pixels).unwrap(),
            labels: None,
            sources: None,
        })
    }

    proptest! {
        #[test]
        fn an_epoch_visits_every_image_once_and_hands_out_its_pixels(
            count in 0_u32..200, batch_size in 1_usize..50, seed: u64, epoch in 0_u64..1000,
        ) {
            let split = split(count);
            let order = epoch_order(count as usize, seed, epoch);
            let batches: Vec<Batch> = Batches::new(split.clone(), 4, batch_size, order.clone(), 0, None).unwrap().collect();
            prop_assert!(batches.iter().rev().skip(1).all(|batch| batch.count == batch_size));
            if let Some(last) = batches.last() {
                prop_assert!((1..=batch_size + 1).contains(&last.count));
                let alone_by_choice = batch_size == 1 || count == 1;
                prop_assert!(last.count > 1 || alone_by_choice);
                prop_assert!(last.count <= batch_size || (count as usize % batch_size == 1 && !alone_by_choice));
            }

            let mut visited: Vec<u32> = batches.iter().flat_map(|batch| batch.indices.clone()).collect();
            prop_assert_eq!(&visited, &order);
            visited.sort_unstable();
            prop_assert_eq!(visited, (0..count).collect::<Vec<_>>());

            for batch in batches {
                prop_assert_eq!(batch.count, batch.indices.len());
                prop_assert_eq!(batch.pixels.len(), batch.count * 16);
                for (pixels, &index) in batch.pixels.chunks_exact(16).zip(&batch.indices) {
                    prop_assert!(pixels.iter().all(|pixel| (pixel * 255.0 - index as f32).abs() < 1e-3));
                }
                prop_assert_eq!(prepare(&split.images, &batch.indices, 4), batch.pixels);
            }
        }

        #[test]
        fn an_epoch_taken_up_in_the_middle_ends_as_the_whole_one(
            count in 1_u32..200, batch_size in 1_usize..50, seed: u64, first_batch in 0_usize..20,
        ) {
            let order = epoch_order(count as usize, seed, 7);
            let batches = |first| Batches::new(split(count), 3, batch_size, order.clone(), first, None).unwrap();
            let tail: Vec<Batch> = batches(0).skip(first_batch).collect();
            prop_assert_eq!(batches(first_batch).collect::<Vec<_>>(), tail);
        }
    }

    #[test]
    fn orders_differ_between_epochs_and_seeds_and_repeat() {
        let order = |seed, epoch| epoch_order(100, seed, epoch);
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }

    #[test]
    fn every_order_of_four_images_is_equally_likely() {
        let mut times = std::collections::HashMap::new();
        for epoch in 0..24_000 {
            *times.entry(epoch_order(4, 1, epoch)).or_insert(0_u32) += 1;
        }
        assert_eq!(times.len(), 24);
        // 1,000 each with a standard deviation of 31.
        assert!(times.values().all(|times| (850..1150).contains(times)), "{times:?}");
    }

    #[test]
    fn the_thread_ends_when_nobody_wants_its_batches() {
        let split = split(200);
        for taken in 0..4 {
            let mut batches = Batches::new(split.clone(), 4, 1, epoch_order(200, 1, 0), 0, None).unwrap();
            assert_eq!(batches.by_ref().take(taken).count(), taken);
            drop(batches);
            assert_eq!(Arc::strong_count(&split), 1, "the thread still holds the images");
        }
    }
}
