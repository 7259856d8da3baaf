//! What a person does, without the program.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use morphvae::figures::clip::Look;
use morphvae::network::Architecture;
use morphvae::studio::{
    Event, ImageRequest, KeyError, Keys, Length, Model, Morph, MorphError, Run, Source, Stop, StudioError, unobserved,
};
use morphvae::training::{HeldRun, Progress, RunConfig};

fn tiny(epochs: usize) -> RunConfig {
    let mut config = RunConfig::default();
    config.network.architecture = Architecture::Reference { base_channels: 2 };
    config.data.limit = Some(90);
    config.training.epochs = epochs;
    config
}

fn begin(folder: &Path, config: RunConfig) -> Run {
    let folder = HeldRun::claim(folder, false).unwrap();
    Run::begin(folder, config, None, &ImageRequest::of(Source::Strokes), &unobserved).unwrap()
}

#[test]
fn a_run_that_is_stopped_and_resumed_ends_as_one_that_was_not() {
    let desk = tempfile::tempdir().unwrap();
    let [whole, stopped] = ["whole", "stopped"].map(|name| desk.path().join(name));
    begin(&whole, tiny(2))
        .train(&unobserved)
        .unwrap()
        .finish(&unobserved)
        .unwrap();

    let impatient = |event: Event| match event {
        Event::Training(Progress::Train { epoch: 2, images, .. }) if images > 30 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let error = begin(&stopped, tiny(2)).train(&impatient).unwrap_err();
    assert!(error.is_stop(), "{error}");
    let (folder, config) = HeldRun::reopen(&stopped).unwrap();
    let run = Run::resume(folder, config, &ImageRequest::default(), &unobserved).unwrap();
    assert_eq!(run.training().history().len(), 1);
    let standing = run.train(&unobserved).unwrap().finish(&unobserved).unwrap();
    assert!(standing.figures.iter().all(|figure| figure.exists()));

    let model = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(&whole) == model(&stopped));
    assert_eq!(Model::open(&stopped).unwrap().path(), Some(&*standing.model));
}

#[test]
fn a_run_goes_on_with_its_own_images_and_no_fewer_epochs() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path().join("run");
    drop(begin(&folder, tiny(2)).train(&unobserved).unwrap());
    let resume = |change: &dyn Fn(&mut RunConfig)| {
        let (folder, mut config) = HeldRun::reopen(&folder).unwrap();
        change(&mut config);
        Run::resume(folder, config, &ImageRequest::default(), &unobserved).unwrap_err()
    };
    let error = resume(&|config| config.data.limit = Some(60));
    assert!(
        matches!(
            error,
            StudioError::OtherImages {
                train: 60,
                test: 60,
                ..
            }
        ),
        "{error}"
    );
    let error = resume(&|config| config.training.epochs = 1);
    assert!(
        matches!(error, StudioError::EpochsDone { asked: 1, done: 2 }),
        "{error}"
    );
}

#[test]
fn what_is_no_model_is_told_apart() {
    let desk = tempfile::tempdir().unwrap();
    let error = Model::open(desk.path()).unwrap_err();
    assert!(matches!(error, StudioError::NotARun { .. }), "{error}");
    let run = desk.path().join("run");
    drop(begin(&run, tiny(1)));
    let error = Model::open(&run).unwrap_err();
    assert!(matches!(error, StudioError::Unfinished { .. }), "{error}");
    let text = desk.path().join("text.safetensors");
    fs::write(&text, "no weights").unwrap();
    let error = Model::open(&text).unwrap_err();
    assert!(matches!(error, StudioError::Model { .. }), "{error}");
    // Once, though both the file and what is wrong with it have it to say.
    assert_eq!(error.to_string().matches("text.safetensors").count(), 1, "{error}");
}

#[test]
fn a_clip_is_made_of_keys() {
    let desk = tempfile::tempdir().unwrap();
    let run = desk.path().join("run");
    drop(begin(&run, tiny(1)).train(&unobserved).unwrap());
    let model = Model::open(&run).unwrap();
    let images = ImageRequest::default();
    let mut keys = Keys::new(&model, &images, 0, &unobserved);
    let morph = Morph {
        length: Length::Frames(6),
        ..Morph::through(["2", "z:0.5,-1", "random"].map(Stop::at).to_vec())
    };
    let walk = morph.walk(&mut keys, &unobserved).unwrap();
    assert_eq!(walk.images.count(), 6);
    assert_eq!(walk.frames.points[2 * walk.frames.keys[1]..][..2], [0.5, -1.0]);
    let clip = desk.path().join("clip.gif");
    let timing = walk.write(&clip, &Look::default(), &unobserved).unwrap();
    assert_eq!(timing.frames, 6);
    assert!(fs::read(&clip).unwrap().starts_with(b"GIF89a"));

    for stop_at in ["path", "images", "drawing"] {
        let impatient = |event: Event| match (event, stop_at) {
            (Event::Searching { .. }, "path") | (Event::Decoding { .. }, "images") => ControlFlow::Break(()),
            (Event::Drawing { .. }, "drawing") => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let other = desk.path().join(stop_at).with_extension("gif");
        let error = morph
            .walk(&mut keys, &impatient)
            .and_then(|walk| walk.write(&other, &Look::default(), &impatient))
            .unwrap_err();
        assert!(error.is_stop() && !other.exists(), "{stop_at}: {error}");
    }
}

#[test]
fn what_is_wrong_with_keys_and_clips_is_typed() {
    let model = Model::bundled().unwrap();
    let images = ImageRequest::of(Source::Strokes);
    let mut keys = Keys::new(&model, &images, 0, &unobserved);
    let mut wrong = |key: &str| match keys.point(key.as_ref(), 0, &[]) {
        Err(StudioError::Key(error)) => error,
        other => panic!("{key}: {other:?}"),
    };
    assert!(matches!(wrong("z:1,nan"), KeyError::Numbers { .. }));
    assert!(matches!(
        wrong("z:1"),
        KeyError::Dimensions {
            latent: 2,
            found: 1,
            ..
        }
    ));
    assert!(matches!(wrong("test:x"), KeyError::NoNumber { .. }));
    assert!(matches!(wrong("test:1000000"), KeyError::Member { .. }));
    assert!(matches!(wrong("eleven"), KeyError::Unknown { .. }));

    let stops = |count| vec![Stop::at("2"); count];
    assert_eq!(Morph::through(stops(1)).pace(), Err(MorphError::TooFewStops));
    let short = Morph {
        length: Length::Frames(2),
        ..Morph::through(stops(3))
    };
    assert!(matches!(short.pace(), Err(MorphError::Frames { least: 3, .. })));
    let brief = Morph {
        length: Length::Seconds(0.5),
        ..Morph::through(stops(3))
    };
    // Three rests of 0.2 s, and three ways of a frame at 25 frames a second.
    let Err(MorphError::Seconds { shortest, .. }) = brief.pace() else {
        panic!("half a second is too short")
    };
    assert!((shortest - 0.72).abs() < 1e-9, "{shortest}");
}

/// Whoever calls the library has no command line: the program adds which option helps.
#[test]
fn no_message_of_the_library_names_an_option() {
    fn check(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                check(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                let names = |line: &&str| {
                    line.match_indices("--")
                        .any(|(at, _)| line[at + 2..].starts_with(|letter: char| letter.is_ascii_lowercase()))
                };
                found.extend(lines.filter(names).map(|line| format!("{}: {line}", path.display())));
            }
        }
    }
    let mut found = Vec::new();
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
