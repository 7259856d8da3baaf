//! Frames along a path, and how evenly they change.

use image::RgbImage;
use morphvae::data::Images;
use morphvae::evaluation::{decode, encode};
use morphvae::figures::clip::Repeat;
use morphvae::figures::latent_map::{Plane, Points, Route, route};
use morphvae::figures::{Caption, Labels, clip_sheets};
use morphvae::latent::PrincipalComponents;
use morphvae::latent::path::{Frames, LatentPath, Motion, PathKind, magnification};
use morphvae::network::{Decoder, Inference};

use super::pace::Pace;
use super::watched::Watched;
use crate::arguments::MorphArguments;
use crate::console::{Console, Unit};
use crate::interrupt::Stopped;
use crate::keys::KeyReader;

/// Images that are decoded at a time.
const BATCH: usize = 100;

pub struct Walk {
    pub closed: bool,
    pub frames: Frames,
    pub images: Images,
    pub motion: Motion,
    pub straight: Motion,
}

impl Walk {
    pub fn along(
        points: &[Vec<f32>],
        pace: &Pace,
        network: &Inference,
        arguments: &MorphArguments,
        console: Console,
    ) -> anyhow::Result<Self> {
        let closed = pace.repeat == Repeat::Cycle;
        let ways = Watched::ways(network, pace.gaits.len(), console);
        let path = LatentPath::through(arguments.path, points, closed, &ways)?;
        drop(ways);
        let even = !arguments.uneven;
        // The frames are decoded for themselves, to be measured, and beside those of the straight line.
        let count = path.most_decoded(pace.steps, even) + 3 * pace.frames();
        let watched = Watched::images(network, count, console);
        let frames = path.frames_by(&watched, pace.steps, even, &pace.gaits)?;
        let line = LatentPath::through(PathKind::Line, points, closed, &watched)?;
        let straight = line.frames_by(&watched, pace.steps, false, &pace.gaits)?;
        Ok(Self {
            closed,
            motion: Motion::of(&watched, &frames.points, closed)?,
            straight: Motion::of(&watched, &straight.points, closed)?,
            images: decoded(network, &watched, &frames.points)?,
            frames,
        })
    }

    pub fn draw_sheets(&self, names: &[String]) -> anyhow::Result<Vec<RgbImage>> {
        let caption = Caption::default();
        Ok(clip_sheets(
            &self.images,
            &self.frames.keys,
            names,
            self.closed,
            &caption,
        )?)
    }

    /// The path over the encoded test images, or by itself where there are none to be had; more than two dimensions are
    /// shown along the two main directions.
    pub fn draw_map(&self, names: &[String], reader: &mut KeyReader, network: &Inference) -> anyhow::Result<RgbImage> {
        let (split, classes) = reader.shown()?.unzip();
        let classes = classes.unwrap_or_default();
        let means = split.map(|split| encode(network, &split.images));
        let means = means.transpose()?.map_or_else(Vec::new, |codes| codes.mean);
        let latent = network.config().latent;
        let components = (latent != 2).then(|| {
            let cloud = if means.is_empty() { &self.frames.points } else { &means };
            PrincipalComponents::of(cloud, latent, 2)
        });
        let place = |point: &[f32]| match &components {
            None => [f64::from(point[0]), f64::from(point[1])],
            Some(components) => components.project(point),
        };
        let places = |points: &[f32]| points.chunks_exact(latent).map(place).collect::<Vec<[f64; 2]>>();
        let (positions, along) = (places(&means), places(&self.frames.points));
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
        let title = names.join(" → ");
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
            names,
            closed: self.closed,
            // A plane through more dimensions does not hold the path.
            relief: (latent == 2).then_some(&relief),
        };
        Ok(route(&points, &plane, &drawn)?)
    }
}

/// The images at points, unless somebody presses Ctrl-C before they are all decoded.
fn decoded(network: &Inference, watched: &Watched, points: &[f32]) -> anyhow::Result<Images> {
    let config = network.config();
    let mut pixels = Vec::with_capacity(points.len() / config.latent * config.image_length());
    for batch in points.chunks(BATCH * config.latent) {
        if watched.check().is_break() {
            return Err(Stopped.into());
        }
        pixels.extend_from_slice(decode(network, batch)?.pixels());
        watched.advance(batch.len() / config.latent, Unit::Images);
    }
    Ok(Images::new(
        config.channels,
        config.image_size,
        config.image_size,
        pixels,
    )?)
}
