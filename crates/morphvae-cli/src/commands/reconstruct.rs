//! `morphvae reconstruct`

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use morphvae::data::Images;
use morphvae::evaluation::reconstruct;
use morphvae::figures::write_png;
use serde_json::json;

use crate::Usage;
use crate::arguments::ReconstructArguments;
use crate::console::Console;
use crate::images::{Source, split};
use crate::model::Model;

pub fn run(arguments: &ReconstructArguments, console: Console) -> anyhow::Result<()> {
    let out = &arguments.out;
    if out.exists() && !arguments.force {
        return Err(Usage::exists(out).into());
    }
    let model = Model::open(&arguments.model, console)?;
    let source = model.source(&arguments.images, console)?;
    if let Source::Folder { path, .. } = &source
        && is_same_folder(path, out)
    {
        // The names are the same as well.
        let text = format!(
            "{}: the images themselves lie here: choose another --out",
            out.display()
        );
        return Err(Usage(text).into());
    }
    let dataset = model.load(&source, &arguments.images, arguments.limit, console)?;
    let split = split(dataset, arguments.split)?;
    let images = reconstruct(&model.inference(), &split.images)?;
    let names = match &split.sources {
        Some(sources) => names_like(sources),
        None => (0..images.count())
            .map(|index| format!("{index:05}.png").into())
            .collect(),
    };
    for (index, name) in names.iter().enumerate() {
        write_png(&out.join(name), &picture(&images, index))?;
    }
    console.note(format!("{} images in {}", images.count(), out.display()));
    if arguments.json {
        console.json(&json!({ "images": images.count(), "out": out }))?;
    }
    Ok(())
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// One name for each source, in the same folders: `smile/01.png` for `smile/01.jpg`. Sources that would share a name
/// keep their endings: `01.jpg.png` and `01.bmp.png`. Capitals count as small letters, as on many disks.
fn names_like(sources: &[PathBuf]) -> Vec<PathBuf> {
    let key = |path: &Path| path.to_string_lossy().to_lowercase();
    let short = |source: &PathBuf| source.with_extension("png");
    let mut wanted: HashMap<String, usize> = HashMap::new();
    for source in sources {
        *wanted.entry(key(&short(source))).or_default() += 1;
    }
    let with_ending = |source: &Path, ending: &str| {
        let mut name = source.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        source.with_file_name(name)
    };
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

fn picture(images: &Images, index: usize) -> RgbImage {
    let (width, plane, bytes) = (images.width(), images.width() * images.height(), images.image(index));
    RgbImage::from_fn(width as u32, images.height() as u32, |x, y| {
        let place = y as usize * width + x as usize;
        // A grey image has one plane, which stands for all three.
        Rgb([0, 1, 2].map(|channel| bytes[(channel * plane + place) % bytes.len().max(1)]))
    })
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
        ];
        assert_eq!(names, expected.map(PathBuf::from));
    }
}
