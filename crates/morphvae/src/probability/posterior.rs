//! What an encoder says of an image.

use burn::tensor::Tensor;

/// The encoder's answer for a batch: a diagonal Gaussian for each image.
#[derive(Clone, Debug)]
pub struct Posterior {
    /// Means, `[batch, latent]`.
    pub mean: Tensor<2>,
    /// Logarithms of the variances, `[batch, latent]`.
    pub log_variance: Tensor<2>,
}

impl Posterior {
    /// The reparameterization: `mean + noise · exp(log variance / 2)`, with `noise` and result `[batch, latent]`.
    #[must_use]
    pub fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + noise * self.log_variance.clone().mul_scalar(0.5).exp()
    }
}
