//! Ways through the latent space: the frames along a path through key points.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use morphvae::latent::path::{LatentPath, Motion, Pacing, PathKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, json};
use super::api::flat;
use super::body;
use crate::LatentMap;

/// Keys of a path, at most.
const MOST_KEYS: usize = 32;

/// Frames of a path, at most.
const MOST_FRAMES: usize = 600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journey {
    keys: Vec<Vec<f32>>,
    path: Kind,
    cycle: bool,
    frames: usize,
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
    let frames = state.at_length(move || journey.go(&map)).await??;
    Ok(json(&frames))
}

impl Journey {
    fn check(&self, map: &LatentMap) -> Result<(), Refusal> {
        flat(&self.keys, MOST_KEYS, map)?;
        if !(2..=MOST_FRAMES).contains(&self.frames) {
            return Err(Refusal::bad(format!(
                "there are {} frames: give 2 to {MOST_FRAMES}",
                self.frames
            )));
        }
        Ok(())
    }

    fn go(&self, map: &LatentMap) -> Result<Value, Refusal> {
        let network = map.network();
        // An open path has a frame at either end.
        let steps = self.frames - usize::from(!self.cycle);
        let wrong = |error: morphvae::latent::path::PathError| Refusal::bad(error.to_string());
        let path = LatentPath::through(self.path.into(), &self.keys, self.cycle, network).map_err(wrong)?;
        let frames = path.frames(network, steps, Pacing::default()).map_err(wrong)?;
        let motion = Motion::of(network, &frames.points, self.cycle);
        let points: Vec<&[f32]> = frames.points.chunks(network.config().latent).collect();
        Ok(json!({
            "points": points,
            "keys": frames.keys,
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
