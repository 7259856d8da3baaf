//! Where the results of a clip go.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use morphvae::figures::clip::{ClipFormat, Repeat};
use morphvae::figures::clip_sheet_count;
use morphvae::studio::Stop;
use morphvae::studio::keys::shortened;
use sha2::{Digest, Sha256};

use super::arguments::MorphArguments;
use crate::answers::Usage;
use crate::limits::{check_out_file, check_out_folder};

/// Letters of a file's name that come from the keys, at most.
const LONGEST_NAME: usize = 60;
/// Sheets that are drawn of one clip, at most.
const MOST_SHEETS: usize = 10;

pub struct Files {
    pub clip: PathBuf,
    pub format: ClipFormat,
    pub sheets: Vec<PathBuf>,
    pub map: Option<PathBuf>,
    /// Why there is no sheet, though one was wanted.
    pub no_sheet: Option<String>,
}

impl Files {
    /// What cannot be written shows before any work is done.
    pub fn of(arguments: &MorphArguments, stops: &[Stop]) -> anyhow::Result<Self> {
        let clip = match (&arguments.out, &arguments.list) {
            (Some(out), _) => out.clone(),
            (None, Some(list)) => {
                let stem = list.file_stem().unwrap_or_default().to_string_lossy();
                PathBuf::from(format!("morph-{stem}.gif"))
            }
            (None, None) => PathBuf::from(name(stops.iter().map(|stop| stop.key.as_os_str())) + ".gif"),
        };
        let format = ClipFormat::of(&clip)?;
        let beside = |what: &str| {
            let stem = clip.file_stem().unwrap_or_default().to_string_lossy();
            clip.with_file_name(format!("{stem}-{what}.png"))
        };
        let closed = repeat(arguments, format) == Repeat::Cycle;
        let (sheets, no_sheet) = match clip_sheet_count(stops.len(), closed) {
            _ if arguments.no_sheet => (Vec::new(), None),
            1 => (vec![beside("sheet")], None),
            count @ ..=MOST_SHEETS => ((1..=count).map(|page| beside(&format!("sheet-{page}"))).collect(), None),
            count => {
                let keys = stops.len();
                let text =
                    format!("no contact sheet: {keys} keys would fill {count} of them, and {MOST_SHEETS} are drawn");
                (Vec::new(), Some(text))
            }
        };
        let files = Self {
            sheets,
            map: arguments.on_map.then(|| beside("map")),
            format,
            no_sheet,
            clip,
        };
        files.check(arguments, stops)?;
        Ok(files)
    }

    fn check(&self, arguments: &MorphArguments, stops: &[Stop]) -> anyhow::Result<()> {
        let rests = stops.iter().find(|stop| stop.manner.hold.is_some());
        let said = match (arguments.repeat, arguments.hold, rests) {
            (Some(Repeat::Bounce), ..) => Some("--loop bounce"),
            (_, Some(_), _) => Some("--hold"),
            (.., Some(_)) => Some("hold="),
            _ => None,
        };
        if let (ClipFormat::Frames, Some(said)) = (self.format, said) {
            let text = format!(
                "{}: a folder of frames has each of them once, so that {said} says nothing: leave it out, or write a \
                 .gif, .apng or .mp4",
                self.clip.display()
            );
            return Err(Usage(text).into());
        }
        let mut files = std::iter::once(&self.clip).chain(&self.sheets).chain(&self.map);
        if let Some(occupied) = files.find(|path| path.exists() && !arguments.force) {
            return Err(Usage::exists(occupied).into());
        }
        match self.format {
            ClipFormat::Frames => check_out_folder(&self.clip)?,
            _ => check_out_file(&self.clip)?,
        }
        let mut pictures = self.sheets.iter().chain(&self.map);
        pictures.try_for_each(|path| check_out_file(path))
    }
}

/// What comes after the last key: a file goes on to the first, a folder ends.
pub fn repeat(arguments: &MorphArguments, format: ClipFormat) -> Repeat {
    let usual = match format {
        ClipFormat::Frames => Repeat::Once,
        _ => Repeat::Cycle,
    };
    arguments.repeat.unwrap_or(usual)
}

/// `morph-2-4-9` for the keys 2, 4 and 9. Other keys have another name, even those that are too many to be spelt out.
fn name<'a>(keys: impl Iterator<Item = &'a OsStr> + Clone) -> String {
    let words = keys.clone().map(|key| {
        let plain = |letter: char| letter.is_alphanumeric() || "-+.".contains(letter);
        let replaced = |letter: char| if plain(letter) { letter } else { '_' };
        shortened(key, 1).chars().map(replaced).collect::<String>()
    });
    let name = words.fold("morph".to_owned(), |name, word| format!("{name}-{word}"));
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    let mut digest = Sha256::new();
    for key in keys {
        digest.update(key.as_encoded_bytes());
        digest.update([0]);
    }
    let ending: String = digest.finalize()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let beginning: String = name.chars().take(LONGEST_NAME - 9).collect();
    format!("{beginning}-{ending}")
}

/// For a message: the file's size in megabytes, with one decimal below ten.
pub fn megabytes(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 10.0 {
        format!("{megabytes:.1} MB")
    } else {
        format!("{megabytes:.0} MB")
    }
}

/// Bytes of the clip, if it is one file.
pub fn size(clip: &Path) -> Option<u64> {
    std::fs::metadata(clip)
        .ok()
        .filter(std::fs::Metadata::is_file)
        .map(|data| data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_keys_give_another_name() {
        let of = |line: &str| name(line.split(' ').map(OsStr::new));
        assert_eq!(of("2 4 9"), "morph-2-4-9");
        assert_eq!(of("blue blue+red:1.2"), "morph-blue-blue+red_1.2");
        assert_eq!(of("z:0.5,0 z:-0.7,0"), "morph-z_0.5_0-z_-0.7_0");
        let [one, other] = ["8", "9"].map(|last| of(&format!("{} {last}", "t-shirt ".repeat(9).trim())));
        assert!(one != other && one.chars().count() == 60 && one.starts_with("morph-t-shirt-t-shirt"));
        // The same with every release: the beginning of SHA-256 of "t-shirt\0" nine times and "8\0".
        assert!(one.ends_with("-5f0d1b87"), "{one}");
        let unsafe_letters = of("C:\\a/b*?\"<> \u{7}");
        assert_eq!(unsafe_letters, "morph-C__a_b_____-_");
    }
}
