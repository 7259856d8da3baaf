//! Folders that people may point the program at.

use super::*;
use image::{GrayImage, Luma, Rgb, RgbImage};

/// Writes a grey image; folders are made as needed.
fn grey(root: &Path, name: &str, brightness: u8) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_pixel(5, 4, Luma([brightness])).save(path).unwrap();
}

fn message(root: &Path, options: &FolderOptions) -> String {
    let message = read_folder(root, options).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

fn first_pixels(split: &Split) -> Vec<u8> {
    (0..split.images.count())
        .map(|index| split.images.image(index)[0])
        .collect()
}

#[test]
fn folders_are_labels_and_a_tenth_of_each_is_held_out() {
    let root = tempfile::tempdir().unwrap();
    for index in 0..20 {
        grey(root.path(), &format!("smile/{index:02}.png"), index);
        grey(root.path(), &format!("plain/{index:02}.PNG"), 100 + index);
    }
    grey(root.path(), "once/only.png", 250);
    fs::write(root.path().join("smile/notes.txt"), "not an image").unwrap();
    fs::write(root.path().join("smile/.hidden.png"), "not an image").unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    let Folder { dataset, skipped } = read_folder(root.path(), &FolderOptions::new(8)).unwrap();
    assert!(skipped.is_empty());
    assert_eq!(dataset.classes, ["once", "plain", "smile"]);
    assert_eq!((dataset.train.images.count(), dataset.test.images.count()), (37, 4));
    assert_eq!(dataset.test.labels, Some([1, 1, 2, 2].map(Some).to_vec()));
    let (train, test) = (first_pixels(&dataset.train), first_pixels(&dataset.test));
    assert!(train[1..19].is_sorted() && train[19..].is_sorted() && train[0] == 250);
    // Every image is told by the file that it came from.
    let mut both = dataset.train.clone();
    both.truncate(2);
    assert_eq!(both.sources.unwrap()[0], Path::new("once/only.png"));
    for (brightness, source) in test.iter().zip(dataset.test.sources.unwrap()) {
        let name = match brightness {
            0..100 => format!("smile/{brightness:02}.png"),
            _ => format!("plain/{:02}.PNG", brightness - 100),
        };
        assert_eq!(source, Path::new(&name));
    }
    let all: BTreeSet<u8> = train.into_iter().chain(test).collect();
    assert_eq!(all, (0..20).chain(100..120).chain([250]).collect());
}

#[test]
fn one_image_is_read_as_one_of_many() {
    let root = tempfile::tempdir().unwrap();
    grey(root.path(), "a.png", 77);
    fs::write(root.path().join("b.png"), "not an image").unwrap();
    let read = |name: &str, size, channels| read_image(&root.path().join(name), size, channels, Fit::Crop);
    let images = read("a.png", 8, 3).unwrap();
    assert_eq!((images.count(), images.channels(), images.width()), (1, 3, 8));
    assert_eq!(images.pixels(), [77; 3 * 64]);
    assert!(read("b.png", 8, 1).unwrap_err().to_string().contains("b.png"));
    assert!(read("none.png", 8, 1).unwrap_err().to_string().contains("none.png"));
    assert!(matches!(read("a.png", 0, 1), Err(DataError::Option { .. })));
}

#[test]
fn the_seed_and_the_fraction_choose_what_is_held_out() {
    let root = tempfile::tempdir().unwrap();
    (0..40).for_each(|index| grey(root.path(), &format!("{index:02}.png"), index));
    let held_out = |seed, test_fraction| {
        let options = FolderOptions {
            test_fraction,
            seed,
            ..FolderOptions::new(4)
        };
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(1 + seed as usize % 3)
            .build()
            .unwrap();
        let dataset = threads.install(|| read_folder(root.path(), &options)).unwrap().dataset;
        assert_eq!((dataset.train.labels, dataset.classes.len()), (None, 0));
        first_pixels(&dataset.test)
    };
    assert_eq!(held_out(1, 0.25), held_out(1, 0.25));
    assert_ne!(held_out(1, 0.25), held_out(2, 0.25));
    assert_eq!(held_out(1, 0.25).len(), 10);
    assert_eq!(held_out(1, 0.001).len(), 1);
    assert_eq!(held_out(1, 0.999).len(), 39);
}

#[test]
fn train_and_test_folders_are_the_splits() {
    let root = tempfile::tempdir().unwrap();
    for name in ["train/a/1.png", "train/b/1.png", "train/b/2.png", "test/b/1.png"] {
        grey(root.path(), name, 1);
    }
    let dataset = read_folder(root.path(), &FolderOptions::new(4)).unwrap().dataset;
    assert_eq!(
        (dataset.train.labels, dataset.test.labels),
        (Some([0, 1, 1].map(Some).to_vec()), Some(vec![Some(1)]))
    );
    let [train, test] = [dataset.train.sources, dataset.test.sources].map(Option::unwrap);
    let expected = ["train/a/1.png", "train/b/1.png", "train/b/2.png"].map(PathBuf::from);
    assert_eq!((train, test), (expected.to_vec(), vec![PathBuf::from("test/b/1.png")]));
    grey(root.path(), "other/a.png", 1);
    assert!(message(root.path(), &FolderOptions::new(4)).contains("other: it stands beside train and test"));
}

#[test]
fn one_coloured_image_makes_all_coloured_unless_grey_is_wanted() {
    let root = tempfile::tempdir().unwrap();
    (0..3).for_each(|index| grey(root.path(), &format!("{index}.png"), 77));
    let channels = |channels| {
        let options = FolderOptions {
            channels,
            ..FolderOptions::new(4)
        };
        read_folder(root.path(), &options).unwrap().dataset.train.images
    };
    assert_eq!(channels(None).channels(), 1);
    assert_eq!(channels(Some(3)).image(0), [77; 48]);
    RgbImage::from_pixel(4, 4, Rgb([255, 0, 0]))
        .save(root.path().join("red.png"))
        .unwrap();
    assert_eq!(channels(None).channels(), 3);
    assert_eq!(channels(Some(1)).channels(), 1);
}

#[test]
fn an_unreadable_file_is_named_and_skipped_or_an_error() {
    let root = tempfile::tempdir().unwrap();
    (0..3).for_each(|index| grey(root.path(), &format!("{index}.png"), 1));
    fs::write(root.path().join("1b.jpg"), "<html>").unwrap();
    let Folder { dataset, skipped } = read_folder(root.path(), &FolderOptions::new(4)).unwrap();
    assert_eq!(dataset.train.images.count() + dataset.test.images.count(), 3);
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].0.ends_with("1b.jpg") && !skipped[0].1.is_empty());
    let strict = FolderOptions {
        strict: true,
        ..FolderOptions::new(4)
    };
    assert!(message(root.path(), &strict).contains("1b.jpg"));
}

#[test]
fn an_image_of_another_kind_is_named_and_skipped_or_an_error() {
    let options = FolderOptions::new(4);
    let strict = FolderOptions {
        strict: true,
        ..options.clone()
    };
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("preview.GIF"), "GIF89a").unwrap();
    let alone = message(root.path(), &options);
    assert!(
        alone.contains("none of the 1 images") && alone.contains("preview.GIF"),
        "{alone}"
    );
    for name in ["train/a/1.png", "train/b/1.png", "test/b/1.png"] {
        grey(root.path(), name, 1);
    }
    fs::write(root.path().join("test/b/2.heic"), "").unwrap();
    for name in ["notes.txt", "index.json", ".DS_Store", ".hidden.gif"] {
        fs::write(root.path().join("train/a").join(name), "").unwrap();
    }
    let skipped = read_folder(root.path(), &options).unwrap().skipped;
    let names: Vec<String> = skipped.iter().map(|(path, _)| name_of(path)).collect();
    assert_eq!(names, ["preview.GIF", "2.heic"]);
    assert!(skipped[0].1.contains("not read"));
    assert!(message(root.path(), &strict).contains("not read"));
    // The same, where there is no split.
    let skipped = read_folder(
        &root.path().join("test"),
        &FolderOptions {
            test_fraction: 1.0,
            ..options
        },
    )
    .unwrap();
    assert_eq!(skipped.skipped.len(), 1);
}

#[test]
fn folders_that_make_no_data_set_are_refused() {
    let options = FolderOptions::new(4);
    let root = tempfile::tempdir().unwrap();
    assert!(message(&root.path().join("absent"), &options).contains("absent"));
    assert!(message(root.path(), &options).contains("no images here"));
    fs::write(root.path().join("broken.png"), "no").unwrap();
    assert!(message(root.path(), &options).contains("none of the 1 images can be read"));
    fs::remove_file(root.path().join("broken.png")).unwrap();
    grey(root.path(), "single.png", 1);
    assert!(message(root.path(), &options).contains("cannot be split"));
    let whole = FolderOptions {
        test_fraction: 1.0,
        ..options.clone()
    };
    let dataset = read_folder(root.path(), &whole).unwrap().dataset;
    assert_eq!((dataset.train.images.count(), dataset.test.images.count()), (0, 1));
    assert!(message(root.path(), &FolderOptions::new(0)).contains("the image size is 0"));
    let fraction = FolderOptions {
        test_fraction: 1.5,
        ..FolderOptions::new(4)
    };
    assert!(message(root.path(), &fraction).contains("above 0 and at most 1"));
    let channels = FolderOptions {
        channels: Some(2),
        ..FolderOptions::new(4)
    };
    assert!(message(root.path(), &channels).contains("1 or 3"));
}

#[test]
fn more_images_than_memory_are_refused_before_reading() {
    let options = FolderOptions::new(4096);
    assert!(check_memory(Path::new("faces"), 86, &options).is_err());
    assert!(check_memory(Path::new("faces"), 85, &options).is_ok());
}

#[test]
fn images_beside_the_folders_of_classes_have_no_label() {
    let root = tempfile::tempdir().unwrap();
    for index in 0..20 {
        grey(root.path(), &format!("smile/{index:02}.png"), index);
        grey(root.path(), &format!("{index:02}.png"), 100 + index);
    }
    let read = || read_folder(root.path(), &FolderOptions::new(4)).unwrap().dataset;
    let dataset = read();
    assert_eq!(dataset.classes, ["smile"]);
    // A tenth of each kind is held out, and those without a label come last.
    for (split, count) in [(&dataset.train, 18), (&dataset.test, 2)] {
        let labels = [vec![Some(0); count], vec![None; count]].concat();
        assert_eq!(split.labels, Some(labels));
        let pixels = first_pixels(split);
        let (labelled, others) = pixels.split_at(count);
        assert!(labelled.iter().all(|&pixel| pixel < 100) && others.iter().all(|&pixel| pixel >= 100));
    }
    // The labels are part of what the data are.
    let mut bare = dataset.clone();
    bare.train.labels = Some(vec![None; 36]);
    assert_ne!(bare.fingerprint(), dataset.fingerprint());
    bare.train.labels = None;
    bare.test.labels = None;
    let unlabelled = bare.fingerprint();
    assert_ne!(unlabelled, dataset.fingerprint());
    assert_eq!(read().fingerprint(), dataset.fingerprint());
}

#[test]
fn one_of_two_splits_may_have_no_labels() {
    let root = tempfile::tempdir().unwrap();
    for name in ["train/a/1.png", "train/2.png", "test/1.png"] {
        grey(root.path(), name, 1);
    }
    let dataset = read_folder(root.path(), &FolderOptions::new(4)).unwrap().dataset;
    assert_eq!(dataset.classes, ["a"]);
    assert_eq!(
        (dataset.train.labels, dataset.test.labels),
        (Some(vec![Some(0), None]), None)
    );
}

#[test]
fn files_and_classes_come_as_people_count_or_as_they_came_before() {
    let root = tempfile::tempdir().unwrap();
    for (index, name) in ["s1/1.png", "s1/2.png", "s1/10.png", "s2/1.png", "s10/1.png"]
        .into_iter()
        .enumerate()
    {
        grey(root.path(), name, index as u8);
    }
    grey(root.path(), "loose.png", 9);
    let read = |order, classes: &[&str]| {
        let options = FolderOptions {
            order,
            classes: classes.iter().map(ToString::to_string).collect(),
            test_fraction: 1.0,
            ..FolderOptions::new(4)
        };
        let dataset = read_folder(root.path(), &options).unwrap().dataset;
        (
            dataset.classes,
            first_pixels(&dataset.test),
            dataset.test.labels.unwrap(),
        )
    };
    let known = |labels: [u16; 5]| labels.into_iter().map(Some).chain([None]).collect::<Vec<_>>();
    let (classes, pixels, labels) = read(NameOrder::Natural, &[]);
    assert_eq!(classes, ["s1", "s2", "s10"]);
    assert_eq!((pixels, labels), (vec![0, 1, 2, 3, 4, 9], known([0, 0, 0, 1, 2])));
    let (classes, pixels, labels) = read(NameOrder::Bytes, &[]);
    assert_eq!(classes, ["s1", "s10", "s2"]);
    assert_eq!((pixels, labels), (vec![0, 2, 1, 4, 3, 9], known([0, 0, 0, 1, 2])));
    // A model's classes keep their numbers, wherever their images lie.
    let (classes, pixels, labels) = read(NameOrder::Natural, &["s2", "none", "s1"]);
    assert_eq!(classes, ["s2", "none", "s1", "s10"]);
    assert_eq!((pixels, labels), (vec![3, 0, 1, 2, 4, 9], known([0, 2, 2, 2, 3])));
    // Nor has anything else one of these numbers.
    let (classes, _, labels) = read(NameOrder::Natural, &["0", "1"]);
    assert_eq!(classes, ["0", "1", "s1", "s2", "s10"]);
    assert_eq!(labels, known([2, 2, 2, 3, 4]));
}
