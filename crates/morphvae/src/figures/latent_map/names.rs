//! Names of classes on a map, where their points lie.

use super::super::canvas::{Align, Canvas, INK, Place, Stroke, Style, WHITE};
use super::super::text::{self, Weight};
use super::area::Area;

/// How names are set.
const STYLE: Style = Style {
    weight: Weight::SemiBold,
    ..Style::NOTE.colour(INK)
};
/// Longest a name may be, in pixels.
const LONGEST: f64 = 150.0;
/// Height of a name, and the room around it.
const HEIGHT: f64 = 20.0;
const ROOM: f64 = 4.0;
/// How far from the middle of its class a name may stand, nearest first.
const DISTANCES: [f64; 4] = [0.0, 26.0, 48.0, 76.0];
/// Width of the white around letters, so that they can be read on points of any colour.
const HALO: f64 = 2.5;

/// Writes each name at the middle of its class, or beside where others stand there already: a line leads to it then. A
/// name without room is left out; the legend has it.
pub(super) fn draw(canvas: &mut Canvas, classes: &[String], places: &[(u16, Place)], page: Area) {
    let mut taken: Vec<Area> = Vec::new();
    let mut placed = Vec::new();
    for (middle, name) in middles(places, classes.len()).into_iter().zip(classes) {
        let Some(middle) = middle else { continue };
        let name = text::shortened(name, STYLE.weight, STYLE.size, LONGEST);
        let width = STYLE.measure(&name);
        let is_free = |area: &Area| area.is_within(&page) && !taken.iter().any(|other| area.overlaps(other));
        let Some(area) = around(middle, [width, HEIGHT]).find(is_free) else {
            continue;
        };
        taken.push(area);
        placed.push((middle, name, area));
    }
    for (middle, _, area) in &placed {
        if !area.covers(*middle, 1.0) {
            let line = [*middle, area.middle()];
            canvas.line(&line, Stroke::solid(WHITE, 5.0));
            canvas.line(&line, Stroke::solid(INK, 2.0));
        }
    }
    for (_, name, area) in &placed {
        write(canvas, name, area.middle());
    }
}

/// The medians of the classes' places; none for a class without any.
fn middles(places: &[(u16, Place)], classes: usize) -> Vec<Option<Place>> {
    let mut members = vec![[Vec::new(), Vec::new()]; classes];
    for &(label, [x, y]) in places {
        let [across, down] = &mut members[usize::from(label)];
        across.push(x);
        down.push(y);
    }
    let median = |values: &mut Vec<f64>| {
        let middle = values.len().checked_sub(1)? / 2;
        Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
    };
    members
        .iter_mut()
        .map(|[across, down]| Some([median(across)?, median(down)?]))
        .collect()
}

/// Areas of a size at a place and around it.
fn around([x, y]: Place, [width, height]: [f64; 2]) -> impl Iterator<Item = Area> {
    let directions = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];
    let beside = move |distance: f64| directions.map(|direction| (distance, direction));
    DISTANCES
        .into_iter()
        .flat_map(beside)
        .map(move |(distance, [across, down])| {
            let away = |direction: i32, side: f64| match distance {
                0.0 => 0.0,
                _ => f64::from(direction) * (distance + side / 2.0 - HEIGHT / 2.0),
            };
            Area {
                left: x + away(across, width) - width / 2.0 - ROOM,
                top: y + away(down, height) - height / 2.0 - ROOM,
                width: width + 2.0 * ROOM,
                height: height + 2.0 * ROOM,
            }
        })
}

fn write(canvas: &mut Canvas, name: &str, [x, y]: Place) {
    let style = STYLE.align(Align::Centre);
    for turn in 0..12 {
        let (sine, cosine) = (f64::from(turn) * std::f64::consts::FRAC_PI_6).sin_cos();
        let place = [x + HALO * cosine, y + (HALO * sine).round()];
        canvas.text_middle(name, place, style.colour(WHITE));
    }
    canvas.text_middle(name, [x, y], style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_class_is_no_mean_and_there_may_be_none() {
        let places = [(0, [1.0, 5.0]), (0, [2.0, 6.0]), (0, [90.0, 7.0]), (2, [3.0, 3.0])];
        assert_eq!(middles(&places, 3), [Some([2.0, 6.0]), None, Some([3.0, 3.0])]);
    }

    #[test]
    fn names_of_classes_that_lie_upon_each_other_stand_beside_each_other() {
        let page = Area {
            left: 0.0,
            top: 0.0,
            width: 400.0,
            height: 300.0,
        };
        let classes: Vec<String> = (0..5).map(|class| format!("class {class}")).collect();
        let inked = |count: u16| {
            let mut canvas = Canvas::new(400, 300).unwrap();
            let places: Vec<(u16, Place)> = (0..count).map(|label| (label, [200.0, 150.0])).collect();
            draw(&mut canvas, &classes, &places, page);
            canvas.into_image().pixels().filter(|pixel| pixel.0[0] < 128).count()
        };
        // Each is written, and none over another.
        let counts = [1, 2, 3, 4, 5].map(inked);
        assert!(
            counts
                .windows(2)
                .all(|pair| pair[1] as f64 > pair[0] as f64 + 0.5 * counts[0] as f64),
            "{counts:?}"
        );
    }
}
