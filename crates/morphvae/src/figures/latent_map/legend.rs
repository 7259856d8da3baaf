//! Which colour stands for which class.

use super::super::canvas::{Align, Canvas, Colour, INK, Style};
use super::super::text;

/// Up to this many classes have a swatch each; more share a bar of colours.
const SWATCHES: usize = 20;
/// Longest a class's name may be, in pixels.
const LONGEST_NAME: f64 = 300.0;
/// Radius of a swatch.
const RADIUS: f64 = 11.0;
/// Width of the bar.
const BAR: f64 = 34.0;
/// From a swatch or the bar to the names.
const GAP: f64 = 16.0;

pub(super) struct Legend<'a> {
    classes: &'a [String],
    colours: &'a [Colour],
}

impl<'a> Legend<'a> {
    pub fn new(classes: &'a [String], colours: &'a [Colour]) -> Self {
        Self { classes, colours }
    }

    fn is_bar(&self) -> bool {
        self.classes.len() > SWATCHES
    }

    /// Names shrink where a long bar has little room for each.
    fn style(&self, height: f64) -> Style {
        let style = Style::TICK.align(Align::Left).colour(INK);
        if self.is_bar() {
            style.size((0.8 * self.bar_step(height)).clamp(15.0, 22.0))
        } else {
            style.size(26.0)
        }
    }

    fn bar_step(&self, height: f64) -> f64 {
        height / self.classes.len() as f64
    }

    /// The width that the legend takes, in pixels.
    pub fn width(&self, height: f64) -> f64 {
        let style = self.style(height);
        let longest = self
            .classes
            .iter()
            .map(|class| style.measure(class))
            .fold(0.0, f64::max)
            .min(LONGEST_NAME);
        let mark = if self.is_bar() { BAR } else { 2.0 * RADIUS };
        (mark + GAP + longest).ceil()
    }

    /// Draws the legend beside a figure that begins at `top` and is `height` pixels high.
    pub fn draw(&self, canvas: &mut Canvas, left: f64, top: f64, height: f64) {
        if self.is_bar() {
            self.draw_bar(canvas, left, top, height);
        } else {
            self.draw_swatches(canvas, left, top, height);
        }
    }

    fn draw_swatches(&self, canvas: &mut Canvas, left: f64, top: f64, height: f64) {
        let step = (height / self.classes.len() as f64).min(46.0);
        for (index, (class, &colour)) in self.classes.iter().zip(self.colours).enumerate() {
            let middle = top + RADIUS + index as f64 * step;
            canvas.disc([left + RADIUS, middle], RADIUS, colour, 1.0);
            self.name(canvas, class, [left + 2.0 * RADIUS + GAP, middle], height);
        }
    }

    fn draw_bar(&self, canvas: &mut Canvas, left: f64, top: f64, height: f64) {
        let step = self.bar_step(height);
        // Names that would touch are thinned out evenly.
        let every = (self.style(height).size * 1.1 / step).ceil().max(1.0) as usize;
        for (index, (class, &colour)) in self.classes.iter().zip(self.colours).enumerate() {
            let [start, end] = [index, index + 1].map(|edge| (top + edge as f64 * step).round());
            canvas.rectangle([left, start], [BAR, end - start], colour);
            if index % every == 0 {
                self.name(
                    canvas,
                    class,
                    [left + BAR + GAP, top + (index as f64 + 0.5) * step],
                    height,
                );
            }
        }
    }

    fn name(&self, canvas: &mut Canvas, class: &str, place: [f64; 2], height: f64) {
        let style = self.style(height);
        canvas.text_middle(
            &text::shortened(class, style.weight, style.size, LONGEST_NAME),
            place,
            style,
        );
    }
}
