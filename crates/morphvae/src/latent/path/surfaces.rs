//! Decoders whose metric is known, for tests.

use crate::network::{Decoder, Shape};

/// The plane as it is.
pub(super) struct Plane;
/// Longitude and latitude on the unit sphere.
pub(super) struct Sphere;
/// `z = x² + y²`.
pub(super) struct Paraboloid;

fn surface(points: &[f32], image: impl Fn(f32, f32) -> [f32; 3]) -> Vec<f32> {
    points
        .chunks_exact(2)
        .flat_map(|point| image(point[0], point[1]))
        .collect()
}

impl Decoder for Plane {
    fn latent(&self) -> usize {
        2
    }

    fn image_shape(&self) -> Shape {
        Shape::vector(2)
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        points.to_vec()
    }
}

impl Decoder for Sphere {
    fn latent(&self) -> usize {
        2
    }

    fn image_shape(&self) -> Shape {
        Shape::vector(3)
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        surface(points, |longitude, latitude| {
            let (sine, cosine) = longitude.sin_cos();
            [latitude.cos() * cosine, latitude.cos() * sine, latitude.sin()]
        })
    }
}

impl Decoder for Paraboloid {
    fn latent(&self) -> usize {
        2
    }

    fn image_shape(&self) -> Shape {
        Shape::vector(3)
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        surface(points, |x, y| [x, y, x * x + y * y])
    }
}

/// A space of any number of dimensions with a steep bump at the origin.
pub(super) struct Bump {
    pub(super) latent: usize,
}

impl Decoder for Bump {
    fn latent(&self) -> usize {
        self.latent
    }

    fn image_shape(&self) -> Shape {
        Shape::vector(self.latent + 1)
    }

    fn decode(&self, points: &[f32]) -> Vec<f32> {
        let image = |point: &[f32]| {
            let square: f32 = point.iter().map(|value| value * value).sum();
            let mut image = point.to_vec();
            image.push(4.0 * (-2.0 * square).exp());
            image
        };
        points.chunks_exact(self.latent).flat_map(image).collect()
    }
}
