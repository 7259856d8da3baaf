//! Minimal filtering in one dimension, whose squares are the two-dimensional maps, and how the layers use it.

use std::marker::PhantomData;

use crate::isa::Vector;

/// Taps of a filter.
pub(super) const TAPS: usize = 3;
/// The most values that a tile is mapped to, along an axis.
pub(super) const MOST: usize = 6;
/// The most outputs that a tile has, along an axis.
pub(super) const MOST_OUTPUTS: usize = 4;

/// F(STEP, 3): `y[i] = sum over t of d[i + t] g[t]`, by maps of inputs and taps to values and of values to outputs.
///
/// The first value is that of the first input and the first tap alone, the last one that of the last tap. Arrays have
/// room for the largest algorithm; what is beyond a smaller one's sizes is neither read nor used.
pub(crate) trait Filtering {
    /// Inputs of a tile, and values.
    const POSITIONS: usize;
    /// Outputs of a tile, and inputs from one tile to the next.
    const STEP: usize;
    /// [`Filtering::filter`] as a matrix.
    const FILTER: [[f32; TAPS]; MOST];

    /// Inputs to values; the first input lies one before the tile.
    fn input<V: Vector>(inputs: [V; MOST]) -> [V; MOST];
    fn input_transposed<V: Vector>(values: [V; MOST]) -> [V; MOST];
    /// Taps to values.
    fn filter<V: Vector>(taps: [V; TAPS]) -> [V; MOST];
    fn filter_transposed<V: Vector>(values: [V; MOST]) -> [V; TAPS];
    /// Products to outputs.
    fn output<V: Vector>(products: [V; MOST]) -> [V; MOST_OUTPUTS];
    fn output_transposed<V: Vector>(outputs: [V; MOST_OUTPUTS]) -> [V; MOST];
}

/// F(4, 3) by the points 0, +-1/√2, +-√2 and infinity. The usual +-1 and +-2 save a few multiplications, but their larger
/// coefficients lose twice as much to rounding.
pub(crate) struct F4;

/// The points besides 0 and infinity, positive and negative.
const INNER: f32 = std::f32::consts::FRAC_1_SQRT_2;
const OUTER: f32 = std::f32::consts::SQRT_2;

/// F(2, 3) by the points 0, +-1 and infinity: more multiplications than [`F4`], and less than half of its filters.
pub(crate) struct F2;

/// How a layer is made of one or more 3x3 convolutions of the same input, the phases of its output.
pub(crate) trait Scheme {
    type Filtering: Filtering;

    /// Taps of the layer's weight along an axis.
    const WEIGHT_TAPS: usize;
    /// Outputs for each input along an axis.
    const PHASES: usize;
    /// Values that are not always zero along an axis, from value `phase` on.
    const USED: usize;
    /// Matrix products of the layer: `USED` by `USED` for each of the `PHASES` by `PHASES` convolutions.
    const PRODUCTS: usize = Self::PHASES * Self::PHASES * Self::USED * Self::USED;

    /// Values of a tile.
    const VALUES: usize = Self::Filtering::POSITIONS * Self::Filtering::POSITIONS;

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
        phases.filter_map(move |phases| {
            Self::product(
                phases,
                value / Self::Filtering::POSITIONS,
                value % Self::Filtering::POSITIONS,
            )
        })
    }

    /// The value of the input that takes part in this product.
    fn value_of(product: usize) -> usize {
        let (phases, at) = (product / (Self::USED * Self::USED), product % (Self::USED * Self::USED));
        (phases / Self::PHASES + at / Self::USED) * Self::Filtering::POSITIONS + phases % Self::PHASES + at % Self::USED
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
    type Filtering = F4;

    const WEIGHT_TAPS: usize = 3;
    const PHASES: usize = 1;
    const USED: usize = F4::POSITIONS;

    #[inline(always)]
    fn weight_tap(_phase: usize, tap: usize) -> Option<usize> {
        Some(tap)
    }
}

/// 4x4 transposed with stride 2 and padding 1: `y[2i] = d[i] g[3] + d[i + 1] g[1]` and
/// `y[2i + 1] = d[i + 1] g[2] + d[i + 2] g[0]`, where `d[0]` lies one before the tile.
///
/// An even output has no third tap and so no value at infinity, an odd one no first tap and no value at zero.
pub(crate) struct TransposedConvolution4x4<F>(PhantomData<F>);

impl<F: Filtering> Scheme for TransposedConvolution4x4<F> {
    type Filtering = F;

    const WEIGHT_TAPS: usize = 4;
    const PHASES: usize = 2;
    const USED: usize = F::POSITIONS - 1;

    #[inline(always)]
    fn weight_tap(phase: usize, tap: usize) -> Option<usize> {
        [[Some(3), Some(1), None], [None, Some(2), Some(0)]][phase][tap]
    }
}

impl Filtering for F4 {
    const POSITIONS: usize = 6;
    const STEP: usize = 4;
    const FILTER: [[f32; TAPS]; MOST] = [
        [1.0, 0.0, 0.0],
        [-2.0 / 3.0, -2.0 / 3.0 * INNER, -1.0 / 3.0],
        [-2.0 / 3.0, 2.0 / 3.0 * INNER, -1.0 / 3.0],
        [1.0 / 6.0, 1.0 / 6.0 * OUTER, 1.0 / 3.0],
        [1.0 / 6.0, -1.0 / 6.0 * OUTER, 1.0 / 3.0],
        [0.0, 0.0, 1.0],
    ];

    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3, d4, d5]: [V; MOST]) -> [V; MOST] {
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
    fn input_transposed<V: Vector>([v0, v1, v2, v3, v4, v5]: [V; MOST]) -> [V; MOST] {
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

    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2]: [V; TAPS]) -> [V; MOST] {
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
    fn filter_transposed<V: Vector>([u0, u1, u2, u3, u4, u5]: [V; MOST]) -> [V; TAPS] {
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

    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; MOST]) -> [V; MOST_OUTPUTS] {
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
    fn output_transposed<V: Vector>([y0, y1, y2, y3]: [V; MOST_OUTPUTS]) -> [V; MOST] {
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
}

impl Filtering for F2 {
    const POSITIONS: usize = 4;
    const STEP: usize = 2;
    const FILTER: [[f32; TAPS]; MOST] = [
        [1.0, 0.0, 0.0],
        [0.5, 0.5, 0.5],
        [0.5, -0.5, 0.5],
        [0.0, 0.0, 1.0],
        [0.0; TAPS],
        [0.0; TAPS],
    ];

    #[inline(always)]
    fn input<V: Vector>([d0, d1, d2, d3, ..]: [V; MOST]) -> [V; MOST] {
        four([d0 - d2, d1 + d2, d2 - d1, d3 - d1])
    }

    #[inline(always)]
    fn input_transposed<V: Vector>([v0, v1, v2, v3, ..]: [V; MOST]) -> [V; MOST] {
        four([v0, v1 - v2 - v3, v1 + v2 - v0, v3])
    }

    #[inline(always)]
    fn filter<V: Vector>([g0, g1, g2]: [V; TAPS]) -> [V; MOST] {
        let half = V::splat(0.5);
        let (even, odd) = ((g0 + g2) * half, g1 * half);
        four([g0, even + odd, even - odd, g2])
    }

    #[inline(always)]
    fn filter_transposed<V: Vector>([u0, u1, u2, u3, ..]: [V; MOST]) -> [V; TAPS] {
        let half = V::splat(0.5);
        let even = (u1 + u2) * half;
        [u0 + even, (u1 - u2) * half, even + u3]
    }

    #[inline(always)]
    fn output<V: Vector>([m0, m1, m2, m3, ..]: [V; MOST]) -> [V; MOST_OUTPUTS] {
        let unused = V::splat(0.0);
        [m0 + m1 + m2, m1 - m2 + m3, unused, unused]
    }

    #[inline(always)]
    fn output_transposed<V: Vector>([y0, y1, ..]: [V; MOST_OUTPUTS]) -> [V; MOST] {
        four([y0, y0 + y1, y0 - y1, y1])
    }
}

#[inline(always)]
fn four<V: Vector>([a, b, c, d]: [V; 4]) -> [V; MOST] {
    let unused = V::splat(0.0);
    [a, b, c, d, unused, unused]
}
