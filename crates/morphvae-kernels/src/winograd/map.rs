//! Between maps `[height, width, channels]` of one image and the matrices `[tile, channels]` of many images.
//!
//! Matrices lie `stride` floats apart; the image's tiles are the rows from `first` on of each.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over an index alone are unrolled, which keeps the vectors in registers; iterators over arrays of \
              vectors leave them in memory"
)]

use super::Scheme;
use super::scheme::{Filtering, MOST, MOST_OUTPUTS, each_phase};
use crate::disjoint::Runs;
use crate::isa::{Vector, simd};

/// Where the tiles of an image lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles {
    /// Size of the input map.
    height: usize,
    width: usize,
    /// Rows and columns of tiles.
    rows: usize,
    columns: usize,
    /// Input pixels from one to the next.
    step: usize,
}

/// The first element of each pixel that a tile reads or writes, `None` outside of the map.
type Pixels<const N: usize> = [[Option<usize>; N]; N];

impl Tiles {
    pub fn new<S: Scheme>(height: usize, width: usize) -> Self {
        let step = S::Filtering::STEP;
        Self {
            height,
            width,
            rows: height.div_ceil(step),
            columns: width.div_ceil(step),
            step,
        }
    }

    pub fn count(self) -> usize {
        self.rows * self.columns
    }

    /// The upper left input pixel of a tile.
    #[inline(always)]
    fn corner(self, tile: usize) -> (usize, usize) {
        (tile / self.columns * self.step, tile % self.columns * self.step)
    }

    #[inline(always)]
    fn input_pixels<S: Scheme>(self, tile: usize, channels: usize) -> Pixels<MOST> {
        let (top, left) = self.corner(tile);
        let mut pixels = [[None; MOST]; MOST];
        for (i, row) in pixels.iter_mut().enumerate().take(S::Filtering::POSITIONS) {
            for (j, pixel) in row.iter_mut().enumerate().take(S::Filtering::POSITIONS) {
                let (y, x) = ((top + i).wrapping_sub(1), (left + j).wrapping_sub(1));
                if y < self.height && x < self.width {
                    *pixel = Some((y * self.width + x) * channels);
                }
            }
        }
        pixels
    }

    #[inline(always)]
    fn output_pixels<S: Scheme>(
        self,
        tile: usize,
        (phase_y, phase_x): (usize, usize),
        channels: usize,
    ) -> Pixels<MOST_OUTPUTS> {
        let (top, left) = self.corner(tile);
        let mut pixels = [[None; MOST_OUTPUTS]; MOST_OUTPUTS];
        for (i, row) in pixels.iter_mut().enumerate().take(S::Filtering::STEP) {
            for (j, pixel) in row.iter_mut().enumerate().take(S::Filtering::STEP) {
                let (y, x) = (top + i, left + j);
                if y < self.height && x < self.width {
                    let (y, x) = (y * S::PHASES + phase_y, x * S::PHASES + phase_x);
                    *pixel = Some((y * self.width * S::PHASES + x) * channels);
                }
            }
        }
        pixels
    }
}

/// Calls `function::<V, .., ALL>(arguments, c)` for the first channel `c` of each vector, with whole vectors or not.
macro_rules! each_vector {
    ($channels:expr, $function:ident::<$vector:ty $(, $generic:ident)*>($($argument:expr),*)) => {
        for c in (0..$channels).step_by(<$vector>::LANES) {
            if $channels - c >= <$vector>::LANES {
                $function::<$vector $(, $generic)*, true>($($argument,)* c);
            } else {
                $function::<$vector $(, $generic)*, false>($($argument,)* c);
            }
        }
    };
}

/// `expression` for each `i` below a scheme's `count` and zeros for the others, each written out: what a loop fills would
/// first be set to zero, which took a fifth of a transform's time.
macro_rules! lines {
    ([$($value:literal)*] < $count:expr, $i:ident => $expression:expr) => {
        [$({
            let $i = $value;
            if $i < $count { $expression } else { zeros() }
        }),*]
    };
}

#[inline(always)]
fn zeros<V: Vector, const N: usize>() -> [V; N] {
    [V::splat(0.0); N]
}

simd! {
    /// Transforms an image into its tiles' rows of each matrix.
    pub(crate) fn input_transform<V, S: Scheme>(shape: Tiles, input: &[f32], channels: usize, values: &mut Runs<'_>) {
        for tile in 0..shape.count() {
            let pixels = shape.input_pixels::<S>(tile, channels);
            let row = tile * channels;
            each_vector!(channels, input_vector::<V, S>(&pixels, input, channels, values, row));
        }
    }
}

#[inline(always)]
fn input_vector<V: Vector, S: Scheme, const ALL: bool>(
    pixels: &Pixels<MOST>,
    input: &[f32],
    channels: usize,
    values: &mut Runs<'_>,
    row: usize,
    c: usize,
) {
    let [l0, l1, l2, l3, l4, l5] = lines!([0 1 2 3 4 5] < S::Filtering::POSITIONS, i => S::Filtering::input(pixel_line::<V, MOST, ALL>(&pixels[i], S::Filtering::POSITIONS, input, channels, c)));
    for j in 0..S::Filtering::POSITIONS {
        let column = S::Filtering::input([l0[j], l1[j], l2[j], l3[j], l4[j], l5[j]]);
        for i in 0..S::Filtering::POSITIONS {
            column[i].store_lanes::<ALL>(values.part(i * S::Filtering::POSITIONS + j, row + c..row + channels));
        }
    }
}

/// The vectors of a line of a map's first `count` pixels, zeros outside of the map.
#[inline(always)]
fn pixel_line<V: Vector, const N: usize, const ALL: bool>(
    pixels: &[Option<usize>; N],
    count: usize,
    map: &[f32],
    channels: usize,
    c: usize,
) -> [V; N] {
    let mut line = [V::splat(0.0); N];
    for j in 0..count {
        if let Some(pixel) = pixels[j] {
            line[j] = V::load_lanes::<ALL>(&map[pixel + c..pixel + channels]);
        }
    }
    line
}

simd! {
    /// The transpose of [`input_transform`]: overwrites `gradient` with the sums over the tiles.
    pub(crate) fn input_gradient<V, S: Scheme>(
        shape: Tiles,
        gradient: &mut [f32],
        channels: usize,
        values: &[f32],
        first: usize,
        stride: usize,
    ) {
        gradient.fill(0.0);
        for tile in 0..shape.count() {
            let pixels = shape.input_pixels::<S>(tile, channels);
            let row = (first + tile) * channels;
            each_vector!(channels, input_gradient_vector::<V, S>(&pixels, gradient, channels, values, row, stride));
        }
    }
}

#[inline(always)]
fn input_gradient_vector<V: Vector, S: Scheme, const ALL: bool>(
    pixels: &Pixels<MOST>,
    gradient: &mut [f32],
    channels: usize,
    values: &[f32],
    row: usize,
    stride: usize,
    c: usize,
) {
    let [l0, l1, l2, l3, l4, l5] = lines!([0 1 2 3 4 5] < S::Filtering::POSITIONS, i => value_line::<V, S, ALL>(i, values, channels, row, stride, c));
    for j in 0..S::Filtering::POSITIONS {
        let column = S::Filtering::input_transposed([l0[j], l1[j], l2[j], l3[j], l4[j], l5[j]]);
        for i in 0..S::Filtering::POSITIONS {
            if let Some(pixel) = pixels[i][j] {
                let to = &mut gradient[pixel + c..pixel + channels];
                (V::load_lanes::<ALL>(to) + column[i]).store_lanes::<ALL>(to);
            }
        }
    }
}

#[inline(always)]
fn value_line<V: Vector, S: Scheme, const ALL: bool>(
    i: usize,
    values: &[f32],
    channels: usize,
    row: usize,
    stride: usize,
    c: usize,
) -> [V; MOST] {
    let mut line = [V::splat(0.0); MOST];
    for j in 0..S::Filtering::POSITIONS {
        let at = (i * S::Filtering::POSITIONS + j) * stride + row;
        line[j] = V::load_lanes::<ALL>(&values[at + c..at + channels]);
    }
    S::Filtering::input_transposed(line)
}

simd! {
    /// Transforms an image's products into its map.
    pub(crate) fn output_transform<V, S: Scheme>(
        shape: Tiles,
        output: &mut [f32],
        channels: usize,
        products: &[f32],
        first: usize,
        stride: usize,
    ) {
        for tile in 0..shape.count() {
            let row = (first + tile) * channels;
            each_phase!(S, output_phase::<V, S>(shape, tile, output, channels, products, row, stride));
        }
    }
}

#[inline(always)]
fn output_phase<V: Vector, S: Scheme, const Y: usize, const X: usize>(
    shape: Tiles,
    tile: usize,
    output: &mut [f32],
    channels: usize,
    products: &[f32],
    row: usize,
    stride: usize,
) {
    let pixels = shape.output_pixels::<S>(tile, (Y, X), channels);
    each_vector!(
        channels,
        output_vector::<V, S, Y, X>(&pixels, output, channels, products, row, stride)
    );
}

#[inline(always)]
fn output_vector<V: Vector, S: Scheme, const Y: usize, const X: usize, const ALL: bool>(
    pixels: &Pixels<MOST_OUTPUTS>,
    output: &mut [f32],
    channels: usize,
    products: &[f32],
    row: usize,
    stride: usize,
    c: usize,
) {
    let [l0, l1, l2, l3, l4, l5] = lines!([0 1 2 3 4 5] < S::Filtering::POSITIONS, i => product_line::<V, S, Y, X, ALL>(i, products, channels, row, stride, c));
    for j in 0..S::Filtering::STEP {
        let column = S::Filtering::output([l0[j], l1[j], l2[j], l3[j], l4[j], l5[j]]);
        for i in 0..S::Filtering::STEP {
            if let Some(pixel) = pixels[i][j] {
                column[i].store_lanes::<ALL>(&mut output[pixel + c..pixel + channels]);
            }
        }
    }
}

#[inline(always)]
fn product_line<V: Vector, S: Scheme, const Y: usize, const X: usize, const ALL: bool>(
    i: usize,
    products: &[f32],
    channels: usize,
    row: usize,
    stride: usize,
    c: usize,
) -> [V; MOST_OUTPUTS] {
    let mut line = [V::splat(0.0); MOST];
    for j in 0..S::Filtering::POSITIONS {
        if let Some(product) = S::product((Y, X), i, j) {
            let at = product * stride + row;
            line[j] = V::load_lanes::<ALL>(&products[at + c..at + channels]);
        }
    }
    S::Filtering::output(line)
}

simd! {
    /// The transpose of [`output_transform`].
    pub(crate) fn output_gradient_transform<V, S: Scheme>(
        shape: Tiles,
        gradient: &[f32],
        channels: usize,
        products: &mut Runs<'_>,
    ) {
        for tile in 0..shape.count() {
            each_phase!(S, output_gradient_phase::<V, S>(shape, tile, gradient, channels, products));
        }
    }
}

#[inline(always)]
fn output_gradient_phase<V: Vector, S: Scheme, const Y: usize, const X: usize>(
    shape: Tiles,
    tile: usize,
    gradient: &[f32],
    channels: usize,
    products: &mut Runs<'_>,
) {
    let pixels = shape.output_pixels::<S>(tile, (Y, X), channels);
    let row = tile * channels;
    each_vector!(
        channels,
        output_gradient_vector::<V, S, Y, X>(&pixels, gradient, channels, products, row)
    );
}

#[inline(always)]
fn output_gradient_vector<V: Vector, S: Scheme, const Y: usize, const X: usize, const ALL: bool>(
    pixels: &Pixels<MOST_OUTPUTS>,
    gradient: &[f32],
    channels: usize,
    products: &mut Runs<'_>,
    row: usize,
    c: usize,
) {
    let [l0, l1, l2, l3] = lines!([0 1 2 3] < S::Filtering::STEP, i => {
        let pixels = pixel_line::<V, MOST_OUTPUTS, ALL>(&pixels[i], S::Filtering::STEP, gradient, channels, c);
        S::Filtering::output_transposed(pixels)
    });
    for j in 0..S::Filtering::POSITIONS {
        let column = S::Filtering::output_transposed([l0[j], l1[j], l2[j], l3[j]]);
        for i in 0..S::Filtering::POSITIONS {
            if let Some(product) = S::product((Y, X), i, j) {
                column[i].store_lanes::<ALL>(products.part(product, row + c..row + channels));
            }
        }
    }
}
