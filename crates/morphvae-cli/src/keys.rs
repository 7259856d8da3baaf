//! The images that a clip goes through, as they are typed: classes, files, members of a data set, latent points.

use std::path::{Path, PathBuf};

use morphvae::data::{Dataset, Fit, Images, Split, read_image};
use morphvae::evaluation::encode;
use morphvae::latent::{Attribute, prior_sample, typical_members};
use morphvae::model::Inference;

use crate::Usage;
use crate::arguments::{ImageArguments, SplitArgument};
use crate::console::Console;
use crate::images::split;
use crate::model::Model;

/// What `--add` and a key's `+` look for beside the folder and the name that were given.
const ATTRIBUTE_ENDING: &str = ".attribute.json";

/// A point that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// For file names and figures: `7`, `test-17`, `anna`.
    pub name: String,
    /// `[latent]`
    pub point: Vec<f32>,
}

/// So much of an attribute, as `smile:1.5`.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    attribute: String,
    amount: f32,
}

/// A key as it was typed.
#[derive(Debug, PartialEq)]
enum Typed<'a> {
    Latent(&'a str),
    Member(SplitArgument, &'a str),
    Random,
    Word(&'a str),
}

/// Finds the points that keys stand for. Images are read when a key first asks for them.
pub struct KeyReader<'a> {
    model: &'a Model,
    network: &'a Inference,
    images: &'a ImageArguments,
    seed: u64,
    console: Console,
    dataset: Option<Dataset>,
    typical: Option<Vec<Option<Vec<f32>>>>,
    fingerprint: Option<String>,
}

impl<'a> KeyReader<'a> {
    pub fn new(
        model: &'a Model,
        network: &'a Inference,
        images: &'a ImageArguments,
        seed: u64,
        console: Console,
    ) -> Self {
        Self {
            model,
            network,
            images,
            seed,
            console,
            dataset: None,
            typical: None,
            fingerprint: None,
        }
    }

    /// The points of keys, in their order, with `added` to all of them.
    pub fn read(&mut self, keys: &[String], added: &[Amount]) -> anyhow::Result<Vec<Key>> {
        let read = |(number, text): (usize, &String)| {
            let (text, own) = match split_amount(text) {
                Some((text, amount)) => (text, Some(amount)),
                None => (text.as_str(), None),
            };
            let mut key = self.point(text, number as u64)?;
            for amount in added.iter().chain(&own) {
                key.point = self.add(amount, &key.point)?;
            }
            Ok(key)
        };
        keys.iter().enumerate().map(read).collect()
    }

    /// The encoded images of a split, as a latent map shows them.
    pub fn split(&mut self, which: SplitArgument) -> anyhow::Result<Split> {
        Ok(split(self.dataset()?.clone(), which)?)
    }

    /// The classes' names, in the order of the labels.
    pub fn classes(&mut self) -> anyhow::Result<Vec<String>> {
        match self.model.card() {
            Some(card) if !card.classes.is_empty() => Ok(card.classes.clone()),
            Some(_) => Ok(Vec::new()),
            None => Ok(self.dataset()?.classes.clone()),
        }
    }

    fn point(&mut self, text: &str, number: u64) -> anyhow::Result<Key> {
        match Typed::parse(text) {
            Typed::Latent(numbers) => self.latent(text, numbers),
            Typed::Member(split, number) => self.member(text, split, number),
            Typed::Random => Ok(Key {
                name: "random".into(),
                point: prior_sample(self.seed, number, self.network.config().latent),
            }),
            Typed::Word(word) => {
                let path = Path::new(word);
                let looks_like_a_file = path.extension().is_some() || path.components().count() > 1;
                if looks_like_a_file && path.is_file() {
                    return self.image(path);
                }
                let classes = self.classes()?;
                match classes.iter().position(|class| class == word) {
                    Some(class) => self.class(class, word),
                    None if path.is_file() => self.image(path),
                    None => Err(unknown(word, &classes).into()),
                }
            }
        }
    }

    fn latent(&self, text: &str, numbers: &str) -> anyhow::Result<Key> {
        let point: Option<Vec<f32>> = numbers
            .split(',')
            .map(|number| number.trim().parse().ok().filter(|value: &f32| value.is_finite()))
            .collect();
        let latent = self.network.config().latent;
        let point = point.ok_or_else(|| {
            Usage(format!(
                "{text}: a latent point is z: and finite numbers, as z:0.3,-1.2"
            ))
        })?;
        if point.len() != latent {
            let text = format!(
                "{text}: this model's latent space has {latent} dimension(s), but here are {} number(s)",
                point.len()
            );
            return Err(Usage(text).into());
        }
        Ok(Key {
            name: text.replace([':', ','], "_"),
            point,
        })
    }

    fn member(&mut self, text: &str, which: SplitArgument, number: &str) -> anyhow::Result<Key> {
        let dataset = self.dataset()?;
        let images = match which {
            SplitArgument::Train => &dataset.train.images,
            SplitArgument::Test => &dataset.test.images,
        };
        let count = images.count();
        let there = format!("{} has images 0 to {} there", dataset.name, count.saturating_sub(1));
        let index: usize = number
            .parse()
            .map_err(|_| Usage(format!("{text}: {number:?} is no number of an image; {there}")))?;
        if index >= count {
            return Err(Usage(format!("{text}: {there}")).into());
        }
        let image = Images::new(
            images.channels(),
            images.height(),
            images.width(),
            images.image(index).to_vec(),
        )?;
        Ok(Key {
            name: text.replace(':', "-"),
            point: encode(self.network, &image)?.mean,
        })
    }

    fn image(&self, path: &Path) -> anyhow::Result<Key> {
        let config = self.network.config();
        let fit = self.images.fit.map_or(self.model.fit()?, Fit::from);
        let image = read_image(path, config.image_size, config.channels, fit)?;
        Ok(Key {
            name: path
                .file_stem()
                .map_or_else(|| "image".into(), |stem| stem.to_string_lossy().into_owned()),
            point: encode(self.network, &image)?.mean,
        })
    }

    /// The posterior's mean of the most typical member: from the model's card, else from its test images.
    fn class(&mut self, class: usize, name: &str) -> anyhow::Result<Key> {
        if self.typical.is_none() {
            self.typical = Some(self.typical_points()?);
        }
        let point = self.typical.iter().flatten().nth(class).cloned().flatten();
        let point = point.ok_or_else(|| {
            Usage(format!(
                "{name}: none of the images that this model was judged on is of this class"
            ))
        })?;
        Ok(Key {
            name: name.to_owned(),
            point,
        })
    }

    fn typical_points(&mut self) -> anyhow::Result<Vec<Option<Vec<f32>>>> {
        if let Some(card) = self.model.card() {
            let classes = &card.latent_statistics.classes;
            if classes.iter().any(|class| !class.typical.is_empty()) {
                let point = |point: &Vec<f32>| Some(point.clone()).filter(|point| !point.is_empty());
                return Ok(classes.iter().map(|class| point(&class.typical)).collect());
            }
        }
        let split = self.split(SplitArgument::Test)?;
        let classes = self.classes()?.len();
        let codes = encode(self.network, &split.images)?;
        let labels = split.labels.unwrap_or_default();
        let members = typical_members(&codes.mean, codes.latent, &labels, classes);
        let point = |index: usize| codes.mean[index * codes.latent..][..codes.latent].to_vec();
        Ok(members.into_iter().map(|member| member.map(point)).collect())
    }

    fn dataset(&mut self) -> anyhow::Result<&Dataset> {
        if self.dataset.is_none() {
            let source = self.model.source(self.images, self.console)?;
            self.dataset = Some(self.model.load(&source, self.images, None, self.console)?);
        }
        Ok(self.dataset.as_ref().expect("it has just been read"))
    }

    fn add(&mut self, amount: &Amount, point: &[f32]) -> anyhow::Result<Vec<f32>> {
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
            Some(("test", number)) => Self::Member(SplitArgument::Test, number),
            Some(("train", number)) => Self::Member(SplitArgument::Train, number),
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
fn split_amount(text: &str) -> Option<(&str, Amount)> {
    let (key, amount) = text.rsplit_once('+')?;
    Some((key, amount.parse().ok()?))
}

/// Where an attribute lies: `smile` is `smile.attribute.json` in the current folder; a path is taken as it is.
pub fn attribute_path(name: &str) -> PathBuf {
    if name.ends_with(".json") {
        PathBuf::from(name)
    } else {
        PathBuf::from(format!("{name}{ATTRIBUTE_ENDING}"))
    }
}

fn unknown(word: &str, classes: &[String]) -> Usage {
    let classes = if classes.is_empty() {
        "this model's images have no classes".to_owned()
    } else {
        let shown = classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
        let more = if classes.len() > 12 { ", …" } else { "" };
        format!("its classes are {shown}{more}")
    };
    let nothing = if Path::new(word).is_dir() {
        "a folder without a run's config.toml, and no class of this model"
    } else {
        "no class of this model and no file"
    };
    Usage(format!(
        "{word}: {nothing}: {classes}; a key is a class, an image file, test:N, train:N, z:X,Y,… or random"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_by_how_they_begin() {
        assert_eq!(Typed::parse("z:1,2"), Typed::Latent("1,2"));
        assert_eq!(Typed::parse("test:17"), Typed::Member(SplitArgument::Test, "17"));
        assert_eq!(Typed::parse("random"), Typed::Random);
        for word in ["7", "t-shirt", "C:/faces/a.png", "test", "zoo:1"] {
            assert_eq!(Typed::parse(word), Typed::Word(word));
        }
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
