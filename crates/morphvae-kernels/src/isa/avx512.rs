//! Sixteen lanes: AVX-512F.

use std::arch::x86_64::*;

use super::vector::{Tile, Vector, operators};

#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

operators!(Avx512, Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps);

impl Vector for Avx512 {
    const LANES: usize = 16;
    const ROWS: usize = 12;
    const PANEL: usize = 32;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: sixteen floats are readable by the caller's word, and the load asks for no alignment.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut f32) {
        // SAFETY: sixteen floats are writable by the caller's word, and the store asks for no alignment.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    fn multiply_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm512_sqrt_ps(self.0) })
    }

    #[inline(always)]
    fn if_greater(self, than: Self, yes: Self, no: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, than.0), no.0, yes.0) })
    }

    #[inline(always)]
    fn fetch(from: &[f32]) {
        // SAFETY: a prefetch reads nothing, wherever it points.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().cast()) };
    }

    #[inline(always)]
    fn interleave(self, other: Self) -> [Self; 2] {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        unsafe {
            let front = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let back = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [front, back].map(|lanes| Self(_mm512_permutex2var_ps(self.0, lanes, other.0)))
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }

    #[inline(always)]
    unsafe fn tile(rows: usize, tile: Tile) {
        // SAFETY: the caller keeps the contract of `Tile` for `rows` rows, and each arm computes that many or fewer.
        unsafe {
            match rows {
                12 => tile.compute::<Self, 12, 2>(),
                11 => tile.compute::<Self, 11, 2>(),
                10 => tile.compute::<Self, 10, 2>(),
                9 => tile.compute::<Self, 9, 2>(),
                8 => tile.compute::<Self, 8, 2>(),
                7 => tile.compute::<Self, 7, 2>(),
                6 => tile.compute::<Self, 6, 2>(),
                5 => tile.compute::<Self, 5, 2>(),
                4 => tile.compute::<Self, 4, 2>(),
                3 => tile.compute::<Self, 3, 2>(),
                2 => tile.compute::<Self, 2, 2>(),
                1 => tile.compute::<Self, 1, 2>(),
                _ => unreachable!("a register tile has one to twelve rows"),
            }
        }
    }
}
