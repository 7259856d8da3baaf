//! What takes long: on threads of its own, so that dragging goes on, and for as long as somebody waits for it.
//!
//! Image files and paths do not wait for each other. Paths are sought side by side and take turns at the pool that decodes
//! for them, a batch of images each, so that a short one is not kept by long ones.

use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use axum::http::StatusCode;
use morphvae::network::{Decoder, Shape};
use tokio::sync::{Mutex, Semaphore, oneshot, watch};
use tokio::time::timeout;

use super::answer::Refusal;
use super::connections::told;
use crate::LatentMap;

/// Image files that are read at once; each may take as much memory as a large photograph.
const FILES: usize = 1;

/// Paths that are sought at once.
const PATHS: usize = 8;

/// Threads that all of this takes, besides those of the pool.
pub(super) const THREADS: usize = FILES + PATHS;

/// How long something may wait for those before it to end.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Room for what takes long.
#[derive(Debug)]
pub(super) struct Long {
    files: Arc<Semaphore>,
    paths: Arc<Semaphore>,
    /// Threads that decode for paths, of their own for the reason that the worker has some; whoever holds them has its
    /// turn, and the next is who has waited longest.
    pool: Arc<Mutex<rayon::ThreadPool>>,
    stopped: watch::Receiver<bool>,
}

/// Says whether an answer is still waited for.
type Check<'a> = &'a (dyn Fn() -> ControlFlow<()> + Sync);

impl Long {
    /// Until `stopped` says so; `pool` decodes.
    pub fn new(pool: rayon::ThreadPool, stopped: watch::Receiver<bool>) -> Self {
        Self {
            files: Arc::new(Semaphore::new(FILES)),
            paths: Arc::new(Semaphore::new(PATHS)),
            pool: Arc::new(Mutex::new(pool)),
            stopped,
        }
    }

    /// Reads an image file.
    pub async fn read<T: Send + 'static>(&self, read: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        self.run(&self.files, |_| read()).await
    }

    /// Seeks a path, with what decodes latents for it: of a conditional network a class that it knows, or the first.
    pub async fn seek<T: Send + 'static>(
        &self,
        map: &Arc<LatentMap>,
        given: Option<u16>,
        seek: impl FnOnce(&dyn Decoder) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (map, pool) = (Arc::clone(map), Arc::clone(&self.pool));
        let work = move |check: Check| {
            // Alone in a pool of its own, this thread does what is done side by side one after the other, and waits for its
            // turn without another part of its work on top.
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
            let _alone = alone.build();
            seek(&TurnTaking {
                map,
                given,
                pool,
                check,
            })
        };
        self.run(&self.paths, work).await
    }

    /// Does `work` on another thread, when there is room; gives up when the server stops. Once nobody waits any more, the
    /// check that `work` is given breaks.
    async fn run<T: Send + 'static>(
        &self,
        room: &Arc<Semaphore>,
        work: impl FnOnce(Check) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let waited = timeout(LONGEST_WAIT, Arc::clone(room).acquire_owned());
        let permit = self.unless_stopped(waited).await?.map_err(|_| {
            let reason = "too much is being computed for others: try again later";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason)
        })?;
        let (answer, result) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            // Kept to the end, even when whoever asked goes away meanwhile.
            let _permit = permit;
            let check = || match answer.is_closed() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            let result = work(&check);
            let _ = answer.send(result);
        });
        let failed = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the computation has stopped");
        self.unless_stopped(result).await?.map_err(failed)
    }

    async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Result<T, Refusal> {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            result = future => Ok(result),
            () = told(&mut stopped) => {
                Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the program ends: nothing more is computed"))
            }
        }
    }
}

/// The network of a map, which decodes a batch when its turn comes.
struct TurnTaking<'a> {
    map: Arc<LatentMap>,
    given: Option<u16>,
    pool: Arc<Mutex<rayon::ThreadPool>>,
    check: Check<'a>,
}

impl Decoder for TurnTaking<'_> {
    fn latent(&self) -> usize {
        self.map.network().config().latent
    }

    fn image_shape(&self) -> Shape {
        self.map.network().image_shape()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let (map, given, points) = (Arc::clone(&self.map), self.given, points.to_vec());
        let (answer, result) = mpsc::channel();
        let turn = self.pool.blocking_lock();
        turn.spawn(move || {
            // Whoever asked waits.
            let decoder = map.network().given_or_first(given);
            let _ = answer.send(decoder.map(|decoder| decoder.decode(&points)));
        });
        let images = result.recv().expect("the pool decodes what it is given");
        images.expect("a path is sought for a class that there is")
    }

    fn check(&self) -> ControlFlow<()> {
        (self.check)()
    }
}
