//! The one-dimensional maps of the two layers; the two-dimensional ones are their squares.

use super::{OUTPUTS, POSITIONS};
use crate::isa::Vector;

/// The linear maps of a minimal filtering algorithm along one axis, and their transposes.
pub(crate) trait Scheme {
    /// Filter taps.
    const TAPS: usize;
    /// Inputs that a tile reads, the first of them one before the tile.
    const INPUTS: usize;
    /// Inputs from one tile to the next.
    const STEP: usize;

    /// `INPUTS` inputs to 6 values; the rest of the array is ignored.
    fn input<V: Vector>(d: [V; POSITIONS]) -> [V; POSITIONS];
    fn input_transposed<V: Vector>(v: [V; POSITIONS]) -> [V; POSITIONS];

    /// `TAPS` taps to 6 values; the rest of the array is ignored.
    fn filter<V: Vector>(g: [V; OUTPUTS]) -> [V; POSITIONS];
    fn filter_transposed<V: Vector>(u: [V; POSITIONS]) -> [V; OUTPUTS];

    fn output<V: Vector>(m: [V; POSITIONS]) -> [V; OUTPUTS];
    fn output_transposed<V: Vector>(y: [V; OUTPUTS]) -> [V; POSITIONS];
}

/// F(4, 3) with the points 0, 1, -1, 2, -2 and infinity: `y[i] = sum over t of d[i + t] g[t]`.
pub(crate) struct Convolution3x3;

impl Scheme for Convolution3x3 {
    const TAPS: usize = 3;
    const INPUTS: usize = 6;
    const STEP: usize = 4;

    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3, d4, d5]: [V; 6]) -> [V; 6] {
        let (two, minus_four, minus_five) = (V::splat(2.0), V::splat(-4.0), V::splat(-5.0));
        let four = V::splat(4.0);
        let even = d2.multiply_add(minus_four, d4);
        let odd = d1.multiply_add(minus_four, d3);
        let even_outer = d4 - d2;
        let odd_outer = (d3 - d1) * two;
        [
            d0.multiply_add(four, d2.multiply_add(minus_five, d4)),
            even + odd,
            even - odd,
            even_outer + odd_outer,
            even_outer - odd_outer,
            d1.multiply_add(four, d3.multiply_add(minus_five, d5)),
        ]
    }

    #[inline(always)]
    fn input_transposed<V: Vector>([v0, v1, v2, v3, v4, v5]: [V; 6]) -> [V; 6] {
        let (two, four, minus_four, minus_five) = (V::splat(2.0), V::splat(4.0), V::splat(-4.0), V::splat(-5.0));
        let inner = v1 + v2;
        let inner_difference = v1 - v2;
        let outer = v3 + v4;
        let outer_difference = (v3 - v4) * two;
        [
            v0 * four,
            inner_difference.multiply_add(minus_four, v5 * four) - outer_difference,
            v0.multiply_add(minus_five, inner * minus_four) - outer,
            v5.multiply_add(minus_five, inner_difference + outer_difference),
            v0 + inner + outer,
            v5,
        ]
    }

    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2, _]: [V; 4]) -> [V; 6] {
        let sixth = V::splat(1.0 / 6.0);
        let inner = (g0 + g2) * V::splat(-1.0 / 6.0);
        let inner_odd = g1 * sixth;
        let outer = g0.multiply_add(V::splat(1.0 / 24.0), g2 * sixth);
        let outer_odd = g1 * V::splat(1.0 / 12.0);
        [
            g0 * V::splat(0.25),
            inner - inner_odd,
            inner + inner_odd,
            outer + outer_odd,
            outer - outer_odd,
            g2,
        ]
    }

    #[inline(always)]
    fn filter_transposed<V: Vector>([u0, u1, u2, u3, u4, u5]: [V; 6]) -> [V; 4] {
        let sixth = V::splat(1.0 / 6.0);
        let inner = u1 + u2;
        let outer = u3 + u4;
        let g0 = u0.multiply_add(V::splat(0.25), outer * V::splat(1.0 / 24.0)) - inner * sixth;
        let g1 = (u2 - u1).multiply_add(sixth, (u3 - u4) * V::splat(1.0 / 12.0));
        let g2 = (outer - inner).multiply_add(sixth, u5);
        [g0, g1, g2, V::splat(0.0)]
    }

    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; 6]) -> [V; 4] {
        let inner = m1 + m2;
        let inner_difference = m1 - m2;
        let outer = m3 + m4;
        let outer_difference = m3 - m4;
        [
            m0 + inner + outer,
            outer_difference.multiply_add(V::splat(2.0), inner_difference),
            outer.multiply_add(V::splat(4.0), inner),
            outer_difference.multiply_add(V::splat(8.0), inner_difference) + m5,
        ]
    }

    #[inline(always)]
    fn output_transposed<V: Vector>([y0, y1, y2, y3]: [V; 4]) -> [V; 6] {
        let even = y0 + y2;
        let odd = y1 + y3;
        let even_outer = y2.multiply_add(V::splat(4.0), y0);
        let odd_outer = y1.multiply_add(V::splat(2.0), y3 * V::splat(8.0));
        [
            y0,
            even + odd,
            even - odd,
            even_outer + odd_outer,
            even_outer - odd_outer,
            y3,
        ]
    }
}

/// The two phases of a 4-tap transposed convolution with stride 2 and padding 1, each as F(2, 2) with the points 0, 1
/// and infinity: `y[2i] = d[i] g[3] + d[i + 1] g[1]` and `y[2i + 1] = d[i + 1] g[2] + d[i + 2] g[0]`, where `d[0]` lies
/// one before the tile. Values 0 to 2 belong to the even outputs, 3 to 5 to the odd ones.
pub(crate) struct TransposedConvolution4x4;

impl Scheme for TransposedConvolution4x4 {
    const TAPS: usize = 4;
    const INPUTS: usize = 4;
    const STEP: usize = 2;

    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3, _, _]: [V; 6]) -> [V; 6] {
        [d0 - d1, d1, d2 - d1, d1 - d2, d2, d3 - d2]
    }

    #[inline(always)]
    fn input_transposed<V: Vector>([v0, v1, v2, v3, v4, v5]: [V; 6]) -> [V; 6] {
        let zero = V::splat(0.0);
        let across = v3 - v2;
        [v0, v1 - v0 + across, v4 - v5 - across, v5, zero, zero]
    }

    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2, g3]: [V; 4]) -> [V; 6] {
        [g3, g3 + g1, g1, g2, g2 + g0, g0]
    }

    #[inline(always)]
    fn filter_transposed<V: Vector>([u0, u1, u2, u3, u4, u5]: [V; 6]) -> [V; 4] {
        [u4 + u5, u1 + u2, u3 + u4, u0 + u1]
    }

    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; 6]) -> [V; 4] {
        [m0 + m1, m3 + m4, m1 + m2, m4 + m5]
    }

    #[inline(always)]
    fn output_transposed<V: Vector>([y0, y1, y2, y3]: [V; 4]) -> [V; 6] {
        [y0, y0 + y2, y2, y1, y1 + y3, y3]
    }
}
