//! The server: bound, running on a thread of its own, and stopped.

mod answer;
mod api;
mod body;
mod connections;
mod error;
mod journey;
mod long;
mod page;
mod points;
mod visitors;
mod watch;

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};

use morphvae::training::EpochMetrics;

use crate::LatentMap;
use crate::worker::Worker;

pub use error::ExplorerError;
use long::Long;
use visitors::Visitors;
use watch::Epochs;
pub use watch::Watched;

/// Where the map is served unless something else is asked for.
pub const USUAL_PORT: u16 = 7878;

/// Where to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A name or an address of this computer; `127.0.0.1` keeps everybody else out.
    pub host: String,
    /// The port; [`USUAL_PORT`] where there is none, or a free one if that is taken.
    pub port: Option<u16>,
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Explorer {
    url: String,
    state: Arc<State>,
    stop: tokio::sync::watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
}

/// What all requests share.
#[derive(Debug)]
struct State {
    map: RwLock<Arc<LatentMap>>,
    epochs: Option<Epochs>,
    worker: Worker,
    visitors: Visitors,
    long: Long,
    stopped: tokio::sync::watch::Receiver<bool>,
}

impl Default for Place {
    /// This computer only, at the usual port.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: None,
        }
    }
}

impl Place {
    /// Makes sure that it can be had, for those who would otherwise learn of it only after long work.
    ///
    /// # Errors
    /// [`ExplorerError::Bind`] when it cannot.
    pub fn check(&self) -> Result<(), ExplorerError> {
        bind(self).map(drop)
    }
}

impl Explorer {
    /// Starts to serve `map`; `watched` is the training whose later maps will be published, if there is one.
    ///
    /// # Errors
    /// [`ExplorerError`] when the place cannot be had or a thread cannot be started.
    pub fn start(place: &Place, map: LatentMap, watched: Option<Watched>) -> Result<Self, ExplorerError> {
        let listener = bind(place)?;
        let start = |source| ExplorerError::Start { source };
        let address = listener.local_addr().map_err(start)?;
        listener.set_nonblocking(true).map_err(start)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(long::THREADS)
            .build()
            .map_err(start)?;
        let threads = rayon::current_num_threads();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| start(io::Error::other(error)))?;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let state = Arc::new(State {
            map: RwLock::new(Arc::new(map)),
            epochs: watched.map(Epochs::new),
            worker: Worker::start(threads).map_err(start)?,
            visitors: Visitors::of(&place.host, address),
            long: Long::new(pool, stopped.clone()),
            stopped: stopped.clone(),
        });
        let routes = api::routes(Arc::clone(&state));
        let serve = move || {
            runtime.block_on(connections::serve(listener, routes, connections::LONGEST_HEAD, stopped));
            // A long computation that nobody waits for any more need not be waited for.
            runtime.shutdown_background();
        };
        let server = thread::Builder::new()
            .name("server".into())
            .spawn(serve)
            .map_err(start)?;
        Ok(Self {
            url: url(&place.host, address),
            state,
            stop,
            server: Some(server),
        })
    }

    /// The address to open in a browser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Puts the map after an epoch in place, and tells every page that watches.
    pub fn publish(&self, map: LatentMap, metrics: &EpochMetrics) {
        *self.state.map.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = Arc::new(map);
        if let Some(epochs) = &self.state.epochs {
            epochs.add(metrics);
        }
    }

    /// Ends, and lets what can be answered at once go out; so does dropping this.
    pub fn stop(self) {}
}

impl Drop for Explorer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            // Had it panicked, it would have said so.
            let _ = server.join();
        }
    }
}

impl State {
    /// The map as it is now; requests that are under way keep the one that they began with.
    fn map(&self) -> Arc<LatentMap> {
        Arc::clone(&self.map.read().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

/// Takes the port that was asked for, or the usual one, or any.
fn bind(place: &Place) -> Result<TcpListener, ExplorerError> {
    let port = place.port.unwrap_or(USUAL_PORT);
    let fail = |source| ExplorerError::Bind {
        host: place.host.clone(),
        port,
        source,
    };
    let resolve = |port| (place.host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
    let usual = TcpListener::bind(&resolve(port).map_err(fail)?[..]);
    match usual {
        Err(error) if place.port.is_none() && error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind(&resolve(0).map_err(fail)?[..]).map_err(fail)
        }
        usual => usual.map_err(fail),
    }
}

fn url(host: &str, address: SocketAddr) -> String {
    let port = address.port();
    match address {
        // "Every address" is none that a browser could open.
        address if address.ip().is_unspecified() => format!("http://127.0.0.1:{port}"),
        SocketAddr::V6(_) if host.contains(':') => format!("http://[{host}]:{port}"),
        _ => format!("http://{host}:{port}"),
    }
}
