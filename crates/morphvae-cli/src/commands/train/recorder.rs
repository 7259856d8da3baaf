//! What is kept of every epoch, so that `explore RUN` can show how the map formed.

use anyhow::Context;
use morphvae::evaluation::{Codes, decode, encode};
use morphvae::network::Inference;
use morphvae::studio::Run;
use morphvae::training::EpochMetrics;
use morphvae_explorer::{Replay, ShownImages};

/// Keeps where the test images lie after each epoch, and what the network makes of a few of them.
pub struct Recorder {
    pictures: ShownImages,
    replay: Replay,
}

impl Recorder {
    /// Takes up what is kept of the run so far; an epoch after which the process died before it was kept is kept now.
    pub fn of(run: &Run) -> anyhow::Result<Self> {
        let training = run.training();
        let (history, test, network) = (training.history(), &run.data().test, &run.config().network);
        let kept = Replay::read(&run.folder().figures_path());
        let pictures = Replay::pictures(test, network);
        let replay = Replay::of(test, &pictures, network).after(kept, history.len());
        let mut recorder = Self { pictures, replay };
        if let Some(last) = history.last().filter(|last| last.epoch == recorder.replay.last() + 1) {
            let network = Inference::new(&training.network());
            let codes = encode(&network, test.as_ref())?;
            recorder.keep(run, &network, &codes, last)?;
        }
        Ok(recorder)
    }

    /// Keeps an epoch: the network after it, and the `codes` of all test images.
    pub fn keep(
        &mut self,
        run: &Run,
        network: &Inference,
        codes: &Codes,
        metrics: &EpochMetrics,
    ) -> anyhow::Result<()> {
        let points = self.pictures.codes(codes).points(network.config());
        self.replay.add(codes, &decode(network, &points)?, metrics);
        let figures = run.folder().figures_path();
        self.replay
            .write(&figures)
            .with_context(|| figures.display().to_string())
    }
}
