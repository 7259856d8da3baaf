use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::data::strokes::strokes;
use crate::data::{Dataset, Images, Layout, SetForm, SetWriter};
use crate::network::{Architecture, HiddenActivation};
use crate::studio::unobserved;

/// Two labelled images of each class, on the latents of the bundled model.
fn request() -> AugmentRequest {
    AugmentRequest {
        labelled: 2,
        seeds: 2,
        steps: 2,
        semi_supervised: learning(0),
        features: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mnist-2d.safetensors")),
        limit: None,
    }
}

fn learning(seed: u64) -> SemiSupervisedConfig {
    SemiSupervisedConfig {
        hidden: vec![8],
        latent: 2,
        epochs: 3,
        seed,
        ..SemiSupervisedConfig::default()
    }
}

fn digits() -> Dataset {
    strokes(180, 30, 1)
}

/// Puts a data set into a folder, as MNIST's files.
fn put(dataset: &Dataset, path: &Path) -> ImageRequest {
    let form = SetForm {
        layout: Layout::Idx,
        shape: [1, 28, 28],
        counts: [dataset.train.images.count(), dataset.test.images.count()],
        classes: dataset.classes.clone(),
    };
    let mut writer = SetWriter::begin(path, form).unwrap();
    for split in [&dataset.train, &dataset.test] {
        writer.append(&split.images, split.labels.as_deref().unwrap()).unwrap();
    }
    writer.finish().unwrap();
    ImageRequest::folder(path)
}

fn begin(path: &Path, beginning: Beginning, images: &ImageRequest) -> Result<Augmentation, StudioError> {
    Augmentation::begin(path, beginning, &request(), images, &unobserved)
}

/// Each image of a split.
fn pictures(split: &Split) -> BTreeSet<Vec<u8>> {
    (0..split.images.count())
        .map(|index| split.images.image(index).to_vec())
        .collect()
}

#[test]
fn nobody_learns_from_or_chooses_by_what_is_held_out() {
    let set = digits();
    let (pool, test) = Pool::of(set.clone()).unwrap();
    assert_eq!((pool.count(), pool.validation.images.count()), (150, 30));
    assert_eq!(test, set.test);
    let held_out: BTreeSet<_> = pictures(&pool.validation).union(&pictures(&test)).cloned().collect();
    let mut drawn = Vec::new();
    for seed in 0..3 {
        let labelled = pool.material(3, seed).unwrap().labelled;
        assert!(pictures(&labelled).is_disjoint(&held_out));
        assert_eq!(pictures(&labelled).len(), 30);
        for class in 0..10 {
            let labels = labelled.labels.as_ref().unwrap();
            assert_eq!(labels.iter().filter(|label| **label == Some(class)).count(), 3);
        }
        drawn.push(labelled);
    }
    assert_ne!(drawn[0], drawn[1]);
    assert_eq!(pool.material(3, 0).unwrap().labelled, drawn[0]);
}

#[test]
fn a_lesson_is_made_of_what_its_mix_says() {
    let (pool, _) = Pool::of(digits()).unwrap();
    let seeded = Seeded {
        material: pool.material(2, 0).unwrap(),
        pseudo_labels: labelled_by_model(&pool, &pool.validation, 0),
    };
    let bench = Bench::new(&pool, &seeded, 2, 0);
    let lesson = |mix| bench.lesson(&mix, &mut || ControlFlow::Continue(())).unwrap();
    let labelled = pool.material(2, 0).unwrap().labelled;
    let plain = lesson(Mix::default());
    assert_eq!(plain.examples, labelled);
    let generated = |times, temperature| Mix {
        distortion: Some(0.5),
        generated: Some(Generated { times, temperature }),
        pseudo_labelled: None,
    };
    let more = lesson(generated(3, 1.0));
    assert_eq!(more.examples.images.count(), 80);
    assert_eq!(more.examples.chosen(&(0..20).collect::<Vec<_>>()), labelled);
    assert_eq!(more.distortion.rotation, 5.0);
    let of_class = |class| {
        more.examples
            .labels
            .iter()
            .flatten()
            .filter(|label| **label == Some(class))
            .count()
    };
    assert!((0..10).all(|class| of_class(class) == 8));
    // Without temperature all of a class are one.
    let cold = lesson(generated(2, 0.0)).examples;
    assert_eq!(cold.images.image(20), cold.images.image(30));
    assert_ne!(cold.images.image(20), cold.images.image(21));

    let as_probable_as = |least| {
        lesson(Mix {
            pseudo_labelled: Some(least),
            ..Mix::default()
        })
    };
    let all = as_probable_as(0.0).examples;
    assert_eq!(pictures(&all), pictures(&pool.train));
    assert_eq!(all.chosen(&(0..20).collect::<Vec<_>>()), labelled);
    assert_eq!(as_probable_as(1.1).examples.labels, labelled.labels);
    let (_, class, probability) = seeded.pseudo_labels.labels[7];
    let some = as_probable_as(probability.into()).examples;
    assert!(some.labels.unwrap()[20..].contains(&Some(class)));
    assert!((21..151).contains(&some.images.count()));
}

fn features<'a>(m1: &'a Model, pool: &'a Pool, test: &'a Split) -> Features<'a> {
    Features::of(m1, pool, test, &unobserved).unwrap()
}

fn labelled_by_model(pool: &Pool, test: &Split, seed: u64) -> PseudoLabels {
    let place = tempfile::tempdir().unwrap();
    let few = FewLabels {
        labels_for: 2,
        learning: learning(seed),
    };
    let m1 = Model::bundled().unwrap();
    let labels = |file: &str| {
        let material = pool.material(2, seed).unwrap();
        features(&m1, pool, test).pseudo_labels(&place.path().join(file), &few, &material, &unobserved)
    };
    let learned = labels("0.safetensors").unwrap();
    // Read again, it says the same.
    assert_eq!(labels("0.safetensors").unwrap(), learned);
    learned
}

#[test]
fn the_model_that_labels_images_knows_the_labels_of_its_seed_and_no_others() {
    let (pool, test) = Pool::of(digits()).unwrap();
    let learned = labelled_by_model(&pool, &test, 1);
    assert_ne!(learned, labelled_by_model(&pool, &test, 0));
    // Without all other labels, and with wrong ones of the images that are held out.
    let (mut blind, mut wrong) = Pool::of(digits()).unwrap();
    let known = pool.material(2, 1).unwrap().known;
    Arc::get_mut(&mut blind.train).unwrap().labels = Some(known);
    for split in [Arc::get_mut(&mut blind.validation).unwrap(), &mut wrong] {
        split.labels.as_mut().unwrap().rotate_left(1);
    }
    let material = blind.material(2, 1).unwrap();
    assert_eq!(material.labelled, pool.material(2, 1).unwrap().labelled);
    let blind = labelled_by_model(&blind, &wrong, 1);
    assert_eq!(blind.labels, learned.labels);
}

#[test]
fn a_classifier_of_another_comparison_is_not_taken_for_a_seeds() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("0.safetensors");
    let (pool, test) = Pool::of(digits()).unwrap();
    let material = pool.material(2, 0).unwrap();
    let m1 = Model::bundled().unwrap();
    let features = features(&m1, &pool, &test);
    let labels = |seed, labels_for| {
        let few = FewLabels {
            labels_for,
            learning: learning(seed),
        };
        features.pseudo_labels(&path, &few, &material, &unobserved)
    };
    labels(0, 2).unwrap();
    for other in [labels(1, 2), labels(0, 3)] {
        let error = other.unwrap_err().to_string();
        assert!(
            error.contains("0.safetensors: this is no classifier of this comparison"),
            "{error}"
        );
    }
}

#[test]
fn the_network_below_learns_once_sees_no_label_and_goes_on() {
    let place = tempfile::tempdir().unwrap();
    let (pool, _) = Pool::of(digits()).unwrap();
    let mut config = RunConfig::for_features();
    config.network.latent = 2;
    config.network.architecture = Architecture::Mlp {
        hidden: vec![8],
        activation: HiddenActivation::Relu,
    };
    config.training.epochs = 4;
    let whole = learned_m1(&place.path().join("whole"), &config, &pool, &unobserved).unwrap();
    let weights = whole.network().fingerprint();

    let mut blind = Pool::of(digits()).unwrap().0;
    Arc::get_mut(&mut blind.train).unwrap().labels = None;
    let path = place.path().join("parts");
    let heard = AtomicUsize::new(0);
    let stop = |event: Event<'_>| match event {
        Event::Training(_) if heard.fetch_add(1, Ordering::Relaxed) > 3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert!(learned_m1(&path, &config, &blind, &stop).unwrap_err().is_stop());
    let parts = learned_m1(&path, &config, &blind, &unobserved).unwrap();
    assert_eq!(parts.network().fingerprint(), weights);
    // There already, it is only opened.
    assert_eq!(
        learned_m1(&path, &config, &blind, &stop)
            .unwrap()
            .network()
            .fingerprint(),
        weights
    );
}

#[test]
fn test_images_decide_nothing_but_the_accuracy() {
    let place = tempfile::tempdir().unwrap();
    let set = digits();
    let mut other = set.clone();
    other.test = strokes(2, 30, 7).test;
    other.test.labels.as_mut().unwrap().rotate_left(1);
    let [one, two] = [("one", &set), ("two", &other)].map(|(name, set)| {
        let images = put(set, &place.path().join(name));
        let out = place.path().join(format!("{name}-out"));
        let alone = AugmentRequest { seeds: 1, ..request() };
        let augmentation = Augmentation::begin(&out, Beginning::New, &alone, &images, &unobserved);
        augmentation.unwrap().run(&unobserved).unwrap()
    });
    let decided = |report: &AugmentReport| {
        let rows = report
            .rows
            .iter()
            .map(|row| (row.recipe, row.mix, row.scores.validation_mean));
        (rows.collect::<Vec<_>>(), report.best)
    };
    assert_eq!(decided(&one), decided(&two));
    assert_ne!(one, two);
}

#[test]
fn what_was_stopped_goes_on_to_the_same_end_on_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let images = put(&digits(), &place.path().join("set"));
    let text = |name: &str| fs::read_to_string(place.path().join(name).join("trials.jsonl")).unwrap_or_default();
    let whole = {
        let mut augmentation = begin(&place.path().join("whole"), Beginning::New, &images).unwrap();
        augmentation.run(&unobserved).unwrap()
    };
    let path = place.path().join("parts");
    let mut beginning = Beginning::New;
    let mut stops = 0;
    // Each time a little further, with another number of threads.
    let parts = loop {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1 + stops % 3)
            .build()
            .unwrap();
        let heard = AtomicUsize::new(0);
        let stop = |event: Event<'_>| match event {
            Event::Augmenting { .. } | Event::SemiSupervised(_) if heard.fetch_add(1, Ordering::Relaxed) > 60 => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        let result = pool.install(|| begin(&path, beginning, &images).unwrap().run(&stop));
        match result {
            Ok(report) => break report,
            Err(error) => assert!(error.is_stop(), "{error}"),
        }
        beginning = Beginning::Resume;
        stops += 1;
    };
    assert!(stops > 1, "{stops}");
    assert_eq!(parts, whole);
    assert_eq!(text("parts"), text("whole"));
    assert_eq!(whole.rows.len(), Recipe::EACH.len());
    // Thirteen were tried, and then each recipe with two seeds.
    assert_eq!(text("whole").lines().count(), 13 + 2 * Recipe::EACH.len());
}

#[test]
fn the_best_data_set_is_written_to_be_learned_from() {
    let place = tempfile::tempdir().unwrap();
    let images = put(&digits(), &place.path().join("set"));
    let mut augmentation = begin(&place.path().join("out"), Beginning::New, &images).unwrap();
    let mut report = augmentation.run(&unobserved).unwrap();
    let labelled = augmentation.pool.material(2, 0).unwrap().labelled;
    for (best, count) in [(Recipe::Real, 20), (Recipe::Distorted, 10_000)] {
        report.best = best;
        let files = augmentation.write(&report, Layout::Idx, &unobserved).unwrap();
        let options = crate::data::FolderOptions::new(32);
        let set = crate::data::read_idx_folder(&files.data, &options).unwrap().unwrap();
        assert_eq!([set.train.images.count(), set.test.images.count()], [count, 30]);
        assert_eq!(set.test.images, digits().test.images);
        // That of the seed that did best.
        let real = augmentation.pool.material(2, 1).unwrap().labelled;
        let first: Images = set.train.images.chosen(&(0..20).collect::<Vec<_>>());
        assert!([&real.images, &labelled.images].contains(&&first));
        assert!(files.data.join(crate::studio::CARD).is_file());
        assert!(image::open(files.figure).unwrap().width() > 1000);
    }
}

#[test]
fn what_cannot_be_compared_is_one_line_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let images = put(&digits(), &place.path().join("set"));
    let error = |request: AugmentRequest, images: &ImageRequest| {
        let begun = Augmentation::begin(&out, Beginning::New, &request, images, &unobserved);
        let error = begun.map(drop).unwrap_err().to_string();
        assert!(!out.exists(), "{error}");
        error
    };
    let many = AugmentRequest {
        labelled: 50,
        ..request()
    };
    assert!(error(many, &images).contains("0: 50 labelled image(s) of each class were asked for, and there are"));
    let none = AugmentRequest { seeds: 0, ..request() };
    assert!(error(none, &images).contains("no seed"));
    let none = AugmentRequest {
        labelled: 0,
        ..request()
    };
    assert!(error(none, &images).contains("no labelled image"));
    let few = AugmentRequest {
        limit: Some(5),
        ..request()
    };
    assert!(error(few, &images).contains("too few images"));

    let error = |beginning| begin(&out, beginning, &images).map(drop).unwrap_err().to_string();
    assert!(error(Beginning::Resume).contains("no comparison of recipes was begun here"));
    fs::create_dir(&out).unwrap();
    fs::write(out.join("letter.txt"), "dear").unwrap();
    for beginning in [Beginning::New, Beginning::Replace] {
        assert!(error(beginning).contains("no empty folder"));
    }
    fs::remove_file(out.join("letter.txt")).unwrap();
    drop(begin(&out, Beginning::New, &images).unwrap());
    assert!(error(Beginning::New).contains("this run exists"));
    let other = AugmentRequest { steps: 3, ..request() };
    let resumed = Augmentation::begin(&out, Beginning::Resume, &other, &images, &unobserved);
    assert!(
        resumed
            .unwrap_err()
            .to_string()
            .contains("started with steps = 2, not 3")
    );
    fs::write(out.join("trials.jsonl"), "{}\n").unwrap();
    assert!(error(Beginning::Resume).contains("trials.jsonl: missing field"));
    drop(begin(&out, Beginning::Replace, &images).unwrap());
    drop(begin(&out, Beginning::Resume, &images).unwrap());
}
