//! The exponential function in arithmetic that the compiler can turn into vectors, with the same bits everywhere.

/// `exp(x)` with a relative error below 2e-7; beyond +-87, where it would leave the normal numbers, that of +-87.
#[inline(always)]
pub(super) fn exponential(x: f32) -> f32 {
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

#[cfg(test)]
mod tests {
    use super::exponential;

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
}
