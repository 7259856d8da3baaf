//! What is kept of every epoch, so that `explore RUN` can show how the map formed.

use anyhow::Context;
use morphvae::evaluation::{Codes, encode};
use morphvae::network::Inference;
use morphvae::studio::Run;
use morphvae::training::EpochMetrics;
use morphvae_explorer::Replay;

/// Keeps where the test images lie after each epoch.
pub struct Recorder {
    replay: Replay,
}

impl Recorder {
    /// Takes up what is kept of the run so far; an epoch after which the process died before it was kept is kept now.
    pub fn of(run: &Run) -> anyhow::Result<Self> {
        let training = run.training();
        let (history, test) = (training.history(), &run.data().test);
        let kept = Replay::read(&run.folder().figures_path());
        let mut recorder = Self {
            replay: Replay::of(test, run.config().network.latent).after(kept, history.len()),
        };
        if let Some(last) = history.last().filter(|last| last.epoch == recorder.replay.last() + 1) {
            let network = Inference::new(&training.network());
            let codes = encode(&network, test.as_ref())?;
            recorder.keep(run, &codes, last)?;
        }
        Ok(recorder)
    }

    /// Keeps an epoch: the `codes` of all test images after it.
    pub fn keep(&mut self, run: &Run, codes: &Codes, metrics: &EpochMetrics) -> anyhow::Result<()> {
        self.replay.add(codes, metrics);
        let figures = run.folder().figures_path();
        self.replay
            .write(&figures)
            .with_context(|| figures.display().to_string())
    }
}
