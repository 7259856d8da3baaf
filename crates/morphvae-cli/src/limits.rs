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
    let rule = "the picture is written as .png: choose such an --out";
    check_new_file(path, &["png"], rule, "--out", force)
}

/// The same of a file with one of these endings, as a `rule` says; `other` is what else can be chosen where one stands.
pub fn check_new_file(path: &Path, endings: &[&str], rule: &str, other: &str, force: bool) -> anyhow::Result<()> {
    let has = |ending: &&str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    if !endings.iter().any(has) {
        return Err(Usage(format!("{}: {rule}", path.display())).into());
    }
    if path.exists() && !force {
        return Err(Usage::stands(path, other).into());
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
