//! Pictures: everything that turns arrays into figures.
//!
//! A figure is a function from images or numbers to an [`image::RgbImage`]; it knows nothing of networks and touches no
//! file. [`write_png`] and [`write_gif`] put pictures on disk, and a [`Gallery`] is all of a network's figures at once.
//!
//! - [`contact_sheet`], [`class_sheet`], [`clip_sheets`], [`reconstruction`], [`pairs`]: many images on one
//!   page;
//! - [`latent_map`]: encoded images as points of the plane or of space;
//! - [`manifold`](fn@manifold): the images that a plane of latents decodes to;
//! - [`traversals`](fn@traversals): what each latent dimension does;
//! - [`learning_curve`]: the loss and its terms by epoch;
//! - [`error_curve`]: the share of images that a classifier takes for another class, by epoch;
//! - [`bound_curve`]: the bound below the likelihood by the number of samples;
//! - [`probe`](fn@probe): how far straight boundaries tell classes apart;
//! - [`recipes`](fn@recipes): how well classifiers do by what they learned from;
//! - [`clip`]: a row of images as an animation or as numbered pictures.
//!
//! What would be too large is known beforehand: [`Gallery::check`], [`check_manifold`], [`check_traversals`].
//!
//! All of them share one page (`canvas`, `text`), one way of writing numbers (`axis`) and one set of colours
//! (`palette`). The typeface is Inter, cut down to Latin, Greek and the signs of the axes; its licence lies beside it.

mod axis;
mod bound_curve;
mod canvas;
mod caption;
pub mod clip;
mod curve;
mod enlarged;
mod error;
mod error_curve;
mod gallery;
mod gif;
pub mod latent_map;
mod manifold;
mod palette;
mod probe;
mod recipes;
mod restyled;
mod sheet;
mod text;
mod traversals;
mod write;

pub use bound_curve::bound_curve;
pub use canvas::Shape;
pub use caption::Caption;
pub use curve::{CurvePoint, Terms, learning_curve};
pub use error::FigureError;
pub use error_curve::{ErrorPoint, error_curve};
pub use gallery::Gallery;
pub use gif::write_gif;
pub use manifold::{ManifoldAxes, check_manifold, manifold};
pub use palette::{ClassMark, class_marks};
pub use probe::{ProbedModel, probe};
pub use recipes::{RecipeRow, recipes};
pub use restyled::{check_restyled, restyled};
pub use sheet::{class_sheet, clip_sheet_count, clip_sheets, contact_sheet, pairs, reconstruction};
pub use traversals::{TraversalRow, check_traversals, dimension_name, traversals};
pub use write::write_png;

use std::collections::BTreeSet;

/// The classes of a row of things: points, images.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// For each item that has one, an index into `classes`.
    pub indices: &'a [Option<u16>],
    /// The classes' names.
    pub classes: &'a [String],
}

impl Labels<'_> {
    /// Makes sure that something is said of every one of `count` items, and that every label has a name.
    fn check(&self, count: usize) -> Result<(), FigureError> {
        if self.indices.len() != count {
            return Err(FigureError::Mismatch {
                what: "labels",
                expected: count,
                got: self.indices.len(),
            });
        }
        let mut known = self.indices.iter().flatten();
        match known.find(|&&label| usize::from(label) >= self.classes.len()) {
            Some(&label) => Err(FigureError::UnknownClass {
                label,
                classes: self.classes.len(),
            }),
            None => Ok(()),
        }
    }

    /// The classes that items have, in their order.
    fn classes_present(&self) -> BTreeSet<usize> {
        self.indices.iter().flatten().copied().map(usize::from).collect()
    }

    /// Whether some of the items have no label.
    fn some_are_missing(&self) -> bool {
        self.indices.contains(&None)
    }
}

/// What stands for the class of items that have none.
const NO_LABEL: &str = "no label";
