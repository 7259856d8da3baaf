//! Lines of text as coverage masks, set in the bundled typeface.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use std::sync::OnceLock;

static REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.ttf");
static SEMI_BOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.ttf");

/// Height of a capital letter in units of the font size.
pub(super) const CAPITAL_HEIGHT: f64 = 0.727;

/// How heavy the strokes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

/// One line of text as coverage, 0 to 1, in rows of `width`.
pub(super) struct Mask {
    pub width: usize,
    pub height: usize,
    /// The row of the baseline.
    pub baseline: usize,
    pub coverage: Vec<f32>,
}

fn font(weight: Weight) -> &'static FontRef<'static> {
    static FONTS: OnceLock<[FontRef<'static>; 2]> = OnceLock::new();
    let [regular, semi_bold] = FONTS.get_or_init(|| {
        [REGULAR, SEMI_BOLD].map(|bytes| FontRef::try_from_slice(bytes).expect("the bundled typeface is a typeface"))
    });
    match weight {
        Weight::Regular => regular,
        Weight::SemiBold => semi_bold,
    }
}

/// `ab_glyph` scales by the height of a line; a font's size is that of its em.
fn scale(weight: Weight, size: f64) -> PxScale {
    let font = font(weight);
    PxScale::from(size as f32 * font.height_unscaled() / font.units_per_em().unwrap_or(2048.0))
}

/// The glyphs of `text` with the pen positions of a line that starts at 0, and where the pen ends.
fn set(text: &str, weight: Weight, size: f64) -> (Vec<(ab_glyph::GlyphId, f32)>, f32) {
    let font = font(weight).as_scaled(scale(weight, size));
    let mut pen = 0.0;
    let mut glyphs: Vec<(ab_glyph::GlyphId, f32)> = Vec::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        let glyph = font.glyph_id(character);
        if let Some(&(previous, _)) = glyphs.last() {
            pen += font.kern(previous, glyph);
        }
        glyphs.push((glyph, pen));
        pen += font.h_advance(glyph);
    }
    (glyphs, pen)
}

/// The width of a line of text, in pixels.
pub(super) fn width(text: &str, weight: Weight, size: f64) -> f64 {
    f64::from(set(text, weight, size).1)
}

/// The text itself, or as much of both its ends as fits into `limit` pixels with an ellipsis between them: names often
/// differ at their end.
pub(super) fn shortened(text: &str, weight: Weight, size: f64, limit: f64) -> String {
    if width(text, weight, size) <= limit {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let candidate = |kept: usize| {
        let [beginning, end] = [&letters[..kept.div_ceil(2)], &letters[letters.len() - kept / 2..]];
        let [beginning, end] = [beginning, end].map(|letters| letters.iter().collect::<String>());
        format!("{}…{}", beginning.trim_end(), end.trim_start())
    };
    let fits = |candidate: &String| width(candidate, weight, size) <= limit;
    let mut candidates = (0..letters.len()).rev().map(candidate);
    candidates.find(fits).unwrap_or_else(|| "…".to_owned())
}

/// Draws a line of text. `shift` moves it right by a part of a pixel, so that centred lines stay centred.
pub(super) fn mask(text: &str, weight: Weight, size: f64, shift: f64) -> Mask {
    let font = font(weight);
    let scale = scale(weight, size);
    let (glyphs, end) = set(text, weight, size);
    // A margin of a fifth of the size holds whatever hangs over: accents, slanted ends.
    let margin = (size / 5.0).ceil() as usize;
    let baseline = margin + size.ceil() as usize;
    let width = 2 * margin + end.ceil() as usize + 1;
    let height = baseline + (size / 3.0).ceil() as usize + margin;
    let mut coverage = vec![0.0; width * height];
    for (id, pen) in glyphs {
        let position = point(margin as f32 + shift as f32 + pen, baseline as f32);
        let Some(outline) = font.outline_glyph(id.with_scale_and_position(scale, position)) else {
            continue;
        };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, value| {
            let (column, row) = (corner.x as i64 + i64::from(x), corner.y as i64 + i64::from(y));
            if (0..width as i64).contains(&column) && (0..height as i64).contains(&row) {
                let pixel: &mut f32 = &mut coverage[row as usize * width + column as usize];
                *pixel = (*pixel + value).min(1.0);
            }
        });
    }
    Mask {
        width,
        height,
        baseline,
        coverage,
    }
}

impl Mask {
    /// Columns left of the first letter's origin.
    pub fn margin(size: f64) -> usize {
        (size / 5.0).ceil() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_of_the_axes_has_a_glyph() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            for sign in "z₁z₂z₃σβμ−·×…–→≤≥ÄÖÜßéñ".chars() {
                assert_ne!(font(weight).glyph_id(sign).0, 0, "{sign} is missing");
            }
        }
    }

    #[test]
    fn a_long_name_is_shortened_to_its_limit() {
        let short = shortened("a very long name of a class indeed", Weight::Regular, 24.0, 150.0);
        assert!(short.starts_with("a v") && short.contains('…') && short.ends_with("eed"));
        assert!(width(&short, Weight::Regular, 24.0) <= 150.0);
        assert_eq!(shortened("seven", Weight::Regular, 24.0, 150.0), "seven");
    }

    #[test]
    fn letters_are_kerned() {
        let apart = width("A", Weight::Regular, 100.0) + width("V", Weight::Regular, 100.0);
        assert!(width("AV", Weight::Regular, 100.0) < apart - 2.0);
    }
}
