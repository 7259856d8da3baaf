//! A training that is watched: one server-sent event an epoch.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use morphvae::training::EpochMetrics;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::Refusal;
use super::connections::told;

/// Pages that may watch at once.
const MOST: usize = 32;

/// After so long without news a line goes out that means nothing, to find out whether anybody still reads.
const SILENCE: Duration = Duration::from_secs(15);

/// A training that is watched from its beginning, or from where it is taken up again.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Epochs that it will have.
    pub epochs: usize,
    /// Those that are done.
    pub history: Vec<EpochMetrics>,
}

/// The events so far, for everybody who watches.
#[derive(Debug)]
pub(super) struct Epochs {
    of: usize,
    events: watch::Sender<Vec<Bytes>>,
}

impl Epochs {
    pub fn new(watched: Watched) -> Self {
        let of = watched.epochs;
        let events = watched.history.iter().map(|metrics| event(metrics, of)).collect();
        Self {
            of,
            events: watch::Sender::new(events),
        }
    }

    pub fn add(&self, metrics: &EpochMetrics) {
        self.events.send_modify(|events| events.push(event(metrics, self.of)));
    }

    /// Tells the past epochs, and then each one as it ends, until the server is `stopped`.
    pub fn tell(&self, mut stopped: watch::Receiver<bool>) -> Result<Response, Refusal> {
        if self.events.receiver_count() >= MOST {
            let reason = format!("{MOST} pages watch this training already: close one of them");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason));
        }
        let (sender, body) = Channel::new(1);
        let events = self.events.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = send(sender, events) => {}
                () = told(&mut stopped) => {}
            }
        });
        let kind = [(header::CONTENT_TYPE, "text/event-stream")];
        Ok((kind, Body::new(body)).into_response())
    }
}

fn event(metrics: &EpochMetrics, epochs: usize) -> Bytes {
    let data = json!({ "epoch": metrics.epoch, "epochs": epochs, "metrics": metrics });
    format!("event: epoch\ndata: {data}\n\n").into()
}

/// Ends when nobody reads any more.
async fn send(mut sender: Sender<Bytes>, mut events: watch::Receiver<Vec<Bytes>>) {
    let mut sent = 0;
    loop {
        let new = events.borrow_and_update()[sent..].to_vec();
        sent += new.len();
        for event in new {
            if sender.send_data(event).await.is_err() {
                return;
            }
        }
        match timeout(SILENCE, events.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) if sender.send_data(Bytes::from_static(b":\n\n")).await.is_err() => return,
            Err(_) => {}
        }
    }
}
