//! A folder of image files as a data set.
//!
//! Files in folders one level down are labelled by their folder; files directly inside have no labels. There may be both.
//! A folder that holds `train` and `test` is split already; of any other, some images of each class, and of those
//! without, are held out to test on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::{DataError, Dataset, Images, NameOrder, Split};
use crate::random::{Purpose, generator};

mod decode;
mod jpeg;
mod picture;
mod png;
#[cfg(test)]
mod tests;
mod webp;

use picture::Picture;
pub use picture::{Fit, decode_image};

/// Names of image files end in these, in small or capital letters.
const EXTENSIONS: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "pgm", "ppm", "pnm", "webp"];

/// So do those of images that are not read, which nobody should miss without a word. Other files are none of our
/// business.
const FOREIGN_EXTENSIONS: [&str; 13] = [
    "gif", "tif", "tiff", "avif", "heic", "heif", "jxl", "jp2", "jfif", "pbm", "tga", "ico", "svg",
];
const FOREIGN: &str = "files with this ending are not read";

/// Bytes that the pixels of a folder may take in memory.
const LARGEST: u64 = 4 << 30;

/// How a folder's images are read.
#[derive(Clone, Debug)]
pub struct FolderOptions {
    /// Rows and columns of every image that comes out.
    pub size: usize,
    /// 1 for grey, 3 for colour; when left out, colour if any image is coloured.
    pub channels: Option<usize>,
    /// How an image that is not square becomes square.
    pub fit: Fit,
    /// Whether a file that cannot be read is an error rather than skipped.
    pub strict: bool,
    /// The fraction of each class that is held out for testing, above 0, where the folder is not split already. Below
    /// 1, at least one image of each class is held out, unless it is the only one, and one is left; 1 leaves none.
    pub test_fraction: f64,
    /// Chooses which images are held out.
    pub seed: u64,
    /// The order of the files and of the classes.
    pub order: NameOrder,
    /// Classes that come before all others, in this order, where images have classes: those of the model that the images
    /// are for, so that no other class has the number of one of these.
    pub classes: Vec<String>,
}

impl FolderOptions {
    /// The defaults for images of `size` x `size`: cropped, skipping what cannot be read, a tenth held out.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self {
            size,
            channels: None,
            fit: Fit::Crop,
            strict: false,
            test_fraction: 0.1,
            seed: 0,
            order: NameOrder::Natural,
            classes: Vec::new(),
        }
    }

    fn check(&self) -> Result<(), DataError> {
        let wrong = |name, value: String, allowed| Err(DataError::Option { name, value, allowed });
        if !(1..=4096).contains(&self.size) {
            return wrong("the image size", self.size.to_string(), "1 to 4096");
        }
        if let Some(channels) = self.channels.filter(|channels| ![1, 3].contains(channels)) {
            return wrong("the number of channels", channels.to_string(), "1 or 3");
        }
        if !(self.test_fraction > 0.0 && self.test_fraction <= 1.0) {
            return wrong(
                "the fraction to test on",
                self.test_fraction.to_string(),
                "above 0 and at most 1",
            );
        }
        Ok(())
    }
}

/// Files that cannot be read, and why.
pub type Skipped = Vec<(PathBuf, String)>;

/// What was read from a folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The images, in the order of their labels and names; those without labels come last.
    pub dataset: Dataset,
    /// Files that cannot be read, and why.
    pub skipped: Skipped,
}

/// Reads all images of a folder (PNG, JPEG, BMP, PGM or WebP by content), resized bilinearly with antialiasing.
///
/// Transparent images are laid on white; photographs are turned as their EXIF orientation says; files that are named as
/// images of another kind are skipped; hidden files and files that are not named as images are ignored. The result
/// depends on the files, the options and nothing else.
///
/// # Errors
/// [`DataError`] when there is no image, there are too few to split, all are unreadable (or one, if strict), memory would
/// not suffice, or an option makes no sense.
pub fn read_folder(path: &Path, options: &FolderOptions) -> Result<Folder, DataError> {
    options.check()?;
    let mut skipped = Skipped::new();
    let found = find_images(path, &mut skipped)?;
    if options.strict
        && let Some((path, reason)) = skipped.pop()
    {
        return Err(DataError::Unreadable { path, reason });
    }
    check_memory(path, found.len(), options)?;
    let (mut images, unreadable) = decode(path, found, options)?;
    skipped.extend(unreadable);
    let classes = put_in_order(path, &mut images, options)?;
    if images[0].found.part.is_none() {
        hold_out(path, &mut images, &classes, options)?;
    }
    let colour = options.channels == Some(3) || images.iter().any(|image| image.picture.coloured);
    let (test, train): (Vec<_>, Vec<_>) = images
        .into_iter()
        .partition(|image| image.found.part == Some(Part::Test));
    let train = split(path, train, colour, options.size)?;
    let test = split(path, test, colour, options.size)?;
    Ok(Folder {
        dataset: Dataset {
            name: name_of(path),
            train,
            test,
            classes,
        },
        skipped,
    })
}

/// Reads one image file as [`read_folder`] reads many: `size` x `size` pixels, 1 or 3 `channels`.
///
/// # Errors
/// [`DataError::Unreadable`] when the file is no image, [`DataError::Option`] when a number makes no sense.
pub fn read_image(path: &Path, size: usize, channels: usize, fit: Fit) -> Result<Images, DataError> {
    let options = FolderOptions {
        channels: Some(channels),
        fit,
        ..FolderOptions::new(size)
    };
    options.check()?;
    let side = u32::try_from(size).expect("the size has been checked");
    let picture = picture::read(path, side, fit, channels == 3).map_err(|reason| DataError::Unreadable {
        path: path.to_path_buf(),
        reason,
    })?;
    Images::new(channels, size, size, picture.planes(channels))
}

/// Which split an image belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Train,
    Test,
}

/// An image file, and what its place says of it.
struct Found {
    path: PathBuf,
    class: Option<String>,
    part: Option<Part>,
}

/// An image that could be read.
struct Image {
    found: Found,
    picture: Picture,
    label: Option<u16>,
}

/// All image files, sorted by their bytes; those of another kind are added to `skipped`.
fn find_images(path: &Path, skipped: &mut Skipped) -> Result<Vec<Found>, DataError> {
    let Listing {
        files,
        folders,
        foreign,
    } = list(path)?;
    let named = |name: &str| folders.iter().find(|folder| name_of(folder) == name);
    let (Some(train), Some(test)) = (named("train"), named("test")) else {
        return find_classes(path, None, skipped);
    };
    skipped.extend(foreign);
    let beside = files
        .iter()
        .chain(&folders)
        .find(|entry| ![train, test].contains(entry));
    if let Some(beside) = beside {
        return Err(DataError::MixedFolder { path: beside.clone() });
    }
    let mut found = find_classes(train, Some(Part::Train), skipped)?;
    found.extend(find_classes(test, Some(Part::Test), skipped)?);
    Ok(found)
}

/// The image files one level down in a folder, and then those directly in it.
fn find_classes(path: &Path, part: Option<Part>, skipped: &mut Skipped) -> Result<Vec<Found>, DataError> {
    let Listing {
        files,
        folders,
        mut foreign,
    } = list(path)?;
    let mut found = Vec::new();
    for folder in folders {
        let class = name_of(&folder);
        let Listing {
            files, foreign: inside, ..
        } = list(&folder)?;
        foreign.extend(inside);
        found.extend(files.into_iter().map(|path| Found {
            path,
            class: Some(class.clone()),
            part,
        }));
    }
    found.extend(files.into_iter().map(|path| Found {
        path,
        class: None,
        part,
    }));
    match foreign.first() {
        _ if !found.is_empty() => {
            skipped.extend(foreign);
            Ok(found)
        }
        Some((first, reason)) => Err(DataError::AllUnreadable {
            path: path.to_path_buf(),
            count: foreign.len(),
            first: first.clone(),
            reason: reason.clone(),
        }),
        None => Err(DataError::EmptyFolder {
            path: path.to_path_buf(),
        }),
    }
}

/// What lies directly in a folder, sorted by name, without what is hidden.
struct Listing {
    /// The image files.
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// Image files of a kind that is not read.
    foreign: Skipped,
}

fn list(path: &Path) -> Result<Listing, DataError> {
    let (mut files, mut folders, mut foreign) = (Vec::new(), Vec::new(), Skipped::new());
    for entry in fs::read_dir(path).map_err(DataError::io(path))? {
        let entry = entry.map_err(DataError::io(path))?.path();
        if name_of(&entry).starts_with('.') {
            continue;
        }
        if entry.is_dir() {
            folders.push(entry);
        } else if has_extension(&entry, &EXTENSIONS) {
            files.push(entry);
        } else if has_extension(&entry, &FOREIGN_EXTENSIONS) {
            foreign.push((entry, FOREIGN.to_owned()));
        }
    }
    files.sort();
    folders.sort();
    foreign.sort();
    Ok(Listing {
        files,
        folders,
        foreign,
    })
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    let extension = path.extension().unwrap_or_default();
    known.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// The last part of a path; for `.` and the like, that of the folder it stands for.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().map(ToOwned::to_owned);
    let name = name.or_else(|| path.canonicalize().ok()?.file_name().map(ToOwned::to_owned));
    name.map_or_else(|| "images".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn check_memory(path: &Path, count: usize, options: &FolderOptions) -> Result<(), DataError> {
    let channels = options.channels.unwrap_or(3);
    let bytes = (count * channels * options.size * options.size) as u64;
    if bytes > LARGEST {
        let what = format!("{count} images of {0} x {0} with {channels} channel(s)", options.size);
        return Err(DataError::TooLarge {
            path: path.to_path_buf(),
            what,
            bytes,
            limit: LARGEST,
        });
    }
    Ok(())
}

/// Reads all files on all threads. The order stays; those that cannot be read come apart.
fn decode(path: &Path, found: Vec<Found>, options: &FolderOptions) -> Result<(Vec<Image>, Skipped), DataError> {
    let size = u32::try_from(options.size).expect("the size has been checked");
    let colour = options.channels != Some(1);
    let read = |found: Found| match picture::read(&found.path, size, options.fit, colour) {
        Ok(picture) => Ok(Image {
            found,
            picture,
            label: None,
        }),
        Err(reason) => Err((found, reason)),
    };
    let results: Vec<_> = found.into_par_iter().map(read).collect();
    let (mut images, mut unreadable) = (Vec::with_capacity(results.len()), Vec::new());
    for result in results {
        match result {
            Ok(image) => images.push(image),
            Err((found, reason)) if options.strict => {
                return Err(DataError::Unreadable {
                    path: found.path,
                    reason,
                });
            }
            Err(lost) => unreadable.push(lost),
        }
    }
    let bare = |lost: &Found| images.iter().all(|image| image.found.part != lost.part);
    if let Some((lost, reason)) = unreadable.iter().find(|(lost, _)| bare(lost)) {
        return Err(DataError::AllUnreadable {
            path: path.to_path_buf(),
            count: unreadable.iter().filter(|(other, _)| other.part == lost.part).count(),
            first: lost.path.clone(),
            reason: reason.clone(),
        });
    }
    Ok((
        images,
        unreadable
            .into_iter()
            .map(|(found, reason)| (found.path, reason))
            .collect(),
    ))
}

/// Labels the images by their classes' places among the names, which are returned, and puts them in the order of their
/// labels and names.
fn put_in_order(path: &Path, images: &mut [Image], options: &FolderOptions) -> Result<Vec<String>, DataError> {
    let order = options.order;
    let names: BTreeSet<&String> = images.iter().filter_map(|image| image.found.class.as_ref()).collect();
    let first = if names.is_empty() { &[] } else { &options.classes[..] };
    let mut others: Vec<String> = names
        .into_iter()
        .filter(|name| !first.contains(name))
        .cloned()
        .collect();
    others.sort_by(|one, other| order.compare(one.as_bytes(), other.as_bytes()));
    let classes = [first, &others].concat();
    if classes.len() > usize::from(u16::MAX) {
        return Err(DataError::TooManyClasses {
            path: path.to_path_buf(),
            count: classes.len(),
        });
    }
    let labels: BTreeMap<&String, u16> = classes.iter().zip(0..).collect();
    for image in &mut *images {
        image.label = image.found.class.as_ref().map(|class| labels[class]);
    }
    images.sort_by(|one, other| {
        let place = |image: &Image| (image.found.part, image.label.is_none(), image.label);
        let [name, other_name] = [one, other].map(|image| image.found.path.file_name().unwrap_or_default());
        let by_name = || order.compare(name.as_encoded_bytes(), other_name.as_encoded_bytes());
        place(one).cmp(&place(other)).then_with(by_name)
    });
    Ok(classes)
}

/// Draws the images of each class, and of those without one, that are held out to test on.
fn hold_out(path: &Path, images: &mut [Image], classes: &[String], options: &FolderOptions) -> Result<(), DataError> {
    if options.test_fraction == 1.0 {
        images.iter_mut().for_each(|image| image.found.part = Some(Part::Test));
        return Ok(());
    }
    let mut generator = generator(options.seed, Purpose::Split, 0);
    let mut members = vec![Vec::new(); classes.len() + 1];
    for (index, image) in images.iter().enumerate() {
        members[image.label.map_or(classes.len(), usize::from)].push(index);
    }
    let mut total = 0;
    for mut members in members.into_iter().filter(|members| !members.is_empty()) {
        let wanted = (members.len() as f64 * options.test_fraction).round() as usize;
        let held_out = wanted.clamp(1, members.len().max(2) - 1).min(members.len() - 1);
        members.shuffle(&mut generator);
        for &index in &members[..held_out] {
            images[index].found.part = Some(Part::Test);
        }
        total += held_out;
    }
    if total == 0 {
        return Err(DataError::TooFewToSplit {
            path: path.to_path_buf(),
            count: images.len(),
            classes: classes.len(),
        });
    }
    Ok(())
}

/// Puts images, all grey or all in colour, one behind the other.
fn split(folder: &Path, images: Vec<Image>, colour: bool, size: usize) -> Result<Split, DataError> {
    let channels = if colour { 3 } else { 1 };
    let labels: Vec<Option<u16>> = images.iter().map(|image| image.label).collect();
    let relative = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_path_buf();
    let sources = images.iter().map(|image| relative(&image.found.path)).collect();
    let mut pixels = Vec::with_capacity(images.len() * channels * size * size);
    for Image { picture, .. } in images {
        pixels.extend(picture.planes(channels));
    }
    Ok(Split {
        images: Images::new(channels, size, size, pixels)?,
        labels: labels.iter().any(Option::is_some).then_some(labels),
        sources: Some(sources),
    })
}
