//! A sheet of images over a plane of the latent space.

use std::ffi::OsString;

use morphvae::evaluation::{decode, encode};
use morphvae::figures::{Caption, ManifoldAxes, dimension_name, manifold, write_png};
use morphvae::latent::{LatentStatistics, PrincipalComponents, Slice, SliceError};
use serde_json::json;

use super::arguments::SpacingArgument;
use super::job::{Around, Drawer, Ground, Job, Spacing};
use crate::answers::Usage;
use crate::console::grouped;
use crate::model::learned;

/// Images a side unless told otherwise.
pub(super) const SIZE: usize = 20;

/// A plane and how it is named.
struct Plane {
    slice: Slice,
    /// The coordinates of the columns and of the rows, both upwards.
    coordinates: [Vec<f64>; 2],
    title: String,
    axes: [String; 2],
    /// How the coordinates are spaced.
    spacing: String,
    /// Where it lies, if that is to be said.
    place: Option<String>,
    /// For programs: `axes`, `components` or `through`; which of these, counted from 0; and `prior` or `encodings`, where
    /// it is measured by these.
    kind: &'static str,
    along: Option<[usize; 2]>,
    around: Option<Around>,
}

pub fn run(job: &Job) -> anyhow::Result<()> {
    let arguments = job.arguments;
    let size = arguments.size.unwrap_or(SIZE);
    let drawer = match &arguments.through {
        // Keys have classes of their own.
        Some(_) => Drawer::Whole(job.network),
        None => job.drawer()?,
    };
    let plane = if let Some(keys) = &arguments.through {
        through(job, keys, size)?
    } else {
        let spacing = job.spaced(size, SpacingArgument::Quantile)?;
        match arguments.components {
            Some(components) => self::components(job, components, &spacing)?,
            None => axes(job, arguments.axes, &spacing)?,
        }
    };
    let [columns, mut rows] = plane.coordinates;
    rows.reverse();
    let images = decode(drawer.decoder(), &plane.slice.points(&columns, &rows))?;
    let subtitle = [Some(learned(job.model)), drawer.say(), Some(plane.spacing), plane.place];
    let subtitle: Vec<String> = subtitle.into_iter().flatten().collect();
    let axes = ManifoldAxes {
        names: [&plane.axes[0], &plane.axes[1]],
        columns: &columns,
        rows: &rows,
    };
    let picture = manifold(&images, &axes, &Caption::new(&plane.title, &subtitle.join(" · ")))?;
    write_png(job.out, &picture)?;
    job.console.note(format!("drawn in {}", job.out.display()));
    if arguments.json {
        job.console.json(&json!({
            "out": job.out,
            "plane": plane.kind,
            "along": plane.along.map(|axes| axes.map(|axis| axis + 1)),
            "around": plane.around.map(Around::key),
            "origin": plane.slice.origin,
            "directions": plane.slice.directions,
            "columns": columns,
            "rows": rows,
        }))?;
    }
    Ok(())
}

fn axes(job: &Job, axes: Option<[usize; 2]>, spacing: &Spacing) -> anyhow::Result<Plane> {
    let latent = job.latent();
    if latent == 1 {
        let text = "this model has one latent dimension, and a plane needs two: use --traverse";
        return Err(Usage(text.into()).into());
    }
    if latent == 2 && job.arguments.base.is_some() {
        let text = "--base changes nothing here: this model has two latent dimensions, and both of them change";
        return Err(Usage(text.into()).into());
    }
    // A plane that cannot be is refused before images are encoded.
    if let Some(axes) = axes {
        Slice::axes(&vec![0.0; latent], axes).map_err(usage)?;
    }
    let known = if job.is_filled() { None } else { job.statistics()? };
    let ground = job.ground(known.as_ref());
    let axes = axes.unwrap_or_else(|| widest(job, &ground));
    let names = axes.map(dimension_name);
    let slice = Slice::axes(&job.base(&ground)?, axes).map_err(usage)?;
    let place = match (&job.arguments.base, latent) {
        (_, 2) => None,
        (Some(key), _) => Some(format!("the others at {}", key.display())),
        (None, _) => Some(ground.around.others().to_owned()),
    };
    Ok(Plane {
        slice,
        coordinates: axes.map(|axis| ground.extent.values(axis, &spacing.deviations)),
        title: format!("Continuously changing images along {} and {}", names[0], names[1]),
        axes: names,
        spacing: spacing.say(ground.around),
        place,
        kind: "axes",
        along: Some(axes),
        around: Some(ground.around),
    })
}

/// The two dimensions in which the encodings spread most, if there is a choice.
fn widest(job: &Job, ground: &Ground) -> [usize; 2] {
    if job.latent() == 2 {
        return [0, 1];
    }
    let axes = ground.extent.widest();
    if ground.around != Around::Prior {
        let [one, other] = axes.map(dimension_name);
        job.console.note(format!(
            "along {one} and {other}, in which the encodings spread most (--axes chooses others)"
        ));
    }
    axes
}

fn components(job: &Job, axes: [usize; 2], spacing: &Spacing) -> anyhow::Result<Plane> {
    let latent = job.latent();
    Slice::check_components(axes, latent).map_err(usage)?;
    let dataset = job.images()?;
    let codes = encode(job.network, &dataset.test)?;
    let components = PrincipalComponents::of(&codes.mean, latent, 1 + axes[0].max(axes[1]));
    let known = LatentStatistics::of(&codes.mean, &vec![0.0; latent], None, &[], &[]);
    let (base, around) = match known.central() {
        Some(central) => (central, Around::Encoding),
        None => (components.mean.clone(), Around::Mean),
    };
    // Coordinates are measured from the mean, so that they reach as far as the encodings do.
    let slice = Slice::components(&components, &base, axes).map_err(usage)?;
    let count = grouped(dataset.test.images.count());
    let name = |axis: usize| {
        let percent = 100.0 * components.shares[axis];
        format!("principal component {} ({percent:.0} % of the variance)", axis + 1)
    };
    let values = |axis: usize| {
        let deviation = components.deviation(axis);
        spacing.deviations.iter().map(|count| deviation * count).collect()
    };
    Ok(Plane {
        slice,
        coordinates: axes.map(values),
        title: "Continuously changing images along principal components".to_owned(),
        axes: axes.map(name),
        spacing: spacing.say(around),
        place: Some(match around {
            Around::Encoding => format!("through the one of {count} images nearest to their mean"),
            _ => format!("around the mean of {count} images"),
        }),
        kind: "components",
        along: Some(axes),
        around: Some(around),
    })
}

fn through(job: &Job, keys: &[OsString], size: usize) -> anyhow::Result<Plane> {
    let points = job.keys(keys)?;
    let [first, second, third] = points.as_slice() else {
        return Err(Usage(format!("--through takes three keys, not {}", keys.len())).into());
    };
    Ok(Plane {
        slice: Slice::through([first, second, third]).map_err(usage)?,
        // From one key to the next.
        coordinates: [between(size), between(size)],
        title: "Continuously changing images in the plane through three keys".to_owned(),
        axes: [1, 2].map(|other| format!("{} → {}", keys[0].display(), keys[other].display())),
        spacing: "evenly spaced".to_owned(),
        place: None,
        kind: "through",
        along: None,
        around: None,
    })
}

/// `count` values from 0 to 1.
fn between(count: usize) -> Vec<f64> {
    (0..count)
        .map(|index| index as f64 / (count.max(2) - 1) as f64)
        .collect()
}

/// A plane that does not exist.
fn usage(error: SliceError) -> Usage {
    Usage(error.to_string())
}
