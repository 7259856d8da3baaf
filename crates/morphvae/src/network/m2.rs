//! A model of features and classes of which few are known: M2 of Kingma, Rezende, Mohamed and Welling, "Semi-supervised
//! learning with deep generative models" (2014).

use std::f64::consts::TAU;

use burn::module::Module;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::accelerate::Operations;
use super::architecture::linear;
use super::layers::{Initializer, StageWeights};
use super::plan::{Activation, Shape, Stage};
use super::stack::Stack;
use super::state::{filled, state_of};
use super::{MOST_CLASSES, MOST_HIDDEN_LAYERS, MOST_HIDDEN_UNITS, MOST_LATENTS, NetworkError, to_values};
use crate::probability::{Posterior, kl_divergence};
use crate::random::{Generator, Purpose, generator};
use crate::weights::{StateDict, match_names};

/// What the names of its tensors begin with: they lie in one file with those of the network that gives the features.
pub(crate) const M2_NAMES: &str = "m2.";

/// Everything that decides the shapes of an [`M2`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct M2Config {
    /// Which latents of another network, M1, are its features x, in ascending order.
    pub features: Vec<usize>,
    /// The classes y.
    pub classes: usize,
    /// Dimensions of its own latents z.
    pub latent: usize,
    /// Units of each hidden layer of its three networks, starting at what goes in; they go through `log(1 + exp(x))`.
    pub hidden: Vec<usize>,
}

/// `p(x, y, z) = p(y) p(z) p(x | y, z)`: all classes are equally likely, latents are standard normal, and features a diagonal
/// Gaussian around what the decoder says of both, with a variance that it says, too. Beside it the encoder `q(z | x, y)`, a
/// diagonal Gaussian, and the classifier `q(y | x)`.
#[derive(Module, Debug)]
pub struct M2 {
    // In the order in which weights are named.
    classifier: Stack,
    logits: StageWeights,
    encoder: Gaussian,
    decoder: Gaussian,
    #[module(skip)]
    config: M2Config,
    #[module(skip)]
    operations: Operations,
}

/// Hidden layers that end in the mean and the log variance of a diagonal Gaussian.
#[derive(Module, Debug)]
struct Gaussian {
    hidden: Stack,
    mean: StageWeights,
    log_variance: StageWeights,
}

/// Images that M2 learns from in a step.
#[derive(Clone, Debug)]
pub struct M2Batch {
    /// `[images, features]`; the images whose class is known come first.
    pub features: Vec<f32>,
    /// The classes of these.
    pub classes: Vec<u16>,
    /// Standard normal deviates, `[images, latent]`. An image has the same ones whichever class it is tried with, so that
    /// bounds of different classes differ by the class alone.
    pub noise: Vec<f32>,
}

/// What M2 says of a batch, in nats an image.
#[derive(Clone, Debug)]
pub struct M2Terms {
    /// The negative bound of `log p(x, y)` of each image whose class is known, `[labelled]` (equation 6).
    pub labelled: Tensor<1>,
    /// The negative bound of `log p(x)` of each other, `[unlabelled]`: the sum over all classes (equation 7).
    pub unlabelled: Tensor<1>,
    /// `-log q(y | x)` of each image whose class is known, `[labelled]`.
    pub cross_entropy: Tensor<1>,
}

impl M2Config {
    /// Checks every number.
    ///
    /// # Errors
    /// [`NetworkError::Configuration`] names the first that no such network can have.
    pub fn validate(&self) -> Result<(), NetworkError> {
        let check = |fits: bool, name, value, allowed| match fits {
            true => Ok(()),
            false => Err(NetworkError::Configuration { name, value, allowed }),
        };
        let ascend = self.features.windows(2).all(|pair| pair[0] < pair[1]);
        let features = self.features.len();
        check(
            ascend && (1..=MOST_LATENTS).contains(&features),
            "the number of features",
            features,
            "from 1 to 4096 latents in ascending order",
        )?;
        check(
            (2..=MOST_CLASSES).contains(&self.classes),
            "the number of classes to tell apart",
            self.classes,
            "from 2 to 1000",
        )?;
        check(
            (1..=MOST_LATENTS).contains(&self.latent),
            "the latent size",
            self.latent,
            "from 1 to 4096",
        )?;
        check(
            (1..=MOST_HIDDEN_LAYERS).contains(&self.hidden.len()),
            "the number of hidden layers",
            self.hidden.len(),
            "from 1 to 8",
        )?;
        self.hidden.iter().try_for_each(|&units| {
            check(
                (1..=MOST_HIDDEN_UNITS).contains(&units),
                "the number of hidden units",
                units,
                "from 1 to 8192",
            )
        })
    }

    /// Hidden layers behind so many inputs.
    fn hidden_layers(&self, name: &str, inputs: usize) -> Vec<Stage> {
        let inputs = [inputs].into_iter().chain(self.hidden.iter().copied());
        let stage = |(index, (inputs, &units)): (usize, (usize, &usize))| {
            let name = format!("{M2_NAMES}{name}{}", index + 1);
            linear(&name, Shape::vector(inputs), Shape::vector(units), Activation::Softplus)
        };
        inputs.zip(&self.hidden).enumerate().map(stage).collect()
    }

    /// A linear layer behind the last hidden one.
    fn head(&self, name: &str, outputs: usize) -> Stage {
        let inputs = self.hidden.last().copied().unwrap_or_default();
        let name = format!("{M2_NAMES}{name}");
        linear(
            &name,
            Shape::vector(inputs),
            Shape::vector(outputs),
            Activation::Identity,
        )
    }
}

impl M2 {
    /// One with random weights: the same ones for the same seed.
    ///
    /// # Errors
    /// As [`M2Config::validate`].
    pub fn new(config: M2Config, seed: u64, device: &Device) -> Result<Self, NetworkError> {
        Self::build(config, Some(generator(seed, Purpose::SemiSupervisedWeights, 0)), device)
    }

    /// One with the given weights.
    ///
    /// # Errors
    /// As [`M2Config::validate`]; [`NetworkError::Weights`] lists every tensor that is missing, superfluous or misshapen.
    pub fn from_state(config: M2Config, state: &StateDict, device: &Device) -> Result<Self, NetworkError> {
        let network = Self::build(config, None, device)?;
        let tensors: Vec<_> = network.stages().flat_map(|stage| stage.stage.tensors()).collect();
        match_names(&tensors, state)?;
        let names = network.names();
        Ok(filled(network, names, state))
    }

    fn build(config: M2Config, generator: Option<Generator>, device: &Device) -> Result<Self, NetworkError> {
        config.validate()?;
        let mut initializer = Initializer { generator, device };
        let (features, classes) = (config.features.len(), config.classes);
        let mut gaussian = |name: &str, heads: [&str; 2], inputs, outputs| Gaussian {
            hidden: Stack::new(config.hidden_layers(name, inputs), &mut initializer),
            mean: initializer.stage(config.head(heads[0], outputs)),
            log_variance: initializer.stage(config.head(heads[1], outputs)),
        };
        let encoder = gaussian("encoder", ["mean", "var"], features + classes, config.latent);
        let decoder = gaussian(
            "decoder",
            ["feature_mean", "feature_var"],
            config.latent + classes,
            features,
        );
        Ok(Self {
            classifier: Stack::new(config.hidden_layers("classifier", features), &mut initializer),
            logits: initializer.stage(config.head("logits", classes)),
            encoder,
            decoder,
            operations: Operations::of_device(device),
            config,
        })
    }

    /// What decides its shapes.
    #[must_use]
    pub fn config(&self) -> &M2Config {
        &self.config
    }

    /// Where the weights are.
    #[must_use]
    pub fn device(&self) -> Device {
        self.logits.device()
    }

    /// The weights, named and shaped as PyTorch would: `m2.classifier1.0.weight` and so on.
    #[must_use]
    pub fn state(&self) -> StateDict {
        state_of(self, self.names())
    }

    /// The names of all tensors in the order in which a module meets its parameters.
    pub(crate) fn names(&self) -> std::vec::IntoIter<String> {
        let tensors = self.stages().flat_map(|stage| stage.stage.tensors());
        tensors.map(|(name, _)| name).collect::<Vec<_>>().into_iter()
    }

    fn stages(&self) -> impl Iterator<Item = &StageWeights> {
        let classifier = self.classifier.stages().chain([&self.logits]);
        classifier.chain(self.encoder.stages()).chain(self.decoder.stages())
    }

    /// The probability of each class, `[images, classes]`, for features `[images, features]`.
    #[must_use]
    pub fn probabilities(&self, features: Vec<f32>) -> Vec<f32> {
        let features = self.rows(features, self.config.features.len());
        to_values(softmax(self.logits(features), 1).flatten(0, 1))
    }

    /// The means of the features that the decoder tells of latents, `[images, latent]`, and classes: `[images, features]`.
    #[must_use]
    pub fn decode(&self, latents: Vec<f32>, classes: &[u16]) -> Vec<f32> {
        let told = classes
            .iter()
            .flat_map(|&class| told(class, self.config.classes))
            .collect();
        let points = vec![
            self.rows(latents, self.config.latent),
            self.rows(told, self.config.classes),
        ];
        to_values(
            self.decoder
                .of(Tensor::cat(points, 1), self.operations)
                .mean
                .flatten(0, 1),
        )
    }

    /// What is to become small, term by term: gradients flow to all weights.
    #[must_use]
    pub fn train_pass(&self, batch: &M2Batch) -> M2Terms {
        let M2Config { features, classes, .. } = &self.config;
        let (images, labelled) = (batch.features.len() / features.len(), batch.classes.len());
        let unlabelled = images - labelled;
        let mut bounds = self
            .bounds(&Pairs::of(batch, &self.config))
            .split_with_sizes(vec![labelled, unlabelled * classes], 0);
        let of_classes: Tensor<2> = bounds.remove(1).reshape([*classes, unlabelled]);

        let features = self.rows(batch.features.clone(), features.len());
        let mut log_shares = log_softmax(self.logits(features), 1).split_with_sizes(vec![labelled, unlabelled], 0);
        let log_shares_of_unlabelled = log_shares.remove(1).transpose();
        let shares = log_shares_of_unlabelled.clone().exp();
        let unlabelled = (shares * (of_classes + log_shares_of_unlabelled))
            .sum_dim(0)
            .squeeze_dim(0);

        let known: Vec<i64> = batch.classes.iter().copied().map(i64::from).collect();
        let known = Tensor::<2, Int>::from_data(TensorData::new(known, [labelled, 1]), &self.device());
        M2Terms {
            labelled: bounds.remove(0),
            unlabelled,
            cross_entropy: log_shares.remove(0).gather(1, known).neg().squeeze_dim(1),
        }
    }

    /// The negative bound of `log p(x, y)`, `[pairs]`.
    fn bounds(&self, pairs: &Pairs) -> Tensor<1> {
        let M2Config {
            features,
            classes,
            latent,
            ..
        } = &self.config;
        let told = self.rows(pairs.told.clone(), *classes);
        let features = self.rows(pairs.features.clone(), features.len());
        let posterior = self
            .encoder
            .of(Tensor::cat(vec![features.clone(), told.clone()], 1), self.operations);
        let latents = posterior.sample(self.rows(pairs.noise.clone(), *latent));
        let said = self.decoder.of(Tensor::cat(vec![latents, told], 1), self.operations);
        let divergence = kl_divergence(&posterior).sum_dim(1);
        let density = negative_log_density(features, said).sum_dim(1);
        (density + divergence).squeeze_dim(1).add_scalar((*classes as f64).ln())
    }

    /// The logarithms of the classes' probabilities, each image's up to a constant: `[images, classes]`.
    fn logits(&self, features: Tensor<2>) -> Tensor<2> {
        let features = features.unsqueeze_dims(&[2, 3]);
        let hidden = self.classifier.train_pass(features, self.operations, &mut Vec::new());
        self.logits.train_with(self.operations, hidden).0.flatten(1, 3)
    }

    fn rows(&self, values: Vec<f32>, width: usize) -> Tensor<2> {
        let shape = [values.len() / width, width];
        Tensor::from_data(TensorData::new(values, shape), &self.device())
    }
}

impl Gaussian {
    fn of(&self, input: Tensor<2>, operations: Operations) -> Posterior {
        let hidden = self
            .hidden
            .train_pass(input.unsqueeze_dims(&[2, 3]), operations, &mut Vec::new());
        let head = |stage: &StageWeights, hidden| stage.train_with(operations, hidden).0.flatten(1, 3);
        Posterior {
            mean: head(&self.mean, hidden.clone()),
            log_variance: head(&self.log_variance, hidden),
        }
    }

    fn stages(&self) -> impl Iterator<Item = &StageWeights> {
        self.hidden.stages().chain([&self.mean, &self.log_variance])
    }
}

/// `-log N(x; mean, variance)` of each number.
fn negative_log_density(values: Tensor<2>, of: Posterior) -> Tensor<2> {
    let difference = values - of.mean;
    let squares = difference.clone() * difference * of.log_variance.clone().neg().exp();
    (squares + of.log_variance).add_scalar(TAU.ln()).mul_scalar(0.5)
}

/// One where the class is, and zeros.
fn told(class: u16, classes: usize) -> impl Iterator<Item = f32> {
    (0..classes).map(move |other| f32::from(u8::from(other == usize::from(class))))
}

/// Images, each beside a class that is its own or is tried.
struct Pairs {
    /// `[pairs, features]`
    features: Vec<f32>,
    /// One where the class is, and zeros: `[pairs, classes]`.
    told: Vec<f32>,
    /// `[pairs, latent]`
    noise: Vec<f32>,
}

impl Pairs {
    /// First the images whose class is known, then all others with the first class, with the second, and so on.
    fn of(batch: &M2Batch, config: &M2Config) -> Self {
        let images = batch.features.len() / config.features.len();
        let known = batch.classes.iter().copied().enumerate();
        let others =
            (0..config.classes as u16).flat_map(|class| (batch.classes.len()..images).map(move |image| (image, class)));
        let mut pairs = Self {
            features: Vec::new(),
            told: Vec::new(),
            noise: Vec::new(),
        };
        for (image, class) in known.chain(others) {
            let place = |width: usize| image * width..(image + 1) * width;
            pairs
                .features
                .extend_from_slice(&batch.features[place(config.features.len())]);
            pairs.noise.extend_from_slice(&batch.noise[place(config.latent)]);
            pairs.told.extend(told(class, config.classes));
        }
        pairs
    }
}
