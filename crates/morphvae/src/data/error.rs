//! What can be wrong with images that come from outside.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::write::MOST_BYTE_LABELS;

/// Why images could not be had. Each message is one line: what is wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The bytes do not make a whole number of images.
    #[error("{bytes} bytes are not a whole number of {channels} x {height} x {width} images: check the image size")]
    Shape {
        /// Channels of an image.
        channels: usize,
        /// Rows of an image.
        height: usize,
        /// Columns of an image.
        width: usize,
        /// Bytes that were given.
        bytes: usize,
    },

    /// The file system refused.
    #[error("{}: {source}: check that it exists and may be read and written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },

    /// An option is outside what it may be.
    #[error("{name} is {value}, but must be {allowed}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// What was given.
        value: String,
        /// What may be given, in words.
        allowed: &'static str,
    },

    /// Colour images in a format that has none.
    #[error("IDX files hold grey images, and these have colours")]
    ColourIdx,

    /// More classes than a format can tell apart.
    #[error("a label in an {layout} file is a byte, for {MOST_BYTE_LABELS} classes at most, and there are {classes}")]
    ManyLabels {
        /// The format.
        layout: &'static str,
        /// The classes that there are.
        classes: usize,
    },

    /// Images that cannot be made black and white in the way that was asked for.
    #[error("these images cannot be binarized ({binarization}): {reason}")]
    Binarization {
        /// The name of the way.
        binarization: &'static str,
        /// Why not, and what to do.
        reason: &'static str,
    },

    /// Images with colours that were to be made black and white.
    #[error("these images cannot be binarized ({binarization}), since they have colours: read them as grey")]
    BinarizationOfColours {
        /// The name of the way.
        binarization: &'static str,
    },

    /// The file is not of the kind that was asked for.
    #[error(
        "{}: expected {} (magic number 0x{:08x}), but the file starts with {found}: put the right file there",
        path.display(), wanted.words(), wanted.magic()
    )]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: IdxKind,
        /// The first bytes and what they would be.
        found: Start,
    },

    /// A gzip file that cannot be decompressed to its end.
    #[error("{}: the gzip data is cut short or damaged ({source}): delete the file and fetch it again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decompressor said.
        source: io::Error,
    },

    /// A header that promises more, or less, than is there.
    #[error(
        "{}: by its header it should hold {expected} bytes (uncompressed), but it holds {found}: \
         delete the file and fetch it again",
        path.display()
    )]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Bytes that there should be, with the header.
        expected: u64,
        /// Bytes that there are.
        found: Found,
    },

    /// A header promises nothing at all.
    #[error(
        "{}: the header says {sizes:?}, so there is nothing in it: delete the file and fetch it again",
        path.display()
    )]
    Nothing {
        /// The file.
        path: PathBuf,
        /// The sizes in its header: count, or count, rows and columns.
        sizes: Vec<u32>,
    },

    /// More data than this program takes into memory.
    #[error("{}: {what} would take {bytes} bytes of memory, above the limit of {limit}: use fewer or smaller images",
        path.display())]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// What would take it, in words.
        what: String,
        /// Bytes it would take.
        bytes: u64,
        /// Bytes that are allowed.
        limit: u64,
    },

    /// A line that is no image of ones and zeros.
    #[error("{}: line {line} is not {pixels} digits 0 and 1 with a space between them: fetch the file again", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Digits that it should have.
        pixels: usize,
    },

    /// Images and labels that do not belong together.
    #[error(
        "{} holds {images} images, but {} holds {labels} labels: they do not belong together, fetch both again",
        images_path.display(), labels_path.display()
    )]
    Counts {
        /// The file of images.
        images_path: PathBuf,
        /// Images in it.
        images: usize,
        /// The file of labels.
        labels_path: PathBuf,
        /// Labels in it.
        labels: usize,
    },

    /// Training and test images of different shapes.
    #[error("{}: images of {found}, but the training images are {expected}: use files of one set", path.display())]
    MixedShapes {
        /// The file of test images.
        path: PathBuf,
        /// Their shape.
        found: String,
        /// The shape of the training images.
        expected: String,
    },

    /// A label that names no class.
    #[error("{}: label {index} is {label}, but the set's labels are {first} to {last}: fetch the file again",
        path.display())]
    Label {
        /// The file of labels.
        path: PathBuf,
        /// Which label, counted from 0.
        index: usize,
        /// Its value.
        label: u8,
        /// The lowest label.
        first: u8,
        /// The highest label.
        last: u8,
    },

    /// A label without a name among names.
    #[error("{}: label {label} has no name here, for there are {names}: give each label a line, or remove the file",
        path.display())]
    NamelessLabel {
        /// The file of names.
        path: PathBuf,
        /// The label.
        label: u16,
        /// Names that there are.
        names: usize,
    },

    /// No set has this name.
    #[error("there is no data set named {name:?}{}: known sets are {}", suggestion(*nearest), known.join(", "))]
    UnknownSet {
        /// What was asked for.
        name: String,
        /// The known name that looks most like it.
        nearest: Option<&'static str>,
        /// All known names.
        known: Vec<&'static str>,
    },

    /// A set's file is not on disk.
    #[error("{}: the file is missing: fetch the set with `morphvae data fetch {set}`, or put {file} there by hand",
        folder.join(file).display())]
    Missing {
        /// The set.
        set: &'static str,
        /// The file's name.
        file: &'static str,
        /// The folder where it belongs.
        folder: PathBuf,
    },

    /// A file would have to be fetched, but the network is forbidden.
    #[error(
        "{}: {reason}, and the network is forbidden: put the file there by hand (from {source_url}), \
         or allow the network",
        folder.join(file).display()
    )]
    Offline {
        /// The file's name.
        file: &'static str,
        /// The folder where it belongs.
        folder: PathBuf,
        /// Why it would have to be fetched.
        reason: String,
        /// Where it is published.
        source_url: String,
    },

    /// No mirror gave the file.
    #[error(
        "could not fetch {file}: {}: check the network, name another mirror, or put the file into {} by hand",
        tries(tried), folder.display()
    )]
    Fetch {
        /// The file's name.
        file: &'static str,
        /// The folder where it belongs.
        folder: PathBuf,
        /// Each address, and why it did not give the file.
        tried: Vec<(String, String)>,
    },

    /// Another program is fetching the same file.
    #[error("{}: another program is fetching this file: wait until it is done", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },

    /// The observer stopped the download.
    #[error("stopped while fetching: {} is kept, and fetching again goes on from there", path.display())]
    Stopped {
        /// The unfinished file.
        path: PathBuf,
    },

    /// An archive that does not hold what it should.
    #[error(
        "{}: cannot take {member} from the archive ({reason}): delete the archive and fetch it again",
        path.display()
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The member's name.
        member: String,
        /// What was wrong.
        reason: String,
    },

    /// A folder without images.
    #[error(
        "{}: no images here: put PNG, JPEG, BMP, PGM or WebP files into it, or into one folder for each label",
        path.display()
    )]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },

    /// Something beside `train` and `test`.
    #[error(
        "{}: it stands beside train and test, but belongs to neither: move it into one of them, or elsewhere",
        path.display()
    )]
    MixedFolder {
        /// The file or folder that does not fit.
        path: PathBuf,
    },

    /// An image that cannot be read.
    #[error("{}: {reason}: it must be a whole PNG, JPEG, BMP, PGM or WebP image", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },

    /// Bytes that are no image.
    #[error("this is no image that can be read: {reason}: give a PNG, JPEG, BMP, PGM or WebP")]
    NoImage {
        /// What the decoder said.
        reason: String,
    },

    /// None of a folder's images can be read.
    #[error("{}: none of the {count} images can be read; the first, {}: {reason}: give PNG, JPEG, BMP, PGM or WebP images",
        path.display(), first.display())]
    AllUnreadable {
        /// The folder.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// The first of them.
        first: PathBuf,
        /// What the decoder said about it.
        reason: String,
    },

    /// More classes than a label can tell apart.
    #[error("{}: {count} folders are more classes than the {} that there may be: merge some", path.display(), u16::MAX)]
    TooManyClasses {
        /// The folder.
        path: PathBuf,
        /// Folders with images in it.
        count: usize,
    },

    /// Fewer images of a class with a label than are to keep it.
    #[error(
        "{wanted} image(s) of each class are to keep their label, and only {found} of class {class} (from 0) have one"
    )]
    FewLabels {
        /// The class.
        class: u16,
        /// Images of it with a label.
        found: usize,
        /// How many are to keep it.
        wanted: usize,
    },

    /// Too few images to train on some and test on others.
    #[error(
        "{}: {count} image(s) in {classes} class(es) cannot be split into training and test images: \
         give at least two images of one class, or folders named train and test",
        path.display()
    )]
    TooFewToSplit {
        /// The folder.
        path: PathBuf,
        /// Images in it.
        count: usize,
        /// Classes in it; 1 for images without labels.
        classes: usize,
    },
}

impl DataError {
    /// Says which path an error of the file system is about.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}

/// What an IDX file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdxKind {
    /// Unsigned bytes in three dimensions: count, rows, columns.
    Images,
    /// Unsigned bytes in one dimension.
    Labels,
}

impl IdxKind {
    /// The first four bytes of such a file, read as a big-endian number.
    #[must_use]
    pub const fn magic(self) -> u32 {
        match self {
            Self::Images => 0x0000_0803,
            Self::Labels => 0x0000_0801,
        }
    }

    pub(super) const fn dimensions(self) -> usize {
        match self {
            Self::Images => 3,
            Self::Labels => 1,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Images => "IDX images",
            Self::Labels => "IDX labels",
        }
    }
}

/// The first bytes of a file (at most four), shown with what they would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start(pub Vec<u8>);

impl fmt::Display for Start {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("nothing: it is empty");
        }
        formatter.write_str("0x")?;
        for byte in &self.0 {
            write!(formatter, "{byte:02x}")?;
        }
        write!(formatter, ", {}", kind_of(&self.0))
    }
}

/// Names what the first bytes of a file would be.
fn kind_of(start: &[u8]) -> &'static str {
    match start {
        [0x1f, 0x8b, ..] => "gzip inside gzip",
        [0, 0, 8, 1] => "IDX labels",
        [0, 0, 8, 3] => "IDX images",
        [0, 0, 8..=14, _] => "IDX data of another type or shape",
        [b'P', b'K', 3, 4] => "a zip archive",
        [0x89, b'P', b'N', b'G'] => "a PNG image",
        [0xff, 0xd8, 0xff, ..] => "a JPEG image",
        [b'<', ..] => "an HTML page",
        [_, _, _, _] => "no IDX and no gzip",
        _ => "too short for any header",
    }
}

/// How many bytes a file turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// So many.
    Exactly(u64),
    /// No more than so many, however well they were compressed.
    AtMost(u64),
    /// More than were expected; reading stopped there.
    More,
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(bytes) => write!(formatter, "{bytes}"),
            Self::AtMost(bytes) => write!(formatter, "{bytes} at most"),
            Self::More => formatter.write_str("more"),
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean {name:?}?"))
}

fn tries(tried: &[(String, String)]) -> String {
    tried
        .iter()
        .map(|(address, reason)| format!("{address}: {reason}"))
        .collect::<Vec<_>>()
        .join("; ")
}
