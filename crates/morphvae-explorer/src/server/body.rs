//! Bodies of requests: so many bytes, in so much time.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::answer::Refusal;

/// Bytes of a body, at most.
const LARGEST: usize = 1 << 20;

/// How long a body may take to come.
const LONGEST: Duration = Duration::from_secs(5);

/// The whole body.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    let too_large = || {
        let reason = format!("the request's body is larger than {LARGEST} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    match timeout(LONGEST, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::bad("the request's body ended early or is not well formed")),
        Err(_) => {
            let reason = format!("the request's body took longer than {} seconds", LONGEST.as_secs());
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, reason))
        }
    }
}

/// The body as JSON.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = read(body).await?;
    serde_json::from_slice(&bytes).map_err(|error| Refusal::bad(format!("the request is no such JSON: {error}")))
}
