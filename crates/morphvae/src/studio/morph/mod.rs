//! A clip that flows from key to key.

mod map;
mod pace;
mod stops;
mod watched;

use std::path::Path;

use image::RgbImage;
use thiserror::Error;

pub use pace::{Length, Pace};
pub use stops::{LONGEST_REST, Manner, MannerError, Stop};

use super::event::tell;
use super::keys::{self, Amount, Keys};
use super::{Event, Observer, StudioError};
use crate::data::Images;
use crate::evaluation::decode;
use crate::figures::clip::{Clip, Look, Playback, Repeat, Timing};
use crate::figures::{Caption, clip_sheets};
use crate::latent::path::{Ease, Frames, LatentPath, MOST_STEPS, Motion, PathKind};
use crate::network::Inference;
use watched::Watched;

/// Images that are decoded at a time.
const BATCH: usize = 100;
/// Seconds of rest on each key, unless it is said otherwise.
const HOLD: f64 = 0.2;
/// Frames a second, unless it is said otherwise.
const FRAMES_PER_SECOND: f64 = 25.0;

/// Why a clip cannot be.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum MorphError {
    /// Fewer than two keys.
    #[error("a clip goes through two keys or more: name another class, image, test:N, z:X,Y,… or random")]
    TooFewStops,
    /// A key whose words about time mean nothing.
    #[error("{place}: {source}")]
    Manner {
        /// The key, or where it was said.
        place: String,
        /// What is wrong.
        source: MannerError,
    },
    /// A list of keys that is too long to be one.
    #[error("{list}: a list of keys is no longer than a megabyte")]
    LongList {
        /// The file.
        list: String,
    },
    /// A list of keys that is no text.
    #[error("{list}, line {line}: a list of keys is UTF-8 text")]
    NotText {
        /// The file.
        list: String,
        /// The first line that is none, counted from one.
        line: usize,
    },
    /// The last key of a clip that ends says how to go on.
    #[error("{place}: {word}= is of the way to the next key, and this is the last: leave it out")]
    LastStop {
        /// The key, and where it was said.
        place: String,
        /// What it says.
        word: &'static str,
    },
    /// A length for a clip whose every way has its own time.
    #[error("{length}, but every key says its own time: leave one of the two out")]
    AllTimed {
        /// What was asked for.
        length: Length,
    },
    /// A number of frames that does not go through the keys, or not in one clip.
    #[error("{length}, but a clip through these keys takes from {least} to {most}")]
    Frames {
        /// What was asked for.
        length: Length,
        /// The fewest frames.
        least: usize,
        /// The most frames.
        most: usize,
    },
    /// A time in which the keys cannot be passed.
    #[error(
        "{length}, but a clip through these keys takes {shortest:.2} s or more: {rests:.2} s of rests, and the ways"
    )]
    Seconds {
        /// What was asked for.
        length: Length,
        /// The shortest time.
        shortest: f64,
        /// How much of it is rests.
        rests: f64,
    },
    /// Times that add up to more than a clip holds.
    #[error("these keys and their times make {steps} steps, and a clip has up to {MOST_STEPS}")]
    TooManySteps {
        /// Steps of all ways together.
        steps: usize,
    },
}

/// A clip as somebody asks for it: what it goes through, and how.
#[derive(Clone, Debug)]
pub struct Morph {
    /// The keys, at least two.
    pub stops: Vec<Stop>,
    /// What is added to every key.
    pub added: Vec<Amount>,
    /// How to get from key to key.
    pub path: PathKind,
    /// Whether the frames are spaced by equal visible change, and not by equal steps of the path.
    pub even: bool,
    /// How the speed changes between two keys that do not say it themselves.
    pub ease: Ease,
    /// How long the clip is.
    pub length: Length,
    /// From 0.1 to 240.
    pub frames_per_second: f64,
    /// Seconds of rest on each key that does not say it itself.
    pub hold: f64,
    /// What comes after the last key.
    pub repeat: Repeat,
}

impl Morph {
    /// A geodesic through `stops` and back to the first, about a second from each to the next, evenly paced.
    #[must_use]
    pub fn through(stops: Vec<Stop>) -> Self {
        Self {
            stops,
            added: Vec::new(),
            path: PathKind::default(),
            even: true,
            ease: Ease::default(),
            length: Length::default(),
            frames_per_second: FRAMES_PER_SECOND,
            hold: HOLD,
            repeat: Repeat::Cycle,
        }
    }

    /// The time that it takes: what cannot be shows before any work is done.
    ///
    /// # Errors
    /// [`MorphError`] when so many frames, or so much time, do not go through these keys.
    pub fn pace(&self) -> Result<Pace, MorphError> {
        Pace::of(self)
    }

    /// Finds the path and decodes the images along it.
    ///
    /// # Errors
    /// As [`Morph::pace`] and [`Keys::point`]; [`StudioError::is_stop`] when the observer wants no more.
    pub fn walk(&self, keys: &mut Keys, observer: &Observer) -> Result<Walk, StudioError> {
        let points = self.points(keys, observer)?;
        self.along(&points, keys.model().inference(), observer)
    }

    /// Where its keys lie, each `[latent]`, and in a conditional model `[latent + classes]`.
    ///
    /// # Errors
    /// As [`Keys::point`]; [`StudioError::Stopped`].
    pub fn points(&self, keys: &mut Keys, observer: &Observer) -> Result<Vec<Vec<f32>>, StudioError> {
        let mut points = Vec::new();
        for (number, stop) in self.stops.iter().enumerate() {
            let of = self.stops.len();
            tell(observer, Event::Locating { done: number, of })?;
            points.push(stop.locate(keys.point(&stop.key, number, &self.added))?);
        }
        Ok(points)
    }

    /// The same as [`Morph::walk`] through points that are known.
    ///
    /// # Errors
    /// As [`Morph::walk`].
    pub fn along(&self, points: &[Vec<f32>], network: &Inference, observer: &Observer) -> Result<Walk, StudioError> {
        Walk::along(self, self.pace()?, points, network, observer)
    }
}

/// What a clip shows.
#[derive(Clone, Debug)]
pub struct Walk {
    /// What its keys are called on figures.
    pub names: Vec<String>,
    /// Where it goes, point by point.
    pub frames: Frames,
    /// The images at these points.
    pub images: Images,
    /// How much changes from frame to frame.
    pub motion: Motion,
    /// The same on straight lines between the keys.
    pub straight: Motion,
    /// How long it takes.
    pub pace: Pace,
    frames_per_second: f64,
}

impl Walk {
    fn along(
        morph: &Morph,
        pace: Pace,
        points: &[Vec<f32>],
        network: &Inference,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        let closed = pace.is_closed();
        let path = {
            let ways = Watched::ways(network, pace.gaits.len(), observer);
            LatentPath::through(morph.path, points, closed, &ways)?
        };
        // The frames are decoded for themselves, to be measured, and beside those of the straight line.
        let count = path.most_decoded(pace.steps, morph.even) + 3 * pace.frames();
        let watched = Watched::images(network, count, observer);
        let frames = path.frames_by(&watched, pace.steps, morph.even, &pace.gaits)?;
        let line = LatentPath::through(PathKind::Line, points, closed, &watched)?;
        let straight = line.frames_by(&watched, pace.steps, false, &pace.gaits)?;
        let typed: Vec<_> = morph.stops.iter().map(|stop| stop.key.clone()).collect();
        Ok(Self {
            names: keys::names(&typed),
            motion: Motion::of(&watched, &frames.points, closed)?,
            straight: Motion::of(&watched, &straight.points, closed)?,
            images: decoded(network, &watched, &frames.points)?,
            frames,
            pace,
            frames_per_second: morph.frames_per_second,
        })
    }

    /// How it is played.
    #[must_use]
    pub fn playback(&self) -> Playback {
        Playback {
            frames_per_second: self.frames_per_second,
            rests: self.pace.rests_of(&self.frames.keys),
            repeat: self.pace.repeat,
        }
    }

    /// Writes the clip: `.gif`, `.apng` or `.mp4`, or PNG pictures into a folder.
    ///
    /// # Errors
    /// [`StudioError::Clip`] when it cannot be drawn or written, or the observer wants no more; nothing is written then.
    pub fn write(&self, path: &Path, look: &Look, observer: &Observer) -> Result<Timing, StudioError> {
        let drawing = |done, of| observer(Event::Drawing { done, of });
        let writing = |done, of| observer(Event::Writing { done, of });
        let playback = self.playback();
        Ok(Clip::draw(path, &self.images, &playback, look, &drawing)?.write(&writing)?)
    }

    /// Contact sheets: the keys and the images between them, in rows.
    ///
    /// # Errors
    /// [`StudioError::Figure`] when they are too large to be drawn.
    pub fn sheets(&self) -> Result<Vec<RgbImage>, StudioError> {
        let (closed, caption) = (self.pace.is_closed(), Caption::default());
        Ok(clip_sheets(
            &self.images,
            &self.frames.keys,
            &self.names,
            closed,
            &caption,
        )?)
    }
}

/// The images at points, unless the observer wants no more before they are all decoded.
fn decoded(network: &Inference, watched: &Watched, points: &[f32]) -> Result<Images, StudioError> {
    let config = network.config();
    let mut pixels = Vec::with_capacity(points.len() / config.point() * config.image_length());
    for batch in points.chunks(BATCH * config.point()) {
        pixels.extend_from_slice(decode(network, batch)?.pixels());
        watched.decoded(batch.len() / config.point())?;
    }
    let side = config.image_size;
    Ok(Images::new(config.channels, side, side, pixels)?)
}
