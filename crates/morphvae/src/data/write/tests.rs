use std::fs::{self, File};
use std::io::Read;

use super::*;
use crate::data::{Dataset, FolderOptions, read_folder, read_idx_folder};
use crate::files::faults::{Fault, with_fault};

/// A set of 2 x 2 images, whose pixels tell them apart, that is written in batches of two.
fn form(layout: Layout, channels: usize) -> SetForm {
    SetForm {
        layout,
        shape: [channels, 2, 2],
        counts: [5, 3],
        classes: ["cat", "dog", "../eel"].map(String::from).to_vec(),
    }
}

fn pixels(form: &SetForm, part: usize, index: usize) -> Vec<u8> {
    let length: usize = form.shape.iter().product();
    // Channels far apart, so that what is in colour is not taken for grey.
    (0..length)
        .map(|place| (10 * part + 13 * index + place % 4 + place / 4 * 60) as u8)
        .collect()
}

fn label(form: &SetForm, index: usize) -> Option<u16> {
    (!form.classes.is_empty()).then_some((index % 3) as u16)
}

fn write(path: &Path, form: &SetForm) -> Result<(), DataError> {
    let mut writer = SetWriter::begin(path, form.clone())?;
    for part in 0..2 {
        let indices: Vec<usize> = (0..form.counts[part]).collect();
        for batch in indices.chunks(2) {
            let bytes = batch.iter().flat_map(|&index| pixels(form, part, index)).collect();
            let [channels, height, width] = form.shape;
            let images = Images::new(channels, height, width, bytes).unwrap();
            let labels: Vec<_> = batch.iter().map(|&index| label(form, index)).collect();
            writer.append(&images, &labels)?;
        }
    }
    writer.finish()
}

fn check(set: &Dataset, form: &SetForm, is_in_order_of_classes: bool) {
    for (part, split) in [&set.train, &set.test].into_iter().enumerate() {
        let mut indices: Vec<usize> = (0..form.counts[part]).collect();
        if is_in_order_of_classes {
            indices.sort_by_key(|&index| label(form, index));
        }
        let truth: Vec<u8> = indices.iter().flat_map(|&index| pixels(form, part, index)).collect();
        assert_eq!(split.images.pixels(), truth);
        let labels: Vec<_> = indices.iter().map(|&index| label(form, index)).collect();
        let labels = Some(labels).filter(|_| !form.classes.is_empty());
        assert_eq!(split.labels, labels);
    }
}

#[test]
fn folders_of_images_are_read_back() {
    let place = tempfile::tempdir().unwrap();
    for channels in [1, 3] {
        let path = place.path().join(channels.to_string());
        let form = form(Layout::Png, channels);
        write(&path, &form).unwrap();
        let options = FolderOptions {
            channels: Some(channels),
            // In the order of the labels, as a model's classes are.
            classes: ["cat", "dog", "class-2"].map(String::from).to_vec(),
            ..FolderOptions::new(2)
        };
        let set = read_folder(&path.join("images"), &options).unwrap().dataset;
        check(&set, &form, true);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }
    let bare = SetForm {
        classes: Vec::new(),
        counts: [12, 0],
        ..form(Layout::Png, 1)
    };
    write(&place.path().join("bare"), &bare).unwrap();
    assert!(place.path().join("bare/images/00011.png").is_file());
}

#[test]
fn idx_files_are_read_back() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("set");
    let labelled = form(Layout::Idx, 1);
    write(&path, &labelled).unwrap();
    let set = read_idx_folder(&path, &FolderOptions::new(2)).unwrap().unwrap();
    check(&set, &labelled, false);
    assert_eq!(set.classes, labelled.classes);
    let bare = SetForm {
        classes: Vec::new(),
        ..labelled
    };
    write(&path, &bare).unwrap();
    let set = read_idx_folder(&path, &FolderOptions::new(2)).unwrap().unwrap();
    check(&set, &bare, false);
    assert_eq!(fs::read_dir(path.join(RAW)).unwrap().count(), 2);
}

#[test]
fn arrays_have_the_names_that_keras_reads() {
    let place = tempfile::tempdir().unwrap();
    for (channels, shape) in [(1, "(5, 2, 2)"), (3, "(5, 2, 2, 3)")] {
        let path = place.path().join(channels.to_string());
        let form = form(Layout::Npz, channels);
        write(&path, &form).unwrap();
        let mut archive = zip::ZipArchive::new(File::open(path.join("images.npz")).unwrap()).unwrap();
        let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(
            names,
            ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy", "classes.npy"]
        );
        let mut read = |name: &str| {
            let mut bytes = Vec::new();
            archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
            let data = bytes.split_off(bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1);
            (String::from_utf8_lossy(&bytes).into_owned(), data)
        };
        let (header, data) = read("x_train.npy");
        assert!(
            header.contains(&format!("'|u1', 'fortran_order': False, 'shape': {shape}")),
            "{header}"
        );
        // The channels of a pixel side by side.
        let truth: Vec<u8> = (0..5)
            .flat_map(|index| {
                let planes = pixels(&form, 0, index);
                (0..4 * channels)
                    .map(move |place| planes[place % channels * 4 + place / channels])
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(data, truth);
        assert_eq!(read("y_train.npy").1, [0, 1, 2, 0, 1]);
        assert_eq!(read("y_test.npy").1, [0, 1, 2]);
    }
}

#[test]
fn a_set_that_cannot_be_written_whole_is_not_there() {
    let place = tempfile::tempdir().unwrap();
    for layout in [Layout::Png, Layout::Idx, Layout::Npz] {
        let path = place.path().join("set");
        let mut failures = 0;
        for at in 1.. {
            let (result, has_struck) = with_fault(Fault::FullDisk, at, || write(&path, &form(layout, 1)));
            if !has_struck {
                result.unwrap();
                break;
            }
            let error = result.unwrap_err().to_string();
            assert!(error.contains("no storage space"), "{layout:?} at {at}: {error}");
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{layout:?} at {at}");
            failures += 1;
        }
        assert!(failures > 3, "{layout:?}");
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn what_a_layout_cannot_hold_is_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("set");
    assert!(matches!(
        SetWriter::begin(&path, form(Layout::Idx, 3)),
        Err(DataError::ColourIdx)
    ));
    let many = SetForm {
        classes: (0..257).map(|class| class.to_string()).collect(),
        ..form(Layout::Npz, 1)
    };
    assert!(matches!(
        SetWriter::begin(&path, many),
        Err(DataError::ManyLabels { classes: 257, .. })
    ));
    assert!(matches!(
        SetWriter::begin(&path, form(Layout::Png, 2)),
        Err(DataError::Option { .. })
    ));
    let image = |count: usize| Images::new(1, 2, 2, vec![0; 4 * count]).unwrap();
    for (images, labels) in [
        (image(1), vec![None]),
        (image(1), vec![Some(3)]),
        (image(2), vec![Some(0)]),
        (image(6), vec![Some(0); 6]),
        (Images::new(1, 1, 1, vec![0]).unwrap(), vec![Some(0)]),
    ] {
        let mut writer = SetWriter::begin(&path, form(Layout::Idx, 1)).unwrap();
        assert!(writer.append(&images, &labels).is_err());
    }
    let writer = SetWriter::begin(&path, form(Layout::Npz, 1)).unwrap();
    assert!(writer.finish().unwrap_err().to_string().contains("missing"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
