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
    read_within(LONGEST, body).await
}

async fn read_within(longest: Duration, body: Body) -> Result<Bytes, Refusal> {
    let too_large = || {
        let reason = format!("the request's body is larger than {LARGEST} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    match timeout(longest, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::bad("the request's body ended early or is not well formed")),
        Err(_) => {
            let reason = format!("the request's body took longer than {} seconds", longest.as_secs_f32());
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, reason))
        }
    }
}

/// The body as JSON.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes = read(body).await?;
    serde_json::from_slice(&bytes).map_err(|error| Refusal::bad(format!("the request is no such JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;
    use http_body_util::channel::Channel;
    use std::convert::Infallible;
    use tokio::time::sleep;

    #[test]
    fn a_client_that_is_slow_to_send_its_body_is_told_so() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let refusal = runtime.block_on(async {
            let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
            // A byte now and then does not help.
            let drip = async {
                while sender.send_data(Bytes::from_static(b" ")).await.is_ok() {
                    sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::select! {
                read = read_within(Duration::from_millis(200), Body::new(body)) => read.unwrap_err(),
                () = drip => panic!("the body was let go before its time"),
            }
        });
        assert!(
            format!("{refusal:?}").contains("took longer than 0.2 seconds"),
            "{refusal:?}"
        );
        assert_eq!(refusal.into_response().status(), StatusCode::REQUEST_TIMEOUT);
    }
}
