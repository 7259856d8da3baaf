//! The latent map of two dimensions.

use super::super::axis::Ticks;
use super::super::canvas::{Align, Canvas, GRID, INK, Place, RULE, Shape, Stroke, Style, WHITE};
use super::super::palette::{self, ClassMark, class_marks};
use super::super::{Caption, FigureError};
use super::area::Area;
use super::density::density;
use super::legend::Legend;
use super::names;
use super::range::{Range, note};
use super::{Points, by_count, interleaved};
use image::RgbImage;

/// Side of the square that holds the points, in pixels.
pub(super) const SIDE: f64 = 1320.0;
/// Grid lines along an axis, about.
const TICKS: f64 = 9.0;
/// Left of the square: tick labels and the axis's name.
pub(super) const LEFT: f64 = 156.0;
/// Below the square.
pub(super) const BOTTOM: f64 = 190.0;
/// From the square to the notes below it.
pub(super) const NOTES: f64 = 148.0;
/// Around everything.
pub(super) const MARGIN: f64 = 64.0;
/// Between the square and the legend.
pub(super) const GUTTER: f64 = 44.0;

/// What a plane map says besides its points.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// The words over the map.
    pub caption: Caption<'a>,
    /// The names of the horizontal and the vertical axis.
    pub axes: [&'a str; 2],
    /// Whether to draw circles at one and two standard deviations of the standard normal prior, where they fit.
    pub prior: bool,
}

/// Draws points of the plane, coloured by class or, without labels, by how dense they lie.
///
/// Both axes have the same scale. A few points so far off that the others would be squashed are left out, and a line
/// below the map says how many.
///
/// # Errors
/// [`FigureError`] when there is no point, none is finite, or the labels do not fit.
pub fn plane(points: &Points<2>, plane: &Plane) -> Result<RgbImage, FigureError> {
    points.check()?;
    let count = points.positions.len();
    let range = Range::of(points.positions).ok_or(FigureError::NotFinite { what: "points", count })?;
    let legend = points.labels.map(Legend::new);

    let legend_width = legend.as_ref().map_or(0.0, |legend| GUTTER + legend.width(SIDE));
    let width = LEFT + SIDE + legend_width + MARGIN;
    let caption_width = width - LEFT - MARGIN;
    let top = MARGIN + plane.caption.height(caption_width);
    let mut canvas = Canvas::new(width as usize, (top + SIDE + BOTTOM) as usize)?;
    let map = Map {
        range,
        left: LEFT,
        top,
        side: SIDE,
    };

    plane.caption.draw(&mut canvas, [LEFT, MARGIN], caption_width);
    map.draw_grid(&mut canvas, plane.axes);
    let outside = map.draw_points(&mut canvas, points);
    let prior = plane.prior && map.draw_prior(&mut canvas);
    map.draw_names(&mut canvas, points);
    let keys = [
        (prior, "dotted: 1σ and 2σ of the prior"),
        (points.labels.is_none(), "darker: denser"),
    ];
    let keys: Vec<&str> = keys
        .into_iter()
        .filter_map(|(shown, key)| shown.then_some(key))
        .collect();
    canvas.text(&keys.join(" · "), [LEFT, top + SIDE + NOTES], Style::NOTE);
    if let Some(legend) = legend {
        legend.draw(&mut canvas, LEFT + SIDE + GUTTER, top, SIDE);
    }
    if let Some(note) = note(outside) {
        canvas.text(
            &note,
            [LEFT + SIDE, top + SIDE + NOTES],
            Style::NOTE.align(Align::Right),
        );
    }
    Ok(canvas.into_image())
}

/// The square on the page and what it shows.
pub(super) struct Map {
    pub range: Range<2>,
    pub left: f64,
    pub top: f64,
    /// Its side, in pixels.
    pub side: f64,
}

impl Map {
    /// Where a point with the square's sides at ±1 lies on the page.
    pub fn place(&self, [x, y]: [f64; 2]) -> Place {
        [
            self.left + (1.0 + x) * self.side / 2.0,
            self.top + (1.0 - y) * self.side / 2.0,
        ]
    }

    /// The square.
    pub fn area(&self) -> Area {
        Area {
            left: self.left,
            top: self.top,
            width: self.side,
            height: self.side,
        }
    }

    pub fn draw_grid(&self, canvas: &mut Canvas, axes: [&str; 2]) {
        let [[x_low, x_high], [y_low, y_high]] = [self.range.ends(0), self.range.ends(1)];
        let (right, bottom) = (self.left + self.side, self.top + self.side);
        let ticks = (TICKS * self.side / SIDE).round() as usize;
        let across = Ticks::new(x_low, x_high, ticks);
        for &value in &across.values {
            let x = self.left + (value - x_low) / (x_high - x_low) * self.side;
            canvas.line(&[[x, self.top], [x, bottom]], grid_line(value));
            canvas.text_middle(&across.label(value), [x, bottom + 32.0], Style::TICK);
        }
        let upwards = Ticks::new(y_low, y_high, ticks);
        for &value in &upwards.values {
            let y = bottom - (value - y_low) / (y_high - y_low) * self.side;
            canvas.line(&[[self.left, y], [right, y]], grid_line(value));
            canvas.text_middle(
                &upwards.label(value),
                [self.left - 18.0, y],
                Style::TICK.align(Align::Right),
            );
        }
        canvas.text(axes[0], [self.left + self.side / 2.0, bottom + 98.0], Style::NAME);
        canvas.text_upwards(axes[1], [self.left - 90.0, self.top + self.side / 2.0], Style::NAME);
    }

    /// Draws circles at one and two standard deviations of the prior, if both fit into the square.
    fn draw_prior(&self, canvas: &mut Canvas) -> bool {
        let origin = self.range.centre.map(|centre| -centre / self.range.half);
        let fits = origin.iter().all(|value| value.abs() + 2.0 / self.range.half <= 1.0);
        for deviations in [1.0, 2.0].into_iter().filter(|_| fits) {
            let (centre, radius) = (self.place(origin), deviations / self.range.half * self.side / 2.0);
            canvas.circle(centre, radius, Stroke::solid(WHITE, 4.0));
            canvas.circle(
                centre,
                radius,
                Stroke {
                    colour: INK,
                    width: 2.0,
                    dash: Some([4.0, 6.0]),
                },
            );
        }
        fits
    }

    /// Where classes are too many for colours alone, writes their names where they lie.
    pub fn draw_names(&self, canvas: &mut Canvas, points: &Points<2>) {
        let Some(labels) = points
            .labels
            .filter(|labels| palette::needs_names(labels.classes_present().len()))
        else {
            return;
        };
        let placed = labels.indices.iter().zip(points.positions);
        let places: Vec<(u16, Place)> = placed
            .filter_map(|(&label, &position)| Some((label?, self.place(self.range.normalized(position)?))))
            .collect();
        names::draw(canvas, labels.classes, &places, self.area());
    }

    /// Draws the points and says how many do not lie on the map.
    pub fn draw_points(&self, canvas: &mut Canvas, points: &Points<2>) -> usize {
        let count = points.positions.len();
        let radius = by_count(count, 8.0, 5.0, [2.6, 12.0]) * (self.side / SIDE).sqrt();
        let opacity = by_count(count, 0.9, 0.7, [0.35, 0.95]);
        let normalized: Vec<_> = points
            .positions
            .iter()
            .map(|&point| self.range.normalized(point))
            .collect();
        let densities = if points.labels.is_none() {
            density(&normalized)
        } else {
            Vec::new()
        };
        let marks = class_marks(points.labels.map_or(0, |labels| labels.classes.len()));
        let mut order: Vec<usize> = interleaved(count).collect();
        // Stable: the densest points lie on top, and those with a class on those without.
        match points.labels {
            None => order.sort_by(|&a, &b| densities[a].total_cmp(&densities[b])),
            Some(labels) => order.sort_by_key(|&index| labels.indices[index].is_some()),
        }
        for index in order {
            let Some(place) = normalized[index].map(|point| self.place(point)) else {
                continue;
            };
            let ClassMark { colour, shape } = match points.labels {
                Some(labels) => labels.indices[index].map_or(palette::UNLABELLED, |label| marks[usize::from(label)]),
                None => ClassMark {
                    colour: palette::density(densities[index]),
                    shape: Shape::Disc,
                },
            };
            if count <= 3000 {
                canvas.mark(shape, place, radius + 1.5, WHITE, 0.9);
            }
            canvas.mark(shape, place, radius, colour, opacity);
        }
        normalized.iter().filter(|point| point.is_none()).count()
    }
}

/// The lines through the origin stand out a little.
fn grid_line(value: f64) -> Stroke {
    if value == 0.0 {
        Stroke::solid(RULE, 2.0)
    } else {
        Stroke::solid(GRID, 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Labels;
    use super::super::super::canvas::Colour;
    use super::*;

    const PLAIN: Plane = Plane {
        caption: Caption {
            title: None,
            subtitle: None,
        },
        axes: ["z₁", "z₂"],
        prior: false,
    };

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("class {index}")).collect()
    }

    fn near(a: Colour, b: Colour) -> bool {
        a.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= 16)
    }

    #[test]
    fn a_point_lands_where_it_belongs_in_the_colour_of_its_class() {
        let positions = [[-2.0, -2.0], [2.0, 2.0], [1.0, -1.5], [0.0, 1.0]];
        let (indices, classes) = ([Some(0), Some(1), Some(2), None], names(3));
        let labels = Some(Labels {
            indices: &indices,
            classes: &classes,
        });
        let figure = plane(
            &Points {
                positions: &positions,
                labels,
            },
            &PLAIN,
        )
        .unwrap();
        assert!(figure.width() >= 1600 && figure.height() >= 1400);
        let marks = class_marks(3);
        for ([x, y], class) in positions.into_iter().zip(indices) {
            // From -2.08 to 2.08 along both axes: the points' extent and 4 % of it.
            let column = 156.0 + (x + 2.08) / 4.16 * 1320.0;
            let row = 64.0 + (2.08 - y) / 4.16 * 1320.0;
            let pixel = figure.get_pixel(column as u32, row as u32).0;
            let mark = class.map_or(palette::UNLABELLED, |class| marks[usize::from(class)]);
            assert!(near(pixel, mark.colour), "({x}, {y}) is {pixel:?}");
        }
        assert_eq!(figure.get_pixel(156 + 300, 64 + 300).0, WHITE);
    }

    #[test]
    fn no_class_hides_another() {
        let cloud: Vec<[f64; 2]> = (0..10_000u32)
            .map(|index| [f64::from(index % 100), f64::from(index / 100 % 50) * 2.0])
            .collect();
        let indices: Vec<Option<u16>> = (0..10_000).map(|index| Some(u16::from(index >= 5000))).collect();
        let classes = names(2);
        let labels = Some(Labels {
            indices: &indices,
            classes: &classes,
        });
        let figure = plane(
            &Points {
                positions: &cloud,
                labels,
            },
            &PLAIN,
        )
        .unwrap();
        // The first class is blue, the second red; mixtures count for the one that lies on top.
        let count = |on_top: fn([u8; 3]) -> bool| {
            figure
                .enumerate_pixels()
                .filter(|&(x, _, pixel)| x < 1476 && on_top(pixel.0))
                .count()
        };
        let (blue, red) = (count(|[red, _, blue]| blue > red), count(|[red, _, blue]| red > blue));
        assert!(
            blue > 10_000 && blue.abs_diff(red) < blue / 5,
            "{blue} blue pixels, {red} red ones"
        );
    }

    #[test]
    fn what_has_no_class_lies_under_what_has_one() {
        // In the middle of each pair is one point of either kind, and the order of the list must not matter.
        let positions = [[-1.0, -1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, 1.0]];
        let classes = names(1);
        let figure = |indices: &[Option<u16>]| {
            let labels = Some(Labels {
                indices,
                classes: &classes,
            });
            let positions = &positions[..indices.len()];
            plane(&Points { positions, labels }, &PLAIN).unwrap()
        };
        let mixed = figure(&[Some(0), None, None, Some(0)]);
        let blue = class_marks(1)[0].colour;
        for [x, y] in &positions[..2] {
            let place = [156.0 + (x + 1.04) / 2.08 * 1320.0, 64.0 + (1.04 - y) / 2.08 * 1320.0];
            let pixel = mixed.get_pixel(place[0] as u32, place[1] as u32).0;
            assert!(near(pixel, blue), "{pixel:?}");
        }
        // The legend says what they are, and is wider for it.
        assert!(mixed.width() > figure(&[Some(0); 4]).width());
    }

    #[test]
    fn any_number_of_points_and_classes_can_be_drawn() {
        let spiral = |count: usize| -> Vec<[f64; 2]> {
            (0..count)
                .map(|index| [(index as f64).sin() * index as f64, (index as f64).cos() * index as f64])
                .collect()
        };
        for (count, classes) in [(1, 1), (20, 2), (500, 26), (500, 47), (500, 300)] {
            let positions = spiral(count);
            // Every seventh has no class.
            let class = |index: usize| (!index.is_multiple_of(7)).then_some((index % classes) as u16);
            let indices: Vec<Option<u16>> = (0..count).map(class).collect();
            let classes = names(classes);
            for labels in [
                None,
                Some(Labels {
                    indices: &indices,
                    classes: &classes,
                }),
            ] {
                plane(
                    &Points {
                        positions: &positions,
                        labels,
                    },
                    &Plane { prior: true, ..PLAIN },
                )
                .unwrap();
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let classes = names(2);
        let draw = |positions: &[[f64; 2]], indices: &[Option<u16>]| {
            let labels = Some(Labels {
                indices,
                classes: &classes,
            });
            plane(&Points { positions, labels }, &PLAIN).unwrap_err()
        };
        assert!(matches!(draw(&[], &[]), FigureError::Empty { .. }));
        assert!(matches!(
            draw(&[[0.0; 2]; 3], &[Some(0), None]),
            FigureError::Mismatch {
                expected: 3,
                got: 2,
                ..
            }
        ));
        assert!(matches!(
            draw(&[[0.0; 2]], &[Some(2)]),
            FigureError::UnknownClass { label: 2, classes: 2 }
        ));
        assert!(matches!(
            draw(&[[f64::NAN, 0.0]], &[Some(0)]),
            FigureError::NotFinite { count: 1, .. }
        ));
    }
}
