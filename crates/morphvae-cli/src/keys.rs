//! The images that a clip goes through, as they are typed: classes, files, members of a data set, latent points.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use morphvae::data::{Dataset, Images, Split, read_image};
use morphvae::evaluation::encode;
use morphvae::latent::{Attribute, prior_sample, typical_members};
use morphvae::network::Inference;

use crate::Usage;
use crate::arguments::{ImageArguments, SplitArgument};
use crate::console::Console;
use crate::images::split_of;
use crate::model::{Model, is_fatal};

/// What `--add` and a key's `+` look for beside the folder and the name that were given.
const ATTRIBUTE_ENDING: &str = ".attribute.json";

/// Folders of an image file that its name on figures has, at most.
const MOST_FOLDERS: usize = 4;

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

    /// The point of a key, `[latent]`, with `added` to it; its number among the keys decides where a random one lies.
    pub fn read(&mut self, key: &OsStr, number: usize, added: &[Amount]) -> anyhow::Result<Vec<f32>> {
        let Some(text) = key.to_str() else {
            let mut point = self.unspellable(Path::new(key))?;
            for amount in added {
                point = self.add(amount, &point)?;
            }
            return Ok(point);
        };
        let (text, own) = match split_amount(text) {
            Some((text, amount)) => (text, Some(amount)),
            None => (text, None),
        };
        let mut point = self.point(text, number as u64)?;
        for amount in added.iter().chain(&own) {
            point = self.add(amount, &point)?;
        }
        Ok(point)
    }

    /// A key that is no UTF-8 can only be a file.
    fn unspellable(&self, path: &Path) -> anyhow::Result<Vec<f32>> {
        if path.is_file() {
            return self.image(path);
        }
        let text = format!(
            "{}: no file: a key that is not UTF-8 is the name of an image file and nothing else; --add adds attributes \
             to it",
            path.display()
        );
        Err(Usage(text).into())
    }

    /// The images that a latent map shows and the names of their classes, in the order of their labels, or none, with a
    /// note, where there are none to be had.
    pub fn shown(&mut self) -> anyhow::Result<Option<(&Split, Vec<String>)>> {
        match self.split(SplitArgument::Test).map(drop) {
            Ok(()) => {
                let classes = self.dataset()?.classes.clone();
                Ok(Some((self.split(SplitArgument::Test)?, classes)))
            }
            Err(error) if is_fatal(&error, self.images) => Err(error),
            Err(error) => {
                self.console
                    .note(format!("the map shows the path alone, since {error}"));
                Ok(None)
            }
        }
    }

    fn split(&mut self, which: SplitArgument) -> anyhow::Result<&Split> {
        Ok(split_of(self.dataset()?, which)?)
    }

    /// The classes' names, in the order of the labels.
    pub fn classes(&mut self) -> anyhow::Result<Vec<String>> {
        match self.model.card() {
            Some(card) if !card.classes.is_empty() => Ok(card.classes.clone()),
            Some(_) => Ok(Vec::new()),
            None => Ok(self.dataset()?.classes.clone()),
        }
    }

    fn point(&mut self, text: &str, number: u64) -> anyhow::Result<Vec<f32>> {
        match Typed::parse(text) {
            Typed::Latent(numbers) => self.latent(text, numbers),
            Typed::Member(split, number) => self.member(text, split, number),
            Typed::Random => Ok(prior_sample(self.seed, number, self.network.config().latent)),
            Typed::Word(word) => {
                let path = Path::new(word);
                if is_clearly_a_file(path) {
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

    fn latent(&self, text: &str, numbers: &str) -> anyhow::Result<Vec<f32>> {
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
        Ok(point)
    }

    fn member(&mut self, text: &str, which: SplitArgument, number: &str) -> anyhow::Result<Vec<f32>> {
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
        Ok(encode(self.network, &image)?.mean)
    }

    fn image(&self, path: &Path) -> anyhow::Result<Vec<f32>> {
        let config = self.network.config();
        let fit = self.images.fit.unwrap_or(self.model.fit()?);
        let image = read_image(path, config.image_size, config.channels, fit)?;
        Ok(encode(self.network, &image)?.mean)
    }

    /// The posterior's mean of the most typical member: from the model's card, else from its test images.
    fn class(&mut self, class: usize, name: &str) -> anyhow::Result<Vec<f32>> {
        if self.typical.is_none() {
            self.typical = Some(self.typical_points()?);
        }
        let point = self.typical.iter().flatten().nth(class).cloned().flatten();
        point.ok_or_else(|| {
            let text = format!("{name}: none of the images that this model was judged on is of this class");
            Usage(text).into()
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
        let (classes, network) = (self.classes()?.len(), self.network);
        let split = self.split(SplitArgument::Test)?;
        let codes = encode(network, &split.images)?;
        let labels = split.labels.as_deref().unwrap_or_default();
        let members = typical_members(network, &codes.mean, &split.images, labels, classes);
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
pub fn split_amount(text: &str) -> Option<(&str, Amount)> {
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
    let word = if word.is_empty() { "\"\"" } else { word };
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
