//! Colours for classes and for quantities.

use super::canvas::Colour;

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

/// One colour for each of `count` classes.
///
/// Up to ten have colours chosen by hand. More share one turn of the colour circle, with three steps of lightness taken
/// in turns, so that neighbours of a long list differ as well. Each is red, green and blue.
#[must_use]
pub fn class_colours(count: usize) -> Vec<[u8; 3]> {
    if count <= TEN.len() {
        return TEN[..count].to_vec();
    }
    let lightness = [0.56, 0.74, 0.42];
    (0..count)
        .map(|class| {
            let turn = class as f64 / count as f64;
            lch(lightness[class % 3], 0.15, 20.0 + 360.0 * turn)
        })
        .collect()
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
    fn colours_of_classes_are_all_different() {
        for (count, least) in [(2, 100.0), (10, 60.0), (20, 20.0), (26, 15.0), (62, 5.0)] {
            let colours = class_colours(count);
            assert_eq!(colours.len(), count);
            for (index, &a) in colours.iter().enumerate() {
                for &b in &colours[..index] {
                    assert!(distance(a, b) >= least, "{count} classes: {a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn neighbours_of_a_long_list_differ_clearly() {
        for pair in class_colours(62).windows(2) {
            assert!(distance(pair[0], pair[1]) > 50.0, "{pair:?}");
        }
    }

    #[test]
    fn density_darkens_steadily() {
        let light = |value| density(value).iter().map(|&channel| u32::from(channel)).sum::<u32>();
        for step in 1..=20 {
            assert!(light(f64::from(step) / 20.0) < light(f64::from(step - 1) / 20.0));
        }
    }
}
