//! How large the images of a clip are drawn, and in which colours.

use colorgrad::Gradient;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, Rgb, RgbImage};
use rayon::prelude::*;

use super::super::sheet::colour;
use crate::data::Images;

/// The longer side of a clip, about, in pixels, where no scale is given.
const SIDE: usize = 160;

/// How images are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// A pixel's side on the screen; when left out, so that the longer side comes near 160.
    pub scale: Option<usize>,
    /// Colours for grey images; images in colour keep theirs.
    pub colormap: Option<Colormap>,
}

/// Colours for grey images, from black to white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colormap {
    /// White to black: dark ink on paper.
    Ink,
    /// Dark violet through green to yellow (Smith and van der Walt, 2015).
    Viridis,
    /// Black through violet to pale yellow, by the same.
    Magma,
    /// Black through red to pale yellow, by the same.
    Inferno,
    /// Blue through violet to yellow, by the same.
    Plasma,
}

impl Colormap {
    /// The colours of the 256 greys.
    fn table(self) -> Vec<[u8; 3]> {
        let sampled = |gradient: &dyn Gradient| {
            (0..=255u8)
                .map(|grey| {
                    let [red, green, blue, _] = gradient.at(f32::from(grey) / 255.0).to_rgba8();
                    [red, green, blue]
                })
                .collect()
        };
        match self {
            Self::Ink => (0..=255u8).rev().map(|grey| [grey; 3]).collect(),
            Self::Viridis => sampled(&colorgrad::preset::viridis()),
            Self::Magma => sampled(&colorgrad::preset::magma()),
            Self::Inferno => sampled(&colorgrad::preset::inferno()),
            Self::Plasma => sampled(&colorgrad::preset::plasma()),
        }
    }
}

impl Look {
    /// Width and height of the drawn images, in pixels.
    pub(super) fn size(&self, images: &Images) -> (usize, usize) {
        let scale = self.scale(images);
        (images.width() * scale, images.height() * scale)
    }

    /// Every image, enlarged smoothly.
    pub(super) fn draw(&self, images: &Images) -> Vec<RgbImage> {
        let scale = self.scale(images);
        let table = self.colormap.filter(|_| images.channels() == 1).map(Colormap::table);
        (0..images.count())
            .into_par_iter()
            .map(|index| {
                let mut drawn = enlarged(images, index, scale);
                if let Some(table) = &table {
                    drawn
                        .pixels_mut()
                        .for_each(|pixel| pixel.0 = table[usize::from(pixel[0])]);
                }
                drawn
            })
            .collect()
    }

    fn scale(&self, images: &Images) -> usize {
        let longer = images.width().max(images.height());
        self.scale.unwrap_or((SIDE + longer / 2) / longer).max(1)
    }
}

/// One image, `scale` times as large: Catmull and Rom's filter, which keeps edges crisp without ringing far.
pub fn enlarged(images: &Images, index: usize, scale: usize) -> RgbImage {
    let (width, height) = (images.width() as u32, images.height() as u32);
    let [wide, high] = [width, height].map(|side| side * scale as u32);
    let at = |x: u32, y: u32| colour(images, index, x as usize, y as usize);
    if images.channels() == 1 {
        let grey = GrayImage::from_fn(width, height, |x, y| Luma([at(x, y)[0]]));
        let grey = imageops::resize(&grey, wide, high, FilterType::CatmullRom);
        return RgbImage::from_fn(wide, high, |x, y| Rgb([grey.get_pixel(x, y)[0]; 3]));
    }
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb(at(x, y)));
    imageops::resize(&picture, wide, high, FilterType::CatmullRom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> Images {
        Images::new(1, 1, 2, vec![0, 255]).unwrap()
    }

    #[test]
    fn at_scale_one_pixels_stay_what_they_are() {
        let look = Look {
            scale: Some(1),
            colormap: None,
        };
        assert_eq!(look.draw(&grey())[0].as_raw(), &[0, 0, 0, 255, 255, 255]);
        let colour = Images::new(3, 1, 1, vec![9, 8, 7]).unwrap();
        let viridis = Look {
            colormap: Some(Colormap::Viridis),
            ..look
        };
        assert_eq!(viridis.draw(&colour)[0].as_raw(), &[9, 8, 7]);
    }

    #[test]
    fn colormaps_have_their_published_ends() {
        // The first and last entries of matplotlib's tables, which are in the public domain.
        for (colormap, first, last) in [
            (Colormap::Ink, [255; 3], [0; 3]),
            (Colormap::Viridis, [68, 1, 84], [253, 231, 37]),
            (Colormap::Magma, [0, 0, 4], [252, 253, 191]),
            (Colormap::Inferno, [0, 0, 4], [252, 255, 164]),
            (Colormap::Plasma, [13, 8, 135], [240, 249, 33]),
        ] {
            let table = colormap.table();
            assert_eq!(table.len(), 256);
            let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= 3);
            assert!(
                near(table[0], first) && near(table[255], last),
                "{colormap:?}: {:?} {:?}",
                table[0],
                table[255]
            );
        }
    }

    #[test]
    fn the_longer_side_comes_near_160_pixels() {
        for (width, height) in [(32, 32), (20, 28), (128, 128), (1, 1), (1000, 10)] {
            let images = Images::new(1, height, width, vec![0; width * height]).unwrap();
            let (wide, high) = Look::default().size(&images);
            assert!(
                wide.max(high) >= 80 && (wide.max(high) <= 240 || width > 160),
                "{wide} x {high}"
            );
        }
    }
}
