//! Images made larger smoothly.

use crate::data::Images;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, Rgb, RgbImage};

/// Keeps edges sharp and makes no colour that is far from its neighbours'; what overshoots is cut off.
const FILTER: FilterType = FilterType::CatmullRom;

/// Image `index`, which is grey, `scale` times as large.
pub(super) fn grey(images: &Images, index: usize, scale: usize) -> GrayImage {
    let at = |x, y| Luma([images.colour(index, x as usize, y as usize)[0]]);
    let [width, height] = [images.width() as u32, images.height() as u32];
    let [wide, high] = [width, height].map(|side| side * scale as u32);
    imageops::resize(&GrayImage::from_fn(width, height, at), wide, high, FILTER)
}

/// Image `index`, grey or not, `scale` times as large.
pub(super) fn picture(images: &Images, index: usize, scale: usize) -> RgbImage {
    if images.channels() == 1 {
        return coloured(&grey(images, index, scale), |grey| [grey; 3]);
    }
    let at = |x, y| Rgb(images.colour(index, x as usize, y as usize));
    let [width, height] = [images.width() as u32, images.height() as u32];
    let [wide, high] = [width, height].map(|side| side * scale as u32);
    imageops::resize(&RgbImage::from_fn(width, height, at), wide, high, FILTER)
}

/// A grey picture with a colour for each grey.
pub(super) fn coloured(picture: &GrayImage, colour: impl Fn(u8) -> [u8; 3]) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        Rgb(colour(picture.get_pixel(x, y)[0]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enlarged_image_keeps_even_colours_and_does_not_leave_the_bytes() {
        let edge = Images::new(1, 1, 6, vec![0, 0, 0, 255, 255, 255]).unwrap();
        let wide = grey(&edge, 0, 8);
        assert_eq!(wide.dimensions(), (48, 8));
        let row: Vec<u8> = (0..48).map(|x| wide.get_pixel(x, 3)[0]).collect();
        assert_eq!((row[0], row[47]), (0, 255));
        assert!(row[20..28].is_sorted(), "{row:?}");
        let colours = Images::new(3, 1, 1, vec![200, 100, 50]).unwrap();
        assert!(picture(&colours, 0, 5).pixels().all(|pixel| pixel.0 == [200, 100, 50]));
    }
}
