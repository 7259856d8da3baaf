//! A process that dies at any of its file operations, a disk that is full from any of them on, or one that fails: the
//! folder holds one run, which goes on to what it would have been.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use serde_json::Value;

use super::{
    DataConfig, HeldRun, Outcome, Output, RunConfig, RunFolder, Training, TrainingConfig, TrainingData, TrainingError,
};
use crate::data::{Fit, Images, Split};
use crate::files::faults::{Fault, with_fault};
use crate::files::{is_unfinished, scratch, write_atomically};
use crate::latent::LatentStatistics;
use crate::model::{ModelCard, TrainedModel};
use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};
use crate::objective::{Loss, Objective};
use crate::probability::Likelihood;
use crate::weights;

const FAULTS: &[Fault] = &[Fault::Death, Fault::FullDisk, Fault::Refusal];

/// A run's folder as plain data: what is in each file, without the times that it took.
type Contents = BTreeMap<String, Value>;

/// How a run begins.
#[derive(Clone, Copy)]
struct Start<'a> {
    path: &'a Path,
    config: &'a RunConfig,
    initial: Option<&'a Vae>,
    force: bool,
}

#[test]
fn a_run_goes_on_or_begins_anew_wherever_it_died() {
    let (config, whole) = (config(3), whole(&config(3), None));
    for (force, faults) in [(false, FAULTS), (true, &[Fault::Death])] {
        everywhere("a fresh run", faults, |path, death| {
            let start = Start::of(path, &config);
            death.befalls(|| start.run());
            recover(start, force);
            assert_eq!(contents(path), whole);
        });
    }
}

#[test]
fn a_run_from_other_weights_goes_on_or_begins_anew_wherever_it_died() {
    let config = RunConfig {
        init_from: Some("another".into()),
        ..config(3)
    };
    let initial = Vae::new(config.network.clone(), 9, &Device::flex()).unwrap();
    let whole = whole(&config, Some(&initial));
    assert_ne!(
        whole["model.safetensors"],
        self::whole(&config, None)["model.safetensors"]
    );
    everywhere("a run from other weights", FAULTS, |path, death| {
        let start = Start {
            initial: Some(&initial),
            ..Start::of(path, &config)
        };
        death.befalls(|| start.run());
        recover(start, false);
        assert_eq!(contents(path), whole);
    });
}

#[test]
fn a_stopped_run_goes_on_wherever_it_died() {
    let config = config(2);
    let whole = whole(&config, None);
    let stopped = scratch();
    stop(&stopped.path().join("run"), &config, 3);
    everywhere("a run that is continued", FAULTS, |path, death| {
        copy(&stopped.path().join("run"), path);
        death.befalls(|| resume(path));
        resume(path).unwrap();
        assert_eq!(contents(path), whole);
    });
}

#[test]
fn the_best_epoch_is_kept_wherever_a_run_died() {
    let config = overfitting();
    let whole = whole(&config, None);
    let best = |path: &Path| {
        let metrics = RunFolder::open(path).unwrap().0.metrics().unwrap_or_default();
        let losses = metrics.iter().map(|metrics| metrics.test_loss);
        let least = losses.clone().fold(f64::INFINITY, f64::min);
        (
            losses
                .clone()
                .position(|loss| loss == least)
                .map_or(0, |index| index + 1),
            metrics.len(),
        )
    };
    let opened = |path: &Path| epoch_of(&RunFolder::open(path).unwrap().0.model().unwrap());
    everywhere("a run that overfits", &[Fault::Death], |path, death| {
        let start = Start::of(path, &config);
        death.befalls(|| start.run());
        if RunFolder::open(path).is_ok_and(|(run, _)| run.model().is_some()) {
            let (epoch, (best, done)) = (opened(path), best(path));
            // An epoch whose metrics are not written yet may be better still.
            assert!(
                epoch == best || epoch == done + 1,
                "epoch {epoch} is opened, {best} of {done} is the best"
            );
        }
        recover(start, false);
        assert_eq!(contents(path), whole);
        let (epoch, (best, done)) = (opened(path), best(path));
        assert!(epoch == best && 1 < best && best < done, "{epoch}, {best}, {done}");
        assert_eq!(epoch_of(&path.join("model.safetensors")), done);
    });
}

#[test]
fn patience_ends_a_run_where_it_would_have_wherever_it_stopped() {
    let patient = |epochs, patience| {
        let mut config = overfitting();
        (config.training.epochs, config.training.patience) = (epochs, patience);
        config
    };
    let epochs = |path: &Path| RunFolder::open(path).unwrap().0.metrics().unwrap().len();
    let folder = scratch();
    let endless = folder.path().join("endless");
    Start::of(&endless, &patient(1000, Some(2))).run().unwrap();
    let ended = epochs(&endless);
    let best = epoch_of(&endless.join("best.safetensors"));
    assert_eq!(ended, best + 2);
    // Not changed by where it is taken up again, in the middle of its patience or of an epoch.
    let continued = |path: &Path, config: &RunConfig| {
        let run = HeldRun::reopen(path).unwrap().0;
        let training = run.load(config, &data(), &Device::flex()).unwrap();
        run.write_config(config).unwrap();
        train(&run, config, training).unwrap();
    };
    for stop in 1..ended {
        let path = folder.path().join(format!("stopped-{stop}"));
        Start::of(&path, &patient(stop, None)).run().unwrap();
        assert_eq!(epochs(&path), stop);
        continued(&path, &patient(1000, Some(2)));
        assert_eq!(contents(&path), contents(&endless));
    }
    let path = folder.path().join("in-an-epoch");
    self::stop(&path, &patient(1000, Some(2)), 3 * (ended - 1) + 1);
    continued(&path, &patient(1000, Some(2)));
    assert_eq!(contents(&path), contents(&endless));
    // Who has more of it goes on.
    continued(&path, &patient(1000, Some(3)));
    assert!(epochs(&path) > ended);
}

#[test]
fn a_run_from_before_the_best_was_kept_stands_for_its_last_epoch_until_there_is_a_better_one() {
    let folder = scratch();
    let config = overfitting();
    Start::of(folder.path(), &config).run().unwrap();
    let run = RunFolder::open(folder.path()).unwrap().0;
    fs::remove_file(run.best_path()).unwrap();
    assert_eq!(run.model(), Some(run.model_path()));
    resume(folder.path()).unwrap();
    assert_eq!(run.model(), Some(run.model_path()));
}

#[test]
fn a_run_that_replaces_another_leaves_one_of_them_wherever_it_died() {
    let (old, new) = (config(2), config(3));
    let (old_whole, new_whole) = (whole(&old, None), whole(&new, None));
    let folder = scratch();
    Start::of(&folder.path().join("run"), &old).run().unwrap();
    for (force, faults) in [(false, FAULTS), (true, &[Fault::Death])] {
        let mut survivors = [0, 0];
        everywhere("a run that replaces another", faults, |path, death| {
            copy(&folder.path().join("run"), path);
            let start = Start {
                force: true,
                ..Start::of(path, &new)
            };
            death.befalls(|| start.run());
            let (seen, config) = RunFolder::open(path).unwrap();
            survivors[usize::from(config == new)] += 1;
            if config == old {
                let now = contents(path);
                let is_whole = |(name, value): (&String, &Value)| now.get(name) == Some(value);
                assert!(seen.model().is_some() && old_whole.iter().all(is_whole));
            } else if let Some(model) = seen.model() {
                assert_ne!(model_of(&model), old_whole["model.safetensors"]);
            }
            recover(start, force);
            let expected = if config == new || force { &new_whole } else { &old_whole };
            assert_eq!(&contents(path), expected);
        });
        assert!(survivors.iter().all(|&count| count > 10), "{survivors:?}");
    }
}

#[test]
fn a_kept_file_of_somebody_else_survives_a_run_that_is_replaced() {
    let folder = scratch();
    let config = config(2);
    let start = Start {
        force: true,
        ..Start::of(folder.path(), &config)
    };
    start.run().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    start.run().unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "mine");
}

#[test]
fn metrics_are_made_whole_from_the_checkpoint() {
    let folder = scratch();
    let config = config(2);
    Start::of(folder.path(), &config).run().unwrap();
    let before = contents(folder.path());
    let path = folder.path().join("metrics.jsonl");
    for text in ["", "{\"epoch\":1}\n", "nonsense"] {
        fs::write(&path, text).unwrap();
        resume(folder.path()).unwrap();
        assert_eq!(contents(folder.path()), before);
    }
    fs::remove_file(path).unwrap();
    resume(folder.path()).unwrap();
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn a_checkpoint_of_other_settings_is_refused() {
    let folder = scratch();
    let run = folder.path().join("run");
    Start::of(&run, &config(2)).run().unwrap();
    let text = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(
        run.join("config.toml"),
        text.replace("batch_size = 2", "batch_size = 3"),
    )
    .unwrap();
    let error = resume(&run).unwrap_err().to_string();
    assert!(
        error.contains("it was written with training.batch_size = 2, and the run's config.toml has 3"),
        "{error}"
    );
    // More epochs are no other run, and checkpoints from before that said nothing of settings.
    fs::write(run.join("config.toml"), text.replace("epochs = 2", "epochs = 3")).unwrap();
    resume(&run).unwrap();
    let path = run.join("checkpoint/latest.safetensors");
    let mut file = weights::read(&path).unwrap();
    assert!(file.metadata.remove("morphvae.run").is_some());
    weights::write_safetensors(
        &path,
        &file.tensors,
        &file.integers,
        &file.metadata,
        weights::Precision::Full,
    )
    .unwrap();
    fs::write(run.join("config.toml"), text.replace("epochs = 2", "epochs = 4")).unwrap();
    resume(&run).unwrap();
    assert_eq!(RunFolder::open(&run).unwrap().0.metrics().unwrap().len(), 4);
}

#[test]
fn a_checkpoint_that_was_lost_is_not_replaced_by_a_beginning() {
    let folder = scratch();
    Start::of(folder.path(), &config(2)).run().unwrap();
    fs::remove_dir_all(folder.path().join("checkpoint")).unwrap();
    let before = contents(folder.path());
    assert!(matches!(resume(folder.path()), Err(TrainingError::NoCheckpoint { .. })));
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn what_an_earlier_version_left_before_it_had_settings_is_replaced() {
    let folder = scratch();
    let (config, checkpoints) = (config(2), folder.path().join("checkpoint"));
    fs::create_dir(&checkpoints).unwrap();
    fs::write(checkpoints.join("latest.safetensors"), "weights").unwrap();
    fs::write(checkpoints.join(".latest.safetensors.part-4194999"), "weig").unwrap();
    let start = Start::of(folder.path(), &config);
    assert!(matches!(start.run(), Err(TrainingError::Exists { .. })));
    Start { force: true, ..start }.run().unwrap();
    assert_eq!(contents(folder.path()), whole(&config, None));
}

#[test]
fn settings_that_make_no_sense_are_told_once() {
    let folder = scratch();
    Start::of(folder.path(), &config(2)).run().unwrap();
    let path = folder.path().join("config.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("beta = 1.0", "beta = nan")).unwrap();
    let error = resume(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("config.toml: beta is NaN, but must be finite, and zero or more"),
        "{error}"
    );
}

/// A fault at an operation, and whether it has come to that.
struct Death {
    fault: Fault,
    at: usize,
    came: bool,
}

impl Death {
    /// Does `work` with the fault. If its process lives on, it has tidied up.
    fn befalls(&mut self, work: impl FnOnce() -> Result<(), TrainingError>) {
        let result;
        (result, self.came) = with_fault(self.fault, self.at, work);
        assert!(self.came || result.is_ok());
    }
}

/// Tries `work` with every fault at every operation that it comes to, in a folder of its own.
fn everywhere(what: &str, faults: &[Fault], work: impl FnMut(&Path, &mut Death) + Send) {
    // So small a network is learned sooner than a second thread is awake.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    alone.install(|| at_each_operation(what, faults, work));
}

fn at_each_operation(what: &str, faults: &[Fault], mut work: impl FnMut(&Path, &mut Death)) {
    for &fault in faults {
        let mut at = 1;
        loop {
            let folder = scratch();
            let path = folder.path().join("run");
            let mut death = Death { fault, at, came: false };
            work(&path, &mut death);
            if !death.came {
                break;
            }
            at += 1;
        }
        println!("{what}: {fault:?} at each of {} operations", at - 1);
        assert!(at > 30);
    }
}

impl<'a> Start<'a> {
    fn of(path: &'a Path, config: &'a RunConfig) -> Self {
        Self {
            path,
            config,
            initial: None,
            force: false,
        }
    }

    /// Begins the run and ends it.
    fn run(self) -> Result<(), TrainingError> {
        let run = HeldRun::claim(self.path, self.force)?;
        let training = self.config.beginning(self.initial.cloned(), &data(), &Device::flex())?;
        run.begin(self.config, &training)?;
        train(&run, self.config, training)
    }
}

fn resume(path: &Path) -> Result<(), TrainingError> {
    let (run, config) = HeldRun::reopen(path)?;
    let training = run.load(&config, &data(), &Device::flex())?;
    run.write_config(&config)?;
    train(&run, &config, training)
}

/// Does after a death what somebody would do.
fn recover(start: Start, force: bool) {
    if force {
        return Start { force, ..start }.run().unwrap();
    }
    match resume(start.path) {
        // It had not begun, and nothing is in the way.
        Err(TrainingError::NoRun { .. }) => Start { force, ..start }.run().unwrap(),
        other => other.unwrap(),
    }
}

fn train(run: &HeldRun, config: &RunConfig, mut training: Training) -> Result<(), TrainingError> {
    while !training.is_finished() {
        let outcome;
        (training, outcome) = training.epoch(&data(), &mut |_| ControlFlow::Continue(()))?;
        let Outcome::Finished(report) = outcome else {
            panic!("nobody has stopped it");
        };
        let card = card(config, &training, report.metrics.epoch);
        run.save_epoch(config, &training, &card)?;
        draw(run, report.metrics.epoch)?;
    }
    draw(run, config.training.epochs)
}

/// Stops a run after so many batches.
fn stop(path: &Path, config: &RunConfig, mut batches: usize) {
    let run = HeldRun::claim(path, false).unwrap();
    let mut training = config.beginning(None, &data(), &Device::flex()).unwrap();
    run.begin(config, &training).unwrap();
    while batches > 0 {
        let outcome;
        (training, outcome) = training
            .epoch(&data(), &mut |progress| match progress {
                super::Progress::Test { .. } => ControlFlow::Continue(()),
                super::Progress::Train { .. } => {
                    batches -= 1;
                    match batches {
                        0 => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                }
            })
            .unwrap();
        match outcome {
            Outcome::Interrupted => run.save(config, &training).unwrap(),
            Outcome::Finished(report) => {
                let card = card(config, &training, report.metrics.epoch);
                run.save_epoch(config, &training, &card).unwrap();
            }
        }
    }
}

/// Stands for the figures.
fn draw(run: &HeldRun, epochs: usize) -> Result<(), TrainingError> {
    let path = run.figures_path().join("learning-curve.png");
    let text = format!("{epochs} epochs");
    write_atomically(&path, |writer| std::io::Write::write_all(writer, text.as_bytes()))
        .map_err(|source| TrainingError::File { path, source })
}

/// What a run leaves that nothing happens to.
fn whole(config: &RunConfig, initial: Option<&Vae>) -> Contents {
    let folder = scratch();
    let start = Start {
        initial,
        ..Start::of(folder.path(), config)
    };
    start.run().unwrap();
    contents(folder.path())
}

fn contents(path: &Path) -> Contents {
    let mut contents = Contents::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let file = entry.unwrap().path();
            let name = file.strip_prefix(path).unwrap().to_str().unwrap().to_owned();
            if file.is_dir() {
                folders.push(file);
                contents.insert(name, Value::Null);
            } else if !is_unfinished(file.file_name().unwrap().to_str().unwrap()) && name.ends_with("safetensors") {
                contents.insert(name, model_of(&file));
            } else {
                let bytes = fs::read(&file).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                contents.insert(name, text.lines().map(without_times).collect());
            }
        }
    }
    contents
}

/// A weight file's text and a digest of its numbers.
fn model_of(path: &Path) -> Value {
    let file = weights::read(path).unwrap();
    let numbers: Vec<u64> = file
        .tensors
        .values()
        .map(|array| {
            array.values.iter().fold(7_u64, |sum, value| {
                sum.wrapping_mul(31).wrapping_add(value.to_bits().into())
            })
        })
        .collect();
    let metadata: Vec<Value> = file.metadata.values().map(|text| without_times(text)).collect();
    serde_json::json!([numbers, metadata])
}

fn without_times(text: &str) -> Value {
    let Ok(mut value) = serde_json::from_str(text) else {
        return text.into();
    };
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| name != "seconds" && name != "images_per_second");
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// The smallest run there is, but for the size of its batches.
fn config(batch_size: usize) -> RunConfig {
    RunConfig {
        init_from: None,
        conditional: false,
        semi_supervised: None,
        data: DataConfig {
            dataset: "noise".into(),
            data_dir: None,
            images: None,
            fit: Fit::default(),
            order: None,
            limit: None,
            binarize: None,
            validation: None,
            fingerprint: String::new(),
        },
        network: NetworkConfig {
            architecture: Architecture::Mlp {
                hidden: vec![3],
                activation: HiddenActivation::Relu,
            },
            image_size: 4,
            ..NetworkConfig::default()
        },
        training: TrainingConfig {
            epochs: 2,
            batch_size,
            // What depends on the images must begin anew from them.
            output: Output::Fitted,
            ..TrainingConfig::default()
        },
    }
}

/// A run whose best epoch is neither its first nor its last, of a network with running statistics.
fn overfitting() -> RunConfig {
    let mut config = config(2);
    config.network = NetworkConfig {
        architecture: Architecture::Reference { base_channels: 1 },
        ..NetworkConfig::default()
    };
    (config.training.epochs, config.training.seed) = (4, 2);
    config.training.output = Output::default();
    config.training.adam.learning_rate = 0.02;
    config
}

/// The epoch after which a model was so.
fn epoch_of(model: &Path) -> usize {
    TrainedModel::read(model, &Device::flex()).unwrap().card.unwrap().epochs
}

fn data() -> TrainingData {
    let split = |count| {
        let bytes = (0..count * 1024).map(|i| (i * i % 251) as u8).collect();
        Arc::new(Split {
            images: Images::new(1, 32, 32, bytes).unwrap(),
            labels: None,
            sources: None,
        })
    };
    TrainingData::new(split(6), split(2))
}

fn card(config: &RunConfig, training: &Training, epochs: usize) -> ModelCard {
    ModelCard {
        network: config.network.clone(),
        objective: Objective::Vae,
        samples: 1,
        likelihood: Likelihood::CrossEntropy,
        beta: 1.0,
        dataset: config.data.dataset.clone(),
        protocol: config.data.protocol(),
        classes: Vec::new(),
        epochs,
        steps: training.steps(),
        test: Loss::default(),
        latent_statistics: LatentStatistics::of(&[0.0; 4], &[0.0; 2], None, &[], &[]),
        classifier: None,
    }
}
