//! Reading one array of NumPy's, from a file of unknown origin.
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>)

use std::io::Read;

use half::f16;

/// What a file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// The longest header that is read, in bytes; NumPy itself reads no more than 10,000.
const LONGEST_HEADER: usize = 1 << 16;
/// The most characters that texts are read of, padding included.
const MOST_CHARACTERS: usize = 1 << 28;
/// Bytes read at a time.
const PIECE: usize = 1 << 16;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The kind of its elements: `<f4`.
    pub kind: String,
    /// Whether the first index runs fastest.
    pub by_columns: bool,
    pub shape: Vec<usize>,
    /// Bytes of the header itself.
    pub length: u64,
}

/// The numbers that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    F16,
    F32,
    F64,
}

impl Header {
    /// Reads a header, and nothing beyond it. Errors are reasons, for the caller to say of what.
    pub fn read(reader: &mut impl Read) -> Result<Self, String> {
        let mut start = [0; 8];
        let cut = |_| "its header is cut short".to_owned();
        reader.read_exact(&mut start).map_err(cut)?;
        if !start.starts_with(MAGIC) {
            return Err("it is no NumPy array".to_owned());
        }
        let (length, prefix) = if start[6] == 1 {
            let mut bytes = [0; 2];
            reader.read_exact(&mut bytes).map_err(cut)?;
            (usize::from(u16::from_le_bytes(bytes)), 10)
        } else {
            let mut bytes = [0; 4];
            reader.read_exact(&mut bytes).map_err(cut)?;
            (u32::from_le_bytes(bytes) as usize, 12)
        };
        if length > LONGEST_HEADER {
            return Err(format!("its header would have {length} bytes"));
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text).map_err(cut)?;
        let text = String::from_utf8_lossy(&text);
        Self::parse(&text, (prefix + length) as u64).ok_or_else(|| "its header makes no sense".to_owned())
    }

    fn parse(text: &str, length: u64) -> Option<Self> {
        let value = |key: &str| {
            let (_, after) = text.split_once(&format!("'{key}'"))?;
            Some(after.trim_start().strip_prefix(':')?.trim_start())
        };
        // A record's kind is a list, and not read.
        let kind = value("descr")?
            .strip_prefix('\'')
            .map_or("records", |kind| kind.split('\'').next().unwrap_or(""));
        let by_columns = value("fortran_order")?.starts_with("True");
        let sides = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
        let sides = sides.split(',').map(str::trim).filter(|side| !side.is_empty());
        let shape = sides.map(|side| side.parse().ok()).collect::<Option<Vec<usize>>>()?;
        Some(Self {
            kind: kind.to_owned(),
            by_columns,
            shape,
            length,
        })
    }

    /// Whether the elements are numbers that can be read.
    pub fn is_numeric(&self) -> bool {
        self.element().is_some()
    }

    fn element(&self) -> Option<(Element, bool)> {
        let (order, kind) = self.kind.split_at_checked(1)?;
        let element = match kind {
            "f2" => Element::F16,
            "f4" => Element::F32,
            "f8" => Element::F64,
            _ => return None,
        };
        match order {
            "<" => Some((element, false)),
            ">" => Some((element, true)),
            _ => None,
        }
    }

    /// How many elements there are, where that can be counted.
    pub fn count(&self) -> Option<usize> {
        self.shape
            .iter()
            .try_fold(1_usize, |count, &side| count.checked_mul(side))
    }

    /// Bytes of header and elements together, if each element has `size` of them.
    fn bytes(&self, size: usize) -> Option<u64> {
        self.length.checked_add(self.count()?.checked_mul(size)? as u64)
    }

    /// The numbers, in the order of the file, from a reader that stands behind the header of a file of `length` bytes.
    /// Memory is taken as they come.
    pub fn numbers(&self, reader: &mut impl Read, length: u64) -> Result<Vec<f32>, String> {
        let Some((element, swapped)) = self.element() else {
            return Err(format!("its elements are {}, not floating-point numbers", self.kind));
        };
        let size = match element {
            Element::F16 => 2,
            Element::F32 => 4,
            Element::F64 => 8,
        };
        self.check_length(length, size)?;
        let mut numbers = Vec::new();
        self.each_piece(reader, size, |bytes| {
            for bytes in bytes.chunks_exact(size) {
                let mut number = [0; 8];
                number[..size].copy_from_slice(bytes);
                if swapped {
                    number[..size].reverse();
                }
                let [first, second, third, fourth, ..] = number;
                numbers.push(match element {
                    Element::F16 => f16::from_le_bytes([first, second]).to_f32(),
                    Element::F32 => f32::from_le_bytes([first, second, third, fourth]),
                    Element::F64 => f64::from_le_bytes(number) as f32,
                });
            }
        })?;
        Ok(numbers)
    }

    /// The texts of an array of them, as [`Header::numbers`]; none where it holds something else.
    pub fn texts(&self, reader: &mut impl Read, length: u64) -> Result<Option<Vec<String>>, String> {
        let width = self
            .kind
            .strip_prefix("<U")
            .and_then(|width| width.parse::<usize>().ok());
        let Some(width) = width.filter(|width| (1..=LONGEST_HEADER).contains(width)) else {
            return Ok(None);
        };
        self.check_length(length, 4 * width)?;
        if self.count().is_none_or(|count| count * width > MOST_CHARACTERS) {
            return Err(format!("texts of more than {MOST_CHARACTERS} characters are not read"));
        }
        let mut texts = Vec::new();
        self.each_piece(reader, 4 * width, |bytes| {
            for text in bytes.chunks_exact(4 * width) {
                let characters = text.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
                let letter = |character| char::from_u32(character).unwrap_or(char::REPLACEMENT_CHARACTER);
                let text: String = characters.map(letter).collect();
                texts.push(text.trim_end_matches('\0').to_owned());
            }
        })?;
        Ok(Some(texts))
    }

    fn check_length(&self, length: u64, size: usize) -> Result<(), String> {
        match self.bytes(size) {
            Some(expected) if expected == length => Ok(()),
            Some(expected) => Err(format!(
                "by its header it should hold {expected} bytes, but it holds {length}"
            )),
            None => Err(format!("its shape {:?} is beyond all memory", self.shape)),
        }
    }

    /// Goes through the elements, some whole ones at a time.
    fn each_piece(&self, reader: &mut impl Read, size: usize, mut see: impl FnMut(&[u8])) -> Result<(), String> {
        let mut left = self.count().unwrap_or(0) * size;
        let mut piece = vec![0; (PIECE / size).max(1) * size];
        while left > 0 {
            let piece = &mut piece[..left.min((PIECE / size).max(1) * size)];
            reader
                .read_exact(piece)
                .map_err(|error| format!("it cannot be read to its end ({error})"))?;
            see(piece);
            left -= piece.len();
        }
        Ok(())
    }
}
