//! The latent map of three dimensions: a box seen from a place outside it.

use super::super::canvas::{Align, Canvas, Place, Shape, Style};
use super::super::palette::{self, ClassMark, class_marks};
use super::super::{Caption, FigureError, Labels};
use super::area::Area;
use super::legend::Legend;
use super::names;
use super::range::{Range, note};
use super::view::View;
use super::{Points, by_count, interleaved};
use image::RgbImage;

/// Directions to look from, 60° apart, none of them along a side of the box.
pub const AZIMUTHS: [f64; 6] = [15.0, 75.0, 135.0, 195.0, 255.0, 315.0];
/// The height to look from, in degrees above the plane of the first two axes.
pub const ELEVATION: f64 = 30.0;

/// What a map of space says besides its points.
#[derive(Clone, Copy, Debug)]
pub struct Space<'a> {
    /// The words over the map.
    pub caption: Caption<'a>,
    /// The names of the three axes.
    pub axes: [&'a str; 3],
}

/// The rectangle that one view is drawn in, in pixels.
const WIDTH: f64 = 1500.0;
const HEIGHT: f64 = 1470.0;
/// Around everything.
const MARGIN: f64 = 64.0;
/// The side of the square that the box turns in.
const FRAME: f64 = 640.0;
/// Around the legend of an animation.
const FRAME_MARGIN: f64 = 28.0;
/// Points that an animation shows at most: more would only make it large.
const MOST_TURNING: usize = 3000;

/// Draws points of space seen from `azimuth` and `elevation` (degrees), coloured by class or, without labels, all alike.
///
/// All axes have the same scale. Near points are larger and stronger than far ones.
///
/// # Errors
/// [`FigureError`] when there is no point, none is finite, or the labels do not fit.
pub fn space(points: &Points<3>, space: &Space, azimuth: f64, elevation: f64) -> Result<RgbImage, FigureError> {
    let cloud = Cloud::new(points)?;
    let legend = points.labels.map(Legend::new);
    let legend_height = HEIGHT - 60.0;
    let legend_width = legend.as_ref().map_or(0.0, |legend| legend.width(legend_height));
    let width = MARGIN + WIDTH + legend_width + MARGIN;
    let caption_width = width - 2.0 * MARGIN;
    let top = MARGIN + space.caption.height(caption_width);
    let mut canvas = Canvas::new(width as usize, (top + HEIGHT + MARGIN) as usize)?;
    space.caption.draw(&mut canvas, [MARGIN, MARGIN], caption_width);

    let view = View::new(
        azimuth,
        elevation,
        [MARGIN + WIDTH / 2.0, top + 0.435 * HEIGHT],
        0.29 * WIDTH,
    );
    view.draw_walls(&mut canvas, &cloud.range);
    view.draw_numbers(&mut canvas, &cloud.range, space.axes);
    view.draw_points(
        &mut canvas,
        &cloud.places,
        &cloud.marks,
        by_count(cloud.places.len(), 9.0, 5.4, [3.0, 13.0]),
    );
    if let Some(labels) = points
        .labels
        .filter(|labels| palette::needs_names(labels.classes_present().len()))
    {
        let places: Vec<(u16, Place)> = cloud
            .places
            .iter()
            .zip(&cloud.labels)
            .filter_map(|(&point, &label)| Some((label?, view.place(point))))
            .collect();
        let page = Area {
            left: MARGIN,
            top,
            width: WIDTH,
            height: HEIGHT,
        };
        names::draw(&mut canvas, labels.classes, &places, page);
    }
    if let Some(legend) = legend {
        legend.draw(&mut canvas, MARGIN + WIDTH, top, legend_height);
    }
    if let Some(note) = note(cloud.outside) {
        canvas.text(&note, [MARGIN + WIDTH, top + HEIGHT], Style::NOTE.align(Align::Right));
    }
    Ok(canvas.into_image())
}

/// Draws one turn around the box in `frames` views, for an animation that repeats without a jump.
///
/// # Errors
/// As [`space`]; also when `frames` is zero.
pub fn turning(points: &Points<3>, space: &Space, elevation: f64, frames: usize) -> Result<Vec<RgbImage>, FigureError> {
    if frames == 0 {
        return Err(FigureError::Empty { what: "frames" });
    }
    let mut cloud = Cloud::new(points)?;
    cloud.thin_out(MOST_TURNING);
    let legend = points.labels.map(Legend::new);
    let legend_height = FRAME - 2.0 * FRAME_MARGIN;
    let legend_width = legend
        .as_ref()
        .map_or(0.0, |legend| legend.width(legend_height) + FRAME_MARGIN);
    let radius = by_count(cloud.places.len(), 4.6, 3.0, [2.4, 6.0]);
    (0..frames)
        .map(|frame| {
            let azimuth = AZIMUTHS[0] + 360.0 * frame as f64 / frames as f64;
            let mut canvas = Canvas::new((FRAME + legend_width) as usize, FRAME as usize)?;
            let view = View::new(azimuth, elevation, [FRAME / 2.0, 0.46 * FRAME], 0.288 * FRAME);
            view.draw_walls(&mut canvas, &cloud.range);
            view.draw_names(&mut canvas, space.axes);
            view.draw_points(&mut canvas, &cloud.places, &cloud.marks, radius);
            if let Some(legend) = &legend {
                legend.draw(&mut canvas, FRAME, FRAME_MARGIN, legend_height);
            }
            Ok(canvas.into_image())
        })
        .collect()
}

/// The points inside the box, with their colours.
struct Cloud {
    range: Range<3>,
    /// In [-1, 1]³.
    places: Vec<[f64; 3]>,
    /// Their classes; empty without labels.
    labels: Vec<Option<u16>>,
    marks: Vec<ClassMark>,
    outside: usize,
}

impl Cloud {
    fn new(points: &Points<3>) -> Result<Self, FigureError> {
        points.check()?;
        let count = points.positions.len();
        let range = Range::of(points.positions).ok_or(FigureError::NotFinite { what: "points", count })?;
        let inside: Vec<(usize, [f64; 3])> = interleaved(count)
            .filter_map(|index| Some((index, range.normalized(points.positions[index])?)))
            .collect();
        let plain = ClassMark {
            colour: palette::density(0.6),
            shape: Shape::Disc,
        };
        let label = |labels: Labels| inside.iter().map(|&(index, _)| labels.indices[index]).collect();
        let labels: Vec<Option<u16>> = points.labels.map_or_else(Vec::new, label);
        let classes = points.labels.map_or(0, |labels| labels.classes.len());
        let classes = class_marks(classes);
        let mark = |label: &Option<u16>| label.map_or(palette::UNLABELLED, |label| classes[usize::from(label)]);
        let marks = match points.labels {
            Some(_) => labels.iter().map(mark).collect(),
            None => vec![plain; inside.len()],
        };
        let places: Vec<[f64; 3]> = inside.into_iter().map(|(_, place)| place).collect();
        Ok(Self {
            range,
            outside: count - places.len(),
            places,
            labels,
            marks,
        })
    }

    /// Keeps the first `most` points, which are as mixed as all are.
    fn thin_out(&mut self, most: usize) {
        self.places.truncate(most);
        self.labels.truncate(most);
        self.marks.truncate(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Space = Space {
        caption: Caption {
            title: None,
            subtitle: None,
        },
        axes: ["z₁", "z₂", "z₃"],
    };

    fn helix(count: usize) -> Vec<[f64; 3]> {
        (0..count)
            .map(|index| index as f64 / 10.0)
            .map(|turn| [turn.sin(), turn.cos(), turn / 10.0])
            .collect()
    }

    #[test]
    fn every_view_is_drawn_and_each_differs() {
        let positions = helix(300);
        let indices: Vec<Option<u16>> = (0..300)
            .map(|index| Some(index % 4).filter(|&class| class < 3))
            .collect();
        let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let points = Points {
            positions: &positions,
            labels: Some(Labels {
                indices: &indices,
                classes: &classes,
            }),
        };
        let views: Vec<RgbImage> = AZIMUTHS
            .iter()
            .map(|&azimuth| space(&points, &PLAIN, azimuth, ELEVATION).unwrap())
            .collect();
        for (index, view) in views.iter().enumerate() {
            assert!(view.width() >= 1600 && view.height() >= 1400);
            assert!(views[..index].iter().all(|other| other != view));
        }
    }

    #[test]
    fn what_lies_in_the_middle_is_drawn_there_from_every_side() {
        let corners = [[-1.0; 3], [1.0; 3]];
        let middle = [&corners[..], &[[0.0; 3]]].concat();
        let (indices, classes) = ([Some(0); 3], ["blue".to_owned()]);
        for azimuth in AZIMUTHS {
            let [without, with] = [&corners[..], &middle].map(|positions| {
                let labels = Some(Labels {
                    indices: &indices[..positions.len()],
                    classes: &classes,
                });
                let figure = space(&Points { positions, labels }, &PLAIN, azimuth, ELEVATION).unwrap();
                let [x, y] = [MARGIN + WIDTH / 2.0, MARGIN + 0.435 * HEIGHT];
                let [red, _, blue] = figure.get_pixel(x as u32, y as u32).0;
                i16::from(blue) - i16::from(red)
            });
            assert!(without < 10 && with > 50, "{without} and {with} from {azimuth}");
        }
    }

    #[test]
    fn a_turn_has_its_frames_and_starts_anew_where_it_ends() {
        let positions = helix(50);
        let points = Points {
            positions: &positions,
            labels: None,
        };
        let frames = turning(&points, &PLAIN, ELEVATION, 4).unwrap();
        assert_eq!(frames[0].dimensions(), (640, 640));
        let classes = ["smile".to_owned()];
        let labels = Labels {
            indices: &[Some(0); 50],
            classes: &classes,
        };
        let labelled = Points {
            labels: Some(labels),
            ..points
        };
        assert!(turning(&labelled, &PLAIN, ELEVATION, 1).unwrap()[0].width() > 700);
        assert_eq!(frames.len(), 4);
        assert!(frames.iter().all(|frame| frame.dimensions() == frames[0].dimensions()));
        assert!(frames[0] != frames[1] && frames[3] != frames[0]);
        assert!(matches!(
            turning(&points, &PLAIN, ELEVATION, 0),
            Err(FigureError::Empty { .. })
        ));
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let points = Points {
            positions: &[[f64::NAN; 3]],
            labels: None,
        };
        assert!(matches!(
            space(&points, &PLAIN, 15.0, ELEVATION),
            Err(FigureError::NotFinite { .. })
        ));
        let points = Points {
            positions: &[],
            labels: None,
        };
        assert!(matches!(
            space(&points, &PLAIN, 15.0, ELEVATION),
            Err(FigureError::Empty { .. })
        ));
    }
}
