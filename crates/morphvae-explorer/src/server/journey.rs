//! Ways through the latent space: the frames along a path through key points.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use morphvae::latent::path::{Frames, LatentPath, Motion, Pacing, PathError, PathKind};
use morphvae::network::Decoder;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, json};
use super::body;
use super::points::{flat, whole};
use crate::LatentMap;

/// Keys of a path, at most.
const MOST_KEYS: usize = 32;

/// Frames of a path, at most.
const MOST_FRAMES: usize = 600;

/// A way that is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journey {
    keys: Vec<Vec<f32>>,
    path: Kind,
    /// Whether it goes on from the last key to the first.
    cycle: bool,
    frames: usize,
    /// The class that a conditional network is to draw.
    given: Option<u16>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Line,
    Spherical,
    Spline,
    Geodesic,
}

/// The points of every frame, evenly paced, and how evenly they change.
pub(super) async fn path(State(state): State<Arc<super::State>>, body: Body) -> Result<Response, Refusal> {
    let journey: Journey = body::read_json(body).await?;
    let map = state.map();
    journey.check(&map)?;
    let told = state
        .long
        .seek(&map, journey.given, move |decoder| journey.tell(decoder))
        .await?;
    let told = told.map_err(|error| Refusal::bad(error.to_string()))?;
    Ok(json(&told))
}

impl Journey {
    /// Makes sure that it leads somewhere and is not too long.
    fn check(&self, map: &LatentMap) -> Result<(), Refusal> {
        let keys = flat(&self.keys, MOST_KEYS, map)?;
        whole(&keys, self.given, map)?;
        if (2..=MOST_FRAMES).contains(&self.frames) {
            return Ok(());
        }
        let frames = self.frames;
        Err(Refusal::bad(format!(
            "there are {frames} frames: give 2 to {MOST_FRAMES}"
        )))
    }

    fn tell(&self, decoder: &dyn Decoder) -> Result<Value, PathError> {
        // An open path has a frame at either end.
        let steps = self.frames - usize::from(!self.cycle);
        let path = LatentPath::through(self.path.into(), &self.keys, self.cycle, decoder)?;
        let Frames { points, keys } = path.frames(decoder, steps, Pacing::default())?;
        let motion = Motion::of(decoder, &points, self.cycle)?;
        let points: Vec<&[f32]> = points.chunks(decoder.latent()).collect();
        Ok(json!({
            "points": points,
            "keys": keys,
            "motion": { "mean": motion.mean, "largest": motion.largest, "ratio": motion.ratio },
        }))
    }
}

impl From<Kind> for PathKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Line => Self::Line,
            Kind::Spherical => Self::Spherical,
            Kind::Spline => Self::Spline,
            Kind::Geodesic => Self::Geodesic,
        }
    }
}
