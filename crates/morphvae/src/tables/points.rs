//! Points of a latent space from files.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zip::ZipArchive;

use super::npy::{self, Header};

/// The most numbers that are read from one file: 1 GiB.
const MOST_NUMBERS: usize = 1 << 28;
/// The most points: each may have a name.
const MOST_POINTS: usize = 1 << 24;
/// Arrays in an archive that are looked at.
const MOST_ARRAYS: usize = 1000;
/// The array, or the numbered columns, in which [`Codes`](crate::evaluation::Codes) keep their points.
const MEAN: &str = "mean";
/// Columns of a table that are no coordinates.
const NO_COORDINATES: [&str; 3] = ["id", "label", "class"];

/// Why points could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PointsError {
    /// The file system refused.
    #[error("{}: {source}: check that it exists and may be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There are no points in the file.
    #[error(
        "{}: {reason}: give what `encode` writes, or an array of N x D numbers as .npz, .npy or .csv",
        path.display()
    )]
    NoPoints {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Points of a latent space, with their names where the file has any.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// Dimensions of a point.
    pub latent: usize,
    /// All coordinates, `[points, latent]`, finite.
    pub values: Vec<f32>,
    /// A name a point.
    pub ids: Option<Vec<String>>,
}

impl Points {
    /// Reads the means that [`Table::write`](super::Table::write) wrote of codes; the one array of two dimensions in any
    /// other `.npz`; an `.npy`; or a CSV of nothing but coordinates, with or without a header. What the file is shows in
    /// its content.
    ///
    /// # Errors
    /// [`PointsError`] when the file cannot be read, or holds no points, none that are finite, or too many:
    /// more than 2^24 points or 2^28 numbers.
    pub fn read(path: &Path) -> Result<Self, PointsError> {
        let failed = |source| PointsError::Read {
            path: path.to_owned(),
            source,
        };
        // They wait for somebody who writes, and cannot be gone back in.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return Err(failed(io::Error::other("it is a device or a pipe, and no file")));
        }
        let mut file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut head = Vec::new();
        (&mut file).take(8).read_to_end(&mut head).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let reader = BufReader::new(file);
        let points = if head.starts_with(b"PK") {
            from_npz(reader)
        } else if head.starts_with(npy::MAGIC) {
            from_npy(reader, length)
        } else {
            from_csv(reader)
        };
        points.and_then(Self::check).map_err(|reason| PointsError::NoPoints {
            path: path.to_owned(),
            reason,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len() / self.latent
    }

    fn check(self) -> Result<Self, String> {
        if self.latent == 0 || self.values.is_empty() {
            return Err("there are no points in it".to_owned());
        }
        if let Some(place) = self.values.iter().position(|value| !value.is_finite()) {
            let (row, column) = (place / self.latent, place % self.latent);
            let value = self.values[place];
            return Err(format!("point {} holds {value} as coordinate {}", row + 1, column + 1));
        }
        match &self.ids {
            Some(ids) if ids.len() != self.count() => {
                Err(format!("it has {} ids for {} points", ids.len(), self.count()))
            }
            _ => Ok(self),
        }
    }
}

/// Points of an array of two dimensions.
fn points(header: &Header, reader: &mut impl Read, length: u64) -> Result<Points, String> {
    let &[count, latent] = header.shape.as_slice() else {
        return Err(format!(
            "its shape is {:?}, not that of N points of D coordinates",
            header.shape
        ));
    };
    if count > MOST_POINTS || header.count().is_none_or(|numbers| numbers > MOST_NUMBERS) {
        return Err(too_many(count, latent));
    }
    let mut values = header.numbers(reader, length)?;
    if header.by_columns {
        values = (0..values.len())
            .map(|place| values[place % latent * count + place / latent])
            .collect();
    }
    Ok(Points {
        latent,
        values,
        ids: None,
    })
}

fn too_many(count: usize, latent: usize) -> String {
    format!(
        "{count} points of {latent} coordinates are more than the {MOST_POINTS} points or {MOST_NUMBERS} numbers that \
         are read from one file"
    )
}

fn from_npy(mut reader: impl Read, length: u64) -> Result<Points, String> {
    let header = Header::read(&mut reader)?;
    points(&header, &mut reader, length)
}

fn from_npz(reader: impl Read + Seek) -> Result<Points, String> {
    let damaged = |error| format!("the archive is damaged ({error})");
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    if archive.len() > MOST_ARRAYS {
        return Err(format!("the archive holds {} files", archive.len()));
    }
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.trim_end_matches(".npy").to_owned();
        // Other files are none of our business.
        if let Ok(header) = Header::read(&mut entry) {
            found.push((index, name, header));
        }
    }
    let is_table = |(_, _, header): &&(usize, String, Header)| header.shape.len() == 2 && header.is_numeric();
    let tables: Vec<_> = found.iter().filter(is_table).collect();
    let chosen = match tables.iter().find(|(_, name, _)| name == MEAN) {
        Some(mean) => mean,
        None if tables.len() == 1 => tables[0],
        None => {
            let names: Vec<_> = found.iter().map(|(_, name, _)| name.as_str()).take(12).collect();
            return Err(format!(
                "{} of its arrays ({}) are N x D floating-point numbers, and none of these is called {MEAN}",
                tables.len(),
                names.join(", ")
            ));
        }
    };
    let (index, name, _) = chosen;
    let mut entry = archive.by_index(*index).map_err(damaged)?;
    let length = entry.size();
    let header = Header::read(&mut entry)?;
    let mut read = points(&header, &mut entry, length).map_err(|reason| format!("{name}.npy: {reason}"))?;
    drop(entry);
    if let Some((index, _, _)) = found.iter().find(|(_, name, _)| name == "id") {
        let mut entry = archive.by_index(*index).map_err(damaged)?;
        let length = entry.size();
        let header = Header::read(&mut entry)?;
        // No more than there are points: whatever is wrong with the others, they are not for this.
        if header.count() == Some(read.count()) {
            read.ids = header
                .texts(&mut entry, length)
                .map_err(|reason| format!("id.npy: {reason}"))?;
        }
    }
    Ok(read)
}

/// The columns of a CSV that count.
struct Columns {
    coordinates: Vec<usize>,
    id: Option<usize>,
}

impl Columns {
    /// By a header, or by the first line of a file without one.
    fn of(first: &csv::StringRecord) -> Result<(Self, bool), String> {
        let is_header = first.iter().any(|field| field.parse::<f64>().is_err());
        if !is_header {
            let coordinates = (0..first.len()).collect();
            return Ok((Self { coordinates, id: None }, false));
        }
        let place = |name: &str| first.iter().position(|field| field == name);
        let mean = |number: usize| place(&format!("{MEAN}_{number}"));
        let mut coordinates: Vec<usize> = (1..=first.len()).map_while(mean).collect();
        if coordinates.is_empty() {
            let is_one = |name: &str| !NO_COORDINATES.contains(&name);
            coordinates = (0..first.len()).filter(|&column| is_one(&first[column])).collect();
        }
        let id = place("id");
        Ok((Self { coordinates, id }, true))
    }
}

fn from_csv(reader: impl Read) -> Result<Points, String> {
    let mut csv = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(reader);
    let mut record = csv::StringRecord::new();
    let mut read = |record: &mut csv::StringRecord| {
        let more = csv.read_record(record).map_err(|error| match error.kind() {
            csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                let line = pos.as_ref().map_or(0, csv::Position::line);
                format!("line {line} has {len} fields, those before {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "it is no text".to_owned(),
            _ => error.to_string(),
        })?;
        Ok::<_, String>(more)
    };
    if !read(&mut record)? {
        return Err("it is empty".to_owned());
    }
    // Spreadsheets like to begin with a mark.
    if let Some(first) = record.get(0).and_then(|field| field.strip_prefix('\u{feff}')) {
        let fields: Vec<String> = [first]
            .into_iter()
            .chain(record.iter().skip(1))
            .map(String::from)
            .collect();
        record = csv::StringRecord::from(fields);
    }
    let (columns, is_header) = Columns::of(&record)?;
    let mut points = Points {
        latent: columns.coordinates.len(),
        values: Vec::new(),
        ids: columns.id.map(|_| Vec::new()),
    };
    let mut line = 1;
    let mut more = !is_header || read(&mut record)?;
    while more {
        line = record.position().map_or(line, csv::Position::line);
        for &column in &columns.coordinates {
            let field = record.get(column).unwrap_or("");
            let number: Option<f32> = field.parse().ok();
            let number = number.ok_or_else(|| format!("line {line}: {} is no number", quoted(field)))?;
            points.values.push(number);
        }
        if let (Some(ids), Some(column)) = (&mut points.ids, columns.id) {
            ids.push(record.get(column).unwrap_or("").to_owned());
        }
        let count = points.values.len() / points.latent.max(1);
        if count > MOST_POINTS || points.values.len() > MOST_NUMBERS {
            return Err(too_many(count, points.latent));
        }
        more = read(&mut record)?;
    }
    Ok(points)
}

/// What a field holds, as long as a message has room for.
fn quoted(field: &str) -> String {
    let start: String = field.chars().take(40).collect();
    let more = if start.len() < field.len() { "…" } else { "" };
    format!("{:?}{more}", start)
}
