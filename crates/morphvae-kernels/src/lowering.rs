//! Convolutions of maps with few channels as one matrix product per image.
//!
//! The input pixels under each output pixel are copied into the row of a matrix ("im2col"), or the products of a
//! transposed convolution are added to the outputs they belong to. With 1 or 3 channels at one end there is nothing
//! that [`crate::winograd`] could save.

/// Copies the 3x3 neighbourhood of each pixel of `[height, width, channels]` into a row `[tap, channel]`.
pub(crate) fn gather_3x3(input: &[f32], (height, width): (usize, usize), channels: usize, rows: &mut [f32]) {
    let row_length = 9 * channels;
    for (pixel, row) in rows.chunks_exact_mut(row_length).enumerate() {
        let (y, x) = (pixel / width, pixel % width);
        for (tap, to) in row.chunks_exact_mut(channels).enumerate() {
            let (from_y, from_x) = ((y + tap / 3).wrapping_sub(1), (x + tap % 3).wrapping_sub(1));
            if from_y < height && from_x < width {
                copy(&input[(from_y * width + from_x) * channels..][..channels], to);
            } else {
                to.fill(0.0);
            }
        }
    }
}

/// The transpose of [`gather_3x3`]: overwrites `input` with the sums of the rows' elements that came from each pixel.
pub(crate) fn scatter_3x3(rows: &[f32], (height, width): (usize, usize), channels: usize, input: &mut [f32]) {
    input.fill(0.0);
    for (pixel, row) in rows.chunks_exact(9 * channels).enumerate() {
        let (y, x) = (pixel / width, pixel % width);
        for (tap, from) in row.chunks_exact(channels).enumerate() {
            let (to_y, to_x) = ((y + tap / 3).wrapping_sub(1), (x + tap % 3).wrapping_sub(1));
            if to_y < height && to_x < width {
                add(from, &mut input[(to_y * width + to_x) * channels..][..channels]);
            }
        }
    }
}

/// The pixels that a 4x4 transposed convolution with stride 2 and padding 1 makes of each input pixel, `height` and
/// `width` being the input's: copies `[2 height, 2 width, channels]` into rows `[tap, channel]`.
pub(crate) fn gather_4x4(output: &[f32], (height, width): (usize, usize), channels: usize, rows: &mut [f32]) {
    for (pixel, row) in rows.chunks_exact_mut(16 * channels).enumerate() {
        let (y, x) = (2 * (pixel / width), 2 * (pixel % width));
        for (tap, to) in row.chunks_exact_mut(channels).enumerate() {
            let (from_y, from_x) = ((y + tap / 4).wrapping_sub(1), (x + tap % 4).wrapping_sub(1));
            if from_y < 2 * height && from_x < 2 * width {
                copy(&output[(from_y * 2 * width + from_x) * channels..][..channels], to);
            } else {
                to.fill(0.0);
            }
        }
    }
}

/// The transpose of [`gather_4x4`]: overwrites `output` with the sums of all rows.
pub(crate) fn scatter_4x4(rows: &[f32], (height, width): (usize, usize), channels: usize, output: &mut [f32]) {
    output.fill(0.0);
    for (pixel, row) in rows.chunks_exact(16 * channels).enumerate() {
        let (y, x) = (2 * (pixel / width), 2 * (pixel % width));
        for (tap, from) in row.chunks_exact(channels).enumerate() {
            let (to_y, to_x) = ((y + tap / 4).wrapping_sub(1), (x + tap % 4).wrapping_sub(1));
            if to_y < 2 * height && to_x < 2 * width {
                add(from, &mut output[(to_y * 2 * width + to_x) * channels..][..channels]);
            }
        }
    }
}

fn copy(from: &[f32], to: &mut [f32]) {
    // One channel is the usual case, and a call to copy four bytes costs more than the bytes.
    if let ([from], [to]) = (from, &mut *to) {
        *to = *from;
    } else {
        to.copy_from_slice(from);
    }
}

fn add(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
