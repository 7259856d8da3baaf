//! A folder that holds a data set as MNIST's files, whatever its images are.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::folder::name_of;
use super::write::{CLASSES, FILES, RAW};
use super::{DataError, Dataset, FolderOptions, Split, idx};

/// Bytes that the names of the classes may take.
const LONGEST_NAMES: u64 = 1 << 16;

/// Reads a folder that holds `train-images-idx3-ubyte`, compressed with gzip or not, itself or in `MNIST/raw`, as
/// torchvision keeps it; nothing of any other folder. Images without a file of labels have none. Where there is no
/// `t10k-images-idx3-ubyte` the last of the images are held out to test on, as many as the options say. The classes' names
/// are the lines of `classes.txt`, or else the numbers of the labels.
///
/// # Errors
/// [`DataError`] when a file cannot be read or is damaged, images and labels do not belong together, or a label has no
/// name.
pub fn read_idx_folder(path: &Path, options: &FolderOptions) -> Result<Option<Dataset>, DataError> {
    let [train, test] = FILES;
    let Some(raw) = [path.join(RAW), path.to_owned()]
        .into_iter()
        .find(|folder| locate(folder, train[0]).is_some())
    else {
        return Ok(None);
    };
    let Some(mut train) = split(&raw, train)? else {
        return Ok(None);
    };
    let test = match split(&raw, test)? {
        Some(test) => test,
        None => {
            let count = train.images.count();
            let wanted = (count as f64 * options.test_fraction).ceil() as usize;
            train.hold_out(match options.test_fraction < 1.0 {
                true => wanted.min(count - 1),
                false => count,
            })
        }
    };
    if [train.images.height(), train.images.width()] != [test.images.height(), test.images.width()] {
        let shape = |split: &Split| format!("{} x {}", split.images.height(), split.images.width());
        return Err(DataError::MixedShapes {
            path: raw.join(FILES[1][0]),
            found: shape(&test),
            expected: shape(&train),
        });
    }
    let classes = classes(&raw, [&train, &test])?;
    let dataset = Dataset {
        name: name_of(path),
        train,
        test,
        classes,
    };
    Ok(Some(dataset.numbered_after(&options.classes)))
}

/// Where a file lies, compressed or not.
fn locate(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [name.to_owned(), format!("{name}.gz")];
    names
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
}

fn split(raw: &Path, [images, labels]: [&str; 2]) -> Result<Option<Split>, DataError> {
    Ok(match (locate(raw, images), locate(raw, labels)) {
        (None, _) => None,
        (Some(images), None) => Some(Split::unlabelled(idx::read_images(&images)?)),
        (Some(images), Some(labels)) => Some(idx::read_split(&images, &labels, 0..=u8::MAX)?),
    })
}

/// A name for every label that there is.
fn classes(raw: &Path, splits: [&Split; 2]) -> Result<Vec<String>, DataError> {
    let labels = || {
        splits
            .into_iter()
            .flat_map(|split| split.labels.iter().flatten().flatten().copied())
    };
    let Some(last) = labels().max() else {
        return Ok(Vec::new());
    };
    let path = raw.join(CLASSES);
    let Ok(file) = File::open(&path) else {
        return Ok((0..=last).map(|label| label.to_string()).collect());
    };
    let mut names = String::new();
    let read = file.take(LONGEST_NAMES).read_to_string(&mut names);
    read.map_err(DataError::io(&path))?;
    let names: Vec<String> = names.lines().map(str::to_owned).collect();
    if names.len() <= usize::from(last) {
        return Err(DataError::NamelessLabel {
            path,
            label: last,
            names: names.len(),
        });
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::idx::tests::{gzip, idx};
    use super::*;

    /// Five images of one pixel, labelled 0, 2, 0, 1, 2.
    fn write(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(FILES[0][0]), idx(0x803, &[5, 1, 1], &[10, 20, 30, 40, 50])).unwrap();
        fs::write(folder.join(FILES[0][1]), idx(0x801, &[5], &[0, 2, 0, 1, 2])).unwrap();
    }

    fn read(folder: &Path, options: &FolderOptions) -> Result<Option<Dataset>, String> {
        read_idx_folder(folder, options).map_err(|error| error.to_string())
    }

    #[test]
    fn the_last_images_are_held_out_where_there_are_none_to_test_on() {
        let folder = tempfile::tempdir().unwrap();
        let options = FolderOptions::new(32);
        assert_eq!(read(folder.path(), &options), Ok(None));
        write(folder.path());
        let set = read(folder.path(), &options).unwrap().unwrap();
        assert_eq!((set.train.images.count(), set.test.images.pixels()), (4, &[50][..]));
        assert_eq!(set.classes, ["0", "1", "2"]);
        assert_eq!(set.test.labels, Some(vec![Some(2)]));
        let whole = FolderOptions {
            test_fraction: 1.0,
            ..options
        };
        let set = read(folder.path(), &whole).unwrap().unwrap();
        assert_eq!((set.train.images.count(), set.test.images.count()), (0, 5));
    }

    #[test]
    fn what_torchvision_keeps_is_read_with_the_names_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join(RAW);
        write(&raw);
        fs::write(
            raw.join("t10k-images-idx3-ubyte.gz"),
            gzip(&idx(0x803, &[1, 1, 1], &[7])),
        )
        .unwrap();
        fs::write(raw.join(CLASSES), "cat\ndog\neel\n").unwrap();
        let options = FolderOptions {
            classes: vec!["eel".to_owned()],
            ..FolderOptions::new(32)
        };
        let set = read(folder.path(), &options).unwrap().unwrap();
        assert_eq!((set.train.images.count(), set.test.images.pixels()), (5, &[7][..]));
        assert_eq!(
            (&set.classes[..], &set.test.labels),
            (&["eel", "cat", "dog"].map(String::from)[..], &None)
        );
        assert_eq!(set.train.labels, Some([1, 0, 1, 2, 0].map(Some).to_vec()));
        fs::write(raw.join(CLASSES), "cat\ndog\n").unwrap();
        let error = read(folder.path(), &options).unwrap_err();
        assert!(error.contains("label 2") && error.contains("classes.txt"), "{error}");
        fs::write(
            raw.join("t10k-images-idx3-ubyte.gz"),
            gzip(&idx(0x803, &[1, 1, 2], &[7, 7])),
        )
        .unwrap();
        assert!(read(folder.path(), &options).unwrap_err().contains("1 x 2"));
    }
}
