//! Four lanes in plain Rust: what every processor runs, and what the others are compared with.

use super::vector::{Tile, Vector};

#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 4]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, function: impl Fn(f32, f32) -> f32) -> Self {
        let mut lanes = self.0;
        for (lane, value) in lanes.iter_mut().zip(other.0) {
            *lane = function(*lane, value);
        }
        Self(lanes)
    }
}

macro_rules! operators {
    ($($operator:ident $name:ident $symbol:tt),*) => {
        $(impl std::ops::$operator for Portable {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                self.zip(other, |a, b| a $symbol b)
            }
        })*
    };
}

operators!(Add add +, Sub sub -, Mul mul *, Div div /);

impl Vector for Portable {
    const LANES: usize = 4;
    const ROWS: usize = 4;
    const PANEL: usize = 8;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn read(from: *const f32) -> Self {
        // SAFETY: four floats are readable by the caller's word; an unaligned read asks for nothing else.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut f32) {
        // SAFETY: four floats are writable by the caller's word; an unaligned write asks for nothing else.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    /// Two roundings: without an instruction for it, a fused product would be a slow library call.
    #[inline(always)]
    fn multiply_add(self, factor: Self, addend: Self) -> Self {
        self * factor + addend
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn square_root(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline(always)]
    fn if_greater(self, than: Self, yes: Self, no: Self) -> Self {
        let mut lanes = no.0;
        for (i, lane) in lanes.iter_mut().enumerate() {
            if self.0[i] > than.0[i] {
                *lane = yes.0[i];
            }
        }
        Self(lanes)
    }

    #[inline(always)]
    fn interleave(self, other: Self) -> [Self; 2] {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        [Self([a0, b0, a1, b1]), Self([a2, b2, a3, b3])]
    }

    #[inline(always)]
    fn sum(self) -> f32 {
        (self.0[0] + self.0[2]) + (self.0[1] + self.0[3])
    }

    #[inline(always)]
    unsafe fn tile(rows: usize, tile: Tile) {
        // SAFETY: the caller keeps the contract of `Tile` for `rows` rows, and each arm computes that many or fewer.
        unsafe {
            match rows {
                4 => tile.compute::<Self, 4, 2>(),
                3 => tile.compute::<Self, 3, 2>(),
                2 => tile.compute::<Self, 2, 2>(),
                1 => tile.compute::<Self, 1, 2>(),
                _ => unreachable!("a register tile has one to four rows"),
            }
        }
    }
}
