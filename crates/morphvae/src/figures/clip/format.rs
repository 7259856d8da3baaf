//! What kind of file a path asks for.

use super::super::FigureError;
use super::super::gif::Animation;
use super::count::{Count, Observer};
use super::look::{Frames, Pixels};
use super::playback::Shown;
use super::timing::{fraction, whole_ticks};
use super::{ClipError, Look, Playback, Repeat, Timing, apng, folder, mp4};
use crate::data::Images;
use std::borrow::Cow;
use std::ops::ControlFlow;
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

/// A clip that is drawn and not yet written.
pub struct Clip<'a> {
    path: &'a Path,
    playback: &'a Playback,
    images: usize,
    schedule: Vec<Shown>,
    drawn: Drawn,
}

/// What will be written.
enum Drawn {
    Gif {
        animation: Animation,
        order: Vec<(usize, u16)>,
    },
    Apng(Frames),
    Mp4(Frames),
    Folder(Frames),
}

impl<'a> Clip<'a> {
    /// Draws `images` for the kind of clip that `path` asks for. `observe` is told how far that is; when it breaks,
    /// nothing comes of it.
    ///
    /// # Errors
    /// As [`ClipFormat::of`] and [`Playback::schedule`]; other [`ClipError`]s when there is no image, the images cannot be
    /// drawn as `look` says, or they are too large; [`ClipError::Stopped`].
    pub fn draw(
        path: &'a Path,
        images: &Images,
        playback: &'a Playback,
        look: &Look,
        observe: &Observer,
    ) -> Result<Self, ClipError> {
        let format = ClipFormat::of(path)?;
        let schedule = playback.schedule(images.count())?;
        let passes = match (format, images.channels()) {
            (ClipFormat::Gif, 1) => 2,
            (ClipFormat::Gif, _) => 3,
            _ => 1,
        };
        let count = Count::new(observe, passes * images.count());
        let frames = look.draw(images, &count)?;
        let drawn = match format {
            ClipFormat::Gif => Drawn::Gif {
                animation: animation(&frames, &count)?,
                order: ordered(&schedule, gif_delays(&schedule).into_iter()),
            },
            ClipFormat::Apng => Drawn::Apng(frames),
            ClipFormat::Mp4 => Drawn::Mp4(frames),
            ClipFormat::Frames => Drawn::Folder(frames),
        };
        Ok(Self {
            path,
            playback,
            images: images.count(),
            schedule,
            drawn,
        })
    }

    /// How many bytes the file will have: known of a GIF alone.
    #[must_use]
    pub fn bytes(&self) -> Option<usize> {
        match &self.drawn {
            Drawn::Gif { animation, order } => Some(animation.bytes(order, self.is_for_ever())),
            _ => None,
        }
    }

    /// Writes it. A file is there in one piece or not at all, and so are the frames of a folder; `observe` is told how
    /// far that is, and nothing is written when it breaks.
    ///
    /// # Errors
    /// [`ClipError`] when that cannot be; [`ClipError::Stopped`].
    pub fn write(&self, observe: &Observer) -> Result<Timing, ClipError> {
        let (path, schedule, playback) = (self.path, &self.schedule, self.playback);
        let timing = |schedule: &[Shown], written: Vec<f64>| Timing::of(playback, schedule, &written);
        let not_written = |source| FigureError::Write {
            path: path.to_owned(),
            source,
        };
        match &self.drawn {
            Drawn::Gif { animation, order } => {
                animation.write(path, order, self.is_for_ever())?;
                let seconds = order.iter().map(|&(_, delay)| f64::from(delay) / GIF_TICKS);
                Ok(timing(schedule, seconds.collect()))
            }
            Drawn::Apng(frames) => {
                let delays = || schedule.iter().map(|shown| fraction(shown.seconds));
                let seconds = |(numerator, denominator)| f64::from(numerator) / f64::from(denominator);
                let count = Count::new(observe, schedule.len());
                apng::write(path, frames, &ordered(schedule, delays()), self.is_for_ever(), &count)
                    .map_err(|source| count.cause(not_written(source)))?;
                Ok(timing(schedule, delays().map(seconds).collect()))
            }
            Drawn::Mp4(frames) => {
                let rate = playback.frames_per_second;
                let times = whole_ticks(schedule, rate, 1);
                let order = schedule.iter().zip(&times);
                let order = order.flat_map(|(shown, &times)| std::iter::repeat_n(shown.image, times as usize));
                let count = Count::new(observe, times.iter().map(|&times| times as usize).sum());
                mp4::write(path, frames, order, rate, &count)?;
                let seconds = times.iter().map(|&times| f64::from(times) / rate);
                Ok(timing(schedule, seconds.collect()))
            }
            Drawn::Folder(frames) => {
                folder::write(path, frames, self.images, &Count::new(observe, self.images))?;
                let once = Playback {
                    rests: Vec::new(),
                    repeat: Repeat::Once,
                    ..playback.clone()
                };
                let schedule = once.schedule(self.images)?;
                Ok(timing(&schedule, schedule.iter().map(|shown| shown.seconds).collect()))
            }
        }
    }

    fn is_for_ever(&self) -> bool {
        self.playback.repeat != Repeat::Once
    }
}

/// Draws `images` as [`Clip::draw`] does, and writes them.
///
/// # Errors
/// As [`Clip::draw`] and [`Clip::write`].
pub fn write_clip(path: &Path, images: &Images, playback: &Playback, look: &Look) -> Result<Timing, ClipError> {
    let unobserved = |_: usize, _: usize| ControlFlow::Continue(());
    Clip::draw(path, images, playback, look, &unobserved)?.write(&unobserved)
}

/// What is shown, one after the other, each with its delay.
fn ordered<D>(schedule: &[Shown], delays: impl Iterator<Item = D>) -> Vec<(usize, D)> {
    schedule.iter().map(|shown| shown.image).zip(delays).collect()
}

/// Hundredths of a second.
fn gif_delays(schedule: &[Shown]) -> Vec<u16> {
    let ticks = whole_ticks(schedule, GIF_TICKS, GIF_LEAST).into_iter();
    ticks.map(|ticks| u16::try_from(ticks).unwrap_or(u16::MAX)).collect()
}

fn animation(frames: &Frames, count: &Count) -> Result<Animation, ClipError> {
    match &frames.pixels {
        Pixels::Colour(pictures) => Animation::of_pictures(pictures, || count.one()),
        Pixels::Indexed {
            colours,
            frames: indices,
        } => {
            let indices = indices
                .iter()
                .map(|indices| Cow::Borrowed(indices.as_slice()))
                .collect();
            let colours = colours.as_flattened().to_vec();
            Animation::new([frames.width, frames.height], colours, indices, || count.one())
        }
    }
}
