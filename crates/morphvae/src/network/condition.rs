//! What a conditional network is told of an image besides its pixels: its class.

use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor, TensorData};

use super::{Decoder, Inference, NetworkConfig, NetworkError, Shape, Stage};

/// How much of each class the images of a batch are of, `[batch, classes]`; nothing for a network that is not conditional.
///
/// It joins the input of the first linear layers that an image and a latent come to, which the plan has wider by so many: that
/// of an encoder of linear layers, the heads of one of convolutions, and the decoder's first stage (the conditional
/// variational autoencoder of Sohn, Lee and Yan, 2015).
#[derive(Clone, Debug)]
pub struct Condition {
    weights: Option<Tensor<2>>,
}

impl Condition {
    /// That of a network that is not conditional.
    #[must_use]
    pub fn none() -> Self {
        Self { weights: None }
    }

    /// Images of one class each, as this network is to be told: 1 for that class and 0 for all others. Nothing for a
    /// network that is not conditional.
    #[must_use]
    pub fn of_classes(classes: &[u16], network: &NetworkConfig, device: &Device) -> Self {
        if !network.is_conditional() {
            return Self::none();
        }
        let count = network.classes;
        let mut weights = vec![0.0_f32; classes.len() * count];
        for (row, &class) in weights.chunks_exact_mut(count).zip(classes) {
            if let Some(weight) = row.get_mut(usize::from(class)) {
                *weight = 1.0;
            }
        }
        let weights = TensorData::new(weights, [classes.len(), count]);
        Self {
            weights: Some(Tensor::from_data(weights, device)),
        }
    }

    /// The same for so many samples of each image: those of the first sample, then those of the next.
    #[must_use]
    pub fn repeat(&self, samples: usize) -> Self {
        let repeated = |weights: &Tensor<2>| match samples {
            1 => weights.clone(),
            _ => weights.clone().repeat_dim(0, samples),
        };
        Self {
            weights: self.weights.as_ref().map(repeated),
        }
    }

    /// That of image `index` of the batch, for so many points.
    #[must_use]
    pub(crate) fn of_image(&self, index: usize, points: usize) -> Self {
        let weights = self.weights.as_ref().map(|weights| {
            let row = weights.clone().slice_dim(0, index..index + 1);
            row.repeat_dim(0, points)
        });
        Self { weights }
    }

    /// Latents, `[batch, latent]`, as points that a decoder takes: `[batch, latent + classes]`.
    #[must_use]
    pub fn append(&self, latents: Tensor<2>) -> Tensor<2> {
        match &self.weights {
            Some(weights) => Tensor::cat(vec![latents, weights.clone()], 1),
            None => latents,
        }
    }

    /// The same of a stage's input, `[batch, channels, side, side]`, if the stage is one that is told.
    pub(super) fn join(&self, input: Tensor<4>, stage: &Stage) -> Tensor<4> {
        let [_, channels, height, width] = input.dims();
        match &self.weights {
            Some(_) if stage.input.length() > channels * height * width => {
                self.append(input.flatten(1, 3)).unsqueeze_dims(&[2, 3])
            }
            _ => input,
        }
    }
}

/// A network's decoder for latents alone: for one class, where it is conditional.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    network: &'a Inference,
    class: u16,
}

impl Inference {
    /// The decoder for one class, whose points are latents alone: `[count, latent]`.
    ///
    /// # Errors
    /// [`NetworkError::Unconditional`] for a network that takes no class; [`NetworkError::UnknownClass`] for one that it
    /// does not know.
    pub fn given(&self, class: u16) -> Result<Given<'_>, NetworkError> {
        self.config().check_class(class)?;
        Ok(Given { network: self, class })
    }

    /// The decoder of latents alone for any network: for this class, or for the first, where it is conditional.
    ///
    /// # Errors
    /// As [`Inference::given`], for a class that is named.
    pub fn given_or_first(&self, class: Option<u16>) -> Result<Given<'_>, NetworkError> {
        match class {
            Some(class) => self.given(class),
            // A network that is not conditional has no use for it.
            None => Ok(Given {
                network: self,
                class: 0,
            }),
        }
    }
}

impl NetworkConfig {
    /// Whether encoder and decoder are told the class of each image.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        self.classes > 0
    }

    /// How many numbers the decoder takes for an image: the latents, and of a conditional network the weights of the classes
    /// after them.
    #[must_use]
    pub fn point(&self) -> usize {
        self.latent + self.classes
    }

    /// Makes sure that a conditional network knows a class.
    ///
    /// # Errors
    /// [`NetworkError::Unconditional`] and [`NetworkError::UnknownClass`].
    pub fn check_class(&self, class: u16) -> Result<(), NetworkError> {
        match self.classes {
            0 => Err(NetworkError::Unconditional),
            classes if usize::from(class) < classes => Ok(()),
            classes => Err(NetworkError::UnknownClass { class, classes }),
        }
    }

    /// Latents, `[count, latent]`, each with its class, as points that the decoder takes: `[count, latent + classes]`. Of a
    /// network that is not conditional they are the same.
    #[must_use]
    pub fn points(&self, latents: &[f32], classes: &[u16]) -> Vec<f32> {
        if !self.is_conditional() {
            return latents.to_vec();
        }
        let mut points = Vec::with_capacity(latents.len() / self.latent * self.point());
        for (latents, &class) in latents.chunks_exact(self.latent).zip(classes) {
            points.extend_from_slice(latents);
            points.extend((0..self.classes).map(|other| f32::from(u8::from(other == usize::from(class)))));
        }
        points
    }
}

impl Decoder for Given<'_> {
    fn latent(&self) -> usize {
        self.network.config().latent
    }

    fn image_shape(&self) -> Shape {
        self.network.image_shape()
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let classes = vec![self.class; points.len() / self.latent()];
        Decoder::decode(self.network, &self.network.config().points(points, &classes))
    }

    fn check(&self) -> ControlFlow<()> {
        self.network.check()
    }
}

/// Points whose class weights are those of a mixture: none below zero, and one in sum. On paths between classes they may
/// have become otherwise; those of one class stay as they are.
pub(super) fn mixed(network: &NetworkConfig, points: &[f32]) -> Vec<f32> {
    let mut points = points.to_vec();
    for point in points.chunks_exact_mut(network.point()) {
        let weights = &mut point[network.latent..];
        weights.iter_mut().for_each(|weight| *weight = weight.max(0.0));
        let sum: f32 = weights.iter().sum();
        match sum > 0.0 {
            true => weights.iter_mut().for_each(|weight| *weight /= sum),
            false => weights.fill(1.0 / network.classes as f32),
        }
    }
    points
}
