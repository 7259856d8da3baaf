//! How long a clip takes: the steps of each way, and the rest on each key.

use morphvae::figures::clip::{ClipFormat, Repeat, Rest};
use morphvae::latent::path::{Gait, MOST_STEPS};

use super::files::repeat;
use super::stops::Stop;
use crate::Usage;
use crate::arguments::MorphArguments;

/// Steps from one key to the next, unless it is said otherwise: with the rest, a second at 25 frames a second.
const STEPS: usize = 20;
/// Seconds of rest on each key, unless it is said otherwise.
const HOLD: f64 = 0.2;

pub struct Pace {
    /// What comes after the last key.
    pub repeat: Repeat,
    /// One a way.
    pub gaits: Vec<Gait>,
    /// Steps of all ways together.
    pub steps: usize,
    /// Seconds of rest, one a key.
    pub holds: Vec<f64>,
}

impl Pace {
    pub fn of(arguments: &MorphArguments, stops: &[Stop], format: ClipFormat) -> anyhow::Result<Self> {
        let repeat = repeat(arguments, format);
        let closed = repeat == Repeat::Cycle;
        if let (false, Some(last)) = (closed, stops.last()) {
            let said = [
                ("time", last.manner.time.is_some()),
                ("ease", last.manner.ease.is_some()),
            ];
            if let Some((word, _)) = said.iter().find(|(_, is_said)| *is_said) {
                let text = format!("{word}= is of the way to the next key, and this is the last: leave it out");
                return Err(last.wrong(&text));
            }
        }
        let gait = |stop: &Stop| Gait {
            steps: stop
                .manner
                .time
                .map(|time| ((time * arguments.fps).round() as usize).max(1)),
            ease: stop.manner.ease.unwrap_or(arguments.ease),
        };
        let ways = stops.len() - usize::from(!closed);
        let gaits: Vec<Gait> = stops[..ways].iter().map(gait).collect();
        let usual = match format {
            ClipFormat::Frames => 0.0,
            _ => arguments.hold.unwrap_or(HOLD),
        };
        let mut pace = Self {
            repeat,
            steps: 0,
            holds: stops.iter().map(|stop| stop.manner.hold.unwrap_or(usual)).collect(),
            gaits,
        };
        pace.steps = pace.steps_of(arguments)?;
        Ok(pace)
    }

    fn steps_of(&self, arguments: &MorphArguments) -> anyhow::Result<usize> {
        let given: usize = self.gaits.iter().filter_map(|gait| gait.steps).sum();
        let free = self.gaits.iter().filter(|gait| gait.steps.is_none()).count();
        let least = given + free;
        let (option, steps) = match (arguments.frames, arguments.seconds) {
            (None, None) => return self.bounded(given + STEPS * free),
            (Some(frames), _) => (format!("--frames is {frames}"), self.steps_in(frames)),
            (None, Some(seconds)) => {
                let frames = ((seconds - self.rests()) * arguments.fps).round().max(0.0) as usize;
                (format!("--seconds is {seconds}"), self.steps_in_round(frames))
            }
        };
        if free == 0 {
            let text = format!("{option}, but every key says its own time: leave one of the two out");
            return Err(Usage(text).into());
        }
        if (least..=MOST_STEPS).contains(&steps) {
            return Ok(steps);
        }
        let [least, most] = [least, MOST_STEPS].map(|steps| steps + usize::from(!self.is_closed()));
        let takes = match arguments.seconds {
            Some(_) => {
                let shortest = self.rests() + self.round_of(least) as f64 / arguments.fps;
                format!(
                    "takes {shortest:.2} s or more: {:.2} s of rests, and the ways",
                    self.rests()
                )
            }
            None => format!("takes from {least} to {most}"),
        };
        Err(Usage(format!("{option}, but a clip through these keys {takes}")).into())
    }

    fn bounded(&self, steps: usize) -> anyhow::Result<usize> {
        if steps <= MOST_STEPS {
            return Ok(steps);
        }
        let text = format!("these keys and their times make {steps} steps, and a clip has up to {MOST_STEPS}");
        Err(Usage(text).into())
    }

    fn is_closed(&self) -> bool {
        self.repeat == Repeat::Cycle
    }

    /// Frames that are drawn.
    pub fn frames(&self) -> usize {
        self.steps + usize::from(!self.is_closed())
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
    pub fn round_of(&self, frames: usize) -> usize {
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
    pub fn rests_of(&self, keys: &[usize]) -> Vec<Rest> {
        let rests = keys.iter().zip(&self.holds);
        rests.map(|(&image, &seconds)| Rest { image, seconds }).collect()
    }
}
