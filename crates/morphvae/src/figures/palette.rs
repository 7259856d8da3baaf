//! What stands for classes, and colours for quantities.

use super::canvas::{Colour, Shape};

/// Ten colours that stay apart for everybody: found by a search that made the least difference between any two, in
/// `OKLab`, as large as it could at once for full colour vision and for the three kinds of colour blindness, simulated
/// after Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
/// 2009. That least difference is 0.17 for full colour vision and 0.11 for the others. Their order gives classes that
/// are often mixed up, such as the digits 4, 7 and 9 or 3, 5 and 8, the most unlike of them.
const TEN: [Colour; 10] = [
    [5, 112, 180],
    [222, 34, 6],
    [251, 196, 59],
    [127, 0, 4],
    [107, 178, 100],
    [132, 209, 247],
    [139, 77, 118],
    [82, 11, 192],
    [156, 87, 254],
    [211, 132, 187],
];

/// What the points of a class look like on a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassMark {
    /// Red, green and blue.
    pub colour: [u8; 3],
    /// Their shape.
    pub shape: Shape,
}

/// What points without a class look like among others that have one.
pub(super) const UNLABELLED: ClassMark = ClassMark {
    colour: [190; 3],
    shape: Shape::Disc,
};

/// Shapes in the order in which they are taken: what follows one another is unlike.
const SHAPES: [Shape; 7] = [
    Shape::Disc,
    Shape::Triangle,
    Shape::Square,
    Shape::Plus,
    Shape::Diamond,
    Shape::TriangleDown,
    Shape::Cross,
];

/// Whether so many classes are more than colours alone tell apart: then their names stand on a map, too.
pub(super) fn needs_names(count: usize) -> bool {
    count > TEN.len()
}

/// A mark for each of `count` classes.
///
/// Nobody keeps more than about ten colours apart. So the first ten classes are discs in ten colours, the next ten are
/// triangles in the same colours, and so on through seven shapes; after seventy they begin again.
#[must_use]
pub fn class_marks(count: usize) -> Vec<ClassMark> {
    let mark = |class: usize| ClassMark {
        colour: TEN[class % TEN.len()],
        shape: SHAPES[class / TEN.len() % SHAPES.len()],
    };
    (0..count).map(mark).collect()
}

/// A colour for a quantity from 0 (pale) to 1 (deep): one hue family, steadily darker.
pub(super) fn density(value: f64) -> Colour {
    let value = value.clamp(0.0, 1.0);
    lch(
        0.80 - 0.52 * value,
        0.075 + 0.06 * (std::f64::consts::PI * value).sin(),
        215.0 + 65.0 * value,
    )
}

/// A colour between two.
pub(super) fn mix(from: Colour, to: Colour, amount: f64) -> Colour {
    let mut mixed = from;
    for (channel, target) in mixed.iter_mut().zip(to) {
        *channel = (f64::from(*channel) + (f64::from(target) - f64::from(*channel)) * amount).round() as u8;
    }
    mixed
}

/// A colour of the given lightness (0 to 1), chroma and hue (degrees) in `OKLCh`; chroma is lowered until sRGB holds it.
///
/// Source: B. Ottosson, "A perceptual color space for image processing", 2020.
fn lch(lightness: f64, chroma: f64, hue: f64) -> Colour {
    let steps = 32;
    let linear = (0..=steps)
        .map(|step| linear_rgb(lightness, chroma * f64::from(steps - step) / f64::from(steps), hue))
        .find(|rgb| rgb.iter().all(|channel| (0.0..=1.0).contains(channel)))
        .unwrap_or([lightness.powi(3).clamp(0.0, 1.0); 3]);
    linear.map(|channel| {
        let encoded = if channel <= 0.003_130_8 {
            12.92 * channel
        } else {
            1.055 * channel.powf(1.0 / 2.4) - 0.055
        };
        (255.0 * encoded).round() as u8
    })
}

fn linear_rgb(lightness: f64, chroma: f64, hue: f64) -> [f64; 3] {
    let (sine, cosine) = hue.to_radians().sin_cos();
    let (a, b) = (chroma * cosine, chroma * sine);
    let long = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let medium = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let short = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(a: Colour, b: Colour) -> f64 {
        a.iter()
            .zip(b)
            .map(|(&a, b)| (f64::from(a) - f64::from(b)).powi(2))
            .sum::<f64>()
            .sqrt()
    }

    #[test]
    fn marks_of_classes_are_all_different_and_colours_far_apart() {
        for count in [2, 10, 11, 40, 62, 70] {
            let marks = class_marks(count);
            assert_eq!(marks.len(), count);
            for (index, a) in marks.iter().enumerate() {
                for b in &marks[..index] {
                    let apart = distance(a.colour, b.colour) > 60.0;
                    assert!(apart || (a.colour == b.colour && a.shape != b.shape), "{a:?} {b:?}");
                }
            }
        }
        assert!(class_marks(10).iter().all(|mark| mark.shape == Shape::Disc));
        assert_eq!(class_marks(300)[70], class_marks(1)[0]);
    }

    #[test]
    fn density_darkens_steadily() {
        let light = |value| density(value).iter().map(|&channel| u32::from(channel)).sum::<u32>();
        for step in 1..=20 {
            assert!(light(f64::from(step) / 20.0) < light(f64::from(step - 1) / 20.0));
        }
    }
}
