//! The IDX file format, in which MNIST and its relatives are published, raw or compressed with gzip.
//!
//! A file is a magic number, one size for each dimension (all big-endian, 32 bits) and the data: see the description of
//! the format in "The MNIST database of handwritten digits" (Y. Le Cun and others).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::error::{DataError, Found, IdxKind, Start};
use super::{Images, Split};

/// Bytes of data in one file, at most: twice what the largest known set needs.
const LARGEST: u64 = 1 << 30;

/// Bytes that a compressed file may hold: as many as anything may, or so many times its own. Published sets are no more
/// than eight times smaller than what they hold.
const ALWAYS_ALLOWED: u64 = 64 << 20;
const TIMES_THE_FILE: u64 = 32;

/// Deflate makes data smaller by no more than this factor (zlib's "technical details": 1032 to 1).
const BEST_COMPRESSION: u64 = 1032;

/// Reads a file of images, `[count, 1, rows, columns]`. Its first bytes, not its name, tell whether it is compressed.
///
/// # Errors
/// [`DataError`] when the file cannot be read, is no IDX file of images, or is damaged, cut short, empty or too large.
pub fn read_images(path: &Path) -> Result<Images, DataError> {
    let (sizes, pixels) = read(path, IdxKind::Images)?;
    Images::new(1, sizes[1] as usize, sizes[2] as usize, pixels)
}

/// Reads a file of labels, as they are stored.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>, DataError> {
    read(path, IdxKind::Labels).map(|(_, labels)| labels)
}

/// Reads images with their labels; the first of the `allowed` labels becomes class 0.
///
/// # Errors
/// As [`read_images`]; also when the counts disagree or a label is not allowed.
pub fn read_split(images_path: &Path, labels_path: &Path, allowed: RangeInclusive<u8>) -> Result<Split, DataError> {
    let images = read_images(images_path)?;
    let labels = read_labels(labels_path)?;
    if images.count() != labels.len() {
        return Err(DataError::Counts {
            images_path: images_path.to_path_buf(),
            images: images.count(),
            labels_path: labels_path.to_path_buf(),
            labels: labels.len(),
        });
    }
    let (first, last) = allowed.into_inner();
    let class = |(index, &label): (usize, &u8)| {
        if (first..=last).contains(&label) {
            return Ok(Some(u16::from(label - first)));
        }
        Err(DataError::Label {
            path: labels_path.to_path_buf(),
            index,
            label,
            first,
            last,
        })
    };
    let labels = labels.iter().enumerate().map(class).collect::<Result<_, _>>()?;
    Ok(Split {
        images,
        labels: Some(labels),
        sources: None,
    })
}

/// The sizes in the header and the data after it.
fn read(path: &Path, kind: IdxKind) -> Result<(Vec<u32>, Vec<u8>), DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let stored = file.metadata().map_err(DataError::io(path))?.len();
    let mut reader = BufReader::new(file);
    let compressed = reader
        .fill_buf()
        .map_err(DataError::io(path))?
        .starts_with(&[0x1f, 0x8b]);
    if compressed {
        let holds = Found::AtMost(stored.saturating_mul(BEST_COMPRESSION));
        let limit = stored.saturating_mul(TIMES_THE_FILE).clamp(ALWAYS_ALLOWED, LARGEST);
        let damaged = |source| DataError::Gzip {
            path: path.to_path_buf(),
            source,
        };
        read_uncompressed(path, kind, MultiGzDecoder::new(reader), (holds, limit), damaged)
    } else {
        let unreadable = |source| DataError::Io {
            path: path.to_path_buf(),
            source,
        };
        read_uncompressed(path, kind, reader, (Found::Exactly(stored), LARGEST), unreadable)
    }
}

/// Reads header and data from `reader`, which `holds` so much and may hold no more than a limit, and no further than the
/// header promises.
fn read_uncompressed(
    path: &Path,
    kind: IdxKind,
    mut reader: impl Read,
    (holds, limit): (Found, u64),
    failed: impl Fn(io::Error) -> DataError,
) -> Result<(Vec<u32>, Vec<u8>), DataError> {
    let mut next = |bytes: u64| -> Result<Vec<u8>, DataError> {
        // Never more than has been checked against `limit` and `holds`; beyond the least limit, memory is taken as data
        // comes.
        let mut data = Vec::with_capacity(bytes.min(ALWAYS_ALLOWED) as usize);
        reader.by_ref().take(bytes).read_to_end(&mut data).map_err(&failed)?;
        Ok(data)
    };
    let start = next(4)?;
    if start != kind.magic().to_be_bytes() {
        return Err(DataError::WrongMagic {
            path: path.to_path_buf(),
            wanted: kind,
            found: Start(start),
        });
    }
    let header = next(4 * kind.dimensions() as u64)?;
    let header_length = 4 + 4 * kind.dimensions() as u64;
    if header.len() < 4 * kind.dimensions() {
        return Err(wrong_length(
            path,
            header_length,
            Found::Exactly(4 + header.len() as u64),
        ));
    }
    let sizes: Vec<u32> = header
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| u32::from_be_bytes(*bytes))
        .collect();
    let data_length = promised(path, &sizes)?;
    let expected = header_length + data_length;
    match holds {
        Found::Exactly(bytes) if bytes != expected => return Err(wrong_length(path, expected, holds)),
        Found::AtMost(bytes) if bytes < expected => return Err(wrong_length(path, expected, holds)),
        _ => check_limit(path, &sizes, data_length, limit)?,
    }
    // One byte more than promised would show; the end of a gzip file holds its checksum, which is thereby read too.
    let mut data = next(data_length + 1)?;
    if data.len() as u64 > data_length {
        return Err(wrong_length(path, expected, Found::More));
    }
    if (data.len() as u64) < data_length {
        return Err(wrong_length(
            path,
            expected,
            Found::Exactly(header_length + data.len() as u64),
        ));
    }
    data.shrink_to_fit();
    Ok((sizes, data))
}

/// How many bytes of data the header's sizes promise.
fn promised(path: &Path, sizes: &[u32]) -> Result<u64, DataError> {
    if sizes.contains(&0) {
        return Err(DataError::Nothing {
            path: path.to_path_buf(),
            sizes: sizes.to_vec(),
        });
    }
    let bytes = sizes
        .iter()
        .fold(1_u64, |product, &size| product.saturating_mul(u64::from(size)));
    check_limit(path, sizes, bytes, LARGEST)?;
    Ok(bytes)
}

fn check_limit(path: &Path, sizes: &[u32], bytes: u64, limit: u64) -> Result<(), DataError> {
    if bytes <= limit {
        return Ok(());
    }
    let what = match sizes {
        [count, rows, columns] => format!("{count} images of {rows} x {columns}, as its header promises,"),
        _ => format!("{} labels, as its header promises,", sizes[0]),
    };
    Err(DataError::TooLarge {
        path: path.to_path_buf(),
        what,
        bytes,
        limit,
    })
}

fn wrong_length(path: &Path, expected: u64, found: Found) -> DataError {
    DataError::WrongLength {
        path: path.to_path_buf(),
        expected,
        found,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::fs;
    use std::io::Write;

    /// An IDX file, written independently of the reader.
    pub fn idx(magic: u32, sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_be_bytes().to_vec();
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images_error(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.gz");
        fs::write(&path, bytes).unwrap();
        let message = read_images(&path).unwrap_err().to_string();
        assert!(!message.contains('\n') && message.contains("images.gz"), "{message}");
        message
    }

    #[test]
    fn another_kind_of_file_is_named() {
        for (bytes, name) in [
            (idx(0x801, &[1], &[7]), "0x00000801, IDX labels"),
            (gzip(&gzip(b"x")), "gzip inside gzip"),
            (b"<html>not found</html>".to_vec(), "0x3c68746d, an HTML page"),
            (b"PK\x03\x04...".to_vec(), "a zip archive"),
            (idx(0xd03, &[1, 1, 1], &[0; 4]), "IDX data of another type or shape"),
            (b"hello".to_vec(), "no IDX and no gzip"),
            (b"a".to_vec(), "0x61, too short for any header"),
            (Vec::new(), "it is empty"),
        ] {
            let message = images_error(&bytes);
            assert!(message.contains(name) && message.contains("0x00000803"), "{message}");
        }
    }

    #[test]
    fn a_header_that_promises_two_to_the_31_images_takes_no_memory() {
        let promising = idx(0x803, &[1 << 31, 28, 28], &[0; 784]);
        assert!(images_error(&promising).contains("2147483648 images of 28 x 28"));
        assert!(images_error(&gzip(&promising)).contains("above the limit"));
        let overflowing = idx(0x803, &[u32::MAX; 3], &[]);
        assert!(images_error(&overflowing).contains("above the limit"));
        let within_the_limit = idx(0x803, &[1 << 20, 28, 28], &[0; 784]);
        assert!(images_error(&within_the_limit).contains("it holds 800"));
        assert!(images_error(&gzip(&within_the_limit)).contains("at most"));
    }

    #[test]
    fn a_file_that_is_cut_short_or_too_long_or_damaged_is_refused() {
        let whole = idx(0x803, &[3, 4, 5], &[9; 60]);
        assert!(images_error(&whole[..70]).contains("should hold 76 bytes (uncompressed), but it holds 70"));
        assert!(images_error(&gzip(&whole[..70])).contains("but it holds 70"));
        assert!(images_error(&whole[..9]).contains("should hold 16 bytes (uncompressed), but it holds 9"));
        assert!(images_error(&gzip(&[&whole[..], b"!"].concat())).contains("it holds more"));
        let compressed = gzip(&whole);
        for length in 2..compressed.len() {
            assert!(
                images_error(&compressed[..length]).contains("cut short or damaged"),
                "cut at {length}"
            );
        }
        let mut damaged = compressed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(images_error(&damaged).contains("cut short or damaged"));
        assert!(images_error(b"\x1f\x8b is all that is gzip here").contains("cut short or damaged"));
    }

    #[test]
    fn what_is_compressed_more_than_any_real_set_is_not_unfolded() {
        let size = 5000;
        let zeros = gzip(&idx(0x803, &[3, size, size], &vec![0; 75_000_000]));
        assert!(zeros.len() < 1_000_000);
        assert!(
            images_error(&zeros).contains("above the limit of 67108864"),
            "{}",
            images_error(&zeros)
        );
        let fewer = gzip(&idx(0x803, &[2, size, size], &vec![0; 50_000_000]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        fs::write(&path, fewer).unwrap();
        assert_eq!(read_images(&path).unwrap().count(), 2);
    }

    #[test]
    fn a_compressed_bomb_is_read_no_further_than_its_header() {
        let bomb = gzip(&idx(0x803, &[1, 2, 2], &vec![0; 50_000_000]));
        assert!(images_error(&bomb).contains("it holds more"));
    }

    #[test]
    fn images_without_size_are_refused() {
        for sizes in [[0, 28, 28], [5, 0, 28], [5, 28, 0]] {
            assert!(images_error(&idx(0x803, &sizes, &[])).contains("nothing in it"));
        }
    }

    #[test]
    fn images_and_labels_must_agree() {
        let folder = tempfile::tempdir().unwrap();
        let [images, labels] = ["images", "labels"].map(|name| folder.path().join(name));
        fs::write(&images, idx(0x803, &[3, 1, 1], &[0; 3])).unwrap();
        let split = |stored: &[u8], allowed| {
            fs::write(&labels, idx(0x801, &[u32::try_from(stored.len()).unwrap()], stored)).unwrap();
            read_split(&images, &labels, allowed).map_err(|error| error.to_string())
        };
        assert_eq!(
            split(&[0, 9, 4], 0..=9).unwrap().labels,
            Some([0, 9, 4].map(Some).to_vec())
        );
        assert_eq!(
            split(&[1, 26, 4], 1..=26).unwrap().labels,
            Some([0, 25, 3].map(Some).to_vec())
        );
        assert!(split(&[0, 1], 0..=9).unwrap_err().contains("3 images, but"));
        assert!(
            split(&[0, 1, 10], 0..=9)
                .unwrap_err()
                .contains("label 2 is 10, but the set's labels are 0 to 9")
        );
        assert!(split(&[1, 0, 1], 1..=26).unwrap_err().contains("label 1 is 0"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            count in 1_u32..6, rows in 1_u32..6, columns in 1_u32..6, seed in any::<u8>(), compress in any::<bool>(),
        ) {
            let length = u8::try_from(count * rows * columns).unwrap();
            let pixels: Vec<u8> = (0..length).map(|index| index.wrapping_mul(31).wrapping_add(seed)).collect();
            let bytes = idx(0x803, &[count, rows, columns], &pixels);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("images");
            fs::write(&path, if compress { gzip(&bytes) } else { bytes }).unwrap();
            let images = read_images(&path).unwrap();
            prop_assert_eq!((images.count(), images.channels()), (count as usize, 1));
            prop_assert_eq!((images.height(), images.width()), (rows as usize, columns as usize));
            prop_assert_eq!(images.pixels(), &pixels[..]);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), valid_magic: bool) {
            let bytes = if valid_magic { [&[0, 0, 8, 3], &bytes[..]].concat() } else { bytes };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("images");
            fs::write(&path, bytes).unwrap();
            let _ = read_images(&path);
        }
    }
}
