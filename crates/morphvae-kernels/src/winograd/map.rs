//! Between maps `[height, width, channels]` of one image and the 36 matrices `[tile, channels]` of many images.

use super::{OUTPUTS, POSITIONS, PRODUCTS, Scheme};
use crate::disjoint::Disjoint;
use crate::isa::simd;

/// Where the tiles of an image lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles {
    /// Size of the input map.
    pub height: usize,
    pub width: usize,
    /// Size of the output map.
    pub output_height: usize,
    pub output_width: usize,
    /// Rows and columns of tiles.
    pub rows: usize,
    pub columns: usize,
}

impl Tiles {
    pub fn new(height: usize, width: usize, scale: usize) -> Self {
        let (output_height, output_width) = (height * scale, width * scale);
        let (rows, columns) = (output_height.div_ceil(OUTPUTS), output_width.div_ceil(OUTPUTS));
        Self {
            height,
            width,
            output_height,
            output_width,
            rows,
            columns,
        }
    }

    pub fn count(self) -> usize {
        self.rows * self.columns
    }

    /// The first element of each pixel that a tile reads or writes, `None` outside of the map.
    #[inline(always)]
    fn pixels<const N: usize>(
        (height, width): (usize, usize),
        channels: usize,
        (top, left): (usize, usize),
        before: usize,
    ) -> [[Option<usize>; N]; N] {
        let mut pixels = [[None; N]; N];
        for (i, row) in pixels.iter_mut().enumerate() {
            for (j, pixel) in row.iter_mut().enumerate() {
                let (y, x) = ((top + i).wrapping_sub(before), (left + j).wrapping_sub(before));
                if y < height && x < width {
                    *pixel = Some((y * width + x) * channels);
                }
            }
        }
        pixels
    }

    #[inline(always)]
    fn input_pixels<S: Scheme>(self, tile: usize, channels: usize) -> [[Option<usize>; POSITIONS]; POSITIONS] {
        let corner = (tile / self.columns * S::STEP, tile % self.columns * S::STEP);
        Self::pixels((self.height, self.width), channels, corner, 1)
    }

    #[inline(always)]
    fn output_pixels(self, tile: usize, channels: usize) -> [[Option<usize>; OUTPUTS]; OUTPUTS] {
        let corner = (tile / self.columns * OUTPUTS, tile % self.columns * OUTPUTS);
        Self::pixels((self.output_height, self.output_width), channels, corner, 0)
    }
}

/// The matrices of all images: value `p` of tile `t` and channel `c` is element `(p * tiles + t) * channels + c`.
///
/// # Safety
/// Each function below touches the tiles `first ..  first + count` only; no two at a time may have tiles in common.
// The slice is of what the shared handle guards, as with any cell; the safety section says who may have it.
#[allow(clippy::mut_from_ref)]
#[inline(always)]
unsafe fn value<'a>(
    values: &'a Disjoint<'_>,
    product: usize,
    tile: usize,
    tiles: usize,
    channels: usize,
    from: usize,
) -> &'a mut [f32] {
    // SAFETY: the caller touches no tile of another task.
    unsafe { values.part((product * tiles + tile) * channels + from, channels - from) }
}

simd! {
    /// Transforms the tiles `range` of an image into the tiles from `first` on of `values`, `tiles` in all.
    ///
    /// No two calls at a time may have tiles in common.
    pub(crate) fn input_transform<V, S: Scheme>(
        shape: Tiles,
        range: std::ops::Range<usize>,
        input: &[f32],
        channels: usize,
        values: &Disjoint<'_>,
        first: usize,
        tiles: usize,
    ) {
        for tile in range.clone() {
            let pixels = shape.input_pixels::<S>(tile, channels);
            for c in (0..channels).step_by(V::LANES) {
                let mut rows = [[V::splat(0.0); POSITIONS]; POSITIONS];
                for i in 0..S::INPUTS {
                    let mut line = [V::splat(0.0); POSITIONS];
                    for j in 0..S::INPUTS {
                        if let Some(pixel) = pixels[i][j] {
                            line[j] = V::load(&input[pixel + c..pixel + channels]);
                        }
                    }
                    rows[i] = S::input(line);
                }
                for j in 0..POSITIONS {
                    let column = S::input([rows[0][j], rows[1][j], rows[2][j], rows[3][j], rows[4][j], rows[5][j]]);
                    for i in 0..POSITIONS {
                        // SAFETY: the caller keeps the tiles of concurrent calls apart.
                        column[i].store(unsafe { value(values, i * POSITIONS + j, first + tile - range.start, tiles, channels, c) });
                    }
                }
            }
        }
    }
}

simd! {
    /// The transpose of [`input_transform`] for all tiles of an image: adds them into `gradient`, which is overwritten.
    pub(crate) fn input_gradient<V, S: Scheme>(
        shape: Tiles,
        gradient: &mut [f32],
        channels: usize,
        values: &[f32],
        first: usize,
        tiles: usize,
    ) {
        gradient.fill(0.0);
        for tile in 0..shape.count() {
            let pixels = shape.input_pixels::<S>(tile, channels);
            for c in (0..channels).step_by(V::LANES) {
                let mut rows = [[V::splat(0.0); POSITIONS]; POSITIONS];
                for i in 0..POSITIONS {
                    let mut line = [V::splat(0.0); POSITIONS];
                    for j in 0..POSITIONS {
                        let at = ((i * POSITIONS + j) * tiles + first + tile) * channels;
                        line[j] = V::load(&values[at + c..at + channels]);
                    }
                    rows[i] = S::input_transposed(line);
                }
                for j in 0..S::INPUTS {
                    let column =
                        S::input_transposed([rows[0][j], rows[1][j], rows[2][j], rows[3][j], rows[4][j], rows[5][j]]);
                    for i in 0..S::INPUTS {
                        if let Some(pixel) = pixels[i][j] {
                            let to = &mut gradient[pixel + c..pixel + channels];
                            (V::load(to) + column[i]).store(to);
                        }
                    }
                }
            }
        }
    }
}

simd! {
    /// Transforms the tiles from `first` on of `values` into the tiles `range` of an image.
    pub(crate) fn output_transform<V, S: Scheme>(
        shape: Tiles,
        range: std::ops::Range<usize>,
        output: &mut [f32],
        channels: usize,
        values: &[f32],
        first: usize,
        tiles: usize,
    ) {
        for tile in range.clone() {
            let pixels = shape.output_pixels(tile, channels);
            for c in (0..channels).step_by(V::LANES) {
                let mut rows = [[V::splat(0.0); OUTPUTS]; POSITIONS];
                for i in 0..POSITIONS {
                    let mut line = [V::splat(0.0); POSITIONS];
                    for j in 0..POSITIONS {
                        let at = ((i * POSITIONS + j) * tiles + first + tile - range.start) * channels;
                        line[j] = V::load(&values[at + c..at + channels]);
                    }
                    rows[i] = S::output(line);
                }
                for j in 0..OUTPUTS {
                    let column = S::output([rows[0][j], rows[1][j], rows[2][j], rows[3][j], rows[4][j], rows[5][j]]);
                    for i in 0..OUTPUTS {
                        if let Some(pixel) = pixels[i][j] {
                            column[i].store(&mut output[pixel + c..pixel + channels]);
                        }
                    }
                }
            }
        }
    }
}

simd! {
    /// The transpose of [`output_transform`] for all tiles of an image, into the tiles from `first` on of `values`.
    ///
    /// No two calls at a time may have tiles in common.
    pub(crate) fn output_gradient_transform<V, S: Scheme>(
        shape: Tiles,
        gradient: &[f32],
        channels: usize,
        values: &Disjoint<'_>,
        first: usize,
        tiles: usize,
    ) {
        for tile in 0..shape.count() {
            let pixels = shape.output_pixels(tile, channels);
            for c in (0..channels).step_by(V::LANES) {
                let mut rows = [[V::splat(0.0); POSITIONS]; OUTPUTS];
                for i in 0..OUTPUTS {
                    let mut line = [V::splat(0.0); OUTPUTS];
                    for j in 0..OUTPUTS {
                        if let Some(pixel) = pixels[i][j] {
                            line[j] = V::load(&gradient[pixel + c..pixel + channels]);
                        }
                    }
                    rows[i] = S::output_transposed(line);
                }
                for j in 0..POSITIONS {
                    let column = S::output_transposed([rows[0][j], rows[1][j], rows[2][j], rows[3][j]]);
                    for i in 0..POSITIONS {
                        // SAFETY: the caller keeps the tiles of concurrent calls apart.
                        column[i].store(unsafe { value(values, i * POSITIONS + j, first + tile, tiles, channels, c) });
                    }
                }
            }
        }
    }
}

const _: () = assert!(PRODUCTS == POSITIONS * POSITIONS);
