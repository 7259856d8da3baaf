//! `morphvae morph`

mod arguments;
mod files;
mod foresight;

use std::ffi::OsString;
use std::path::PathBuf;

use morphvae::choice::Choice;
use morphvae::figures::clip::{Clip, ClipFormat, Look, Timing};
use morphvae::figures::write_png;
use morphvae::latent::path::Motion;
use morphvae::studio::{Event, Keys, Length, Morph, Stop, StudioError, Walk};
use serde_json::{Value, json};

use crate::answers::Usage;
use crate::console::Console;
use crate::interrupt;
use crate::model;
use crate::observer::{all_or_nothing, observer};
pub use arguments::MorphArguments;
use files::{Files, megabytes, repeat, size};

/// Bytes of a GIF that is said to be large before the work on it begins.
const LARGE: usize = 10_000_000;

pub fn run(arguments: &MorphArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    all_or_nothing(make(arguments, console), console)
}

fn make(arguments: &MorphArguments, console: Console) -> anyhow::Result<()> {
    let (named, keys) = model::split(&arguments.keys);
    let stops = stops(keys, arguments.list.as_ref())?;
    let files = Files::of(arguments, &stops)?;
    let request = arguments.images.request()?;
    request.check()?;
    let morph = morph(arguments, stops, files.format);
    let pace = morph.pace().map_err(StudioError::from)?;
    let look = Look {
        scale: arguments.scale,
        colormap: arguments.colormap,
    };
    let model = model::open(&named, console)?;
    let config = model.network().config();
    look.check_size(pace.frames(), config.channels, [config.image_size; 2])?;
    if let Some(text) = &files.no_sheet {
        console.note(text);
    }
    let heard = observer(console);
    let mut keys = Keys::new(&model, &request, arguments.seed, &heard);
    let (points, network) = (morph.points(&mut keys, &heard)?, model.inference());
    let foreseen = foresight::bytes(&files, &points, &pace, &look, network)?.filter(|&bytes| bytes > LARGE);
    if let Some(bytes) = foreseen {
        tell_large(&files, "about ", bytes, console);
    }
    let walk = morph.along(&points, network, &heard)?;
    // All is drawn before anything is written.
    let sheets = if files.sheets.is_empty() {
        Vec::new()
    } else {
        walk.sheets()?
    };
    let map = match &files.map {
        Some(path) => Some((path, walk.map(&mut keys)?)),
        None => None,
    };
    let playback = walk.playback();
    let drawing = |done, of| heard(Event::Drawing { done, of });
    let clip = Clip::draw(&files.clip, &walk.images, &playback, &look, &drawing).map_err(StudioError::from)?;
    if let (None, Some(bytes)) = (foreseen, clip.bytes().filter(|&bytes| bytes > LARGE)) {
        tell_large(&files, "", bytes, console);
    }
    let writing = |done, of| heard(Event::Writing { done, of });
    let timing = clip.write(&writing).map_err(StudioError::from)?;
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

/// What was typed.
fn morph(arguments: &MorphArguments, stops: Vec<Stop>, format: ClipFormat) -> Morph {
    let usual = Morph::through(stops);
    Morph {
        added: arguments.add.clone(),
        path: arguments.path,
        even: !arguments.uneven,
        ease: arguments.ease,
        length: match (arguments.frames, arguments.seconds) {
            (Some(frames), _) => Length::Frames(frames),
            (None, Some(seconds)) => Length::Seconds(seconds),
            (None, None) => Length::Usual,
        },
        frames_per_second: arguments.fps,
        hold: match format {
            ClipFormat::Frames => 0.0,
            _ => arguments.hold.unwrap_or(usual.hold),
        },
        repeat: repeat(arguments, format),
        ..usual
    }
}

/// What the clip goes through: the words, or the list.
fn stops(words: &[OsString], list: Option<&PathBuf>) -> anyhow::Result<Vec<Stop>> {
    let stops = match list {
        None => words.iter().map(|word| Stop::typed(word)).collect::<Result<_, _>>(),
        Some(_) if !words.is_empty() => {
            let text = format!(
                "{}: this is no model, and with --keys all keys are in the list",
                words[0].display()
            );
            return Err(Usage(text).into());
        }
        Some(path) => return Ok(Stop::listed(path)?),
    };
    Ok(stops.map_err(StudioError::from)?)
}

/// What was made, and how evenly it moves.
struct Made<'a> {
    walk: &'a Walk,
    files: &'a Files,
    timing: &'a Timing,
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
        let keys = walk.names.iter().zip(&walk.frames.keys).zip(&walk.pace.holds);
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
            "loop": walk.pace.repeat.name(),
            "keys": keys.map(key).collect::<Vec<Value>>(),
            "motion": motion(&walk.motion),
            "straight_line": motion(&walk.straight),
        })
    }
}
