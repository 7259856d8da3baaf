//! A sheet of images over a plane of the latent space.

use std::ffi::OsString;

use morphvae::evaluation::{decode, encode};
use morphvae::figures::{Caption, ManifoldAxes, dimension_name, manifold, write_png};
use morphvae::latent::{PrincipalComponents, Slice, SliceError};
use serde_json::json;

use super::Job;
use crate::Usage;
use crate::arguments::SpacingArgument;
use crate::commands::data::grouped;

/// Images a side unless told otherwise.
const SIZE: usize = 20;

/// A plane and how it is named.
struct Plane {
    slice: Slice,
    title: String,
    axes: [String; 2],
    /// Where it lies, if that is to be said.
    place: Option<String>,
    /// For programs: `axes`, `components` or `through`.
    kind: &'static str,
}

pub fn run(job: &Job) -> anyhow::Result<()> {
    let arguments = job.arguments;
    let size = arguments.size.unwrap_or(SIZE);
    let (values, spacing) = match arguments.through {
        // From one key to the next.
        Some(_) => (between(size), "evenly spaced"),
        None => job.spaced(size, SpacingArgument::Quantile)?,
    };
    let plane = if let Some(axes) = arguments.components {
        components(job, axes)?
    } else if let Some(keys) = &arguments.through {
        through(job, keys)?
    } else {
        axes(job, arguments.axes)?
    };
    let rows: Vec<f64> = values.iter().rev().copied().collect();
    let images = decode(&job.network, &plane.slice.points(&values, &rows));
    let subtitle = [Some(job.learned()), Some(spacing.to_owned()), plane.place];
    let subtitle: Vec<String> = subtitle.into_iter().flatten().collect();
    let axes = ManifoldAxes {
        names: [&plane.axes[0], &plane.axes[1]],
        columns: &values,
        rows: &rows,
    };
    let picture = manifold(&images, &axes, &Caption::new(&plane.title, &subtitle.join(" · ")))?;
    write_png(job.out, &picture)?;
    job.console.note(format!("drawn in {}", job.out.display()));
    if arguments.json {
        job.console.json(&json!({
            "out": job.out,
            "plane": plane.kind,
            "origin": plane.slice.origin,
            "directions": plane.slice.directions,
            "columns": values,
            "rows": rows,
        }))?;
    }
    Ok(())
}

fn axes(job: &Job, axes: Option<[usize; 2]>) -> anyhow::Result<Plane> {
    let latent = job.latent();
    if latent == 1 {
        let text = "this model has one latent dimension, and a plane needs two: use --traverse";
        return Err(Usage(text.into()).into());
    }
    if latent == 2 && job.arguments.base.is_some() {
        let text = "--base changes nothing here: this model has two latent dimensions, and both of them change";
        return Err(Usage(text.into()).into());
    }
    let axes = axes.unwrap_or([0, 1]);
    let names = axes.map(dimension_name);
    let slice = Slice::axes(&job.base()?, axes).map_err(usage)?;
    let place = match (&job.arguments.base, latent) {
        (_, 2) => None,
        (Some(key), _) => Some(format!("the others at {}", key.display())),
        (None, _) => Some("the others at 0".to_owned()),
    };
    Ok(Plane {
        slice,
        title: format!("Continuously changing images along {} and {}", names[0], names[1]),
        axes: names,
        place,
        kind: "axes",
    })
}

fn components(job: &Job, axes: [usize; 2]) -> anyhow::Result<Plane> {
    let (model, latent) = (job.model, job.latent());
    Slice::check_components(axes, latent).map_err(usage)?;
    let source = model.source(&job.arguments.images, job.console)?;
    let dataset = model.load(&source, &job.arguments.images, None, job.console)?;
    let codes = encode(&job.network, &dataset.test.images)?;
    let components = PrincipalComponents::of(&codes.mean, latent, 1 + axes[0].max(axes[1]));
    let slice = Slice::components(&components, axes).map_err(usage)?;
    let name = |axis: usize| {
        let percent = 100.0 * components.shares[axis];
        format!("principal component {} ({percent:.0} % of the variance)", axis + 1)
    };
    Ok(Plane {
        slice,
        title: "Continuously changing images along principal components".to_owned(),
        axes: axes.map(name),
        place: Some(format!(
            "around the mean of {} images",
            grouped(dataset.test.images.count())
        )),
        kind: "components",
    })
}

fn through(job: &Job, keys: &[OsString]) -> anyhow::Result<Plane> {
    let points = job.keys(keys)?;
    let [first, second, third] = points.as_slice() else {
        return Err(Usage(format!("--through takes three keys, not {}", keys.len())).into());
    };
    Ok(Plane {
        slice: Slice::through([first, second, third]).map_err(usage)?,
        title: "Continuously changing images in the plane through three keys".to_owned(),
        axes: [1, 2].map(|other| format!("{} → {}", keys[0].display(), keys[other].display())),
        place: None,
        kind: "through",
    })
}

/// `count` values from 0 to 1.
fn between(count: usize) -> Vec<f64> {
    (0..count)
        .map(|index| index as f64 / (count.max(2) - 1) as f64)
        .collect()
}

/// A plane that there is not was asked for on the command line.
fn usage(error: SliceError) -> Usage {
    Usage(error.to_string())
}
