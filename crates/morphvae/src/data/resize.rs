//! Images fitted to the network's square size.

/// Resizes images of one size to squares, bilinearly and with antialiasing.
///
/// It computes what PyTorch's `interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)` does: along
/// each axis an output pixel is the mean of the input pixels under a triangle around its own centre, which is as wide
/// as two input pixels to enlarge and as two output pixels to shrink, and is cut off at the image's edges.
#[derive(Clone, Debug)]
pub struct Resizer {
    from: (usize, usize),
    to: usize,
    columns: Vec<Window>,
    rows: Vec<Window>,
}

/// What one output pixel sees of an axis: the first input pixel, and the weights from there on (their sum is 1).
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub first: usize,
    pub weights: Vec<f32>,
}

impl Resizer {
    /// Prepares for images of `from` = (height, width), to be fitted to `to` x `to`.
    #[must_use]
    pub fn new(from: (usize, usize), to: usize) -> Self {
        let (height, width) = from;
        Self {
            from,
            to,
            columns: windows(width, to, 1.0, triangle),
            rows: windows(height, to, 1.0, triangle),
        }
    }

    /// Fits one image, `[channels, height, width]` with 8 bits a channel, into `out`, `[channels, to, to]` in [0, 1].
    ///
    /// An image that has the right size already is only divided by 255.
    ///
    /// # Panics
    /// When `image` or `out` do not have these lengths.
    pub fn resize(&self, image: &[u8], channels: usize, out: &mut [f32]) {
        let ((height, width), to) = (self.from, self.to);
        assert_eq!(
            image.len(),
            channels * height * width,
            "an image of {channels} x {height} x {width}"
        );
        assert_eq!(out.len(), channels * to * to, "room for {channels} x {to} x {to}");
        if (height, width) == (to, to) {
            for (out, &pixel) in out.iter_mut().zip(image) {
                *out = unit(pixel);
            }
        } else if !image.is_empty() {
            let mut narrowed = vec![0.0; height * to];
            for (plane, out) in image.chunks_exact(height * width).zip(out.chunks_exact_mut(to * to)) {
                self.fit_width(plane, &mut narrowed);
                self.fit_height(&narrowed, out);
            }
        }
    }

    /// `[height, width]` to `[height, to]`.
    fn fit_width(&self, plane: &[u8], narrowed: &mut [f32]) {
        let mut row_in_units = vec![0.0; self.from.1];
        for (row, out) in plane.chunks_exact(self.from.1).zip(narrowed.chunks_exact_mut(self.to)) {
            for (unit_pixel, &pixel) in row_in_units.iter_mut().zip(row) {
                *unit_pixel = unit(pixel);
            }
            for (out, window) in out.iter_mut().zip(&self.columns) {
                let seen = &row_in_units[window.first..][..window.weights.len()];
                *out = window
                    .weights
                    .iter()
                    .zip(seen)
                    .map(|(weight, pixel)| weight * pixel)
                    .sum();
            }
        }
    }

    /// `[height, to]` to `[to, to]`.
    fn fit_height(&self, narrowed: &[f32], out: &mut [f32]) {
        for (out, window) in out.chunks_exact_mut(self.to).zip(&self.rows) {
            out.fill(0.0);
            let seen = narrowed[window.first * self.to..].chunks_exact(self.to);
            for (weight, row) in window.weights.iter().zip(seen) {
                for (out, pixel) in out.iter_mut().zip(row) {
                    *out += weight * pixel;
                }
            }
        }
    }
}

/// A byte as a number in [0, 1].
fn unit(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

fn triangle(distance: f64) -> f64 {
    (1.0 - distance).max(0.0)
}

/// The windows through which `to` output pixels see an axis of `from` input pixels: a kernel of the distance in input pixels,
/// or output pixels where these are larger, which vanishes from `support` on.
pub(crate) fn windows(from: usize, to: usize, support: f64, kernel: fn(f64) -> f64) -> Vec<Window> {
    let scale = from as f64 / to as f64; // input pixels per output pixel
    let stretch = scale.max(1.0);
    let reach = stretch * support; // in input pixels
    let window = |index: usize| {
        let centre = scale * (index as f64 + 0.5);
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(from);
        let height = |pixel: usize| kernel((pixel as f64 + 0.5 - centre).abs() / stretch);
        let sum: f64 = (first..end).map(height).sum();
        Window {
            first,
            weights: (first..end).map(|pixel| (height(pixel) / sum) as f32).collect(),
        }
    };
    (0..to).map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resized(image: &[u8], channels: usize, from: (usize, usize), to: usize) -> Vec<f32> {
        let mut out = vec![f32::NAN; channels * to * to];
        Resizer::new(from, to).resize(image, channels, &mut out);
        out
    }

    #[test]
    fn images_are_fitted_as_pytorch_fits_them() {
        // Written by PyTorch 2.15, one result after the other:
        //     r, c = numpy.mgrid[:height, :width]
        //     image = torch.tensor((7 * r * r + 13 * c + 31 * r * c) % 256).float()[None, None] / 255
        //     interpolate(image, size=32, mode="bilinear", align_corners=False, antialias=True).numpy().tobytes()
        let expected: Vec<f32> = include_bytes!("../../tests/fixtures/resize.f32")
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        let sizes = [(28, 28), (40, 40), (20, 28), (100, 37), (3, 5)];
        assert_eq!(expected.len(), sizes.len() * 32 * 32);
        for ((height, width), expected) in sizes.into_iter().zip(expected.chunks_exact(32 * 32)) {
            let pixel = |index: usize| {
                let (r, c) = (index / width, index % width);
                ((7 * r * r + 13 * c + 31 * r * c) % 256) as u8
            };
            let image: Vec<u8> = (0..height * width).map(pixel).collect();
            for (index, (ours, theirs)) in resized(&image, 1, (height, width), 32).iter().zip(expected).enumerate() {
                assert!(
                    (ours - theirs).abs() < 1e-6,
                    "{height} x {width}, pixel {index}: {ours}, not {theirs}"
                );
            }
        }
    }

    #[test]
    fn an_image_of_the_right_size_is_only_divided() {
        let image: Vec<u8> = (0..=255).collect();
        let expected: Vec<f32> = image.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        assert_eq!(resized(&image, 1, (16, 16), 16), expected);
    }

    proptest! {
        #[test]
        fn channels_keep_apart_and_an_even_colour_stays(
            height in 1_usize..70, width in 1_usize..70, to in 1_usize..40, colours: [u8; 3],
        ) {
            let image: Vec<u8> = colours.iter().flat_map(|&colour| vec![colour; height * width]).collect();
            let out = resized(&image, 3, (height, width), to);
            for (channel, colour) in out.chunks_exact(to * to).zip(colours) {
                prop_assert!(channel.iter().all(|pixel| (pixel - f32::from(colour) / 255.0).abs() < 1e-6));
            }
        }

        #[test]
        fn turning_an_image_turns_the_result(height in 1_usize..50, width in 1_usize..50, to in 1_usize..40, salt: u8) {
            let pixel = |row: usize, column: usize| (row * 37 + column * 101 + row * column * 11) as u8 ^ salt;
            let image: Vec<u8> = (0..height * width).map(|index| pixel(index / width, index % width)).collect();
            let turned: Vec<u8> = (0..height * width).map(|index| pixel(index % height, index / height)).collect();
            let out = resized(&image, 1, (height, width), to);
            let turned = resized(&turned, 1, (width, height), to);
            for row in 0..to {
                for column in 0..to {
                    prop_assert!((out[row * to + column] - turned[column * to + row]).abs() < 1e-5);
                }
            }
        }
    }
}
