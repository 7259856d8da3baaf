//! What is refused before any work is done, since it would fail after much of it: pictures too large to be drawn, files
//! that cannot be written.

use std::path::Path;

use anyhow::Context;
use morphvae::figures::FigureError;
use morphvae::files::{check_file, check_folder};

use crate::answers::Usage;

/// Makes sure that a figure with so many images a side can be drawn. `fits` says whether one can; `option` is what was
/// typed for `asked`.
pub fn check_figure(option: &str, asked: usize, fits: impl Fn(usize) -> Result<(), FigureError>) -> anyhow::Result<()> {
    match fits(asked) {
        Err(FigureError::TooLarge { width, height }) => {
            let most = (1..asked).rev().find(|&count| fits(count).is_ok()).unwrap_or(1);
            let text = format!(
                "{option} is {asked}, which makes a picture of {width} x {height} pixels, larger than can be drawn: give \
                 {most} or less"
            );
            Err(Usage(text).into())
        }
        result => Ok(result?),
    }
}

/// Makes sure that a result can be written to a file.
pub fn check_out_file(path: &Path) -> anyhow::Result<()> {
    check_file(path).with_context(|| not_written(path))
}

/// Makes sure that a picture can be written to a file, as PNG, and that nothing is lost by it unasked.
pub fn check_picture(path: &Path, force: bool) -> anyhow::Result<()> {
    if !path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
    {
        let text = format!(
            "{}: the picture is written as .png: choose such an --out",
            path.display()
        );
        return Err(Usage(text).into());
    }
    if path.exists() && !force {
        return Err(Usage::exists(path).into());
    }
    check_out_file(path)
}

/// Makes sure that results can be written into a folder.
pub fn check_out_folder(path: &Path) -> anyhow::Result<()> {
    check_folder(path).with_context(|| not_written(path))
}

fn not_written(path: &Path) -> String {
    format!("{}: this cannot be written", path.display())
}
