//! Two figures on one page.

use super::FigureError;
use super::canvas::{Canvas, Style};
use image::RgbImage;

/// For the words over each figure.
const HEADING: usize = 96;

/// Lays two figures side by side, each under a word or two: the maps of two models.
///
/// # Errors
/// [`FigureError::TooLarge`] when the page would be too large.
pub fn side_by_side(left: &RgbImage, right: &RgbImage, headings: [&str; 2]) -> Result<RgbImage, FigureError> {
    let [left_width, right_width] = [left, right].map(|picture| picture.width() as usize);
    let height = left.height().max(right.height()) as usize;
    let mut canvas = Canvas::new(left_width + right_width, HEADING + height)?;
    let starts = [0, left_width];
    for ((picture, heading), start) in [left, right].into_iter().zip(headings).zip(starts) {
        let middle = start as f64 + f64::from(picture.width()) / 2.0;
        canvas.text(
            heading,
            [middle, 80.0],
            Style {
                align: super::canvas::Align::Centre,
                ..Style::TITLE
            },
        );
        canvas.picture(picture, start, HEADING + (height - picture.height() as usize) / 2);
    }
    Ok(canvas.into_image())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn both_figures_are_there_at_their_full_size() {
        let [left, right] = [(300, 200, [200, 0, 0]), (250, 100, [0, 0, 200])]
            .map(|(width, height, colour)| RgbImage::from_pixel(width, height, Rgb(colour)));
        let page = side_by_side(&left, &right, ["Autoencoder", "VAE"]).unwrap();
        let count = |colour| page.pixels().filter(|pixel| pixel.0 == colour).count();
        assert_eq!((count([200, 0, 0]), count([0, 0, 200])), (300 * 200, 250 * 100));
    }
}
