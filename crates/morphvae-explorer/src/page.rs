//! The page's files, as they are compiled into the program.

/// The name and the text of every file of the page.
const FILES: &[(&str, &str)] = &files![
    "address.js",
    "attributes.js",
    "axes.js",
    "breath.js",
    "bytes.js",
    "clip.js",
    "cloud.js",
    "colour.js",
    "condition.js",
    "controls.js",
    "copy.js",
    "curves.js",
    "download.js",
    "drawing.js",
    "epochs.js",
    "example.js",
    "find.js",
    "fit.js",
    "gemm.js",
    "geodesic.js",
    "gestures.js",
    "gif.js",
    "grid.js",
    "how.js",
    "index.html",
    "inspect.js",
    "keeping.js",
    "keys.js",
    "language.js",
    "latest.js",
    "lattice.js",
    "layers.js",
    "legend.js",
    "likelihood.js",
    "main.js",
    "map.js",
    "marks.js",
    "memory.js",
    "near.js",
    "network.js",
    "over.css",
    "pad.js",
    "pairs.js",
    "palette.js",
    "panel.css",
    "parts.css",
    "phone.css",
    "photograph.js",
    "picture.js",
    "plane.js",
    "player.js",
    "reach.js",
    "record.js",
    "replay.js",
    "save.js",
    "server.js",
    "shortcuts.js",
    "slider.js",
    "speaking.js",
    "square.js",
    "state.js",
    "strip.js",
    "style.css",
    "texts.js",
    "theme.js",
    "training.js",
    "trouble.js",
    "undo.js",
    "view.js",
    "worker.js",
];

/// The text of a file of the page, if there is such a file.
pub(crate) fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("../page/", $name)))),+] };
}
use files;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            FILES.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()
        );
    }
}
