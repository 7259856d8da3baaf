//! One style through all classes of a conditional model.

use std::ffi::OsString;

use image::RgbImage;

use super::event::tell;
use super::keys::{self, Keys, Place};
use super::{Event, Observer, StudioError};
use crate::data::{Images, prepare};
use crate::evaluation::decode;
use crate::figures::{Caption, check_restyled, restyled};

/// Styles, and what each looks like as every class.
#[derive(Clone, Debug)]
pub struct Restyled {
    /// What the styles' keys are called on figures.
    pub names: Vec<String>,
    /// The classes' names, in the order of the labels.
    pub classes: Vec<String>,
    /// The decoder's points, each `[latent + classes]`: every class of the first style, then those of the next.
    pub points: Vec<Vec<f32>>,
    /// The images there.
    pub images: Images,
    /// The image that each style was taken from, of the network's size, if it was one.
    pub originals: Vec<Option<Images>>,
}

impl Restyled {
    /// Takes the style of each key, whatever class it has, through all classes of a conditional model.
    ///
    /// # Errors
    /// As [`Keys::place`]; [`KeyError::Unconditional`](super::KeyError::Unconditional) where the model is not conditional;
    /// [`StudioError::Figure`] when the sheet of it would be too large; [`StudioError::Stopped`].
    pub fn of(styles: &[OsString], keys: &mut Keys, observer: &Observer) -> Result<Self, StudioError> {
        let model = keys.model();
        let config = model.network().config();
        model.check_conditional()?;
        check_restyled(styles.len(), config.classes, config.image_size)?;
        let mut points = Vec::new();
        let mut originals = Vec::new();
        for (number, key) in styles.iter().enumerate() {
            let of = styles.len();
            tell(observer, Event::Locating { done: number, of })?;
            let Place { latents, image, .. } = keys.place(key, number, &[])?;
            let classes = 0..config.classes as u16;
            points.extend(classes.map(|class| config.points(&latents, &[class])));
            originals.push(image.map(|image| fitted(&image, config.image_size)).transpose()?);
        }
        Ok(Self {
            names: keys::names(styles),
            classes: keys.classes()?,
            images: decode(model.inference(), &points.concat())?,
            points,
            originals,
        })
    }

    /// A row for each style and a column for each class, the styles' own images before them.
    ///
    /// # Errors
    /// [`StudioError::Figure`] when it cannot be drawn.
    pub fn sheet(&self, caption: &Caption) -> Result<RgbImage, StudioError> {
        Ok(restyled(
            &self.images,
            &self.originals,
            &self.names,
            &self.classes,
            caption,
        )?)
    }
}

/// An image as the network sees it.
fn fitted(image: &Images, size: usize) -> Result<Images, StudioError> {
    let pixels = prepare(image, &[0], size);
    let bytes = pixels.into_iter().map(|value| (value * 255.0).round() as u8).collect();
    Ok(Images::new(image.channels(), size, size, bytes)?)
}
