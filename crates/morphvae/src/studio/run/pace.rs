//! When a run's figures are drawn while it learns.

use std::time::{Duration, Instant};

/// Drawing may take one part in so many of the time that the rest of a training takes.
const SHARE: u32 = 10;
/// Who has pressed Ctrl-C waits no longer than about this for figures.
const QUICK: Duration = Duration::from_secs(2);

/// The time that drawing takes, beside all else that a training does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    start: Instant,
    drawing: Duration,
    /// How long the last drawing took, and of which epoch it was.
    last: Option<(Duration, usize)>,
}

impl Pace {
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            drawing: Duration::ZERO,
            last: None,
        }
    }

    /// Whether there is time to draw after this epoch: always after the first.
    pub fn has_time(&self) -> bool {
        is_small(self.drawing, self.start.elapsed())
    }

    /// The epoch that was drawn last.
    pub fn drawn(&self) -> Option<usize> {
        self.last.map(|(_, epoch)| epoch)
    }

    /// Whether drawing is quickly done, as far as the last time tells.
    pub fn is_quick(&self) -> bool {
        self.last.is_some_and(|(time, _)| time < QUICK)
    }

    /// Draws what is to be seen after an epoch.
    pub fn draw<T, E>(&mut self, epoch: usize, draw: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let start = Instant::now();
        let drawn = draw()?;
        let time = start.elapsed();
        self.drawing += time;
        self.last = Some((time, epoch));
        Ok(drawn)
    }
}

/// Whether drawing has had no more than its share of all the time.
fn is_small(drawing: Duration, all: Duration) -> bool {
    drawing * SHARE <= all.saturating_sub(drawing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_has_a_tenth_of_the_time_that_training_has() {
        let seconds = Duration::from_secs;
        for (drawing, training, is_fine) in [(0, 0, true), (0, 5, true), (2, 19, false), (2, 20, true), (2, 21, true)] {
            assert_eq!(is_small(seconds(drawing), seconds(drawing + training)), is_fine);
        }
    }

    #[test]
    fn the_first_epoch_is_drawn_whatever_it_takes() {
        let mut pace = Pace::start();
        assert!(pace.has_time() && !pace.is_quick() && pace.drawn().is_none());
        pace.draw(3, || Ok::<(), ()>(())).unwrap();
        assert!(pace.is_quick() && pace.drawn() == Some(3));
        pace.last = Some((QUICK, 3));
        pace.drawing = 1000 * QUICK;
        assert!(!pace.is_quick() && !pace.has_time());
    }
}
