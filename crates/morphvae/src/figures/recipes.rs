//! How well classifiers do by what they learned from.

use image::RgbImage;

use super::axis::{Ticks, number};
use super::canvas::{Align, Canvas, Colour, GRID, INK, Place, QUIET, RULE, Stroke, Style, WHITE};
use super::palette::mix;
use super::text::Weight;
use super::{Caption, FigureError, enlarged};
use crate::data::Images;

/// Around everything, in pixels.
const MARGIN: f64 = 64.0;
/// Height of a row, and of what is below the rows.
const ROW: f64 = 128.0;
const SCALE: f64 = 112.0;
/// From a name to the images, and from these to the scale.
const GAP: f64 = 40.0;
/// How large an image is drawn, about, and how far it is from the next.
const IMAGE: usize = 60;
const IMAGE_GAP: f64 = 6.0;
/// The scale, and the numbers right of it.
const WIDTH: f64 = 620.0;
const NUMBERS: f64 = 250.0;
/// Within the scale, beyond the first and the last accuracy.
const ROOM: f64 = 34.0;
/// Radius of a mean, and of the accuracy of one seed.
const RADIUS: f64 = 13.0;
const SEED: f64 = 6.0;
const BLUE: Colour = [22, 60, 130];
/// What did best on the validation images.
const ORANGE: Colour = [222, 104, 20];

/// A recipe, as it is drawn.
#[derive(Clone, Debug)]
pub struct RecipeRow<'a> {
    /// What was learned from.
    pub name: &'a str,
    /// Some of it.
    pub images: Images,
    /// The accuracy of each seed, as a share.
    pub accuracies: &'a [f64],
    /// Their mean.
    pub mean: f64,
    /// Their deviation, where there is one.
    pub deviation: Option<f64>,
    /// Whether it is the one that was chosen.
    pub is_best: bool,
}

/// Draws a row for each recipe: some of the images, and how well the classifiers of all seeds did that learned from them,
/// with their mean and a bar that reaches a deviation to either side. A line goes down from the mean of the first.
///
/// # Errors
/// [`FigureError`] when there is no recipe, a mean is no number, or images are neither grey nor colour.
pub fn recipes(rows: &[RecipeRow], caption: &Caption) -> Result<RgbImage, FigureError> {
    let Some(first) = rows.first() else {
        return Err(FigureError::Empty { what: "recipes" });
    };
    let infinite = rows.iter().filter(|row| !row.mean.is_finite()).count();
    if infinite > 0 {
        return Err(FigureError::NotFinite {
            what: "accuracies",
            count: infinite,
        });
    }
    for row in rows {
        super::sheet::check(&row.images)?;
    }
    let name = Style::NAME.align(Align::Left);
    let bold = Style {
        weight: Weight::SemiBold,
        ..name
    };
    let names = rows.iter().map(|row| bold.measure(row.name)).fold(0.0, f64::max);
    let strips = rows
        .iter()
        .map(|row| Strip::of(&row.images).width())
        .fold(0.0, f64::max);
    let strip = MARGIN + names + GAP;
    let axis = Axis::of(rows, strip + strips + GAP);
    let right = axis.left + WIDTH + NUMBERS + MARGIN;
    let caption_width = right - 2.0 * MARGIN;
    let top = MARGIN + caption.height(caption_width);
    let bottom = top + rows.len() as f64 * ROW;
    let mut canvas = Canvas::new(right as usize, (bottom + SCALE + MARGIN) as usize)?;
    caption.draw(&mut canvas, [MARGIN; 2], caption_width);

    axis.draw(&mut canvas, [top, bottom]);
    let x = axis.place(first.mean);
    let dashed = Stroke {
        dash: Some([8.0, 8.0]),
        ..Stroke::solid(RULE, 3.0)
    };
    canvas.line(&[[x, top + 0.5 * ROW], [x, bottom]], dashed);
    for (index, row) in rows.iter().enumerate() {
        let middle = top + (index as f64 + 0.5) * ROW;
        let (style, colour) = match row.is_best {
            true => (bold, ORANGE),
            false => (name, BLUE),
        };
        canvas.text_middle(row.name, [MARGIN, middle], style.colour(INK));
        Strip::of(&row.images).draw(&mut canvas, &row.images, [strip, middle]);
        axis.draw_row(&mut canvas, row, middle, colour);
        canvas.text_middle(&said(row), [axis.left + WIDTH + GAP, middle], style.colour(colour));
    }
    Ok(canvas.into_image())
}

/// `93.11 ± 0.42 %`
fn said(row: &RecipeRow) -> String {
    let mean = number(100.0 * row.mean, 2);
    match row.deviation {
        Some(deviation) => format!("{mean} ± {} %", number(100.0 * deviation, 2)),
        None => format!("{mean} %"),
    }
}

/// Images in a row.
struct Strip {
    scale: usize,
    side: [usize; 2],
    count: usize,
}

impl Strip {
    fn of(images: &Images) -> Self {
        let scale = ((IMAGE + images.width() / 2) / images.width()).max(1);
        Self {
            scale,
            side: [images.width(), images.height()].map(|side| side * scale),
            count: images.count(),
        }
    }

    fn pitch(&self) -> f64 {
        self.side[0] as f64 + IMAGE_GAP
    }

    fn width(&self) -> f64 {
        self.count as f64 * self.pitch() - IMAGE_GAP
    }

    fn draw(&self, canvas: &mut Canvas, images: &Images, [left, middle]: Place) {
        let top = middle - self.side[1] as f64 / 2.0;
        for index in 0..self.count {
            let left = left + index as f64 * self.pitch();
            canvas.picture(
                &enlarged::picture(images, index, self.scale),
                left as usize,
                top as usize,
            );
        }
    }
}

/// The scale of the accuracies.
struct Axis {
    left: f64,
    low: f64,
    high: f64,
}

impl Axis {
    fn of(rows: &[RecipeRow], left: f64) -> Self {
        let reach = |row: &RecipeRow| row.deviation.unwrap_or(0.0);
        let ends = rows
            .iter()
            .flat_map(|row| [row.mean - reach(row), row.mean + reach(row)]);
        let all: Vec<f64> = rows
            .iter()
            .flat_map(|row| row.accuracies)
            .copied()
            .chain(ends)
            .collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Where all are alike there is a scale still.
        let room = (0.01 - (high - low)).max(0.0) / 2.0;
        Self {
            left,
            low: low - room,
            high: high + room,
        }
    }

    fn place(&self, accuracy: f64) -> f64 {
        let across = (accuracy - self.low) / (self.high - self.low);
        self.left + ROOM + across * (WIDTH - 2.0 * ROOM)
    }

    fn draw(&self, canvas: &mut Canvas, [top, bottom]: [f64; 2]) {
        let ticks = Ticks::new(100.0 * self.low, 100.0 * self.high, 5);
        for &value in &ticks.values {
            let x = self.place(value / 100.0);
            canvas.line(&[[x, top], [x, bottom]], Stroke::solid(GRID, 2.0));
            canvas.text_middle(&format!("{} %", ticks.label(value)), [x, bottom + 30.0], Style::TICK);
        }
        canvas.text(
            "test accuracy",
            [self.left + WIDTH / 2.0, bottom + 92.0],
            Style::NAME.colour(QUIET),
        );
    }

    fn draw_row(&self, canvas: &mut Canvas, row: &RecipeRow, middle: f64, colour: Colour) {
        if let Some(deviation) = row.deviation {
            let ends = [row.mean - deviation, row.mean + deviation].map(|end| [self.place(end), middle]);
            canvas.line(&ends, Stroke::solid(mix(colour, WHITE, 0.55), 7.0));
        }
        let mean = [self.place(row.mean), middle];
        canvas.disc(mean, RADIUS + 2.0, WHITE, 1.0);
        canvas.disc(mean, RADIUS, colour, 1.0);
        // Below the mean, so that none hides it.
        for &accuracy in row.accuracies {
            canvas.disc(
                [self.place(accuracy), middle + 30.0],
                SEED,
                mix(colour, WHITE, 0.3),
                0.8,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(name: &'a str, accuracies: &'a [f64], is_best: bool) -> RecipeRow<'a> {
        RecipeRow {
            name,
            images: Images::new(1, 28, 28, vec![40; 5 * 784]).unwrap(),
            accuracies,
            mean: accuracies.iter().sum::<f64>() / accuracies.len() as f64,
            deviation: (accuracies.len() > 1).then_some(0.01),
            is_best,
        }
    }

    #[test]
    fn better_recipes_stand_further_right_and_nothing_leaves_the_page() {
        let rows = [row("real", &[0.8, 0.82], false), row("distorted", &[0.9, 0.94], true)];
        let axis = Axis::of(&rows, 100.0);
        assert!(axis.place(0.81) < axis.place(0.92));
        assert!(axis.place(0.8) >= 100.0 + ROOM - 11.0 && axis.place(0.94) <= 100.0 + WIDTH);
        let page = recipes(&rows, &Caption::new("Title", "and more")).unwrap();
        let (right, bottom) = (page.width() - 1, page.height() - 1);
        let mut edge = page
            .enumerate_pixels()
            .filter(|&(x, y, pixel)| ([0, right].contains(&x) || [0, bottom].contains(&y)) && pixel.0 != WHITE);
        assert_eq!(edge.next(), None);
        assert_eq!(said(&rows[1]), "92.00 ± 1.00 %");
        assert_eq!(said(&row("one", &[0.5], false)), "50.00 %");
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_and_equal_accuracies_are_drawn() {
        let draw = |rows: &[RecipeRow]| recipes(rows, &Caption::default());
        assert!(matches!(draw(&[]), Err(FigureError::Empty { .. })));
        assert!(matches!(
            draw(&[row("none", &[f64::NAN], false)]),
            Err(FigureError::NotFinite { .. })
        ));
        assert!(draw(&[row("a", &[0.5], true), row("b", &[0.5], false)]).is_ok());
    }
}
