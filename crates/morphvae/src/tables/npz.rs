//! Arrays for NumPy: a zip archive of `.npy` files, stored and not compressed.
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, version 1.0)

use std::cell::Cell;
use std::io::{self, Seek, SeekFrom, Write};
use std::rc::Rc;

use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

/// Files of this many bytes and more need the archive's larger headers.
const LARGE: u64 = u32::MAX as u64;

/// An archive that is being written, array after array. What is given up is not ended.
#[derive(Debug)]
pub(crate) struct NpzWriter<W: Write + Seek> {
    archive: Option<ZipWriter<Writer<W>>>,
    is_given_up: Rc<Cell<bool>>,
}

/// Where an archive is written to, until it is given up, as it is by the first error: a `ZipWriter` ends its archive when it
/// is dropped, and complains on standard error where it cannot. From then on all that it does succeeds, and nothing is done.
#[derive(Debug)]
struct Writer<W> {
    writer: W,
    position: u64,
    /// The farthest position that was reached.
    end: u64,
    is_given_up: Rc<Cell<bool>>,
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An archive without arrays.
    pub fn new(writer: W) -> Self {
        let is_given_up = Rc::new(Cell::new(false));
        let writer = Writer {
            writer,
            position: 0,
            end: 0,
            is_given_up: Rc::clone(&is_given_up),
        };
        Self {
            archive: Some(ZipWriter::new(writer)),
            is_given_up,
        }
    }

    /// Adds an array of numbers of `kind`, as NumPy writes it: `<f4`.
    pub fn array(&mut self, name: &str, kind: &str, shape: &[usize], bytes: &[u8]) -> io::Result<()> {
        self.begin(name, kind, shape, bytes.len() as u64)?;
        self.append(bytes)
    }

    /// Begins an array of `length` bytes, which [`NpzWriter::append`] adds.
    pub fn begin(&mut self, name: &str, kind: &str, shape: &[usize], length: u64) -> io::Result<()> {
        // One date for all, so that equal arrays make equal files.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(length >= LARGE / 2)
            .last_modified_time(DateTime::default());
        self.open()?
            .start_file(format!("{name}.npy"), options)
            .map_err(io::Error::other)?;
        self.append(&header(kind, shape))
    }

    /// Adds bytes to the array that was begun last.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.open()?.write_all(bytes)
    }

    /// Adds an array of texts as NumPy keeps them: 32 bits a character, padded with zeros.
    pub fn texts(&mut self, name: &str, texts: &[String]) -> io::Result<()> {
        let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
        let padded = |text: &String| {
            let mut characters: Vec<u32> = text.chars().map(u32::from).collect();
            characters.resize(longest, 0);
            characters
        };
        let bytes: Vec<u8> = texts.iter().flat_map(padded).flat_map(u32::to_le_bytes).collect();
        self.array(name, &format!("<U{longest}"), &[texts.len()], &bytes)
    }

    /// Ends the archive.
    pub fn finish(&mut self) -> io::Result<W> {
        self.open()?;
        let archive = self.archive.take().ok_or_else(ended)?;
        Ok(archive.finish().map_err(io::Error::other)?.writer)
    }

    fn open(&mut self) -> io::Result<&mut ZipWriter<Writer<W>>> {
        let is_given_up = self.is_given_up.get();
        self.archive.as_mut().filter(|_| !is_given_up).ok_or_else(ended)
    }
}

impl<W: Write + Seek> Drop for NpzWriter<W> {
    fn drop(&mut self) {
        self.is_given_up.set(true);
    }
}

fn ended() -> io::Error {
    io::Error::other("the archive has ended")
}

impl<W> Writer<W> {
    /// What an action gives, or this once the archive is given up.
    fn act<T>(&mut self, otherwise: T, action: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.is_given_up.get() {
            return Ok(otherwise);
        }
        action(&mut self.writer).inspect_err(|error| self.is_given_up.set(error.kind() != io::ErrorKind::Interrupted))
    }

    fn stand_at(&mut self, position: u64) {
        self.position = position;
        self.end = self.end.max(position);
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.act(bytes.len(), |writer| writer.write(bytes))?;
        self.stand_at(self.position + count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.act((), W::flush)
    }
}

impl<W: Seek> Seek for Writer<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // An archive is only left at its end, whatever was being written when it was given up.
        let otherwise = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(_) | SeekFrom::End(_) => self.end,
        };
        let position = self.act(otherwise, |writer| writer.seek(to))?;
        self.stand_at(position);
        Ok(position)
    }
}

fn header(kind: &str, shape: &[usize]) -> Vec<u8> {
    let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
    // A tuple of one has a comma, too.
    let comma = if shape.len() == 1 { "," } else { "" };
    let sides = sides.join(", ");
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({sides}{comma}), }}");
    // Magic, version and length take ten bytes; with the line's end all comes to a multiple of 64.
    let padded = (10 + text.len() + 1).next_multiple_of(64) - 10;
    text.extend(std::iter::repeat_n(' ', padded - text.len() - 1));
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Does so many things, and then nothing more.
    struct Failing {
        file: Cursor<Vec<u8>>,
        left: usize,
    }

    impl Failing {
        fn next(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
            self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
            Ok(&mut self.file)
        }
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.next()?.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.next()?.flush()
        }
    }

    impl Seek for Failing {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.next()?.seek(to)
        }
    }

    fn write(archive: &mut NpzWriter<Failing>) -> io::Result<()> {
        archive.array("numbers", "|u1", &[3], &[1, 2, 3])?;
        archive.texts("words", &["one".to_owned(), "two".to_owned()])
    }

    #[test]
    fn what_is_given_up_is_left_without_a_further_error() {
        for left in 0.. {
            let mut archive = NpzWriter::new(Failing {
                file: Cursor::default(),
                left,
            });
            let Err(error) = write(&mut archive) else {
                assert!(left > 8, "its end is all that fails from here on");
                break;
            };
            assert!(error.to_string().contains("no storage space"), "{left}: {error}");
            assert!(archive.array("more", "|u1", &[1], &[1]).is_err());
            // What a `ZipWriter` does when it is dropped.
            let rest = archive.archive.take().unwrap();
            assert!(rest.finish().is_ok(), "{left}");
        }
    }
}
