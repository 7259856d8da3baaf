//! What a vector of `f32` lanes must be able to do.

use std::ops::{Add, Div, Mul, Sub};

/// A register of `f32` lanes and the register tile of the matrix product made of it.
///
/// Implementations are private to `isa`, and everybody else has them from [`Isa::run`](super::Isa::run) alone, so that they
/// may use their instructions freely.
pub(crate) trait Vector:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Lanes of one register.
    const LANES: usize;
    /// Rows of the register tile.
    const ROWS: usize;
    /// Columns of the register tile, a multiple of `LANES`.
    const PANEL: usize;

    fn splat(value: f32) -> Self;

    /// # Safety
    /// `LANES` floats must be readable at `from`.
    unsafe fn read(from: *const f32) -> Self;

    /// # Safety
    /// `LANES` floats must be writable at `to`.
    unsafe fn write(self, to: *mut f32);

    /// `self * factor + addend`, fused where the instructions allow it.
    fn multiply_add(self, factor: Self, addend: Self) -> Self;

    /// The larger; `other` if either is not a number, so that `zero.max(x)` does not hide it.
    fn max(self, other: Self) -> Self;

    fn square_root(self) -> Self;

    /// Lane by lane: `if self > than { yes } else { no }`.
    fn if_greater(self, than: Self, yes: Self, no: Self) -> Self;

    /// Has the cache line of the first of these floats brought near: they will soon be read.
    #[inline(always)]
    fn fetch(_: &[f32]) {}

    /// The lanes of both in turns, one of `self` first: the front halves, then the back halves.
    fn interleave(self, other: Self) -> [Self; 2];

    /// The sum of the lanes, always in the same order.
    fn sum(self) -> f32;

    /// Computes `rows <= ROWS` rows of a register tile.
    ///
    /// # Safety
    /// See [`Tile`].
    unsafe fn tile(rows: usize, tile: Tile);

    /// The first lanes from `from`, with zeros past its end.
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        if from.len() >= Self::LANES {
            // SAFETY: the slice holds LANES floats.
            unsafe { Self::read(from.as_ptr()) }
        } else {
            Self::load_partial(from)
        }
    }

    /// [`Vector::load`]; with `ALL` of all lanes, which `from` must hold.
    ///
    /// Without the other case in its way, a loop over loads is short enough to be unrolled.
    #[inline(always)]
    fn load_lanes<const ALL: bool>(from: &[f32]) -> Self {
        Self::load(if ALL { &from[..Self::LANES] } else { from })
    }

    /// [`Vector::store`]; with `ALL` of all lanes, for which `to` must have room.
    #[inline(always)]
    fn store_lanes<const ALL: bool>(self, to: &mut [f32]) {
        self.store(if ALL { &mut to[..Self::LANES] } else { to });
    }

    /// As many lanes as `to` has room for.
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        if to.len() >= Self::LANES {
            // SAFETY: the slice holds LANES floats.
            unsafe { self.write(to.as_mut_ptr()) }
        } else {
            self.store_partial(to);
        }
    }

    #[inline(always)]
    fn load_partial(from: &[f32]) -> Self {
        let mut lanes = [0.0; 16];
        for (lane, value) in lanes.iter_mut().zip(from) {
            *lane = *value;
        }
        // SAFETY: the array holds 16 floats, and no register here has more lanes.
        unsafe { Self::read(lanes.as_ptr()) }
    }

    #[inline(always)]
    fn store_partial(self, to: &mut [f32]) {
        let mut lanes = [0.0; 16];
        // SAFETY: the array holds 16 floats, and no register here has more lanes.
        unsafe { self.write(lanes.as_mut_ptr()) }
        for (value, lane) in to.iter_mut().zip(lanes) {
            *value = lane;
        }
    }
}

/// One register tile of a matrix product: `output[i, j] (+)= sum over k of left[i, k] * right[k, j]`.
///
/// For `k < depth`, `i < rows`, `j < PANEL`: `left + i * row_stride + k * depth_stride` and
/// `right + k * right_stride + j` must be readable, `output + i * output_stride + j` readable and writable by nobody else.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    pub depth: usize,
    pub left: *const f32,
    pub row_stride: usize,
    pub depth_stride: usize,
    pub right: *const f32,
    pub right_stride: usize,
    pub output: *mut f32,
    pub output_stride: usize,
    pub accumulate: bool,
}

impl Tile {
    /// `R` rows by `N` registers, all sums kept in registers.
    ///
    /// # Safety
    /// See [`Tile`].
    #[inline(always)]
    pub unsafe fn compute<V: Vector, const R: usize, const N: usize>(self) {
        let mut sums = [[V::splat(0.0); N]; R];
        let mut left = self.left;
        let mut right = self.right;
        for _ in 0..self.depth {
            let mut columns = [V::splat(0.0); N];
            for (j, column) in columns.iter_mut().enumerate() {
                // SAFETY: inside `right + k * right_stride ..`, readable by the contract of `Tile`.
                *column = unsafe { V::read(right.add(j * V::LANES)) };
            }
            for (i, row) in sums.iter_mut().enumerate() {
                // SAFETY: `left + i * row_stride + k * depth_stride`, readable by the contract of `Tile`.
                let value = V::splat(unsafe { *left.add(i * self.row_stride) });
                for (sum, column) in row.iter_mut().zip(columns) {
                    *sum = value.multiply_add(column, *sum);
                }
            }
            left = left.wrapping_add(self.depth_stride);
            right = right.wrapping_add(self.right_stride);
        }
        for (i, row) in sums.into_iter().enumerate() {
            for (j, sum) in row.into_iter().enumerate() {
                // SAFETY: `output + i * output_stride + j` belongs to this tile by the contract of `Tile`.
                unsafe {
                    let to = self.output.add(i * self.output_stride + j * V::LANES);
                    let value = if self.accumulate { V::read(to) + sum } else { sum };
                    value.write(to);
                }
            }
        }
    }
}

/// Implements the four operators of a vector type by its intrinsics.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! operators {
    ($vector:ty, $($operator:ident $name:ident $intrinsic:ident),*) => {
        $(impl std::ops::$operator for $vector {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        })*
    };
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use operators;
