//! Clips as a folder of numbered pictures.

use super::super::{FigureError, write_png};
use super::ClipError;
use super::count::Count;
use super::look::Frames;
use rayon::prelude::*;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes `count` frames as `00001.png` and so on, and removes what a longer clip left in the same folder. All of them
/// are written beside it first, so that it never holds a part of a clip.
pub(super) fn write(path: &Path, frames: &Frames, count: usize, done: &Count) -> Result<(), ClipError> {
    let name = |index: usize| format!("{:05}.png", index + 1);
    let part = Part::beside(path).map_err(|source| not_written(path, source))?;
    (0..count).into_par_iter().try_for_each(|index| {
        done.one()?;
        Ok::<(), ClipError>(write_png(&part.0.join(name(index)), &frames.picture(index))?)
    })?;
    fs::create_dir_all(path).map_err(|source| not_written(path, source))?;
    for index in 0..count {
        let to = path.join(name(index));
        fs::rename(part.0.join(name(index)), &to).map_err(|source| not_written(&to, source))?;
    }
    let stale = (count..).map(|index| path.join(name(index)));
    for stale in stale.take_while(|path| path.exists()) {
        fs::remove_file(&stale).map_err(|source| not_written(&stale, source))?;
    }
    Ok(())
}

/// A folder beside another one, which is gone when nobody needs it any more.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        fs::create_dir_all(&part)?;
        Ok(Self(part))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After an error, that one is worth reporting.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn not_written(path: &Path, source: io::Error) -> ClipError {
    let path = path.to_owned();
    FigureError::Write { path, source }.into()
}
