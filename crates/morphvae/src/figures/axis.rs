//! Round numbers along an axis, and how numbers are written.

/// Where the grid lines of an axis lie, and how many decimals tell them apart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    pub values: Vec<f64>,
    decimals: usize,
}

impl Ticks {
    /// Multiples of 1, 2 or 5 times a power of ten between `low` and `high`, about `count` of them and two at least:
    /// one alone gives no scale.
    pub fn new(low: f64, high: f64, count: usize) -> Self {
        let rough = (high - low).max(f64::MIN_POSITIVE) / count.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let steps = [10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1].map(|round| round * power);
        let wide_enough = steps.iter().rposition(|&step| step >= 0.999 * rough).unwrap_or(0);
        let slack = 1e-9 * (high - low);
        let ends = |step: f64| {
            [
                ((low - slack) / step).ceil() as i64,
                ((high + slack) / step).floor() as i64,
            ]
        };
        let has_two = |&step: &f64| {
            let [first, last] = ends(step);
            first < last
        };
        let step = steps[wide_enough..].iter().copied().find(has_two);
        let step = step.unwrap_or(steps[wide_enough]);
        let [first, last] = ends(step);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        Self {
            values: (first..=last).map(|index| index as f64 * step).collect(),
            decimals,
        }
    }

    /// The same for counted things: whole numbers only.
    pub fn whole(low: f64, high: f64, count: usize) -> Self {
        let mut ticks = Self::new(low, high, count);
        if ticks.decimals > 0 {
            let (first, last) = (low.ceil() as i64, high.floor() as i64);
            ticks = Self {
                values: (first..=last).map(|value| value as f64).collect(),
                decimals: 0,
            };
        }
        ticks
    }

    /// A tick's value as it is written beside the axis.
    pub fn label(&self, value: f64) -> String {
        number(value, self.decimals)
    }
}

/// A number with a true minus sign and no negative zero.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let written = format!("{value:.decimals$}");
    match written.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = Ticks::new(-3.7, 4.2, 8);
        assert_eq!(ticks.values, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ticks.label(-3.0), "−3");
        let fine = Ticks::new(0.0, 0.5, 5);
        assert_eq!(fine.values.len(), 6);
        assert_eq!(fine.label(fine.values[3]), "0.3");
    }

    #[test]
    fn there_are_two_ticks_or_more() {
        // By halves there would be 1 alone.
        let fine = Ticks::new(0.55, 1.41, 4);
        let labels: Vec<String> = fine.values.iter().map(|&value| fine.label(value)).collect();
        assert_eq!(labels, ["0.6", "0.8", "1.0", "1.2", "1.4"]);
        for low in 0..200 {
            for count in 1..10 {
                let low = f64::from(low) / 37.0;
                let ticks = Ticks::new(low, low + 0.77, count).values;
                assert!((2..=2 * count + 3).contains(&ticks.len()), "{low}, {count}: {ticks:?}");
            }
        }
    }

    #[test]
    fn whole_ticks_never_have_decimals() {
        assert_eq!(Ticks::whole(0.5, 1.5, 8).values, [1.0]);
        assert_eq!(Ticks::whole(1.0, 5.0, 8).values, [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(Ticks::whole(1.0, 500.0, 6).values, [100.0, 200.0, 300.0, 400.0, 500.0]);
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(number(-0.001, 1), "0.0");
        assert_eq!(number(-1.26, 1), "−1.3");
    }
}
