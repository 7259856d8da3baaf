//! Images turned, stretched, moved and bent a little: what a class stays the same under.
//!
//! Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis" (2003):
//! an affine map, and after it a displacement of each pixel by smoothed noise.

use rand::RngExt;

use crate::random::{Generator, Purpose, generator};

/// Deviations that the smoothing reaches.
const REACH: f64 = 3.0;

/// How far images are distorted, at most. All is in pixels of the image, or free of units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distortion {
    /// To either side, in degrees.
    pub rotation: f64,
    /// How much larger or smaller, as a share: 0.1 for a tenth.
    pub scaling: f64,
    /// How much upright lines lean, as a share of their height.
    pub shear: f64,
    /// Along either side, in pixels.
    pub shift: f64,
    /// What smoothed noise is multiplied by (the paper's α): the deviation of a pixel's displacement is
    /// `elasticity / (smoothness · √(12 π))` pixels.
    pub elasticity: f64,
    /// The deviation of the Gaussian that smooths the noise, in pixels (the paper's σ).
    pub smoothness: f64,
}

impl Default for Distortion {
    /// For digits of about 28 x 28 pixels: σ and α of the paper, and less of the rest than what would make one digit of
    /// another.
    fn default() -> Self {
        Self {
            rotation: 10.0,
            scaling: 0.1,
            shear: 0.1,
            shift: 2.0,
            elasticity: 34.0,
            smoothness: 4.0,
        }
    }
}

impl Distortion {
    /// One that leaves images as they are.
    pub const NONE: Self = Self {
        rotation: 0.0,
        scaling: 0.0,
        shear: 0.0,
        shift: 0.0,
        elasticity: 0.0,
        smoothness: 0.0,
    };

    /// So many times as far.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            rotation: factor * self.rotation,
            scaling: factor * self.scaling,
            shear: factor * self.shear,
            shift: factor * self.shift,
            elasticity: factor * self.elasticity,
            smoothness: self.smoothness,
        }
    }

    /// Distorts an image in place, `[channels, side, side]`; what comes from beyond its edge is as the edge. `number` says
    /// which of a seed's distortions this is.
    ///
    /// # Panics
    /// When there are no whole channels of `side` x `side` pixels.
    pub fn distort(&self, image: &mut [f32], side: usize, seed: u64, number: u64) {
        assert!(
            side > 0 && image.len().is_multiple_of(side * side),
            "an image has whole channels"
        );
        if *self == Self::NONE {
            return;
        }
        let mut generator = generator(seed, Purpose::Distortion, number);
        let map = self.map(&mut generator);
        let fields = [0, 1].map(|_| self.field(side, &mut generator));
        let middle = (side as f64 - 1.0) / 2.0;
        let sources: Vec<[f64; 2]> = (0..side * side)
            .map(|place| {
                let [x, y] = [place % side, place / side].map(|along| along as f64 - middle);
                let [[a, b, c], [d, e, f]] = map;
                [
                    a * x + b * y + c + middle + fields[0][place],
                    d * x + e * y + f + middle + fields[1][place],
                ]
            })
            .collect();
        for channel in image.chunks_exact_mut(side * side) {
            let before = channel.to_vec();
            for (pixel, &source) in channel.iter_mut().zip(&sources) {
                *pixel = interpolated(&before, side, source);
            }
        }
    }

    /// Where a pixel comes from, around the middle: a linear map and a shift.
    fn map(&self, generator: &mut Generator) -> [[f64; 3]; 2] {
        let mut up_to = |most: f64| most * generator.random_range(-1.0..=1.0);
        let angle = up_to(self.rotation).to_radians();
        let [wide, high] = [1.0 + up_to(self.scaling), 1.0 + up_to(self.scaling)];
        let lean = up_to(self.shear);
        let [right, down] = [up_to(self.shift), up_to(self.shift)];
        let (sine, cosine) = angle.sin_cos();
        [
            [wide * cosine, wide * (lean * cosine - sine), right],
            [high * sine, high * (lean * sine + cosine), down],
        ]
    }

    /// The displacement of each pixel along one side: noise between -1 and 1, smoothed and multiplied.
    fn field(&self, side: usize, generator: &mut Generator) -> Vec<f64> {
        if self.elasticity == 0.0 {
            return vec![0.0; side * side];
        }
        let reach = (REACH * self.smoothness).ceil() as usize;
        let weight = |place: usize| {
            let deviations = (place as f64 - reach as f64) / self.smoothness.max(f64::MIN_POSITIVE);
            (-0.5 * deviations.powi(2)).exp()
        };
        let sum: f64 = (0..=2 * reach).map(weight).sum();
        let kernel: Vec<f64> = (0..=2 * reach).map(|place| weight(place) / sum).collect();
        // Noise beyond the edges, too, so that what is smoothed is as strong there.
        let wide = side + 2 * reach;
        let noise = (0..wide * wide).map(|_| self.elasticity * (2.0 * generator.random::<f64>() - 1.0));
        let noise: Vec<f64> = noise.collect();
        let mut rows = vec![0.0; wide * side];
        for (row, noise) in rows.chunks_exact_mut(side).zip(noise.chunks_exact(wide)) {
            for (offset, &weight) in kernel.iter().enumerate() {
                add(row, weight, &noise[offset..]);
            }
        }
        let mut field = vec![0.0; side * side];
        for (place, row) in field.chunks_exact_mut(side).enumerate() {
            for (offset, &weight) in kernel.iter().enumerate() {
                add(row, weight, &rows[(place + offset) * side..]);
            }
        }
        field
    }
}

/// Adds so many times the first of some values.
fn add(sums: &mut [f64], weight: f64, values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

/// The value between four pixels; beyond the edge that of the edge.
fn interpolated(image: &[f32], side: usize, source: [f64; 2]) -> f32 {
    let last = (side - 1) as f64;
    let [x, y] = source.map(|along| along.clamp(0.0, last));
    let [left, upper] = [x.floor(), y.floor()];
    let [right, lower] = [(left + 1.0).min(last), (upper + 1.0).min(last)];
    let at = |x: f64, y: f64| f64::from(image[y as usize * side + x as usize]);
    let row = |y: f64| at(left, y) + (x - left) * (at(right, y) - at(left, y));
    (row(upper) + (y - upper) * (row(lower) - row(upper))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 28;

    fn image() -> Vec<f32> {
        (0..2 * SIDE * SIDE)
            .map(|place| ((place * place) % 256) as f32 / 255.0)
            .collect()
    }

    #[test]
    fn nothing_changes_nothing_and_a_seed_says_what_changes() {
        let mut same = image();
        Distortion::NONE.distort(&mut same, SIDE, 1, 2);
        assert_eq!(same, image());
        // The way through the map, by nothing.
        let nearly = Distortion {
            smoothness: 4.0,
            ..Distortion::NONE
        };
        nearly.distort(&mut same, SIDE, 1, 2);
        assert!(same.iter().zip(image()).all(|(a, b)| (a - b).abs() < 1e-6));
        let distorted = |seed, number| {
            let mut image = image();
            Distortion::default().distort(&mut image, SIDE, seed, number);
            image
        };
        assert_eq!(distorted(1, 2), distorted(1, 2));
        assert_ne!(distorted(1, 2), distorted(1, 3));
        assert_ne!(distorted(1, 2), distorted(2, 2));
    }

    #[test]
    fn a_line_is_turned_by_no_more_than_asked() {
        // A bright line through the middle; the angle of its principal axis.
        let mut largest = 0.0_f64;
        for number in 0..60 {
            let mut image = vec![0.0; SIDE * SIDE];
            for x in 4..SIDE - 4 {
                image[(SIDE / 2) * SIDE + x] = 1.0;
            }
            let turned = Distortion {
                rotation: 10.0,
                ..Distortion::NONE
            };
            turned.distort(&mut image, SIDE, 5, number);
            let weigh = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
                let weighted = image
                    .iter()
                    .enumerate()
                    .map(|(place, &weight)| f64::from(weight) * value((place % SIDE) as f64, (place / SIDE) as f64));
                weighted.sum()
            };
            let mass = weigh(&|_, _| 1.0);
            let (x, y) = (weigh(&|x, _| x) / mass, weigh(&|_, y| y) / mass);
            let [xx, xy, yy] = [
                weigh(&|a, _| (a - x).powi(2)),
                weigh(&|a, b| (a - x) * (b - y)),
                weigh(&|_, b| (b - y).powi(2)),
            ];
            let angle = (0.5 * (2.0 * xy).atan2(xx - yy)).to_degrees();
            assert!(angle.abs() < 10.5, "{angle}");
            largest = largest.max(angle.abs());
        }
        assert!(largest > 8.0, "{largest}");
    }

    #[test]
    fn displacements_are_as_wide_and_as_smooth_as_the_paper_has_them() {
        let distortion = Distortion::default();
        let mut generator = generator(3, Purpose::Distortion, 0);
        let (mut squares, mut products, mut count) = (0.0, 0.0, 0.0);
        for _ in 0..40 {
            let field = distortion.field(SIDE, &mut generator);
            for row in field.chunks(SIDE) {
                squares += row[..SIDE - 4].iter().map(|value| value * value).sum::<f64>();
                products += row.iter().zip(&row[4..]).map(|(a, b)| a * b).sum::<f64>();
                count += (SIDE - 4) as f64;
            }
        }
        // Uniform noise has a variance of 1/3, of which a Gaussian of deviation σ leaves 1 / (4 π σ²).
        let truth = 34.0 / (4.0 * (12.0 * std::f64::consts::PI).sqrt());
        let found = f64::sqrt(squares / count);
        assert!((found - truth).abs() < 0.1 * truth, "{found} {truth}");
        // The correlation of pixels at a distance of σ: exp(-1/4).
        let correlation = products / squares;
        assert!((correlation - (-0.25_f64).exp()).abs() < 0.06, "{correlation}");
    }

    #[test]
    fn a_pixel_between_others_is_between_them() {
        let image = [0.0, 1.0, 0.5, 0.0];
        assert!((interpolated(&image, 2, [0.25, 0.0]) - 0.25).abs() < 1e-6);
        assert!((interpolated(&image, 2, [0.0, 0.5]) - 0.25).abs() < 1e-6);
        assert_eq!(interpolated(&image, 2, [-3.0, 9.0]), 0.5);
    }
}
