//! Grids over the standard normal prior.

/// The value below which a standard normal number lies with `probability`, found by bisecting its distribution function.
///
/// Within 1e-9 of the truth for probabilities between 1e-6 and 1 - 1e-6; infinite at 0 and 1.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    if probability <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if probability >= 1.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (-10.0_f64, 10.0_f64);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_distribution(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The probability that a standard normal number is below `x`: Marsaglia's series (2004), which converges everywhere.
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

    #[test]
    fn quantiles_are_the_tabulated_ones() {
        for (probability, quantile) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.841_344_746_068_542_9, 1.0),
            (0.001, -3.090_232_306_167_813),
            (1e-6, -4.753_424_308_822_899),
        ] {
            let found = normal_quantile(probability);
            assert!(
                (found - quantile).abs() < 1e-10,
                "{probability}: {found} instead of {quantile}"
            );
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
                assert!((low + high).abs() < 1e-10, "{grid:?}");
            }
        }
    }
}
