//! What is tried: each thing that comes from outside, read as the program reads it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use image::ImageFormat;
use morphvae::data::strokes::strokes;
use morphvae::data::{Binarization, Dataset, Fit, FolderOptions, Protocol, decode_image, idx, read_folder, read_image};
use morphvae::evaluation::Codes;
use morphvae::latent::{Attribute, LatentStatistics, prior_sample};
use morphvae::model::{ModelCard, TrainedModel};
use morphvae::network::{Architecture, HiddenActivation, Inference, NetworkConfig, Vae};
use morphvae::objective::{Loss, Objective};
use morphvae::probability::Likelihood;
use morphvae::training::{
    DataConfig, EpochMetrics, HeldRun, RunConfig, RunFolder, Training, TrainingConfig, TrainingData,
};
use morphvae::weights::Precision;
use morphvae_explorer::Replay;

use crate::formats::Form;
use crate::{seeds, server};

/// One kind of input.
pub struct Target {
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// How its inputs are changed.
    pub form: Form,
    /// The name under which an input lies in the folder that `open` was given.
    pub file: &'static str,
    /// Makes it ready, in a folder of its own.
    pub open: fn(&Path) -> Subject,
}

/// Tries one input, which lies at the path and in memory; `Err` is a fault of the program's, and what else comes back
/// tells one way of answering from another.
pub type Check = Box<dyn FnMut(&Path, &[u8]) -> Result<String, String>>;

/// A target made ready.
pub struct Subject {
    pub seeds: Vec<Vec<u8>>,
    pub check: Check,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("idx", "IDX files, raw and .gz", Form::Idx, "images", images_of_idx),
    target(
        "safetensors",
        "models",
        Form::Safetensors,
        "model.safetensors",
        safetensors,
    ),
    target("pth", "what torch.save writes", Form::Pth, "model.pth", pth),
    target(
        "checkpoint",
        "a run's checkpoint",
        Form::Safetensors,
        CHECKPOINT,
        checkpoint,
    ),
    target("config", "config.toml of a run", Form::Text, "config.toml", config),
    target(
        "metrics",
        "metrics.jsonl of a run",
        Form::Text,
        "metrics.jsonl",
        metrics,
    ),
    target(
        "attribute",
        ".attribute.json",
        Form::Text,
        "smile.attribute.json",
        attribute,
    ),
    target(
        "replay",
        "replay.bin of a run",
        Form::Bytes,
        "figures/replay.bin",
        replay,
    ),
    target("png", "PNG images", Form::Png, "images/a.png", png),
    target("jpeg", "JPEG images", Form::Jpeg, "images/a.jpg", jpeg),
    target("bmp", "BMP images", Form::Bytes, "images/a.bmp", bmp),
    target("pnm", "PBM, PGM, PPM and PAM images", Form::Pnm, "images/a.pnm", pnm),
    target("webp", "WebP images", Form::Webp, "images/a.webp", webp),
    target("http", "requests to the explorer", Form::Http, "request", server::open),
];

const CHECKPOINT: &str = "checkpoint/latest.safetensors";

const fn target(
    name: &'static str,
    what: &'static str,
    form: Form,
    file: &'static str,
    open: fn(&Path) -> Subject,
) -> Target {
    Target {
        name,
        what,
        form,
        file,
        open,
    }
}

/// What a reader said, as an answer: an error is as good as what it was asked for.
fn answer<T, E: std::fmt::Display>(result: Result<T, E>, describe: impl Fn(&T) -> String) -> Result<String, String> {
    match result {
        Ok(value) => Ok(describe(&value)),
        Err(error) => {
            let message = error.to_string();
            if message.contains('\n') {
                return Err(format!("a message of more than one line: {message}"));
            }
            Ok(message)
        }
    }
}

fn images_of_idx(_: &Path) -> Subject {
    let check = |path: &Path, _: &[u8]| {
        answer(idx::read_labels(path), |_| "labels".to_owned())?;
        answer(idx::read_images(path), |images| format!("{} wide", images.width()))
    };
    Subject {
        seeds: seeds::idx(),
        check: Box::new(check),
    }
}

/// A network that takes no time.
fn network() -> Vae {
    small(Architecture::Reference { base_channels: 1 })
}

fn small(architecture: Architecture) -> Vae {
    let config = NetworkConfig {
        architecture,
        ..NetworkConfig::default()
    };
    Vae::new(config, 1, &Device::flex()).expect("a small network can be made")
}

fn safetensors(folder: &Path) -> Subject {
    let card = |network: &Vae| ModelCard {
        network: network.config().clone(),
        objective: Objective::Vae,
        samples: 1,
        likelihood: Likelihood::CrossEntropy,
        beta: 1.0,
        dataset: "strokes".to_owned(),
        protocol: Protocol::default(),
        classes: vec!["0".to_owned(), "1".to_owned()],
        epochs: 1,
        steps: 10,
        test: Loss::default(),
        latent_statistics: LatentStatistics::of(
            &[0.0, 1.0],
            &[0.1, 0.2],
            Some(&[Some(0)]),
            &["0".to_owned()],
            &[Some(0)],
        ),
        classifier: None,
    };
    let write = |network: &Vae, precision| {
        let path = folder.join("sound");
        TrainedModel::write(network, &card(network), &path, precision).expect("a model can be written");
        fs::read(path).expect("what was written can be read")
    };
    let linear_layers = small(Architecture::Mlp {
        hidden: vec![2],
        activation: HiddenActivation::Tanh,
    });
    let conditional = NetworkConfig {
        classes: 2,
        ..linear_layers.config().clone()
    };
    let conditional = Vae::new(conditional, 1, &Device::flex()).expect("a small network can be made");
    Subject {
        seeds: vec![
            write(&conditional, Precision::Full),
            write(&network(), Precision::Full),
            write(&network(), Precision::Half),
            write(&linear_layers, Precision::Full),
            write(&linear_layers.clone().with_pseudo_inputs(3, 1), Precision::Full),
        ],
        check: Box::new(|path, bytes| {
            let model = TrainedModel::read(path, &Device::flex());
            let again = TrainedModel::from_bytes(bytes, "bytes", &Device::flex());
            if model.is_ok() != again.is_ok() {
                return Err("the file is read and the same bytes are not, or the other way round".to_owned());
            }
            answer(model, used)
        }),
    }
}

/// Decodes a point of the prior of a model that was read.
fn used(model: &TrainedModel) -> String {
    let inference = Inference::new(&model.network);
    let point = inference.config().points(&prior_sample(&inference, 0, 0), &[0]);
    let images = morphvae::evaluation::decode(&inference, &point).expect("that is one whole point");
    format!("used: {} of {} channels", images.count(), images.channels())
}

fn pth(_: &Path) -> Subject {
    Subject {
        seeds: seeds::files("../crates/morphvae/tests/fixtures/pytorch", "pth"),
        check: Box::new(|path, _| {
            let file = morphvae::weights::read(path);
            answer(TrainedModel::read(path, &Device::flex()), used)?;
            answer(file, |file| format!("{} tensors", file.tensors.len()))
        }),
    }
}

/// A run of one epoch in `folder`, and its settings.
fn run(folder: &Path) -> RunConfig {
    let config = RunConfig {
        init_from: None,
        conditional: false,
        semi_supervised: None,
        data: DataConfig {
            dataset: "faces".to_owned(),
            data_dir: None,
            images: Some("/images/of faces".into()),
            fit: Fit::Pad,
            order: None,
            limit: Some(40),
            binarize: Some(Binarization::Dynamic),
            validation: Some(5),
            fingerprint: "00ff".to_owned(),
        },
        network: network().config().clone(),
        training: TrainingConfig {
            epochs: 2,
            ..TrainingConfig::default()
        },
    };
    let Dataset { train, test, .. } = strokes(40, 20, 0);
    let data = TrainingData::new(Arc::new(train), Arc::new(test));
    let training = Training::new(network(), config.training.clone()).expect("the settings are sound");
    // What an earlier campaign left may be no run at all.
    fs::remove_dir_all(folder).expect("the folder can be emptied");
    let run = HeldRun::claim(folder, true).expect("a run can be begun");
    run.begin(&config, &training).expect("a run can be written");
    let (training, _) = training
        .epoch(&data, &mut |_| std::ops::ControlFlow::Continue(()))
        .expect("a sound network learns");
    run.save(&config, &training).expect("a checkpoint can be written");
    config
}

fn checkpoint(folder: &Path) -> Subject {
    let config = run(folder);
    let (run, _) = RunFolder::open(folder).expect("the run has just been written");
    Subject {
        seeds: vec![fs::read(run.checkpoint_path()).expect("a checkpoint was written")],
        check: Box::new(move |_, _| {
            let training = Training::load(&run.checkpoint_path(), config.training.clone(), &Device::flex());
            answer(training, |_| "loaded".to_owned())
        }),
    }
}

fn config(folder: &Path) -> Subject {
    run(folder);
    let folder = folder.to_owned();
    Subject {
        seeds: vec![fs::read(folder.join("config.toml")).expect("settings were written")],
        check: Box::new(move |_, _| answer(RunFolder::open(&folder), |_| "opened".to_owned())),
    }
}

fn metrics(folder: &Path) -> Subject {
    run(folder);
    let (run, _) = RunFolder::open(folder).expect("the run has just been written");
    Subject {
        seeds: vec![fs::read(run.metrics_path()).expect("metrics were written")],
        check: Box::new(move |_, _| answer(run.metrics(), |epochs| format!("{} epochs", epochs.len()))),
    }
}

fn attribute(folder: &Path) -> Subject {
    let codes = |mean: &[f32]| Codes {
        latent: 2,
        mean: mean.to_vec(),
        log_variance: vec![0.0; mean.len()],
        ..Codes::default()
    };
    let attribute = Attribute::between("smile", "00ff".to_owned(), &codes(&[0.0, 1.0]), &codes(&[2.0, -1.0]));
    let path = folder.join("sound.json");
    let written = attribute.expect("there is a direction").write(&path);
    written.expect("an attribute can be written");
    Subject {
        seeds: vec![fs::read(path).expect("what was written can be read")],
        check: Box::new(|path, _| {
            answer(Attribute::read(path), |attribute| {
                let added = attribute.add("00ff", &[0.0; 2], 1e30);
                added.map_or_else(|error| error.to_string(), |_| "added".to_owned())
            })
        }),
    }
}

fn epoch_of(epoch: usize) -> EpochMetrics {
    EpochMetrics {
        epoch,
        train_loss: 200.0,
        train_reconstruction: 190.0,
        train_kl: 10.0,
        test_loss: 210.0,
        test_reconstruction: 200.0,
        test_kl: 10.0,
        validation: None,
        informative_latents: 2,
        images_per_second: 1000.0,
        seconds: 60.0,
    }
}

fn replay(folder: &Path) -> Subject {
    let figures = folder.join("figures");
    fs::create_dir_all(&figures).expect("a folder can be made");
    let seed = |images: usize, latent: usize| {
        let split = strokes(1, images, 0).test;
        let network = NetworkConfig {
            latent,
            image_size: split.images.height(),
            ..NetworkConfig::default()
        };
        let pictures = Replay::pictures(&split, &network);
        let mut replay = Replay::of(&split, &pictures, &network);
        for epoch in 1..=3 {
            let codes = Codes {
                latent,
                mean: (0..images * latent).map(|index| (index * epoch) as f32 / 7.0).collect(),
                ..Codes::default()
            };
            replay.add(&codes, pictures.images(), &epoch_of(epoch));
        }
        replay.bytes()
    };
    Subject {
        seeds: vec![seed(12, 2), seed(3, 5), seed(1, 1)],
        check: Box::new(|path, _| {
            let figures = path.parent().ok_or("the file is in a folder")?;
            Ok(Replay::read(figures).map_or_else(
                || "none".to_owned(),
                |replay| format!("{} epochs", replay.last().min(99)),
            ))
        }),
    }
}

/// An image as a file of a folder, as a key and as sent to the explorer, made square in each way in turn.
fn images(folder: &Path, seeds: Vec<Vec<u8>>) -> Subject {
    let folder = folder.join("images");
    fs::create_dir_all(&folder).expect("a folder can be made");
    let mut fits = [Fit::Crop, Fit::Pad, Fit::Stretch].into_iter().cycle();
    let check = move |path: &Path, bytes: &[u8]| {
        let fit = fits.next().unwrap_or_default();
        let options = FolderOptions {
            fit,
            test_fraction: 1.0,
            ..FolderOptions::new(32)
        };
        let as_key = read_image(path, 32, 3, fit).is_ok();
        let among_others = read_folder(&folder, &options).is_ok();
        let sent = decode_image(bytes, 32, 1, fit);
        if as_key != among_others || as_key != sent.is_ok() {
            return Err(format!(
                "read as a key: {as_key}, in a folder: {among_others}, sent: {}",
                sent.is_ok()
            ));
        }
        answer(sent, |_| format!("{fit:?}"))
    };
    Subject {
        seeds,
        check: Box::new(check),
    }
}

fn png(folder: &Path) -> Subject {
    let mut seeds = seeds::encoded(ImageFormat::Png);
    seeds.extend(seeds::files("seeds", "png"));
    images(folder, seeds)
}

fn jpeg(folder: &Path) -> Subject {
    let mut seeds = seeds::encoded(ImageFormat::Jpeg);
    seeds.extend(seeds::files("seeds", "jpg"));
    images(folder, seeds)
}

fn bmp(folder: &Path) -> Subject {
    let mut seeds = seeds::encoded(ImageFormat::Bmp);
    seeds.extend(seeds::files("seeds", "bmp"));
    images(folder, seeds)
}

fn pnm(folder: &Path) -> Subject {
    let mut seeds = seeds::encoded(ImageFormat::Pnm);
    seeds.extend(seeds::netpbm());
    images(folder, seeds)
}

fn webp(folder: &Path) -> Subject {
    let mut seeds = seeds::encoded(ImageFormat::WebP);
    seeds.extend(seeds::files("seeds", "webp"));
    images(folder, seeds)
}
