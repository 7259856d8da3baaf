//! A data set as PNG files in a folder for each class.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::{PARTS, SetForm, image};
use crate::data::Images;
use crate::files::NewFile;

/// Where the images are in the set's folder: beside them may be what is none of them.
const IMAGES: &str = "images";

/// Digits of a file's number, at least.
const LEAST_DIGITS: usize = 5;

/// Where the files go.
#[derive(Debug)]
pub(super) struct Folders {
    /// The folder of each part.
    parts: [PathBuf; 2],
    classes: Vec<String>,
    digits: usize,
}

impl Folders {
    pub fn new(folder: &Path, form: &SetForm) -> Self {
        let images = folder.join(IMAGES);
        let parts = match form.counts[1] {
            0 => [images.clone(), images],
            _ => PARTS.map(|part| images.join(part)),
        };
        let most = form.counts[0].max(form.counts[1]).saturating_sub(1);
        Self {
            parts,
            classes: class_folders(&form.classes),
            digits: most.to_string().len().max(LEAST_DIGITS),
        }
    }

    /// Encodes images on all threads, and writes them on this one.
    pub fn append(&mut self, part: usize, first: usize, images: &Images, labels: &[Option<u16>]) -> io::Result<()> {
        let encoded: Vec<Vec<u8>> = (0..images.count())
            .into_par_iter()
            .map(|index| image::png(images, index))
            .collect::<io::Result<_>>()?;
        for (index, (bytes, label)) in encoded.iter().zip(labels).enumerate() {
            let class = label.map_or("", |label| &self.classes[usize::from(label)]);
            let name = format!("{:0digits$}.png", first + index, digits = self.digits);
            // Images come by the thousand, and none is forced onto the disk by itself.
            NewFile::create(&self.parts[part].join(class).join(name))?.write_all(bytes)?;
        }
        Ok(())
    }
}

/// A folder for each class, by its name. Of two that differ by capitals alone, which some disks take for one, the small one
/// gets a word before it; what is no name of a folder of images becomes `class-N`, with the label.
#[must_use]
pub fn class_folders(classes: &[String]) -> Vec<String> {
    let folder = |(label, class): (usize, &String)| {
        let is_twin = |other: &String| other != class && other.to_lowercase() == *class;
        if !is_folder_name(class) {
            format!("class-{label}")
        } else if classes.iter().any(is_twin) {
            format!("small-{class}")
        } else {
            class.clone()
        }
    };
    classes.iter().enumerate().map(folder).collect()
}

/// Whether a folder of this name can be made here, and is read as a class. Classes come from files of unknown origin.
fn is_folder_name(class: &str) -> bool {
    let mut parts = Path::new(class).components();
    let is_one_part = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == class);
    is_one_part
        && class.len() <= 100
        && !class.starts_with('.')
        && !class.contains(['\0', '\\'])
        && !PARTS.contains(&class)
}

#[cfg(test)]
mod tests {
    use super::class_folders;

    fn folders(classes: &[&str]) -> Vec<String> {
        class_folders(&classes.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn no_two_classes_share_a_folder_on_any_disk() {
        assert_eq!(folders(&["7", "A", "c", "a"]), ["7", "A", "c", "small-a"]);
        assert_eq!(folders(&["a", "b"]), ["a", "b"]);
    }

    #[test]
    fn no_class_leads_out_of_the_folder_or_hides_in_it() {
        let names = [
            "..",
            "/etc",
            "a/b",
            "a/",
            "",
            ".hidden",
            "a\0b",
            "train",
            "T-shirt or top",
        ];
        let found = folders(&names);
        for (label, folder) in found.iter().enumerate().take(8) {
            assert_eq!(*folder, format!("class-{label}"));
        }
        assert_eq!(found[8], names[8]);
    }
}
