use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::data::{FolderOptions, Layout, read_folder};
use crate::files::faults::{Fault, with_fault};
use crate::studio::{Event, Source, unobserved};

fn request(from: Origin) -> SampleRequest {
    SampleRequest {
        from,
        seed: 3,
        ..SampleRequest::default()
    }
}

fn strokes() -> ImageRequest {
    ImageRequest::of(Source::Strokes)
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let inside = files(&path);
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(
                inside
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else {
            found.insert(
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            );
        }
    }
    found
}

#[test]
fn an_image_is_that_of_its_number_whatever_is_drawn_beside_it() {
    let model = Model::bundled().unwrap();
    for pixels in [PixelChoice::Mean, PixelChoice::Draw] {
        let request = SampleRequest {
            pixels,
            ..request(Origin::Prior)
        };
        let sampler = Sampler::new(&model, &request, &ImageRequest::default(), &unobserved).unwrap();
        let (many, labels) = sampler.draw(0..130).unwrap();
        assert_eq!(labels, [None; 130]);
        for range in [0..7, 98..103, 129..130] {
            let few = sampler.draw(range.clone()).unwrap().0;
            let first = range.start as usize * 1024;
            assert_eq!(
                few.pixels(),
                &many.pixels()[first..first + few.pixels().len()],
                "{range:?}"
            );
        }
    }
}

#[test]
fn the_same_seed_writes_the_same_bytes_on_any_number_of_threads() {
    let model = Model::bundled().unwrap();
    let place = tempfile::tempdir().unwrap();
    for layout in [Layout::Png, Layout::Idx, Layout::Npz] {
        let [one, three] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let path = place.path().join(format!("{layout:?}-{threads}"));
            let request = SampleRequest {
                limit: Some(120),
                ..request(Origin::Mixture)
            };
            pool.install(|| {
                let sampler = Sampler::new(&model, &request, &strokes(), &unobserved).unwrap();
                let counts = Counts { train: 33, test: 4 };
                sampler.write(&path, layout, counts, None, &unobserved).unwrap();
            });
            files(&path)
        });
        assert_eq!(one, three);
        assert!(one.contains_key("sheet.png") && one.contains_key(CARD));
    }
}

#[test]
fn classes_come_evenly_or_as_in_the_data_and_lie_where_they_do() {
    let model = Model::bundled().unwrap();
    let seven_and_one = SampleRequest {
        classes: ["7", "1"].map(String::from).to_vec(),
        ..request(Origin::Class)
    };
    let sampler = Sampler::new(&model, &seven_and_one, &ImageRequest::default(), &unobserved).unwrap();
    let labels = sampler.draw(0..5).unwrap().1;
    assert_eq!(labels, [1, 7, 1, 7, 1].map(Some));
    assert_eq!(sampler.classes()[7], "7");
    // Without temperature all images of a class are one, that of the class's mean.
    let cold = SampleRequest {
        temperature: 0.0,
        balance: Balance::Data,
        ..request(Origin::Class)
    };
    let sampler = Sampler::new(&model, &cold, &ImageRequest::default(), &unobserved).unwrap();
    let (images, labels) = sampler.draw(0..300).unwrap();
    let mut by_class: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (index, label) in labels.iter().enumerate() {
        by_class.entry(label.unwrap()).or_default().push(index);
    }
    assert_eq!(by_class.len(), 10);
    let mut sizes: Vec<usize> = by_class.values().map(Vec::len).collect();
    sizes.dedup();
    assert!(sizes.len() > 1, "by chance");
    for members in by_class.values() {
        assert!(
            members
                .iter()
                .all(|&index| images.image(index) == images.image(members[0]))
        );
    }
    let mean: Vec<f32> = model.card().unwrap().latent_statistics.classes[4]
        .mean
        .iter()
        .map(|&value| value as f32)
        .collect();
    let truth = decode(model.inference(), &mean).unwrap();
    assert_eq!(truth.image(0), images.image(by_class[&4][0]));
}

#[test]
fn posteriors_of_images_keep_close_to_them() {
    let model = Model::bundled().unwrap();
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("given");
    let class = request(Origin::Class);
    let sampler = Sampler::new(&model, &class, &ImageRequest::default(), &unobserved).unwrap();
    let counts = Counts { train: 20, test: 0 };
    sampler.write(&folder, Layout::Png, counts, None, &unobserved).unwrap();
    let given = folder.join("images");
    let sampler = |from, temperature| {
        let request = SampleRequest {
            temperature,
            ..request(from)
        };
        Sampler::new(&model, &request, &ImageRequest::default(), &unobserved).unwrap()
    };
    // A file alone, at no temperature: its reconstruction.
    let file = given.join("3/00003.png");
    let alone = sampler(Origin::Images(file.clone()), 0.0);
    assert!(alone.classes().is_empty());
    let image = crate::data::read_image(&file, 32, 1, crate::data::Fit::Crop).unwrap();
    let truth = crate::evaluation::reconstruct(model.inference(), &image).unwrap();
    assert_eq!(alone.draw(0..1).unwrap().0, truth);
    assert_ne!(sampler(Origin::Images(file), 1.0).draw(0..1).unwrap().0, truth);
    // A folder has the labels of its subfolders.
    let folder = sampler(Origin::Images(given), 1.0);
    assert_eq!(folder.draw(0..3).unwrap().1, [0, 1, 2].map(Some));
}

#[test]
fn what_is_written_is_a_data_set_with_a_card() {
    let model = Model::bundled().unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("set");
    let sampler = Sampler::new(&model, &request(Origin::Class), &ImageRequest::default(), &unobserved).unwrap();
    let counts = Counts { train: 25, test: 15 };
    let card = sampler.write(&path, Layout::Png, counts, None, &unobserved).unwrap();
    assert_eq!(
        (card.images, card.classes[4].images),
        (counts, Counts { train: 3, test: 1 })
    );
    let options = FolderOptions {
        classes: sampler.classes().to_vec(),
        ..FolderOptions::new(32)
    };
    let set = read_folder(&path.join("images"), &options).unwrap().dataset;
    assert_eq!([set.train.images.count(), set.test.images.count()], [25, 15]);
    let (images, labels) = sampler.draw(0..25).unwrap();
    let of_class = |class: u16| labels.iter().position(|label| *label == Some(class)).unwrap();
    let first = set
        .train
        .labels
        .unwrap()
        .iter()
        .position(|label| *label == Some(6))
        .unwrap();
    assert_eq!(set.train.images.image(first), images.image(of_class(6)));
    // A set that was sampled gives way where that is wanted, and nothing else does.
    assert!(check_place(&path, true).is_ok() && check_place(&place.path().join("free"), false).is_ok());
    let occupied = |path: &Path, replaced| match check_place(path, replaced) {
        Err(SampleError::Occupied { is_sampling, .. }) => Some(is_sampling),
        _ => None,
    };
    assert_eq!(occupied(&path, false), Some(true));
    fs::write(path.join(CARD), "{\"program\": \"another\"}").unwrap();
    assert_eq!(occupied(&path, true), Some(false));
    assert_eq!(occupied(&path.join(CARD), true), Some(false));
}

#[test]
fn what_fails_or_is_stopped_leaves_what_stood_there() {
    let model = Model::bundled().unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("set");
    let sampler = Sampler::new(&model, &request(Origin::Class), &ImageRequest::default(), &unobserved).unwrap();
    let write = |observer: &Observer| sampler.write(&path, Layout::Png, Counts { train: 11, test: 0 }, None, observer);
    write(&unobserved).unwrap();
    let before = files(place.path());
    let stop = |event: Event<'_>| match event {
        Event::Sampling { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert!(write(&stop).unwrap_err().is_stop());
    assert_eq!(files(place.path()), before);
    let mut failures = 0;
    for at in (1..).step_by(7) {
        let (result, has_struck) = with_fault(Fault::FullDisk, at, || write(&unobserved));
        assert_eq!(files(place.path()), before, "{at}");
        match (result, has_struck) {
            (Err(error), true) => assert!(error.to_string().contains("no storage space"), "{error}"),
            (Ok(_), false) => break,
            (other, _) => panic!("{other:?}"),
        }
        failures += 1;
    }
    assert!(failures > 3);
}

#[test]
fn what_cannot_be_is_one_line() {
    let model = Model::bundled().unwrap();
    let error = |request: SampleRequest| {
        let made = Sampler::new(&model, &request, &strokes(), &unobserved);
        made.map(drop).unwrap_err().to_string()
    };
    let with_class = |from, class: &str| SampleRequest {
        classes: vec![class.to_owned()],
        limit: Some(60),
        ..request(from)
    };
    assert!(error(with_class(Origin::Prior, "7")).contains("knows no classes"));
    assert!(error(with_class(Origin::Class, "a")).contains("a: no such class: there are 0, 1, 2"));
    assert!(error(with_class(Origin::Mixture, "a")).contains("a: no such class"));
    for temperature in [-0.1, 10.1, f64::NAN] {
        let hot = SampleRequest {
            temperature,
            ..request(Origin::Prior)
        };
        assert!(error(hot).contains("temperature"));
    }
    let sampler = Sampler::new(&model, &request(Origin::Prior), &ImageRequest::default(), &unobserved).unwrap();
    let place = tempfile::tempdir().unwrap();
    let nothing = sampler.write(
        &place.path().join("set"),
        Layout::Png,
        Counts::default(),
        None,
        &unobserved,
    );
    assert!(nothing.unwrap_err().to_string().contains("no image"));
}
