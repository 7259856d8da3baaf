//! The one-dimensional maps of F(4, 3), whose squares are the two-dimensional ones, and how the layers use them.
//!
//! `y[i] = sum over t of d[i + t] g[t]` by the points 0, +-1/√2, +-√2 and infinity. The usual +-1 and +-2 save a few
//! multiplications, but their larger coefficients lose twice as much to rounding.

use super::{POSITIONS, STEP};
use crate::isa::Vector;

/// The points besides 0 and infinity, positive and negative.
const INNER: f32 = std::f32::consts::FRAC_1_SQRT_2;
const OUTER: f32 = std::f32::consts::SQRT_2;

/// Taps of F(4, 3).
pub(super) const TAPS: usize = 3;

/// How a layer is made of one or more 3x3 convolutions of the same input, the phases of its output.
pub(crate) trait Scheme {
    /// Taps of the layer's weight along an axis.
    const WEIGHT_TAPS: usize;
    /// Outputs for each input along an axis.
    const PHASES: usize;
    /// Values that are not always zero along an axis, from value `phase` on.
    const USED: usize;
    /// Matrix products of the layer: `USED` by `USED` for each of the `PHASES` by `PHASES` convolutions.
    const PRODUCTS: usize = Self::PHASES * Self::PHASES * Self::USED * Self::USED;

    /// The tap of the weight that is tap `tap` of a phase, if any.
    fn weight_tap(phase: usize, tap: usize) -> Option<usize>;

    /// The product of this value in the convolution of these phases of row and column, if it has one.
    #[inline(always)]
    fn product((phase_y, phase_x): (usize, usize), i: usize, j: usize) -> Option<usize> {
        let (row, column) = (i.wrapping_sub(phase_y), j.wrapping_sub(phase_x));
        (row < Self::USED && column < Self::USED)
            .then(|| ((phase_y * Self::PHASES + phase_x) * Self::USED + row) * Self::USED + column)
    }

    /// The products that value `value` of the input takes part in.
    fn products_of(value: usize) -> impl Iterator<Item = usize> {
        let phases = (0..Self::PHASES).flat_map(|y| (0..Self::PHASES).map(move |x| (y, x)));
        phases.filter_map(move |phases| Self::product(phases, value / POSITIONS, value % POSITIONS))
    }

    /// The value of the input that takes part in this product.
    fn value_of(product: usize) -> usize {
        let (phases, at) = (product / (Self::USED * Self::USED), product % (Self::USED * Self::USED));
        (phases / Self::PHASES + at / Self::USED) * POSITIONS + phases % Self::PHASES + at % Self::USED
    }
}

/// Calls `function::<V, S, Y, X>(arguments)` for each pair of phases: as constants, which leave nothing to be decided in
/// the innermost loops.
macro_rules! each_phase {
    ($scheme:ty, $function:ident::<$vector:ty, $same:ty>($($argument:expr),*)) => {
        $function::<$vector, $scheme, 0, 0>($($argument),*);
        if <$scheme>::PHASES == 2 {
            $function::<$vector, $scheme, 0, 1>($($argument),*);
            $function::<$vector, $scheme, 1, 0>($($argument),*);
            $function::<$vector, $scheme, 1, 1>($($argument),*);
        }
    };
}
pub(super) use each_phase;

/// 3x3 with stride 1 and padding 1.
pub(crate) struct Convolution3x3;

impl Scheme for Convolution3x3 {
    const WEIGHT_TAPS: usize = 3;
    const PHASES: usize = 1;
    const USED: usize = 6;

    #[inline(always)]
    fn weight_tap(_phase: usize, tap: usize) -> Option<usize> {
        Some(tap)
    }
}

/// 4x4 transposed with stride 2 and padding 1: `y[2i] = d[i] g[3] + d[i + 1] g[1]` and
/// `y[2i + 1] = d[i + 1] g[2] + d[i + 2] g[0]`, where `d[0]` lies one before the tile.
///
/// An even output has no third tap and so no value at infinity, an odd one no first tap and no value at zero.
pub(crate) struct TransposedConvolution4x4;

impl Scheme for TransposedConvolution4x4 {
    const WEIGHT_TAPS: usize = 4;
    const PHASES: usize = 2;
    const USED: usize = 5;

    #[inline(always)]
    fn weight_tap(phase: usize, tap: usize) -> Option<usize> {
        [[Some(3), Some(1), None], [None, Some(2), Some(0)]][phase][tap]
    }
}

/// Inputs to values; the first input lies one before the tile.
#[inline(always)]
pub(super) fn input<V: Vector>([d0, d1, d2, d3, d4, d5]: [V; POSITIONS]) -> [V; POSITIONS] {
    let (minus_half, minus_two, minus_five_halves) = (V::splat(-0.5), V::splat(-2.0), V::splat(-2.5));
    let inner = d2.multiply_add(minus_two, d4);
    let inner_odd = d1.multiply_add(minus_two, d3) * V::splat(INNER);
    let outer = d2.multiply_add(minus_half, d4);
    let outer_odd = d1.multiply_add(minus_half, d3) * V::splat(OUTER);
    [
        d2.multiply_add(minus_five_halves, d0 + d4),
        inner + inner_odd,
        inner - inner_odd,
        outer + outer_odd,
        outer - outer_odd,
        d3.multiply_add(minus_five_halves, d1 + d5),
    ]
}

#[inline(always)]
pub(super) fn input_transposed<V: Vector>([v0, v1, v2, v3, v4, v5]: [V; POSITIONS]) -> [V; POSITIONS] {
    let (minus_half, minus_two, minus_five_halves) = (V::splat(-0.5), V::splat(-2.0), V::splat(-2.5));
    let (inner, outer) = (v1 + v2, v3 + v4);
    let (inner_odd, outer_odd) = ((v1 - v2) * V::splat(INNER), (v3 - v4) * V::splat(OUTER));
    [
        v0,
        inner_odd.multiply_add(minus_two, outer_odd.multiply_add(minus_half, v5)),
        inner.multiply_add(minus_two, outer.multiply_add(minus_half, v0 * minus_five_halves)),
        v5.multiply_add(minus_five_halves, inner_odd + outer_odd),
        v0 + inner + outer,
        v5,
    ]
}

/// [`filter`] as a matrix.
pub(super) const FILTER: [[f32; TAPS]; POSITIONS] = [
    [1.0, 0.0, 0.0],
    [-2.0 / 3.0, -2.0 / 3.0 * INNER, -1.0 / 3.0],
    [-2.0 / 3.0, 2.0 / 3.0 * INNER, -1.0 / 3.0],
    [1.0 / 6.0, 1.0 / 6.0 * OUTER, 1.0 / 3.0],
    [1.0 / 6.0, -1.0 / 6.0 * OUTER, 1.0 / 3.0],
    [0.0, 0.0, 1.0],
];

/// Taps to values.
#[inline(always)]
pub(super) fn filter<V: Vector>([g0, g1, g2]: [V; TAPS]) -> [V; POSITIONS] {
    let inner = g2.multiply_add(V::splat(0.5), g0) * V::splat(-2.0 / 3.0);
    let inner_odd = g1 * V::splat(-2.0 / 3.0 * INNER);
    let outer = g2.multiply_add(V::splat(2.0), g0) * V::splat(1.0 / 6.0);
    let outer_odd = g1 * V::splat(1.0 / 6.0 * OUTER);
    [
        g0,
        inner + inner_odd,
        inner - inner_odd,
        outer + outer_odd,
        outer - outer_odd,
        g2,
    ]
}

#[inline(always)]
pub(super) fn filter_transposed<V: Vector>([u0, u1, u2, u3, u4, u5]: [V; POSITIONS]) -> [V; TAPS] {
    let inner = (u1 + u2) * V::splat(-2.0 / 3.0);
    let inner_odd = (u1 - u2) * V::splat(-2.0 / 3.0 * INNER);
    let outer = (u3 + u4) * V::splat(1.0 / 6.0);
    let outer_odd = (u3 - u4) * V::splat(1.0 / 6.0 * OUTER);
    [
        u0 + inner + outer,
        inner_odd + outer_odd,
        inner.multiply_add(V::splat(0.5), outer.multiply_add(V::splat(2.0), u5)),
    ]
}

/// Products to outputs.
#[inline(always)]
pub(super) fn output<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; POSITIONS]) -> [V; STEP] {
    let (half, two) = (V::splat(0.5), V::splat(2.0));
    let (inner, outer) = (m1 + m2, m3 + m4);
    let (inner_odd, outer_odd) = ((m1 - m2) * V::splat(INNER), (m3 - m4) * V::splat(OUTER));
    [
        m0 + inner + outer,
        inner_odd + outer_odd,
        inner.multiply_add(half, outer * two),
        inner_odd.multiply_add(half, outer_odd.multiply_add(two, m5)),
    ]
}

#[inline(always)]
pub(super) fn output_transposed<V: Vector>([y0, y1, y2, y3]: [V; STEP]) -> [V; POSITIONS] {
    let (half, two) = (V::splat(0.5), V::splat(2.0));
    let inner = y2.multiply_add(half, y0);
    let inner_odd = y3.multiply_add(half, y1) * V::splat(INNER);
    let outer = y2.multiply_add(two, y0);
    let outer_odd = y3.multiply_add(two, y1) * V::splat(OUTER);
    [
        y0,
        inner + inner_odd,
        inner - inner_odd,
        outer + outer_odd,
        outer - outer_odd,
        y3,
    ]
}
