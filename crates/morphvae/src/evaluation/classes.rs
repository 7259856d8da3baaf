//! Which class a conditional network is told of an image.

use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData};

use crate::data::Examples;
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
    let count = images.dims()[0];
    let mut best = vec![(f32::INFINITY, 0); count];
    for class in 0..network.config().classes as u16 {
        let condition = Condition::of_classes(&vec![class; count], network.config(), &images.device());
        let posterior = network.encode(images.clone(), &condition);
        let location = network.locate(condition.append(posterior.mean.clone()));
        let errors = network.network().reconstruction_loss(images.clone(), location);
        let divergences = kl_divergence(&posterior).sum_dim(1).squeeze_dim::<1>(1);
        for (best, loss) in best.iter_mut().zip(to_values(errors + divergences)) {
            if loss < best.0 {
                *best = (loss, class);
            }
        }
    }
    best.into_iter().map(|(_, class)| class).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::Images;
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
