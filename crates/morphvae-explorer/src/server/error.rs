//! Why the map cannot be served.

use std::io;

use thiserror::Error;

/// What went wrong before the first request.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExplorerError {
    /// The place cannot be had.
    #[error("cannot serve at {host}, port {port}: {source}: choose another host or port")]
    Bind {
        /// The host that was asked for.
        host: String,
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no thread or no timer.
    #[error("cannot start the server: {source}")]
    Start {
        /// What the system says.
        source: io::Error,
    },
}
