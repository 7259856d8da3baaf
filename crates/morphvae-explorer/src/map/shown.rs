//! The images that are shown as points of the map.

use std::collections::BTreeMap;

use morphvae::data::{Examples, Images, Split, prepare};
use morphvae::evaluation::Codes;
use morphvae::latent::LatentStatistics;
use morphvae::studio::Part;

/// Images that the page shows, at most: more points hide one another and cost a browser its frames.
pub const MOST_SHOWN: usize = 4000;

/// Some of a split's images, evenly taken, so that the same split always shows the same ones.
#[derive(Clone, Debug)]
pub struct ShownImages {
    images: Images,
    labels: Option<Vec<Option<u16>>>,
    /// What each is called in tables.
    names: Vec<String>,
    /// Their places in the split.
    places: Vec<usize>,
    /// Images of the split.
    total: usize,
}

impl ShownImages {
    /// At most [`MOST_SHOWN`] images of a test split.
    #[must_use]
    pub fn of(split: &Split) -> Self {
        let count = split.images.count();
        let shown = count.min(MOST_SHOWN);
        Self::picked(split, (0..shown).map(|index| index * count / shown).collect())
    }

    /// At most `most` images of a split: the first of each class, and evenly taken ones if that is less.
    #[must_use]
    pub(crate) fn of_each_class(split: &Split, most: usize) -> Self {
        let count = split.images.count();
        let labels = split.labels.as_deref().unwrap_or_default();
        let mut first = BTreeMap::new();
        for (place, label) in labels.iter().enumerate() {
            if let Some(label) = label {
                first.entry(label).or_insert(place);
            }
        }
        let mut places: Vec<usize> = first.into_values().take(most).collect();
        let evenly = (0..most).map(|index| index * count / most).chain(0..count);
        for place in evenly {
            if places.len() < most.min(count) && !places.contains(&place) {
                places.push(place);
            }
        }
        Self::picked(split, places)
    }

    fn picked(split: &Split, places: Vec<usize>) -> Self {
        let images = &split.images;
        let pixels = places.iter().flat_map(|&place| images.image(place)).copied().collect();
        let picked = Images::new(images.channels(), images.height(), images.width(), pixels);
        let label = |labels: &Vec<Option<u16>>| places.iter().map(|&place| labels[place]).collect();
        let names = Part::Test.ids(split);
        Self {
            images: picked.expect("whole images of a size that there is"),
            labels: split.labels.as_ref().map(label),
            names: places.iter().map(|&place| names[place].clone()).collect(),
            places,
            total: images.count(),
        }
    }

    /// None at all, for a network that takes images of `channels` channels.
    ///
    /// # Panics
    /// When there are no channels.
    #[must_use]
    pub fn none(channels: usize) -> Self {
        Self {
            images: Images::new(channels, 1, 1, Vec::new()).expect("an image has a channel"),
            labels: None,
            names: Vec::new(),
            places: Vec::new(),
            total: 0,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// How many there are to be shown, all in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The images, all of one size, which need not be the network's.
    #[must_use]
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The label of each image that has one, where any has.
    #[must_use]
    pub fn labels(&self) -> Option<&[Option<u16>]> {
        self.labels.as_deref()
    }

    /// What each is called in tables: its file, where it has one of its own.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The images and their labels, for an encoder.
    #[must_use]
    pub fn examples(&self) -> Examples<'_> {
        Examples {
            images: &self.images,
            labels: self.labels(),
        }
    }

    /// Of the codes of the whole split, those of the shown images.
    #[must_use]
    pub fn codes(&self, all: &Codes) -> Codes {
        let pick = |numbers: &[f32]| {
            let code = |&place: &usize| &numbers[place * all.latent..][..all.latent];
            self.places.iter().flat_map(code).copied().collect()
        };
        Codes {
            latent: all.latent,
            mean: pick(&all.mean),
            log_variance: pick(&all.log_variance),
            classes: self
                .places
                .iter()
                .filter_map(|&place| all.classes.get(place).copied())
                .collect(),
        }
    }

    /// Image `index` as a network for images of `size` x `size` sees it, `[channels, size, size]`.
    #[must_use]
    pub fn image(&self, index: usize, size: usize) -> Option<Vec<u8>> {
        if index >= self.count() {
            return None;
        }
        let values = prepare(&self.images, &[u32::try_from(index).ok()?], size);
        Some(values.into_iter().map(|value| (value * 255.0).round() as u8).collect())
    }

    /// Where the images lie.
    pub(super) fn statistics(&self, codes: &Codes, classes: &[String]) -> LatentStatistics {
        let mut kl = vec![0.0; codes.latent];
        let share = 1.0 / self.count().max(1) as f64;
        for (index, (&mean, &log_variance)) in codes.mean.iter().zip(&codes.log_variance).enumerate() {
            let (mean, log_variance) = (f64::from(mean), f64::from(log_variance));
            kl[index % codes.latent] -= share * (1.0 + log_variance - mean * mean - log_variance.exp()) / 2.0;
        }
        LatentStatistics::of(&codes.mean, &kl, self.labels(), classes, &[])
    }
}
