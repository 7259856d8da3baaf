//! `morphvae data`

use std::path::PathBuf;

use anyhow::bail;
use morphvae::data::catalogue;
use morphvae::data::{Condition, KnownSet};
use morphvae::figures::{Caption, Labels, class_sheet, contact_sheet, write_png};
use serde_json::json;

use crate::Usage;
use crate::arguments::{DataListArguments, DataNameArguments, DataSheetArguments};
use crate::console::Console;
use crate::images::{Reading, Source, fetch as fetch_set, is_on_disk, split};
use crate::interrupt;

/// Images in a row of the contact sheet.
const COLUMNS: usize = 20;
/// Data sets have their own size; this is for folders.
const SIZE: usize = 32;

pub fn list(arguments: &DataListArguments, console: Console) -> anyhow::Result<()> {
    let data_dir = &arguments.store.data_dir;
    let sets: Vec<_> = catalogue::all()
        .iter()
        .map(|set| (set, is_on_disk(set, data_dir)))
        .collect();
    if arguments.json {
        let sets: Vec<_> = sets
            .iter()
            .map(|(set, here)| json!({ "name": set.name, "description": set.description, "on_disk": here }))
            .collect();
        return Ok(console.json(&json!({ "sets": sets }))?);
    }
    for (set, here) in sets {
        let state = if here {
            "on disk".to_owned()
        } else {
            format!("{:.0} MB to fetch", set.download_bytes() as f64 / 1e6)
        };
        console.print(&format!("{:<18} {state:<16} {}", set.name, set.description))?;
    }
    console.print(&format!(
        "{:<18} {:<16} digits drawn by this program, as many as wanted",
        "strokes", "built in"
    ))?;
    Ok(())
}

pub fn fetch(arguments: &DataNameArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    let set = catalogue::find(&arguments.name)?;
    fetch_set(set, &arguments.store, console)?;
    let folder = set.folder(&arguments.store.data_dir);
    console.note(format!("{} is in {}", set.name, folder.display()));
    if arguments.json {
        console.json(&json!({ "name": set.name, "folder": folder }))?;
    }
    Ok(())
}

pub fn check(arguments: &DataNameArguments, console: Console) -> anyhow::Result<()> {
    let set: &KnownSet = catalogue::find(&arguments.name)?;
    let states = set.check(&arguments.store.data_dir);
    let word = |condition: &Condition| match condition {
        Condition::Missing => "missing".to_owned(),
        Condition::Published => "as published".to_owned(),
        Condition::Readable => "readable (there is no digest for this form of it)".to_owned(),
        Condition::Damaged(reason) => format!("damaged: {reason}"),
    };
    if arguments.json {
        let files: Vec<_> = states
            .iter()
            .map(|state| json!({ "path": state.path, "state": word(&state.condition) }))
            .collect();
        console.json(&json!({ "name": set.name, "files": files }))?;
    } else {
        for state in &states {
            console.print(&format!("{}: {}", state.path.display(), word(&state.condition)))?;
        }
    }
    let bad = states
        .iter()
        .filter(|state| matches!(state.condition, Condition::Missing | Condition::Damaged(_)))
        .count();
    if bad > 0 {
        bail!(
            "{bad} of {} files of {} are missing or damaged: `morphvae data fetch {0}` gets them",
            states.len(),
            set.name
        );
    }
    Ok(())
}

pub fn sheet(arguments: &DataSheetArguments, console: Console) -> anyhow::Result<()> {
    let source = match Source::named(&arguments.images)? {
        Some(source) => source,
        None => Source::default(&arguments.images.store, console)?,
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.png", source.name())));
    if out.exists() && !arguments.force {
        return Err(Usage::exists(&out).into());
    }
    let reading = Reading {
        size: SIZE,
        channels: None,
        limit: None,
        seed: arguments.seed,
    };
    let dataset = source.load(&arguments.images, reading, console)?;
    let (name, classes) = (dataset.name.clone(), dataset.classes.clone());
    let mut split = split(dataset, arguments.split);
    let whole = split.images.count();
    split.truncate(arguments.count);
    let subtitle = format!("{} of {whole} images", split.images.count());
    let caption = Caption::new(&name, &subtitle);
    let picture = match &split.labels {
        Some(indices) => class_sheet(
            &split.images,
            Labels {
                indices,
                classes: &classes,
            },
            COLUMNS,
            &caption,
        )?,
        None => contact_sheet(&split.images, COLUMNS, &caption)?,
    };
    write_png(&out, &picture)?;
    console.note(format!("drawn in {}", out.display()));
    Ok(())
}
