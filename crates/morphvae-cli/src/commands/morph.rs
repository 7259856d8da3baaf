//! `morphvae morph`

use std::path::{Path, PathBuf};

use image::RgbImage;
use morphvae::data::Images;
use morphvae::evaluation::{decode, encode};
use morphvae::figures::clip::{ClipFormat, Colormap, Look, Playback, Repeat, Timing, write_clip};
use morphvae::figures::latent_map::{Plane, Points, Route, route};
use morphvae::figures::{Caption, Labels, clip_sheet, write_png};
use morphvae::latent::PrincipalComponents;
use morphvae::latent::path::{Ease, Frames, LatentPath, Motion, Pacing, PathKind, magnification};
use morphvae::model::Inference;
use morphvae::training::{RunFolder, TrainingError};
use serde_json::json;

use crate::Usage;
use crate::arguments::{
    ColormapArgument, EaseArgument, ModelArgument, MorphArguments, PathArgument, RepeatArgument, SplitArgument,
};
use crate::console::Console;
use crate::keys::{Key, KeyReader};
use crate::model::Model;

/// Steps from one key to the next, unless it is said otherwise.
const STEPS: usize = 24;
/// Letters of a file's name that come from the keys, at most.
const LONGEST_NAME: usize = 60;

pub fn run(arguments: &MorphArguments, console: Console) -> anyhow::Result<()> {
    let (model, keys) = split_model(&arguments.keys);
    if keys.len() < 2 {
        let text = "a clip goes through two keys or more: name another class, image, test:N, z:X,Y,… or random";
        return Err(Usage(text.into()).into());
    }
    let files = Files::of(arguments, keys);
    files.check(arguments.force)?;
    let model = Model::open(&model, console)?;
    let network = model.inference();
    let mut reader = KeyReader::new(&model, &network, &arguments.images, arguments.seed, console);
    let keys = reader.read(keys, &arguments.add)?;
    let names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
    let walk = Walk::along(&keys, &network, arguments)?;
    let look = Look {
        scale: arguments.scale,
        colormap: arguments.colormap.into(),
    };
    let playback = Playback {
        frames_per_second: arguments.fps,
        keys: walk.frames.keys.clone(),
        hold: arguments.hold,
        repeat: arguments.repeat.into(),
    };
    let timing = write_clip(&files.clip, &walk.images, &playback, &look)?;
    write_png(&files.sheet, &walk.draw_sheet(&names)?)?;
    if let Some(map) = &files.map {
        write_png(map, &walk.draw_map(&names, &mut reader, &network)?)?;
    }
    report(&walk, &files, &timing, arguments, console)
}

/// The model, if the first word is one, and the keys. A folder that is no run's is none: a class may have its name.
fn split_model(words: &[String]) -> (ModelArgument, &[String]) {
    let is_run = |path: &Path| !matches!(RunFolder::open(path), Err(TrainingError::NoRun { .. }));
    let is_model = |word: &String| {
        let path = Path::new(word);
        let ending = path.extension().and_then(|ending| ending.to_str());
        matches!(ending, Some("safetensors" | "pth" | "pt")) || (path.is_dir() && is_run(path))
    };
    match words.split_first() {
        Some((first, keys)) if is_model(first) => (
            ModelArgument {
                model: Some(first.into()),
            },
            keys,
        ),
        _ => (ModelArgument { model: None }, words),
    }
}

/// Where the results go.
struct Files {
    clip: PathBuf,
    sheet: PathBuf,
    map: Option<PathBuf>,
}

impl Files {
    fn of(arguments: &MorphArguments, keys: &[String]) -> Self {
        let clip = arguments
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from(name(keys) + ".gif"));
        let beside = |what: &str| {
            let stem = clip.file_stem().unwrap_or_default().to_string_lossy();
            clip.with_file_name(format!("{stem}-{what}.png"))
        };
        Self {
            sheet: beside("sheet"),
            map: arguments.on_map.then(|| beside("map")),
            clip,
        }
    }

    /// What cannot be written shows before any work is done.
    fn check(&self, force: bool) -> anyhow::Result<()> {
        ClipFormat::of(&self.clip)?;
        let occupied = [Some(&self.clip), Some(&self.sheet), self.map.as_ref()]
            .into_iter()
            .flatten()
            .find(|path| path.exists() && !force);
        occupied.map_or(Ok(()), |path| Err(Usage::exists(path).into()))
    }
}

/// `morph-2-4-9` for the keys 2, 4 and 9.
fn name(keys: &[String]) -> String {
    let words = keys.iter().map(|key| {
        let stem = Path::new(key).file_stem().unwrap_or_default().to_string_lossy();
        let plain = |letter: char| if letter.is_alphanumeric() { letter } else { '_' };
        stem.chars().map(plain).collect::<String>()
    });
    let name = words.fold("morph".to_owned(), |name, word| format!("{name}-{word}"));
    name.chars().take(LONGEST_NAME).collect()
}

/// Frames along a path, and how evenly they change.
struct Walk {
    closed: bool,
    frames: Frames,
    images: Images,
    motion: Motion,
    straight: Motion,
}

impl Walk {
    fn along(keys: &[Key], network: &Inference, arguments: &MorphArguments) -> anyhow::Result<Self> {
        let points: Vec<Vec<f32>> = keys.iter().map(|key| key.point.clone()).collect();
        let closed = arguments.repeat == RepeatArgument::Cycle;
        let path = LatentPath::through(arguments.path.into(), &points, closed, network)?;
        let steps = match arguments.frames {
            None => STEPS * path.segments(),
            // An open path has a frame more than it has steps.
            Some(frames) => frames.saturating_sub(usize::from(!closed)),
        };
        let pacing = Pacing {
            even: !arguments.uneven,
            ease: arguments.ease.into(),
        };
        let frames = path.frames(network, steps, pacing)?;
        let line = LatentPath::through(PathKind::Line, &points, closed, network)?;
        let uneven = Pacing {
            even: false,
            ..Pacing::default()
        };
        let straight = line.frames(network, steps, uneven)?;
        Ok(Self {
            closed,
            motion: Motion::of(network, &frames.points, closed),
            straight: Motion::of(network, &straight.points, closed),
            images: decode(network, &frames.points),
            frames,
        })
    }
    fn draw_sheet(&self, names: &[String]) -> anyhow::Result<RgbImage> {
        let caption = Caption::default();
        Ok(clip_sheet(
            &self.images,
            &self.frames.keys,
            names,
            self.closed,
            &caption,
        )?)
    }

    /// The path over the encoded test images; more than two dimensions are shown along the two main directions.
    fn draw_map(&self, names: &[String], reader: &mut KeyReader, network: &Inference) -> anyhow::Result<RgbImage> {
        let split = reader.split(SplitArgument::Test)?;
        let classes = reader.classes()?;
        let codes = encode(network, &split.images)?;
        let latent = codes.latent;
        let components = (latent != 2).then(|| PrincipalComponents::of(&codes.mean, latent, 2));
        let place = |point: &[f32]| match &components {
            None => [f64::from(point[0]), f64::from(point[1])],
            Some(components) => components.project(point),
        };
        let places = |points: &[f32]| points.chunks_exact(latent).map(place).collect::<Vec<[f64; 2]>>();
        let (positions, along) = (places(&codes.mean), places(&self.frames.points));
        let points = Points {
            positions: &positions,
            labels: split.labels.as_deref().map(|indices| Labels {
                indices,
                classes: &classes,
            }),
        };
        let axes = match components {
            None => ["z₁", "z₂"],
            Some(_) => ["first principal component", "second principal component"],
        };
        let title = names.join(" → ");
        let plane = Plane {
            caption: Caption::title(&title),
            axes,
            prior: false,
        };
        let relief = |points: &[f32]| magnification(network, points);
        let drawn = Route {
            positions: &along,
            frames: &self.images,
            keys: &self.frames.keys,
            names,
            closed: self.closed,
            // A plane through more dimensions does not hold the path.
            relief: (latent == 2).then_some(&relief),
        };
        Ok(route(&points, &plane, &drawn)?)
    }
}

/// What was made, and how evenly it moves.
fn report(
    walk: &Walk,
    files: &Files,
    timing: &Timing,
    arguments: &MorphArguments,
    console: Console,
) -> anyhow::Result<()> {
    console.note(format!("{}: {timing}", files.clip.display()));
    console.note(format!("{}", files.sheet.display()));
    if let Some(map) = &files.map {
        console.note(format!("{}", map.display()));
    }
    let motion = |motion: &Motion| {
        format!(
            "mean {:.2}, largest {:.2}, largest to mean {:.2}",
            motion.mean, motion.largest, motion.ratio
        )
    };
    console.note(format!("change from frame to frame: {}", motion(&walk.motion)));
    console.note(format!("on the straight line:       {}", motion(&walk.straight)));
    if arguments.json {
        let motion = |motion: &Motion| json!({ "mean": motion.mean, "largest": motion.largest, "ratio": motion.ratio });
        console.json(&json!({
            "clip": files.clip,
            "sheet": files.sheet,
            "map": files.map,
            "frames": walk.images.count(),
            "shown": timing.frames,
            "frames_per_second": timing.written_frames_per_second,
            "seconds": timing.written_seconds,
            "motion": motion(&walk.motion),
            "straight_line": motion(&walk.straight),
        }))?;
    }
    Ok(())
}

impl From<PathArgument> for PathKind {
    fn from(argument: PathArgument) -> Self {
        match argument {
            PathArgument::Line => Self::Line,
            PathArgument::Spherical => Self::Spherical,
            PathArgument::Spline => Self::Spline,
            PathArgument::Geodesic => Self::Geodesic,
        }
    }
}

impl From<EaseArgument> for Ease {
    fn from(argument: EaseArgument) -> Self {
        match argument {
            EaseArgument::Linear => Self::Linear,
            EaseArgument::Smoothstep => Self::Smoothstep,
            EaseArgument::In => Self::In,
            EaseArgument::Out => Self::Out,
        }
    }
}

impl From<RepeatArgument> for Repeat {
    fn from(argument: RepeatArgument) -> Self {
        match argument {
            RepeatArgument::Once => Self::Once,
            RepeatArgument::Bounce => Self::Bounce,
            RepeatArgument::Cycle => Self::Cycle,
        }
    }
}

impl From<ColormapArgument> for Colormap {
    fn from(argument: ColormapArgument) -> Self {
        match argument {
            ColormapArgument::Grey => Self::Grey,
            ColormapArgument::Ink => Self::Ink,
            ColormapArgument::Viridis => Self::Viridis,
            ColormapArgument::Magma => Self::Magma,
            ColormapArgument::Inferno => Self::Inferno,
        }
    }
}
