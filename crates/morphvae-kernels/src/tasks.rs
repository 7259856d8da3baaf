//! Tasks that run at once.

use rayon::prelude::*;

/// Calls `run` with 0 to `count - 1`, in any order and on any thread.
///
/// A single task runs right here: entering rayon's pool from outside costs two thread switches.
pub(crate) fn for_each_task(count: usize, run: impl Fn(usize) + Send + Sync) {
    if count == 1 {
        run(0);
    } else {
        (0..count).into_par_iter().for_each(run);
    }
}

/// Runs on a thread of rayon's pool, so that the stages of `run` follow each other without the two switches between
/// threads that each would cost from outside.
pub(crate) fn in_pool<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| run())
}
