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
    /// The reparameterization: `mean + noise · exp(log variance / 2)`, with `noise` and result `[samples x batch, latent]`:
    /// a first sample of each image, then a second.
    #[must_use]
    pub fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        let deviation = self.log_variance.clone().mul_scalar(0.5).exp();
        match noise.dims()[0] / self.mean.dims()[0].max(1) {
            0 | 1 => self.mean.clone() + noise * deviation,
            samples => self.mean.clone().repeat_dim(0, samples) + noise * deviation.repeat_dim(0, samples),
        }
    }

    /// The same as if each image were there so many times: all of them, then all of them again.
    #[must_use]
    pub fn repeat(&self, samples: usize) -> Self {
        Self {
            mean: self.mean.clone().repeat_dim(0, samples),
            log_variance: self.log_variance.clone().repeat_dim(0, samples),
        }
    }

    /// The same as numbers that no gradient flows through.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self {
            mean: self.mean.clone().detach(),
            log_variance: self.log_variance.clone().detach(),
        }
    }
}
