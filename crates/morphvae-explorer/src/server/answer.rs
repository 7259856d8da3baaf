//! What goes out: answers, refusals, and the headers that all of them carry.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::worker::Stopped;

/// What a page from here may do: load from here, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A request that is not answered: a status and one line for people.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
        }
    }

    /// A request that makes no sense.
    pub fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }
}

impl From<Stopped> for Refusal {
    fn from(error: Stopped) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let one_line = self.reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut response = json(&json!({ "error": one_line }));
        *response.status_mut() = self.status;
        if matches!(self.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            // The rest of the body is not waited for.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }
}

/// Plain bytes.
pub(super) fn bytes(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

/// JSON. (Numbers that are not finite, as those of a diverged network, become `null`.)
pub(super) fn json<T: Serialize>(value: &T) -> Response {
    let text = serde_json::to_string(value).expect("answers are plain data");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Adds the headers of every answer.
pub(super) async fn sign(mut response: Response) -> Response {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderValue::from_static("same-origin");
    response.headers_mut().insert("cross-origin-resource-policy", policy);
    response
}
