//! The page that figures are drawn on: a white, opaque picture with antialiased lines, discs and text.

use super::FigureError;
use super::text::{self, CAPITAL_HEIGHT, Weight};
use image::RgbImage;
use tiny_skia::{FillRule, IntSize, Paint, Path, PathBuilder, Pixmap, Rect, StrokeDash, Transform};

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

// All of them grey, so that a page of grey images is stored in grey.
pub(super) const WHITE: Colour = [255, 255, 255];
/// Titles and the names of things.
pub(super) const INK: Colour = [34; 3];
/// Subtitles, tick labels, notes.
pub(super) const QUIET: Colour = [108; 3];
/// Lines that carry meaning without being data: the origin, the prior.
pub(super) const RULE: Colour = [176; 3];
/// Grid lines.
pub(super) const GRID: Colour = [234; 3];

/// Pixels that a side of a picture may have; well inside what PNG and GIF can hold.
const LONGEST_SIDE: usize = 20_000;
/// Pixels that a picture may have: 4 bytes each while drawing.
const MOST_PIXELS: usize = 100_000_000;

/// A point on the page: pixels from the left and from the top.
pub(super) type Place = [f64; 2];

/// The shape of a point on a map. All are as large as the disc, as far as the eye takes area for size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// ●
    Disc,
    /// ▲
    Triangle,
    /// ■
    Square,
    /// ✚
    Plus,
    /// ◆
    Diamond,
    /// ▼
    TriangleDown,
    /// ✖
    Cross,
}

impl Shape {
    /// A name for programs: `triangle-down`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disc => "disc",
            Self::Triangle => "triangle",
            Self::Square => "square",
            Self::Plus => "plus",
            Self::Diamond => "diamond",
            Self::TriangleDown => "triangle-down",
            Self::Cross => "cross",
        }
    }

    /// How far a place, measured from the middle in radii, lies outside of the shape; negative inside. Exact along the
    /// sides, and too small beyond corners.
    fn outside(self, [x, y]: [f64; 2]) -> f64 {
        use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_6};
        let plus = |x: f64, y: f64| {
            let (length, width) = (1.25, 0.44);
            let arm = |along: f64, across: f64| (along.abs() - length).max(across.abs() - width);
            arm(x, y).min(arm(y, x))
        };
        let triangle = |y: f64| {
            let (sine, cosine) = FRAC_PI_6.sin_cos();
            (cosine * x.abs() - sine * y).max(y) - 0.777
        };
        match self {
            Self::Disc => x.hypot(y) - 1.0,
            Self::Square => x.abs().max(y.abs()) - 0.886,
            Self::Diamond => FRAC_1_SQRT_2 * (x.abs() + y.abs() - 1.253),
            Self::Triangle => triangle(y),
            Self::TriangleDown => triangle(-y),
            Self::Plus => plus(x, y),
            Self::Cross => plus(FRAC_1_SQRT_2 * (x + y), FRAC_1_SQRT_2 * (x - y)),
        }
    }

    /// How far from its middle the shape reaches, in radii.
    fn reach(self) -> f64 {
        match self {
            Self::Disc => 1.0,
            _ => 1.6,
        }
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub colour: Colour,
    pub width: f64,
    /// Lengths of a dash and of the gap after it.
    pub dash: Option<[f64; 2]>,
}

impl Stroke {
    pub const fn solid(colour: Colour, width: f64) -> Self {
        Self {
            colour,
            width,
            dash: None,
        }
    }
}

/// Which part of a text lies at its place, across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub size: f64,
    pub weight: Weight,
    pub colour: Colour,
    pub align: Align,
}

impl Style {
    pub const TITLE: Self = Self {
        size: 42.0,
        weight: Weight::SemiBold,
        colour: INK,
        align: Align::Left,
    };
    pub const SUBTITLE: Self = Self {
        size: 28.0,
        weight: Weight::Regular,
        colour: QUIET,
        align: Align::Left,
    };
    pub const NAME: Self = Self {
        size: 28.0,
        weight: Weight::Regular,
        colour: INK,
        align: Align::Centre,
    };
    pub const TICK: Self = Self {
        size: 24.0,
        weight: Weight::Regular,
        colour: QUIET,
        align: Align::Centre,
    };
    pub const NOTE: Self = Self {
        size: 22.0,
        weight: Weight::Regular,
        colour: QUIET,
        align: Align::Left,
    };

    pub const fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub const fn colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    pub const fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    /// The width of `text` in this style, in pixels.
    pub fn measure(&self, text: &str) -> f64 {
        text::width(text, self.weight, self.size)
    }
}

pub(super) struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// Whether a page may be so large.
    pub fn check(width: usize, height: usize) -> Result<(), FigureError> {
        if width.max(height) > LONGEST_SIDE || width * height > MOST_PIXELS {
            return Err(FigureError::TooLarge { width, height });
        }
        Ok(())
    }

    /// A white page.
    pub fn new(width: usize, height: usize) -> Result<Self, FigureError> {
        Self::check(width, height)?;
        let too_large = FigureError::TooLarge { width, height };
        let size = IntSize::from_wh(width as u32, height as u32);
        let pixmap = size.and_then(|size| Pixmap::from_vec(vec![255; 4 * width * height], size));
        Ok(Self {
            pixmap: pixmap.ok_or(too_large)?,
        })
    }

    pub fn rectangle(&mut self, [left, top]: Place, [width, height]: [f64; 2], colour: Colour) {
        if let Some(rectangle) = Rect::from_xywh(left as f32, top as f32, width as f32, height as f32) {
            self.pixmap
                .fill_rect(rectangle, &paint(colour), Transform::identity(), None);
        }
    }

    pub fn polygon(&mut self, corners: &[Place], colour: Colour) {
        if let Some(path) = path(corners, true) {
            self.pixmap
                .fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// A line through `places`.
    pub fn line(&mut self, places: &[Place], stroke: Stroke) {
        if let Some(path) = path(places, false) {
            self.stroke(&path, stroke);
        }
    }

    pub fn circle(&mut self, [x, y]: Place, radius: f64, stroke: Stroke) {
        if let Some(path) = PathBuilder::from_circle(x as f32, y as f32, radius as f32) {
            self.stroke(&path, stroke);
        }
    }

    fn stroke(&mut self, path: &Path, stroke: Stroke) {
        let how = tiny_skia::Stroke {
            width: stroke.width as f32,
            line_cap: if stroke.dash.is_some() {
                tiny_skia::LineCap::Butt
            } else {
                tiny_skia::LineCap::Round
            },
            line_join: tiny_skia::LineJoin::Round,
            dash: stroke
                .dash
                .and_then(|[dash, gap]| StrokeDash::new(vec![dash as f32, gap as f32], 0.0)),
            ..tiny_skia::Stroke::default()
        };
        self.pixmap
            .stroke_path(path, &paint(stroke.colour), &how, Transform::identity(), None);
    }

    /// A filled disc. Written out, since a figure has tens of thousands: a pixel's coverage is its centre's distance
    /// inside the rim, which is exact to a few percent for radii of a pixel and more.
    pub fn disc(&mut self, [x, y]: Place, radius: f64, colour: Colour, opacity: f64) {
        let core = (radius - 0.5).max(0.0).powi(2);
        let coverage = |dx: f64, dy: f64| match dx * dx + dy * dy {
            squared if squared <= core => 1.0,
            squared => radius + 0.5 - squared.sqrt(),
        };
        self.fill([x, y], radius + 0.5, colour, opacity, coverage);
    }

    /// A point of a map: a filled shape as large as a disc of this radius.
    pub fn mark(&mut self, shape: Shape, place: Place, radius: f64, colour: Colour, opacity: f64) {
        if shape == Shape::Disc {
            return self.disc(place, radius, colour, opacity);
        }
        let coverage = |dx: f64, dy: f64| 0.5 - radius * shape.outside([dx / radius, dy / radius]);
        self.fill(place, shape.reach() * radius + 0.5, colour, opacity, coverage);
    }

    /// Fills what lies no farther than `reach` from a place, by how much a pixel is covered: nothing at 0 and below,
    /// wholly at 1 and above. It is told how far the pixel's centre lies from the place.
    fn fill(&mut self, [x, y]: Place, reach: f64, colour: Colour, opacity: f64, coverage: impl Fn(f64, f64) -> f64) {
        let [columns, rows] = [(x, self.pixmap.width()), (y, self.pixmap.height())].map(|(centre, side)| {
            let first = (centre - reach).floor().max(0.0) as usize;
            first..((centre + reach).ceil().max(0.0) as usize).min(side as usize)
        });
        let width = self.pixmap.width() as usize;
        let pixels = self.pixmap.data_mut();
        for row in rows {
            let dy = row as f64 + 0.5 - y;
            for column in columns.clone() {
                let dx = column as f64 + 0.5 - x;
                let coverage = coverage(dx, dy).min(1.0);
                if coverage > 0.0 {
                    blend(
                        &mut pixels[4 * (row * width + column)..][..3],
                        colour,
                        (coverage * opacity) as f32,
                    );
                }
            }
        }
    }

    /// One line of text, its baseline at `place`.
    pub fn text(&mut self, text: &str, [x, y]: Place, style: Style) {
        let left = x - style.measure(text) * share(style.align);
        let mask = text::mask(text, style.weight, style.size, left - left.floor());
        let first_column = left.floor() as i64 - text::Mask::margin(style.size) as i64;
        let first_row = y.round() as i64 - mask.baseline as i64;
        for (row, line) in mask.coverage.chunks_exact(mask.width).enumerate() {
            for (column, &coverage) in line.iter().enumerate() {
                self.ink(
                    first_column + column as i64,
                    first_row + row as i64,
                    style.colour,
                    coverage,
                );
            }
        }
    }

    /// One line of text with the middle of its capitals at `place`.
    pub fn text_middle(&mut self, text: &str, [x, y]: Place, style: Style) {
        self.text(text, [x, y + style.size * CAPITAL_HEIGHT / 2.0], style);
    }

    /// One line of text that reads upwards, centred, its baseline at `place`.
    pub fn text_upwards(&mut self, text: &str, [x, y]: Place, style: Style) {
        let start = y + style.measure(text) / 2.0;
        let mask = text::mask(text, style.weight, style.size, start.ceil() - start);
        let last_row = start.ceil() as i64 + text::Mask::margin(style.size) as i64;
        let first_column = x.round() as i64 - mask.baseline as i64;
        for (row, line) in mask.coverage.chunks_exact(mask.width).enumerate() {
            for (column, &coverage) in line.iter().enumerate() {
                self.ink(
                    first_column + row as i64,
                    last_row - 1 - column as i64,
                    style.colour,
                    coverage,
                );
            }
        }
        debug_assert_eq!(mask.coverage.len(), mask.width * mask.height);
    }

    fn ink(&mut self, column: i64, row: i64, colour: Colour, coverage: f32) {
        let (width, height) = (i64::from(self.pixmap.width()), i64::from(self.pixmap.height()));
        if coverage > 0.0 && (0..width).contains(&column) && (0..height).contains(&row) {
            let index = 4 * (row * width + column) as usize;
            blend(&mut self.pixmap.data_mut()[index..][..3], colour, coverage);
        }
    }

    /// Copies a picture, its corner at `left`, `top`.
    pub fn picture(&mut self, picture: &RgbImage, left: usize, top: usize) {
        let width = self.pixmap.width() as usize;
        let visible = (picture.width() as usize).min(width.saturating_sub(left));
        let rows = self.pixmap.data_mut().chunks_exact_mut(4 * width).skip(top);
        for (row, source) in rows.zip(picture.as_raw().chunks_exact(3 * picture.width().max(1) as usize)) {
            for (pixel, colour) in row
                .chunks_exact_mut(4)
                .skip(left)
                .zip(source.chunks_exact(3))
                .take(visible)
            {
                pixel[..3].copy_from_slice(colour);
            }
        }
    }

    pub fn into_image(self) -> RgbImage {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let mut bytes = self.pixmap.take();
        // In place: a page has millions of pixels.
        let count = bytes.len() / 4;
        for pixel in 1..count {
            bytes.copy_within(4 * pixel..4 * pixel + 3, 3 * pixel);
        }
        bytes.truncate(3 * count);
        RgbImage::from_raw(width, height, bytes).unwrap_or_default()
    }
}

/// The part of a text's width that lies left of its place.
fn share(align: Align) -> f64 {
    match align {
        Align::Left => 0.0,
        Align::Centre => 0.5,
        Align::Right => 1.0,
    }
}

/// Mixes a colour into an opaque pixel.
fn blend(pixel: &mut [u8], colour: Colour, amount: f32) {
    for (channel, target) in pixel.iter_mut().zip(colour) {
        let (old, new) = (f32::from(*channel), f32::from(target));
        // Adding a half and cutting off rounds, as no value is negative.
        *channel = (old + (new - old) * amount + 0.5) as u8;
    }
}

fn paint(colour: Colour) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

fn path(places: &[Place], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = places.split_first()?;
    builder.move_to(first[0] as f32, first[1] as f32);
    for place in rest {
        builder.line_to(place[0] as f32, place[1] as f32);
    }
    if closed {
        builder.close();
    }
    builder.finish()
}
