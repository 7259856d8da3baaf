//! Operations that fail, and processes that die, where a test wants it: in its own thread alone.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies in the middle of an operation: neither that nor anything after it is done, tidying up included.
    Death,
    /// From an operation on, nothing that needs space succeeds.
    FullDisk,
    /// One operation fails.
    Refusal,
}

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Space,
    Nothing,
}

#[derive(Clone, Copy)]
struct Plan {
    fault: Fault,
    at: usize,
    done: usize,
    has_struck: bool,
}

thread_local! {
    static PLAN: Cell<Option<Plan>> = const { Cell::new(None) };
}

/// Does `work`, with a fault at its operation `at`, counted from one. Says also whether it came that far.
pub fn with_fault<R>(fault: Fault, at: usize, work: impl FnOnce() -> R) -> (R, bool) {
    PLAN.set(Some(Plan {
        fault,
        at,
        done: 0,
        has_struck: false,
    }));
    let result = work();
    let plan = PLAN.take();
    (result, plan.is_some_and(|plan| plan.has_struck))
}

/// Counts an operation, and fails if it is to; `halves` is what a death or a full disk lets happen of it.
pub fn strike(needs: Needs, halves: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let Some(mut plan) = PLAN.get() else {
        return Ok(());
    };
    plan.done += 1;
    let fails = match plan.fault {
        Fault::Death => plan.done >= plan.at,
        Fault::FullDisk => plan.done >= plan.at && needs == Needs::Space,
        Fault::Refusal => plan.done == plan.at,
    };
    let is_first = fails && !plan.has_struck;
    plan.has_struck |= fails;
    PLAN.set(Some(plan));
    if !fails {
        return Ok(());
    }
    if is_first && plan.fault != Fault::Refusal {
        halves()?;
    }
    Err(match plan.fault {
        Fault::Death => io::Error::other("the process is dead"),
        Fault::FullDisk => io::ErrorKind::StorageFull.into(),
        Fault::Refusal => io::ErrorKind::PermissionDenied.into(),
    })
}

/// Removes every other entry of a folder.
pub fn remove_half(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.step_by(2) {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
