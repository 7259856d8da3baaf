//! Convolutions of maps with few channels as one matrix product per image.
//!
//! The input pixels under each output pixel are copied into the row of a matrix ("im2col"), or the products of a
//! transposed convolution are added to the outputs they belong to. With 1 or 3 channels at one end there is nothing
//! that [`crate::winograd`] could save.
//!
//! The innermost loops run along a row of pixels, so that the border is looked at once per row and tap.

use std::ops::Range;

/// Copies the 3x3 neighbourhood of each pixel of `[height, width, channels]` into a row `[tap, channel]`.
pub(crate) fn gather_3x3(input: &[f32], size: (usize, usize), channels: usize, rows: &mut [f32]) {
    let (height, width) = size;
    for (y, rows) in rows.chunks_exact_mut(width * 9 * channels).enumerate() {
        for tap in 0..9 {
            let (from_y, inside) = ((y + tap / 3).wrapping_sub(1), inside_3(tap % 3, width));
            let inside = if from_y < height { inside } else { 0..0 };
            for x in (0..inside.start).chain(inside.end..width) {
                rows[(x * 9 + tap) * channels..][..channels].fill(0.0);
            }
            for x in inside {
                let from = (from_y * width + x + tap % 3 - 1) * channels;
                copy(
                    &input[from..][..channels],
                    &mut rows[(x * 9 + tap) * channels..][..channels],
                );
            }
        }
    }
}

/// The transpose of [`gather_3x3`]: overwrites `input` with the sums of the rows' elements that came from each pixel.
pub(crate) fn scatter_3x3(rows: &[f32], size: (usize, usize), channels: usize, input: &mut [f32]) {
    let (height, width) = size;
    input.fill(0.0);
    for (y, rows) in rows.chunks_exact(width * 9 * channels).enumerate() {
        for tap in 0..9 {
            let to_y = (y + tap / 3).wrapping_sub(1);
            if to_y >= height {
                continue;
            }
            for x in inside_3(tap % 3, width) {
                let to = (to_y * width + x + tap % 3 - 1) * channels;
                add(
                    &rows[(x * 9 + tap) * channels..][..channels],
                    &mut input[to..][..channels],
                );
            }
        }
    }
}

/// The pixels that a 4x4 transposed convolution with stride 2 and padding 1 makes of each input pixel, `size` being the
/// input's: copies `[2 height, 2 width, channels]` into rows `[tap, channel]`.
pub(crate) fn gather_4x4(output: &[f32], size: (usize, usize), channels: usize, rows: &mut [f32]) {
    let (height, width) = size;
    for (y, rows) in rows.chunks_exact_mut(width * 16 * channels).enumerate() {
        for tap in 0..16 {
            let (from_y, inside) = ((2 * y + tap / 4).wrapping_sub(1), inside_4(tap % 4, width));
            let inside = if from_y < 2 * height { inside } else { 0..0 };
            for x in (0..inside.start).chain(inside.end..width) {
                rows[(x * 16 + tap) * channels..][..channels].fill(0.0);
            }
            for x in inside {
                let from = (from_y * 2 * width + 2 * x + tap % 4 - 1) * channels;
                copy(
                    &output[from..][..channels],
                    &mut rows[(x * 16 + tap) * channels..][..channels],
                );
            }
        }
    }
}

/// The transpose of [`gather_4x4`]: overwrites `output` with the sums of all rows.
pub(crate) fn scatter_4x4(rows: &[f32], size: (usize, usize), channels: usize, output: &mut [f32]) {
    let (height, width) = size;
    output.fill(0.0);
    for (y, rows) in rows.chunks_exact(width * 16 * channels).enumerate() {
        for tap in 0..16 {
            let to_y = (2 * y + tap / 4).wrapping_sub(1);
            if to_y >= 2 * height {
                continue;
            }
            for x in inside_4(tap % 4, width) {
                let to = (to_y * 2 * width + 2 * x + tap % 4 - 1) * channels;
                add(
                    &rows[(x * 16 + tap) * channels..][..channels],
                    &mut output[to..][..channels],
                );
            }
        }
    }
}

/// The pixels of a row whose neighbour under this column of a 3x3 filter lies inside of the map.
fn inside_3(column: usize, width: usize) -> Range<usize> {
    usize::from(column == 0)..width - usize::from(column == 2)
}

/// The input pixels of a row whose output under this column of a 4x4 filter lies inside of the map.
fn inside_4(column: usize, width: usize) -> Range<usize> {
    usize::from(column == 0)..width - usize::from(column == 3)
}

#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    // One channel is the usual case, and a call to copy four bytes costs more than the bytes.
    if let ([from], [to]) = (from, &mut *to) {
        *to = *from;
    } else {
        to.copy_from_slice(from);
    }
}

#[inline(always)]
fn add(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
