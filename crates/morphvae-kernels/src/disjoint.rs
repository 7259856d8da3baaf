//! One slice written by several tasks, each its own parts.

use std::marker::PhantomData;
use std::ops::Range;

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

    /// `length` elements from `offset` of each of the matrices in the slice, which lie `stride` elements apart.
    ///
    /// # Safety
    /// No two parts or runs that live at the same time may overlap.
    pub unsafe fn runs(&self, offset: usize, length: usize, stride: usize) -> Runs<'_> {
        assert!(offset + length <= stride, "a run must lie inside its matrix");
        Runs {
            slice: self,
            offset,
            length,
            stride,
        }
    }
}

/// The same run of elements in each of many matrices; nobody else has them.
pub(crate) struct Runs<'a> {
    slice: &'a Disjoint<'a>,
    offset: usize,
    length: usize,
    stride: usize,
}

impl Runs<'_> {
    /// Some elements of a matrix's run.
    #[inline(always)]
    pub fn part(&mut self, matrix: usize, range: Range<usize>) -> &mut [f32] {
        assert!(range.end <= self.length, "a part must lie inside its run");
        // SAFETY: inside the run of this matrix, which is this value's alone by the promise of `runs`; and the value is
        // borrowed for as long as the part lives.
        unsafe {
            self.slice
                .part(matrix * self.stride + self.offset + range.start, range.len())
        }
    }
}
