//! `morphvae morph`

mod files;
mod foresight;
mod pace;
mod stops;
mod walk;
mod watched;

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use morphvae::choice::Choice;
use morphvae::figures::clip::{Clip, ClipError, ClipFormat, Look, Playback, Timing};
use morphvae::figures::write_png;
use morphvae::latent::path::{Motion, PathError};
use morphvae::training::{RunFolder, TrainingError};
use serde_json::{Value, json};

use crate::arguments::{ModelArgument, MorphArguments};
use crate::console::{Console, Unit};
use crate::images::Source;
use crate::interrupt::{self, Stopped};
use crate::keys::{KeyReader, names};
use crate::model::Model;
use files::{Files, megabytes, size};
use pace::Pace;
use stops::Stop;
use walk::Walk;

/// Bytes of a GIF that is said to be large before the work on it begins.
const LARGE: usize = 10_000_000;

pub fn run(arguments: &MorphArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    match make(arguments, console) {
        Err(error) if is_stop(&error) => {
            console.note("stopped; nothing was written");
            Err(Stopped.into())
        }
        result => result,
    }
}

fn make(arguments: &MorphArguments, console: Console) -> anyhow::Result<()> {
    let (model, keys) = split_model(&arguments.keys);
    let stops = stops::all(keys, arguments.list.as_ref())?;
    let files = Files::of(arguments, &stops)?;
    Source::check(&arguments.images)?;
    let pace = Pace::of(arguments, &stops, files.format)?;
    let look = Look {
        scale: arguments.scale,
        colormap: arguments.colormap,
    };
    let model = Model::open(&model, console)?;
    let config = model.network().config();
    look.check_size(pace.frames(), config.channels, [config.image_size; 2])?;
    if let Some(text) = &files.no_sheet {
        console.note(text);
    }
    let network = model.inference();
    let mut reader = KeyReader::new(&model, &network, &arguments.images, arguments.seed, console);
    let points = points(&stops, &mut reader, arguments)?;
    let keys: Vec<OsString> = stops.iter().map(|stop| stop.key.clone()).collect();
    let names = names(&keys);
    let foreseen = foresight::bytes(&files, &points, &pace, &look, &network)?.filter(|&bytes| bytes > LARGE);
    if let Some(bytes) = foreseen {
        tell_large(&files, "about ", bytes, console);
    }
    let walk = Walk::along(&points, &pace, &network, arguments, console)?;
    let playback = Playback {
        frames_per_second: arguments.fps,
        rests: pace.rests_of(&walk.frames.keys),
        repeat: pace.repeat,
    };
    // All is drawn before anything is written.
    let sheets = if files.sheets.is_empty() {
        Vec::new()
    } else {
        walk.draw_sheets(&names)?
    };
    let map = match &files.map {
        Some(path) => Some((path, walk.draw_map(&names, &mut reader, &network)?)),
        None => None,
    };
    let clip = watched(console, "drawing", |observe| {
        Clip::draw(&files.clip, &walk.images, &playback, &look, observe)
    })?;
    if let (None, Some(bytes)) = (foreseen, clip.bytes().filter(|&bytes| bytes > LARGE)) {
        tell_large(&files, "", bytes, console);
    }
    let timing = watched(console, "writing", |observe| clip.write(observe))?;
    for (path, sheet) in files.sheets.iter().zip(&sheets) {
        write_png(path, sheet)?;
    }
    if let Some((path, picture)) = &map {
        write_png(path, picture)?;
    }
    let made = Made {
        walk: &walk,
        files: &files,
        timing: &timing,
        pace: &pace,
        names: &names,
    };
    made.report(arguments.json, console)
}

fn tell_large(files: &Files, about: &str, bytes: usize, console: Console) {
    console.note(format!(
        "{} will be {about}{}, which is much for a GIF: write an .mp4, or give a smaller --scale or fewer --frames",
        files.clip.display(),
        megabytes(bytes as u64),
    ));
}

/// The model, if the first word is one, and the keys. A folder that is no run's is none: a class may have its name.
fn split_model(words: &[OsString]) -> (ModelArgument, &[OsString]) {
    let is_run = |path: &Path| !matches!(RunFolder::open(path), Err(TrainingError::NoRun { .. }));
    let is_model = |word: &OsString| {
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

/// Where the keys lie.
fn points(stops: &[Stop], reader: &mut KeyReader, arguments: &MorphArguments) -> anyhow::Result<Vec<Vec<f32>>> {
    let point = |(number, stop): (usize, &Stop)| {
        if interrupt::check().is_break() {
            return Err(Stopped.into());
        }
        stop.locate(reader.read(&stop.key, number, &arguments.add))
    };
    stops.iter().enumerate().map(point).collect()
}

/// Does what takes long, showing how far it is, until Ctrl-C.
fn watched<T>(
    console: Console,
    what: &str,
    work: impl FnOnce(&morphvae::figures::clip::Observer) -> Result<T, ClipError>,
) -> Result<T, ClipError> {
    let meter = Mutex::new(console.progress(Unit::Images));
    work(&|done, of| -> ControlFlow<()> {
        let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
        meter.update(what, done as u64, of as u64, "");
        interrupt::check()
    })
}

/// Whether work ended because of Ctrl-C.
fn is_stop(error: &anyhow::Error) -> bool {
    let is = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<Stopped>()
            || matches!(cause.downcast_ref(), Some(ClipError::Stopped))
            || matches!(cause.downcast_ref(), Some(PathError::Stopped))
    };
    error.chain().any(is)
}

/// What was made, and how evenly it moves.
struct Made<'a> {
    walk: &'a Walk,
    files: &'a Files,
    timing: &'a Timing,
    pace: &'a Pace,
    names: &'a [String],
}

impl Made<'_> {
    fn report(&self, as_json: bool, console: Console) -> anyhow::Result<()> {
        let bytes = size(&self.files.clip);
        let size = bytes.map_or_else(String::new, |bytes| format!(", {}", megabytes(bytes)));
        console.note(format!("{}: {}{size}", self.files.clip.display(), self.timing));
        for path in self.files.sheets.iter().chain(&self.files.map) {
            console.note(format!("{}", path.display()));
        }
        let motion = |motion: &Motion| {
            format!(
                "mean {:.2}, largest {:.2}, largest to mean {:.2}",
                motion.mean, motion.largest, motion.ratio
            )
        };
        console.note(format!("change from frame to frame: {}", motion(&self.walk.motion)));
        console.note(format!("on the straight line:       {}", motion(&self.walk.straight)));
        if as_json {
            console.json(&self.json(bytes))?;
        }
        Ok(())
    }

    fn json(&self, bytes: Option<u64>) -> Value {
        let motion = |motion: &Motion| json!({ "mean": motion.mean, "largest": motion.largest, "ratio": motion.ratio });
        let (walk, files, timing) = (self.walk, self.files, self.timing);
        let is_held = files.format != ClipFormat::Frames;
        let keys = self.names.iter().zip(&walk.frames.keys).zip(&self.pace.holds);
        let key = |((name, frame), hold): ((&String, &usize), &f64)| json!({ "name": name, "frame": frame, "hold": if is_held { *hold } else { 0.0 } });
        json!({
            "clip": files.clip,
            "sheet": files.sheets.first(),
            "sheets": files.sheets,
            "map": files.map,
            "frames": walk.images.count(),
            "shown": timing.frames,
            "frames_per_second": timing.written_frames_per_second,
            "seconds": timing.written_seconds,
            "bytes": bytes,
            "loop": self.pace.repeat.name(),
            "keys": keys.map(key).collect::<Vec<Value>>(),
            "motion": motion(&walk.motion),
            "straight_line": motion(&walk.straight),
        })
    }
}
