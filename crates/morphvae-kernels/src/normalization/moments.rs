//! Mean and variance of channels, without the loss of `E[x²] - E[x]²`.

use crate::isa::simd;

/// Rows summed in `f32` before the sum goes on in `f64`.
const ROWS: usize = 64;

/// Mean and sum of squared deviations of each channel over some rows.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    count: f64,
    mean: Vec<f64>,
    deviations: Vec<f64>,
}

impl Moments {
    /// Joins the moments of two sets of rows (Chan, Golub and LeVeque, 1979).
    pub fn join(mut self, other: &Self) -> Self {
        let count = self.count + other.count;
        for c in 0..self.mean.len() {
            let difference = other.mean[c] - self.mean[c];
            self.mean[c] += difference * other.count / count;
            self.deviations[c] += other.deviations[c] + difference * difference * self.count * other.count / count;
        }
        self.count = count;
        self
    }

    /// Joins `repeats` neighbouring channels' moments into each: the inverse of reading several rows as one.
    fn fold(self, repeats: usize) -> Self {
        let channels = self.mean.len() / repeats;
        let part = |index: usize| Self {
            count: self.count,
            mean: self.mean[index * channels..][..channels].to_vec(),
            deviations: self.deviations[index * channels..][..channels].to_vec(),
        };
        (1..repeats).fold(part(0), |moments, index| moments.join(&part(index)))
    }

    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The biased variance.
    pub fn variance(&self) -> Vec<f64> {
        self.deviations.iter().map(|sum| sum / self.count).collect()
    }
}

/// The moments of `[rows, channels]`.
#[allow(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
pub(crate) fn moments(isa: crate::isa::Isa, map: &[f32], channels: usize) -> Moments {
    let rows = map.len() / channels;
    // Few channels would leave most lanes empty: several rows are read as one row of several times the channels.
    let repeats = if channels < 16 && rows.is_multiple_of(16) {
        16
    } else {
        1
    };
    let mut mean = vec![0.0; channels * repeats];
    let mut deviations = vec![0.0; channels * repeats];
    accumulate(isa, map, channels * repeats, &mut mean, &mut deviations);
    Moments {
        count: (rows / repeats) as f64,
        mean,
        deviations,
    }
    .fold(repeats)
}

simd! {
    /// Sums of the differences from the first row and of their squares, turned into mean and squared deviations.
    ///
    /// The first row lies near the mean as a rule, compared with a map that is far from zero, so that little cancels.
    fn accumulate<V>(map: &[f32], channels: usize, mean: &mut [f64], deviations: &mut [f64]) {
        let pivot = &map[..channels];
        for block in map.chunks(channels.saturating_mul(ROWS)) {
            for c in (0..channels).step_by(V::LANES) {
                let shift = V::load(&pivot[c..]);
                let (mut sum, mut squares) = (V::splat(0.0), V::splat(0.0));
                for row in block.chunks_exact(channels) {
                    let difference = V::load(&row[c..]) - shift;
                    sum = sum + difference;
                    squares = difference.multiply_add(difference, squares);
                }
                let (mut sums, mut square_sums) = ([0.0f32; 16], [0.0f32; 16]);
                sum.store(&mut sums);
                squares.store(&mut square_sums);
                for (lane, (mean, deviation)) in
                    mean[c..].iter_mut().zip(&mut deviations[c..]).take(V::LANES).enumerate()
                {
                    *mean += f64::from(sums[lane]);
                    *deviation += f64::from(square_sums[lane]);
                }
            }
        }
        let count = (map.len() / channels) as f64;
        for ((mean, deviation), pivot) in mean.iter_mut().zip(deviations).zip(pivot) {
            *deviation = (*deviation - *mean * *mean / count).max(0.0);
            *mean = f64::from(*pivot) + *mean / count;
        }
    }
}
