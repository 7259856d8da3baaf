//! The standard normal prior: points drawn from it, and grids over it.

#![expect(clippy::excessive_precision, reason = "coefficients stand as they were published")]

use crate::random::{Purpose, noise};

/// The `index`-th point, `[latent]`, that a seed draws from the prior.
#[must_use]
pub fn prior_sample(seed: u64, index: u64, latent: usize) -> Vec<f32> {
    noise(seed, Purpose::Prior, index, latent)
}

/// The value below which a standard normal number lies with `probability`; infinite at 0 and 1, NaN outside of them.
///
/// Three rational approximations, for the middle and for near and far tails, with a relative error of about 1e-16.
///
/// Source: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
/// (1988), routine PPND16.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    let offset = probability - 0.5;
    if offset.abs() <= 0.425 {
        let r = 0.180_625 - offset * offset;
        return offset * ratio(&MIDDLE, r);
    }
    let tail = probability.min(1.0 - probability);
    if tail <= 0.0 {
        return if tail == 0.0 {
            offset.signum() * f64::INFINITY
        } else {
            f64::NAN
        };
    }
    let r = (-tail.ln()).sqrt();
    let size = if r <= 5.0 {
        ratio(&NEAR_TAIL, r - 1.6)
    } else {
        ratio(&FAR_TAIL, r - 5.0)
    };
    offset.signum() * size
}

/// Coefficients of numerator and denominator, from the constant upwards.
type Rational = [[f64; 8]; 2];

fn ratio([numerator, denominator]: &Rational, x: f64) -> f64 {
    let polynomial = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, term| sum * x + term);
    polynomial(numerator) / polynomial(denominator)
}

/// For probabilities from 0.075 to 0.925.
const MIDDLE: Rational = [
    [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ],
];

/// For tails down to about 1.4e-11.
const NEAR_TAIL: Rational = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];

/// For tails beyond that.
const FAR_TAIL: Rational = [
    [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

/// `count` ascending values that cut the standard normal into pieces of equal probability, each in its piece's middle:
/// the quantiles of `(i + 1/2) / count`.
#[must_use]
pub fn quantile_grid(count: usize) -> Vec<f64> {
    (0..count)
        .map(|index| normal_quantile((index as f64 + 0.5) / count as f64))
        .collect()
}

/// `count` evenly spaced values from `-range` to `range`; zero alone for one.
#[must_use]
pub fn linear_grid(count: usize, range: f64) -> Vec<f64> {
    match count {
        1 => vec![0.0],
        _ => (0..count)
            .map(|index| range * (2.0 * index as f64 / (count - 1) as f64 - 1.0))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability that a standard normal number is below `x`: Marsaglia's series (2004), which converges
    /// everywhere and is good to about 1e-16 near the middle.
    fn normal_distribution(x: f64) -> f64 {
        let (mut term, mut sum, mut order) = (x, x, 1.0);
        loop {
            order += 2.0;
            term *= x * x / order;
            let next = sum + term;
            if next == sum {
                let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
                return 0.5 + sum * density;
            }
            sum = next;
        }
    }

    #[test]
    fn quantiles_are_the_tabulated_ones() {
        // The roots of erfc(-x / √2) / 2 = probability, found with mpmath in 50 digits; the probabilities are taken for
        // the 64-bit numbers nearest to them. All three approximations and the seams between them are met.
        for (probability, quantile) in [
            (1e-300, -37.047_096_299_361_199_24),
            (1e-100, -21.273_453_560_965_324_29),
            (1e-20, -9.262_340_089_798_407_58),
            (1e-11, -6.706_023_155_495_136_296),
            (2e-11, -6.604_077_590_405_634_278),
            (1e-6, -4.753_424_308_822_898_957),
            (0.001, -3.090_232_306_167_813_535),
            (0.074_9, -1.440_238_267_527_963_663),
            (0.075_1, -1.438_825_392_752_539_982),
            (0.25, -0.674_489_750_196_081_743_2),
            (0.4, -0.253_347_103_135_799_741_3),
            (0.924_9, 1.438_825_392_752_540_374),
            (0.925_1, 1.440_238_267_527_963_859),
            (0.975, 1.959_963_984_540_053_856),
            (0.999, 3.090_232_306_167_813_278),
            (0.999_999_999_9, 6.361_340_889_697_421_864),
        ] {
            let found = normal_quantile(probability);
            assert!(
                (found - quantile).abs() <= 1e-15 * quantile.abs(),
                "{probability}: {found} instead of {quantile}"
            );
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn the_ends_are_infinite_and_there_is_nothing_beyond_them() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        for outside in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(normal_quantile(outside).is_nan(), "{outside}");
        }
    }

    #[test]
    fn the_distribution_function_leads_back() {
        for step in 1..1000 {
            let probability = f64::from(step) / 1000.0;
            let back = normal_distribution(normal_quantile(probability));
            assert!((back - probability).abs() < 4e-16, "{probability}: {back}");
        }
    }

    #[test]
    fn grids_are_symmetric_and_ascend() {
        for grid in [
            quantile_grid(7),
            linear_grid(8, 2.0),
            quantile_grid(1),
            linear_grid(1, 3.0),
        ] {
            assert!(grid.windows(2).all(|pair| pair[0] < pair[1]), "{grid:?}");
            for (low, high) in grid.iter().zip(grid.iter().rev()) {
                assert!((low + high).abs() < 1e-14, "{grid:?}");
            }
        }
    }
}
