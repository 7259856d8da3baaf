//! Which mark stands for which class.

use super::super::canvas::{Align, Canvas, INK, Style};
use super::super::palette::{self, ClassMark, class_marks};
use super::super::{Labels, NO_LABEL, text};

/// Longest a class's name may be, in pixels: alone beside its map, and in one of several columns.
const LONGEST_NAME: [f64; 2] = [300.0, 190.0];
/// Radius of a swatch.
const RADIUS: f64 = 11.0;
/// From a swatch to its name, and from there to the next column.
const GAP: f64 = 16.0;
const GUTTER: f64 = 30.0;
/// From one class to the next, at most and at least.
const STEP: [f64; 2] = [30.0, 46.0];
/// Size of the names, at most, and what of a step it takes.
const SIZE: f64 = 26.0;
const SHARE: f64 = 0.75;
/// Columns, at most. What has no room in them is counted below the last.
const MOST_COLUMNS: usize = 4;

/// The names of the classes that have points, with their marks, and at the end what points without a class look like.
pub(super) struct Legend<'a> {
    entries: Vec<(&'a str, ClassMark)>,
}

/// How a legend of a certain height is laid out.
struct Layout {
    /// Names, and rows of each column.
    shown: usize,
    rows: usize,
    step: f64,
    style: Style,
    longest: f64,
    columns: usize,
    /// Width of a column.
    column: f64,
}

impl<'a> Legend<'a> {
    pub fn new(labels: Labels<'a>) -> Self {
        let marks = class_marks(labels.classes.len());
        let entry = |class: usize| (labels.classes[class].as_str(), marks[class]);
        let mut entries: Vec<(&str, ClassMark)> = labels.classes_present().into_iter().map(entry).collect();
        if labels.some_are_missing() {
            entries.push((NO_LABEL, palette::UNLABELLED));
        }
        Self { entries }
    }

    fn layout(&self, height: f64) -> Layout {
        let count = self.entries.len();
        let most_rows = (height / STEP[0]).max(1.0) as usize;
        let columns = count.div_ceil(most_rows).clamp(1, MOST_COLUMNS);
        let rows = count.div_ceil(columns).min(most_rows);
        let shown = if rows * columns < count {
            rows * columns - 1
        } else {
            count
        };
        let step = (height / rows.max(1) as f64).min(STEP[1]);
        let style = Style::TICK
            .align(Align::Left)
            .colour(INK)
            .size((SHARE * step).min(SIZE));
        let longest = LONGEST_NAME[usize::from(columns > 1)];
        let names = self.entries[..shown].iter();
        let widest = names.map(|(name, _)| style.measure(name)).fold(0.0, f64::max);
        let rest = more(count - shown).map_or(0.0, |more| style.measure(&more));
        Layout {
            shown,
            rows,
            step,
            style,
            longest,
            columns,
            column: (2.0 * RADIUS + GAP + widest.min(longest)).max(rest),
        }
    }

    /// The width that the legend takes, in pixels.
    pub fn width(&self, height: f64) -> f64 {
        let Layout { columns, column, .. } = self.layout(height);
        (columns as f64 * column + (columns - 1) as f64 * GUTTER).ceil()
    }

    /// Draws the legend beside a figure that begins at `top` and is `height` pixels high.
    pub fn draw(&self, canvas: &mut Canvas, left: f64, top: f64, height: f64) {
        let layout = self.layout(height);
        let style = layout.style;
        let place = |index: usize| {
            let [column, row] = [index / layout.rows, index % layout.rows].map(|count| count as f64);
            [
                left + RADIUS + column * (layout.column + GUTTER),
                top + RADIUS + row * layout.step,
            ]
        };
        for (index, (name, mark)) in self.entries.iter().take(layout.shown).enumerate() {
            let [x, y] = place(index);
            canvas.mark(mark.shape, [x, y], RADIUS, mark.colour, 1.0);
            let name = text::shortened(name, style.weight, style.size, layout.longest);
            canvas.text_middle(&name, [x + RADIUS + GAP, y], style);
        }
        if let Some(more) = more(self.entries.len() - layout.shown) {
            let [x, y] = place(layout.shown);
            canvas.text_middle(&more, [x - RADIUS, y], style);
        }
    }
}

/// What stands below the last name for classes that have no room.
fn more(count: usize) -> Option<String> {
    (count > 0).then(|| format!("and {count} more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| format!("class {class}")).collect()
    }

    /// A point of each class.
    fn points(count: u16) -> Vec<Option<u16>> {
        (0..count).map(Some).collect()
    }

    #[test]
    fn every_class_has_its_line_until_four_columns_are_full() {
        let classes = names(300);
        let points = points(300);
        let layout = |count: usize, height: f64| {
            let labels = Labels {
                indices: &points[..count],
                classes: &classes,
            };
            Legend::new(labels).layout(height)
        };
        for (count, height, rows, shown) in [
            (10, 1320.0, 10, 10),
            (40, 1320.0, 40, 40),
            (62, 1320.0, 31, 62),
            (40, 584.0, 14, 40),
            (300, 1320.0, 44, 175),
        ] {
            let found = layout(count, height);
            assert_eq!((found.rows, found.shown), (rows, shown), "{count} classes");
            assert!(found.rows as f64 * found.step <= height + 1e-9 && found.style.size >= 20.0);
        }
    }

    #[test]
    fn the_last_class_stays_within_the_legend() {
        for count in [1, 10, 40, 62, 300] {
            let (classes, points) = (names(count), points(count as u16));
            let legend = Legend::new(Labels {
                indices: &points,
                classes: &classes,
            });
            let width = legend.width(1320.0) as usize;
            let mut canvas = Canvas::new(width + 50, 1400).unwrap();
            legend.draw(&mut canvas, 0.0, 0.0, 1320.0);
            let page = canvas.into_image();
            let is_inked = |x: u32| (0..1400).any(|y| page.get_pixel(x, y).0 != [255; 3]);
            assert!((0..width as u32).any(is_inked));
            assert!(!(width as u32 + 2..width as u32 + 50).any(is_inked), "{count} classes");
        }
    }
}
