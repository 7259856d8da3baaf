//! Transposition, a square of registers at a time.

use crate::isa::Vector;

/// The most lanes of a register.
const MOST: usize = 16;

/// Writes value `c` of row `r` to `to[at(c) + r]`; rows start `stride` floats apart in `from`.
#[inline(always)]
pub(crate) fn transpose<V: Vector>(
    from: &[f32],
    stride: usize,
    rows: usize,
    columns: usize,
    to: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    for row in (0..rows).step_by(V::LANES) {
        for column in (0..columns).step_by(V::LANES) {
            let from = &from[row * stride + column..];
            let at = |c: usize| at(column + c) + row;
            let columns = (columns - column).min(V::LANES);
            if rows - row >= V::LANES && (V::LANES - 1) * stride + V::LANES <= from.len() {
                square::<V, true>(from, stride, V::LANES, columns, to, at);
            } else {
                square::<V, false>(from, stride, (rows - row).min(V::LANES), columns, to, at);
            }
        }
    }
}

/// At most as many rows and columns as a register has lanes; with `ALL` as many rows, and whole registers
/// to be read in each.
#[inline(always)]
fn square<V: Vector, const ALL: bool>(
    from: &[f32],
    stride: usize,
    rows: usize,
    columns: usize,
    to: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    let mut square = [V::splat(0.0); MOST];
    for (r, values) in square.iter_mut().enumerate().take(V::LANES) {
        if ALL || r < rows {
            *values = V::load_lanes::<ALL>(&from[r * stride..]);
        }
    }
    // Each turn moves the highest bit of the row to the lowest of the column, and the column's highest to the row's lowest.
    let mut turns = V::LANES;
    while turns > 1 {
        square = interleave_halves(square);
        turns /= 2;
    }
    for (c, values) in square.into_iter().enumerate().take(V::LANES) {
        if c < columns {
            values.store_lanes::<ALL>(&mut to[at(c)..][..rows]);
        }
    }
}

#[inline(always)]
fn interleave_halves<V: Vector>(rows: [V; MOST]) -> [V; MOST] {
    let mut turned = rows;
    for r in 0..V::LANES / 2 {
        [turned[2 * r], turned[2 * r + 1]] = rows[r].interleave(rows[r + V::LANES / 2]);
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, simd};

    simd! {
        fn run<V>(from: &[f32], stride: usize, rows: usize, columns: usize, to: &mut [f32]) {
            transpose::<V>(from, stride, rows, columns, to, |column| column * (rows + 3));
        }
    }

    #[test]
    fn every_value_finds_its_place_and_nothing_else_changes() {
        for isa in Isa::available() {
            for (rows, columns) in [(1, 1), (9, 40), (16, 16), (32, 9), (33, 72), (5, 17)] {
                let stride = columns + 2;
                // No more than the last row needs.
                let from: Vec<f32> = (0..(rows - 1) * stride + columns).map(|i| i as f32).collect();
                let mut to = vec![-1.0; columns * (rows + 3)];
                run(isa, &from, stride, rows, columns, &mut to);
                for (at, value) in to.into_iter().enumerate() {
                    let (column, row) = (at / (rows + 3), at % (rows + 3));
                    let expected = if row < rows { from[row * stride + column] } else { -1.0 };
                    assert_eq!(
                        value, expected,
                        "{isa:?}: row {row} of {rows}, column {column} of {columns}"
                    );
                }
            }
        }
    }
}
