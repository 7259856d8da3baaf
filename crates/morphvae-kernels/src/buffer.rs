//! Large working memory that is used again, step after step.
//!
//! A fresh allocation of megabytes comes from the operating system page by page, and each first touch of a page costs
//! more than writing it. So buffers go back to a pool when they are dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

/// Buffers kept for later; above this number the oldest is given back to the allocator.
const KEPT: usize = 48;

/// Floats that one task writes as zeros: many pages.
const TOUCHED: usize = 1 << 16;

/// Floats of a cache line.
const LINE: usize = 16;

static POOL: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Zeros in memory of their own, for results that are handed out.
///
/// All threads write them: fresh pages come from the system as they are first touched, one thread at a time or several.
pub(crate) fn zeros(length: usize) -> Vec<f32> {
    rayon::iter::repeat_n(0.0, length).with_min_len(TOUCHED).collect()
}

/// Floats with unspecified contents, from the pool and back to it.
///
/// They start with a cache line: a vector as long as a line then never lies across two.
pub(crate) struct Buffer {
    storage: Vec<f32>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// `length` floats with whatever values an earlier use left.
    pub fn take(length: usize) -> Self {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        // The most recently returned one that fits without waste is the likeliest to be in a cache.
        let needed = length + LINE;
        let fits = |storage: &Vec<f32>| storage.len() >= needed && storage.len() / 2 <= length.max(1 << 12);
        let storage = pool.iter().rposition(fits).map(|index| pool.remove(index));
        drop(pool);
        let storage = storage.unwrap_or_else(|| vec![0.0; needed]);
        let start = storage.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { storage, start, length }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() == KEPT {
            pool.remove(0);
        }
        pool.push(std::mem::take(&mut self.storage));
    }
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
