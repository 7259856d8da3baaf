//! Ctrl-C: the first one asks for a stop at the next good moment, the second one stops at once.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::anyhow;

static ASKED: AtomicBool = AtomicBool::new(false);

/// What a shell reports for a program that Ctrl-C ended.
pub const EXIT_CODE: u8 = 130;

/// The work was stopped as asked, and the way to go on was told.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

/// Listens from now on; the thread that calls this is the one that may [`wait`].
pub fn listen() -> anyhow::Result<()> {
    let listener = thread::current();
    let answer = move || {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(EXIT_CODE.into());
        }
        listener.unpark();
    };
    ctrlc::set_handler(answer).map_err(|error| match error {
        ctrlc::Error::System(source) => anyhow!("cannot start the thread that listens for Ctrl-C: {source}"),
        other => anyhow!("cannot listen for Ctrl-C: {other}"),
    })
}

/// Breaks once somebody pressed Ctrl-C.
pub fn check() -> ControlFlow<()> {
    if ASKED.load(Ordering::SeqCst) {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Returns once somebody pressed Ctrl-C.
pub fn wait() {
    while check().is_continue() {
        thread::park();
    }
}
