//! `train --watch`: the latent map, served while the network learns.

use std::sync::Arc;

use morphvae::evaluation::{Codes, encode};
use morphvae::network::Inference;
use morphvae::studio::Run;
use morphvae::training::EpochMetrics;
use morphvae_explorer::{Explorer, ExplorerError, LatentMap, ModelFacts, Place, Replay, ShownImages, Watched};

use super::arguments::TrainArguments;
use crate::console::Console;
use crate::{browser, interrupt};

/// Makes sure, before images are read, that the map can be served.
pub fn check(arguments: &TrainArguments) -> Result<(), ExplorerError> {
    match arguments.watch {
        true => place(arguments).check(),
        false => Ok(()),
    }
}

fn place(arguments: &TrainArguments) -> Place {
    Place {
        port: arguments.port,
        ..Place::default()
    }
}

/// A map that changes as epochs end.
pub struct Watching {
    explorer: Explorer,
    facts: ModelFacts,
    shown: Arc<ShownImages>,
}

impl Watching {
    /// Serves the map of the network as it is before the training goes on.
    pub fn start(facts: ModelFacts, run: &Run, arguments: &TrainArguments, console: Console) -> anyhow::Result<Self> {
        let training = run.training();
        let shown = Arc::new(ShownImages::of(&run.data().test));
        let network = Inference::new(&training.network());
        let codes = encode(&network, shown.examples())?;
        let history = training.history().to_vec();
        let facts_now = ModelFacts {
            epochs: Some(history.len()),
            test_loss: history.last().map(|metrics| metrics.test_loss),
            ..facts.clone()
        };
        let map = LatentMap::new(network, facts_now, Arc::clone(&shown), codes)?
            .with_replay(Replay::read(&run.folder().figures_path()));
        let explorer = Explorer::start(
            &place(arguments),
            map,
            Some(Watched {
                epochs: run.config().training.epochs,
                history,
            }),
        )?;
        console.note(format!("the latent map as it forms: {}", explorer.url()));
        if !arguments.no_open {
            browser::open(explorer.url(), console);
        }
        Ok(Self { explorer, facts, shown })
    }

    /// Shows the network as it was after an epoch, and where it puts the test images.
    pub fn publish(
        &self,
        run: &Run,
        network: Arc<Inference>,
        codes: &Codes,
        metrics: &EpochMetrics,
    ) -> anyhow::Result<()> {
        let facts = ModelFacts {
            epochs: Some(metrics.epoch),
            test_loss: Some(metrics.test_loss),
            ..self.facts.clone()
        };
        let map = LatentMap::new(network, facts, Arc::clone(&self.shown), self.shown.codes(codes))?;
        let replay = Replay::read(&run.folder().figures_path());
        self.explorer.publish(map.with_replay(replay), metrics);
        Ok(())
    }

    /// Goes on showing the map until Ctrl-C: it is at its best when the training ends, and all results are written.
    pub fn linger(self, console: Console) {
        let url = self.explorer.url();
        console.note(format!("the latent map stays at {url} until Ctrl-C"));
        interrupt::wait();
        self.explorer.stop();
    }
}
