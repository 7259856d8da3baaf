//! The bound below the likelihood by the number of samples it is estimated with.

use image::RgbImage;

use super::axis::{Ticks, number};
use super::canvas::{Align, Canvas, Colour, GRID, Place, QUIET, RULE, Stroke, Style, WHITE};
use super::palette::mix;
use super::{Caption, FigureError};
use crate::evaluation::Bound;

const WIDTH: f64 = 1760.0;
/// Left of the panel: numbers and the axis's name.
const LEFT: f64 = 190.0;
/// Right of it: what the last bound is.
const RIGHT: f64 = 380.0;
const MARGIN: f64 = 64.0;
const HEIGHT: f64 = 760.0;
/// Below the panel: numbers and the axis's name.
const BOTTOM: f64 = 150.0;
/// Within the panel, beyond the first and the last bound.
const ROOM: f64 = 46.0;
const BLUE: Colour = [38, 84, 158];
/// How many deviations the band reaches to either side.
const DEVIATIONS: f64 = 2.0;

/// Draws the bounds below `log p(x)`, in nats per image, by the number of samples, on a logarithmic scale: the first is the
/// evidence lower bound of one sample. A band reaches two standard deviations of the draw to either side; `standard_error`
/// is that of the last over the images.
///
/// # Errors
/// [`FigureError`] when there is no bound or one is not finite.
pub fn bound_curve(bounds: &[Bound], standard_error: f64, caption: &Caption) -> Result<RgbImage, FigureError> {
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
        return Err(FigureError::Empty { what: "bounds" });
    };
    let infinite = bounds.iter().filter(|bound| !bound.mean.is_finite()).count();
    if infinite > 0 {
        return Err(FigureError::NotFinite {
            what: "bounds",
            count: infinite,
        });
    }
    let caption_width = WIDTH - LEFT - MARGIN;
    let top = MARGIN + caption.height(caption_width);
    let mut canvas = Canvas::new(WIDTH as usize, (top + HEIGHT + BOTTOM) as usize)?;
    caption.draw(&mut canvas, [LEFT, MARGIN], caption_width);
    let scale = Scale::of(bounds, top);
    scale.draw_axes(&mut canvas, bounds);
    scale.draw_band(&mut canvas, bounds);
    let places: Vec<Place> = bounds
        .iter()
        .map(|bound| scale.place(bound.samples, bound.mean))
        .collect();
    canvas.line(&places, Stroke::solid(BLUE, 3.6));
    for &place in &places {
        canvas.disc(place, 7.0, BLUE, 1.0);
    }
    name_ends(&mut canvas, &scale, [first, last], standard_error);
    canvas.text_upwards("nats per image", [LEFT - 132.0, top + HEIGHT / 2.0], Style::NAME);
    Ok(canvas.into_image())
}

/// Where numbers lie on the page.
struct Scale {
    /// The logarithm, to the base 2, of the most samples.
    doublings: f64,
    upwards: [f64; 2],
    top: f64,
}

impl Scale {
    fn of(bounds: &[Bound], top: f64) -> Self {
        let reach = |bound: &Bound| DEVIATIONS * bound.deviation.unwrap_or(0.0);
        let low = bounds
            .iter()
            .map(|bound| bound.mean - reach(bound))
            .fold(f64::INFINITY, f64::min);
        let high = bounds
            .iter()
            .map(|bound| bound.mean + reach(bound))
            .fold(f64::NEG_INFINITY, f64::max);
        let room = match high > low {
            true => 0.09 * (high - low),
            false => 0.5,
        };
        let most = bounds.iter().map(|bound| bound.samples).max().unwrap_or(1);
        Self {
            doublings: (most as f64).log2().max(1.0),
            upwards: [low - room, high + room],
            top,
        }
    }

    fn place(&self, samples: usize, value: f64) -> Place {
        let [low, high] = self.upwards;
        let across = (samples as f64).log2() / self.doublings;
        [
            LEFT + ROOM + across * (WIDTH - LEFT - RIGHT - 2.0 * ROOM),
            self.top + (high - value) / (high - low) * HEIGHT,
        ]
    }

    fn draw_axes(&self, canvas: &mut Canvas, bounds: &[Bound]) {
        let (right, bottom) = (WIDTH - RIGHT, self.top + HEIGHT);
        let ticks = Ticks::new(self.upwards[0], self.upwards[1], 7);
        for &value in &ticks.values {
            let [_, y] = self.place(1, value);
            canvas.line(&[[LEFT, y], [right, y]], Stroke::solid(GRID, 2.0));
            canvas.text_middle(&ticks.label(value), [LEFT - 18.0, y], Style::TICK.align(Align::Right));
        }
        canvas.line(&[[LEFT, bottom], [right, bottom]], Stroke::solid(RULE, 2.0));
        let mut free = f64::NEG_INFINITY;
        // From the right, since the most samples are those that count.
        for bound in bounds.iter().rev() {
            let [x, _] = self.place(bound.samples, self.upwards[0]);
            let text = bound.samples.to_string();
            let half = Style::TICK.measure(&text) / 2.0;
            if free.is_finite() && x + half > free {
                continue;
            }
            free = x - half - 16.0;
            canvas.text_middle(&text, [x, bottom + 34.0], Style::TICK);
        }
        canvas.text(
            "samples of the posterior an image",
            [LEFT + (WIDTH - LEFT - RIGHT) / 2.0, bottom + 108.0],
            Style::NAME,
        );
    }

    fn draw_band(&self, canvas: &mut Canvas, bounds: &[Bound]) {
        let known = bounds
            .iter()
            .filter_map(|bound| Some((bound, DEVIATIONS * bound.deviation?)));
        let edge = |side: f64| {
            known
                .clone()
                .map(move |(bound, reach)| self.place(bound.samples, bound.mean + side * reach))
        };
        let corners: Vec<Place> = edge(1.0)
            .chain(edge(-1.0).collect::<Vec<_>>().into_iter().rev())
            .collect();
        if corners.len() >= 4 {
            canvas.polygon(&corners, mix(BLUE, WHITE, 0.75));
        }
    }
}

/// What the ends of the line are, beside them.
fn name_ends(canvas: &mut Canvas, scale: &Scale, [first, last]: [&Bound; 2], standard_error: f64) {
    let quiet = Style::NOTE.colour(QUIET).align(Align::Left);
    let beside = WIDTH - RIGHT + 24.0;
    let [_, y] = scale.place(last.samples, last.mean);
    let said = format!("{} ± {}", number(last.mean, 2), number(standard_error, 2));
    canvas.text_middle(&said, [beside, y], Style::NAME.colour(BLUE).align(Align::Left));
    canvas.text_middle("log p(x), ± standard error", [beside, y + 38.0], quiet);
    canvas.text_middle("over the images", [beside, y + 68.0], quiet);
    if last.samples > 1 {
        let [x, y] = scale.place(first.samples, first.mean);
        let said = format!("{}, the ELBO", number(first.mean, 2));
        canvas.text_middle(&said, [x + 76.0, y + 12.0], Style::NAME.colour(BLUE).align(Align::Left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(samples: usize, mean: f64) -> Bound {
        Bound {
            samples,
            mean,
            deviation: Some(0.1),
        }
    }

    #[test]
    fn more_samples_stand_further_right_and_higher_bounds_higher() {
        let bounds = [bound(1, -100.0), bound(2, -97.0), bound(5, -96.0)];
        let scale = Scale::of(&bounds, 0.0);
        let places = bounds.map(|bound| scale.place(bound.samples, bound.mean));
        assert!(
            places
                .windows(2)
                .all(|pair| pair[0][0] < pair[1][0] && pair[0][1] > pair[1][1])
        );
        assert!((places[0][0] - LEFT - ROOM).abs() < 1e-9);
        assert!((places[2][0] - (WIDTH - RIGHT - ROOM)).abs() < 1e-9);
    }

    #[test]
    fn one_bound_is_drawn_and_none_or_an_infinite_one_is_refused() {
        let draw = |bounds: &[Bound]| bound_curve(bounds, 0.3, &Caption::title("Bounds"));
        assert!(draw(&[bound(1, -9.0)]).is_ok());
        assert!(matches!(draw(&[]), Err(FigureError::Empty { .. })));
        assert!(matches!(
            draw(&[bound(1, f64::NAN)]),
            Err(FigureError::NotFinite { .. })
        ));
    }
}
