//! Latent maps: encoded images as points, coloured by their classes.

mod area;
mod density;
mod legend;
mod names;
mod plane;
mod range;
mod regions;
mod route;
mod space;
mod view;

pub use plane::{Plane, plane};
pub(super) use range::note;
pub(super) use regions::Panel;
pub use route::{Relief, Route, route};
pub use space::{AZIMUTHS, ELEVATION, Space, space, turning};

use super::{FigureError, Labels};

/// Encoded images as points of a `D`-dimensional space.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a, const D: usize> {
    /// One point an image.
    pub positions: &'a [[f64; D]],
    /// The images' classes, where they are known: images without one are grey, and lie under the others in a plane.
    /// Without them a map shows how dense the points lie.
    pub labels: Option<Labels<'a>>,
}

impl<const D: usize> Points<'_, D> {
    fn check(&self) -> Result<(), FigureError> {
        if self.positions.is_empty() {
            return Err(FigureError::Empty { what: "points" });
        }
        self.labels.map_or(Ok(()), |labels| labels.check(self.positions.len()))
    }
}

/// A number between those for few and for many points: they shrink and thin out as they become more.
///
/// `at_thousand` and `at_ten_thousand` fix a power law, kept between `least` and `most`.
fn by_count(count: usize, at_thousand: f64, at_ten_thousand: f64, [least, most]: [f64; 2]) -> f64 {
    let exponent = (count as f64 / 1000.0).log10();
    (at_thousand * (at_ten_thousand / at_thousand).powf(exponent)).clamp(least, most)
}

/// The indices below `count` in an order that is the same every time and hides no class behind another, even where the
/// points come sorted by class: steps of about the golden section visit every stretch of the list evenly.
fn interleaved(count: usize) -> impl Iterator<Item = usize> {
    let golden = (count as f64 * 0.618_033_988_749_895) as usize;
    let step = (golden.max(1)..count.max(2))
        .find(|&step| greatest_common_divisor(step, count) == 1)
        .unwrap_or(1);
    (0..count).map(move |index| index * step % count)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interleaved_order_visits_every_point_once() {
        for count in [1, 2, 3, 20, 997, 10_000] {
            let mut order: Vec<usize> = interleaved(count).collect();
            order.sort_unstable();
            assert!(order.into_iter().eq(0..count));
        }
    }

    #[test]
    fn the_interleaved_order_mixes_sorted_classes() {
        let early = interleaved(10_000).take(1000);
        let first_half = early.filter(|&index| index < 5000).count();
        assert!((450..550).contains(&first_half));
    }
}
