//! Where along a path its frames lie.

use super::{Decoder, LatentPath, PathError};

/// More steps than any clip has.
const MOST_STEPS: usize = 1 << 16;

/// How fast a path is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// Whether the speed is that of visible change. Otherwise every segment takes as many steps, equal ones of its
    /// parameter.
    pub even: bool,
    /// How each segment starts and ends.
    pub ease: Ease,
}

impl Default for Pacing {
    /// Even visible change.
    fn default() -> Self {
        Self {
            even: true,
            ease: Ease::Linear,
        }
    }
}

/// How the speed changes between two keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ease {
    /// Not at all.
    #[default]
    Linear,
    /// Slow at both keys: `3 t² - 2 t³`.
    Smoothstep,
    /// Slow at the first key: `t²`.
    In,
    /// Slow at the second key: `1 - (1 - t)²`.
    Out,
}

impl Ease {
    /// The share of the way after a share of the time, both in [0, 1].
    #[must_use]
    pub fn at(self, time: f64) -> f64 {
        match self {
            Self::Linear => time,
            Self::Smoothstep => time * time * (3.0 - 2.0 * time),
            Self::In => time * time,
            Self::Out => time * (2.0 - time),
        }
    }
}

/// Points along a path, one a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    /// The points, `[count, latent]`.
    pub points: Vec<f32>,
    /// Which frames are the path's keys, in the order of the keys.
    pub keys: Vec<usize>,
}

impl LatentPath {
    /// Goes along the path in so many steps: `steps + 1` frames, or `steps` for a closed path, whose last step leads
    /// to the first frame.
    ///
    /// Every key is a frame. Even pacing allots the steps to the segments by their visible length, at least one each,
    /// and makes the visible change between neighbouring frames of a segment equal, or as its ease wants it.
    ///
    /// # Errors
    /// [`PathError::Steps`] for fewer steps than segments, or more than 65,536.
    pub fn frames(&self, decoder: &dyn Decoder, steps: usize, pacing: Pacing) -> Result<Frames, PathError> {
        let _ = decoder;
        let segments = self.segments();
        if !(segments..=MOST_STEPS).contains(&steps) {
            return Err(PathError::Steps {
                steps,
                least: segments,
                most: MOST_STEPS,
            });
        }
        let (mut points, mut keys) = (Vec::new(), Vec::new());
        for segment in 0..segments {
            let count = steps / segments + usize::from(segment < steps % segments);
            keys.push(points.len() / self.latent());
            for step in 0..count {
                points.extend(self.at(segment, pacing.ease.at(step as f64 / count as f64)));
            }
        }
        if !self.is_closed() {
            keys.push(points.len() / self.latent());
            points.extend(self.at(segments - 1, 1.0));
        }
        Ok(Frames { points, keys })
    }
}
