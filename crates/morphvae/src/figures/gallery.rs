//! All figures of a network, in a folder.

use std::path::{Path, PathBuf};

use super::axis::number;
use super::latent_map::{self, AZIMUTHS, ELEVATION, Plane, Points, Space};
use super::sheet::check_contact_sheet;
use super::{
    Caption, CurvePoint, FigureError, Labels, ManifoldAxes, Terms, check_manifold, contact_sheet, dimension_name,
    learning_curve, manifold, reconstruction, write_gif, write_png,
};
use crate::data::{Images, Split, prepare};
use crate::evaluation::{Codes, decode};
use crate::latent::{Extent, LatentStatistics, PrincipalComponents, Slice, linear_grid, quantile_grid};
use crate::network::{Inference, NetworkConfig, NetworkError};
use crate::objective::Objective;
use crate::probability::Likelihood;
use crate::training::EpochMetrics;

/// Images on the sheet of reconstructions, a side.
const SHEET: usize = 8;
/// The plain grid reaches this many standard deviations to either side.
const LINEAR_RANGE: f64 = 3.0;
/// Views of the turning latent map and the time of each, in hundredths of a second.
const TURN: (usize, u16) = (72, 8);

/// Everything that a network's figures are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Gallery<'a> {
    /// The network.
    pub network: &'a Inference,
    /// The data set's name.
    pub dataset: &'a str,
    /// The images that the network is judged on.
    pub test: &'a Split,
    /// Where they lie in the latent space.
    pub codes: &'a Codes,
    /// The classes' names, in the order of the labels.
    pub classes: &'a [String],
    /// What the network learned by: a plain autoencoder knows of no prior.
    pub objective: Objective,
    /// The finished epochs; without them there is no learning curve.
    pub history: &'a [EpochMetrics],
    /// The epoch after which the network was so, where that is known.
    pub epoch: Option<&'a EpochMetrics>,
    /// The epoch that is kept as the best, where there is one: marked on the learning curve.
    pub best: Option<&'a EpochMetrics>,
    /// Images a side of the sheet of continuously changing images.
    pub grid: usize,
}

impl Gallery<'_> {
    /// Makes sure that the sheets of continuously changing images can be drawn with `grid` images a side, for those who
    /// would otherwise learn of it only when a network has been trained.
    ///
    /// # Errors
    /// [`FigureError::TooLarge`] when they cannot.
    pub fn check(network: &NetworkConfig, grid: usize) -> Result<(), FigureError> {
        match network.latent {
            1 => check_contact_sheet(grid * grid, grid, network.image_size),
            _ => check_manifold(grid, grid, network.image_size),
        }
    }

    /// Draws every figure into `folder` and returns their paths.
    ///
    /// # Errors
    /// [`FigureError`] when there is nothing to draw or a file cannot be written.
    pub fn draw(&self, folder: &Path) -> Result<Vec<PathBuf>, FigureError> {
        let mut figures = Figures {
            folder,
            paths: self.draw_stills(folder)?,
        };
        self.draw_turning_map(&mut figures)?;
        Ok(figures.paths)
    }

    /// Draws every figure that does not move, which takes far less time than those that do.
    ///
    /// # Errors
    /// As [`Gallery::draw`].
    pub fn draw_stills(&self, folder: &Path) -> Result<Vec<PathBuf>, FigureError> {
        let mut figures = Figures {
            folder,
            paths: Vec::new(),
        };
        let latent = self.codes.latent;
        // More than three dimensions are shown along the two in which the images differ most.
        let components = (latent > 3).then(|| PrincipalComponents::of(&self.codes.mean, latent, 2));
        self.draw_reconstruction(&mut figures)?;
        self.draw_latent_map(&mut figures, components.as_ref())?;
        self.draw_manifolds(&mut figures, components.as_ref())?;
        self.draw_learning_curve(&mut figures)?;
        Ok(figures.paths)
    }

    fn subtitle(&self) -> String {
        let Some(EpochMetrics { epoch, test_loss, .. }) = self.epoch else {
            return self.dataset.to_owned();
        };
        let epochs = match self.history.len() {
            1 => "1 epoch".to_owned(),
            all if all == *epoch => format!("{all} epochs"),
            all => format!("epoch {epoch} of {all}"),
        };
        let loss = number(*test_loss, 1);
        format!("{} · {epochs} · test loss {loss} nats per image", self.dataset)
    }

    /// Whether images are to lie where the standard normal distribution does.
    fn has_normal_prior(&self) -> bool {
        self.objective.is_variational() && self.network.network().pseudo_inputs() == 0
    }

    fn draw_reconstruction(&self, figures: &mut Figures) -> Result<(), FigureError> {
        let count = self.test.images.count().min(SHEET * SHEET);
        let config = self.network.config();
        let outputs = decode(self.network, &self.codes.points(config)[..count * config.point()])?;
        let inputs = self.inputs(count)?;
        let picture = reconstruction(
            &inputs,
            &outputs,
            SHEET,
            &Caption::new("Reconstruction", &self.subtitle()),
        )?;
        figures.png("reconstruction.png", &picture)
    }

    /// The first test images as the network sees them.
    fn inputs(&self, count: usize) -> Result<Images, FigureError> {
        let size = self.network.config().image_size;
        let indices: Vec<u32> = (0..count as u32).collect();
        let pixels = prepare(&self.test.images, &indices, size);
        let bytes = pixels.into_iter().map(|value| (value * 255.0).round() as u8).collect();
        Images::new(self.test.images.channels(), size, size, bytes).map_err(|_| FigureError::Empty { what: "images" })
    }

    fn draw_latent_map(
        &self,
        figures: &mut Figures,
        components: Option<&PrincipalComponents>,
    ) -> Result<(), FigureError> {
        let subtitle = self.subtitle();
        let caption = Caption::new("Latent map", &subtitle);
        let points = || self.codes.mean.chunks_exact(self.codes.latent);
        if let Some(components) = components {
            let positions: Vec<[f64; 2]> = points().map(|point| components.project(point)).collect();
            let name = |number: &str, axis: usize| {
                let percent = 100.0 * components.shares[axis];
                format!("{number} principal component ({percent:.0} % of the variance)")
            };
            let [first, second] = [name("first", 0), name("second", 1)];
            let plane = Plane {
                caption,
                axes: [&first, &second],
                prior: false,
            };
            return self.draw_plane(figures, &positions, &plane);
        }
        match self.codes.latent {
            1 => {
                // One dimension leaves room to show how sure the encoder is.
                let deviations = self
                    .codes
                    .log_variance
                    .iter()
                    .map(|&value| f64::from(value / 2.0).exp());
                let positions: Vec<[f64; 2]> = points().zip(deviations).map(|(p, s)| [p[0].into(), s]).collect();
                let plane = Plane {
                    caption,
                    axes: ["z", "standard deviation"],
                    prior: false,
                };
                self.draw_plane(figures, &positions, &plane)
            }
            2 => {
                let positions: Vec<[f64; 2]> = points().map(|p| [p[0].into(), p[1].into()]).collect();
                let plane = Plane {
                    caption,
                    axes: ["z₁", "z₂"],
                    prior: self.has_normal_prior(),
                };
                self.draw_plane(figures, &positions, &plane)
            }
            _ => {
                let positions = self.positions_in_space();
                let points = Points {
                    positions: &positions,
                    labels: self.labels(),
                };
                for azimuth in AZIMUTHS {
                    let picture = latent_map::space(&points, &space(caption), azimuth, ELEVATION)?;
                    figures.png(&format!("latent-map-{azimuth:03.0}.png"), &picture)?;
                }
                Ok(())
            }
        }
    }

    fn draw_plane(&self, figures: &mut Figures, positions: &[[f64; 2]], plane: &Plane) -> Result<(), FigureError> {
        let points = Points {
            positions,
            labels: self.labels(),
        };
        figures.png("latent-map.png", &latent_map::plane(&points, plane)?)
    }

    /// The map of three dimensions as an animation; of other latent spaces there is none.
    fn draw_turning_map(&self, figures: &mut Figures) -> Result<(), FigureError> {
        if self.codes.latent != 3 {
            return Ok(());
        }
        let positions = self.positions_in_space();
        let points = Points {
            positions: &positions,
            labels: self.labels(),
        };
        let (frames, delay) = TURN;
        let turning = latent_map::turning(&points, &space(Caption::default()), ELEVATION, frames)?;
        figures.gif("latent-map-turning.gif", &turning, delay)
    }

    fn positions_in_space(&self) -> Vec<[f64; 3]> {
        let means = self.codes.mean.chunks_exact(3);
        means.map(|p| [p[0].into(), p[1].into(), p[2].into()]).collect()
    }

    fn labels(&self) -> Option<Labels<'_>> {
        let indices = self.test.labels.as_deref()?;
        Some(Labels {
            indices,
            classes: self.classes,
        })
    }

    fn draw_manifolds(
        &self,
        figures: &mut Figures,
        components: Option<&PrincipalComponents>,
    ) -> Result<(), FigureError> {
        let ground = Ground::of(self);
        let evenly: Grid = |count| linear_grid(count, LINEAR_RANGE);
        let sheets = [
            ("images-by-quantile.png", quantile_grid as Grid, ground.by_quantile()),
            ("images-on-a-line.png", evenly, ground.on_a_line()),
        ];
        for (name, deviations, [title, place]) in sheets {
            let subtitle = self.subtitle() + &self.told() + place;
            let caption = Caption::new(title, &subtitle);
            let picture = if self.codes.latent == 1 {
                let line = ground.extent.values(0, &deviations(self.grid * self.grid));
                let line: Vec<f32> = line.into_iter().map(|value| value as f32).collect();
                contact_sheet(&self.decoded(&line)?, self.grid, &caption)?
            } else {
                self.manifold(&deviations(self.grid), &ground, components, &caption)?
            };
            figures.png(name, &picture)?;
        }
        Ok(())
    }

    /// The images at points of the latent space, and of a conditional network those of its first class.
    fn decoded(&self, points: &[f32]) -> Result<Images, NetworkError> {
        decode(&self.network.given_or_first(None)?, points)
    }

    /// Which class that is, for a subtitle.
    fn told(&self) -> String {
        match self.classes.first() {
            Some(class) if self.network.config().is_conditional() => format!(" · class {class}"),
            _ => String::new(),
        }
    }

    /// The images of a plane: of the two widest dimensions, or of the two main directions of many.
    fn manifold(
        &self,
        deviations: &[f64],
        ground: &Ground,
        components: Option<&PrincipalComponents>,
        caption: &Caption,
    ) -> Result<image::RgbImage, FigureError> {
        let extent = &ground.extent;
        let (slice, names, [columns, mut rows]) = match components {
            None => {
                let axes = if self.codes.latent == 2 {
                    [0, 1]
                } else {
                    extent.widest()
                };
                (
                    Slice::axes(&extent.base, axes)?,
                    axes.map(dimension_name),
                    axes.map(|axis| extent.values(axis, deviations)),
                )
            }
            // Measured from the mean, so that they reach as far as the encodings do.
            Some(components) => (
                Slice::components(components, &extent.base, [0, 1])?,
                ["first principal component", "second principal component"].map(String::from),
                [0, 1].map(|axis| {
                    let deviation = components.deviation(axis);
                    deviations.iter().map(|count| deviation * count).collect()
                }),
            ),
        };
        rows.reverse();
        let points = slice.points(&columns, &rows);
        let axes = ManifoldAxes {
            names: names.each_ref().map(String::as_str),
            columns: &columns,
            rows: &rows,
        };
        manifold(&self.decoded(&points)?, &axes, caption)
    }

    fn draw_learning_curve(&self, figures: &mut Figures) -> Result<(), FigureError> {
        if self.history.is_empty() {
            return Ok(());
        }
        let points: Vec<CurvePoint> = self
            .history
            .iter()
            .map(|epoch| CurvePoint {
                epoch: epoch.epoch as u32,
                train: Terms {
                    loss: epoch.train_loss,
                    reconstruction: epoch.train_reconstruction,
                    kl: epoch.train_kl,
                },
                test: Terms {
                    loss: epoch.test_loss,
                    reconstruction: epoch.test_reconstruction,
                    kl: epoch.test_kl,
                },
                validation_loss: epoch.validation.map(|validation| validation.loss),
            })
            .collect();
        let term = match self.network.network().likelihood() {
            Likelihood::CrossEntropy => "cross-entropy",
            // The negative log-likelihood: the whole name has no room beside the lines.
            _ => "NLL",
        };
        let best = self.best.map(|best| best.epoch as u32);
        let picture = learning_curve(&points, term, best, &Caption::new("Learning curve", &self.subtitle()))?;
        figures.png("learning-curve.png", &picture)
    }
}

fn space(caption: Caption) -> Space {
    Space {
        caption,
        axes: ["z₁", "z₂", "z₃"],
    }
}

/// So many values, counted in standard deviations.
type Grid = fn(usize) -> Vec<f64>;

/// Where the sheets of images run.
struct Ground {
    extent: Extent,
    /// Latent dimensions, where the prior does not say where images lie.
    encoded: Option<usize>,
}

impl Ground {
    /// The standard normal prior of a plane is filled with images. That of more dimensions is not, and a plain
    /// autoencoder has none: there the encodings say where images lie.
    fn of(gallery: &Gallery) -> Self {
        let latent = gallery.codes.latent;
        if latent <= 2 && gallery.has_normal_prior() {
            return Self {
                extent: Extent::of_prior(latent),
                encoded: None,
            };
        }
        let statistics = LatentStatistics::of(&gallery.codes.mean, &vec![0.0; latent], None, &[], &[]);
        Self {
            extent: Extent::of(&statistics),
            encoded: Some(latent),
        }
    }

    /// The title of the sheet that is spaced by quantiles, and what its subtitle ends with.
    fn by_quantile(&self) -> [&'static str; 2] {
        match self.encoded {
            None => ["Continuously changing images, spaced by quantiles of the prior", ""],
            Some(1 | 2) => [
                "Continuously changing images, spaced by quantiles",
                " · of a normal as wide as the encodings, around their mean",
            ],
            Some(_) => [
                "Continuously changing images, spaced by quantiles",
                " · of a normal as wide as the encodings, through the one nearest to their mean",
            ],
        }
    }

    /// The same of the evenly spaced sheet.
    fn on_a_line(&self) -> [&'static str; 2] {
        let place = match self.encoded {
            None => "",
            Some(1 | 2) => " · 3σ of the encodings to either side of their mean",
            Some(_) => " · 3σ of the encodings to either side of their mean, through the one nearest to it",
        };
        ["Continuously changing images, evenly spaced", place]
    }
}

/// Figures written so far.
struct Figures<'a> {
    folder: &'a Path,
    paths: Vec<PathBuf>,
}

impl Figures<'_> {
    fn png(&mut self, name: &str, picture: &image::RgbImage) -> Result<(), FigureError> {
        let path = self.folder.join(name);
        write_png(&path, picture)?;
        self.paths.push(path);
        Ok(())
    }

    fn gif(&mut self, name: &str, frames: &[image::RgbImage], delay: u16) -> Result<(), FigureError> {
        let path = self.folder.join(name);
        write_gif(&path, frames, delay)?;
        self.paths.push(path);
        Ok(())
    }
}
