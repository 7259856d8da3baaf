//! Rectangles of the page: where names stand.

use super::super::canvas::Place;

/// A rectangle of the page, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    /// Whether it touches a disc.
    pub fn covers(&self, [x, y]: Place, radius: f64) -> bool {
        let beside = |value: f64, start: f64, length: f64| value - value.clamp(start, start + length);
        beside(x, self.left, self.width).hypot(beside(y, self.top, self.height)) < radius
    }

    pub fn middle(&self) -> Place {
        [self.left + self.width / 2.0, self.top + self.height / 2.0]
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.left + other.width
            && other.left < self.left + self.width
            && self.top < other.top + other.height
            && other.top < self.top + self.height
    }

    pub fn is_within(&self, other: &Self) -> bool {
        let within = |start: f64, length: f64, first: f64, room: f64| start >= first && start + length <= first + room;
        within(self.left, self.width, other.left, other.width) && within(self.top, self.height, other.top, other.height)
    }
}
