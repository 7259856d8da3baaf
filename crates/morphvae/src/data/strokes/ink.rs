//! Ink on paper: the path of a pen as grey pixels.

use super::SIDE;
use super::hand::Pen;

/// Over how many pixels the edge of a line fades.
const EDGE: f64 = 1.2;

/// Draws the paths into `image`, `[SIDE, SIDE]`: 255 inside a line, fading at its edges.
pub(super) fn ink(paths: &[Vec<Pen>], image: &mut [u8]) {
    for pair in paths.iter().flat_map(|path| path.windows(2)) {
        line(pair[0], pair[1], image);
    }
}

/// Draws one straight piece with round ends. What is inked already stays.
fn line(from: Pen, to: Pen, image: &mut [u8]) {
    let (along_x, along_y) = (to.x - from.x, to.y - from.y);
    let length_squared = along_x * along_x + along_y * along_y;
    // All of the ink lies in a circle around the middle.
    let (middle_x, middle_y) = (from.x + along_x / 2.0, from.y + along_y / 2.0);
    let reach = from.radius.max(to.radius) + EDGE / 2.0 + length_squared.sqrt() / 2.0;
    for row in pixels_between(middle_y - reach, middle_y + reach) {
        let away = row as f64 + 0.5 - middle_y;
        let reach = (reach * reach - away * away).max(0.0).sqrt();
        for column in pixels_between(middle_x - reach, middle_x + reach) {
            let pixel = &mut image[row * SIDE + column];
            if *pixel == 255 {
                continue;
            }
            let (x, y) = (column as f64 + 0.5 - from.x, row as f64 + 0.5 - from.y);
            let share = if length_squared > 0.0 {
                (x * along_x + y * along_y) / length_squared
            } else {
                0.0
            };
            let share = share.clamp(0.0, 1.0);
            let (x, y) = (x - share * along_x, y - share * along_y);
            let radius = from.radius + share * (to.radius - from.radius);
            let inside = radius - (x * x + y * y).sqrt();
            let grey = 255.0 * (inside / EDGE + 0.5).clamp(0.0, 1.0);
            *pixel = (*pixel).max((grey + 0.5) as u8);
        }
    }
}

/// The pixels of a row or column whose middles lie between two coordinates.
fn pixels_between(from: f64, to: f64) -> std::ops::Range<usize> {
    (from + 0.5) as usize..((to + 0.5) as usize).min(SIDE)
}
