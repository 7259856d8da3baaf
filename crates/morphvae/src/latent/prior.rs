//! The prior: points drawn from it, and grids over the standard normal one.

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, Normal};

use super::Mixture;
use crate::network::Inference;
use crate::random::{Purpose, generator};

/// The `index`-th point, `[latent]`, that a seed draws from a network's prior.
#[must_use]
pub fn prior_sample(network: &Inference, seed: u64, index: u64) -> Vec<f32> {
    let latent = network.config().latent;
    // A prior that is no distribution has points that are no numbers.
    let Ok(prior) = Mixture::of_prior(network) else {
        return vec![f32::NAN; latent];
    };
    prior.draw(1.0, &mut generator(seed, Purpose::Prior, index))
}

/// The class of the same point, where the network is conditional: each is as likely as any other.
#[must_use]
pub fn class_sample(network: &Inference, seed: u64, index: u64) -> Option<u16> {
    let classes = network.config().classes;
    (classes > 0).then(|| generator(seed, Purpose::Classes, index).random_range(0..classes) as u16)
}

/// The value below which a standard normal number lies with `probability`; infinite at 0 and 1, NaN outside of them.
#[must_use]
pub fn normal_quantile(probability: f64) -> f64 {
    if (0.0..=1.0).contains(&probability) {
        Normal::standard().inverse_cdf(probability)
    } else {
        f64::NAN
    }
}

/// `count` ascending values that cut the standard normal into pieces of equal probability, each in its piece's middle:
/// the quantiles of `(i + 1/2) / count`.
#[must_use]
pub fn quantile_grid(count: usize) -> Vec<f64> {
    (0..count)
        .map(|index| normal_quantile((index as f64 + 0.5) / count as f64))
        .collect()
}

/// `count` evenly spaced values from `-range` to `range`; zero alone for one.
#[must_use]
pub fn linear_grid(count: usize, range: f64) -> Vec<f64> {
    match count {
        1 => vec![0.0],
        _ => (0..count)
            .map(|index| range * (2.0 * index as f64 / (count - 1) as f64 - 1.0))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::network::{Architecture, HiddenActivation, NetworkConfig, Vae, to_values};
    use crate::random::noise;

    #[test]
    fn a_point_of_a_mixture_is_one_of_a_component() {
        let config = NetworkConfig {
            image_size: 4,
            latent: 3,
            architecture: Architecture::Mlp {
                hidden: vec![6],
                activation: HiddenActivation::Tanh,
            },
            ..NetworkConfig::default()
        };
        let network = Vae::new(config, 1, &Device::flex()).unwrap();
        let plain = prior_sample(&Inference::new(&network), 5, 2);
        assert_eq!(plain, noise(5, Purpose::Prior, 2, 3));
        let network = Inference::new(&network.with_pseudo_inputs(4, 9));
        let components = network.prior().unwrap();
        let values = |tensor: &Tensor<2>| to_values(tensor.clone().flatten::<1>(0, 1));
        let (means, logs) = (values(&components.mean), values(&components.log_variance));
        let mut met = [false; 4];
        for index in 0..40 {
            let (point, noise) = (prior_sample(&network, 5, index), noise(5, Purpose::Prior, index, 3));
            let is_of = |component: usize| {
                (0..3).all(|axis| {
                    let place = component * 3 + axis;
                    let truth = f64::from(means[place]) + f64::from(noise[axis]) * (f64::from(logs[place]) / 2.0).exp();
                    (f64::from(point[axis]) - truth).abs() < 1e-5
                })
            };
            let component = (0..4)
                .find(|&component| is_of(component))
                .expect("a component has drawn it");
            met[component] = true;
        }
        assert_eq!(met, [true; 4]);
    }

    /// The probability that a standard normal number is below `x`: Marsaglia's series (2004), which converges
    /// everywhere and is good to about 1e-16 near the middle.
    fn normal_distribution(x: f64) -> f64 {
        let (mut term, mut sum, mut order) = (x, x, 1.0);
        loop {
            order += 2.0;
            term *= x * x / order;
            let next = sum + term;
            if next == sum {
                let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
                return 0.5 + sum * density;
            }
            sum = next;
        }
    }

    #[test]
    #[expect(
        clippy::excessive_precision,
        reason = "more digits than a number keeps show that it is the nearest"
    )]
    fn quantiles_are_the_tabulated_ones() {
        // The roots of erfc(-x / √2) / 2 = probability, found with mpmath in 50 digits; the probabilities are taken for
        // the 64-bit numbers nearest to them.
        for (probability, quantile) in [
            (1e-300, -37.047_096_299_361_199_24),
            (1e-100, -21.273_453_560_965_324_29),
            (1e-20, -9.262_340_089_798_407_58),
            (1e-11, -6.706_023_155_495_136_296),
            (2e-11, -6.604_077_590_405_634_278),
            (1e-6, -4.753_424_308_822_898_957),
            (0.001, -3.090_232_306_167_813_535),
            (0.074_9, -1.440_238_267_527_963_663),
            (0.075_1, -1.438_825_392_752_539_982),
            (0.25, -0.674_489_750_196_081_743_2),
            (0.4, -0.253_347_103_135_799_741_3),
            (0.924_9, 1.438_825_392_752_540_374),
            (0.925_1, 1.440_238_267_527_963_859),
            (0.975, 1.959_963_984_540_053_856),
            (0.999, 3.090_232_306_167_813_278),
            (0.999_999_999_9, 6.361_340_889_697_421_864),
        ] {
            let found = normal_quantile(probability);
            assert!(
                (found - quantile).abs() <= 1e-15 * quantile.abs(),
                "{probability}: {found} instead of {quantile}"
            );
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn the_ends_are_infinite_and_there_is_nothing_beyond_them() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        for outside in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(normal_quantile(outside).is_nan(), "{outside}");
        }
    }

    #[test]
    fn the_distribution_function_leads_back() {
        for step in 1..1000 {
            let probability = f64::from(step) / 1000.0;
            let back = normal_distribution(normal_quantile(probability));
            assert!((back - probability).abs() < 1e-15, "{probability}: {back}");
        }
    }

    #[test]
    fn grids_are_symmetric_and_ascend() {
        for grid in [
            quantile_grid(7),
            linear_grid(8, 2.0),
            quantile_grid(1),
            linear_grid(1, 3.0),
        ] {
            assert!(grid.windows(2).all(|pair| pair[0] < pair[1]), "{grid:?}");
            for (low, high) in grid.iter().zip(grid.iter().rev()) {
                assert!((low + high).abs() < 1e-14, "{grid:?}");
            }
        }
    }
}
