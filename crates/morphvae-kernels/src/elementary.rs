//! The functions that activations and losses are made of, in plain arithmetic that the compiler can turn into vectors, with
//! the same bits everywhere.

/// `exp(x)` with a relative error below 2e-7; beyond +-87, where it would leave the normal numbers, that of +-87.
#[inline(always)]
pub(crate) fn exponential(x: f32) -> f32 {
    /// Added to a small number it leaves the nearest integer in the last bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 as a number whose multiples are exact, and the rest.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = x.clamp(-87.0, 87.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let rest = x - power * LN_2[0] - power * LN_2[1];
    // exp(rest) for |rest| < 0.35 by its series.
    let mut sum = 1.0 / 5040.0;
    for factorial in [720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
        sum = sum * rest + 1.0 / factorial;
    }
    // The integer in the last bits goes to the exponent.
    f32::from_bits(sum.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// `log(x)` of a positive normal number, with a relative error below 2e-7, in arithmetic that the compiler can turn into
/// vectors, with the same bits everywhere; not a number for what is not finite.
#[inline(always)]
pub(crate) fn logarithm(x: f32) -> f32 {
    /// The bits of the root of one half: a number is a power of two times one from here to the root of two.
    const ROOT_HALF: u32 = 0x3f35_04f3;
    /// ln 2 as a number whose multiples are exact, and the rest.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let exponent = (x.to_bits().wrapping_sub(ROOT_HALF) as i32) >> 23;
    let power = exponent as f32;
    let rest = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32)) - 1.0;
    // log(1 + rest) = 2 artanh(s) for s = rest / (2 + rest), |s| < 0.172, by its series.
    let s = rest / (2.0 + rest);
    let square = s * s;
    let mut series = 1.0 / 11.0;
    for odd in [9.0, 7.0, 5.0, 3.0] {
        series = series * square + 1.0 / odd;
    }
    // rest - s rest = 2 s: so large a part of the sum as can be is exact.
    let tail = s * (2.0 * square * series - rest) + power * LN_2[1];
    // The bits of what is not finite are as good as any others.
    let zero_if_finite = 0.0 * x;
    tail + rest + power * LN_2[0] + zero_if_finite
}

/// `1 / (1 + exp(-x))` with a relative error below 4e-7; beyond +-87 that of +-87.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exponential(-x))
}

/// The hyperbolic tangent with a relative error below 4e-7.
#[inline(always)]
pub(crate) fn hyperbolic_tangent(x: f32) -> f32 {
    /// Below this the other form would lose digits.
    const SMALL: f32 = 0.625;
    let size = x.abs();
    let square = x * x;
    // The coefficients of tanh(x) / x - 1 by x², fitted up to `SMALL` (Moshier's Cephes, tanhf).
    let mut series = -5.704_988_7e-3;
    for coefficient in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        series = series * square + coefficient;
    }
    let near = x + x * (square * series);
    let far = (1.0 - 2.0 / (exponential(2.0 * size) + 1.0)).copysign(x);
    if size < SMALL { near } else { far }
}

/// `log(1 + exp(x))` with a relative error below 1e-6; below -87 that of -87.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    let small = exponential(-x.abs());
    // log(1 + small) = 2 artanh(s) for s = small / (2 + small) <= 1/3, by its series.
    let s = small / (2.0 + small);
    let square = s * s;
    let mut series = 1.0 / 15.0;
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / odd;
    }
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + 2.0 * s * series
}

/// The slope of [`softplus`] where it has the value `y`: `1 - exp(-y)`, with a relative error below 1e-6.
#[inline(always)]
pub(crate) fn softplus_slope(y: f32) -> f32 {
    let t = hyperbolic_tangent(0.5 * y);
    2.0 * t / (1.0 + t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_that_of_f64() {
        for step in -8700..=8700i16 {
            let x = f32::from(step) * 0.01;
            let exact = f64::from(x).exp();
            let error = (f64::from(exponential(x)) - exact).abs() / exact;
            assert!(error < 2e-7, "exp({x}) is off by {error}");
        }
        assert!(exponential(f32::INFINITY) > 1e37);
        assert!(exponential(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn the_logarithm_is_that_of_f64() {
        let near_one = (-4000..4000).map(|ulps: i32| f32::from_bits((1.0f32.to_bits() as i32 + ulps * 97) as u32));
        let everywhere = (0..20_000u32)
            .map(|step| 1e-7 * 1.001f32.powi(step as i32))
            .take_while(|x| *x < 1e3);
        for x in near_one.chain(everywhere) {
            let exact = f64::from(x).ln();
            let error = (f64::from(logarithm(x)) - exact).abs();
            assert!(
                error <= 2e-7 * exact.abs(),
                "log({x}) = {} is off by {error}",
                logarithm(x)
            );
        }
    }

    /// From -90 to 90, dense around zero and down to the smallest normal numbers.
    fn arguments() -> impl Iterator<Item = f32> {
        let sizes = (0..200_000u32).map(|step| 1e-37 * 1.001f32.powi(step as i32));
        let sizes = sizes.take_while(|size| *size < 90.0);
        sizes.flat_map(|size| [size, -size])
    }

    fn largest_error(function: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let error = |x: f32| {
            let exact = exact(f64::from(x));
            (f64::from(function(x)) - exact).abs() / exact.abs()
        };
        arguments().map(error).fold(0.0, f64::max)
    }

    #[test]
    fn activations_are_those_of_f64() {
        let clamped = |x: f64| x.clamp(-87.0, 87.0);
        let sigmoid_error = largest_error(sigmoid, |x| 1.0 / (1.0 + (-clamped(x)).exp()));
        assert!(sigmoid_error < 4e-7, "{sigmoid_error}");
        let tangent_error = largest_error(hyperbolic_tangent, f64::tanh);
        assert!(tangent_error < 4e-7, "{tangent_error}");
        let softplus_error = largest_error(softplus, |x| x.max(0.0) + (-clamped(x.abs())).exp().ln_1p());
        assert!(softplus_error < 1e-6, "{softplus_error}");
        let slope_error = largest_error(|y| softplus_slope(y.abs()), |y| -(-y.abs()).exp_m1());
        assert!(slope_error < 1e-6, "{slope_error}");
    }

    #[test]
    fn activations_are_what_they_should_be_at_the_ends_and_hide_nothing() {
        let infinity = f32::INFINITY;
        assert_eq!([0.0, infinity, -infinity].map(hyperbolic_tangent), [0.0, 1.0, -1.0]);
        assert_eq!([0.0, infinity].map(sigmoid), [0.5, 1.0]);
        assert!(sigmoid(-infinity) < 1e-37 && softplus(-infinity) < 1e-37);
        assert_eq!(softplus(infinity), infinity);
        assert_eq!([0.0, infinity].map(softplus_slope), [0.0, 1.0]);
        for function in [sigmoid, hyperbolic_tangent, softplus, softplus_slope] {
            assert!([f32::NAN, -f32::NAN].map(function).iter().all(|value| value.is_nan()));
        }
    }
}
