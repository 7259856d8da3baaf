//! A clip as a folder of pictures, for programs that cut films.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::write_png;
use super::{Clip, Written, fail};
use crate::figures::FigureError;

/// Writes each frame once, in the order of the way: `00001.png`, `00002.png`, … Frames of an earlier, longer clip in the
/// same folder are removed.
pub(super) fn write(clip: &Clip, folder: &Path) -> Result<Written, FigureError> {
    for (index, frame) in clip.frames.iter().enumerate() {
        write_png(&folder.join(name(index)), frame)?;
    }
    let old = (clip.frames.len()..).map(|index| folder.join(name(index)));
    for path in old.take_while(|path: &PathBuf| path.exists()) {
        fs::remove_file(&path).map_err(fail(&path))?;
    }
    Ok(Written {
        shots: clip.frames.len(),
        seconds: clip.frames.len() as f64 / clip.frames_per_second,
        ..clip.written(folder)
    })
}

fn name(index: usize) -> String {
    format!("{:05}.png", index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::clip;
    use super::super::{Clip, Repeat};

    #[test]
    fn frames_are_numbered_and_those_of_a_longer_clip_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames");
        let count = || std::fs::read_dir(&path).unwrap().count();
        let long = clip(Repeat::Bounce, 25.0);
        let written = long.write(&path).unwrap();
        assert_eq!((count(), written.shots), (8, 8));
        let short = Clip {
            frames: long.frames[..3].to_vec(),
            ..long.clone()
        };
        short.write(&path).unwrap();
        assert_eq!(count(), 3);
        assert_eq!(image::open(path.join("00002.png")).unwrap().to_rgb8(), long.frames[1]);
    }
}
