//! How far the work on a clip is, for those who watch it.

use super::ClipError;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Told by several threads how much of something is done, and of how much; what breaks ends the work.
pub type Observer<'a> = dyn Fn(usize, usize) -> ControlFlow<()> + Sync + 'a;

/// Counts what is done.
pub(super) struct Count<'a> {
    observer: &'a Observer<'a>,
    of: usize,
    done: AtomicUsize,
    stopped: AtomicBool,
}

impl<'a> Count<'a> {
    pub fn new(observer: &'a Observer<'a>, of: usize) -> Self {
        Self {
            observer,
            of,
            done: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// One more is done.
    ///
    /// # Errors
    /// [`ClipError::Stopped`] when that is to be the last.
    pub fn one(&self) -> Result<(), ClipError> {
        let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
        match (self.observer)(done, self.of) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                self.stopped.store(true, Ordering::Relaxed);
                Err(ClipError::Stopped)
            }
        }
    }

    /// What an error really is: when the work was stopped, nothing else counts.
    pub fn cause(&self, error: impl Into<ClipError>) -> ClipError {
        if self.stopped.load(Ordering::Relaxed) {
            ClipError::Stopped
        } else {
            error.into()
        }
    }

    /// That nobody stopped the work.
    ///
    /// # Errors
    /// [`ClipError::Stopped`] when somebody did.
    pub fn check(&self) -> Result<(), ClipError> {
        if self.stopped.load(Ordering::Relaxed) {
            Err(ClipError::Stopped)
        } else {
            Ok(())
        }
    }
}
