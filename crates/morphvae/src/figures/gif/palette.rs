//! The colours of a GIF.

use color_quant::NeuQuant;
use image::RgbImage;

/// Colours that a GIF can hold.
const MOST_COLOURS: u16 = 256;
/// Pixels from which a palette is learnt, at most.
const MOST_SAMPLES: usize = 400_000;
/// The quantizer's own setting: it learns from one sample in so many, and from all is best.
const SAMPLE_FRACTION: i32 = 1;

/// At most 256 colours, and which of them stands for a pixel.
pub(super) struct Palette {
    /// Red, green and blue of each.
    pub colours: Vec<u8>,
    /// For each of the 2²⁴ colours one more than its index, or 0 while it is unknown.
    known: Vec<u16>,
    /// Answers for unknown colours; none when the palette is exact.
    quantizer: Option<NeuQuant>,
}

impl Palette {
    pub fn of(frames: &[RgbImage]) -> Self {
        Self::exact(frames).unwrap_or_else(|| Self::learnt(frames))
    }

    /// The very colours of the frames, unless they are too many.
    pub fn exact(frames: &[RgbImage]) -> Option<Self> {
        let mut palette = Self {
            colours: Vec::new(),
            known: vec![0; 1 << 24],
            quantizer: None,
        };
        for pixel in frames.iter().flat_map(RgbImage::pixels) {
            let known = &mut palette.known[slot(pixel.0)];
            if *known == 0 {
                palette.colours.extend(pixel.0);
                *known = u16::try_from(palette.colours.len() / 3)
                    .ok()
                    .filter(|&number| number <= MOST_COLOURS)?;
            }
        }
        Some(palette)
    }

    /// Colours learnt from pixels spread evenly over all frames.
    fn learnt(frames: &[RgbImage]) -> Self {
        let pixels: usize = frames.iter().map(|frame| frame.as_raw().len() / 3).sum();
        let samples = frames
            .iter()
            .flat_map(RgbImage::pixels)
            .step_by(pixels.div_ceil(MOST_SAMPLES));
        let common: Vec<[u8; 3]> = samples.map(|pixel| pixel.0).collect();
        // Every colour once more, so that a rare one, such as that of the text, is learnt as well.
        let mut rare = common.clone();
        rare.sort_unstable();
        rare.dedup();
        let samples = common.into_iter().chain(rare);
        let samples: Vec<u8> = samples
            .flat_map(|[red, green, blue]| [red, green, blue, u8::MAX])
            .collect();
        let quantizer = NeuQuant::new(SAMPLE_FRACTION, usize::from(MOST_COLOURS), &samples);
        Self {
            colours: quantizer.color_map_rgb(),
            known: vec![0; 1 << 24],
            quantizer: Some(quantizer),
        }
    }

    pub fn indices(&mut self, frame: &RgbImage) -> Vec<u8> {
        frame.pixels().map(|pixel| self.index_of(pixel.0)).collect()
    }

    fn index_of(&mut self, colour: [u8; 3]) -> u8 {
        let known = &mut self.known[slot(colour)];
        if *known == 0 {
            let [red, green, blue] = colour;
            let nearest = |quantizer: &NeuQuant| quantizer.index_of(&[red, green, blue, u8::MAX]);
            *known = self.quantizer.as_ref().map_or(0, nearest) as u16 + 1;
        }
        (*known - 1) as u8
    }
}

/// A colour's place among all colours.
fn slot([red, green, blue]: [u8; 3]) -> usize {
    usize::from(red) << 16 | usize::from(green) << 8 | usize::from(blue)
}
