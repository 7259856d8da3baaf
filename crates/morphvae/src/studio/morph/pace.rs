//! How long a clip takes: the steps of each way, and the rest on each key.

use std::fmt::{self, Display, Formatter};

use super::{Morph, MorphError, Stop};
use crate::figures::clip::{Repeat, Rest};
use crate::latent::path::{Gait, MOST_STEPS};

/// Steps from one key to the next, unless it is said otherwise: with the rest, a second at 25 frames a second.
const STEPS: usize = 20;

/// How long a clip is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Length {
    /// 20 steps from key to key.
    #[default]
    Usual,
    /// So many frames of the whole way through all keys.
    Frames(usize),
    /// So many seconds with all rests, there and back if the clip bounces.
    Seconds(f64),
}

impl Display for Length {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        match self {
            Self::Usual => write!(formatter, "the usual length was asked for"),
            Self::Frames(1) => write!(formatter, "1 frame was asked for"),
            Self::Frames(frames) => write!(formatter, "{frames} frames were asked for"),
            Self::Seconds(seconds) => write!(formatter, "{seconds} s were asked for"),
        }
    }
}

/// The time of a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// What comes after the last key.
    pub repeat: Repeat,
    /// How each way is gone.
    pub gaits: Vec<Gait>,
    /// Steps of all ways together.
    pub steps: usize,
    /// Seconds of rest on each key.
    pub holds: Vec<f64>,
}

impl Pace {
    pub(super) fn of(morph: &Morph) -> Result<Self, MorphError> {
        let stops = &morph.stops;
        if stops.len() < 2 {
            return Err(MorphError::TooFewStops);
        }
        let closed = morph.repeat == Repeat::Cycle;
        if let (false, Some(last)) = (closed, stops.last()) {
            let said = [
                ("time", last.manner.time.is_some()),
                ("ease", last.manner.ease.is_some()),
            ];
            if let Some((word, _)) = said.iter().find(|(_, is_said)| *is_said) {
                return Err(MorphError::LastStop {
                    place: last.name(),
                    word,
                });
            }
        }
        let gait = |stop: &Stop| Gait {
            steps: stop
                .manner
                .time
                .map(|time| ((time * morph.frames_per_second).round() as usize).max(1)),
            ease: stop.manner.ease.unwrap_or(morph.ease),
        };
        let ways = stops.len() - usize::from(!closed);
        let mut pace = Self {
            repeat: morph.repeat,
            gaits: stops[..ways].iter().map(gait).collect(),
            steps: 0,
            holds: stops
                .iter()
                .map(|stop| stop.manner.hold.unwrap_or(morph.hold))
                .collect(),
        };
        pace.steps = pace.steps_of(morph.length, morph.frames_per_second)?;
        Ok(pace)
    }

    fn steps_of(&self, length: Length, frames_per_second: f64) -> Result<usize, MorphError> {
        let given: usize = self.gaits.iter().filter_map(|gait| gait.steps).sum();
        let free = self.gaits.iter().filter(|gait| gait.steps.is_none()).count();
        let least = given + free;
        let steps = match length {
            Length::Usual => return bounded(given + STEPS * free),
            Length::Frames(frames) => self.steps_in(frames),
            Length::Seconds(seconds) => {
                let frames = ((seconds - self.rests()) * frames_per_second).round().max(0.0) as usize;
                self.steps_in_round(frames)
            }
        };
        if free == 0 {
            return Err(MorphError::AllTimed { length });
        }
        if (least..=MOST_STEPS).contains(&steps) {
            return Ok(steps);
        }
        let [least, most] = [least, MOST_STEPS].map(|steps| steps + usize::from(!self.is_closed()));
        Err(match length {
            Length::Seconds(_) => MorphError::Seconds {
                length,
                shortest: self.rests() + self.round_of(least) as f64 / frames_per_second,
                rests: self.rests(),
            },
            _ => MorphError::Frames { length, least, most },
        })
    }

    /// Whether the last way leads back to the first key.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.repeat == Repeat::Cycle
    }

    /// Frames that are drawn.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.steps + usize::from(!self.is_closed())
    }

    /// Frames that are shown in one round, there and back if the clip bounces.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.round_of(self.frames())
    }

    /// The steps between so many frames; the last step of a closed way leads to the first frame.
    fn steps_in(&self, frames: usize) -> usize {
        frames.saturating_sub(usize::from(!self.is_closed()))
    }

    /// The steps where so many frames are shown, there and back if the clip bounces.
    fn steps_in_round(&self, shown: usize) -> usize {
        match self.repeat {
            Repeat::Bounce => shown / 2,
            Repeat::Once | Repeat::Cycle => self.steps_in(shown),
        }
    }

    /// How many frames are shown of so many that are drawn.
    fn round_of(&self, frames: usize) -> usize {
        match self.repeat {
            Repeat::Bounce => 2 * frames.saturating_sub(1),
            Repeat::Once | Repeat::Cycle => frames,
        }
    }

    /// Seconds of all rests of one round.
    fn rests(&self) -> f64 {
        let all: f64 = self.holds.iter().sum();
        match (self.repeat, &self.holds[..]) {
            (Repeat::Bounce, [first, .., last]) => 2.0 * all - first - last,
            _ => all,
        }
    }

    /// The rests of the frames that are keys.
    pub(super) fn rests_of(&self, keys: &[usize]) -> Vec<Rest> {
        let rests = keys.iter().zip(&self.holds);
        rests.map(|(&image, &seconds)| Rest { image, seconds }).collect()
    }
}

fn bounded(steps: usize) -> Result<usize, MorphError> {
    match steps {
        steps if steps <= MOST_STEPS => Ok(steps),
        steps => Err(MorphError::TooManySteps { steps }),
    }
}
