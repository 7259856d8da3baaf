//! Images drawn around what a decoder says.

use rayon::prelude::*;

use super::to_byte;
use crate::data::Images;
use crate::network::{BATCH, Inference, NetworkError, to_values};
use crate::random::{Purpose, generator};

/// The images at points that the decoder takes, `[count, latent]` or `[count, latent + classes]`, each pixel drawn from its
/// [distribution](crate::probability::Likelihood::draw) around what the decoder says, where
/// [`decode`](super::decode) has the mean: 8 bits a channel. The images are those of number `first` on of a seed.
///
/// # Errors
/// [`NetworkError::Points`] when the numbers are no whole points.
pub fn draw(network: &Inference, points: &[f32], seed: u64, first: u64) -> Result<Images, NetworkError> {
    let config = network.config();
    let (latent, shape) = (config.point(), config.image_shape());
    if !points.len().is_multiple_of(latent) {
        return Err(NetworkError::Points {
            latent,
            found: points.len(),
        });
    }
    let (likelihood, scale) = (network.network().likelihood(), network.network().likelihood_scale());
    let mut pixels = Vec::with_capacity(points.len() / latent * shape.length());
    for (batch, points) in points.chunks(BATCH * latent).enumerate() {
        let mut locations = to_values(network.locate(network.points(points.to_vec())).flatten(0, 3));
        let images = locations.par_chunks_mut(shape.length()).enumerate();
        images.for_each(|(index, locations)| {
            let number = first + (batch * BATCH + index) as u64;
            likelihood.draw(locations, scale, &mut generator(seed, Purpose::Pixels, number));
        });
        pixels.extend(locations.into_iter().map(to_byte));
    }
    Ok(Images::new(shape.channels, shape.side, shape.side, pixels).expect("a decoder gives whole images"))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::evaluation::decode;
    use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae};

    #[test]
    fn many_draws_have_the_mean_that_is_decoded() {
        let config = NetworkConfig {
            image_size: 4,
            latent: 2,
            architecture: Architecture::Mlp {
                hidden: vec![6],
                activation: HiddenActivation::Tanh,
            },
            ..NetworkConfig::default()
        };
        let network = Inference::new(&Vae::new(config, 1, &Device::flex()).unwrap());
        let count = 2000;
        let points: Vec<f32> = [0.7_f32, -1.3].repeat(count);
        let drawn = draw(&network, &points, 4, 10).unwrap();
        assert!(drawn.is_binary());
        let mean = decode(&network, &points[..2]).unwrap();
        for (place, &mean) in mean.image(0).iter().enumerate() {
            let sum: f64 = (0..count).map(|index| f64::from(drawn.image(index)[place])).sum();
            assert!((sum / count as f64 - f64::from(mean)).abs() < 16.0, "{place}");
        }
        // An image is that of its number, whatever is drawn beside it.
        let later = draw(&network, &points[..10], 4, 15).unwrap();
        assert_eq!(later.pixels(), &drawn.pixels()[5 * 16..10 * 16]);
        assert_ne!(drawn.image(0), drawn.image(1));
        assert!(draw(&network, &points[..3], 4, 0).is_err());
    }
}
