//! Tasks that run at once.

use std::hint;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

/// Calls `run` with 0 to `count - 1`, in any order and on any thread.
///
/// A single task runs right here: entering rayon's pool from outside costs two thread switches.
pub(crate) fn for_each_task(count: usize, run: impl Fn(usize) + Send + Sync) {
    if count == 1 {
        run(0);
    } else {
        (0..count).into_par_iter().for_each_task(run);
    }
}

/// Parallel iterators whose items are worth a task each.
pub(crate) trait Tasks: IndexedParallelIterator {
    /// Calls `run` with each item, in any order and on any thread.
    ///
    /// Left alone, rayon hands out a few long runs of items, and who is done with his has nothing to take from others.
    fn for_each_task(self, run: impl Fn(Self::Item) + Send + Sync) {
        self.with_max_len(1).for_each(run);
    }
}

impl<I: IndexedParallelIterator> Tasks for I {}

/// Runs on a thread of rayon's pool, so that the stages of `run` follow each other without the two switches between
/// threads that each would cost from outside.
pub(crate) fn in_pool<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| run())
}

/// Runs with the other threads of rayon's pool kept awake.
///
/// Left without work for some microseconds, a thread of the pool goes to sleep, and waking it takes tens of them: longer
/// than most pauses between the stages of `run`, and as long as a whole stage for a single image.
///
/// Only one call at a time does so, others just run: two that wait for each other's watchers, which meanwhile took up
/// other work, could pile up work without end.
pub fn awake<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    static AWAKE: AtomicBool = AtomicBool::new(false);
    if AWAKE.swap(true, Ordering::Acquire) {
        return run();
    }
    let _end = OnDrop(|| AWAKE.store(false, Ordering::Release));
    let done = &AtomicBool::new(false);
    rayon::scope(|scope| {
        let here = rayon::current_thread_index();
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(move |_| {
                // The thread that runs, waiting for others, may come across this itself: then it must not stay.
                while rayon::current_thread_index() != here && !done.load(Ordering::Acquire) {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        hint::spin_loop();
                    }
                }
            });
        }
        let _done = OnDrop(|| done.store(true, Ordering::Release));
        run()
    })
}

/// Calls a function however a scope is left.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn what_runs_with_threads_awake_gives_its_result_and_its_panic() {
        let nested = awake(|| awake(|| (0..1000usize).into_par_iter().map(|n| n * n).sum::<usize>()));
        assert_eq!(nested, 332_833_500);
        // Many at once, each waiting for threads that keep watch for another.
        let sums: Vec<usize> = (0..64usize)
            .into_par_iter()
            .map(|n| awake(|| (0..n).into_par_iter().sum()))
            .collect();
        assert!(
            sums.iter()
                .enumerate()
                .all(|(n, sum)| *sum == n * n.saturating_sub(1) / 2)
        );
        assert!(catch_unwind(|| awake(|| panic!("on purpose"))).is_err());
        assert_eq!(awake(|| 7), 7);
    }
}
