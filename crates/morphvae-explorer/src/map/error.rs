//! Why a latent map could not be put together.

use thiserror::Error;

/// What does not belong together.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// Codes that are not those of the images.
    #[error("{numbers} numbers are not the codes of {images} images in {latent} latent dimension(s)")]
    Codes {
        /// Images that are shown.
        images: usize,
        /// The network's latent dimensions.
        latent: usize,
        /// Numbers in the means.
        numbers: usize,
    },
    /// Images that the network does not take.
    #[error("the network takes images of {expected} channel(s), but these have {found}")]
    Channels {
        /// What the network was made for.
        expected: usize,
        /// What the images have.
        found: usize,
    },
}
