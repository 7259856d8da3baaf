//! Images made larger smoothly.

use image::{GrayImage, RgbImage};

use crate::data::{Images, windows};

/// Image `index`, which is grey, `scale` times as large.
pub(super) fn grey(images: &Images, index: usize, scale: usize) -> GrayImage {
    let (width, height) = (images.width(), images.height());
    let pixels: Vec<[u8; 1]> = pixels(images, index).map(|[grey, ..]| [grey]).collect();
    let (wide, high) = (width * scale, height * scale);
    let bytes = resize(&pixels, [width, height], [wide, high]).into_flattened();
    GrayImage::from_raw(wide as u32, high as u32, bytes).unwrap_or_default()
}

/// Image `index`, grey or not, `scale` times as large.
pub(super) fn picture(images: &Images, index: usize, scale: usize) -> RgbImage {
    if images.channels() == 1 {
        return coloured(&grey(images, index, scale), |grey| [grey; 3]);
    }
    fitted(images, index, [images.width() * scale, images.height() * scale])
}

/// Image `index`, grey or not, as `[wide, high]` pixels.
pub(super) fn fitted(images: &Images, index: usize, size: [usize; 2]) -> RgbImage {
    let pixels: Vec<[u8; 3]> = pixels(images, index).collect();
    rgb(resize(&pixels, [images.width(), images.height()], size), size)
}

/// A picture of as many colours as `from`, `[width, height]`, has pixels, as `to`, `[wide, high]`, pixels.
pub(super) fn smooth(colours: &[[u8; 3]], from: [usize; 2], to: [usize; 2]) -> RgbImage {
    rgb(resize(colours, from, to), to)
}

/// A grey picture with a colour for each grey.
pub(super) fn coloured(picture: &GrayImage, colour: impl Fn(u8) -> [u8; 3]) -> RgbImage {
    let size = [picture.width(), picture.height()].map(|side| side as usize);
    rgb(picture.iter().map(|&grey| colour(grey)).collect(), size)
}

fn pixels(images: &Images, index: usize) -> impl Iterator<Item = [u8; 3]> {
    let places = (0..images.height()).flat_map(|y| (0..images.width()).map(move |x| (x, y)));
    places.map(move |(x, y)| images.colour(index, x, y))
}

fn rgb(colours: Vec<[u8; 3]>, [wide, high]: [usize; 2]) -> RgbImage {
    RgbImage::from_raw(wide as u32, high as u32, colours.into_flattened()).unwrap_or_default()
}

/// Keeps edges sharp and makes no colour that is far from its neighbours': the cubic convolution of Keys (1981), which is
/// Catmull and Rom's spline.
fn catmull_rom(distance: f64) -> f64 {
    match distance {
        x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        x if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        _ => 0.0,
    }
}

/// `[width, height]` pixels as `[wide, high]`; what overshoots is cut off.
fn resize<const CHANNELS: usize>(
    pixels: &[[u8; CHANNELS]],
    [width, height]: [usize; 2],
    [wide, high]: [usize; 2],
) -> Vec<[u8; CHANNELS]> {
    let columns = windows(width, wide, 2.0, catmull_rom);
    let mut resized = Vec::with_capacity(wide * high);
    for window in windows(height, high, 2.0, catmull_rom) {
        let mut line = vec![[0.0; CHANNELS]; width];
        for (row, weight) in window.weights.iter().enumerate() {
            let seen = &pixels[(window.first + row) * width..][..width];
            for (sum, pixel) in line.iter_mut().zip(seen) {
                add(sum, *weight, pixel.map(f32::from));
            }
        }
        for window in &columns {
            let mut sum = [0.0; CHANNELS];
            for (weight, pixel) in window.weights.iter().zip(&line[window.first..]) {
                add(&mut sum, *weight, *pixel);
            }
            resized.push(sum.map(|value| (value + 0.5) as u8));
        }
    }
    resized
}

fn add<const CHANNELS: usize>(sum: &mut [f32; CHANNELS], weight: f32, pixel: [f32; CHANNELS]) {
    for (sum, value) in sum.iter_mut().zip(pixel) {
        *sum += weight * value;
    }
}

#[cfg(test)]
mod tests {
    use image::imageops::{self, FilterType};
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn images_are_resized_as_the_image_library_resizes_them(
            width in 1_usize..12, height in 1_usize..12, wide in 1_usize..40, high in 1_usize..40,
            bytes in proptest::collection::vec(any::<u8>(), 3 * 12 * 12),
        ) {
            let (colours, _) = bytes[..3 * width * height].as_chunks::<3>();
            let ours = smooth(colours, [width, height], [wide, high]);
            let picture = RgbImage::from_raw(width as u32, height as u32, colours.as_flattened().to_vec()).unwrap();
            let theirs = imageops::resize(&picture, wide as u32, high as u32, FilterType::CatmullRom);
            for (ours, theirs) in ours.iter().zip(theirs.iter()) {
                prop_assert!(ours.abs_diff(*theirs) <= 1);
            }
        }
    }
}
