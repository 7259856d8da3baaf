//! A clip's path over the latent map.

use image::RgbImage;

use super::super::{Keys, StudioError};
use super::Walk;
use crate::evaluation::encode;
use crate::figures::latent_map::{Plane, Points, Route, route};
use crate::figures::{Caption, Labels};
use crate::latent::PrincipalComponents;
use crate::latent::path::magnification;

impl Walk {
    /// The path over the encoded test images, or by itself where there are none to be had; more than two dimensions are
    /// shown along the two main directions.
    ///
    /// # Errors
    /// When images that were named cannot be read, or the map cannot be drawn.
    pub fn map(&self, keys: &mut Keys) -> Result<RgbImage, StudioError> {
        let network = keys.model().inference();
        let (split, classes) = keys.shown()?.unzip();
        let classes = classes.unwrap_or_default();
        let means = split.map(|split| encode(network, split));
        let means = means.transpose()?.map_or_else(Vec::new, |codes| codes.mean);
        let (latent, point) = (network.config().latent, network.config().point());
        // Of a conditional network the map shows the latents, whatever the classes are.
        let way = self
            .frames
            .points
            .chunks_exact(point)
            .flat_map(|point| &point[..latent]);
        let way: Vec<f32> = way.copied().collect();
        let components = (latent != 2).then(|| {
            let cloud = if means.is_empty() { &way } else { &means };
            PrincipalComponents::of(cloud, latent, 2)
        });
        let place = |point: &[f32]| match &components {
            None => [f64::from(point[0]), f64::from(point[1])],
            Some(components) => components.project(point),
        };
        let places = |points: &[f32]| points.chunks_exact(latent).map(place).collect::<Vec<[f64; 2]>>();
        let (positions, along) = (places(&means), places(&way));
        let points = Points {
            positions: &positions,
            labels: split.and_then(|split| split.labels.as_deref()).map(|indices| Labels {
                indices,
                classes: &classes,
            }),
        };
        let axes = match components {
            None => ["z₁", "z₂"],
            Some(_) if means.is_empty() => ["first principal component of the path", "second principal component"],
            Some(_) => ["first principal component", "second principal component"],
        };
        let title = self.names.join(" → ");
        let plane = Plane {
            caption: Caption::title(&title),
            axes,
            prior: false,
        };
        // A network by itself is never stopped.
        let relief = |points: &[f32]| magnification(network, points).unwrap_or_default();
        let drawn = Route {
            positions: &along,
            frames: &self.images,
            keys: &self.frames.keys,
            names: &self.names,
            closed: self.pace.is_closed(),
            // A plane through more dimensions does not hold the path, and neither does one of a single class.
            relief: (point == 2).then_some(&relief),
        };
        Ok(route(&points, &plane, &drawn)?)
    }
}
