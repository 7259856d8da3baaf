//! A global allocator that counts: the largest piece of memory asked for at once, and the most that was held.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted over all threads.
pub struct Counting;

// SAFETY: every call goes to the system's allocator as it came, and what it answers is returned as it is; counting
// touches no memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    // Not the default, which writes zeros: a gigabyte that is asked for and never used must cost nothing.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Relaxed);
        taken(size);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

fn taken(bytes: usize) {
    let held = HELD.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(held, Relaxed);
    LARGEST.fetch_max(bytes, Relaxed);
}

/// Memory that was taken since a [`Watch`] began, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    /// The largest piece asked for at once.
    pub largest: usize,
    /// The most that was held at a time, beyond what was held before.
    pub peak: usize,
}

/// A count under way. There is one at a time.
pub struct Watch {
    before: usize,
}

impl Watch {
    /// Begins to count.
    pub fn start() -> Self {
        let before = HELD.load(Relaxed);
        PEAK.store(before, Relaxed);
        LARGEST.store(0, Relaxed);
        Self { before }
    }

    /// What was counted so far.
    pub fn taken(&self) -> Taken {
        Taken {
            largest: LARGEST.load(Relaxed),
            peak: PEAK.load(Relaxed).saturating_sub(self.before),
        }
    }
}
