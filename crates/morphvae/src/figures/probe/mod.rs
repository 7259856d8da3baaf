//! How far straight boundaries tell classes apart in the latent spaces of some models.

mod chart;
#[cfg(test)]
mod tests;

use super::canvas::{Align, Canvas, INK, Place, QUIET, Style};
use super::latent_map::{Panel, note};
use super::text::{self, Weight};
use super::{Caption, FigureError};
use crate::latent::probe::{Findings, LabelledPoints, SoftmaxRegression};
use image::RgbImage;

/// Around everything, in pixels.
const MARGIN: f64 = 64.0;
/// The least width of what is between the margins.
const WIDTH: f64 = 1200.0;
/// Maps in a row, at most.
const COLUMNS: usize = 2;
/// The side of a map that is alone, and of others.
const SIDES: [f64; 2] = [1080.0, 860.0];
/// Left of a map and below it: tick labels and the axis's name.
const LEFT: f64 = 92.0;
const BOTTOM: f64 = 150.0;
/// Over a map: the model's name, and what the probes found.
const HEADING: f64 = 104.0;
/// Between a map and what is right of it.
const GUTTER: f64 = 36.0;
/// How a map's heading is set.
const NAME: Style = Style {
    weight: Weight::SemiBold,
    ..Style::NAME.align(Align::Left)
};
const FOUND: Style = Style::NOTE.size(24.0);

/// A model that was probed, as it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct ProbedModel<'a> {
    /// What it is called.
    pub name: &'a str,
    /// What kind of network it is: `VAE`.
    pub kind: &'a str,
    /// Where the test images lie.
    pub test: &'a LabelledPoints,
    /// The names of their classes, in the order of the labels.
    pub classes: &'a [String],
    /// The boundaries.
    pub regression: &'a SoftmaxRegression,
    /// What was found.
    pub findings: &'a Findings,
}

/// Draws each model of two dimensions as a map of its test images on the regions that softmax regression gives to their
/// classes, side by side, and below them, unless there is one model and its map, how many images both probes get right.
///
/// # Errors
/// [`FigureError`] when there is no model, a map has no points, labels have no names, or the page would be too large.
pub fn probe(models: &[ProbedModel], caption: &Caption) -> Result<RgbImage, FigureError> {
    if models.is_empty() {
        return Err(FigureError::Empty { what: "models" });
    }
    let plane = |model: &&ProbedModel| model.test.dimensions() == 2;
    let maps: Vec<Map> = models.iter().filter(plane).map(Map::new).collect::<Result<_, _>>()?;
    let has_chart = models.len() > 1 || maps.is_empty();
    let side = SIDES[usize::from(maps.len() > 1)];
    let rows: Vec<Row> = maps.chunks(COLUMNS).map(|maps| Row { maps, side }).collect();

    // What stands left of a map stands left of all else.
    let left = MARGIN + if rows.is_empty() { 0.0 } else { LEFT };
    let right = MARGIN + rows.iter().map(Row::width).fold(WIDTH, f64::max);
    let top = MARGIN + caption.height(right - left);
    let chart_top = top + rows.iter().map(Row::height).sum::<f64>();
    let bottom = match has_chart {
        true => chart_top + chart::height(models.len()) + MARGIN,
        false => chart_top,
    };
    let mut canvas = Canvas::new((right + MARGIN) as usize, bottom as usize)?;
    caption.draw(&mut canvas, [left, MARGIN], right - left);
    for (index, row) in rows.iter().enumerate() {
        row.draw(&mut canvas, [MARGIN, top + index as f64 * row.height()])?;
    }
    if has_chart {
        chart::draw(&mut canvas, models, [left, chart_top], right - left);
    }
    Ok(canvas.into_image())
}

impl ProbedModel<'_> {
    /// What it is: `VAE, 2 dimensions`.
    fn what(&self) -> String {
        format!("{}, {}", self.kind, self.findings.space())
    }
}

/// A model of two dimensions.
struct Map<'a> {
    model: &'a ProbedModel<'a>,
    panel: Panel<'a>,
}

impl<'a> Map<'a> {
    fn new(model: &'a ProbedModel<'a>) -> Result<Self, FigureError> {
        let panel = Panel::new(model.test, model.classes, model.regression)?;
        Ok(Self { model, panel })
    }
}

/// Maps side by side.
struct Row<'a> {
    maps: &'a [Map<'a>],
    side: f64,
}

impl Row<'_> {
    /// Whether a map's legend stands beside it: unless the next map's serves both.
    fn has_legend(&self, index: usize) -> bool {
        let next = self.maps.get(index + 1);
        next.is_none_or(|next| !next.panel.has_the_classes_of(&self.maps[index].panel))
    }

    /// The width of a map with all that belongs to it.
    fn width_of(&self, index: usize) -> f64 {
        let legend = match self.has_legend(index) {
            true => GUTTER + self.maps[index].panel.legend_width(self.side),
            false => 0.0,
        };
        LEFT + self.side + legend
    }

    fn width(&self) -> f64 {
        let count = self.maps.len();
        (0..count).map(|index| self.width_of(index)).sum::<f64>() + GUTTER * (count - 1) as f64
    }

    fn height(&self) -> f64 {
        HEADING + self.side + BOTTOM
    }

    fn draw(&self, canvas: &mut Canvas, [mut left, top]: Place) -> Result<(), FigureError> {
        for (index, Map { model, panel }) in self.maps.iter().enumerate() {
            let corner = [left + LEFT, top + HEADING];
            let outside = panel.draw_map(canvas, corner, self.side)?;
            draw_heading(canvas, model, [corner[0], top], self.side);
            if let Some(note) = note(outside) {
                let place = [corner[0] + self.side, corner[1] + self.side + 98.0];
                canvas.text(&note, place, Style::NOTE.align(Align::Right));
            }
            if self.has_legend(index) {
                panel.draw_legend(canvas, [corner[0] + self.side + GUTTER, corner[1]], self.side);
            }
            left += self.width_of(index) + GUTTER;
        }
        Ok(())
    }
}

/// Writes over a map which model it is of, and what the probes found.
fn draw_heading(canvas: &mut Canvas, model: &ProbedModel, [left, top]: Place, width: f64) {
    let kind = format!("  {}", model.what());
    let room = width - FOUND.measure(&kind);
    let name = text::shortened(model.name, NAME.weight, NAME.size, room);
    canvas.text(&name, [left, top + 28.0], NAME.colour(INK));
    canvas.text(&kind, [left + NAME.measure(&name), top + 28.0], FOUND.colour(QUIET));
    let Findings {
        linear,
        neighbours,
        voters,
        ..
    } = model.findings;
    let found = format!("straight boundaries get {linear} right, {voters} neighbours {neighbours}");
    canvas.text(&found, [left, top + 68.0], FOUND.colour(INK));
}
