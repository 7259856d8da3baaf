//! When each image of a clip is shown.

use super::ClipError;
use crate::choice::Choice;

/// What comes after the last image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// The end.
    Once,
    /// All images again, backwards, then forwards, and so on.
    #[default]
    Bounce,
    /// The first image again: for a closed row of images, whose last is not its first but the one before it.
    Cycle,
}

impl Choice for Repeat {
    const CHOICES: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Once, "once", "Nothing: the clip ends"),
        (Self::Bounce, "bounce", "Back the same way"),
        (Self::Cycle, "cycle", "On to the first key"),
    ];
}

/// An image that stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// Which image.
    pub image: usize,
    /// Seconds, from 0 to 600, for which it stays longer than images that do not rest.
    pub seconds: f64,
}

/// How a row of images is played.
#[derive(Clone, Debug, PartialEq)]
pub struct Playback {
    /// From 0.1 to 240.
    pub frames_per_second: f64,
    /// Images that stay longer than the others, in any order.
    pub rests: Vec<Rest>,
    /// What comes after the last image.
    pub repeat: Repeat,
}

impl Default for Playback {
    /// 25 frames per second, there and back, without a rest.
    fn default() -> Self {
        Self {
            frames_per_second: 25.0,
            rests: Vec::new(),
            repeat: Repeat::default(),
        }
    }
}

/// One image on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Which image.
    pub image: usize,
    /// For how long, in seconds.
    pub seconds: f64,
}

impl Playback {
    /// Which of `images` are shown one after the other, and for how long: one whole round of a clip that repeats.
    ///
    /// No image follows itself, not even where a round meets the next: turning back does not show an end twice, and a
    /// held image is one that stays.
    ///
    /// # Errors
    /// [`ClipError`] when frame rate or a rest are outside their bounds or an image that rests is none of the images.
    pub fn schedule(&self, images: usize) -> Result<Vec<Shown>, ClipError> {
        self.check(images)?;
        let back = match self.repeat {
            Repeat::Bounce => 1..images.saturating_sub(1),
            Repeat::Once | Repeat::Cycle => 0..0,
        };
        let mut rests = vec![0.0; images];
        self.rests.iter().for_each(|rest| rests[rest.image] = rest.seconds);
        let shown = |image: usize| Shown {
            image,
            seconds: self.frame_seconds() + rests[image],
        };
        Ok((0..images).chain(back.rev()).map(shown).collect())
    }

    /// How long an image is shown that is not held, in seconds.
    pub(super) fn frame_seconds(&self) -> f64 {
        1.0 / self.frames_per_second
    }

    fn check(&self, images: usize) -> Result<(), ClipError> {
        if !(0.1..=240.0).contains(&self.frames_per_second) {
            return Err(ClipError::FrameRate {
                frames_per_second: self.frames_per_second,
            });
        }
        for &Rest { image, seconds } in &self.rests {
            if !(0.0..=600.0).contains(&seconds) {
                return Err(ClipError::Hold { seconds });
            }
            if image >= images {
                return Err(ClipError::UnknownKey { key: image, images });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn playback(repeat: Repeat) -> Playback {
        Playback {
            frames_per_second: 20.0,
            repeat,
            ..Playback::default()
        }
    }

    fn order(playback: &Playback, images: usize) -> Vec<usize> {
        let schedule = playback.schedule(images).unwrap();
        schedule.into_iter().map(|shown| shown.image).collect()
    }

    #[test]
    fn a_clip_turns_back_without_showing_an_end_twice() {
        assert_eq!(order(&playback(Repeat::Bounce), 5), [0, 1, 2, 3, 4, 3, 2, 1]);
        assert_eq!(order(&playback(Repeat::Bounce), 2), [0, 1]);
        assert_eq!(order(&playback(Repeat::Bounce), 1), [0]);
        assert_eq!(order(&playback(Repeat::Cycle), 4), [0, 1, 2, 3]);
        assert_eq!(order(&playback(Repeat::Once), 4), [0, 1, 2, 3]);
        for images in 2..20 {
            for repeat in [Repeat::Once, Repeat::Bounce, Repeat::Cycle] {
                let order = order(&playback(repeat), images);
                let next = order.iter().skip(1).chain(&order[..1]);
                assert!(order.iter().zip(next).all(|(one, other)| one != other), "{order:?}");
            }
        }
    }

    #[test]
    fn each_image_rests_as_long_as_it_was_told_there_and_back() {
        let rest = |image, seconds| Rest { image, seconds };
        let held = Playback {
            rests: vec![rest(2, 0.5), rest(0, 0.25), rest(3, 0.0)],
            ..playback(Repeat::Bounce)
        };
        let seconds: Vec<f64> = held.schedule(4).unwrap().iter().map(|shown| shown.seconds).collect();
        assert_eq!(seconds, [0.3, 0.05, 0.55, 0.05, 0.55, 0.05]);
    }

    #[test]
    fn what_cannot_be_played_is_refused() {
        for frames_per_second in [0.0, -5.0, 0.05, 241.0, f64::NAN, f64::INFINITY] {
            let slow = Playback {
                frames_per_second,
                ..Playback::default()
            };
            assert!(matches!(slow.schedule(3), Err(ClipError::FrameRate { .. })));
        }
        for seconds in [-0.1, 601.0, f64::NAN] {
            let held = Playback {
                rests: vec![Rest { image: 0, seconds }],
                ..Playback::default()
            };
            assert!(matches!(held.schedule(3), Err(ClipError::Hold { .. })));
        }
        let keyed = Playback {
            rests: [1, 3].map(|image| Rest { image, seconds: 1.0 }).to_vec(),
            ..Playback::default()
        };
        let error = keyed.schedule(3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "image 3 cannot be a key: there are 3 images, counted from 0"
        );
    }
}
