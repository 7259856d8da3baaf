//! Colours for the 256 greys.

use crate::choice::Choice;

/// What colour each grey of an image gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colormap {
    /// Its own.
    #[default]
    Grey,
    /// The negative: dark on white where an image is light on black.
    Ink,
    /// Dark blue over green to yellow, in steps that look equal.
    Viridis,
    /// Black over purple to pale yellow, in steps that look equal.
    Magma,
    /// Black over red to pale yellow, in steps that look equal.
    Inferno,
}

impl Choice for Colormap {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Grey, "grey", "As they are"),
        (Self::Ink, "ink", "Dark ink on paper"),
        (Self::Viridis, "viridis", "Violet, green, yellow"),
        (Self::Magma, "magma", "Black, violet, pale yellow"),
        (Self::Inferno, "inferno", "Black, red, pale yellow"),
    ];
}

// 256 colours each, as red, green and blue bytes: the tables of Matplotlib's `_cm_listed`, which are dedicated to the
// public domain (CC0), times 255 and rounded.
// Source: N. Smith and S. van der Walt, "A better default colormap for Matplotlib", SciPy 2015.
static VIRIDIS: &[u8; 768] = include_bytes!("colormaps/viridis.rgb");
static MAGMA: &[u8; 768] = include_bytes!("colormaps/magma.rgb");
static INFERNO: &[u8; 768] = include_bytes!("colormaps/inferno.rgb");

impl Colormap {
    /// The colour of every grey, from black to white.
    pub(super) fn colours(self) -> [[u8; 3]; 256] {
        let table = match self {
            Self::Grey => return std::array::from_fn(|grey| [grey as u8; 3]),
            Self::Ink => return std::array::from_fn(|grey| [255 - grey as u8; 3]),
            Self::Viridis => VIRIDIS,
            Self::Magma => MAGMA,
            Self::Inferno => INFERNO,
        };
        std::array::from_fn(|grey| [table[3 * grey], table[3 * grey + 1], table[3 * grey + 2]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_grows_steadily_lighter_or_darker() {
        let light = |[red, green, blue]: [u8; 3]| {
            0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue)
        };
        let maps = [Colormap::Grey, Colormap::Viridis, Colormap::Magma, Colormap::Inferno];
        for map in maps {
            let lights = map.colours().map(light);
            // Colours of whole bytes may stand still for a step.
            assert!(lights.windows(2).all(|pair| pair[1] > pair[0] - 0.4), "{map:?}");
            assert!(lights.windows(9).all(|steps| steps[8] > steps[0]), "{map:?}");
        }
        assert_eq!(Colormap::Viridis.colours()[0], [68, 1, 84]);
        assert_eq!(Colormap::Inferno.colours()[255], [252, 255, 164]);
        let mut ink = Colormap::Ink.colours();
        ink.reverse();
        assert_eq!(ink, Colormap::Grey.colours());
    }
}
