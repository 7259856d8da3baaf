//! Points of a latent space by what people call them: classes, image files, members of a data set, numbers.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use super::images::{ImageRequest, Part, note};
use super::{Model, Observer, StudioError};
use crate::data::{Dataset, Examples, Images, Split, read_image};
use crate::evaluation::encode;
use crate::latent::{Attribute, class_sample, prior_sample, typical_members};

/// What an attribute's file is called besides the attribute.
const ATTRIBUTE_ENDING: &str = ".attribute.json";

/// Folders of an image file that its name on figures has, at most.
const MOST_FOLDERS: usize = 4;

/// Classes that a message names, at most.
const MOST_CLASSES: usize = 12;

/// Why a key stands for no point.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// What is no text, and no file either.
    #[error("{}: no file: a key that is not UTF-8 is the name of an image file and nothing else", path.display())]
    NotText {
        /// The key.
        path: PathBuf,
    },
    /// Numbers that are none.
    #[error("{key}: a latent point is z: and finite numbers, as z:0.3,-1.2")]
    Numbers {
        /// The key.
        key: String,
    },
    /// A point of another latent space.
    #[error("{key}: this model's latent space has {latent} dimension(s), but here are {found} number(s)")]
    Dimensions {
        /// The key.
        key: String,
        /// Dimensions of the latent space.
        latent: usize,
        /// How many numbers there are.
        found: usize,
    },
    /// A member of a data set by something else than its number.
    #[error("{key}: {number:?} is no number of an image; {dataset} has images 0 to {last} there")]
    NoNumber {
        /// The key.
        key: String,
        /// What stands for the number.
        number: String,
        /// What the images are called.
        dataset: String,
        /// The last number that there is.
        last: usize,
    },
    /// A member of a data set beyond the last.
    #[error("{key}: {dataset} has images 0 to {last} there")]
    Member {
        /// The key.
        key: String,
        /// What the images are called.
        dataset: String,
        /// The last number that there is.
        last: usize,
    },
    /// A class of which no image is known.
    #[error("{class}: none of the images that this model was judged on is of this class")]
    NoMember {
        /// The class.
        class: String,
    },
    /// A class for a model that is not conditional.
    #[error("this model is not conditional, so that no class can be chosen: it was trained without labels")]
    Unconditional,
    /// A class that a conditional model does not know.
    #[error("{class:?} is no class of this conditional model; {}", listed(classes))]
    UnknownClass {
        /// What stands for the class.
        class: String,
        /// The classes that there are.
        classes: Vec<String>,
    },
    /// A latent point of a conditional model, without a class.
    #[error("{key}: this model is conditional: say of which class, as {key}={example}")]
    NoClass {
        /// The key.
        key: String,
        /// A class.
        example: String,
    },
    /// A word that means nothing here.
    #[error("{}: {}: {}; a key is a class, an image file, test:N, train:N, z:X,Y,… or random",
            if word.is_empty() { "\"\"" } else { word }, not(*is_folder), listed(classes))]
    Unknown {
        /// The word.
        word: String,
        /// Whether there is a folder of this name, which is no run's.
        is_folder: bool,
        /// The classes that there are.
        classes: Vec<String>,
    },
}

fn not(is_folder: bool) -> &'static str {
    match is_folder {
        true => "a folder without a run's config.toml, and no class of this model",
        false => "no class of this model and no file",
    }
}

fn listed(classes: &[String]) -> String {
    if classes.is_empty() {
        return "this model's images have no classes".to_owned();
    }
    let shown = classes[..classes.len().min(MOST_CLASSES)].join(", ");
    let more = if classes.len() > MOST_CLASSES { ", …" } else { "" };
    format!("its classes are {shown}{more}")
}

/// So much of an attribute, as `smile:1.5`.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// The attribute's name, or its file.
    pub attribute: String,
    /// How many times it is added.
    pub amount: f32,
}

/// A key as it was typed.
#[derive(Debug, PartialEq)]
enum Typed<'a> {
    Latent(&'a str),
    Member(Part, &'a str),
    Random,
    Word(&'a str),
}

/// Where a key lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The latents, `[latent]`.
    pub latents: Vec<f32>,
    /// Of a conditional model the class; none where the key is a latent point and does not say it.
    pub class: Option<u16>,
    /// The image that was encoded, if it was one, of its own size.
    pub image: Option<Images>,
}

/// Finds the points that keys stand for. Images are read when a key first asks for them.
pub struct Keys<'a> {
    model: &'a Model,
    images: &'a ImageRequest,
    seed: u64,
    observer: &'a Observer<'a>,
    dataset: Option<Dataset>,
    typical: Option<Vec<Option<Vec<f32>>>>,
    fingerprint: Option<String>,
}

impl<'a> Keys<'a> {
    /// For keys of this model; `images` are where members of a data set are looked up, `seed` decides the random ones.
    #[must_use]
    pub fn new(model: &'a Model, images: &'a ImageRequest, seed: u64, observer: &'a Observer<'a>) -> Self {
        Self {
            model,
            images,
            seed,
            observer,
            dataset: None,
            typical: None,
            fingerprint: None,
        }
    }

    /// The model whose keys these are.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The point of a key, `[latent]`, with `added` to it; its number among the keys decides where a random one lies.
    /// What follows a `+` is added as well: `anna.png+smile:1.5`. The point of a conditional model has the weights of its
    /// classes after the latents, `[latent + classes]`, and what follows a `=` is the class that it is drawn as:
    /// `anna.png=7`, `z:0.3,-1.2=7`.
    ///
    /// # Errors
    /// [`StudioError::Key`] for what stands for no point; others when images or attributes that it needs cannot be read.
    pub fn point(&mut self, key: &OsStr, number: usize, added: &[Amount]) -> Result<Vec<f32>, StudioError> {
        let Place { latents, class, .. } = self.place(key, number, added)?;
        let config = self.model.network().config();
        match class {
            Some(class) => Ok(config.points(&latents, &[class])),
            None if config.is_conditional() => Err(KeyError::NoClass {
                key: key.to_string_lossy().into_owned(),
                example: self.classes()?.into_iter().next_back().unwrap_or_default(),
            }
            .into()),
            None => Ok(latents),
        }
    }

    /// Latents and class of the same, where the key says one.
    ///
    /// # Errors
    /// As [`Keys::point`].
    pub fn place(&mut self, key: &OsStr, number: usize, added: &[Amount]) -> Result<Place, StudioError> {
        let (mut place, own) = match key.to_str() {
            Some(text) => {
                let (text, own) = match split_amount(text) {
                    Some((text, amount)) => (text, Some(amount)),
                    None => (text, None),
                };
                (self.told(text, number as u64)?, own)
            }
            None => (self.unspellable(Path::new(key))?, None),
        };
        for amount in added.iter().chain(&own) {
            place.latents = self.add(amount, &place.latents)?;
        }
        Ok(place)
    }

    /// A key without amounts, drawn as its own class or as the one that follows a `=`.
    fn told(&mut self, text: &str, number: u64) -> Result<Place, StudioError> {
        let Some((key, class)) = text.rsplit_once('=').filter(|(key, _)| !key.is_empty()) else {
            return self.plain(text, number);
        };
        if Path::new(text).is_file() || self.classes()?.iter().any(|class| class == text) {
            return self.plain(text, number);
        }
        let class = Some(self.model.class(class)?);
        let place = self.plain(key, number)?;
        Ok(Place { class, ..place })
    }

    /// A key that is no UTF-8 can only be a file.
    fn unspellable(&self, path: &Path) -> Result<Place, StudioError> {
        if path.is_file() {
            return self.image(path);
        }
        Err(KeyError::NotText { path: path.to_owned() }.into())
    }

    /// The images that a latent map shows and the names of their classes, in the order of their labels, or none, with a
    /// note, where there are none to be had.
    ///
    /// # Errors
    /// When images that were named cannot be read, or nobody wants more.
    pub fn shown(&mut self) -> Result<Option<(&Split, Vec<String>)>, StudioError> {
        match self.dataset().and_then(|dataset| Part::Test.of(dataset).map(drop)) {
            Ok(()) => {
                let dataset = self.dataset()?;
                let classes = dataset.classes.clone();
                Ok(Some((&dataset.test, classes)))
            }
            Err(error) if !self.images.forgives(&error) => Err(error),
            Err(error) => {
                note(self.observer, &format!("the map shows the path alone, since {error}"))?;
                Ok(None)
            }
        }
    }

    /// The classes' names, in the order of the labels.
    ///
    /// # Errors
    /// When the model does not know them and its images cannot be read.
    pub fn classes(&mut self) -> Result<Vec<String>, StudioError> {
        match self.model.card() {
            Some(card) => Ok(card.classes.clone()),
            None => Ok(self.dataset()?.classes.clone()),
        }
    }

    fn plain(&mut self, text: &str, number: u64) -> Result<Place, StudioError> {
        match Typed::parse(text) {
            Typed::Latent(numbers) => Ok(Place {
                latents: self.latent(text, numbers)?,
                class: None,
                image: None,
            }),
            Typed::Member(part, number) => self.member(text, part, number),
            Typed::Random => {
                let (network, seed) = (self.model.inference(), self.seed);
                Ok(Place {
                    latents: prior_sample(network, seed, number),
                    class: class_sample(network, seed, number),
                    image: None,
                })
            }
            Typed::Word(word) => {
                let path = Path::new(word);
                if is_clearly_a_file(path) {
                    return self.image(path);
                }
                let classes = self.classes()?;
                match classes.iter().position(|class| class == word) {
                    Some(class) => self.class(class, word),
                    None if path.is_file() => self.image(path),
                    None => Err(KeyError::Unknown {
                        word: word.to_owned(),
                        is_folder: path.is_dir(),
                        classes,
                    }
                    .into()),
                }
            }
        }
    }

    fn latent_size(&self) -> usize {
        self.model.network().config().latent
    }

    fn latent(&self, key: &str, numbers: &str) -> Result<Vec<f32>, KeyError> {
        let point: Option<Vec<f32>> = numbers
            .split(',')
            .map(|number| number.trim().parse().ok().filter(|value: &f32| value.is_finite()))
            .collect();
        let (key, latent) = (key.to_owned(), self.latent_size());
        match point {
            None => Err(KeyError::Numbers { key }),
            Some(point) if point.len() != latent => Err(KeyError::Dimensions {
                key,
                latent,
                found: point.len(),
            }),
            Some(point) => Ok(point),
        }
    }

    fn member(&mut self, key: &str, part: Part, number: &str) -> Result<Place, StudioError> {
        let dataset = self.dataset()?;
        let split = part.whatever_is_in(dataset);
        let images = &split.images;
        let (key, name, last) = (key.to_owned(), dataset.name.clone(), images.count().saturating_sub(1));
        let index: usize = number.parse().map_err(|_| KeyError::NoNumber {
            key: key.clone(),
            number: number.to_owned(),
            dataset: name.clone(),
            last,
        })?;
        if index >= images.count() {
            let dataset = name;
            return Err(KeyError::Member { key, dataset, last }.into());
        }
        let pixels = images.image(index).to_vec();
        let image = Images::new(images.channels(), images.height(), images.width(), pixels)?;
        let label = [Examples::from(split).label(index)];
        self.encoded(Examples {
            images: &image,
            labels: Some(&label),
        })
    }

    fn image(&self, path: &Path) -> Result<Place, StudioError> {
        let config = self.model.network().config();
        let fit = self.images.fit.unwrap_or(self.model.fit());
        self.encoded((&read_image(path, config.image_size, config.channels, fit)?).into())
    }

    /// One image. Of a conditional model's classes it has its own, or else the one that explains it best.
    fn encoded(&self, image: Examples) -> Result<Place, StudioError> {
        let codes = encode(self.model.inference(), image)?;
        Ok(Place {
            class: codes.classes.first().copied(),
            latents: codes.mean,
            image: Some(image.images.clone()),
        })
    }

    /// The posterior's mean of the most typical member: from the model's card, else from its test images.
    fn class(&mut self, class: usize, name: &str) -> Result<Place, StudioError> {
        if self.typical.is_none() {
            self.typical = Some(self.typical_points()?);
        }
        let point = self.typical.iter().flatten().nth(class).cloned().flatten();
        let told = self.model.network().config().is_conditional();
        Ok(Place {
            latents: point.ok_or_else(|| KeyError::NoMember { class: name.to_owned() })?,
            class: u16::try_from(class).ok().filter(|_| told),
            image: None,
        })
    }

    fn typical_points(&mut self) -> Result<Vec<Option<Vec<f32>>>, StudioError> {
        if let Some(card) = self.model.card() {
            let classes = &card.latent_statistics.classes;
            if classes.iter().any(|class| !class.typical.is_empty()) {
                let latent = self.latent_size();
                let point = |point: &Vec<f32>| Some(point.clone()).filter(|point| point.len() == latent);
                return Ok(classes.iter().map(|class| point(&class.typical)).collect());
            }
        }
        let (classes, network) = (self.classes()?.len(), self.model.inference());
        let split = Part::Test.of(self.dataset()?)?;
        let codes = encode(network, split)?;
        let labels = split.labels.as_deref().unwrap_or_default();
        let points = codes.points(network.config());
        let members = typical_members(network, &points, &split.images, labels, classes);
        let point = |index: usize| codes.mean[index * codes.latent..][..codes.latent].to_vec();
        Ok(members.into_iter().map(|member| member.map(point)).collect())
    }

    fn dataset(&mut self) -> Result<&Dataset, StudioError> {
        if self.dataset.is_none() {
            self.dataset = Some(self.model.images(self.images, None, self.observer)?);
        }
        Ok(self.dataset.as_ref().expect("it has just been read"))
    }

    fn add(&mut self, amount: &Amount, point: &[f32]) -> Result<Vec<f32>, StudioError> {
        let attribute = Attribute::read(&attribute_path(&amount.attribute))?;
        let model = self
            .fingerprint
            .get_or_insert_with(|| self.model.network().fingerprint());
        Ok(attribute.add(model, point, amount.amount)?)
    }
}

impl<'a> Typed<'a> {
    fn parse(text: &'a str) -> Self {
        if text == "random" {
            return Self::Random;
        }
        match text.split_once(':') {
            Some(("z", numbers)) => Self::Latent(numbers),
            Some(("test", number)) => Self::Member(Part::Test, number),
            Some(("train", number)) => Self::Member(Part::Train, number),
            _ => Self::Word(text),
        }
    }
}

impl std::str::FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.rsplit_once(':')
            .and_then(|(attribute, amount)| {
                let amount = amount.parse().ok().filter(|amount: &f32| amount.is_finite())?;
                (!attribute.is_empty()).then(|| Self {
                    attribute: attribute.to_owned(),
                    amount,
                })
            })
            .ok_or_else(|| "an attribute and how much of it, as smile:1.5".to_owned())
    }
}

/// A key and what is added to it alone: `anna.png+smile:1.5`.
pub(super) fn split_amount(text: &str) -> Option<(&str, Amount)> {
    let (key, amount) = text.rsplit_once('+')?;
    Some((key, amount.parse().ok()?))
}

/// Whether this file is meant whatever the classes are called.
pub fn is_clearly_a_file(path: &Path) -> bool {
    let looks_like_one = path.extension().is_some() || path.components().count() > 1;
    looks_like_one && path.is_file()
}

/// A key as it is typed, but for an image file's ending and all but the last so many of its folders:
/// `smile/anna+grin:1.5`.
pub fn shortened(key: &OsStr, folders: usize) -> String {
    let split = key.to_str().and_then(|text| Some((text, split_amount(text)?.0)));
    let (file, added) = match split {
        Some((text, key)) => (OsStr::new(key), &text[key.len()..]),
        None => (key, ""),
    };
    if !is_clearly_a_file(Path::new(file)) {
        return key.to_string_lossy().into_owned();
    }
    let path = Path::new(file).with_extension("");
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    let kept = &parts[parts.len().saturating_sub(1 + folders)..];
    kept.join("/") + added
}

/// What keys are called on figures: image files by their stems, or with as many of their folders as tell all keys apart;
/// as they are typed where nothing less does.
pub fn names(keys: &[OsString]) -> Vec<String> {
    let shortened = |folders| keys.iter().map(|key| shortened(key, folders)).collect();
    let told_apart = (0..=MOST_FOLDERS).map(shortened).find(|names: &Vec<String>| {
        let mut owners = HashMap::new();
        names
            .iter()
            .zip(keys)
            .all(|(name, key)| *owners.entry(name).or_insert(key) == key)
    });
    told_apart.unwrap_or_else(|| keys.iter().map(|key| key.to_string_lossy().into_owned()).collect())
}

/// Where an attribute lies: `smile` is `smile.attribute.json` in the current folder; a path is taken as it is.
pub fn attribute_path(name: &str) -> PathBuf {
    if name.ends_with(".json") {
        PathBuf::from(name)
    } else {
        PathBuf::from(format!("{name}{ATTRIBUTE_ENDING}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_by_how_they_begin() {
        assert_eq!(Typed::parse("z:1,2"), Typed::Latent("1,2"));
        assert_eq!(Typed::parse("test:17"), Typed::Member(Part::Test, "17"));
        assert_eq!(Typed::parse("random"), Typed::Random);
        for word in ["7", "t-shirt", "C:/faces/a.png", "test", "zoo:1"] {
            assert_eq!(Typed::parse(word), Typed::Word(word));
        }
    }

    #[test]
    fn names_of_keys_keep_what_tells_them_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (plain, smile, other) = (file("plain/1.png"), file("smile/1.png"), file("smile/v1.2.png"));
        let keys = [plain.as_str(), &smile, &other, "z:0.3,-1.2", "blue+red:1.2", "v1.2"].map(OsString::from);
        // Two files share a stem, and even without its ending the third is called as the last key.
        let expected = ["plain/1", "smile/1", "smile/v1.2", "z:0.3,-1.2", "blue+red:1.2", "v1.2"];
        assert_eq!(names(&keys), expected);
        assert_eq!(names(&keys[1..4]), ["1", "v1.2", "z:0.3,-1.2"]);
        // In one folder only the endings tell them apart.
        let jpeg = file("plain/1.jpg");
        assert_eq!(
            names(&[plain.clone(), jpeg.clone()].map(OsString::from)),
            [plain.clone(), jpeg]
        );
        assert_eq!(names(&[format!("{smile}+red:-0.5").into()]), ["1+red:-0.5"]);
        assert_eq!(shortened(format!("{smile}+red:-0.5").as_ref(), 1), "smile/1+red:-0.5");
        assert_eq!(shortened("absent/1.png".as_ref(), 0), "absent/1.png");
    }

    #[test]
    fn an_amount_is_split_off_only_where_there_is_one() {
        let (key, amount) = split_amount("a+b.png+smile:-0.5").unwrap();
        assert_eq!(
            (key, amount.attribute.as_str(), amount.amount),
            ("a+b.png", "smile", -0.5)
        );
        for text in ["a+b.png", "7", "a+smile", "a+smile:much", "a+:1"] {
            assert!(split_amount(text).is_none(), "{text}");
        }
    }
}
