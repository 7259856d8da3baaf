//! Four lanes with fused multiply-add: every 64-bit Arm processor.

use std::arch::aarch64::*;

use super::vector::{Tile, Vector, operators};

#[derive(Clone, Copy)]
pub(super) struct Neon(float32x4_t);

operators!(Neon, Add add vaddq_f32, Sub sub vsubq_f32, Mul mul vmulq_f32, Div div vdivq_f32);

impl Vector for Neon {
    const LANES: usize = 4;
    const ROWS: usize = 6;
    const PANEL: usize = 16;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { vdupq_n_f32(value) })
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: four floats are readable by the caller's word.
        Self(unsafe { vld1q_f32(from) })
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut f32) {
        // SAFETY: four floats are writable by the caller's word.
        unsafe { vst1q_f32(to, self.0) }
    }

    #[inline(always)]
    fn multiply_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { vfmaq_f32(addend.0, self.0, factor.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // Not `vmaxq_f32`, whose maximum with what is not a number is none, whichever of the two it is.
        self.if_greater(other, self, other)
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { vsqrtq_f32(self.0) })
    }

    #[inline(always)]
    fn if_greater(self, than: Self, yes: Self, no: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { vbslq_f32(vcgtq_f32(self.0, than.0), yes.0, no.0) })
    }

    #[inline(always)]
    fn interleave(self, other: Self) -> [Self; 2] {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        unsafe { [Self(vzip1q_f32(self.0, other.0)), Self(vzip2q_f32(self.0, other.0))] }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        unsafe { vaddvq_f32(self.0) }
    }

    #[inline(always)]
    unsafe fn tile(rows: usize, tile: Tile) {
        // SAFETY: the caller keeps the contract of `Tile` for `rows` rows, and each arm computes that many or fewer.
        unsafe {
            match rows {
                6 => tile.compute::<Self, 6, 4>(),
                5 => tile.compute::<Self, 5, 4>(),
                4 => tile.compute::<Self, 4, 4>(),
                3 => tile.compute::<Self, 3, 4>(),
                2 => tile.compute::<Self, 2, 4>(),
                1 => tile.compute::<Self, 1, 4>(),
                _ => unreachable!("a register tile has one to six rows"),
            }
        }
    }
}
