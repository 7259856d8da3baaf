//! What kind of file a path asks for.

use super::super::gif::Animation;
use super::super::{FigureError, write_png};
use super::look::{Frames, Pixels};
use super::playback::Shown;
use super::timing::{fraction, whole_ticks};
use super::{ClipError, Look, Playback, Repeat, Timing, apng, mp4};
use crate::data::Images;
use rayon::prelude::*;
use std::borrow::Cow;
use std::fs;
use std::path::Path;

/// The time unit of a GIF: a hundredth of a second.
const GIF_TICKS: f64 = 100.0;
/// Players take shorter delays for a mistake, and show such frames for a tenth of a second.
const GIF_LEAST: u32 = 2;

/// A kind of file that a clip is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipFormat {
    /// `.gif`: delays of whole hundredths of a second, at least two, and at most 256 colours, which grey images keep
    /// exactly.
    Gif,
    /// `.apng`: an animated PNG, exact in colour and time.
    Apng,
    /// `.mp4`: H.264, made by `ffmpeg`; it does not say that it repeats.
    Mp4,
    /// A path without an ending: a folder of PNG pictures, `00001.png` and so on. Each image is there once; how they are
    /// played is not said. Pictures that follow in that numbering are removed.
    Frames,
}

impl ClipFormat {
    /// The kind that `path` asks for, by its ending.
    ///
    /// # Errors
    /// [`ClipError::UnknownEnding`], which lists those there are; [`ClipError::NoFfmpeg`] for an MP4 where nothing can
    /// write one: so that a program can ask before it works for long.
    pub fn of(path: &Path) -> Result<Self, ClipError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("gif") => Ok(Self::Gif),
            Some("apng") => Ok(Self::Apng),
            Some("mp4") => mp4::check().map(|()| Self::Mp4),
            None => Ok(Self::Frames),
            Some(_) => Err(ClipError::UnknownEnding { path: path.to_owned() }),
        }
    }
}

/// Writes `images` as the kind of clip that `path` asks for. A file is there in one piece or not at all.
///
/// # Errors
/// As [`ClipFormat::of`] and [`Playback::schedule`]; other [`ClipError`]s when there is no image, the images cannot be
/// drawn as `look` says, they are too large, or the file cannot be written.
pub fn write_clip(path: &Path, images: &Images, playback: &Playback, look: &Look) -> Result<Timing, ClipError> {
    let format = ClipFormat::of(path)?;
    let schedule = playback.schedule(images.count())?;
    let frames = look.draw(images)?;
    let for_ever = playback.repeat != Repeat::Once;
    let timing = |schedule: &[Shown], written: Vec<f64>| Timing::of(playback, schedule, &written);
    match format {
        ClipFormat::Gif => {
            let delays = whole_ticks(&schedule, GIF_TICKS, GIF_LEAST);
            let written = delays.iter().map(|&delay| f64::from(delay) / GIF_TICKS).collect();
            let delays = delays.into_iter().map(|delay| u16::try_from(delay).unwrap_or(u16::MAX));
            animation(&frames)?.write(path, &ordered(&schedule, delays), for_ever)?;
            Ok(timing(&schedule, written))
        }
        ClipFormat::Apng => {
            let delays = || schedule.iter().map(|shown| fraction(shown.seconds));
            let seconds = |(numerator, denominator)| f64::from(numerator) / f64::from(denominator);
            apng::write(path, &frames, &ordered(&schedule, delays()), for_ever).map_err(|source| {
                FigureError::Write {
                    path: path.to_owned(),
                    source,
                }
            })?;
            Ok(timing(&schedule, delays().map(seconds).collect()))
        }
        ClipFormat::Mp4 => {
            let rate = playback.frames_per_second;
            let times = whole_ticks(&schedule, rate, 1);
            let order = schedule.iter().zip(&times);
            let order = order.flat_map(|(shown, &times)| std::iter::repeat_n(shown.image, times as usize));
            mp4::write(path, &frames, order, rate)?;
            Ok(timing(
                &schedule,
                times.iter().map(|&times| f64::from(times) / rate).collect(),
            ))
        }
        ClipFormat::Frames => {
            let name = |index: usize| path.join(format!("{:05}.png", index + 1));
            (0..images.count())
                .into_par_iter()
                .try_for_each(|index| write_png(&name(index), &frames.picture(index)))?;
            // What a longer clip left in the same folder.
            let stale = (images.count()..).map(name).take_while(|path| path.exists());
            stale
                .into_iter()
                .try_for_each(|path| fs::remove_file(&path).map_err(|source| FigureError::Write { path, source }))?;
            let once = Playback {
                hold: 0.0,
                repeat: Repeat::Once,
                ..playback.clone()
            };
            let schedule = once.schedule(images.count())?;
            Ok(timing(&schedule, schedule.iter().map(|shown| shown.seconds).collect()))
        }
    }
}

/// What is shown, one after the other, each with its delay.
fn ordered<D>(schedule: &[Shown], delays: impl Iterator<Item = D>) -> Vec<(usize, D)> {
    schedule.iter().map(|shown| shown.image).zip(delays).collect()
}

fn animation(frames: &Frames) -> Result<Animation, FigureError> {
    match &frames.pixels {
        Pixels::Colour(pictures) => Animation::of_pictures(pictures),
        Pixels::Indexed {
            colours,
            frames: indices,
        } => {
            let indices = indices
                .iter()
                .map(|indices| Cow::Borrowed(indices.as_slice()))
                .collect();
            Animation::new([frames.width, frames.height], colours.as_flattened().to_vec(), indices)
        }
    }
}
