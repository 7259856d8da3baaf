//! `morphvae data`

mod arguments;

use std::path::PathBuf;

use anyhow::bail;
use morphvae::data::catalogue;
use morphvae::data::{Condition, KnownSet, class_folders, write_image};
use morphvae::figures::{Caption, Labels, class_sheet, contact_sheet, write_png};
use morphvae::studio::{ImageRequest, Part, Reading, STROKES, Source, USUAL_SET};
use serde_json::json;

use crate::answers::Usage;
use crate::console::{Console, Unit, grouped};
use crate::interrupt;
use crate::limits::{check_out_folder, check_picture};
use crate::observer::observer;
pub use arguments::DataVerb;
use arguments::{DataExportArguments, DataListArguments, DataNameArguments, DataSheetArguments};

/// Images in a row of the contact sheet.
const COLUMNS: usize = 20;
/// What `strokes` is.
const DRAWN: &str = "digits drawn by this program, as many as wanted";
/// Data sets have their own size; this is for folders.
const SIZE: usize = 32;

pub fn run(verb: &DataVerb, console: Console) -> anyhow::Result<()> {
    match verb {
        DataVerb::List(arguments) => list(arguments, console),
        DataVerb::Fetch(arguments) => fetch(arguments, console),
        DataVerb::Check(arguments) => check(arguments, console),
        DataVerb::Sheet(arguments) => sheet(arguments, console),
        DataVerb::Export(arguments) => export(arguments, console),
    }
}

fn list(arguments: &DataListArguments, console: Console) -> anyhow::Result<()> {
    let store = arguments.store.store();
    let sets: Vec<_> = catalogue::all()
        .iter()
        .map(|set| (set, set.is_in(store.folder())))
        .collect();
    if arguments.json {
        let known = sets.iter().map(|(set, here)| {
            json!({
                "name": set.name, "description": set.description, "on_disk": here, "download_bytes": set.download_bytes(),
            })
        });
        // Always at hand, as what is on disk.
        let strokes = json!({ "name": STROKES, "description": DRAWN, "on_disk": true, "download_bytes": 0 });
        let sets: Vec<_> = known.chain([strokes]).collect();
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
    console.print(&format!("{STROKES:<18} {:<16} {DRAWN}", "built in"))?;
    Ok(())
}

fn fetch(arguments: &DataNameArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    let set = find(&arguments.name)?;
    let store = arguments.store.store();
    store.fetch(set, &observer(console))?;
    let folder = set.folder(store.folder());
    console.note(format!("{} is in {}", set.name, folder.display()));
    if arguments.json {
        console.json(&json!({ "name": set.name, "folder": folder }))?;
    }
    Ok(())
}

fn check(arguments: &DataNameArguments, console: Console) -> anyhow::Result<()> {
    let set = find(&arguments.name)?;
    let states = set.check(arguments.store.store().folder());
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
            "{bad} of {} files of {name} are missing or damaged: `morphvae data fetch {name}` gets them",
            states.len(),
            name = set.name
        );
    }
    Ok(())
}

/// A set that has files.
fn find(name: &str) -> anyhow::Result<&'static KnownSet> {
    if name == STROKES {
        let text = "strokes is drawn by this program and has no files: use it with --dataset strokes";
        return Err(Usage(text.into()).into());
    }
    Ok(catalogue::find(name)?)
}

fn sheet(arguments: &DataSheetArguments, console: Console) -> anyhow::Result<()> {
    let request = arguments.images.request()?;
    let source = match &request.source {
        Some(source) => source.clone(),
        None => Source::named(USUAL_SET)?,
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.png", source.name())));
    check_picture(&out, arguments.force)?;
    let reading = Reading {
        seed: arguments.seed,
        ..Reading::of_size(SIZE)
    };
    let mut dataset = source.read(&request, &reading, &observer(console))?;
    if let Some(binarization) = request.binarize {
        let side = dataset.test.images.height();
        dataset = dataset.binarized(binarization, side)?;
    }
    let (name, classes) = (dataset.name.clone(), dataset.classes.clone());
    let mut split = arguments.split.take(dataset)?;
    let whole = split.images.count();
    let subtitle = |shown: usize| {
        let part = match arguments.split {
            Part::Train => "training",
            Part::Test => "test",
        };
        format!("{} of {} {part} images", grouped(shown), grouped(whole))
    };
    let picture = match &split.labels {
        Some(indices) => {
            let rows = (0..classes.len())
                .map(Some)
                .chain(indices.contains(&None).then_some(None));
            // As many of each class, so that the rows are full wherever there are images enough.
            let columns = arguments.count.div_ceil(rows.clone().count().max(1));
            let of_class =
                |class: Option<usize>| indices.iter().filter(|label| label.map(usize::from) == class).count();
            let shown = rows.map(|class| of_class(class).min(columns)).sum();
            let labels = Labels {
                indices,
                classes: &classes,
            };
            class_sheet(&split.images, labels, columns, &Caption::new(&name, &subtitle(shown)))?
        }
        None => {
            split.truncate(arguments.count);
            contact_sheet(
                &split.images,
                COLUMNS,
                &Caption::new(&name, &subtitle(split.images.count())),
            )?
        }
    };
    write_png(&out, &picture)?;
    console.note(format!("drawn in {}", out.display()));
    Ok(())
}

fn export(arguments: &DataExportArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    let source = Source::named(&arguments.dataset)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-images", source.name())));
    if out.exists() && !arguments.force {
        return Err(Usage::exists(&out).into());
    }
    check_out_folder(&out)?;
    let reading = Reading {
        limit: arguments.limit,
        seed: arguments.seed,
        ..Reading::of_size(SIZE)
    };
    let request = ImageRequest {
        store: arguments.store.store(),
        ..ImageRequest::default()
    };
    let dataset = source.read(&request, &reading, &observer(console))?;
    let [train, test] = [&dataset.train, &dataset.test].map(|split| split.images.count());
    let mut meter = console.progress(Unit::Images);
    let folders = class_folders(&dataset.classes);
    let mut done = 0;
    for (part, split) in [("train", &dataset.train), ("test", &dataset.test)] {
        for index in 0..split.images.count() {
            let label = split.labels.as_ref().and_then(|labels| labels[index]);
            let folder = label.and_then(|label| folders.get(usize::from(label)));
            let folder = folder.map_or("", String::as_str);
            let path = out.join(part).join(folder).join(format!("{index:05}.png"));
            write_image(&split.images, index, &path)?;
            done += 1;
            meter.update("writing", done, (train + test) as u64, "");
            if interrupt::check().is_break() {
                bail!("stopped: {done} of {} images are in {}", train + test, out.display());
            }
        }
    }
    drop(meter);
    console.note(format!(
        "{} images to train on and {} to test on in {}; learn from them with: morphvae train --images {}",
        grouped(train),
        grouped(test),
        out.display(),
        out.display()
    ));
    if arguments.json {
        console.json(&json!({ "name": dataset.name, "train": train, "test": test, "out": out }))?;
    }
    Ok(())
}
