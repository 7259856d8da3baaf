//! Right-hand matrices in the order the register tile reads them.

use crate::buffer::Buffer;
use crate::isa::Isa;

/// Length of a packed matrix of `depth` rows and `columns` columns.
pub(crate) fn packed_length(isa: Isa, depth: usize, columns: usize) -> usize {
    columns.div_ceil(isa.panel()) * isa.panel() * depth
}

/// Packs the matrix whose element in row `k` and column `n` is `value(k, n)`.
///
/// A panel holds `PANEL` columns, row after row; panels follow one another. Missing columns are zero.
pub(crate) fn pack(isa: Isa, depth: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Buffer {
    let width = isa.panel();
    let mut packed = Buffer::take(packed_length(isa, depth, columns));
    for (panel, rows) in packed.chunks_exact_mut((width * depth).max(1)).enumerate() {
        for (k, row) in rows.chunks_exact_mut(width).enumerate() {
            for (j, element) in row.iter_mut().enumerate() {
                let n = panel * width + j;
                *element = if n < columns { value(k, n) } else { 0.0 };
            }
        }
    }
    packed
}
