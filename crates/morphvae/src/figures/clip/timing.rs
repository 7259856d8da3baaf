//! What a file says of the time that its frames take.

use super::Playback;
use super::playback::Shown;
use std::fmt;

/// Rates that differ by less than this share are said to be the same: a last frame is rounded, too.
const NOTICEABLE: f64 = 0.01;

/// How a clip plays: what was asked for and what its file could say.
///
/// As text it is a part of a sentence: `97 frames, 3.23 s at 30 frames per second, each shown for 0.03 to 0.04 s`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Frames in the file.
    pub frames: usize,
    /// Frames per second that were asked for, holds aside.
    pub frames_per_second: f64,
    /// Frames per second that are written, on average, holds aside.
    pub written_frames_per_second: f64,
    /// How long one round was to take.
    pub seconds: f64,
    /// How long one round takes.
    pub written_seconds: f64,
    /// The shortest and the longest time for which a frame that is not held is shown, in seconds.
    pub delays: [f64; 2],
}

impl Timing {
    /// Of a schedule and the seconds that were written for each of its entries.
    pub(super) fn of(playback: &Playback, schedule: &[Shown], written: &[f64]) -> Self {
        let asked = playback.frame_seconds();
        let moving: Vec<f64> = schedule
            .iter()
            .zip(written)
            .filter(|(shown, _)| shown.seconds <= asked)
            .map(|(_, &seconds)| seconds)
            .collect();
        let (frames_per_second, delays) = match moving.len() {
            // Every image is held.
            0 => (playback.frames_per_second, [asked; 2]),
            count => (
                count as f64 / moving.iter().sum::<f64>(),
                [
                    moving.iter().copied().fold(f64::INFINITY, f64::min),
                    moving.iter().copied().fold(0.0, f64::max),
                ],
            ),
        };
        Self {
            frames: written.len(),
            frames_per_second: playback.frames_per_second,
            written_frames_per_second: to_millionths(frames_per_second),
            seconds: to_millionths(schedule.iter().map(|shown| shown.seconds).sum()),
            written_seconds: to_millionths(written.iter().sum()),
            delays,
        }
    }

    /// Whether every frame that is not held is shown for as long as was asked, and the whole as well.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let asked = 1.0 / self.frames_per_second;
        let close = |one: f64, other: f64| (one - other).abs() < 1e-6;
        self.delays.iter().all(|&delay| close(delay, asked)) && close(self.seconds, self.written_seconds)
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = if self.frames == 1 { "frame" } else { "frames" };
        let (asked, written) = (self.frames_per_second, self.written_frames_per_second);
        let keeps_pace = (written / asked - 1.0).abs() < NOTICEABLE;
        let rate = round(if keeps_pace { asked } else { written });
        let seconds = round(self.written_seconds);
        write!(f, "{} {frames}, {seconds} s at {rate} frames per second", self.frames)?;
        if !keeps_pace {
            write!(f, " instead of {}", round(asked))?;
        }
        let [shortest, longest] = self.delays.map(round);
        if shortest != longest {
            write!(f, ", each shown for {shortest} to {longest} s")?;
        }
        Ok(())
    }
}

/// Without the rounding that sums of binary fractions leave: 25, not 24.999999999999986.
fn to_millionths(value: f64) -> f64 {
    (1e6 * value).round() / 1e6
}

/// A number with two decimals at most.
fn round(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

/// A schedule in whole ticks: what is rounded off one entry goes to the next, so that nothing adds up.
///
/// An entry gets no less than `least` ticks; where that is more than was asked, the whole takes longer.
pub(super) fn whole_ticks(schedule: &[Shown], per_second: f64, least: u32) -> Vec<u32> {
    let (mut due, mut written) = (0.0, 0.0);
    let ticks = |shown: &Shown| {
        due += (shown.seconds * per_second).max(f64::from(least));
        let ticks = f64::round(due - written).max(f64::from(least));
        written += ticks;
        ticks as u32
    };
    schedule.iter().map(ticks).collect()
}

/// The fraction of two 16-bit numbers that is closest to a time, or nearly so: the last convergent of its continued
/// fraction that fits.
pub(super) fn fraction(seconds: f64) -> (u16, u16) {
    let (mut previous, mut current) = ((1_u64, 0_u64), (seconds.floor() as u64, 1_u64));
    let mut rest = seconds.fract();
    // What is left of a number that was a fraction is rounding.
    while rest > 1e-7 {
        let whole = (1.0 / rest).floor();
        rest = (1.0 / rest).fract();
        let next = (
            whole as u64 * current.0 + previous.0,
            whole as u64 * current.1 + previous.1,
        );
        if next.0.max(next.1) > u64::from(u16::MAX) {
            break;
        }
        (previous, current) = (current, next);
    }
    let part = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
    (part(current.0), part(current.1))
}

#[cfg(test)]
mod tests {
    use super::super::{Repeat, Rest};
    use super::*;
    use proptest::prelude::*;

    fn schedule(frames_per_second: f64, images: usize) -> (Playback, Vec<Shown>) {
        let playback = Playback {
            frames_per_second,
            repeat: Repeat::Once,
            ..Playback::default()
        };
        let schedule = playback.schedule(images).unwrap();
        (playback, schedule)
    }

    #[test]
    fn thirty_frames_per_second_keep_their_pace_in_whole_hundredths() {
        let (playback, schedule) = schedule(30.0, 90);
        let ticks = whole_ticks(&schedule, 100.0, 2);
        assert_eq!(ticks[..6], [3, 4, 3, 3, 4, 3]);
        assert_eq!(ticks.iter().sum::<u32>(), 300);
        let written: Vec<f64> = ticks.iter().map(|&ticks| f64::from(ticks) / 100.0).collect();
        let timing = Timing::of(&playback, &schedule, &written);
        assert!(!timing.is_exact());
        assert_eq!(
            timing.to_string(),
            "90 frames, 3 s at 30 frames per second, each shown for 0.03 to 0.04 s"
        );
    }

    #[test]
    fn sums_of_binary_fractions_are_not_told() {
        let (playback, schedule) = schedule(25.0, 97);
        let timing = Timing::of(&playback, &schedule, &[0.04; 97]);
        assert_eq!((timing.written_frames_per_second, timing.written_seconds), (25.0, 3.88));
    }

    #[test]
    fn frames_that_a_file_cannot_show_so_fast_are_slower() {
        let (playback, schedule) = schedule(120.0, 10);
        let ticks = whole_ticks(&schedule, 100.0, 2);
        assert_eq!(ticks, [2; 10]);
        let timing = Timing::of(&playback, &schedule, &[0.02; 10]);
        assert_eq!(
            timing.to_string(),
            "10 frames, 0.2 s at 50 frames per second instead of 120"
        );
    }

    #[test]
    fn common_frame_rates_are_exact_fractions() {
        for (seconds, expected) in [
            (1.0 / 30.0, (1, 30)),
            (1.0 / 25.0, (1, 25)),
            (1001.0 / 24000.0, (1001, 24000)),
            (0.08, (2, 25)),
            (1.0 / 30.0 + 0.7, (11, 15)),
            (1.0 / 240.0, (1, 240)),
            (610.0, (610, 1)),
        ] {
            assert_eq!(fraction(seconds), expected, "{seconds}");
        }
    }

    proptest! {
        #[test]
        fn rounding_never_adds_up(rate in 0.1_f64..50.0, hold in 0.0_f64..3.0, keys in prop::collection::vec(0_usize..40, 0..5)) {
            let rests = keys.into_iter().map(|image| Rest { image, seconds: hold }).collect();
            let playback = Playback { frames_per_second: rate, rests, repeat: Repeat::Bounce };
            let schedule = playback.schedule(40).unwrap();
            let (mut asked, mut written) = (0.0, 0.0);
            for (shown, ticks) in schedule.iter().zip(whole_ticks(&schedule, 100.0, 2)) {
                asked += 100.0 * shown.seconds;
                written += f64::from(ticks);
                prop_assert!((asked - written).abs() < 0.5 + 1e-6);
            }
        }

        #[test]
        fn fractions_are_close(seconds in 0.004_f64..611.0) {
            let (numerator, denominator) = fraction(seconds);
            let written = f64::from(numerator) / f64::from(denominator);
            // A tenth of a millisecond in a second.
            prop_assert!((written - seconds).abs() < 1e-4 * seconds.max(1.0), "{}", written);
        }
    }
}
