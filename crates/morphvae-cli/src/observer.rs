//! What the library tells of its work, shown to people; Ctrl-C is the answer.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use morphvae::studio::{Event, StudioError};
use morphvae::training::Progress;

use crate::console::{Console, Meter, Unit};
use crate::interrupt::{self, Stopped};

/// An observer of work; what it shows is taken away with what is done, or with itself.
pub fn observer(console: Console) -> impl Fn(Event<'_>) -> ControlFlow<()> + Sync {
    let shown = Mutex::new(None);
    move |event| {
        show(
            event,
            console,
            &mut shown.lock().unwrap_or_else(PoisonError::into_inner),
        );
        interrupt::check()
    }
}

/// What becomes of work that writes all it has to write or, once Ctrl-C was the answer, nothing: that is told then.
pub fn all_or_nothing(result: anyhow::Result<()>, console: Console) -> anyhow::Result<()> {
    match result {
        Err(error) if error.downcast_ref().is_some_and(StudioError::is_stop) => {
            console.note("stopped; nothing was written");
            Err(Stopped.into())
        }
        result => result,
    }
}

fn show(event: Event, console: Console, shown: &mut Option<Meter>) {
    let mut count = |unit, what: &str, done: u64, of: u64, state: &str| {
        let meter = shown.take().filter(|meter| meter.unit() == unit);
        let meter = shown.insert(meter.unwrap_or_else(|| console.progress(unit)));
        meter.update(what, done, of, state);
        if done >= of {
            *shown = None;
        }
    };
    match event {
        Event::Note(text) => {
            *shown = None;
            console.note(text);
        }
        Event::Skipped(files) => {
            *shown = None;
            console.skipped(files);
        }
        Event::Fetching(file) => count(Unit::Bytes, file.file, file.bytes, file.total, ""),
        Event::Encoding { done, of } => count(Unit::Images, "encoding", done as u64, of as u64, ""),
        Event::Comparing { done, of } => count(Unit::Images, "neighbours", done as u64, of as u64, ""),
        Event::Searching { done, of } => count(Unit::Ways, "path", done as u64, of as u64, ""),
        Event::Decoding { done, of } => count(Unit::Images, "frames", done as u64, of as u64, ""),
        Event::Drawing { done, of } => count(Unit::Images, "drawing", done as u64, of as u64, ""),
        Event::Writing { done, of } => count(Unit::Images, "writing", done as u64, of as u64, ""),
        Event::Sampling { done, of } => count(Unit::Images, "sampling", done as u64, of as u64, ""),
        Event::Augmenting { what, done, of } => count(Unit::Images, "learning", done as u64, of as u64, what),
        Event::Training(Progress::Train {
            epoch,
            images,
            of,
            loss,
        }) => {
            // Not always the sum of its terms.
            let state = format!("loss {:.1}: {:.1}, KL {:.2}", loss.loss, loss.reconstruction, loss.kl);
            count(
                Unit::Images,
                &format!("epoch {epoch}"),
                images as u64,
                of as u64,
                &state,
            );
        }
        Event::SemiSupervised(progress) => {
            let what = format!("epoch {}", progress.epoch);
            let state = format!("loss {:.2}", progress.loss);
            count(Unit::Images, &what, progress.images as u64, progress.of as u64, &state);
        }
        Event::Training(Progress::Test { images, of }) => count(Unit::Images, "testing", images as u64, of as u64, ""),
        // Of others there is nothing to be seen.
        _ => {}
    }
}
