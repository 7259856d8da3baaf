//! A path over the latent map, with the frames along it beside.

use super::super::canvas::{Align, Canvas, Colour, INK, Place, Stroke, Style, WHITE};
use super::super::palette::mix;
use super::super::sheet::check;
use super::super::{FigureError, enlarged, text};
use super::Points;
use super::area::Area;
use super::legend::Legend;
use super::plane::{BOTTOM, GUTTER, LEFT, MARGIN, Map, NOTES, Plane, SIDE};
use super::range::Range;
use crate::data::Images;
use image::RgbImage;

/// Squares along a side of the map at which the relief is known; between them it is smooth.
const RELIEF: usize = 56;
/// The share of the relief's values at either end that have the ends' colours.
const TAILS: f64 = 0.02;
/// The relief where images change fastest.
const STEEP: Colour = [128, 137, 158];
/// How much more than a path by itself the map shows.
const ALONE: f64 = 1.3;
/// Columns of frames beside the map, and rows.
const FRAMES: [usize; 2] = [4, 9];
/// Between frames.
const GAP: f64 = 12.0;
/// Radius of a key's dot, with the white around it.
const KEY: f64 = 15.0;
/// From a key's middle to its name, nearest first.
const DISTANCES: [f64; 3] = [22.0, 46.0, 76.0];
/// Height of a name and the paper above, below and beside it.
const NAME: [f64; 2] = [40.0, 8.0];
/// Longest a name may be.
const LONGEST_NAME: f64 = 360.0;

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
/// from top to bottom, keys framed. The map holds the whole path, and without points the path alone.
///
/// # Errors
/// As [`super::plane`], but for points, of which there may be none; also when there is no frame, or positions, keys and
/// names do not fit.
pub fn route(points: &Points<2>, plane: &Plane, route: &Route) -> Result<RgbImage, FigureError> {
    route.check()?;
    let has_points = !points.positions.is_empty();
    if has_points {
        points.check()?;
    }
    let ground = if has_points { points.positions } else { route.positions };
    let count = ground.len();
    let range = Range::of(ground).ok_or(FigureError::NotFinite { what: "points", count })?;
    let mut range = range.holding(route.positions);
    if !has_points {
        range.half *= ALONE;
    }
    let legend = points.labels.map(Legend::new);

    let legend_width = legend.as_ref().map_or(0.0, |legend| GUTTER + legend.width(SIDE));
    let tile = (SIDE + GAP) / FRAMES[1] as f64;
    let frames_left = LEFT + SIDE + legend_width + 1.5 * GUTTER;
    let width = frames_left + FRAMES[0] as f64 * tile - GAP + MARGIN;
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
    if let Some(relief) = route.relief {
        draw_relief(&mut canvas, &map, relief);
    }
    map.draw_grid(&mut canvas, plane.axes);
    map.draw_points(&mut canvas, points);
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
    let at = |index: usize, axis: usize, sign: f64| {
        let place = sign * (2.0 * (index as f64 + 0.5) / RELIEF as f64 - 1.0);
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
    let ground: Vec<Colour> = heights
        .iter()
        .map(|height| ((height - low) / (high - low).max(1e-9)).clamp(0.0, 1.0))
        .map(|share| mix(WHITE, STEEP, share))
        .collect();
    let smooth = enlarged::smooth(&ground, [RELIEF; 2], [SIDE as usize; 2]);
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
    for (name, [left, middle]) in place_names(map, &places, route) {
        let (style, [height, room]) = (Style::NAME.align(Align::Left), NAME);
        let size = [style.measure(&name) + 2.0 * room, height];
        canvas.rectangle([left - room, middle - height / 2.0], size, WHITE);
        canvas.text_middle(&name, [left, middle], style);
    }
    for &key in route.keys {
        canvas.disc(places[key], KEY, WHITE, 1.0);
        canvas.disc(places[key], KEY - 3.0, INK, 1.0);
    }
}

/// The keys' names and where each begins: beside its key, on the map, over no key and no other name, and over as little
/// of the path as may be. A key that the path comes back to has its name once.
fn place_names(map: &Map, places: &[Place], route: &Route) -> Vec<(String, Place)> {
    let between = |pair: &[Place]| {
        let [[ax, ay], [bx, by]] = [pair[0], pair[1]];
        [0.0, 0.25, 0.5, 0.75].map(|share| [ax + share * (bx - ax), ay + share * (by - ay)])
    };
    let path: Vec<Place> = places.windows(2).flat_map(between).collect();
    let mut taken: Vec<Area> = Vec::new();
    let mut named: Vec<(&str, Place)> = Vec::new();
    let mut placed = Vec::new();
    for (&key, name) in route.keys.iter().zip(route.names) {
        let [x, y] = places[key];
        let is_here = |&(other, [left, top]): &(&str, Place)| other == name && (left - x).hypot(top - y) < KEY;
        if named.iter().any(is_here) {
            continue;
        }
        let style = Style::NAME;
        let name_shown = text::shortened(name, style.weight, style.size, LONGEST_NAME);
        let [height, room] = NAME;
        let width = style.measure(&name_shown) + 2.0 * room;
        let around = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];
        let areas = DISTANCES.into_iter().flat_map(|distance| {
            around.map(|direction| {
                let place = |middle: f64, side: f64, direction: i32| {
                    middle - side / 2.0 + f64::from(direction) * (distance - room + side / 2.0)
                };
                Area {
                    left: place(x, width, direction[0]),
                    top: place(y, height, direction[1]),
                    width,
                    height,
                }
            })
        });
        // Whole numbers, so that of areas alike the first is taken.
        let cost = |area: &Area| {
            let keys = route.keys.iter().filter(|&&key| area.covers(places[key], KEY)).count();
            let names = taken.iter().filter(|other| area.overlaps(other)).count();
            let path = path.iter().filter(|&&place| area.covers(place, 6.0)).count();
            (usize::from(!area.is_within(&map.area())) + keys, names, path)
        };
        let Some(best) = areas.min_by_key(cost) else { continue };
        named.push((name, places[key]));
        placed.push((name_shown, [best.left + room, best.top + height / 2.0]));
        taken.push(best);
    }
    placed
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
    let [wide, high] = [width, height].map(|pixels| ((pixels as f64 * scale) as usize).max(1));
    for (place, index) in shown(route).into_iter().enumerate() {
        let [x, y] = [
            left + (place % FRAMES[0]) as f64 * tile,
            top + (place / FRAMES[0]) as f64 * tile,
        ];
        if route.keys.contains(&index) {
            canvas.rectangle([x - 6.0, y - 6.0], [side + 12.0, side + 12.0], INK);
            canvas.rectangle([x - 2.0, y - 2.0], [side + 4.0, side + 4.0], WHITE);
        }
        let frame = enlarged::fitted(route.frames, index, [wide, high]);
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

    /// A map of the square from -1 to 1, and a path along its lower and right edges with five keys, two of them close.
    fn along_the_edges() -> (Vec<[f64; 2]>, Vec<usize>, Vec<String>) {
        let edge = |index: usize| {
            [
                (index as f64 / 10.0 - 1.0).min(1.0),
                (index as f64 / 10.0 - 3.0).max(-1.0),
            ]
        };
        let names = [
            "ankle-boot",
            "t-shirt",
            "bag",
            "a name that is far too long for any map",
            "coat",
        ];
        (
            (0..=40).map(edge).collect(),
            vec![0, 20, 21, 30, 40],
            names.map(String::from).to_vec(),
        )
    }

    #[test]
    fn names_lie_on_the_map_and_cover_no_key_and_no_other_name() {
        let (positions, keys, names) = along_the_edges();
        let frames = frames(positions.len());
        let route = Route {
            positions: &positions,
            frames: &frames,
            keys: &keys,
            names: &names,
            closed: false,
            relief: None,
        };
        let range = Range {
            centre: [0.0; 2],
            half: 1.0,
        };
        let map = Map {
            range,
            left: LEFT,
            top: 0.0,
            side: SIDE,
        };
        let places: Vec<Place> = positions.iter().map(|&position| map.place(position)).collect();
        let placed = place_names(&map, &places, &route);
        assert_eq!(placed.len(), 5);
        let [height, room] = NAME;
        let areas: Vec<Area> = placed
            .iter()
            .map(|(name, [left, middle])| Area {
                left: left - room,
                top: middle - height / 2.0,
                width: Style::NAME.measure(name) + 2.0 * room,
                height,
            })
            .collect();
        for (index, area) in areas.iter().enumerate() {
            assert!(area.is_within(&map.area()), "{}", placed[index].0);
            assert!(
                keys.iter().all(|&key| !area.covers(places[key], KEY)),
                "{}",
                placed[index].0
            );
            assert!(
                !areas[..index].iter().any(|other| area.overlaps(other)),
                "{}",
                placed[index].0
            );
        }
        // There and back: one name for both.
        let back = Route {
            keys: &[0, 20, 0],
            names: &["a", "b", "a"].map(String::from),
            ..route
        };
        assert_eq!(place_names(&map, &places, &back).len(), 2);
    }

    #[test]
    fn a_path_that_leaves_the_points_stays_on_the_map_and_needs_none() {
        let far: Vec<[f64; 2]> = (0..30).map(|index| [f64::from(index), -40.0]).collect();
        let names = ["a", "b"].map(String::from);
        for positions in [line(100), Vec::new()] {
            let points = Points {
                positions: &positions,
                labels: None,
            };
            let figure = route(
                &points,
                &PLAIN,
                &Route {
                    positions: &far,
                    frames: &frames(30),
                    keys: &[0, 29],
                    names: &names,
                    closed: false,
                    relief: None,
                },
            )
            .unwrap();
            // Nothing but paper between the square and the frames, and keys in it.
            let ink =
                |column: f64| (0..SIDE as u32).any(|row| figure.get_pixel(column as u32, MARGIN as u32 + row).0 == INK);
            assert!(!ink(LEFT + SIDE + 10.0));
            assert!((0..SIDE as u32).any(|column| ink(LEFT + f64::from(column))));
        }
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
