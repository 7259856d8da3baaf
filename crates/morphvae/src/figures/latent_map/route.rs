//! A path over the latent map, with the frames along it beside.

use super::super::canvas::{Align, Canvas, Colour, INK, Place, Stroke, Style, WHITE};
use super::super::palette::{self, mix};
use super::super::sheet::{check, colour};
use super::super::{FigureError, Labels};
use super::Points;
use super::legend::Legend;
use super::plane::{BOTTOM, GUTTER, LEFT, MARGIN, Map, NOTES, Plane, SIDE};
use super::range::Range;
use crate::data::Images;
use image::RgbImage;
use image::imageops::{self, FilterType};

/// Squares along a side of the map at which the relief is known; between them it is smooth.
const RELIEF: u32 = 56;
/// The share of the relief's values at either end that have the ends' colours.
const TAILS: f64 = 0.02;
/// The relief where images change fastest.
const STEEP: Colour = [128, 137, 158];
/// Columns of frames beside the map, and rows.
const FRAMES: [usize; 2] = [4, 9];
/// Between frames.
const GAP: f64 = 12.0;

/// How fast images change at points of the map, `[count, 2]`; only the order of magnitude is shown.
pub type Relief<'a> = &'a dyn Fn(&[f32]) -> Vec<f32>;

/// A path, as it is drawn over a map.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    /// Where its frames lie on the map.
    pub positions: &'a [[f64; 2]],
    /// The frames themselves.
    pub frames: &'a Images,
    /// Which frames are keys.
    pub keys: &'a [usize],
    /// The keys' names.
    pub names: &'a [String],
    /// Whether it leads back to its beginning.
    pub closed: bool,
    /// The ground beneath.
    pub relief: Option<Relief<'a>>,
}

/// Draws a map as [`super::plane`] does, the path over it, and some of its frames at the right: from left to right and
/// from top to bottom, keys framed.
///
/// # Errors
/// As [`super::plane`]; also when there is no frame, or positions, keys and names do not fit.
pub fn route(points: &Points<2>, plane: &Plane, route: &Route) -> Result<RgbImage, FigureError> {
    points.check()?;
    route.check()?;
    let all: Vec<[f64; 2]> = points.positions.iter().chain(route.positions).copied().collect();
    let count = all.len();
    let range = Range::of(&all).ok_or(FigureError::NotFinite { what: "points", count })?;
    let colours = points
        .labels
        .map_or_else(Vec::new, |labels: Labels| palette::class_colours(labels.classes.len()));
    let legend = points.labels.map(|labels| Legend::new(labels.classes, &colours));

    let top = MARGIN + plane.caption.height();
    let legend_width = legend.as_ref().map_or(0.0, |legend| GUTTER + legend.width(SIDE));
    let tile = (SIDE + GAP) / FRAMES[1] as f64;
    let frames_left = LEFT + SIDE + legend_width + 1.5 * GUTTER;
    let width = frames_left + FRAMES[0] as f64 * tile - GAP + MARGIN;
    let mut canvas = Canvas::new(width as usize, (top + SIDE + BOTTOM) as usize)?;
    let map = Map { range, left: LEFT, top };

    plane.caption.draw(&mut canvas, [LEFT, MARGIN], width - LEFT - MARGIN);
    if let Some(relief) = route.relief {
        draw_relief(&mut canvas, &map, relief);
    }
    map.draw_grid(&mut canvas, plane);
    map.draw_points(&mut canvas, points, &colours);
    draw_line(&mut canvas, &map, route);
    let note = if route.relief.is_some() {
        "darker ground: images change faster"
    } else {
        ""
    };
    canvas.text(note, [LEFT, top + SIDE + NOTES], Style::NOTE);
    if let Some(legend) = legend {
        legend.draw(&mut canvas, LEFT + SIDE + GUTTER, top, SIDE);
    }
    draw_frames(&mut canvas, route, [frames_left, top], tile);
    Ok(canvas.into_image())
}

impl Route<'_> {
    fn check(&self) -> Result<(), FigureError> {
        check(self.frames)?;
        let count = self.frames.count();
        let mismatch = |what, expected, got| Err(FigureError::Mismatch { what, expected, got });
        if self.positions.len() != count {
            return mismatch("positions", count, self.positions.len());
        }
        if self.names.len() != self.keys.len() {
            return mismatch("names", self.keys.len(), self.names.len());
        }
        match self.keys.iter().find(|&&key| key >= count) {
            Some(&key) => mismatch("frames", key + 1, count),
            None => Ok(()),
        }
    }
}

/// The ground: from white, where images change slowest, to grey.
fn draw_relief(canvas: &mut Canvas, map: &Map, relief: Relief) {
    let at = |index: u32, axis: usize, sign: f64| {
        let place = sign * (2.0 * (f64::from(index) + 0.5) / f64::from(RELIEF) - 1.0);
        (map.range.centre[axis] + place * map.range.half) as f32
    };
    let points: Vec<f32> = (0..RELIEF)
        .flat_map(|row| (0..RELIEF).flat_map(move |column| [at(column, 0, 1.0), at(row, 1, -1.0)]))
        .collect();
    let heights: Vec<f64> = relief(&points)
        .into_iter()
        .map(|value| f64::from(value).max(1e-12).ln())
        .collect();
    let mut sorted = heights.clone();
    sorted.sort_by(f64::total_cmp);
    let [low, high] = [TAILS, 1.0 - TAILS].map(|share| sorted[(share * (sorted.len() - 1) as f64) as usize]);
    let ground = RgbImage::from_fn(RELIEF, RELIEF, |column, row| {
        let height = heights[(row * RELIEF + column) as usize];
        let share = ((height - low) / (high - low).max(1e-9)).clamp(0.0, 1.0);
        image::Rgb(mix(WHITE, STEEP, share))
    });
    let side = SIDE as u32;
    let smooth = imageops::resize(&ground, side, side, FilterType::CatmullRom);
    canvas.picture(&smooth, map.left as usize, map.top as usize);
}

/// The path itself, a dot at each frame that is shown, and the keys' names.
fn draw_line(canvas: &mut Canvas, map: &Map, route: &Route) {
    let mut places: Vec<Place> = route
        .positions
        .iter()
        .map(|&position| map.place(map.range.scaled(position)))
        .collect();
    if route.closed {
        places.push(places[0]);
    }
    canvas.line(&places, Stroke::solid(WHITE, 12.0));
    canvas.line(&places, Stroke::solid(INK, 5.0));
    for index in shown(route) {
        canvas.disc(places[index], 6.5, WHITE, 1.0);
        canvas.disc(places[index], 4.0, INK, 1.0);
    }
    for &key in route.keys {
        canvas.disc(places[key], 15.0, WHITE, 1.0);
        canvas.disc(places[key], 12.0, INK, 1.0);
    }
    for (&key, name) in route.keys.iter().zip(route.names) {
        let style = Style::NAME.align(Align::Left);
        let width = style.measure(name);
        let [x, y] = places[key];
        let left = (x + 22.0).min(map.left + SIDE - width - 10.0);
        canvas.rectangle([left - 8.0, y - 20.0], [width + 16.0, 40.0], WHITE);
        canvas.text_middle(name, [left, y], style);
    }
}

/// The frames that are shown: all, or so many as there is room for, evenly, and the keys in place of their neighbours.
fn shown(route: &Route) -> Vec<usize> {
    let (count, room) = (route.frames.count(), FRAMES[0] * FRAMES[1]);
    if count <= room {
        return (0..count).collect();
    }
    let mut shown: Vec<usize> = (0..room).map(|index| index * (count - 1) / (room - 1)).collect();
    for &key in route.keys {
        let nearest = shown.iter_mut().min_by_key(|index| index.abs_diff(key));
        if let Some(nearest) = nearest {
            *nearest = key;
        }
    }
    shown
}

fn draw_frames(canvas: &mut Canvas, route: &Route, [left, top]: Place, tile: f64) {
    let (width, height) = (route.frames.width(), route.frames.height());
    let side = tile - GAP;
    let scale = side / width.max(height) as f64;
    let [wide, high] = [width, height].map(|pixels| ((pixels as f64 * scale) as u32).max(1));
    for (place, index) in shown(route).into_iter().enumerate() {
        let [x, y] = [
            left + (place % FRAMES[0]) as f64 * tile,
            top + (place / FRAMES[0]) as f64 * tile,
        ];
        if route.keys.contains(&index) {
            canvas.rectangle([x - 6.0, y - 6.0], [side + 12.0, side + 12.0], INK);
            canvas.rectangle([x - 2.0, y - 2.0], [side + 4.0, side + 4.0], WHITE);
        }
        let frame = RgbImage::from_fn(width as u32, height as u32, |column, row| {
            image::Rgb(colour(route.frames, index, column as usize, row as usize))
        });
        let frame = imageops::resize(&frame, wide, high, FilterType::CatmullRom);
        canvas.picture(&frame, x as usize, y as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Caption;
    use super::*;

    const PLAIN: Plane = Plane {
        caption: Caption {
            title: None,
            subtitle: None,
        },
        axes: ["z₁", "z₂"],
        prior: false,
    };

    fn frames(count: usize) -> Images {
        Images::new(1, 2, 2, vec![90; 4 * count]).unwrap()
    }

    fn line(count: usize) -> Vec<[f64; 2]> {
        (0..count)
            .map(|index| [index as f64 / count as f64 - 0.5, 0.0])
            .collect()
    }

    #[test]
    fn a_relief_is_darkest_where_images_change_fastest() {
        let positions = [[-1.0, -1.0], [1.0, 1.0]];
        let points = Points {
            positions: &positions,
            labels: None,
        };
        let names = ["a", "b"].map(String::from);
        let relief = |points: &[f32]| points.chunks(2).map(|point| (3.0 * point[0]).exp()).collect();
        let figure = route(
            &points,
            &PLAIN,
            &Route {
                positions: &line(5),
                frames: &frames(5),
                keys: &[0, 4],
                names: &names,
                closed: false,
                relief: Some(&relief),
            },
        )
        .unwrap();
        let grey = |x: f64| {
            figure
                .get_pixel((LEFT + x * SIDE) as u32, (MARGIN + 0.3 * SIDE) as u32)
                .0[0]
        };
        assert!(grey(0.06) > 245 && grey(0.3) > grey(0.7) && grey(0.94) < 140);
    }

    #[test]
    fn many_frames_are_thinned_out_and_every_key_is_kept() {
        let (positions, frames) = (line(500), frames(500));
        let keys = [0, 33, 250, 499];
        let names = ["a", "b", "c", "d"].map(String::from);
        let route = Route {
            positions: &positions,
            frames: &frames,
            keys: &keys,
            names: &names,
            closed: false,
            relief: None,
        };
        let shown = shown(&route);
        assert_eq!(shown.len(), 36);
        assert!(keys.iter().all(|key| shown.contains(key)) && shown.is_sorted());
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let points = Points {
            positions: &[[0.0, 0.0]],
            labels: None,
        };
        let (positions, names) = (line(3), ["a".to_owned()]);
        let draw = |frames: &Images, keys: &[usize]| {
            let line = Route {
                positions: &positions,
                frames,
                keys,
                names: &names,
                closed: false,
                relief: None,
            };
            route(&points, &PLAIN, &line).unwrap_err().to_string()
        };
        assert!(draw(&frames(2), &[0]).contains("3 positions"));
        assert!(draw(&frames(3), &[0, 1]).contains("1 names"));
        assert!(draw(&frames(3), &[7]).contains("frames"));
    }
}
