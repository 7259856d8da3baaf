//! What image files are called that stand for others: the same as those, as `.png`.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use crate::answers::Usage;

/// Endings of image files, which give way to `.png`. Others are part of a name: `v1.2`.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "pgm", "ppm", "pnm", "webp"];

/// Names for images that have none: `00000.png` and so on.
pub fn numbered(count: usize) -> Vec<PathBuf> {
    (0..count).map(|index| format!("{index:05}.png").into()).collect()
}

/// The paths that ids are, as `encode` writes them. Ids come from files of unknown origin, and none may lead out of the
/// folder that images are written into.
pub fn paths_of(ids: &[String]) -> Result<Vec<PathBuf>, Usage> {
    let path = |id: &String| {
        let path = PathBuf::from(id);
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if id.is_empty() || !is_inside || path.file_name().is_none() || id.contains('\0') {
            return Err(Usage(format!(
                "an image cannot be called {id:?}: ids must be paths inside the folder that is written, such as \
                 smile/01: give others, or write an .npz"
            )));
        }
        Ok(path)
    };
    ids.iter().map(path).collect()
}

/// One name for each source, in the same folders: `smile/01.png` for `smile/01.jpg`. Sources that would share a name
/// keep their endings: `01.jpg.png` and `01.bmp.png`. Capitals count as small letters, as on many disks.
pub fn names_like(sources: &[PathBuf]) -> Vec<PathBuf> {
    let key = |path: &Path| path.to_string_lossy().to_lowercase();
    let mut wanted: HashMap<String, usize> = HashMap::new();
    for source in sources {
        *wanted.entry(key(&short(source))).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let name = |source: &PathBuf| {
        let first = Some(short(source)).filter(|name| wanted[&key(name)] == 1);
        let others = (1..).map(|number| match number {
            1 => with_ending(source, ".png"),
            _ => with_ending(source, &format!("-{number}.png")),
        });
        let free = first.into_iter().chain(others).find(|name| taken.insert(key(name)));
        free.expect("there is always a next number")
    };
    sources.iter().map(name).collect()
}

fn short(source: &Path) -> PathBuf {
    let ending = source.extension().and_then(|ending| ending.to_str());
    if ending.is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))) {
        source.with_extension("png")
    } else {
        with_ending(source, ".png")
    }
}

fn with_ending(source: &Path, ending: &str) -> PathBuf {
    let mut name = source.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    source.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sources_share_a_name() {
        let sources = [
            "a/1.jpg",
            "b/1.jpg",
            "2.png",
            "2.jpg",
            "3.PNG",
            "3.bmp",
            "2.png.webp",
            "4",
            "v1.2",
        ];
        let names = names_like(&sources.map(PathBuf::from));
        let expected = [
            "a/1.png",
            "b/1.png",
            "2.png.png",
            "2.jpg.png",
            "3.PNG.png",
            "3.bmp.png",
            "2.png.webp.png",
            "4.png",
            "v1.2.png",
        ];
        assert_eq!(names, expected.map(PathBuf::from));
    }

    #[test]
    fn the_same_id_twice_makes_two_names() {
        let names = names_like(&["a", "a", "A"].map(PathBuf::from));
        assert_eq!(names, ["a.png", "a-2.png", "A-3.png"].map(PathBuf::from));
    }

    #[test]
    fn no_id_leads_out_of_the_folder() {
        for id in ["", "/etc/passwd", "../a", "a/../../b", "..", ".", "a\0b"] {
            assert!(paths_of(&[id.to_owned()]).is_err(), "{id:?}");
        }
        let ids = ["test/00001", "smile/a b.png"].map(String::from);
        assert_eq!(paths_of(&ids).unwrap(), ids.map(PathBuf::from));
    }
}
