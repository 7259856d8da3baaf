//! What is known of each image, in files: CSV for people and spreadsheets, NPZ for NumPy.
//!
//! A [`Table`] has a row for each image, with its id and its class, and columns of numbers: where the image lies in the
//! latent space ([`Codes::columns`](crate::evaluation::Codes::columns)), or how well a network gives it back
//! ([`ImageLosses::columns`](crate::evaluation::ImageLosses::columns)). [`Points`] reads such files, or other people's.

mod npy;
mod npz;
mod points;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::files::{Output, write_atomically};
pub(crate) use npz::NpzWriter;
pub use points::{Points, PointsError};

/// Why a table could not be put together or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// Ids, labels and numbers that do not belong to the same images.
    #[error("{got} {what} were given for {expected} images: give one for each")]
    Mismatch {
        /// What was counted.
        what: &'static str,
        /// How many images there are.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// A label stands for no class.
    #[error("label {label} has no name: there are {classes} classes; give a name for every label")]
    UnknownClass {
        /// The label.
        label: u16,
        /// The number of names.
        classes: usize,
    },
    /// Numbers that do not make whole points.
    #[error("{numbers} numbers of {column} are no points of {width} dimension(s)")]
    Points {
        /// The column.
        column: &'static str,
        /// Dimensions of a point.
        width: usize,
        /// How many numbers there are.
        numbers: usize,
    },
    /// A file of another kind.
    #[error("{}: tables are written as .csv or .npz: choose such an ending", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
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

/// What stands in an NPZ for the label of an image that has none, where others have one.
const NO_LABEL: i64 = -1;

/// Which image each row is of.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// A name an image.
    pub ids: &'a [String],
    /// The label of each image that has one, an index into `classes`; none where no image has.
    pub labels: Option<&'a [Option<u16>]>,
    /// The classes' names; empty where they are not known.
    pub classes: &'a [String],
}

/// Numbers of each image.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// What they are called in the file.
    pub name: &'static str,
    /// The numbers.
    pub numbers: Numbers<'a>,
}

/// One number an image, or several.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// `[images]`
    One(&'a [f64]),
    /// `[images, width]`, called `mean_1` to `mean_WIDTH` in a CSV.
    Many {
        /// Numbers an image.
        width: usize,
        /// All of them.
        values: &'a [f32],
    },
}

/// Rows and columns that belong together.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    rows: Rows<'a>,
    columns: Vec<Column<'a>>,
}

impl<'a> Table<'a> {
    /// Puts rows and columns together.
    ///
    /// # Errors
    /// [`TableError::Points`] when a column's numbers are no whole points; [`TableError::Mismatch`] when labels or
    /// numbers are not as many as the ids; [`TableError::UnknownClass`] for a label without a name among names.
    pub fn new(rows: Rows<'a>, columns: Vec<Column<'a>>) -> Result<Self, TableError> {
        let expected = rows.ids.len();
        let mut counted = vec![("labels", rows.labels.map_or(expected, <[_]>::len))];
        for column in &columns {
            counted.push((column.name, column.count()?));
        }
        if let Some(&(what, got)) = counted.iter().find(|(_, got)| *got != expected) {
            return Err(TableError::Mismatch { what, expected, got });
        }
        let classes = rows.classes.len();
        let is_unnamed = |label: &&u16| classes > 0 && usize::from(**label) >= classes;
        if let Some(&label) = rows.labels.into_iter().flatten().flatten().find(is_unnamed) {
            return Err(TableError::UnknownClass { label, classes });
        }
        Ok(Self { rows, columns })
    }

    /// Writes a `.csv` or an `.npz`, as the path ends.
    ///
    /// # Errors
    /// [`TableError::Ending`] for another ending, [`TableError::Write`] when the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TableError> {
        let write: &dyn Fn(&mut io::BufWriter<Output<'_>>) -> io::Result<()> = match ending(path) {
            Some("csv") => &|writer| self.write_csv(writer).map_err(io::Error::other),
            Some("npz") => &|writer| self.write_npz(&mut NpzWriter::new(writer)),
            _ => return Err(TableError::Ending { path: path.to_owned() }),
        };
        write_atomically(path, write).map_err(|source| TableError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes one line an image: its id, its label, its numbers, its class; label and class are empty where they are not
    /// known. Numbers are the shortest that read back as the same bits.
    fn write_csv(&self, writer: &mut dyn Write) -> Result<(), csv::Error> {
        let Rows { ids, labels, classes } = self.rows;
        let mut csv = csv::Writer::from_writer(writer);
        let names = self.columns.iter().flat_map(Column::names);
        let header = ["id", "label"].map(String::from).into_iter().chain(names);
        csv.write_record(header.chain(["class".to_owned()]))?;
        for (row, id) in ids.iter().enumerate() {
            let label = labels.and_then(|labels| labels[row]);
            let class = label.and_then(|label| classes.get(usize::from(label)));
            csv.write_field(id)?;
            csv.write_field(label.map_or_else(String::new, |label| label.to_string()))?;
            for column in &self.columns {
                column.write_row(row, &mut csv)?;
            }
            csv.write_record([class.map_or("", String::as_str)])?;
        }
        Ok(csv.flush()?)
    }

    /// Writes the arrays `id`, `label` and `classes` (where there are labels, and names of them) and one for each column,
    /// for `numpy.load`. The label of an image without one is -1.
    fn write_npz<W: Write + io::Seek>(&self, archive: &mut NpzWriter<W>) -> io::Result<()> {
        let Rows { ids, labels, classes } = self.rows;
        archive.texts("id", ids)?;
        if let Some(labels) = labels {
            let wide = labels
                .iter()
                .flat_map(|label| label.map_or(NO_LABEL, i64::from).to_le_bytes());
            archive.array("label", "<i8", &[labels.len()], &wide.collect::<Vec<u8>>())?;
            if !classes.is_empty() {
                archive.texts("classes", classes)?;
            }
        }
        for Column { name, numbers } in &self.columns {
            match numbers {
                Numbers::One(values) => {
                    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                    archive.array(name, "<f8", &[values.len()], &bytes)?;
                }
                Numbers::Many { width, values } => {
                    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                    archive.array(name, "<f4", &[values.len() / width, *width], &bytes)?;
                }
            }
        }
        archive.finish().map(drop)
    }
}

impl Column<'_> {
    /// How many images there are numbers of.
    fn count(&self) -> Result<usize, TableError> {
        match self.numbers {
            Numbers::One(values) => Ok(values.len()),
            Numbers::Many { width, values } if width > 0 && values.len().is_multiple_of(width) => {
                Ok(values.len() / width)
            }
            Numbers::Many { width, values } => Err(TableError::Points {
                column: self.name,
                width,
                numbers: values.len(),
            }),
        }
    }

    /// What its numbers are called in a CSV.
    fn names(&self) -> Vec<String> {
        match self.numbers {
            Numbers::One(_) => vec![self.name.to_owned()],
            Numbers::Many { width, .. } => (1..=width).map(|number| format!("{}_{number}", self.name)).collect(),
        }
    }

    fn write_row<W: Write>(&self, row: usize, csv: &mut csv::Writer<W>) -> Result<(), csv::Error> {
        match self.numbers {
            Numbers::One(values) => csv.write_field(values[row].to_string()),
            Numbers::Many { width, values } => values[row * width..][..width]
                .iter()
                .try_for_each(|value| csv.write_field(value.to_string())),
        }
    }
}

/// How a file's name ends, if it ends in anything.
fn ending(path: &Path) -> Option<&str> {
    path.extension().and_then(|ending| ending.to_str())
}

#[cfg(test)]
mod tests;
