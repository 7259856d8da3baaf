//! What a step makes of one weight, once somebody does it.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use burn::tensor::Tensor;

use super::Averages;

/// Work of a step that is done once: by the first that needs its results, or before that by a thread that has time.
#[derive(Debug)]
pub(super) struct Update(LazyLock<Mutex<Results>, Box<dyn FnOnce() -> Mutex<Results> + Send>>);

/// Each goes to the one who goes on with it: a tensor that nobody else owns is changed in place.
#[derive(Debug)]
struct Results {
    /// Until the network asks for it.
    weight: Option<Tensor<1>>,
    /// Until the next step.
    averages: Option<Averages>,
}

impl Update {
    pub fn new(step: impl FnOnce() -> (Tensor<1>, Averages) + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(|| {
            let (weight, averages) = step();
            Mutex::new(Results {
                weight: Some(weight),
                averages: Some(averages),
            })
        })))
    }

    /// One that was done before a checkpoint; the network has its weight.
    pub fn restored(averages: Averages) -> Self {
        let results = Results {
            weight: None,
            averages: Some(averages),
        };
        Self(LazyLock::new(Box::new(|| Mutex::new(results))))
    }

    /// Does the work, unless it is done.
    pub fn finish(&self) {
        LazyLock::force(&self.0);
    }

    pub fn take_weight(&self) -> Tensor<1> {
        self.results().weight.take().expect("a parameter takes its value once")
    }

    pub fn take_averages(&self) -> Averages {
        self.results().averages.take().expect("one step follows another")
    }

    pub fn averages(&self) -> Averages {
        self.results().averages.clone().expect("the next step is not taken yet")
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
