//! Which class a conditional network is told of an image.

use std::ops::{ControlFlow, Range};

use burn::tensor::{Int, Tensor, TensorData};

use super::{batches, check_channels, load};
use crate::data::{Examples, Images};
use crate::network::{Condition, Inference, NetworkConfig, NetworkError, to_values};
use crate::probability::kl_divergence;

/// Makes sure that every image has a class, where the network is to be told it.
///
/// # Errors
/// [`NetworkError::Unlabelled`] when one has none that a conditional network knows.
pub(crate) fn check_classes(network: &NetworkConfig, examples: Examples) -> Result<(), NetworkError> {
    let images = examples.images.count();
    let known = known(network, examples, 0..images).len();
    match network.is_conditional() && known < images {
        true => Err(NetworkError::Unlabelled {
            missing: images - known,
            images,
        }),
        false => Ok(()),
    }
}

/// The label of each image in `range`, where it has one that the network knows.
pub(super) fn labels(network: &NetworkConfig, examples: Examples, range: Range<usize>) -> Vec<Option<u16>> {
    let known = |&class: &u16| network.check_class(class).is_ok();
    range.map(|index| examples.label(index).filter(known)).collect()
}

/// The classes of the images in `range` that have one which the network knows: of all, after [`check_classes`].
pub(super) fn known(network: &NetworkConfig, examples: Examples, range: Range<usize>) -> Vec<u16> {
    labels(network, examples, range).into_iter().flatten().collect()
}

/// What a network is told of images of these classes.
pub(super) fn condition(network: &Inference, classes: &[u16]) -> Condition {
    Condition::of_classes(classes, network.config(), &network.network().device())
}

/// The class of each image of a batch, with these labels: its label, where it has one, else the class that
/// explains it best. Nothing where the network is not conditional.
///
/// What explains an image best is the class under which the evidence lower bound is highest, taken at the posterior's mean
/// instead of at samples, with all classes equally likely.
pub(super) fn classes(network: &Inference, labels: Vec<Option<u16>>, images: &Tensor<4>) -> Vec<u16> {
    if !network.config().is_conditional() {
        return Vec::new();
    }
    let rows = (0_i64..).zip(&labels).filter(|(_, label)| label.is_none());
    let rows: Vec<i64> = rows.map(|(row, _)| row).collect();
    let mut found = Vec::new().into_iter();
    if !rows.is_empty() {
        let count = rows.len();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &images.device());
        found = best(network, images.clone().select(0, rows)).into_iter();
    }
    labels
        .into_iter()
        .filter_map(|label| label.or_else(|| found.next()))
        .collect()
}

/// The class under which each image has the highest lower bound.
fn best(network: &Inference, images: Tensor<4>) -> Vec<u16> {
    let mut best = vec![(f32::INFINITY, 0); images.dims()[0]];
    for (class, losses) in (0..).zip(losses(network, images)) {
        for (best, loss) in best.iter_mut().zip(losses) {
            if loss < best.0 {
                *best = (loss, class);
            }
        }
    }
    best.into_iter().map(|(_, class)| class).collect()
}

/// The negative lower bound of each image under each class in turn, at the posterior's mean.
fn losses(network: &Inference, images: Tensor<4>) -> impl Iterator<Item = Vec<f32>> {
    let count = images.dims()[0];
    (0..network.config().classes as u16).map(move |class| {
        let condition = Condition::of_classes(&vec![class; count], network.config(), &images.device());
        let posterior = network.encode(images.clone(), &condition);
        let location = network.locate(condition.append(posterior.mean.clone()));
        let errors = network.network().reconstruction_loss(images.clone(), location);
        let divergences = kl_divergence(&posterior).sum_dim(1).squeeze_dim::<1>(1);
        to_values(errors + divergences)
    })
}

/// How probable a conditional network holds each class of each image for, `[images, classes]`: as by Bayes' rule, where all
/// classes are equally likely and the evidence lower bound at the posterior's mean stands for log p(image | class).
///
/// `observe` is told after each batch how many images are done; nothing is returned when it breaks.
///
/// # Errors
/// [`NetworkError::Unconditional`] for a network that takes no class; [`NetworkError::Channels`] for images of another kind
/// than the network's.
pub fn class_probabilities(
    network: &Inference,
    images: &Images,
    observe: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Vec<f32>>, NetworkError> {
    let classes = network.config().classes;
    if classes == 0 {
        return Err(NetworkError::Unconditional);
    }
    check_channels(network.config(), images)?;
    let mut probabilities = vec![0.0; images.count() * classes];
    for range in batches(images.count()) {
        let rows = range.clone();
        for (class, losses) in losses(network, load(network, images, range)).enumerate() {
            for (image, loss) in rows.clone().zip(losses) {
                probabilities[image * classes + class] = loss;
            }
        }
        for losses in probabilities[rows.start * classes..rows.end * classes].chunks_exact_mut(classes) {
            let least = losses.iter().copied().fold(f32::INFINITY, f32::min);
            losses.iter_mut().for_each(|loss| *loss = (least - *loss).exp());
            let sum: f32 = losses.iter().sum();
            losses.iter_mut().for_each(|weight| *weight /= sum);
        }
        if observe(rows.end).is_break() {
            return Ok(None);
        }
    }
    Ok(Some(probabilities))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::evaluation::{encode, reconstruct};
    use crate::network::{Architecture, HiddenActivation, Vae};
    use crate::probability::Likelihood;

    const CLASSES: usize = 4;

    /// A network that draws one white pixel for each class, and nothing else.
    fn network() -> Inference {
        let config = NetworkConfig {
            image_size: 2,
            channels: 1,
            latent: 1,
            classes: CLASSES,
            architecture: Architecture::Mlp {
                hidden: vec![CLASSES],
                activation: HiddenActivation::Relu,
            },
        };
        let device = Device::flex();
        let mut state = Vae::new(config.clone(), 3, &device).unwrap().state();
        let mut fill = |name: &str, value: &dyn Fn(usize, usize) -> f32| {
            let array = state.get_mut(name).unwrap();
            let width = *array.shape.last().unwrap();
            for (index, number) in array.values.iter_mut().enumerate() {
                *number = value(index / width, index % width);
            }
        };
        let diagonal = |row: usize, column: usize| f32::from(u8::from(row == column));
        // A hidden unit for each class, which come after the latent, and a pixel for each unit.
        fill("decoder1.0.weight", &|unit, input| diagonal(unit + 1, input));
        fill("decoder1.0.bias", &|_, _| 0.0);
        fill("location.0.weight", &|pixel, unit| 12.0 * diagonal(pixel, unit));
        fill("location.0.bias", &|_, _| -6.0);
        Inference::new(&Vae::from_state(config, &state, Likelihood::CrossEntropy, &device).unwrap())
    }

    fn images(classes: &[u16]) -> Images {
        let pixel = |class: u16| (0..4_u16).map(move |pixel| 255 * u8::from(pixel == class));
        Images::new(1, 2, 2, classes.iter().copied().flat_map(pixel).collect()).unwrap()
    }

    #[test]
    fn classes_that_are_not_told_are_those_that_draw_the_image() {
        let (network, classes) = (network(), [2, 0, 3, 1, 1]);
        let images = images(&classes);
        assert_eq!(encode(&network, &images).unwrap().classes, classes);
        // A label decides where there is one, even a wrong one; one that the network does not know is none.
        let labels = [Some(0), None, Some(9), None, Some(1)];
        let examples = Examples {
            images: &images,
            labels: Some(&labels),
        };
        let codes = encode(&network, examples).unwrap();
        assert_eq!(codes.classes, [0, 0, 3, 1, 1]);
        // What is not told is encoded as if it were told what is found.
        let told: Vec<Option<u16>> = codes.classes.iter().copied().map(Some).collect();
        let labels = Some(&told[..]);
        let examples = Examples { labels, ..examples };
        assert_eq!(encode(&network, examples).unwrap(), codes);
        let drawn = reconstruct(&network, examples).unwrap();
        let brightest = |index: usize| (0..4_u16).max_by_key(|&pixel| drawn.image(index)[usize::from(pixel)]);
        let brightest: Vec<u16> = (0..5).filter_map(brightest).collect();
        assert_eq!(brightest, codes.classes);
    }

    #[test]
    fn the_likeliest_class_is_the_one_that_draws_the_image() {
        let (network, classes) = (network(), [2, 0, 3, 1, 1]);
        let images = images(&classes);
        let mut go_on = |_| ControlFlow::Continue(());
        let found = class_probabilities(&network, &images, &mut go_on).unwrap().unwrap();
        for (row, class) in found.chunks(CLASSES).zip(classes) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!(row[usize::from(class)] > 0.9, "{row:?}");
        }
        let stopped = class_probabilities(&network, &images, &mut |_| ControlFlow::Break(()));
        assert!(stopped.unwrap().is_none());
    }

    #[test]
    fn images_without_a_class_are_counted() {
        let (network, images) = (network(), images(&[0, 1, 2]));
        let check = |labels: Option<&[Option<u16>]>| {
            let examples = Examples {
                images: &images,
                labels,
            };
            check_classes(network.config(), examples).map_err(|error| error.to_string())
        };
        assert_eq!(check(Some(&[Some(0), Some(3), Some(1)])), Ok(()));
        for (labels, missing) in [(None, 3), (Some(&[Some(0), Some(4), None][..]), 2)] {
            let message = check(labels).unwrap_err();
            assert!(message.starts_with(&format!("{missing} of 3 images")), "{message}");
        }
    }
}
