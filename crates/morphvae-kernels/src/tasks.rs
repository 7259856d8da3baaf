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
