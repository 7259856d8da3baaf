//! The error curve: how many images a classifier takes for another class, epoch by epoch.

use image::RgbImage;

use super::canvas::{Canvas, Style};
use super::curve::{BLUE, BOTTOM, GREEN, LARGE, LEFT, Line, MARGIN, Panel, WIDTH, draw_epochs, epoch_range};
use super::{Caption, FigureError};

/// One epoch of an error curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorPoint {
    /// The number of epochs trained, counted from 1.
    pub epoch: u32,
    /// The share of the test images that is taken for another class.
    pub test: Option<f64>,
    /// The same of validation images, where some are held out.
    pub validation: Option<f64>,
}

/// Draws the errors by epoch, in percent.
///
/// # Errors
/// [`FigureError`] when there is no error to draw.
pub fn error_curve(epochs: &[ErrorPoint], caption: &Caption) -> Result<RgbImage, FigureError> {
    let line = |name: &str, colour, error: fn(&ErrorPoint) -> Option<f64>| Line {
        name: format!("{name}, %"),
        colour,
        dashed: false,
        values: epochs
            .iter()
            .filter_map(|point| Some([f64::from(point.epoch), 100.0 * error(point)?]))
            .collect(),
    };
    let lines = [
        line("test error", BLUE, |point| point.test),
        line("validation error", GREEN, |point| point.validation),
    ];
    let lines: Vec<Line> = lines.into_iter().filter(|line| !line.values.is_empty()).collect();
    if lines.is_empty() {
        return Err(FigureError::Empty { what: "errors" });
    }
    let caption_width = WIDTH - LEFT - MARGIN;
    let top = MARGIN + caption.height(caption_width);
    let mut canvas = Canvas::new(WIDTH as usize, (top + LARGE + BOTTOM) as usize)?;
    caption.draw(&mut canvas, [LEFT, MARGIN], caption_width);
    let across = epoch_range(epochs.iter().map(|point| point.epoch));
    Panel::new(&lines, across, [top, LARGE], 7).draw(&mut canvas, &lines, 2);
    draw_epochs(&mut canvas, across, top + LARGE);
    canvas.text_upwards(
        "images taken for another class, %",
        [LEFT - 108.0, top + LARGE / 2.0],
        Style::NAME,
    );
    Ok(canvas.into_image())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_drawn_where_there_are_some() {
        let point = |epoch, test| ErrorPoint {
            epoch,
            test,
            validation: None,
        };
        let caption = Caption::new("errors", "of nothing");
        let points = [point(1, Some(0.5)), point(2, None), point(3, Some(0.1))];
        assert!(error_curve(&points, &caption).unwrap().height() > 800);
        let error = error_curve(&[point(1, None)], &caption).unwrap_err();
        assert!(error.to_string().contains("errors"), "{error}");
    }
}
