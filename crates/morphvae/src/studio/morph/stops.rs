//! What a clip goes through: keys, and what each says of the time at it and of the way from it to the next.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use thiserror::Error;

use super::super::StudioError;
use super::super::keys::{is_clearly_a_file, split_amount};
use super::MorphError;
use crate::choice::Choice;
use crate::latent::path::Ease;

/// Bytes of a list of keys, at most.
const LONGEST_LIST: u64 = 1 << 20;
/// The longest way from one key to the next, in seconds.
const LONGEST_WAY: f64 = 600.0;
/// The longest rest on a key, in seconds.
pub const LONGEST_REST: f64 = 60.0;

/// A key of a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// What [`Keys::point`](super::super::Keys::point) understands.
    pub key: OsString,
    /// How long it takes.
    pub manner: Manner,
    /// Where it was said, if in a list: `keys.txt, line 3`.
    place: Option<String>,
}

/// What a key says of its time; what is left out is as for all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Manner {
    /// Seconds from this key to the next, up to 600.
    pub time: Option<f64>,
    /// Seconds of rest on this key, up to 60.
    pub hold: Option<f64>,
    /// How the speed changes on the way to the next.
    pub ease: Option<Ease>,
}

/// Words about time that mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MannerError {
    /// Another word.
    #[error("{word:?} is none of time=SECONDS, hold=SECONDS and ease=HOW")]
    Unknown {
        /// The word.
        word: String,
    },
    /// No time, or none that is taken.
    #[error("{word}: a time is more than 0 seconds, up to {LONGEST_WAY}")]
    Time {
        /// The word.
        word: String,
    },
    /// No rest, or none that is taken.
    #[error("{word}: a rest is a number of seconds from 0 to {LONGEST_REST}")]
    Hold {
        /// The word.
        word: String,
    },
    /// No ease.
    #[error("{word}: ease is linear, smoothstep, in or out")]
    Ease {
        /// The word.
        word: String,
    },
    /// The same twice.
    #[error("{name} is said twice")]
    Twice {
        /// What is said.
        name: &'static str,
    },
    /// A key that begins with a quote and does not end with one.
    #[error("a quote is not closed")]
    Quote,
}

impl Stop {
    /// A key that says nothing of its time.
    #[must_use]
    pub fn at(key: impl Into<OsString>) -> Self {
        Self {
            key: key.into(),
            manner: Manner::default(),
            place: None,
        }
    }

    /// A key as it is typed, by itself or as `KEY@hold=1,ease=in`.
    ///
    /// # Errors
    /// [`MorphError::Manner`] for what follows the `@` and means nothing.
    pub fn typed(word: &OsStr) -> Result<Self, MorphError> {
        let (key, manner) = split_manner(word);
        let words = manner.unwrap_or_default().split(',').filter(|word| !word.is_empty());
        let manner = Manner::of(words).map_err(|source| MorphError::Manner {
            place: word.display().to_string(),
            source,
        })?;
        Ok(Self {
            manner,
            ..Self::at(key)
        })
    }

    /// Keys from a file, one a line: `anna.png  time=2 hold=0.5 ease=in`. Files are looked for beside it; a `#` begins a
    /// comment.
    ///
    /// # Errors
    /// [`StudioError::File`] when it cannot be read; [`StudioError::Morph`] with the line that means nothing;
    /// [`StudioError::Listed`] for fewer than two keys.
    pub fn listed(path: &Path) -> Result<Vec<Self>, StudioError> {
        let text = read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut stops = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}, line {}", path.display(), index + 1);
            let parsed = split_line(line).and_then(|(key, words)| Ok((key, Manner::of(words.split_whitespace())?)));
            let (key, manner) = parsed.map_err(|source| MorphError::Manner {
                place: place.clone(),
                source,
            })?;
            stops.push(Self {
                key: beside(folder, key),
                manner,
                place: Some(place),
            });
        }
        if stops.len() < 2 {
            return Err(StudioError::Listed {
                place: path.display().to_string(),
                source: Box::new(MorphError::TooFewStops.into()),
            });
        }
        Ok(stops)
    }

    /// Puts the place before an error about this key.
    pub(super) fn locate<T>(&self, result: Result<T, StudioError>) -> Result<T, StudioError> {
        result.map_err(|error| match &self.place {
            Some(place) if !error.is_stop() => StudioError::Listed {
                place: place.clone(),
                source: Box::new(error),
            },
            _ => error,
        })
    }

    /// What an error calls it.
    pub(super) fn name(&self) -> String {
        let key = self.key.display();
        match &self.place {
            Some(place) => format!("{place}: {key}"),
            None => key.to_string(),
        }
    }
}

/// A name like `icon@2x.png` says nothing of time.
fn split_manner(word: &OsStr) -> (&OsStr, Option<&str>) {
    let parts = word.to_str().and_then(|text| text.rsplit_once('@'));
    match parts {
        Some((key, manner)) if !key.is_empty() && manner.contains('=') && !Path::new(word).is_file() => {
            (OsStr::new(key), Some(manner))
        }
        _ => (word, None),
    }
}

fn read(path: &Path) -> Result<String, StudioError> {
    let failed = |source| StudioError::File {
        path: path.to_owned(),
        what: "the list of keys",
        source,
    };
    let list = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LONGEST_LIST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST_LIST {
        return Err(MorphError::LongList { list: list() }.into());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + sound.iter().filter(|&&byte| byte == b'\n').count();
        MorphError::NotText { list: list(), line }
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A line's key, which may have blanks in it or stand in quotes, and the words after it: those with an `=`.
fn split_line(line: &str) -> Result<(&str, &str), MannerError> {
    if let Some(quoted) = line.strip_prefix('"') {
        let (key, manner) = quoted.split_once('"').ok_or(MannerError::Quote)?;
        return Ok((key, manner));
    }
    let first = line.find(char::is_whitespace).unwrap_or(line.len());
    let mut key = line;
    while let Some(start) = key.rfind(char::is_whitespace) {
        let word = key[start..].trim_start();
        if start < first || !word.contains('=') {
            break;
        }
        key = key[..start].trim_end();
    }
    Ok((key, &line[key.len()..]))
}

/// A key with its file's path, where there is such a file beside the list.
fn beside(folder: &Path, key: &str) -> OsString {
    let (name, added) = match split_amount(key) {
        Some((name, _)) => (name, &key[name.len()..]),
        None => (key, ""),
    };
    let path = folder.join(name);
    let looks_like_a_file = Path::new(name).extension().is_some() || Path::new(name).components().count() > 1;
    if looks_like_a_file && is_clearly_a_file(&path) {
        let mut key = OsString::from(path);
        key.push(added);
        key
    } else {
        key.into()
    }
}

impl Manner {
    fn of<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, MannerError> {
        let mut manner = Self::default();
        for word in words {
            manner.set(word)?;
        }
        Ok(manner)
    }

    fn set(&mut self, said: &str) -> Result<(), MannerError> {
        let word = said.to_owned();
        let (name, value) = match said.split_once('=') {
            Some(parts) => parts,
            None => return Err(MannerError::Unknown { word }),
        };
        let (name, is_new) = match name {
            "time" => match seconds(value).filter(|&time| time > 0.0 && time <= LONGEST_WAY) {
                Some(time) => ("time", self.time.replace(time).is_none()),
                None => return Err(MannerError::Time { word }),
            },
            "hold" => match seconds(value).filter(|hold| (0.0..=LONGEST_REST).contains(hold)) {
                Some(hold) => ("hold", self.hold.replace(hold).is_none()),
                None => return Err(MannerError::Hold { word }),
            },
            "ease" => match Ease::named(value) {
                Some(ease) => ("ease", self.ease.replace(ease).is_none()),
                None => return Err(MannerError::Ease { word }),
            },
            _ => return Err(MannerError::Unknown { word }),
        };
        match is_new {
            true => Ok(()),
            false => Err(MannerError::Twice { name }),
        }
    }
}

/// Seconds, with an `s` or without.
fn seconds(text: &str) -> Option<f64> {
    text.strip_suffix('s').unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_an_at_is_of_time_only_where_it_says_so() {
        let typed = |word: &str| Stop::typed(word.as_ref());
        let stop = typed("anna.png+smile:1.5@hold=1s,ease=in,time=2.5").unwrap();
        assert_eq!(stop.key, "anna.png+smile:1.5");
        let expected = Manner {
            time: Some(2.5),
            hold: Some(1.0),
            ease: Some(Ease::In),
        };
        assert_eq!(stop.manner, expected);
        for plain in ["icon@2x.png", "@hold=1", "a@b", "7", "z:1,2"] {
            assert_eq!(typed(plain).unwrap().key, plain);
        }
        for (word, said) in [
            ("7@hold=-1", "from 0 to 60"),
            ("7@time=0", "more than 0"),
            ("7@time=nan", "more than 0"),
            ("7@hodl=1", "\"hodl=1\" is none of time=SECONDS"),
            ("7@hold=1,hold=2", "hold is said twice"),
            ("7@ease=fast", "linear, smoothstep, in or out"),
            ("7@hold=1,quick", "\"quick\" is none of"),
        ] {
            let error = typed(word).unwrap_err().to_string();
            assert!(error.starts_with(word) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_line_is_a_key_and_words_with_an_equals_sign() {
        for (line, key, manner) in [
            ("7", "7", ""),
            ("anna.png  time=2 hold=0.5", "anna.png", "time=2 hold=0.5"),
            ("my face.png\ttime=2", "my face.png", "time=2"),
            ("my face.png", "my face.png", ""),
            ("a=b.png time=2", "a=b.png", "time=2"),
            ("\"a c=d.png\" ease=in", "a c=d.png", "ease=in"),
            ("a=b.png", "a=b.png", ""),
        ] {
            let (found, words) = split_line(line).unwrap();
            assert_eq!((found, words.trim()), (key, manner), "{line}");
        }
        assert!(split_line("\"open").is_err());
    }

    #[test]
    fn a_list_names_its_lines_and_finds_its_files_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.txt");
        std::fs::write(folder.path().join("anna.png"), "").unwrap();
        std::fs::write(
            &path,
            "\u{feff}# two faces\r\n\r\nanna.png+smile:1 hold=2\r\n7 ease=out\r\nother.png\n",
        )
        .unwrap();
        let stops = Stop::listed(&path).unwrap();
        let keys: Vec<&OsString> = stops.iter().map(|stop| &stop.key).collect();
        let expected = folder.path().join("anna.png").into_os_string().into_string().unwrap() + "+smile:1";
        assert_eq!(keys, [expected.as_str(), "7", "other.png"]);
        assert_eq!(
            stops[1].place.as_deref().unwrap(),
            format!("{}, line 4", path.display())
        );
        for (text, said) in [
            (&b"7\n\n8 time=-1\n"[..], "line 3: time=-1"),
            (b"7\n8 quickly=1\n", "line 2: \"quickly=1\" is none of"),
            (b"7\n\xff\n", "line 2: a list of keys is UTF-8"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Stop::listed(&path).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        std::fs::write(&path, vec![b'\n'; 1 + LONGEST_LIST as usize]).unwrap();
        assert!(Stop::listed(&path).unwrap_err().to_string().contains("megabyte"));
    }
}
