//! A way through the latent space as a GIF.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use morphvae::evaluation::decode;
use morphvae::figures::clip::{Look, Playback, Repeat, write_clip};
use serde::Deserialize;

use super::answer::Refusal;
use super::body;
use super::journey::{Journey, Kind};
use crate::LatentMap;

/// Pixels of all frames of a clip, at most.
const MOST_PIXELS: usize = 1 << 26;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClipRequest {
    keys: Vec<Vec<f32>>,
    path: Kind,
    cycle: bool,
    frames: usize,
    /// Frames per second.
    fps: f64,
    /// How many times as wide as the network's images.
    scale: usize,
}

/// The clip, to be saved.
pub(super) async fn clip(State(state): State<Arc<super::State>>, body: Body) -> Result<Response, Refusal> {
    let ClipRequest {
        keys,
        path,
        cycle,
        frames,
        fps,
        scale,
    } = body::read_json(body).await?;
    let journey = Journey {
        keys,
        path,
        cycle,
        frames,
    };
    let map = state.map();
    journey.check(&map)?;
    check_size(frames, scale, &map)?;
    let playback = Playback {
        frames_per_second: fps,
        repeat: if cycle { Repeat::Cycle } else { Repeat::Bounce },
        ..Playback::default()
    };
    let name = format!("{}.gif", map.description(false).name.replace(['"', '\\'], "-"));
    let gif = state
        .at_length(move || draw(&journey, &playback, scale, &map))
        .await??;
    let headers = [
        (header::CONTENT_TYPE, "image/gif".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, gif).into_response())
}

fn check_size(frames: usize, scale: usize, map: &LatentMap) -> Result<(), Refusal> {
    let side = map.network().config().image_size.saturating_mul(scale);
    let pixels = side.saturating_mul(side).saturating_mul(frames);
    if (1..=MOST_PIXELS).contains(&pixels) {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "{frames} frames of {side} x {side} pixels are no clip of 1 to {MOST_PIXELS} pixels: give another scale"
    )))
}

fn draw(journey: &Journey, playback: &Playback, scale: usize, map: &LatentMap) -> Result<Vec<u8>, Refusal> {
    let frames = journey.frames(map)?;
    let images = decode(map.network(), &frames.points);
    let look = Look {
        scale: Some(scale),
        ..Look::default()
    };
    let unwritten = |error: std::io::Error| {
        let reason = format!("the clip cannot be written: {error}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
    };
    let folder = tempfile::tempdir().map_err(unwritten)?;
    let path = folder.path().join("clip.gif");
    write_clip(&path, &images, playback, &look).map_err(|error| Refusal::bad(error.to_string()))?;
    std::fs::read(&path).map_err(unwritten)
}
