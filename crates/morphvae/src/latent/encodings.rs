//! Encoded images as files: CSV for people and spreadsheets, NPZ for NumPy.

use std::io::{self, Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

use crate::evaluation::Codes;
use crate::files::write_atomically;

/// Why encodings could not be put together or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodingsError {
    /// Names, labels, means and log variances that do not belong to the same images.
    #[error("{got} {what} were given for {expected} encoded images: give one for each")]
    Mismatch {
        /// What was counted.
        what: &'static str,
        /// The number that fits the codes.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// Codes whose numbers do not make whole points.
    #[error("{means} means and {log_variances} log variances are no points of {latent} dimension(s)")]
    Codes {
        /// Dimensions of a point.
        latent: usize,
        /// Numbers in the means.
        means: usize,
        /// Numbers in the log variances.
        log_variances: usize,
    },
    /// A file that could not be written.
    #[error("{}: {source}: check that it may be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Encoded images with their names and labels.
#[derive(Clone, Debug)]
pub struct Encodings<'a> {
    ids: &'a [String],
    labels: Option<&'a [u16]>,
    codes: &'a Codes,
}

impl<'a> Encodings<'a> {
    /// Puts together means and log variances, `[images, latent]`, one name an image, and one label an image where there
    /// are labels.
    ///
    /// # Errors
    /// [`EncodingsError::Codes`] when the codes are no whole points; [`EncodingsError::Mismatch`] when names or labels
    /// are not as many as they.
    pub fn new(ids: &'a [String], labels: Option<&'a [u16]>, codes: &'a Codes) -> Result<Self, EncodingsError> {
        let Codes {
            latent,
            mean,
            log_variance,
        } = codes;
        if *latent == 0 || !mean.len().is_multiple_of(*latent) || mean.len() != log_variance.len() {
            return Err(EncodingsError::Codes {
                latent: *latent,
                means: mean.len(),
                log_variances: log_variance.len(),
            });
        }
        let expected = mean.len() / latent;
        let counted = [("names", Some(ids.len())), ("labels", labels.map(<[u16]>::len))];
        for (what, got) in counted {
            if let Some(got) = got.filter(|&got| got != expected) {
                return Err(EncodingsError::Mismatch { what, expected, got });
            }
        }
        Ok(Self { ids, labels, codes })
    }

    /// Writes one line an image: `id,label,mean_1,...,log_variance_1,...`; the label is empty where there is none.
    /// Numbers are the shortest that read back as the same bits.
    ///
    /// # Errors
    /// [`EncodingsError::Write`] when the file cannot be written.
    pub fn write_csv(&self, path: &Path) -> Result<(), EncodingsError> {
        let latent = self.codes.latent;
        let numbered = |name: &str| {
            (1..=latent)
                .map(|number| format!("{name}_{number}"))
                .collect::<Vec<_>>()
        };
        let header = ["id", "label"].map(String::from).into_iter();
        let write = |writer: &mut dyn Write| -> Result<(), csv::Error> {
            let mut csv = csv::Writer::from_writer(writer);
            csv.write_record(header.chain(numbered("mean")).chain(numbered("log_variance")))?;
            let means = self.codes.mean.chunks_exact(latent);
            let log_variances = self.codes.log_variance.chunks_exact(latent);
            let mut labels = self.labels.into_iter().flatten();
            for (id, (mean, log_variance)) in self.ids.iter().zip(means.zip(log_variances)) {
                csv.write_field(id)?;
                csv.write_field(labels.next().map_or_else(String::new, ToString::to_string))?;
                csv.write_record(mean.iter().chain(log_variance).map(ToString::to_string))?;
            }
            Ok(csv.flush()?)
        };
        write_atomically(path, |writer| write(writer).map_err(io::Error::other)).map_err(|source| fail(path, source))
    }

    /// Writes the arrays `id`, `label` (where there are labels), `mean` and `log_variance` for `numpy.load`.
    ///
    /// # Errors
    /// [`EncodingsError::Write`] when the file cannot be written.
    pub fn write_npz(&self, path: &Path) -> Result<(), EncodingsError> {
        let count = self.ids.len();
        let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let table = format!("({count}, {})", self.codes.latent);
        let longest = self.ids.iter().map(|id| id.chars().count()).max().unwrap_or(0).max(1);
        let mut arrays = vec![(
            "id",
            format!("<U{longest}"),
            format!("({count},)"),
            fixed_width(self.ids, longest),
        )];
        if let Some(labels) = self.labels {
            let bytes = labels
                .iter()
                .flat_map(|&label| i64::from(label).to_le_bytes())
                .collect();
            arrays.push(("label", "<i8".into(), format!("({count},)"), bytes));
        }
        arrays.push(("mean", "<f4".into(), table.clone(), floats(&self.codes.mean)));
        arrays.push(("log_variance", "<f4".into(), table, floats(&self.codes.log_variance)));

        let write = || -> zip::result::ZipResult<Vec<u8>> {
            let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
            for (name, kind, shape, bytes) in &arrays {
                add_array(&mut archive, name, kind, shape, bytes)?;
            }
            Ok(archive.finish()?.into_inner())
        };
        let bytes = write().map_err(|error| fail(path, io::Error::other(error)))?;
        write_atomically(path, |writer| writer.write_all(&bytes)).map_err(|source| fail(path, source))
    }
}

fn fail(path: &Path, source: io::Error) -> EncodingsError {
    EncodingsError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Text as NumPy keeps it: 32 bits a character, padded with zeros.
fn fixed_width(texts: &[String], width: usize) -> Vec<u8> {
    let padded = |text: &String| {
        let mut characters: Vec<u32> = text.chars().map(u32::from).collect();
        characters.resize(width, 0);
        characters
    };
    texts.iter().flat_map(padded).flat_map(u32::to_le_bytes).collect()
}

/// Adds one array in NumPy's format, version 1.0 (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
fn add_array<W: Write + Seek>(
    archive: &mut ZipWriter<W>,
    name: &str,
    kind: &str,
    shape: &str,
    bytes: &[u8],
) -> zip::result::ZipResult<()> {
    // One date for all, so that equal arrays make equal files.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    archive.start_file(format!("{name}.npy"), options)?;
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version and length take ten bytes; with the line's end all comes to a multiple of 64.
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 10;
    header.extend(std::iter::repeat_n(' ', padded - header.len() - 1));
    header.push('\n');
    archive.write_all(b"\x93NUMPY\x01\x00")?;
    archive.write_all(&(header.len() as u16).to_le_bytes())?;
    archive.write_all(header.as_bytes())?;
    archive.write_all(bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn write(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let codes = Codes {
            latent: 2,
            mean: vec![0.1, -2.0, 3.5, 1e-7],
            log_variance: vec![-1.0, 0.0, 0.25, 9.0],
        };
        let ids = ["a,1".to_owned(), "é".to_owned()];
        let encodings = Encodings::new(&ids, Some(&[7, 0]), &codes).unwrap();
        match name {
            "codes.csv" => encodings.write_csv(&path).unwrap(),
            _ => encodings.write_npz(&path).unwrap(),
        }
        (folder, path)
    }

    #[test]
    fn a_csv_has_a_header_quotes_names_and_keeps_every_bit() {
        let (_folder, path) = write("codes.csv");
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "id,label,mean_1,mean_2,log_variance_1,log_variance_2\n\
             \"a,1\",7,0.1,-2,-1,0\n\
             é,0,3.5,0.0000001,0.25,9\n"
        );
    }

    #[test]
    fn an_npz_holds_arrays_as_numpy_writes_them() {
        let (_folder, path) = write("codes.npz");
        let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
        let mut array = |name: &str| {
            let mut bytes = Vec::new();
            archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
            let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            assert_eq!((10 + length) % 64, 0);
            (
                String::from_utf8(bytes[10..10 + length].to_vec()).unwrap(),
                bytes[10 + length..].to_vec(),
            )
        };
        let (header, bytes) = array("mean.npy");
        assert!(
            header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"),
            "{header}"
        );
        assert_eq!(bytes[..4], 0.1_f32.to_le_bytes());
        let (header, bytes) = array("id.npy");
        assert!(header.contains("'<U3'") && bytes.len() == 2 * 3 * 4, "{header}");
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let codes = |latent, mean: usize, log_variance: usize| Codes {
            latent,
            mean: vec![0.0; mean],
            log_variance: vec![0.0; log_variance],
        };
        let ids = ["a", "b"].map(String::from);
        let message = |ids: &[String], labels: Option<&[u16]>, codes: &Codes| {
            Encodings::new(ids, labels, codes).unwrap_err().to_string()
        };
        let two = codes(3, 6, 6);
        assert!(Encodings::new(&ids, None, &two).is_ok());
        assert!(message(&ids[..1], None, &two).contains("1 names were given for 2 encoded images"));
        assert!(message(&ids, Some(&[1, 2, 3]), &two).contains("3 labels were given for 2"));
        for broken in [codes(0, 0, 0), codes(4, 6, 6), codes(3, 6, 3)] {
            assert!(matches!(
                Encodings::new(&ids, None, &broken),
                Err(EncodingsError::Codes { .. })
            ));
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "in the way").unwrap();
        let codes = Codes {
            latent: 1,
            ..Codes::default()
        };
        let encodings = Encodings::new(&[], None, &codes).unwrap();
        let error = encodings.write_npz(&folder.path().join("file/codes.npz")).unwrap_err();
        assert!(error.to_string().contains("codes.npz"), "{error}");
    }
}
