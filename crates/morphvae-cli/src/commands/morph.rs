//! `morphvae morph`

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use image::RgbImage;
use morphvae::data::Images;
use morphvae::evaluation::{decode, encode};
use morphvae::figures::clip::{ClipFormat, Colormap, Look, Playback, Repeat, Timing, write_clip};
use morphvae::figures::latent_map::{Plane, Points, Route, route};
use morphvae::figures::{Caption, Labels, clip_sheet, write_png};
use morphvae::latent::PrincipalComponents;
use morphvae::latent::path::{Ease, Frames, LatentPath, Motion, Pacing, PathError, PathKind, magnification};
use morphvae::model::Inference;
use morphvae::training::{RunFolder, TrainingError};
use serde_json::json;

use crate::Usage;
use crate::arguments::{ColormapArgument, EaseArgument, ModelArgument, MorphArguments, PathArgument, RepeatArgument};
use crate::console::Console;
use crate::keys::{KeyReader, names, shortened};
use crate::model::Model;

/// Steps from one key to the next, unless it is said otherwise.
const STEPS: usize = 24;
/// Seconds of rest on each key, unless it is said otherwise.
const HOLD: f64 = 0.2;
/// Letters of a file's name that come from the keys, at most.
const LONGEST_NAME: usize = 60;

pub fn run(arguments: &MorphArguments, console: Console) -> anyhow::Result<()> {
    let (model, keys) = split_model(&arguments.keys);
    if keys.len() < 2 {
        let text = "a clip goes through two keys or more: name another class, image, test:N, z:X,Y,… or random";
        return Err(Usage(text.into()).into());
    }
    let files = Files::of(arguments, keys);
    files.check(arguments)?;
    let model = Model::open(&model, console)?;
    let network = model.inference();
    let mut reader = KeyReader::new(&model, &network, &arguments.images, arguments.seed, console);
    let points = reader.read(keys, &arguments.add)?;
    let names = names(keys);
    let walk = Walk::along(&points, &network, arguments)?;
    let look = Look {
        scale: arguments.scale,
        colormap: arguments.colormap.into(),
    };
    let playback = Playback {
        frames_per_second: arguments.fps,
        keys: walk.frames.keys.clone(),
        hold: arguments.hold.unwrap_or(HOLD),
        repeat: arguments.repeat.unwrap_or(RepeatArgument::Bounce).into(),
    };
    // All is drawn before anything is written.
    let sheet = walk.draw_sheet(&names)?;
    let map = match &files.map {
        Some(path) => Some((path, walk.draw_map(&names, &mut reader, &network)?)),
        None => None,
    };
    let timing = write_clip(&files.clip, &walk.images, &playback, &look)?;
    write_png(&files.sheet, &sheet)?;
    if let Some((path, picture)) = &map {
        write_png(path, picture)?;
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
    fn check(&self, arguments: &MorphArguments) -> anyhow::Result<()> {
        let turns_back = arguments.repeat == Some(RepeatArgument::Bounce);
        if ClipFormat::of(&self.clip)? == ClipFormat::Frames && (turns_back || arguments.hold.is_some()) {
            let option = if turns_back { "--loop bounce" } else { "--hold" };
            let text = format!(
                "{}: a folder of frames has each of them once, so that {option} says nothing: leave it out, or write a \
                 .gif, .apng or .mp4",
                self.clip.display()
            );
            return Err(Usage(text).into());
        }
        let occupied = [Some(&self.clip), Some(&self.sheet), self.map.as_ref()]
            .into_iter()
            .flatten()
            .find(|path| path.exists() && !arguments.force);
        occupied.map_or(Ok(()), |path| Err(Usage::exists(path).into()))
    }
}

/// `morph-2-4-9` for the keys 2, 4 and 9. Other keys have another name, even those that are too many to be spelt out.
fn name(keys: &[String]) -> String {
    let words = keys.iter().map(|key| {
        let plain = |letter: char| letter.is_alphanumeric() || "-+.".contains(letter);
        let replaced = |letter: char| if plain(letter) { letter } else { '_' };
        shortened(key, 1).chars().map(replaced).collect::<String>()
    });
    let name = words.fold("morph".to_owned(), |name, word| format!("{name}-{word}"));
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    let mut hasher = DefaultHasher::new();
    keys.hash(&mut hasher);
    let beginning: String = name.chars().take(LONGEST_NAME - 9).collect();
    format!("{beginning}-{:08x}", hasher.finish() as u32)
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
    fn along(points: &[Vec<f32>], network: &Inference, arguments: &MorphArguments) -> anyhow::Result<Self> {
        let closed = arguments.repeat == Some(RepeatArgument::Cycle);
        let path = LatentPath::through(arguments.path.into(), points, closed, network)?;
        let steps = match arguments.frames {
            None => STEPS * path.segments(),
            // An open path has a frame more than it has steps.
            Some(frames) => frames.saturating_sub(usize::from(!closed)),
        };
        let pacing = Pacing {
            even: !arguments.uneven,
            ease: arguments.ease.into(),
        };
        let frames = path
            .frames(network, steps, pacing)
            .map_err(|error| match (error, arguments.frames) {
                (PathError::Steps { least, most, .. }, Some(frames)) => {
                    let [least, most] = [least, most].map(|steps| steps + usize::from(!closed));
                    let text =
                        format!("--frames is {frames}, but a clip through these keys takes from {least} to {most}");
                    anyhow::Error::from(Usage(text))
                }
                (error, _) => error.into(),
            })?;
        let line = LatentPath::through(PathKind::Line, points, closed, network)?;
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

    /// The path over the encoded test images, or by itself where there are none to be had; more than two dimensions are
    /// shown along the two main directions.
    fn draw_map(&self, names: &[String], reader: &mut KeyReader, network: &Inference) -> anyhow::Result<RgbImage> {
        let (split, classes) = reader.shown()?.unzip();
        let classes = classes.unwrap_or_default();
        let means = split.map(|split| encode(network, &split.images));
        let means = means.transpose()?.map_or_else(Vec::new, |codes| codes.mean);
        let latent = network.config().latent;
        let components = (latent != 2).then(|| {
            let cloud = if means.is_empty() { &self.frames.points } else { &means };
            PrincipalComponents::of(cloud, latent, 2)
        });
        let place = |point: &[f32]| match &components {
            None => [f64::from(point[0]), f64::from(point[1])],
            Some(components) => components.project(point),
        };
        let places = |points: &[f32]| points.chunks_exact(latent).map(place).collect::<Vec<[f64; 2]>>();
        let (positions, along) = (places(&means), places(&self.frames.points));
        let points = Points {
            positions: &positions,
            labels: split
                .and_then(|split| split.labels.as_deref())
                .map(|indices| Labels {
                    indices,
                    classes: &classes,
                }),
        };
        let axes = match components {
            None => ["z₁", "z₂"],
            Some(_) if means.is_empty() => ["first principal component of the path", "second principal component"],
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

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn other_keys_give_another_name() {
        let of = |line: &str| name(&line.split(' ').map(String::from).collect::<Vec<_>>());
        assert_eq!(of("2 4 9"), "morph-2-4-9");
        assert_eq!(of("blue blue+red:1.2"), "morph-blue-blue+red_1.2");
        assert_eq!(of("z:0.5,0 z:-0.7,0"), "morph-z_0.5_0-z_-0.7_0");
        let [one, other] = ["8", "9"].map(|last| of(&format!("{} {last}", "t-shirt ".repeat(9).trim())));
        assert!(one != other && one.chars().count() == 60 && one.starts_with("morph-t-shirt-t-shirt"));
        let unsafe_letters = of("C:\\a/b*?\"<> \u{7}");
        assert_eq!(unsafe_letters, "morph-C__a_b_____-_");
    }
}
