//! Black and white images as rows of text: `0 1 0 ..`, one image a line, as binarized MNIST is published (Larochelle and
//! Murray, 2011).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{DataError, Images};

/// Bytes of one file, at most: ten times the largest that is published.
const LARGEST: u64 = 800 << 20;
/// A digit and what follows it.
const BYTES_A_PIXEL: usize = 2;

/// Reads a file of images of `side` x `side` pixels, white where it has a one.
///
/// # Errors
/// [`DataError`] when the file cannot be read, is too large, or holds anything else than rows of so many digits 0 and 1
/// with a space between them.
pub(super) fn read(path: &Path, side: usize) -> Result<Images, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let bytes = file.metadata().map_err(DataError::io(path))?.len();
    if bytes > LARGEST {
        return Err(DataError::TooLarge {
            path: path.to_owned(),
            what: "this file".to_owned(),
            bytes,
            limit: LARGEST,
        });
    }
    let mut text = Vec::with_capacity(bytes as usize);
    // It may grow meanwhile.
    file.take(bytes).read_to_end(&mut text).map_err(DataError::io(path))?;
    let row = side * side;
    let wrong = |line: usize| DataError::Row {
        path: path.to_owned(),
        line,
        pixels: row,
    };
    if text.is_empty() || !text.len().is_multiple_of(BYTES_A_PIXEL * row) {
        return Err(wrong(text.len() / (BYTES_A_PIXEL * row) + 1));
    }
    let mut pixels = Vec::with_capacity(text.len() / BYTES_A_PIXEL);
    for (index, pair) in text.chunks_exact(BYTES_A_PIXEL).enumerate() {
        let end = if (index + 1).is_multiple_of(row) { b'\n' } else { b' ' };
        match pair {
            [b'0', after] if *after == end => pixels.push(0),
            [b'1', after] if *after == end => pixels.push(255),
            _ => return Err(wrong(index / row + 1)),
        }
    }
    Images::new(1, side, side, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Images, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path(), 2).map_err(|error| error.to_string())
    }

    #[test]
    fn ones_are_white() {
        let images = read_text("0 1 1 0\n1 1 1 1\n").unwrap();
        assert_eq!(
            images,
            Images::new(1, 2, 2, vec![0, 255, 255, 0, 255, 255, 255, 255]).unwrap()
        );
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_line() {
        for (text, line) in [
            ("", 1),
            ("0 1 1 0\n1 1 1\n", 2),
            ("0 1 1 0\n1 1 2 1\n", 2),
            ("0 1 1 0 1 1 1 1\n", 1),
            ("0 1\n1 0 1 1 1 1\n", 1),
            ("0,1,1,0\n", 1),
        ] {
            let message = read_text(text).unwrap_err();
            assert!(
                message.contains(&format!("line {line}")) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
