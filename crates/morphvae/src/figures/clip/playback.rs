//! When each image of a clip is shown.

/// How a clip plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Playback {
    /// Images a second while it moves.
    pub frames_per_second: f64,
    /// Seconds that it rests on each key, besides the time of a frame.
    pub hold: f64,
    /// What comes after the last image.
    pub repeat: Repeat,
}

impl Default for Playback {
    /// 25 images a second, back and forth, without rest.
    fn default() -> Self {
        Self {
            frames_per_second: 25.0,
            hold: 0.0,
            repeat: Repeat::Bounce,
        }
    }
}

/// What comes after the last image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing.
    Once,
    /// All of them backwards, and so on for ever.
    #[default]
    Bounce,
    /// The first one again, and so on for ever: for a row that leads back to its beginning.
    Cycle,
}

/// One image on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shot {
    pub frame: usize,
    pub seconds: f64,
}

impl Playback {
    /// One pass over `count` images. Where it turns or starts anew no image is shown twice in a row, and a rest makes one
    /// image last.
    pub(super) fn shots(&self, count: usize, keys: &[usize]) -> Vec<Shot> {
        let back = match self.repeat {
            Repeat::Bounce => 1..count.max(2) - 1,
            Repeat::Once | Repeat::Cycle => 0..0,
        };
        let shot = |frame| Shot {
            frame,
            seconds: 1.0 / self.frames_per_second + if keys.contains(&frame) { self.hold } else { 0.0 },
        };
        (0..count).chain(back.rev()).map(shot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(repeat: Repeat, count: usize) -> Vec<usize> {
        let playback = Playback {
            repeat,
            ..Playback::default()
        };
        playback.shots(count, &[]).iter().map(|shot| shot.frame).collect()
    }

    #[test]
    fn a_bounce_goes_back_without_showing_its_ends_twice() {
        assert_eq!(frames(Repeat::Bounce, 4), [0, 1, 2, 3, 2, 1]);
        assert_eq!(frames(Repeat::Bounce, 2), [0, 1]);
        assert_eq!(frames(Repeat::Bounce, 1), [0]);
        assert_eq!(frames(Repeat::Once, 3), [0, 1, 2]);
        assert_eq!(frames(Repeat::Cycle, 3), [0, 1, 2]);
    }

    #[test]
    fn a_rest_makes_keys_last() {
        let playback = Playback {
            frames_per_second: 50.0,
            hold: 0.3,
            repeat: Repeat::Bounce,
        };
        let seconds: Vec<f64> = playback.shots(3, &[0, 2]).iter().map(|shot| shot.seconds).collect();
        assert_eq!(seconds, [0.32, 0.02, 0.32, 0.02]);
    }

    proptest! {
        #[test]
        fn no_image_follows_itself_even_where_the_pass_starts_anew(count in 2usize..50, bounce: bool) {
            let shown = frames(if bounce { Repeat::Bounce } else { Repeat::Cycle }, count);
            for (index, frame) in shown.iter().enumerate() {
                prop_assert_ne!(*frame, shown[(index + 1) % shown.len()]);
            }
        }
    }
}
