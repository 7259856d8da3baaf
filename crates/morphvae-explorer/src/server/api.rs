//! What each address answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use base64::prelude::{BASE64_STANDARD, Engine};
use morphvae::data::{Fit, decode_image};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::answer::{self, Refusal, bytes, json};
use super::{body, journey, page, visitors};
use crate::LatentMap;

/// Points of one request, at most.
const MOST_POINTS: usize = 256;

/// How long a long computation may wait for those before it.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

type Shared = State<Arc<super::State>>;

/// Every address there is.
pub(super) fn routes(state: Arc<super::State>) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{name}", get(page::file))
        .route("/api/model", get(model))
        .route("/api/points", get(points))
        .route("/api/image/{index}", get(image))
        .route("/api/decode", post(decode))
        .route("/api/encode", post(encode))
        .route("/api/path", post(journey::path))
        .route("/api/watch", get(watch))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(Arc::clone(&state), visitors::check))
        .layer(map_response(answer::sign))
        .with_state(state)
}

async fn nothing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is nothing at this address")
}

async fn other_method() -> Refusal {
    let reason = "this address is not asked in this way: see the other of GET and POST";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason)
}

async fn model(State(state): Shared) -> Response {
    json(&state.map().description(state.epochs.is_some()))
}

async fn points(State(state): Shared) -> Response {
    bytes(state.map().points())
}

/// A real image, and the same as the network gives it back.
async fn image(State(state): Shared, Path(index): Path<String>) -> Result<Response, Refusal> {
    let map = state.map();
    let config = map.network().config();
    let index: Option<usize> = index.parse().ok();
    let real = index.and_then(|index| Some((index, map.shown().image(index, config.image_size)?)));
    let (index, mut images) = real.ok_or_else(|| {
        let reason = format!("there is no such image: there are {}, from 0", map.shown().count());
        Refusal::new(StatusCode::NOT_FOUND, reason)
    })?;
    let mean = &map.codes().mean[index * config.latent..][..config.latent];
    images.extend(state.worker.decode(&map, mean).await?);
    Ok(bytes(images))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecodeRequest {
    points: Vec<Vec<f32>>,
}

async fn decode(State(state): Shared, body: Body) -> Result<Response, Refusal> {
    let request: DecodeRequest = body::read_json(body).await?;
    let map = state.map();
    let points = flat(&request.points, MOST_POINTS, &map)?;
    Ok(bytes(state.worker.decode(&map, &points).await?))
}

/// `[count, latent]` of points that are checked.
pub(super) fn flat(points: &[Vec<f32>], most: usize, map: &LatentMap) -> Result<Vec<f32>, Refusal> {
    let latent = map.network().config().latent;
    if !(1..=most).contains(&points.len()) {
        return Err(Refusal::bad(format!(
            "there are {} points: give 1 to {most}",
            points.len()
        )));
    }
    for (index, point) in points.iter().enumerate() {
        if point.len() != latent || !point.iter().all(|number| number.is_finite()) {
            return Err(Refusal::bad(format!(
                "point {index} must be {latent} finite number(s), but has {}",
                if point.len() == latent {
                    "others".into()
                } else {
                    point.len().to_string()
                }
            )));
        }
    }
    Ok(points.concat())
}

/// Bytes of an image as the network takes it, or an image file.
async fn encode(State(state): Shared, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let body = body::read(body).await?;
    let map = state.map();
    let config = map.network().config();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map_or(&b""[..], |kind| kind.as_bytes());
    let input = if body.len() == config.image_length() && !kind.starts_with(b"image/") {
        body.to_vec()
    } else {
        let read = move || decode_image(&body, config.image_size, config.channels, Fit::Crop);
        let image = state.at_length(read).await?;
        image
            .map_err(|error| Refusal::bad(error.to_string()))?
            .pixels()
            .to_vec()
    };
    let codes = state.worker.encode(&map, input.clone()).await?;
    let image = state.worker.decode(&map, &codes.mean).await?;
    Ok(json(&json!({
        "mean": codes.mean,
        "log_variance": codes.log_variance,
        "input": BASE64_STANDARD.encode(input),
        "image": BASE64_STANDARD.encode(image),
    })))
}

async fn watch(State(state): Shared) -> Result<Response, Refusal> {
    match &state.epochs {
        Some(epochs) => epochs.tell(),
        None => Err(Refusal::new(StatusCode::NOT_FOUND, "no training is watched")),
    }
}

impl super::State {
    /// Runs what may take long beside the decoder, so that dragging goes on; one such thing at a time.
    pub(super) async fn at_length<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = timeout(LONGEST_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| {
            let reason = "too much is being computed for others: try again later";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason)
        })?;
        let state = Arc::clone(self);
        let work = move || {
            // Kept to the end, even when whoever asked goes away meanwhile.
            let _turn = turn;
            state.pool.install(work)
        };
        let stopped = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the computation has stopped");
        tokio::task::spawn_blocking(work).await.map_err(stopped)
    }
}
