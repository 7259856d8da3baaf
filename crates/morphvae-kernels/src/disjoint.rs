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
        // Neither sum nor difference wraps around, whatever the numbers are.
        let is_inside = offset <= self.length && length <= self.length - offset;
        assert!(is_inside, "a part must lie inside its slice");
        // SAFETY: inside the slice that `self` borrows mutably, and not aliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), length) }
    }

    /// `length` elements from `offset` of each of the matrices in the slice, which lie `stride` elements apart.
    ///
    /// # Safety
    /// No two parts or runs that live at the same time may overlap.
    pub unsafe fn runs(&self, offset: usize, length: usize, stride: usize) -> Runs<'_> {
        let is_inside = offset <= stride && length <= stride - offset;
        assert!(is_inside && stride > 0, "a run must lie inside its matrix");
        Runs {
            slice: self,
            offset,
            length,
            stride,
            matrices: self.length / stride,
        }
    }
}

/// The same run of elements in each of many matrices; nobody else has them.
pub(crate) struct Runs<'a> {
    slice: &'a Disjoint<'a>,
    offset: usize,
    length: usize,
    stride: usize,
    /// Whole matrices in the slice.
    matrices: usize,
}

impl Runs<'_> {
    /// Some elements of a matrix's run.
    #[inline(always)]
    pub fn part(&mut self, matrix: usize, range: Range<usize>) -> &mut [f32] {
        let is_inside = range.start <= range.end && range.end <= self.length;
        assert!(is_inside && matrix < self.matrices, "a part must lie inside its run");
        // SAFETY: inside the run of this matrix, for `offset + length <= stride`, and inside the slice, for it has
        // `matrices * stride` elements, so that nothing wraps around either. The run is this value's alone by the promise
        // of `runs`, and the value is borrowed for as long as the part lives.
        unsafe {
            let first = self.slice.start.add(matrix * self.stride + self.offset + range.start);
            std::slice::from_raw_parts_mut(first, range.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn parts_beyond_the_slice_are_refused_whatever_the_numbers_are() {
        let mut values = [0.0; 12];
        let slice = Disjoint::new(&mut values);
        let numbers = [0, 1, 3, 5, 12, 13, usize::MAX / 4, usize::MAX / 2 + 1, usize::MAX];
        let sum = |numbers: &[usize]| numbers.iter().map(|number| *number as u128).sum::<u128>();
        for (offset, length) in numbers.iter().flat_map(|a| numbers.map(|b| (*a, b))) {
            // SAFETY: one part at a time.
            let part = || unsafe { slice.part(offset, length) }.len();
            let part = catch_unwind(AssertUnwindSafe(part)).ok();
            assert_eq!(
                part,
                (sum(&[offset, length]) <= 12).then_some(length),
                "{length} from {offset}"
            );
            for stride in numbers {
                // SAFETY: one run at a time.
                let runs = catch_unwind(AssertUnwindSafe(|| unsafe { slice.runs(offset, length, stride) })).ok();
                assert_eq!(runs.is_some(), stride > 0 && sum(&[offset, length]) <= stride as u128);
                let Some(mut runs) = runs else { continue };
                for (matrix, end) in numbers.iter().flat_map(|a| numbers.map(|b| (*a, b))) {
                    let part = catch_unwind(AssertUnwindSafe(|| runs.part(matrix, 1..end).as_ptr())).ok();
                    let is_inside = (1..=length).contains(&end) && (matrix as u128 + 1) * stride as u128 <= 12;
                    let expected =
                        is_inside.then(|| slice.start.wrapping_add(matrix * stride + offset + 1).cast_const());
                    assert_eq!(
                        part, expected,
                        "1..{end} of run {matrix}: {length} from {offset} in {stride}"
                    );
                }
            }
        }
    }
}
