//! The program `morphvae`: arguments, progress, messages. All work is the library's.

#![forbid(unsafe_code)]

mod arguments;
mod browser;
mod commands;
mod console;
mod images;
mod interrupt;
mod keys;
mod limits;
mod model;
mod pictures;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use arguments::{Arguments, DataVerb, Verb};
use console::Console;

/// Kernels take and free large buffers all the time; this allocator keeps them instead of asking the system anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return explain(&answer),
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has had enough of it.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<interrupt::Stopped>() => ExitCode::from(interrupt::EXIT_CODE),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", one_line(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Help and the version go out as they are; what does not parse is one line, as every other error.
fn explain(answer: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;

    let is_help = answer.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || !answer.use_stderr() {
        // Nobody listening is no reason to fail.
        if let Err(error) = answer.print().and_then(|()| io::stdout().flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            let _ = writeln!(io::stderr(), "error: cannot print this: {error}");
            return ExitCode::FAILURE;
        }
    } else if answer.kind() == ErrorKind::InvalidUtf8 {
        let _ = writeln!(io::stderr(), "error: {}; --help explains every option", unreadable());
    } else {
        let text = answer.render().to_string();
        let end = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more information");
        // That options might be meant as values helps nobody who mistyped one.
        let is_tip = |line: &&str| line.trim_start().starts_with("tip: to pass '--");
        let lines = text.lines().take_while(end).filter(|line| !is_tip(line));
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        let line = words.join(" ").replace(" tip:", "; tip:");
        let _ = writeln!(io::stderr(), "{line}; --help explains every option");
    }
    ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2))
}

/// What is to be said of the first argument that is no text.
fn unreadable() -> String {
    let mut words = std::env::args_os().skip(1).filter(|word| word.to_str().is_none());
    format!("{:?} is not UTF-8, as names must be", words.next().unwrap_or_default())
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let console = Console::new(arguments.quiet);
    start_threads(arguments.threads.map(usize::from), console).context("cannot start the threads")?;
    match arguments.verb {
        Verb::Train(arguments) => commands::train::run(&arguments, console),
        Verb::Evaluate(arguments) => commands::evaluate::run(&arguments, console),
        Verb::Morph(arguments) => commands::morph::run(&arguments, console),
        Verb::Attribute(arguments) => commands::attribute::run(&arguments, console),
        Verb::Figures(arguments) => commands::figures::run(&arguments, console),
        Verb::Grid(arguments) => commands::grid::run(&arguments, console),
        Verb::Reconstruct(arguments) => commands::reconstruct::run(&arguments, console),
        Verb::Encode(arguments) => commands::encode::run(&arguments, console),
        Verb::Decode(arguments) => commands::decode::run(&arguments, console),
        Verb::Explore(arguments) => commands::explore::run(&arguments, console),
        Verb::Info(arguments) => commands::info::run(&arguments, console),
        Verb::Bench(arguments) => commands::bench::run(&arguments, console),
        Verb::Data(DataVerb::List(arguments)) => commands::data::list(&arguments, console),
        Verb::Data(DataVerb::Fetch(arguments)) => commands::data::fetch(&arguments, console),
        Verb::Data(DataVerb::Check(arguments)) => commands::data::check(&arguments, console),
        Verb::Data(DataVerb::Sheet(arguments)) => commands::data::sheet(&arguments, console),
        Verb::Data(DataVerb::Export(arguments)) => commands::data::export(&arguments, console),
    }
}

/// A request that cannot be met however the files are: exit status 2, as for options that do not parse.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

impl Usage {
    /// Something stands where a result is to go.
    pub fn exists(path: &Path) -> Self {
        Self(format!(
            "{}: this exists: replace it with --force, or choose another --out",
            path.display()
        ))
    }
}

/// Starts the threads that compute, of which this one is one: so many in all, or as many as there are cores.
fn start_threads(asked: Option<usize>, console: Console) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = asked.unwrap_or(cores);
    if count > cores {
        console.note(format!(
            "warning: {count} threads share {cores} core(s), which is slower than one thread a core: leave out --threads"
        ));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count);
    // Alone, it could not answer to the thread that prepares batches while it waits for one.
    let pool = if count > 1 { pool.use_current_thread() } else { pool };
    Ok(pool.build_global()?)
}

fn exit_code(error: &anyhow::Error) -> u8 {
    use morphvae::data::DataError;
    use morphvae::figures::clip::ClipError;
    use morphvae::latent::path::PathError;
    use morphvae::network::NetworkError;
    use morphvae::training::TrainingError;

    let wrong_usage = error.chain().any(|cause| {
        cause.is::<Usage>()
            || matches!(cause.downcast_ref(), Some(NetworkError::Configuration { .. }))
            || matches!(cause.downcast_ref(), Some(DataError::UnknownSet { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(ClipError::UnknownEnding { .. } | ClipError::ColoursMapped | ClipError::TooLarge { .. })
            )
            || matches!(cause.downcast_ref(), Some(PathError::Steps { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(
                    TrainingError::Network(NetworkError::Configuration { .. })
                        | TrainingError::Setting { .. }
                        | TrainingError::OtherSettings { .. }
                        | TrainingError::Exists { .. }
                        | TrainingError::NotARun { .. }
                )
            )
    });
    if wrong_usage { 2 } else { 1 }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// The error and its causes without repetition: library errors quote their cause already.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if cause.contains(&line) {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
