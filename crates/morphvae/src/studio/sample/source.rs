//! What is drawn from, class by class.

use std::path::Path;

use super::{Origin, SampleError, SampleRequest};
use crate::data::{Split, read_image};
use crate::evaluation::Codes;
use crate::latent::{ClassStatistics, FitOptions, Gaussian, Mixture, MixtureError, fit, posterior};
use crate::studio::images::note;
use crate::studio::{ImageRequest, Model, Observer, Part, StudioError};

/// Images that a mixture is fitted to, at most: of more, as many are taken at equal distances.
const MOST_FITTED: usize = 10_000;

/// All that is drawn from.
#[derive(Debug)]
pub(super) struct Groups {
    /// One at least.
    pub list: Vec<Group>,
    /// How often each is met in the data, `[groups]`: they sum to one.
    pub shares: Vec<f64>,
    /// The names of all classes, in the order of the labels; empty where images have none.
    pub classes: Vec<String>,
    /// What was encoded for it, and how many images, if any were.
    pub fitted: Option<(String, usize)>,
}

/// Images of one class, or of none.
#[derive(Debug)]
pub(super) struct Group {
    pub label: Option<u16>,
    pub mixture: Mixture,
    /// Images that it was made of.
    images: usize,
}

/// Encoded images with their labels.
struct Encoded {
    codes: Codes,
    /// None where not every image has one.
    labels: Option<Vec<u16>>,
    classes: Vec<String>,
    name: String,
}

impl Groups {
    pub fn of(
        model: &Model,
        request: &SampleRequest,
        images: &ImageRequest,
        observer: &Observer,
    ) -> Result<Self, StudioError> {
        match &request.from {
            Origin::Prior => of_prior(model, request),
            Origin::Class => match of_card(model, request)? {
                Some(groups) => Ok(groups),
                None => of_mixture(model, request, 1, images, observer),
            },
            Origin::Mixture => of_mixture(model, request, request.components, images, observer),
            Origin::Images(path) => of_images(model, request, path, images, observer),
        }
    }

    fn new(list: Vec<Group>, classes: Vec<String>, fitted: Option<(String, usize)>) -> Self {
        let sum = list.iter().map(|group| group.images).sum::<usize>().max(1) as f64;
        let shares = match list.len() {
            1 => vec![1.0],
            _ => list.iter().map(|group| group.images as f64 / sum).collect(),
        };
        Self {
            list,
            shares,
            classes,
            fitted,
        }
    }
}

fn is_variational(model: &Model) -> bool {
    model.card().is_none_or(|card| card.objective.is_variational())
}

fn of_prior(model: &Model, request: &SampleRequest) -> Result<Groups, StudioError> {
    if !is_variational(model) {
        return Err(SampleError::Plain { what: "prior" }.into());
    }
    let is_conditional = model.network().config().is_conditional();
    if !request.classes.is_empty() && !is_conditional {
        return Err(SampleError::PriorWithoutClasses.into());
    }
    let mixture =
        Mixture::of_prior(model.inference()).map_err(|source| SampleError::Mixture { class: None, source })?;
    if let (true, Some(card)) = (is_conditional, model.card()) {
        // One prior for the latents, whatever the class is.
        let known = &card.latent_statistics.classes;
        let images = |label: u16| known.get(usize::from(label)).map_or(1, |class| class.images);
        let group = |label| Group {
            label: Some(label),
            mixture: mixture.clone(),
            images: images(label),
        };
        let labels = wanted(&card.classes, &vec![1; card.classes.len()], &request.classes)?;
        let list = labels.into_iter().map(group).collect();
        return Ok(Groups::new(list, card.classes.clone(), None));
    }
    let group = Group {
        label: None,
        mixture,
        images: 0,
    };
    Ok(Groups::new(vec![group], Vec::new(), None))
}

/// A Gaussian for each class by what the model's card says; nothing where it says nothing.
fn of_card(model: &Model, request: &SampleRequest) -> Result<Option<Groups>, StudioError> {
    let latent = model.network().config().latent;
    let Some(card) = model.card().filter(|card| !card.latent_statistics.classes.is_empty()) else {
        return Ok(None);
    };
    let statistics = &card.latent_statistics.classes;
    let names: Vec<String> = statistics.iter().map(|class| class.name.clone()).collect();
    let of_class = |label: u16| {
        let ClassStatistics {
            name,
            images,
            mean,
            variance,
            ..
        } = &statistics[usize::from(label)];
        let gaussian = Gaussian::independent(mean.clone(), variance).filter(|gaussian| gaussian.mean().len() == latent);
        let gaussian = gaussian.ok_or_else(|| SampleError::Mixture {
            class: None,
            source: MixtureError::NotFinite { what: name.clone() },
        })?;
        Ok(Group {
            label: Some(label),
            mixture: Mixture::single(gaussian),
            images: *images,
        })
    };
    let counts: Vec<usize> = statistics.iter().map(|class| class.images).collect();
    let list = wanted(&names, &counts, &request.classes)?
        .into_iter()
        .map(of_class)
        .collect::<Result<_, SampleError>>()?;
    Ok(Some(Groups::new(list, names, None)))
}

/// The labels of the classes that are wanted, or of all that have images.
fn wanted(classes: &[String], counts: &[usize], asked: &[String]) -> Result<Vec<u16>, SampleError> {
    let label = |class: &String| {
        let known = classes.iter().position(|known| known == class);
        let place = known.ok_or_else(|| SampleError::UnknownClass {
            class: class.clone(),
            classes: classes.to_vec(),
        })?;
        match counts[place] {
            0 => Err(SampleError::EmptyClass { class: class.clone() }),
            _ => Ok(place as u16),
        }
    };
    let mut labels: Vec<u16> = match asked.is_empty() {
        true => (0..classes.len())
            .filter(|&place| counts[place] > 0)
            .map(|place| place as u16)
            .collect(),
        false => asked.iter().map(label).collect::<Result<_, _>>()?,
    };
    labels.sort_unstable();
    labels.dedup();
    Ok(labels)
}

/// A mixture for each class of the training images, or for all.
fn of_mixture(
    model: &Model,
    request: &SampleRequest,
    components: usize,
    images: &ImageRequest,
    observer: &Observer,
) -> Result<Groups, StudioError> {
    let dataset = model.divided_images(images, request.limit, observer)?;
    let (name, classes) = (dataset.name.clone(), dataset.classes.clone());
    let encoded = encoded(model, Part::Train.take(dataset)?, classes, name, observer)?;
    let is_variational = is_variational(model);
    let mixture = |label: Option<u16>, members: &[usize]| {
        let step = members.len().div_ceil(MOST_FITTED).max(1);
        let members: Vec<usize> = members.iter().copied().step_by(step).collect();
        let (means, logs) = encoded.of(&members);
        // The codes of a plain autoencoder are points, whatever its untrained variances are.
        let variances: Vec<f32> = logs
            .iter()
            .map(|log| if is_variational { log.exp() } else { 0.0 })
            .collect();
        let options = FitOptions {
            components,
            seed: request.seed,
            number: label.map_or(0, |label| u64::from(label) + 1),
        };
        let found = fit(encoded.codes.latent, &means, &variances, options);
        Ok(found.map_err(|source| encoded.failed(label, source))?.mixture)
    };
    let list = encoded.by_class(request, mixture)?;
    let fitted = Some((encoded.name.clone(), encoded.count()));
    Ok(Groups::new(list, encoded.named_classes(), fitted))
}

/// The posteriors of a file, or of a folder's images, in equal parts.
fn of_images(
    model: &Model,
    request: &SampleRequest,
    path: &Path,
    images: &ImageRequest,
    observer: &Observer,
) -> Result<Groups, StudioError> {
    if !is_variational(model) {
        return Err(SampleError::Plain { what: "posteriors" }.into());
    }
    let fit = images.fit.unwrap_or(model.fit());
    let encoded = if path.is_dir() {
        let folder = ImageRequest {
            fit: images.fit,
            channels: images.channels,
            strict: images.strict,
            ..ImageRequest::folder(path)
        };
        let dataset = model.images(&folder, request.limit, observer)?;
        let (name, classes) = (dataset.name.clone(), dataset.classes.clone());
        encoded(model, Part::Test.take(dataset)?, classes, name, observer)?
    } else {
        let config = model.network().config();
        let split = Split {
            images: read_image(path, config.image_size, config.channels, fit)?,
            labels: None,
            sources: None,
        };
        encoded(model, split, Vec::new(), path.display().to_string(), observer)?
    };
    let mixture = |label: Option<u16>, members: &[usize]| {
        let (means, logs) = encoded.of(members);
        let latent = encoded.codes.latent;
        let pairs = means.chunks_exact(latent).zip(logs.chunks_exact(latent));
        let posteriors: Option<Vec<Gaussian>> = pairs.map(|(mean, log)| posterior(mean, log)).collect();
        let failed = || MixtureError::NotFinite {
            what: "an image".to_owned(),
        };
        let posteriors = posteriors.ok_or_else(|| encoded.failed(label, failed()))?;
        Ok(Mixture::in_equal_parts(posteriors))
    };
    let fitted = Some((encoded.name.clone(), encoded.count()));
    let is_conditional = model.network().config().is_conditional();
    if is_conditional && path.is_file() && !request.classes.is_empty() {
        // The style of a file in whatever classes are asked for.
        let classes = encoded.named_classes();
        let mixture = mixture(None, &[0])?;
        let group = |label| Group {
            label: Some(label),
            mixture: mixture.clone(),
            images: 1,
        };
        let labels = wanted(&classes, &vec![1; classes.len()], &request.classes)?;
        return Ok(Groups::new(labels.into_iter().map(group).collect(), classes, fitted));
    }
    let list = encoded.by_class(request, mixture)?;
    Ok(Groups::new(list, encoded.named_classes(), fitted))
}

/// Encodes images, a stretch after the other.
fn encoded(
    model: &Model,
    split: Split,
    classes: Vec<String>,
    name: String,
    observer: &Observer,
) -> Result<Encoded, StudioError> {
    let is_conditional = model.network().config().is_conditional();
    let labels = split.labels.as_ref().map(|labels| {
        let known: Vec<u16> = labels.iter().flatten().copied().collect();
        (known.len() == labels.len()).then_some(known)
    });
    if labels == Some(None) && !is_conditional {
        note(
            observer,
            &format!("{name}: some images have no class, so samples have none"),
        )?;
    }
    let codes = model.encoded(&split, [0, split.images.count()], observer)?;
    // A conditional network has found out the classes that nobody told it.
    let (labels, classes) = match model.card().filter(|_| is_conditional) {
        Some(card) => (Some(codes.classes.clone()), card.classes.clone()),
        None => (labels.flatten(), classes),
    };
    Ok(Encoded {
        codes,
        labels,
        classes,
        name,
    })
}

impl Encoded {
    fn count(&self) -> usize {
        self.codes.mean.len() / self.codes.latent
    }

    /// Means and log variances of these images.
    fn of(&self, members: &[usize]) -> (Vec<f32>, Vec<f32>) {
        let latent = self.codes.latent;
        let of = |values: &[f32]| {
            members
                .iter()
                .flat_map(|&index| &values[index * latent..][..latent])
                .copied()
                .collect()
        };
        (of(&self.codes.mean), of(&self.codes.log_variance))
    }

    fn named_classes(&self) -> Vec<String> {
        match &self.labels {
            Some(_) => self.classes.clone(),
            None => Vec::new(),
        }
    }

    /// A group for each class that is wanted, or one for all images where these have none.
    fn by_class(
        &self,
        request: &SampleRequest,
        mixture: impl Fn(Option<u16>, &[usize]) -> Result<Mixture, SampleError>,
    ) -> Result<Vec<Group>, SampleError> {
        let Some(labels) = &self.labels else {
            if !request.classes.is_empty() {
                return Err(SampleError::NoClasses {
                    what: self.name.clone(),
                });
            }
            let all: Vec<usize> = (0..self.count()).collect();
            return Ok(vec![Group {
                label: None,
                mixture: mixture(None, &all)?,
                images: all.len(),
            }]);
        };
        let mut members = vec![Vec::new(); self.classes.len()];
        for (index, &label) in labels.iter().enumerate() {
            members[usize::from(label)].push(index);
        }
        let counts: Vec<usize> = members.iter().map(Vec::len).collect();
        let group = |label: u16| {
            let members = &members[usize::from(label)];
            Ok(Group {
                label: Some(label),
                mixture: mixture(Some(label), members)?,
                images: members.len(),
            })
        };
        wanted(&self.classes, &counts, &request.classes)?
            .into_iter()
            .map(group)
            .collect()
    }

    fn failed(&self, label: Option<u16>, source: MixtureError) -> SampleError {
        let class = label.and_then(|label| self.classes.get(usize::from(label)).cloned());
        SampleError::Mixture { class, source }
    }
}
