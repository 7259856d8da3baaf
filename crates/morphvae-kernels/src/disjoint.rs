//! One slice written by several tasks, each its own parts.

use std::marker::PhantomData;

/// A mutable slice shared by tasks that never touch the same element.
pub(crate) struct Disjoint<'a> {
    start: *mut f32,
    length: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: the only access is `part`, whose callers promise that no two living parts overlap.
unsafe impl Send for Disjoint<'_> {}
// SAFETY: as above.
unsafe impl Sync for Disjoint<'_> {}

impl<'a> Disjoint<'a> {
    pub fn new(slice: &'a mut [f32]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            length: slice.len(),
            slice: PhantomData,
        }
    }

    /// `length` elements from `offset`.
    ///
    /// # Safety
    /// No two parts that live at the same time may overlap.
    #[inline(always)]
    #[allow(
        clippy::mut_from_ref,
        reason = "that is the purpose; the safety contract takes the place of the borrow"
    )]
    pub unsafe fn part(&self, offset: usize, length: usize) -> &mut [f32] {
        assert!(offset + length <= self.length, "a part must lie inside its slice");
        // SAFETY: inside the slice that `self` borrows mutably, and not aliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), length) }
    }
}
