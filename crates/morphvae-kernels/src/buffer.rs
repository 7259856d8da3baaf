//! Large memory that is used again, step after step.
//!
//! A fresh allocation of megabytes comes from the operating system page by page, and each first touch of a page costs
//! more than writing it. So working memory, a [`Buffer`], goes back to a pool when it is dropped, and a [`result`] when
//! whoever got it gives it back.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

/// Floats that one task writes as zeros: many pages.
const TOUCHED: usize = 1 << 16;

/// Results shorter than this are not worth keeping.
#[cfg(any(feature = "burn", test))]
const SHORT: usize = 1 << 12;

/// Floats of a cache line.
pub(crate) const LINE: usize = 16;

/// Floats of an array of this shape, `None` if no slice can be so long.
///
/// A product that wrapped around would pass for a short length, and what is written by the sizes themselves would leave
/// the slice that was taken by it.
pub(crate) fn length<const N: usize>(shape: [usize; N]) -> Option<usize> {
    let length = shape.into_iter().try_fold(1, usize::checked_mul)?;
    (length <= isize::MAX as usize / size_of::<f32>()).then_some(length)
}

/// Memory that nobody uses, the last returned at the end.
struct Pool {
    kept: Mutex<Vec<Vec<f32>>>,
    /// Above this number the oldest is given back to the allocator.
    capacity: usize,
}

/// For [`Buffer`], one for each of the first threads of a rayon pool, after which they are shared: memory that another core
/// has written comes from there line by line, and so does the lock of a pool that another core has used.
static BUFFERS: [Pool; 16] = [const { Pool::new(48) }; 16];

/// For [`result`].
static RESULTS: Pool = Pool::new(64);

impl Pool {
    const fn new(capacity: usize) -> Self {
        let kept = Mutex::new(Vec::new());
        Self { kept, capacity }
    }

    /// The last returned that fits, which is the likeliest to be in a cache.
    fn take(&self, fits: impl Fn(&Vec<f32>) -> bool) -> Option<Vec<f32>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().rposition(fits)?;
        Some(kept.remove(index))
    }

    fn put(&self, storage: Vec<f32>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (kept.len() == self.capacity).then(|| kept.remove(0));
        kept.push(storage);
        drop(kept);
        drop(oldest);
    }
}

/// Floats with unspecified contents for a result that is handed out; whoever has done with it may [`recycle`] it.
pub(crate) fn result(length: usize) -> Vec<f32> {
    let recycled = RESULTS.take(|storage| storage.len() == length);
    // All threads write the zeros: fresh pages come from the system as they are first touched, one thread at a time or
    // several.
    recycled.unwrap_or_else(|| rayon::iter::repeat_n(0.0, length).with_min_len(TOUCHED).collect())
}

/// Keeps a result's memory for another of its length.
#[cfg(any(feature = "burn", test))]
pub(crate) fn recycle(result: Vec<f32>) {
    if result.len() >= SHORT {
        RESULTS.put(result);
    }
}

/// Working memory: floats with unspecified contents, from a pool and back to it.
///
/// They start with a cache line: a vector as long as a line then never lies across two.
pub(crate) struct Buffer {
    storage: Vec<f32>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// An array of this shape with whatever values an earlier use left.
    ///
    /// # Panics
    /// If no slice can be so long.
    pub fn take<const N: usize>(shape: [usize; N]) -> Self {
        let Some(length) = length(shape) else {
            panic!("working memory of {shape:?} floats is more than there can be")
        };
        if length == 0 {
            return Self {
                storage: Vec::new(),
                start: 0,
                length,
            };
        }
        let needed = length + LINE;
        // Not one that would be a waste.
        let fits = |storage: &Vec<f32>| storage.len() >= needed && storage.len() / 2 <= length.max(1 << 12);
        let (others, own) = BUFFERS.split_at(own_pool());
        let storage = own.iter().chain(others).find_map(|pool| pool.take(fits));
        let storage = storage.unwrap_or_else(|| vec![0.0; needed]);
        let start = storage.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { storage, start, length }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.storage.is_empty() {
            BUFFERS[own_pool()].put(std::mem::take(&mut self.storage));
        }
    }
}

/// Which of [`BUFFERS`] this thread uses first; threads outside of a rayon pool have the first thread's.
fn own_pool() -> usize {
    rayon::current_thread_index().unwrap_or(0) % BUFFERS.len()
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.storage[self.start..][..self.length]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.storage[self.start..][..self.length]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Buffer({} floats)", self.length)
    }
}
