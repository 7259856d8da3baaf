//! How large a clip is and which colours it has.

use super::super::enlarged;
use super::super::sheet::check;
use super::count::Count;
use super::{ClipError, Colormap};
use crate::data::Images;
use image::{Rgb, RgbImage};
use rayon::prelude::*;

/// Pixels that the longer side of a clip has at least, unless a scale was asked for.
const SIDE: usize = 160;
/// Bytes of all frames together, at most.
const MOST_BYTES: usize = 1 << 30;
/// Pixels of a side, at most: what a GIF can say, and more than a film is wide.
const LONGEST_SIDE: usize = u16::MAX as usize;

/// How the images of a clip are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How many times as wide and as high as the images; left out, the clip's longer side has 160 pixels or a little
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
    /// That a clip of so many images can be drawn, for programs that ask before they work for long.
    ///
    /// # Errors
    /// [`ClipError::TooLarge`] when its frames would take more than a gigabyte, or a side is more than a file can say.
    pub fn check_size(
        &self,
        images: usize,
        channels: usize,
        [width, height]: [usize; 2],
    ) -> Result<[usize; 2], ClipError> {
        let scale = self.scale.unwrap_or_else(|| SIDE.div_ceil(width.max(height)));
        let [width, height] = [width, height].map(|side| side.saturating_mul(scale));
        let frame = [channels, height].into_iter().fold(width, usize::saturating_mul).max(1);
        let fits = width.max(height) <= LONGEST_SIDE;
        let most = if fits { MOST_BYTES / frame } else { 0 };
        if images > most {
            return Err(ClipError::TooLarge {
                frames: images,
                width,
                height,
                most,
            });
        }
        Ok([width, height])
    }

    /// Draws all images.
    ///
    /// # Errors
    /// [`ClipError`] when there is none, they do not go with this look, or the frames would be too large.
    pub(super) fn draw(&self, images: &Images, count: &Count) -> Result<Frames, ClipError> {
        self.check(images)?;
        let size = [images.width(), images.height()];
        let [width, height] = self.check_size(images.count(), images.channels(), size)?;
        let scale = width / images.width();
        let indices = (0..images.count()).into_par_iter();
        let pixels = if images.channels() == 1 {
            let frame = |index| count.one().map(|()| enlarged::grey(images, index, scale).into_raw());
            Pixels::Indexed {
                colours: Box::new(self.colormap.colours()),
                frames: indices.map(frame).collect::<Result<_, _>>()?,
            }
        } else {
            let frame = |index| count.one().map(|()| enlarged::picture(images, index, scale));
            Pixels::Colour(indices.map(frame).collect::<Result<_, _>>()?)
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
    use std::ops::ControlFlow;

    fn draw(look: &Look, images: &Images) -> Result<Frames, ClipError> {
        look.draw(images, &Count::new(&|_, _| ControlFlow::Continue(()), images.count()))
    }

    #[test]
    fn a_clip_has_160_pixels_a_side_or_a_little_more() {
        for (side, scaled) in [(32, 160), (28, 168), (1, 160), (100, 200), (160, 160), (300, 300)] {
            let images = Images::new(1, side, 1, vec![0; 2 * side]).unwrap();
            let frames = draw(&Look::default(), &images).unwrap();
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
            assert!(matches!(
                draw(&look, &images),
                Err(ClipError::TooLarge { frames: 4, .. })
            ));
        }
        let none = Look {
            scale: Some(0),
            ..Look::default()
        };
        assert!(matches!(draw(&none, &images), Err(ClipError::NoScale)));
    }

    #[test]
    fn the_most_frames_are_told() {
        // 160 x 160 greys in 2^30 bytes.
        let error = Look::default().check_size(65_537, 1, [32, 32]).unwrap_err();
        assert!(matches!(error, ClipError::TooLarge { most: 41_943, .. }), "{error}");
        assert!(Look::default().check_size(41_943, 1, [32, 32]).is_ok());
        let wide = Look {
            scale: Some(5000),
            ..Look::default()
        };
        assert!(matches!(
            wide.check_size(1, 1, [32, 32]),
            Err(ClipError::TooLarge { most: 0, .. })
        ));
    }

    #[test]
    fn colours_of_their_own_are_not_mapped() {
        let images = Images::new(3, 1, 1, vec![1, 2, 3]).unwrap();
        let look = Look {
            colormap: Colormap::Magma,
            ..Look::default()
        };
        assert!(matches!(draw(&look, &images), Err(ClipError::ColoursMapped)));
        let plain = Look {
            scale: Some(1),
            ..Look::default()
        };
        assert_eq!(draw(&plain, &images).unwrap().picture(0).get_pixel(0, 0).0, [1, 2, 3]);
    }
}
