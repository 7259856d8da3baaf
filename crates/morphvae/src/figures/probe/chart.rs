//! How many images both probes get right, a row for each model.

use super::ProbedModel;
use crate::figures::canvas::{Align, Canvas, Colour, GRID, INK, Place, RULE, Stroke, Style, WHITE};
use crate::figures::text;
use crate::latent::probe::Accuracy;

/// Height of a row, and of what is over and below the rows.
const ROW: f64 = 84.0;
const KEY: f64 = 76.0;
const SCALE: f64 = 56.0;
/// Between the names and the axis.
const GAP: f64 = 32.0;
/// Room for a number at either end of the axis.
const NUMBER: f64 = 116.0;
/// Longest a name may be, in pixels.
const LONGEST: f64 = 460.0;
/// Radius of a mark.
const RADIUS: f64 = 13.0;
/// The mark of straight boundaries, and of neighbours.
const MARKS: [Colour; 2] = [[22, 60, 130], [240, 140, 50]];
/// How a model is named, and what it is.
const NAME: Style = Style::NAME.align(Align::Left).size(26.0);
const KIND: Style = Style::NOTE;

/// The height of a chart of so many models.
pub(super) fn height(models: usize) -> f64 {
    KEY + models as f64 * ROW + SCALE
}

/// Draws it with its corner at `left`, `top`.
pub(super) fn draw(canvas: &mut Canvas, models: &[ProbedModel], [left, top]: Place, width: f64) {
    let name = |model: &ProbedModel| text::shortened(model.name, NAME.weight, NAME.size, LONGEST);
    let names = models
        .iter()
        .map(|model| NAME.measure(&name(model)).max(KIND.measure(&model.what())));
    let start = left + names.fold(0.0, f64::max) + GAP + NUMBER;
    let end = left + width - NUMBER;
    let place = |accuracy: Accuracy| start + accuracy.share() * (end - start);

    let key = Key::new(models);
    key.draw(canvas, [start.min(left + width - key.width()), top + 20.0]);
    let (first, last) = (top + KEY, top + KEY + models.len() as f64 * ROW);
    for percent in (0..=100).step_by(20) {
        let x = start + f64::from(percent) / 100.0 * (end - start);
        canvas.line(&[[x, first], [x, last]], Stroke::solid(GRID, 2.0));
        canvas.text_middle(&format!("{percent} %"), [x, last + 30.0], Style::TICK);
    }
    for (index, model) in models.iter().enumerate() {
        let middle = first + (index as f64 + 0.5) * ROW;
        canvas.text(&name(model), [left, middle - 4.0], NAME);
        canvas.text(&model.what(), [left, middle + 26.0], KIND);
        let findings = model.findings;
        draw_commonest(canvas, [place(findings.commonest), middle]);
        let found = [findings.linear, findings.neighbours];
        let [linear, neighbours] = found.map(place);
        canvas.line(&[[linear, middle], [neighbours, middle]], Stroke::solid(RULE, 4.0));
        for (accuracy, colour) in found.into_iter().zip(MARKS).rev() {
            canvas.disc([place(accuracy), middle], RADIUS + 2.0, WHITE, 1.0);
            canvas.disc([place(accuracy), middle], RADIUS, colour, 1.0);
        }
        let sides = match linear <= neighbours {
            true => [Align::Right, Align::Left],
            false => [Align::Left, Align::Right],
        };
        for (accuracy, side) in found.into_iter().zip(sides) {
            let style = Style::TICK.align(Align::Left).colour(INK);
            let number = accuracy.to_string();
            let width = style.measure(&number);
            let left = place(accuracy) + if side == Align::Right { -24.0 - width } else { 24.0 };
            // No line of the scale goes through a number.
            canvas.rectangle([left - 4.0, middle - 14.0], [width + 8.0, 28.0], WHITE);
            canvas.text_middle(&number, [left, middle], style);
        }
    }
}

/// What the marks stand for: straight boundaries, neighbours, and whoever always names the commonest class.
struct Key([String; 3]);

impl Key {
    const STYLE: Style = Style::TICK.align(Align::Left);
    /// From a mark's middle to its name, and from there to the next mark's.
    const GAPS: [f64; 2] = [26.0, 52.0];

    fn new(models: &[ProbedModel]) -> Self {
        let voters = models.first().map_or(0, |model| model.findings.voters);
        Self([
            "straight boundaries".to_owned(),
            format!("vote of {voters} neighbours"),
            "always the commonest class".to_owned(),
        ])
    }

    fn width(&self) -> f64 {
        let names: f64 = self.0.iter().map(|name| Self::STYLE.measure(name)).sum();
        RADIUS + 3.0 * Self::GAPS[0] + 2.0 * Self::GAPS[1] + names
    }

    fn draw(&self, canvas: &mut Canvas, [left, middle]: Place) {
        let mut x = left + RADIUS;
        for (index, name) in self.0.iter().enumerate() {
            match MARKS.get(index) {
                Some(&colour) => canvas.disc([x, middle], RADIUS, colour, 1.0),
                None => draw_commonest(canvas, [x, middle]),
            }
            x += Self::GAPS[0];
            canvas.text_middle(name, [x, middle], Self::STYLE);
            x += Self::STYLE.measure(name) + Self::GAPS[1];
        }
    }
}

/// Draws what whoever always names the commonest class gets right.
fn draw_commonest(canvas: &mut Canvas, [x, middle]: Place) {
    canvas.line(&[[x, middle - 15.0], [x, middle + 15.0]], Stroke::solid(RULE, 5.0));
}
