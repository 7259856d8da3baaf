//! The words over a figure.

use super::canvas::{Canvas, Style};
use super::text::{self, CAPITAL_HEIGHT};

/// The words over a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caption<'a> {
    /// One line in bold: what is shown.
    pub title: Option<&'a str>,
    /// One quiet line below it: of what, after how much training.
    pub subtitle: Option<&'a str>,
}

/// From a title's baseline to its subtitle's.
const LINE: f64 = 46.0;
/// From the last baseline to the figure.
const GAP: f64 = 48.0;

impl<'a> Caption<'a> {
    /// A title and, below it, a subtitle.
    #[must_use]
    pub fn new(title: &'a str, subtitle: &'a str) -> Self {
        Self {
            title: Some(title),
            subtitle: Some(subtitle),
        }
    }

    /// A title alone.
    #[must_use]
    pub fn title(title: &'a str) -> Self {
        Self {
            title: Some(title),
            subtitle: None,
        }
    }

    /// The lines with their styles and their baselines below the caption's upper edge.
    fn lines(&self) -> Vec<(&'a str, Style, f64)> {
        let lines = [(self.title, Style::TITLE), (self.subtitle, Style::SUBTITLE)];
        let mut placed: Vec<(&str, Style, f64)> = Vec::new();
        for (text, style) in lines.into_iter().filter_map(|(text, style)| Some((text?, style))) {
            let baseline = placed
                .last()
                .map_or(style.size * CAPITAL_HEIGHT, |&(_, _, previous)| previous + LINE);
            placed.push((text, style, baseline));
        }
        placed
    }

    /// From the caption's upper edge to the figure's.
    pub(super) fn height(&self) -> f64 {
        self.lines()
            .last()
            .map_or(0.0, |&(_, _, baseline)| (baseline + GAP).round())
    }

    /// Writes the caption with its upper left corner at `left`, `top`, in lines of at most `width` pixels.
    pub(super) fn draw(&self, canvas: &mut Canvas, [left, top]: [f64; 2], width: f64) {
        for (text, style, baseline) in self.lines() {
            canvas.text(
                &text::shortened(text, style.weight, style.size, width),
                [left, top + baseline],
                style,
            );
        }
    }
}
