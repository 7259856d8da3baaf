//! Eight lanes with fused multiply-add: x86-64 since about 2013.

use std::arch::x86_64::*;

use super::vector::{Tile, Vector, operators};

#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

operators!(Avx2, Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);

impl Vector for Avx2 {
    const LANES: usize = 8;
    const ROWS: usize = 6;
    const PANEL: usize = 16;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: eight floats are readable by the caller's word, and the load asks for no alignment.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut f32) {
        // SAFETY: eight floats are writable by the caller's word, and the store asks for no alignment.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    fn multiply_add(self, factor: Self, addend: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, addend.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm256_sqrt_ps(self.0) })
    }

    #[inline(always)]
    fn if_greater(self, than: Self, yes: Self, no: Self) -> Self {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<_CMP_GT_OQ>(self.0, than.0)) })
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
            let (low, high) = (_mm256_unpacklo_ps(self.0, other.0), _mm256_unpackhi_ps(self.0, other.0));
            [
                Self(_mm256_permute2f128_ps::<0x20>(low, high)),
                Self(_mm256_permute2f128_ps::<0x31>(low, high)),
            ]
        }
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: the processor has the instructions, for only `Isa::run` leads here.
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)))
        }
    }

    #[inline(always)]
    unsafe fn tile(rows: usize, tile: Tile) {
        // SAFETY: the caller keeps the contract of `Tile` for `rows` rows, and each arm computes that many or fewer.
        unsafe {
            match rows {
                6 => tile.compute::<Self, 6, 2>(),
                5 => tile.compute::<Self, 5, 2>(),
                4 => tile.compute::<Self, 4, 2>(),
                3 => tile.compute::<Self, 3, 2>(),
                2 => tile.compute::<Self, 2, 2>(),
                1 => tile.compute::<Self, 1, 2>(),
                _ => unreachable!("a register tile has one to six rows"),
            }
        }
    }
}
