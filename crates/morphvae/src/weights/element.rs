//! The number formats that weights are stored in, and their way to 32-bit floats.

use std::fmt::{self, Display, Formatter};

use half::{bf16, f16};

/// The format of a tensor's numbers in its file. In memory all of them are 32-bit floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// IEEE half precision.
    F16,
    /// The upper half of a 32-bit float.
    BF16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision, rounded when read.
    F64,
}

impl Display for ElementType {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::F32 => "F32",
            Self::F64 => "F64",
        })
    }
}

impl ElementType {
    /// Numbers from little-endian bytes; an unfinished number at the end is left out.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F16 => convert(bytes, |number| f16::from_le_bytes(number).to_f32()),
            Self::BF16 => convert(bytes, |number| bf16::from_le_bytes(number).to_f32()),
            Self::F32 => convert(bytes, f32::from_le_bytes),
            Self::F64 => convert(bytes, |number| f64::from_le_bytes(number) as f32),
        }
    }
}

fn convert<const BYTES: usize>(bytes: &[u8], number: impl Fn([u8; BYTES]) -> f32) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<BYTES>();
    numbers.iter().map(|&bytes| number(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_the_number_that_its_bits_spell() {
        // 1.5 in each format: sign 0, exponent bias, mantissa 0.5.
        assert_eq!(ElementType::F16.decode(&[0x00, 0x3e]), [1.5]);
        assert_eq!(ElementType::BF16.decode(&[0xc0, 0x3f]), [1.5]);
        assert_eq!(ElementType::F32.decode(&[0, 0, 0xc0, 0x3f]), [1.5]);
        assert_eq!(ElementType::F64.decode(&[0, 0, 0, 0, 0, 0, 0xf8, 0x3f]), [1.5]);
    }
}
