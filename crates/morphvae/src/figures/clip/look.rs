//! How large a clip is and which colours it has.

use super::super::enlarged;
use super::super::sheet::check;
use super::{ClipError, Colormap};
use crate::data::Images;
use image::{Rgb, RgbImage};
use rayon::prelude::*;

/// Pixels that the longer side of a clip has at least, unless a scale was asked for.
const SIDE: usize = 256;
/// Bytes of all frames together, at most.
const MOST_BYTES: usize = 1 << 30;
/// Pixels of a side, at most: what a GIF can say, and more than a film is wide.
const LONGEST_SIDE: usize = u16::MAX as usize;

/// How the images of a clip are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How many times as wide and as high as the images; left out, the clip's longer side has 256 pixels or a little
    /// more, and images that are larger stay as they are. Images are enlarged smoothly (Catmull-Rom).
    pub scale: Option<usize>,
    /// Colours for grey images.
    pub colormap: Colormap,
}

/// Images as they will be written.
pub(super) struct Frames {
    pub width: usize,
    pub height: usize,
    pub pixels: Pixels,
}

pub(super) enum Pixels {
    /// Each frame as indices of 256 colours.
    Indexed {
        colours: Box<[[u8; 3]; 256]>,
        frames: Vec<Vec<u8>>,
    },
    Colour(Vec<RgbImage>),
}

impl Look {
    /// Draws all images.
    ///
    /// # Errors
    /// [`ClipError`] when there is none, they do not go with this look, or the frames would be too large.
    pub(super) fn draw(&self, images: &Images) -> Result<Frames, ClipError> {
        self.check(images)?;
        let longer = images.width().max(images.height());
        let scale = self.scale.unwrap_or_else(|| SIDE.div_ceil(longer));
        let [width, height] = [images.width(), images.height()].map(|side| side.saturating_mul(scale));
        let sides = [images.channels(), images.count(), height];
        let bytes = sides.into_iter().fold(width, usize::saturating_mul);
        if width.max(height) > LONGEST_SIDE || bytes > MOST_BYTES {
            let frames = images.count();
            return Err(ClipError::TooLarge { frames, width, height });
        }
        let indices = (0..images.count()).into_par_iter();
        let pixels = if images.channels() == 1 {
            Pixels::Indexed {
                colours: Box::new(self.colormap.colours()),
                frames: indices
                    .map(|index| enlarged::grey(images, index, scale).into_raw())
                    .collect(),
            }
        } else {
            Pixels::Colour(indices.map(|index| enlarged::picture(images, index, scale)).collect())
        };
        Ok(Frames { width, height, pixels })
    }

    /// Makes sure that there are images that can be drawn so.
    ///
    /// # Errors
    /// [`ClipError`] when not.
    pub(super) fn check(&self, images: &Images) -> Result<(), ClipError> {
        check(images)?;
        match self.scale {
            Some(0) => Err(ClipError::NoScale),
            _ if images.channels() == 3 && self.colormap != Colormap::Grey => Err(ClipError::ColoursMapped),
            _ => Ok(()),
        }
    }
}

impl Frames {
    /// Frame `index` in its colours.
    pub fn picture(&self, index: usize) -> RgbImage {
        match &self.pixels {
            Pixels::Colour(frames) => frames[index].clone(),
            Pixels::Indexed { colours, frames } => {
                let at = |x: u32, y: u32| frames[index][y as usize * self.width + x as usize];
                RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| {
                    Rgb(colours[usize::from(at(x, y))])
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_has_256_pixels_a_side_or_a_little_more() {
        for (side, scaled) in [(32, 256), (28, 280), (1, 256), (100, 300), (256, 256), (300, 300)] {
            let images = Images::new(1, side, 1, vec![0; 2 * side]).unwrap();
            let frames = Look::default().draw(&images).unwrap();
            assert_eq!((frames.height, frames.width), (scaled, scaled / side));
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_drawn() {
        let images = Images::new(1, 64, 64, vec![0; 4 * 64 * 64]).unwrap();
        for scale in [300, 1024, usize::MAX] {
            let look = Look {
                scale: Some(scale),
                ..Look::default()
            };
            assert!(matches!(look.draw(&images), Err(ClipError::TooLarge { frames: 4, .. })));
        }
        let none = Look {
            scale: Some(0),
            ..Look::default()
        };
        assert!(matches!(none.draw(&images), Err(ClipError::NoScale)));
    }

    #[test]
    fn colours_of_their_own_are_not_mapped() {
        let images = Images::new(3, 1, 1, vec![1, 2, 3]).unwrap();
        let look = Look {
            colormap: Colormap::Magma,
            ..Look::default()
        };
        assert!(matches!(look.draw(&images), Err(ClipError::ColoursMapped)));
        let plain = Look {
            scale: Some(1),
            ..Look::default()
        };
        assert_eq!(plain.draw(&images).unwrap().picture(0).get_pixel(0, 0).0, [1, 2, 3]);
    }
}
