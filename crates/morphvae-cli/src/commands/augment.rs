//! `morphvae augment`

use std::path::PathBuf;

use clap::Args;
use morphvae::data::Layout;
use morphvae::semi_supervised::SemiSupervisedConfig;
use morphvae::studio::{
    AugmentFiles, AugmentReport, AugmentRequest, AugmentRow, Augmentation, Beginning, Generated, Scores, check_record,
};
use serde::Serialize;

use crate::arguments::ImageArguments;
use crate::arguments::values::{one_of, positive, whole};
use crate::console::{Console, grouped};
use crate::interrupt::{self, Stopped};
use crate::limits::check_out_folder;
use crate::observer::observer;

/// Seeds that are enough for any.
const MOST_SEEDS: u64 = 1000;

#[derive(Debug, Args)]
pub struct AugmentArguments {
    /// Labelled images of each class
    #[arg(long, value_name = "K", value_parser = positive(), allow_negative_numbers = true)]
    pub labelled: usize,
    /// How many times all of it is done, each time with other labelled images
    #[arg(long, value_name = "N", default_value = "5", value_parser = whole(1, MOST_SEEDS), allow_negative_numbers = true)]
    pub seeds: u64,
    /// Steps of each classifier, of 50 images, the same for every recipe
    #[arg(long, value_name = "N", default_value = "1000", value_parser = positive(), allow_negative_numbers = true)]
    pub steps: usize,
    /// The model whose latents the semi-supervised model stands on, which has seen no label: one for many comparisons
    /// [default: one learns first, in FOLDER/features]
    #[arg(long, value_name = "MODEL")]
    pub features: Option<PathBuf>,
    /// Times that the semi-supervised model sees each image, for each seed
    #[arg(long, value_name = "N", value_parser = positive(), default_value_t = SemiSupervisedConfig::default().epochs, allow_negative_numbers = true)]
    pub epochs: usize,
    /// How the data set lies in its folder that did best
    #[arg(long, value_parser = one_of::<Layout>(), default_value = "png")]
    pub format: Layout,
    /// A folder for the results [default: runs/augment-K]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Go on with what was stopped, or with more --seeds
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Replace results that are there
    #[arg(long)]
    pub force: bool,
    /// Use at most N training images and N test images, for a quick look
    #[arg(long, value_name = "N", value_parser = positive(), allow_negative_numbers = true)]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub images: ImageArguments,
    /// Print one JSON object: the report, and where the results are
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints; its keys are a contract.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    report: &'a AugmentReport,
    files: &'a AugmentFiles,
}

pub fn run(arguments: &AugmentArguments, console: Console) -> anyhow::Result<()> {
    interrupt::listen()?;
    let out = arguments.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from("runs").join(format!("augment-{}", arguments.labelled)));
    let beginning = match (arguments.resume, arguments.force) {
        (true, _) => Beginning::Resume,
        (_, true) => Beginning::Replace,
        _ => Beginning::New,
    };
    if beginning != Beginning::Resume {
        check_record(&out, arguments.force)?;
    }
    check_out_folder(&out)?;
    let request = AugmentRequest {
        labelled: arguments.labelled,
        seeds: arguments.seeds,
        steps: arguments.steps,
        semi_supervised: SemiSupervisedConfig {
            epochs: arguments.epochs,
            ..SemiSupervisedConfig::default()
        },
        features: arguments.features.clone(),
        limit: arguments.limit,
    };
    let observer = observer(console);
    let mut augmentation = Augmentation::begin(&out, beginning, &request, &arguments.images.request()?, &observer)?;
    augmentation.check_layout(arguments.format)?;
    introduce(&augmentation, &request, console);
    let done = augmentation
        .run(&observer)
        .and_then(|report| Ok((augmentation.write(&report, arguments.format, &observer)?, report)));
    let (files, report) = match done {
        Err(error) if error.is_stop() => {
            console.note("stopped; go on with the same command and --resume");
            return Err(Stopped.into());
        }
        done => done?,
    };
    console.note(format!("figure:   {}", files.figure.display()));
    console.note(format!("data set: {}", files.data.display()));
    if arguments.json {
        let (report, files) = (&report, &files);
        return Ok(console.json(&Printed { report, files })?);
    }
    console.print(&table(&report))?;
    Ok(console.print(&format!("\n{}", report.sentence()))?)
}

fn introduce(augmentation: &Augmentation, request: &AugmentRequest, console: Console) {
    let [train, validation, test] = augmentation.counts();
    console.note(format!(
        "{}: {} labelled images of each class, of {} to learn from; {} to choose by, {} to judge by",
        augmentation.dataset(),
        grouped(request.labelled),
        grouped(train),
        grouped(validation),
        grouped(test),
    ));
}

/// A line for each recipe, and one for the semi-supervised model itself.
fn table(report: &AugmentReport) -> String {
    let titles = report.rows.iter().map(|row| row.recipe.title().len());
    let widest = titles.max().unwrap_or(0);
    let line = |mark: &str, what: &str, scores: &Scores, chosen: &str| {
        let validation = format!("{:.2} %", 100.0 * scores.validation_mean);
        let line = format!(
            "{mark} {what:widest$}  {:17}  {validation:9}   {chosen}",
            spread(scores)
        );
        format!("\n{}", line.trim_end())
    };
    let mut text = format!("  {:widest$}  test accuracy      validation  chosen", "recipe");
    for row in &report.rows {
        let mark = if row.recipe == report.best { "*" } else { " " };
        text.push_str(&line(mark, row.recipe.title(), &row.scores, &chosen(row)));
    }
    text.push_str(&line(" ", "M1 + M2 itself", &report.semi_supervised, ""));
    text.push_str("\n* best on the validation images");
    text
}

/// `93.11 ± 0.42 %`
fn spread(scores: &Scores) -> String {
    let mean = 100.0 * scores.accuracy_mean;
    match scores.accuracy_standard_deviation {
        Some(deviation) => format!("{mean:.2} ± {:.2} %", 100.0 * deviation),
        None => format!("{mean:.2} %"),
    }
}

/// What was chosen by the validation images: `distortion 0.5, 10 generated for each real one at temperature 0.7`.
fn chosen(row: &AugmentRow) -> String {
    let distortion = row.mix.distortion.map(|factor| format!("distortion {factor}"));
    let generated = row.mix.generated.map(|Generated { times, temperature }| {
        format!("{times} generated for each real one at temperature {temperature}")
    });
    let labelled = row
        .mix
        .pseudo_labelled
        .map(|least| format!("labels of a probability of {least} at least"));
    let parts: Vec<String> = distortion.into_iter().chain(generated).chain(labelled).collect();
    parts.join(", ")
}
