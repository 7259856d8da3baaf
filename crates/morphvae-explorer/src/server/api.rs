//! What each address answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use base64::prelude::{BASE64_STANDARD, Engine};
use morphvae::data::decode_image;
use serde::Deserialize;
use serde_json::json;

use super::answer::{self, Refusal, bytes, json};
use super::points::{flat, whole};
use super::{body, journey, page, visitors};
use crate::LatentMap;

/// Points of one request, at most.
const MOST_POINTS: usize = 256;

type Shared = State<Arc<super::State>>;

/// Every address there is.
pub(super) fn routes(state: Arc<super::State>) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{name}", get(page::file))
        .route("/api/model", get(model))
        .route("/api/points", get(points))
        .route("/api/names", get(names))
        .route("/api/image/{index}", get(image))
        .route("/api/decode", post(decode))
        .route("/api/encode", post(encode_file))
        .route("/api/encode/pixels", post(encode_pixels))
        .route("/api/path", post(journey::path))
        .route("/api/replay", get(replay))
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

async fn names(State(state): Shared) -> Response {
    json(&state.map().shown().names())
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
    let point = whole(mean, map.codes().classes.get(index).copied(), &map)?;
    images.extend(state.worker.decode(&map, &point).await?);
    Ok(bytes(images))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecodeRequest {
    points: Vec<Vec<f32>>,
    /// The class that a conditional network is to draw.
    given: Option<u16>,
}

async fn decode(State(state): Shared, body: Body) -> Result<Response, Refusal> {
    let request: DecodeRequest = body::read_json(body).await?;
    let map = state.map();
    let latents = flat(&request.points, MOST_POINTS, &map)?;
    let points = whole(&latents, request.given, &map)?;
    Ok(bytes(state.worker.decode(&map, &points).await?))
}

/// Where the image of a file lies.
async fn encode_file(State(state): Shared, body: Body) -> Result<Response, Refusal> {
    let body = body::read(body).await?;
    let map = state.map();
    let (config, fit) = (map.network().config().clone(), map.fit());
    let read = move || decode_image(&body, config.image_size, config.channels, fit);
    let image = state.long.read(read).await?;
    let image = image.map_err(|error| Refusal::bad(error.to_string()))?;
    encode(&state, &map, image.pixels().to_vec()).await
}

/// The same of pixels as the network takes them, `[channels, size, size]`. They have an address of their own, since an
/// image file may be as long.
async fn encode_pixels(State(state): Shared, body: Body) -> Result<Response, Refusal> {
    let pixels = body::read(body).await?.to_vec();
    let map = state.map();
    let expected = map.network().config().image_length();
    if pixels.len() != expected {
        let found = pixels.len();
        return Err(Refusal::bad(format!(
            "there are {found} bytes: the pixels of an image are {expected}"
        )));
    }
    encode(&state, &map, pixels).await
}

async fn encode(state: &super::State, map: &Arc<LatentMap>, input: Vec<u8>) -> Result<Response, Refusal> {
    let codes = state.worker.encode(map, input.clone()).await?;
    let image = state.worker.decode(map, &codes.points(map.network().config())).await?;
    Ok(json(&json!({
        "mean": codes.mean,
        "log_variance": codes.log_variance,
        "given": codes.classes.first(),
        "input": BASE64_STANDARD.encode(input),
        "image": BASE64_STANDARD.encode(image),
    })))
}

async fn replay(State(state): Shared) -> Result<Response, Refusal> {
    let map = state.map();
    let replay = map.replay().map(|replay| bytes(replay.bytes()));
    replay.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "nothing is kept of this model's training"))
}

async fn watch(State(state): Shared) -> Result<Response, Refusal> {
    match &state.epochs {
        Some(epochs) => epochs.tell(state.stopped.clone()),
        None => Err(Refusal::new(StatusCode::NOT_FOUND, "no training is watched")),
    }
}
